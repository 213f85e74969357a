"""The inventory of stands: what grows follows the ground, the water, the sand and what was cut or burnt."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ingest.demo.lattice import Floats, Ints
from ingest.demo.stands import Division
from ingest.demo.terrain import Terrain


@dataclass(frozen=True)
class Species:
    """Growth of a species: top height in metres, speed, and the ages at which its age groups begin."""

    letter: str
    top: float
    speed: float
    groups: tuple[int, int, int, int]
    types: tuple[str, str, str]


SPECIES: dict[str, Species] = {
    "pine": Species("С", 29, 0.026, (41, 81, 101, 141), ("лишайниковый", "брусничный", "багульниковый")),
    "spruce": Species(
        "Е", 28, 0.022, (41, 81, 101, 141), ("зеленомошный", "травяно-болотный", "приручьевой")
    ),
    "fir": Species("П", 26, 0.025, (41, 61, 81, 101), ("зеленомошный", "крупнотравный", "приручьевой")),
    "larch": Species("Л", 30, 0.024, (41, 81, 101, 141), ("брусничный", "разнотравный", "багульниковый")),
    "siberian_pine": Species(
        "К", 27, 0.017, (41, 121, 201, 281), ("зеленомошный", "разнотравный", "долгомошный")
    ),
    "birch": Species("Б", 25, 0.042, (11, 51, 61, 81), ("разнотравный", "крупнотравный", "травяно-болотный")),
    "aspen": Species("Ос", 26, 0.046, (11, 41, 51, 61), ("разнотравный", "крупнотравный", "крупнотравный")),
    "willow": Species("Ив", 12, 0.06, (6, 21, 26, 31), ("пойменный", "пойменный", "приручьевой")),
}
NAMES = tuple(SPECIES)
AGE_GROUPS = ("young", "middle", "ripening", "mature", "overmature")
SITE_CLASSES = ("I", "II", "III", "IV", "V", "Vа")


def _means(values: Floats, cells: Ints, count: int) -> Floats:
    here = cells >= 0
    return np.bincount(cells[here], values[here], count) / np.bincount(cells[here], minlength=count)


@dataclass(frozen=True)
class _Ground:
    """Means of the terrain's fields over each stand."""

    moisture: Floats
    sand: Floats
    disturbance: Floats
    stream: Floats
    height: Floats
    cut: NDArray[np.bool_]
    pool: NDArray[np.bool_]


def _ground(terrain: Terrain, division: Division, cells: Ints, count: int) -> _Ground:
    fields = (terrain.moisture, terrain.sand, terrain.disturbance, terrain.stream_distance, terrain.height)
    moisture, sand, disturbance, stream, height = (_means(f, cells, count) for f in fields)
    height = (height - height.mean()) / (height.std() or 1)
    return _Ground(
        moisture,
        sand,
        disturbance,
        stream,
        height,
        _means((division.cut >= 0).astype(float), cells, count) > 0.6,
        _means(terrain.pools.astype(float), cells, count) > 0.5,
    )


def _scores(rng: np.random.Generator, ground: _Ground, count: int) -> Floats:
    """How well each species suits each stand, with some chance."""
    near = np.exp(-ground.stream / 180)
    fresh = np.clip(ground.moisture, -2, 3)
    shaken = ground.disturbance + 2.2 * ground.cut
    scores = {
        "pine": 1.35 + 1.15 * ground.sand - 0.35 * fresh - 0.25 * shaken,
        "spruce": 0.1 + 1.9 * near + 0.45 * fresh - 0.35 * ground.sand,
        "fir": -0.1 + 0.6 * near + 0.45 * ground.height - 0.4 * ground.sand,
        "larch": -0.5 + 0.35 * ground.height + 0.3 * ground.sand - 0.3 * fresh,
        "siberian_pine": 0.55 + 0.75 * ground.height - 0.85 * shaken + 0.15 * fresh,
        "birch": 1.15 + 0.95 * shaken + 0.12 * fresh,
        "aspen": 0.15 + 0.9 * shaken - 0.25 * ground.sand,
        "willow": -2.1 + 2.4 * near + 0.5 * fresh - 0.5 * ground.height,
    }
    return np.column_stack([scores[n] for n in NAMES]) + 0.55 * rng.gumbel(size=(count, len(NAMES)))


def _land_kinds(rng: np.random.Generator, ground: _Ground, count: int) -> NDArray[np.object_]:
    chance = rng.random(count)
    kind = np.full(count, "forested", dtype=object)
    kind[(ground.moisture > np.quantile(ground.moisture, 0.93)) & (ground.stream > 120)] = "bog"
    kind[(kind == "forested") & (ground.stream < 110) & (chance < 0.05)] = "meadow"
    kind[(kind == "forested") & (chance > 0.99)] = "glade"
    kind[(ground.disturbance > 2.05) & (ground.sand > 0.2) & (kind == "forested")] = "burnt"
    kind[ground.cut & (chance < 0.2)] = "clearcut"
    kind[ground.cut & (chance > 0.62)] = "plantation"
    kind[ground.pool] = "water"
    return kind


