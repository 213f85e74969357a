"""Cadastral parcels: house lots along village streets, fields in the open country, plots of the forest fund."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import shapely

from ingest.demo.names import REGION_NAME
from ingest.demo.region import Region, Settlement
from ingest.demo.rights import Rights

STREETS = ("Центральная", "Лесная", "Набережная", "Школьная", "Молодёжная", "Садовая", "Заречная", "Новая")
HOME = "Для ведения личного подсобного хозяйства"


def _lots(
    rng: np.random.Generator, region: Region, place: Settlement, wanted: int
) -> list[dict[str, object]]:
    """Lots of about 15 ares on both sides of parallel streets."""
    ground = region.terrain
    rows: list[dict[str, object]] = []
    cos, sin = np.cos(place.angle), np.sin(place.angle)
    streets = max(1, round(wanted / 26))
    for street in range(streets):
        across = (street - (streets - 1) / 2) * 128
        along = -330.0
        house = 0
        while along < 330 and len(rows) < wanted:
            width = float(rng.integers(22, 32))
            for side in (-1, 1):
                near, far = across + side * 8, across + side * float(rng.integers(52, 60))
                u = np.array([along, along + width, along + width, along])
                v = np.array([near, near, far, far])
                ring = np.round(
                    np.column_stack((place.x + u * cos - v * sin, place.y + u * sin + v * cos)), 2
                )
                house += 1
                if rng.random() < 0.9 and not ground.lattice.sample(ground.water, ring).any():
                    rows.append(
                        {"geometry": shapely.Polygon(ring), "category": "Земли населенных пунктов", "use": HOME, "place": place,
                         "address": f"{REGION_NAME}, {place.name}, ул. {STREETS[street % len(STREETS)]}, {house}"}
                    )  # fmt: skip
            along += width
    return rows[:wanted]


def _fields(rng: np.random.Generator, region: Region, wanted: int) -> list[dict[str, object]]:
    """Fields of 15–60 ha in the open country, most of them in rows."""
    ground, lattice = region.terrain, region.terrain.lattice
    open_land = ground.inside & ~ground.forest & ~ground.water & (ground.stream_distance > 60)
    step_x, step_y = 900.0, 620.0
    rows: list[dict[str, object]] = []
    for north in np.arange(lattice.south, lattice.south + lattice.rows * lattice.cell, step_y).tolist():
        for east in np.arange(lattice.west, lattice.west + lattice.columns * lattice.cell, step_x).tolist():
            bend = 260 * np.sin(north / 9_000) + 0.02 * (north - lattice.south)
            inset = rng.uniform(8, 60, 4)
            x0, x1 = east + bend + inset[0], east + bend + step_x - inset[1]
            y0, y1 = north + inset[2], north + step_y - inset[3]
            ring = np.array([[x0, y0], [x1, y0 + 18], [x1 + 25, y1 + 18], [x0 + 25, y1]])
            probe = np.column_stack(
                [g.ravel() for g in np.meshgrid(np.linspace(x0, x1 + 25, 6), np.linspace(y0, y1 + 18, 5))]
            )
            place = min(region.settlements, key=lambda p: abs(p.x - x0) + abs(p.y - y0))
            if lattice.sample(open_land, probe).all() and abs(place.x - x0) + abs(place.y - y0) > 1_200:
                rows.append(
                    {"geometry": shapely.Polygon(np.round(ring, 2)), "category": "Земли сельскохозяйственного назначения", "place": place,
                     "use": "Для сельскохозяйственного производства", "address": f"{REGION_NAME}, в районе с. {place.name}"}
                )  # fmt: skip
    keep = np.sort(rng.permutation(len(rows))[:wanted])
    return [rows[k] for k in keep.tolist()]


def parcels(rng: np.random.Generator, region: Region, rights: Rights) -> pd.DataFrame:
    """About a thousand parcels with their cadastral numbers."""
    total = region.count(1_000, 80)
    rows = _lots(rng, region, region.settlements[0], total // 4)
    villages = region.settlements[1:]
    for place in villages:
        rows += _lots(rng, region, place, max(6, total // 3 // len(villages)))
    rows += _fields(rng, region, total // 4)
    frame = pd.DataFrame(rows)
    district = [p.municipality + 1 for p in frame["place"]]
    block = [
        100_000 * (1 + (c != "Земли населенных пунктов")) + 101 + region.settlements.index(p)
        for c, p in zip(frame["category"], frame["place"], strict=True)
    ]
    frame["quarter"] = [f"97:{d:02d}:{b:06d}" for d, b in zip(district, block, strict=True)]
    ordinal = frame.groupby("quarter").cumcount() + 1
    frame["number"] = [f"{q}:{n}" for q, n in zip(frame["quarter"], ordinal, strict=True)]
    forest = _forest_parcels(rights)
    frame = pd.concat([frame.drop(columns="place"), forest], ignore_index=True)
    frame["registered_on"] = [
        date(2006, 3, 1) + timedelta(int(d)) for d in rng.integers(0, 6_500, len(frame))
    ]
    frame["price"] = np.where(
        frame["category"].str.contains("пунктов"),
        182.4,
        np.where(frame["category"].str.contains("лесного"), 0.51, 3.27),
    )
    return frame


def _forest_parcels(rights: Rights) -> pd.DataFrame:
    plots = rights.plots[rights.plots["cadastral_number"].notna() & (rights.plots["usage"] == "1")].iloc[::4]
    return pd.DataFrame(
        {
            "geometry": plots["geometry"], "category": "Земли лесного фонда", "use": "Для использования лесов", "number": plots["cadastral_number"],
            "quarter": [n.rpartition(":")[0] for n in plots["cadastral_number"]],
            "address": [f"{REGION_NAME}, {f}, {s}" for f, s in zip(plots["forestry"], plots["subforestry"], strict=True)],
        }
    )  # fmt: skip
