"""Restrictions: water protection along every river, reserves, specially protected stands, sanitary and linear zones."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import shapely

from ingest.demo.names import CITY, LAKES, REGION_NAME, RIVERS, numbered
from ingest.demo.region import Region
from ingest.demo.rights import Rights
from ingest.demo.subsoil import blob

WATER_LAW = "Водный кодекс РФ, статья 65"
WATER_RULE = "Запрещены размещение отходов и движение транспорта вне дорог; рубки — только выборочные"


def _zone(kind: str, name: str, shape: shapely.Geometry, **values: object) -> dict[str, object]:
    return {
        "kind": kind,
        "name": name,
        "status": "active",
        "restriction": None,
        "document": None,
        "geometry": shape,
        **values,
    }


def _waters(region: Region, wanted: int) -> list[dict[str, object]]:
    """Protection zones of 50, 100 or 200 m by the length of the river, shore strips of the larger ones, lakes."""
    rows = []
    rivers = sorted(region.terrain.rivers, key=lambda r: -r.drained)
    inside = [(r, shapely.intersection(r.line, region.outline)) for r in rivers]
    inside = [(r, line) for r, line in inside if line.length > 1_500][: wanted * 3 // 4]
    for n, (river, line) in enumerate(inside):
        length = river.line.length
        width = 50 if length < 10_000 else 100 if length < 50_000 else 200
        what = "реки" if length > 9_000 else "ручья"
        name = numbered(RIVERS, n)
        # The zone runs from the shore, so the water's own half-width comes on top.
        half = river.width / 2 if river.width >= 70 else 2
        rows.append(
            _zone(
                "water_protection",
                f"Водоохранная зона {what} {name}",
                _clipped(region, line.buffer(width + half, quad_segs=4)),
                restriction=WATER_RULE,
                document=WATER_LAW,
                width=width,
                line=line,
            )
        )
        if n < wanted // 6:
            strip = _clipped(region, line.buffer(50 + half, quad_segs=3))
            rows.append(
                _zone(
                    "shore",
                    f"Прибрежная защитная полоса {what} {name}",
                    strip,
                    restriction="Запрещены распашка земель и отвалы грунта",
                    document=WATER_LAW,
                )
            )
    return rows


def _clipped(region: Region, shape: shapely.Geometry) -> shapely.Geometry:
    return shapely.intersection(shapely.simplify(shape, 3), region.outline)


def lake_shapes(region: Region) -> list[shapely.Geometry]:
    """Lakes of the terrain as polygons, the largest first."""
    from ingest.demo import mosaic

    lakes = region.terrain.lakes
    if lakes.max() < 0:
        return []
    _, shapes = mosaic.polygons(lakes, region.terrain.lattice, curve=mosaic.Curve(350), tolerance=15)
    return sorted(shapes.tolist(), key=lambda s: -s.area)


def _lakes(region: Region, wanted: int) -> list[dict[str, object]]:
    rows = []
    for n, lake in enumerate(lake_shapes(region)[:wanted]):
        ring = _clipped(region, lake.buffer(50, quad_segs=4))
        rows.append(
            _zone(
                "water_protection",
                f"Водоохранная зона озера {numbered(LAKES, n)}",
                ring,
                restriction=WATER_RULE,
                document=WATER_LAW,
            )
        )
    return rows


def _reserves(
    rng: np.random.Generator, region: Region, rights: Rights, wanted: int
) -> list[dict[str, object]]:
    """Reserves of whole quarters that nobody leases for timber, and natural monuments."""
    quarters = region.forest.quarters
    leased = set(rights.plots.loc[rights.plots["usage"] == "1", "quarter_at"].tolist())
    free = np.array([k for k in range(len(quarters)) if k not in leased])
    centres = quarters[["x", "y"]].to_numpy()
    rows = []
    titles = ("Государственный природный заказник «{}»", "Памятник природы «{}»")
    names = (
        "Кедровый",
        "Журавлиный плёс",
        "Белоозёрский",
        "Глухариный",
        "Еланский бор",
        "Таёжный",
        "Лосиный",
        "Старица",
        "Чёрная грива",
        "Светлый ключ",
    )
    for n in range(wanted):
        if n < max(2, wanted // 3):
            at = centres[free[int(rng.integers(0, len(free)))]]
            near = free[
                np.argsort(((centres[free] - at) ** 2).sum(axis=1), kind="stable")[: int(rng.integers(7, 16))]
            ]
            shape = shapely.union_all(quarters["geometry"].to_numpy()[near])
            shape = max(getattr(shape, "geoms", [shape]), key=lambda s: s.area)
            title = titles[0]
        else:
            x, y = centres[int(rng.integers(0, len(centres)))].tolist()
            shape = _clipped(region, blob(rng, x, y, float(rng.integers(250, 800))))
            title = titles[1]
        rows.append(
            _zone("oopt", title.format(numbered(names, n)), shape, restriction="Запрещены сплошные рубки, добыча полезных ископаемых, размещение отходов",
                  document=f"Постановление Правительства {REGION_NAME.replace('ий край', 'ого края')} № {40 + n}-п")
        )  # fmt: skip
    return rows


def _protected_stands(rng: np.random.Generator, region: Region, wanted: int) -> list[dict[str, object]]:
    stands = region.forest.stands
    old = stands[(stands["age_group"] == "overmature") & (stands["area_ha"] > 4)]
    titles = (
        "Глухариный ток",
        "Плюсовое насаждение",
        "Берегозащитный участок",
        "Место обитания редких растений",
        "Опушка леса",
    )
    rows = []
    for n, k in enumerate(np.sort(rng.permutation(len(old))[:wanted]).tolist()):
        row = old.iloc[k]
        rows.append(
            _zone("ozu", f"ОЗУ «{titles[n % len(titles)]}», кв. {row['quarter']}, выд. {row['number']}", row["geometry"],
                  restriction="Рубки — только выборочные и санитарные", document="Приказ Рослесхоза, статья 119 Лесного кодекса РФ")
        )  # fmt: skip
    return rows


def _sanitary(rng: np.random.Generator, region: Region, wanted: int) -> list[dict[str, object]]:
    rows = []
    for n in range(wanted):
        place = region.settlements[n % len(region.settlements)]
        x, y = place.x + rng.normal(0, place.radius), place.y + rng.normal(0, place.radius)
        belt = 1 + n % 3
        radius = (50, 260, 900)[belt - 1]
        shape = _clipped(
            region, shapely.Point(x, y).buffer(radius, quad_segs=6) if belt == 1 else blob(rng, x, y, radius)
        )
        rows.append(
            _zone(
                "sanitary",
                f"Зона санитарной охраны водозабора {place.name}-{1 + n // 7}, {belt}-й пояс",
                shape,
                restriction="Запрещены источники загрязнения подземных вод",
                document="СанПиН 2.1.4.1110-02",
            )
        )
    return rows


def _lines(region: Region, wanted: int) -> list[dict[str, object]]:
    """Protection corridors of power lines and a pipeline, from each place to a nearer one to the city."""
    places = region.settlements
    rows = []
    for n in range(1, min(wanted, len(places))):
        place = places[n]
        nearer = min(places[:n], key=lambda p: p.point.distance(place.point))
        mid = shapely.Point(
            (place.x + nearer.x) / 2 + 0.1 * (nearer.y - place.y),
            (place.y + nearer.y) / 2 + 0.1 * (place.x - nearer.x),
        )
        line = shapely.LineString([place.point, mid, nearer.point])
        voltage, half = ((110, 20), (35, 15), (10, 10))[n % 3]
        rows.append(
            _zone(
                "linear",
                f"Охранная зона ВЛ {voltage} кВ {nearer.name} — {place.name}",
                _clipped(region, line.buffer(half, quad_segs=3, join_style="mitre")),
                restriction="Запрещены посадка деревьев и складирование",
                document="Постановление Правительства РФ № 160",
            )
        )
    far = sorted(places[1:], key=lambda p: (p.x, p.y))
    line = shapely.LineString([(p.x, p.y + 1_300) for p in (far[0], places[0], far[-1])])
    rows.append(
        _zone(
            "linear",
            "Охранная зона магистрального газопровода",
            _clipped(region, line.buffer(25, join_style="mitre")),
            restriction="Запрещены земляные работы без согласования",
            document="Постановление Правительства РФ № 1083",
        )
    )
    return rows


def zones(rng: np.random.Generator, region: Region, rights: Rights) -> pd.DataFrame:
    """All restrictions, numbered as the cadastre numbers zones."""
    city = region.settlements[0]
    belt = blob(rng, city.x, city.y, 5_200 * region.factor**0.25, points=60).difference(
        city.point.buffer(city.radius)
    )
    rows = _waters(region, region.count(205, 20))
    rows += _lakes(region, region.count(30, 3))
    rows += _reserves(rng, region, rights, region.count(24, 4))
    rows += _sanitary(rng, region, region.count(48, 6))
    rows += _lines(region, region.count(40, 6))
    rows.append(
        _zone(
            "green_belt",
            f"Лесопарковый зелёный пояс города {CITY}а",
            _clipped(region, belt),
            restriction="Запрещены рубки, кроме санитарных",
            document="Федеральный закон № 7-ФЗ, статья 62.1",
        )
    )
    rows += _protected_stands(rng, region, max(4, region.count(400, 50) - len(rows)))
    frame = pd.DataFrame(rows)
    frame = frame[~shapely.is_empty(frame["geometry"].to_numpy())].reset_index(drop=True)
    frame["number"] = [f"97:00-6.{n + 1}" for n in range(len(frame))]
    frame["established_on"] = [
        date(2009, 4, 1) + timedelta(int(d)) for d in rng.integers(0, 5_400, len(frame))
    ]
    return frame