def _ages(rng: np.random.Generator, ground: _Ground, lead: Ints, kind: NDArray[np.object_]) -> Ints:
    conifer = lead < NAMES.index("birch")
    old = np.where(conifer, 105, 52) + np.where(conifer, -24, -13) * ground.disturbance
    age = old + rng.normal(0, np.where(conifer, 22, 9))
    age = np.where(lead == NAMES.index("siberian_pine"), age * 1.5, age)
    age = np.where(ground.cut, rng.integers(6, 34, len(lead)), age)
    age = np.where(kind == "plantation", rng.integers(4, 28, len(lead)), age)
    top = np.array([SPECIES[n].groups[3] * 1.35 for n in NAMES])[lead]
    return np.clip(np.round(age), 5, top).astype(np.int64)


def formulas(rng: np.random.Generator, scores: Floats, lead: Ints) -> list[str]:
    """Compositions such as «6С3Б1Ос»: tenths that sum to ten, the leading species first."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :4].tolist()
    shares = np.sort(rng.dirichlet((2.4, 1.1, 0.6, 0.35), len(lead)), axis=1)[:, ::-1]
    tenths = np.floor(shares * 10).astype(np.int64)
    tenths[:, 0] += 10 - tenths.sum(axis=1)
    letters = [SPECIES[n].letter for n in NAMES]
    rows = zip(order, tenths.tolist(), strict=True)
    return ["".join(f"{t}{letters[s]}" for s, t in zip(who, much, strict=True) if t) for who, much in rows]


def _growth(rng: np.random.Generator, ground: _Ground, lead: Ints, age: Ints) -> tuple[Ints, Floats, Floats]:
    """Site class (0 the best), height in m and relative density of every stand."""
    count = len(lead)
    site = np.clip(
        np.round(2.3 + 0.5 * np.abs(ground.moisture - 0.4) - 0.3 * ground.sand + rng.normal(0, 0.6, count)),
        0,
        5,
    ).astype(np.int64)
    top = np.array([SPECIES[n].top for n in NAMES])[lead] * (1.12 - 0.11 * site)
    speed = np.array([SPECIES[n].speed for n in NAMES])[lead]
    tall = np.round(top * (1 - np.exp(-speed * age)) ** 1.35, 1)
    density = np.round(np.clip(rng.normal(0.68, 0.12, count), 0.3, 1.0), 1)
    return site, np.asarray(tall, dtype=np.float64), np.asarray(density, dtype=np.float64)


def _visits(rng: np.random.Generator, count: int) -> NDArray[np.object_]:
    """Days of the inventory: a crew takes a stretch of neighbouring stands a day."""
    days = np.repeat(rng.integers(0, 800, 60), -(-count // 60))[:count]
    return np.array([date(2021, 6, 1) + timedelta(int(d)) for d in days])


# What only a stand with trees has.
OF_TREES = (
    "species",
    "formula",
    "age",
    "age_group",
    "height_m",
    "diameter_cm",
    "site_class",
    "density",
    "stock",
    "forest_type",
)


def inventory(
    rng: np.random.Generator, terrain: Terrain, division: Division, cells: Ints, shapes: NDArray[np.object_]
) -> pd.DataFrame:
    """Attributes of every stand, in the order of ``shapes``."""
    count = len(shapes)
    ground = _ground(terrain, division, cells, count)
    scores = _scores(rng, ground, count)
    lead = scores.argmax(axis=1)
    kind = _land_kinds(rng, ground, count)
    planted = kind == "plantation"
    lead[planted] = NAMES.index("pine")
    scores[planted, NAMES.index("pine")] += 20
    age = _ages(rng, ground, lead, kind)
    site, tall, density = _growth(rng, ground, lead, age)
    starts = np.array([SPECIES[n].groups for n in NAMES])[lead]
    days = _visits(rng, count)
    moist = np.clip(np.digitize(ground.moisture, (-0.4, 0.9)), 0, 2)
    frame = pd.DataFrame(
        {
            "land_kind": kind,
            "species": np.array(NAMES, dtype=object)[lead],
            "formula": formulas(rng, scores, lead),
            "age": age,
            "age_group": np.array(AGE_GROUPS, dtype=object)[(age[:, None] >= starts).sum(axis=1)],
            "height_m": tall,
            "diameter_cm": np.round(np.maximum(1, tall * 1.02 + 0.035 * age - 2), 0),
            "site_class": np.array(SITE_CLASSES, dtype=object)[site],
            "density": density,
            "stock": np.round(density * np.maximum(0, tall * (1.35 + 0.36 * tall)) / 10) * 10,
            "forest_type": [
                SPECIES[NAMES[s]].types[m] for s, m in zip(lead.tolist(), moist.tolist(), strict=True)
            ],
            "protection": np.where(ground.stream < 190, "water_protection", "none"),
            "inventoried_on": days,
            "area_ha": np.round(shapely.area(shapes) / 1e4, 1),
        },
    )
    wood = np.isin(kind, ("forested", "plantation"))
    for name in OF_TREES:
        frame[name] = frame[name].astype(object).where(wood, None)
    return frame
