"""Ten million stands with their past: what a question costs there, against 10,000.

Not among those that `make bench` runs: the forest takes an hour to make and some 40 GB of disk.
"""

from tests.benchmarks import bench_features, bench_spatial, bench_tiles
from tests.benchmarks.ground import Ground, cluster, sides
from tests.benchmarks.row import Row

SIDE = 3162


def rows() -> list[Row]:
    """The rows of the section."""
    place = cluster()
    try:
        small, large = Ground.of(place, sides()[0]), Ground.of(place, SIDE)
        made = (
            [Row(f"making {large.count:,} stands with their past", f"{large.took:.0f} s")]
            if large.took
            else []
        )
        return [
            *made,
            bench_tiles.growth(small, large),
            *bench_spatial.growth_rows(small, large),
            bench_features.growth(small, large),
            bench_tiles.past(large),
            *bench_spatial.past_rows(large),
        ]
    finally:
        place.stop()
