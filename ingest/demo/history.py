"""Two years of the registers: what each delivery of the archive held, and what changed from one to the next."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import shapely

from ingest.demo import conflicts
from ingest.demo.conflicts import EXPIRED_LEASE, Frames
from ingest.demo.inventory import OF_TREES
from ingest.demo.land import parcels
from ingest.demo.region import Region, region
from ingest.demo.rights import rights
from ingest.demo.subsoil import deposits, licences
from ingest.demo.waste import waste_sites
from ingest.demo.zones import zones

# When the registers were delivered: the archive is loaded as known from these moments.
MOMENTS = (
    datetime(2024, 11, 15, 3, tzinfo=UTC),
    datetime(2025, 6, 10, 3, tzinfo=UTC),
    datetime(2026, 3, 12, 3, tzinfo=UTC),
    datetime(2026, 10, 5, 3, tzinfo=UTC),
)
FIRST, SUMMER, SPRING, AUTUMN = range(len(MOMENTS))
Delivery = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Archive:
    """What was delivered at each of the moments: whole registers first, then only new and changed rows."""

    region: Region
    deliveries: tuple[Delivery, ...]


def _every(frame: pd.DataFrame, step: int, start: int) -> "pd.Series[bool]":
    return pd.Series((np.arange(len(frame)) % step) == start % step, index=frame.index)


def _changed(frame: pd.DataFrame, rows: "pd.Series[bool]", **values: object) -> pd.DataFrame:
    """Those rows with other values."""
    return frame[rows].assign(**values)


def _leases(all_rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Signed in 2025 and 2026, ended early, run out and still there."""
    small = (
        (all_rows["usage"] != "1")
        & (all_rows["status"] == "active")
        & ~all_rows["number"].isin((EXPIRED_LEASE, conflicts.LEASE_WITHIN_LEASE))
    )
    late_25, late_26 = small & _every(all_rows, 19, 4), small & _every(all_rows, 17, 9)
    late_26 &= ~late_25
    ended, overdue = (
        small & _every(all_rows, 21, 2) & ~late_25 & ~late_26,
        small & _every(all_rows, 37, 5) & ~late_25 & ~late_26,
    )
    overdue &= ~ended
    frame = all_rows.copy()
    for late, day in ((late_25, date(2025, 4, 14)), (late_26, date(2026, 8, 24))):
        frame.loc[late, "number"] = [f"{500 + n}/{day.year}-А" for n in range(int(late.sum()))]
        frame.loc[late, ["signed_on", "starts_on", "ends_on"]] = [day, day, day.replace(year=day.year + 15)]
    frame.loc[overdue, "ends_on"] = date(2026, 6, 30)
    expired = frame["number"] == EXPIRED_LEASE
    first = frame[~late_25 & ~late_26].copy()
    first.loc[first["number"] == EXPIRED_LEASE, "status"] = "active"
    return [
        first,
        frame[late_25],
        pd.concat([_changed(frame, ended, status="completed"), frame[expired]]),
        pd.concat([frame[late_26], _changed(frame, overdue, status="overdue")]),
    ]


