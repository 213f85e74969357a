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
    step_x, step_y, lean = 900.0, 620.0, 25.0
    east, north = (
        g.ravel()
        for g in np.meshgrid(
            np.arange(lattice.west, lattice.west + lattice.columns * lattice.cell, step_x),
            np.arange(lattice.south, lattice.south + lattice.rows * lattice.cell, step_y),
        )
    )
    inset = rng.uniform(8, 60, (4, len(east)))
    west = east + 260 * np.sin(north / 9_000) + 0.02 * (north - lattice.south)
    x0, x1, y0, y1 = west + inset[0], west + step_x - inset[1], north + inset[2], north + step_y - inset[3]
    probes = np.stack(
        [
            np.stack((x0 + u * (x1 + lean - x0), y0 + v * (y1 + 18 - y0)), axis=1)
            for u in np.linspace(0, 1, 6).tolist()
            for v in np.linspace(0, 1, 5).tolist()
        ],
        axis=1,
    )
    fits = lattice.sample(open_land, probes.reshape(-1, 2)).reshape(len(east), -1).all(axis=1)
    places = np.array([(p.x, p.y) for p in region.settlements])
    away = np.hypot(x0[:, None] - places[:, 0], y0[:, None] - places[:, 1])
    found = np.flatnonzero(fits & (away.min(axis=1) > 1_000))
    chosen = np.sort(rng.permutation(found)[:wanted])
    rows: list[dict[str, object]] = []
    for k in chosen.tolist():
        place = region.settlements[int(away[k].argmin())]
        ring = [(x0[k], y0[k]), (x1[k], y0[k] + 18), (x1[k] + lean, y1[k] + 18), (x0[k] + lean, y1[k])]
        rows.append(
            {"geometry": shapely.Polygon(np.round(ring, 2)), "category": "Земли сельскохозяйственного назначения", "place": place,
             "use": "Для сельскохозяйственного производства", "address": f"{REGION_NAME}, в районе с. {place.name}"}
        )  # fmt: skip
    return rows


def parcels(rng: np.random.Generator, region: Region, rights: Rights) -> pd.DataFrame:
    """About a thousand parcels with their cadastral numbers."""
    total = region.count(1_000, 80)
    rows = _lots(rng, region, region.settlements[0], total // 4)
    villages = region.settlements[1:]
    for place in villages:
        rows += _lots(rng, region, place, max(6, total * 9 // 20 // len(villages)))
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
