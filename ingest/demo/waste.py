"""Waste sites: landfills, stores, tailings and industrial yards, near the places that fill them."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from ingest.demo.names import FKKO, disposal_number, pick, waste_object_code
from ingest.demo.region import Region

KINDS = ("landfill", "plant", "storage", "dump")
TITLES = {
    "landfill": "Полигон ТКО «{}»",
    "plant": "Производственная площадка «{}»",
    "storage": "Площадка временного накопления «{}»",
    "dump": "Отвал вскрышных пород «{}»",
}


def waste_sites(rng: np.random.Generator, region: Region) -> pd.DataFrame:
    """Points on dry open land, two out of three near a settlement."""
    rows = []
    for n in range(region.count(150, 12)):
        place = region.settlements[0 if n % 6 == 0 else int(rng.integers(0, len(region.settlements)))]
        x, y = _dry_spot(rng, region, place.x, place.y, place.radius)
        kind = str(rng.choice(KINDS, p=(0.34, 0.36, 0.18, 0.12)))
        holder = pick(rng, "waste" if kind in ("landfill", "storage") or n % 4 else "forest")
        capacity = float(np.round(rng.lognormal(9.5, 1.0), -1))
        rows.append(
            {
                "number": waste_object_code(n), "name": TITLES[kind].format(f"{place.name}-{1 + n // 7}"), "kind": kind,
                "category": str(rng.choice(("1", "2", "3", "4"), p=(0.1, 0.3, 0.4, 0.2))),
                "status": str(rng.choice(("active", "suspended", "closed"), p=(0.8, 0.08, 0.12))),
                "groro": None if kind == "plant" else disposal_number(n + 1, buried=kind != "storage"),
                "fkko": ", ".join(sorted(rng.choice(FKKO, int(rng.integers(1, 5)), replace=False).tolist())),
                "capacity_t": capacity, "accumulated_t": float(np.round(capacity * rng.uniform(0.05, 0.98), -1)),
                "registered_on": date(2016, 9, 1) + timedelta(int(rng.integers(0, 2_900))),
                "holder": holder.name, "holder_inn": holder.inn, "x": x, "y": y,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _dry_spot(
    rng: np.random.Generator, region: Region, x: float, y: float, radius: float
) -> tuple[float, float]:
    ground = region.terrain
    spots = np.array([x, y]) + rng.normal(0, radius + 1_100, (60, 2))
    fit = ground.lattice.sample(ground.inside & ~ground.water & (ground.stream_distance > 120), spots)
    best = spots[np.flatnonzero(fit)[0]] if fit.any() else spots[0]
    return float(np.round(best[0], 2)), float(np.round(best[1], 2))