def _plots(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """A dozen plots were surveyed anew, some others were suspended or closed."""
    small = frame["usage"] != "1"
    moved = [
        small
        & _every(frame[small], max(2, int(small.sum()) // 5), k * 3 + 2).reindex(
            frame.index, fill_value=False
        )
        for k in range(3)
    ]
    first = frame.copy()
    for rows in moved:
        old = shapely.simplify(
            shapely.buffer(first.loc[rows, "geometry"].to_numpy(), -22, join_style="mitre"), 9
        )
        kept = np.where(shapely.is_empty(old), first.loc[rows, "geometry"].to_numpy(), old)
        first.loc[rows, "geometry"] = kept
        first.loc[rows, "area_ha"] = np.round(shapely.area(kept) / 1e4, 4)
    closed = small & _every(frame, 83, 17) & (frame["status"] == "active") & ~moved[2] & ~moved[1]
    return [
        first,
        frame[moved[0]],
        frame[moved[1]],
        pd.concat([frame[moved[2]], _changed(frame, closed & ~moved[0], status="closed")]),
    ]


def _zones(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Zones planned and then established, one abolished, water protection widened."""
    planned = (frame["kind"] == "ozu") & _every(frame, 9, 1)
    abolished = (frame["kind"] == "sanitary") & _every(frame, 11, 3)
    widened = (frame["kind"] == "water_protection") & (frame["width"] == 50) & _every(frame, 8, 5)
    new = planned & _every(frame, 18, 1)
    wide = shapely.simplify(shapely.buffer(frame.loc[widened, "geometry"].to_numpy(), 50, quad_segs=3), 3)
    later = frame[widened].assign(
        geometry=wide, document="Водный кодекс РФ, статья 65; Приказ № 118 от 02.09.2026"
    )
    return [
        _with(frame[~new], planned, status="planned"),
        _changed(frame, abolished, status="abolished"),
        frame[planned],
        later,
    ]


def _with(frame: pd.DataFrame, rows: "pd.Series[bool]", **values: object) -> pd.DataFrame:
    frame = frame.copy()
    here = rows.reindex(frame.index, fill_value=False)
    for name, value in values.items():
        frame.loc[here, name] = value
    return frame


def _licences(all_rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Issued in 2025 and 2026, suspended, taken up again, annulled."""
    frame = all_rows.copy()
    free = (frame["status"] == "active") & (frame["number"] != conflicts.LICENCE_OVER_RESERVE)
    late_25, late_26 = free & _every(frame, 27, 6), free & _every(frame, 29, 13)
    late_26 &= ~late_25
    for late, day in ((late_25, date(2025, 5, 22)), (late_26, date(2026, 9, 3))):
        frame.loc[late, ["issued_on", "expires_on"]] = [day, day.replace(year=day.year + 20)]
    suspended = free & ~late_25 & ~late_26 & _every(frame, 37, 3)
    annulled = free & ~late_25 & ~late_26 & ~suspended & _every(frame, 53, 8)
    return [
        frame[~late_25 & ~late_26],
        frame[late_25],
        _changed(frame, suspended, status="suspended"),
        pd.concat([frame[late_26], _changed(frame, annulled, status="annulled")]),
    ]


def _cutting_areas(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Declared, in work, cut: year after year; a few declarations are refused."""
    year = frame["year"]
    half = _every(frame, 2, 0)
    refused = _every(frame, 33, 7)

    def stage(rows: "pd.Series[bool]", status: str) -> pd.DataFrame:
        return frame[rows].assign(status=status)

    return [
        pd.concat(
            [
                stage((year == 2024) & half, "cut"),
                stage((year == 2024) & ~half, "in_work"),
                stage(year == 2025, "declared"),
            ]
        ),
        pd.concat(
            [
                stage((year == 2024) & ~half, "cut"),
                stage((year == 2025) & ~refused, "in_work"),
                stage((year == 2025) & refused, "refused"),
            ]
        ),
        pd.concat([stage((year == 2025) & ~refused, "cut"), stage(year == 2026, "declared")]),
        pd.concat(
            [
                stage((year == 2026) & half & ~refused, "in_work"),
                stage((year == 2026) & refused, "refused"),
                stage(year == 2027, "declared"),
            ]
        ),
    ]


def _stands(frame: pd.DataFrame, areas: pd.DataFrame) -> list[pd.DataFrame]:
    """Stands that were felled: forested before, cuttings after."""
    clear = areas[areas["form"] == "clear"]
    half = set(areas.index[_every(areas, 2, 0)])
    refused = set(areas.index[_every(areas, 33, 7)])
    by_step = {
        SUMMER: [k for k in clear.index if clear["year"][k] == 2024 and k not in half],
        SPRING: [k for k in clear.index if clear["year"][k] == 2025 and k not in refused],
    }
    bare = dict.fromkeys(OF_TREES)
    felled_before = clear.loc[[k for k in clear.index if clear["year"][k] == 2024 and k in half], "stand_at"]
    first = frame.copy()
    first.loc[felled_before, list(bare)] = None
    first.loc[felled_before, "land_kind"] = "clearcut"
    result = [first, frame.iloc[:0], frame.iloc[:0], frame.iloc[:0]]
    for step, rows in by_step.items():
        own = first.loc[clear.loc[rows, "stand_at"]].copy()
        result[step] = own.assign(**bare, land_kind="clearcut", inventoried_on=MOMENTS[step].date())
    return result


def _waste(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Landfills fill up; some close."""
    filled, closed = _every(frame, 9, 2) & (frame["status"] == "active"), _every(frame, 31, 4)
    more = frame[filled]
    return [
        frame,
        frame.iloc[:0],
        more.assign(accumulated_t=np.minimum(more["capacity_t"], np.round(more["accumulated_t"] * 1.12, -1))),
        _changed(frame, closed & ~filled, status="closed"),
    ]


def _deposits(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Reserves are counted anew in places."""
    counted = _every(frame, 13, 4)
    rows = frame[counted]
    return [
        frame,
        frame.iloc[:0],
        rows.assign(reserves=np.round(rows["reserves"] * 1.18, 1), category="B+C1"),
        frame.iloc[:0],
    ]


def _parcels(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Some parcels entered the cadastre lately."""
    late = _every(frame, 23, 7)
    return [frame[~late], frame.iloc[:0], frame[late].assign(registered_on=date(2026, 1, 22)), frame.iloc[:0]]


def archive(seed: int, factor: float = 1.0) -> Archive:
    """The whole archive of the region of a seed."""
    place = region(seed, factor)
    rng = np.random.default_rng([seed, 1])
    held = rights(rng, place)
    found = deposits(rng, place)
    frames = Frames(
        held,
        found,
        licences(rng, place, found),
        waste_sites(rng, place),
        zones(rng, place, held),
        parcels(rng, place, held),
    )
    frames = conflicts.add(rng, place, frames)
    woods = place.forest
    layers = {
        "municipalities": [place.municipalities],
        "forestries": [woods.forestries],
        "quarters": [woods.quarters],
        "stands": _stands(woods.stands, frames.rights.cutting_areas),
        "parcels": _parcels(frames.parcels),
        "forest_plots": _plots(frames.rights.plots),
        "leases": _leases(frames.rights.leases),
        "licences": _licences(frames.licences),
        "deposits": _deposits(frames.deposits),
        "waste_sites": _waste(frames.waste_sites),
        "zones": _zones(frames.zones),
        "cutting_areas": _cutting_areas(frames.rights.cutting_areas),
    }
    deliveries = tuple(
        {
            name: held_by[step]
            for name, held_by in layers.items()
            if step < len(held_by) and len(held_by[step])
        }
        for step in range(len(MOMENTS))
    )
    return Archive(place, deliveries)
