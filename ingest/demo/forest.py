"""Forestries, sub-forestries, quarters and stands, with the inventory of every stand."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ingest.demo import mosaic
from ingest.demo.inventory import inventory
from ingest.demo.lattice import Floats, Ints
from ingest.demo.names import FORESTRIES, REGION_NAME
from ingest.demo.stands import Division
from ingest.demo.terrain import Terrain

Geometries = NDArray[np.object_]
BEND = mosaic.Curve(350)
TOLERANCE = 14.0
OFFICE = f"Департамент лесного хозяйства, {REGION_NAME}"


@dataclass(frozen=True)
class Forest:
    """Frames of the four layers, geometry in the working plane; stands are sorted by quarter and number."""

    forestries: pd.DataFrame
    quarters: pd.DataFrame
    stands: pd.DataFrame


def grouped(points: Floats, count: int) -> Ints:
    """Points in ``count`` compact groups (k-means from far-apart starts); no chance in it."""
    centres = points[[int(np.argmin(points.sum(axis=1)))]]
    while len(centres) < count:
        gap = ((points[:, None, :] - centres[None]) ** 2).sum(axis=2).min(axis=1)
        centres = np.vstack((centres, points[int(np.argmax(gap))]))
    owner = np.zeros(len(points), dtype=np.int64)
    for _ in range(25):
        owner = ((points[:, None, :] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        centres = np.array(
            [points[owner == k].mean(axis=0) if (owner == k).any() else centres[k] for k in range(count)]
        )
    return np.asarray(owner)


def _in_reading_order(points: Floats, band: float) -> Ints:
    """Order as foresters number: from the north-west, line by line."""
    return np.lexsort((points[:, 0], -np.round(points[:, 1] / band)))


def _quarter_frame(centres: Floats) -> pd.DataFrame:
    """Forestry, sub-forestry and number of each quarter, by its centre."""
    forestry = grouped(centres, len(FORESTRIES))
    # The first named lies nearest to the middle, where the city is; the others follow from west to east.
    middle = centres.mean(axis=0)
    heart = np.array([centres[forestry == k].mean(axis=0) for k in range(len(FORESTRIES))])
    rank = np.lexsort(
        (heart[:, 0], ((heart - middle) ** 2).sum(axis=1) > ((heart - middle) ** 2).sum(axis=1).min())
    )
    place = np.argsort(rank)
    frame = pd.DataFrame({"x": centres[:, 0], "y": centres[:, 1], "f": place[forestry], "s": 0, "number": 0})
    for f in range(len(FORESTRIES)):
        members = np.flatnonzero(frame["f"] == f)
        frame.loc[members, "s"] = grouped(centres[members], 3)
        for s in range(3):
            own = members[(frame["s"].to_numpy()[members]) == s]
            order = own[_in_reading_order(centres[own], 1_000)]
            frame.loc[order, "number"] = np.arange(1, len(order) + 1)
    return frame


def _titles(frame: pd.DataFrame) -> pd.DataFrame:
    forestry = [FORESTRIES[f][0] for f in frame["f"]]
    sub = [
        f"{FORESTRIES[f][1][s]} участковое лесничество" for f, s in zip(frame["f"], frame["s"], strict=True)
    ]
    return frame.assign(forestry=forestry, subforestry=sub)


def forest(rng: np.random.Generator, terrain: Terrain, division: Division) -> Forest:
    """The whole forest: exact coverages, each level the union of the one below."""
    cells, shapes = mosaic.polygons(
        division.stand, terrain.lattice, division.quarter, curve=BEND, tolerance=TOLERANCE
    )
    count = len(shapes)
    here = cells >= 0
    quarter_cell = np.zeros(count, dtype=np.int64)
    quarter_cell[cells[here]] = division.quarter[here]
    _, quarter = np.unique(quarter_cell, return_inverse=True)
    centres = shapely.get_coordinates(shapely.point_on_surface(shapes))
    order = np.lexsort((centres[:, 0], -np.round(centres[:, 1] / 250), quarter))
    shapes, quarter, centres = shapes[order], quarter[order], centres[order]
    position = np.empty(count, dtype=np.int64)
    position[order] = np.arange(count)
    cells = np.where(here, position[np.maximum(cells, 0)], -1)
    blocks = unions(shapes, quarter)
    quarters = _titles(_quarter_frame(shapely.get_coordinates(shapely.centroid(blocks)))).assign(
        geometry=blocks
    )
    firsts = np.searchsorted(quarter, quarter, side="left")
    number = np.arange(count) - firsts + 1
    own = quarters.iloc[quarter].reset_index(drop=True)
    stands = pd.DataFrame(
        {
            "forestry": own["forestry"], "subforestry": own["subforestry"], "quarter": own["number"], "number": number,
            "quarter_at": quarter, "geometry": shapes, "f": own["f"], "s": own["s"],
        }
    )  # fmt: skip
    stands = pd.concat([stands, inventory(rng, terrain, division, cells, shapes)], axis=1)
    stands["code"] = [
        f"{f + 1:02d}-{s + 1:02d}-{q:03d}-{n:03d}"
        for f, s, q, n in zip(stands["f"], stands["s"], stands["quarter"], stands["number"], strict=True)
    ]
    quarters = quarters.assign(
        purpose=_purposes(quarter, stands, len(quarters)),
        code=[
            f"{f + 1:02d}-{s + 1:02d}-{n:03d}"
            for f, s, n in zip(quarters["f"], quarters["s"], quarters["number"], strict=True)
        ],
    )
    return Forest(_forestries(quarters), quarters, stands)


def unions(shapes: Geometries, group: Ints) -> Geometries:
    """Union of the polygons of each group of a coverage: borders keep every vertex."""
    order = np.argsort(group, kind="stable")
    parts = np.split(shapes[order], np.flatnonzero(np.diff(group[order])) + 1)
    result = np.empty(len(parts), dtype=object)
    result[:] = [shapely.coverage_union_all(p) for p in parts]
    return result


def _purposes(quarter: Ints, stands: pd.DataFrame, count: int) -> list[str]:
    protected = np.bincount(quarter, (stands["protection"] != "none").to_numpy(), count) / np.bincount(
        quarter, minlength=count
    )
    return ["protective" if p else "exploitable" for p in (protected > 0.45).tolist()]


def _forestries(quarters: pd.DataFrame) -> pd.DataFrame:
    rows = []
    shapes = quarters["geometry"].to_numpy()
    for f, (name, subs) in enumerate(FORESTRIES):
        mine = (quarters["f"] == f).to_numpy()
        rows.append(
            (name, f"{f + 1:02d}", "forestry", REGION_NAME, OFFICE, shapely.coverage_union_all(shapes[mine]))
        )
        for s, sub in enumerate(subs):
            own = mine & (quarters["s"] == s).to_numpy()
            title = f"{sub} участковое лесничество"
            rows.append(
                (
                    title,
                    f"{f + 1:02d}-{s + 1:02d}",
                    "subforestry",
                    name,
                    OFFICE,
                    shapely.coverage_union_all(shapes[own]),
                )
            )
    return pd.DataFrame(rows, columns=["name", "code", "kind", "parent", "office", "geometry"])
