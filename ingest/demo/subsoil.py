"""Deposits, and the licences to study and work them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ingest.demo.names import REGION_NAME, licence_number, numbered, pick
from ingest.demo.region import Region

Geometries = NDArray[np.object_]


@dataclass(frozen=True)
class Mineral:
    """How a mineral lies: label, licence letter, radius in metres, share among deposits, unit and scale of its reserves."""

    label: str
    letter: str
    radius: tuple[int, int]
    share: float
    unit: str
    scale: float


MINERALS: dict[str, Mineral] = {
    "sand": Mineral("песок строительный", "Т", (160, 420), 0.2, "114", 900),
    "gravel": Mineral("песчано-гравийная смесь", "Т", (180, 520), 0.14, "114", 1_400),
    "clay": Mineral("глина кирпичная", "Т", (150, 380), 0.11, "114", 1_100),
    "peat": Mineral("торф", "Т", (500, 1_300), 0.14, "169", 700),
    "groundwater": Mineral("подземные воды", "В", (200, 500), 0.17, "113", 2_400),
    "oil": Mineral("нефть", "Н", (1_800, 3_600), 0.06, "169", 5_200),
    "gas": Mineral("газ горючий", "Н", (1_800, 3_200), 0.03, "114", 90_000),
    "coal": Mineral("уголь", "Т", (900, 1_900), 0.05, "169", 22_000),
    "gold": Mineral("золото", "Б", (300, 900), 0.06, "166", 800),
    "limestone": Mineral("известняк", "Т", (250, 600), 0.04, "169", 3_800),
}
DEPOSIT_NAMES = (
    "Тихое", "Еланское", "Кедровское", "Глубокое", "Восточно-Таёжное", "Моховое", "Лебяжинское", "Кривое", "Северное", "Заречное", "Береговое",
    "Светлое", "Щучье", "Каменское", "Медвежье", "Пойменное", "Сосновское", "Верхнее", "Южно-Еланское", "Озёрное",
)  # fmt: skip


def blob(
    rng: np.random.Generator, x: float, y: float, radius: float, *, points: int = 40, roughness: float = 0.22
) -> shapely.Polygon:
    """A rounded irregular shape around a place."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    reach = np.ones(points)
    for wave in range(2, 6):
        reach += (
            roughness / wave**0.7 * np.cos(wave * angle + rng.uniform(0, 2 * np.pi)) * rng.uniform(0.3, 1)
        )
    stretch, turn = rng.uniform(0.6, 1.0), rng.uniform(0, np.pi)
    px, py = radius * reach * np.cos(angle), radius * stretch * reach * np.sin(angle)
    ring = np.column_stack(
        (x + px * np.cos(turn) - py * np.sin(turn), y + px * np.sin(turn) + py * np.cos(turn))
    )
    return shapely.Polygon(np.round(ring, 2))


def cornered(rng: np.random.Generator, shape: shapely.Geometry, corners: int) -> shapely.Polygon:
    """An allotment of few corner points around a shape, as surveyors draw it."""
    x, y = shapely.get_coordinates(shapely.centroid(shape))[0]
    reach = float(shapely.hausdorff_distance(shapely.Point(x, y), shape)) * 1.12
    angle = (np.arange(corners) + rng.uniform(-0.25, 0.25, corners)) * 2 * np.pi / corners + rng.uniform(
        0, np.pi
    )
    away = reach * rng.uniform(0.92, 1.12, corners) / np.cos(np.pi / corners) ** 0.5
    return shapely.Polygon(np.column_stack((x + away * np.cos(angle), y + away * np.sin(angle))))


def _spots(
    rng: np.random.Generator, region: Region, count: int, where: NDArray[np.bool_]
) -> NDArray[np.float64]:
    lattice = region.terrain.lattice
    rows, columns = np.nonzero(where & region.terrain.inside)
    at = rng.permutation(len(rows))[:count]
    return np.column_stack(
        (lattice.west + (columns[at] + 0.5) * lattice.cell, lattice.south + (rows[at] + 0.5) * lattice.cell)
    )


