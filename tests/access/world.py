"""The prepared data set of the leak suite: what is secret, who may know it, and the marks by which a leak shows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from pyproj import Transformer

from geo.access import ANONYMOUS, Caller
from geo.layers import all_layers
from geo.settings import Settings
from geo.spatial.conflicts import settle

OWNER_INN, RIVAL_INN, OTHER_INN = "7707083893", "5406000002", "7000000003"
# Every text of a secret object carries it, so that it shows in whatever is served.
MARK = "zqk"
_mercator = Transformer.from_crs(4326, 3857, always_xy=True)


@dataclass(frozen=True)
class Object:
    """A version of an object. ``n`` makes its id, its place and its marks; ``past`` versions are closed;
    ``over`` lies on another object.
    """

    n: int
    layer: str
    region: str = "54"
    inn: str = ""
    visibility: int = 0
    past: bool = False
    of: int = 0
    over: int = 0

    @property
    def id(self) -> int:
        """Id of the object, unlike any other number that is served."""
        return 910_000_000 + (self.of or self.n)

    @property
    def corner(self) -> tuple[float, float]:
        """South-western corner, degrees: far from everything else, so that any box tells it."""
        n, aside = self.over or self.n, 0.00411 if self.over else 0.0
        return 91 + n + 0.31711 + aside, 61 + n / 10 + 0.00713

    def visible(self, caller: Caller) -> bool:
        """Who may know of it, said once more and without SQL."""
        rank = max(self.visibility, int(all_layers()[self.layer].access))
        return (
            rank <= caller.rank
            or self.region in caller.regions
            or self.id in caller.objects
            or (self.inn != "" and self.inn in caller.inns)
        )

    def marks(self) -> list[str]:
        """Texts that betray it: words, number, place in degrees and in metres."""
        x, y = _mercator.transform(*self.corner)
        own = [
            f"{MARK}{self.n}{MARK}",
            f"{self.corner[0]:.5f}",
            f"{self.corner[1]:.5f}",
            # As the extent of a collection has it, a hair outside.
            *(f"{degrees - 1e-6:.6f}" for degrees in self.corner),
            f"{int(x)}",
            f"{int(y)}",
        ]
        return own if self.of else [*own, str(self.id)]

    def row(self) -> dict[str, Any]:
        """Columns: a mark in every text, numbers and dates of its own."""
        target = all_layers()[self.layer]
        kinds: Mapping[str, Any] = {
            "text": f"{MARK}{self.n}{MARK}",
            "integer": 1_900_000_000 + self.n,
            "number": 7_654_321_000.5 + self.n,
            "date": f"2031-03-{self.n:02d}",
        }
        row = {p.name: kinds[p.type] for p in target.properties}
        row |= {
            "id": self.id,
            "version": 920_000_000 + self.n,
            "region": self.region,
            "key": f"{MARK}{self.n}{MARK}",
        }
        row |= {"visibility": self.visibility, "digest": f"{self.n:032x}", "sys_from": "2026-01-01T00:00:00Z"}
        row["sys_to"] = "2026-02-01T00:00:00Z" if self.past else "infinity"
        if target.held:
            row["holder_inn"] = self.inn or None
        west, south = self.corner
        row["geom"] = (
            f"POLYGON(({west} {south},{west + 0.02} {south},{west + 0.02} {south + 0.02},{west} {south}))"
        )
        return row


# What the public knows already, and every way in which something can be secret.
OBJECTS = (
    Object(1, "leases", inn=OWNER_INN),
    Object(2, "zones", region="70"),
    Object(3, "parcels"),
    Object(4, "licences", inn=OWNER_INN),
    Object(5, "licences", inn=RIVAL_INN),
    Object(6, "licences", region="70", inn=OTHER_INN),
    Object(7, "deposits"),
    Object(8, "zones", visibility=2),
    Object(9, "zones", visibility=3, region="70"),
    Object(10, "cutting_areas", inn=OWNER_INN),
    Object(11, "cutting_areas", inn=OWNER_INN, visibility=2),
    Object(12, "parcels", visibility=1, region="70"),
    Object(13, "leases", inn=RIVAL_INN, visibility=3),
    # Versions that were narrower than the object is today, and one that is gone.
    Object(14, "leases", inn=OTHER_INN, visibility=2, past=True, of=1),
    Object(15, "parcels", region="70", visibility=2, past=True, of=3),
    Object(16, "deposits", region="70", past=True),
    # Conflicts: with what everybody sees, among what some see.
    Object(17, "zones", visibility=2, over=1),
    Object(18, "zones", visibility=0, over=10),
    Object(19, "licences", inn=RIVAL_INN, over=4),
)
CALLERS: Mapping[str, Caller] = {
    "anonymous": ANONYMOUS,
    "another company": Caller(account=72, rank=1, inns=(RIVAL_INN,)),
    "owner": Caller(account=71, rank=1, inns=(OWNER_INN,)),
    "contractor": Caller(account=73, rank=1, objects=(910_000_004, 910_000_009)),
    "inspector here": Caller(account=74, rank=1, regions=("54",)),
    "inspector elsewhere": Caller(account=75, rank=1, regions=("70",)),
    "administrator": Caller(account=76, rank=3),
}


def fill(settings: Settings, objects: Iterable[Object]) -> None:
    """Put objects into a fresh register."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        for target in objects:
            row = target.row()
            shape = sql.SQL("ST_Multi(ST_GeomFromText({}, 4326))").format(sql.Placeholder("geom"))
            values = [shape if name == "geom" else sql.Placeholder(name) for name in row]
            connection.execute(
                sql.SQL("INSERT INTO register.{} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
                    sql.Identifier(target.layer), sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(values)
                ),
                row,
            )  # fmt: skip
        settle(connection)
        connection.execute("ANALYZE")