def deposits(rng: np.random.Generator, region: Region) -> pd.DataFrame:
    """Deposits where their mineral lies: sand and gravel by rivers, peat in bogs, the rest anywhere dry."""
    ground, total = region.terrain, region.count(80, 10)
    names, weights = tuple(MINERALS), np.array([m.share for m in MINERALS.values()])
    kinds = np.sort(rng.choice(len(names), total, p=weights / weights.sum()))
    dry = ~ground.water
    where = {
        "sand": dry & (ground.stream_distance < 400) & (ground.sand > 0.2),
        "gravel": dry & (ground.stream_distance < 300),
        "peat": dry & (ground.moisture > 1),
    }
    edge = shapely.buffer(region.outline, -1_500)
    rows: list[dict[str, object]] = []
    # Places of one mineral, in the order in which deposits take them.
    pools: dict[int, Iterator[list[float]]] = {}
    for k in kinds.tolist():
        mineral = MINERALS[names[k]]
        if k not in pools:
            spots = _spots(rng, region, 3 * total, where.get(names[k], dry))
            inside = spots[shapely.contains_xy(edge, spots)]
            pools[k] = iter((inside if len(inside) >= total else spots).tolist())
        x, y = next(pools[k])
        n = len(rows)
        rows.append(
            {
                "number": f"97-{n + 1:04d}", "name": f"{numbered(DEPOSIT_NAMES, n)} месторождение", "mineral": names[k],
                "status": str(rng.choice(("explored", "developed", "developed", "prepared", "reserve"))),
                "reserves": float(np.round(mineral.scale * rng.lognormal(0, 0.6), 1)), "unit": mineral.unit,
                "category": str(rng.choice(("A+B+C1", "B+C1", "C1", "C1+C2", "C2"))),
                "discovered_on": date(1958, 5, 1) + timedelta(int(rng.integers(0, 20_000))),
                "geometry": blob(rng, x, y, float(rng.integers(*mineral.radius))),
            }
        )  # fmt: skip
    frame = pd.DataFrame(rows)
    frame["geometry"] = shapely.intersection(frame["geometry"].to_numpy(), region.outline)
    return frame


def licences(rng: np.random.Generator, region: Region, found: pd.DataFrame) -> pd.DataFrame:
    """Licences: to work the deposits that are worked, to study the country around, to draw water by the villages."""
    wanted = region.count(200, 20)
    rows: list[dict[str, object]] = []
    for k in found.index[found["status"] != "reserve"].tolist():
        row = found.loc[k]
        kind = "Э" if row["status"] == "developed" else str(rng.choice(("Э", "Р")))
        shape = cornered(rng, row["geometry"], int(rng.integers(5, 9)))
        if not region.outline.contains(shape):
            continue
        rows.append(
            _licence(
                rng,
                len(rows),
                row["mineral"],
                kind,
                name=row["name"].replace("месторождение", "участок"),
                shape=shape,
            )
        )
    spots = iter(_spots(rng, region, 9 * wanted, ~region.terrain.water).tolist())
    names = tuple(MINERALS)
    while len(rows) < wanted:
        n = len(rows)
        mineral = str(rng.choice(("groundwater", "groundwater", *names)))
        kind = "Э" if mineral == "groundwater" and rng.random() < 0.7 else str(rng.choice(("П", "П", "Р")))
        if mineral == "groundwater":
            place = region.settlements[int(rng.integers(0, len(region.settlements)))]
            spot = (place.x + rng.normal(0, 700), place.y + rng.normal(0, 700))
            radius = float(rng.integers(60, 240))
        else:
            spot = tuple(next(spots))
            radius = float(rng.integers(*MINERALS[mineral].radius)) * 1.5
        shape = cornered(rng, shapely.Point(*spot).buffer(radius), int(rng.integers(4, 8)))
        if not region.outline.contains(shape):
            continue
        rows.append(
            _licence(
                rng,
                n,
                mineral,
                kind,
                name=f"Участок недр {numbered(DEPOSIT_NAMES, n * 3)}-{1 + n % 4}",
                shape=shape,
            )
        )
    return pd.DataFrame(rows)


def _licence(
    rng: np.random.Generator, n: int, mineral: str, kind: str, *, name: str, shape: shapely.Polygon
) -> dict[str, object]:
    issued = date(2006, 2, 1) + timedelta(int(rng.integers(0, 6_800)))
    years = {"П": 7, "Р": 25, "Э": 20}[kind]
    trade = "subsoil" if mineral != "peat" else "other"
    holder = pick(rng, trade)
    purposes = {
        "П": "геологическое изучение, поиски и оценка",
        "Р": "геологическое изучение, разведка и добыча",
        "Э": "разведка и добыча",
    }
    return {
        "number": licence_number(n, MINERALS[mineral].letter + kind), "name": name,
        "kind": {"П": "study", "Р": "combined", "Э": "production"}[kind], "mineral": MINERALS[mineral].label,
        "purpose": f"{purposes[kind]}: {MINERALS[mineral].label}", "holder": holder.name, "holder_inn": holder.inn,
        "authority": f"Департамент по недропользованию, {REGION_NAME}", "document": f"Приказ № {100 + n} от {issued:%d.%m.%Y}",
        "issued_on": issued, "expires_on": issued.replace(year=issued.year + years, day=min(issued.day, 28)),
        "status": "annulled" if n % 31 == 17 else "suspended" if n % 23 == 9 else "active",
        "upper": "нижняя граница почвенного слоя", "lower": "без ограничения по глубине" if kind == "П" else f"{int(rng.integers(2, 60)) * 10} м",
        "geometry": shape,
    }  # fmt: skip
