"""The registry files of the region: each layer in the format, encoding and coordinate system in which offices keep it."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from xml.sax.saxutils import escape

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
import xlsxwriter
from numpy.typing import NDArray

from geo.crs import WGS84, reproject, seeded
from ingest.demo.history import MOMENTS, Archive
from ingest.demo.lattice import PLANE
from ingest.demo.names import REGION_NAME
from ingest.profile import profile

Geometries = NDArray[np.object_]
GSK_ZONE_14, GSK = "EPSG:20914", "EPSG:7683"
MSK = "MSK-70/3"


@dataclass(frozen=True)
class RegistryFile:
    """A written file: its profile and the moment from which its content is known."""

    path: Path
    profile: str
    moment: datetime


def label(layer: str, field: str, codes: "pd.Series[object]") -> list[str | None]:
    """The words for codes that the layer's profile reads back: files and profiles cannot drift apart."""
    words = {code: word for word, code in profile(profile_of(layer)).fields[field].values.items()}
    return [None if c is None or c != c else words[str(c)] for c in codes]  # noqa: PLR0124  (NaN)


def _dates(values: "pd.Series[object]") -> list[str | None]:
    return [v.isoformat() if isinstance(v, date) else None for v in values]


def _multi(shapes: Geometries) -> Geometries:
    polygons = shapely.get_type_id(shapes) == 3
    result = shapes.copy()
    result[polygons] = shapely.multipolygons(shapes[polygons], indices=np.arange(int(polygons.sum())))
    return result


def _write(frame: pd.DataFrame, shapes: Geometries, path: Path, crs: str, **options: object) -> None:
    """Write through GDAL with its clock stopped, so that the same content gives the same bytes."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2024-11-15T03:00:00.000Z"})
    placed = reproject(shapes, PLANE, crs)
    for old in path.parent.glob(f"{path.stem}.*"):
        old.unlink()
    pyogrio.write_dataframe(
        gpd.GeoDataFrame(frame.reset_index(drop=True), geometry=placed, crs=crs), path, **options
    )


def _geopackage(frame: pd.DataFrame, shapes: Geometries, path: Path, crs: str = PLANE) -> None:
    _write(
        frame,
        _multi(shapes),
        path,
        crs,
        driver="GPKG",
        layer_options={"SPATIAL_INDEX": "NO", "GEOMETRY_NAME": "geom"},
    )


def _geojson(frame: pd.DataFrame, shapes: Geometries, path: Path) -> None:
    _write(
        frame,
        shapes,
        path,
        WGS84,
        driver="GeoJSON",
        layer_options={"RFC7946": "YES", "COORDINATE_PRECISION": "7"},
    )


def _municipalities(frame: pd.DataFrame, path: Path) -> None:
    _geojson(frame[["oktmo", "name", "name_latin", "kind"]], frame["geometry"].to_numpy(), path)


def _forestries(frame: pd.DataFrame, path: Path) -> None:
    _geopackage(frame[["code", "name", "kind", "parent", "office"]], frame["geometry"].to_numpy(), path)


def _quarters(frame: pd.DataFrame, path: Path) -> None:
    table = pd.DataFrame(
        {
            "kod": frame["code"], "lesnichestvo": frame["forestry"], "uch_lesnichestvo": frame["subforestry"], "kvartal": frame["number"].astype(str),
            "naznachenie": label("quarters", "purpose", frame["purpose"]),
        }
    )  # fmt: skip
    _geopackage(table, frame["geometry"].to_numpy(), path)


def _stands(frame: pd.DataFrame, path: Path) -> None:
    table = pd.DataFrame(
        {
            "kod": frame["code"], "lesnichestvo": frame["forestry"], "uch_lesnichestvo": frame["subforestry"], "kvartal": frame["quarter"].astype(str),
            "vydel": frame["number"].astype(str), "kategoriya": label("stands", "land_kind", frame["land_kind"]), "poroda": label("stands", "species", frame["species"]),
            "sostav": frame["formula"], "vozrast": frame["age"].astype(float), "gruppa": label("stands", "age_group", frame["age_group"]),
            "vysota": frame["height_m"].astype(float), "diametr": frame["diameter_cm"].astype(float), "bonitet": frame["site_class"],
            "polnota": frame["density"].astype(float), "zapas": frame["stock"].astype(float), "tip_lesa": frame["forest_type"],
            "zashchita": frame["protection"], "ploshchad": frame["area_ha"], "data": _dates(frame["inventoried_on"]),
        }
    )  # fmt: skip
    _geopackage(table, frame["geometry"].to_numpy(), path)


def _plots(frame: pd.DataFrame, path: Path) -> None:
    table = pd.DataFrame(
        {
            "УЧ_НОМЕР": frame["number"], "КАД_НОМЕР": frame["cadastral_number"], "ЛЕСНИЧ": frame["forestry"], "УЧ_ЛЕСН": frame["subforestry"],
            "СОСТОЯНИЕ": label("forest_plots", "status", frame["status"]), "НАЗНАЧ": label("forest_plots", "purpose", frame["purpose"]),
            "ВИД_ЛЕСА": label("forest_plots", "forest_kind", frame["forest_kind"]), "ВИД_ИСП": label("forest_plots", "usage", frame["usage"]), "ДОГОВОР": frame["lease"],
            "МЕРОПР": frame["measures"], "ДАТА_РЕГ": _dates(frame["registered_on"]), "ПЛОЩАДЬ": frame["area_ha"],
        }
    )  # fmt: skip
    _write(
        table, frame["geometry"].to_numpy(), path, PLANE, driver="ESRI Shapefile", encoding="cp1251",
        layer_options={"DBF_DATE_LAST_UPDATE": "2024-11-15"},
    )  # fmt: skip


def _leases(frame: pd.DataFrame, path: Path) -> None:
    table = pd.DataFrame(
        {
            "Номер": frame["number"], "Арендатор": frame["holder"], "ИНН": frame["holder_inn"], "Состояние": label("leases", "status", frame["status"]),
            "Вид_использования": label("leases", "usage", frame["usage"]), "Вид_леса": label("leases", "forest_kind", frame["forest_kind"]),
            "Лесничество": frame["forestry"], "Участки": [str(p)[:250] for p in frame["plot_numbers"]], "Дата_заключения": _dates(frame["signed_on"]),
            "Начало": _dates(frame["starts_on"]), "Окончание": _dates(frame["ends_on"]), "Объём_м3": frame["annual_volume_m3"].astype(float),
            "Площадь_га": frame["area_ha"].astype(float),
        }
    )  # fmt: skip
    _write(
        table, frame["geometry"].to_numpy(), path, PLANE, driver="MapInfo File",
        layer_options={"ENCODING": "CP1251", "BOUNDS": "14300000,6200000,14700000,6500000"},
    )  # fmt: skip


def _cutting_areas(frame: pd.DataFrame, path: Path) -> None:
    table = pd.DataFrame(
        {
            "deklaratsiya": frame["declaration"], "lesoseka": frame["lot"].astype(int).astype(str), "dogovor": frame["lease"],
            "lesnichestvo": frame["forestry"], "uch_lesnichestvo": frame["subforestry"], "kvartal": frame["quarter"].astype(int).astype(str),
            "vydel": frame["stand_number"].astype(int).astype(str), "god": frame["year"].astype(int), "sostoyanie": label("cutting_areas", "status", frame["status"]),
            "forma": label("cutting_areas", "cutting_form", frame["form"]), "poroda": label("cutting_areas", "species", frame["species"]), "obyom": frame["volume"].astype(float),
            "ploshchad": frame["area_ha"].astype(float), "lesopolzovatel": frame["holder"], "inn": frame["holder_inn"],
        }
    )  # fmt: skip
    _geopackage(table, frame["geometry"].to_numpy(), path)


def _deposits(frame: pd.DataFrame, path: Path) -> None:
    table = frame[["number", "name", "mineral", "status", "reserves", "unit", "category"]].assign(
        discovered=_dates(frame["discovered_on"])
    )
    _geojson(table, frame["geometry"].to_numpy(), path)


def _zones(frame: pd.DataFrame, path: Path) -> None:
    table = frame[["number", "name", "kind", "status", "restriction", "document"]].assign(
        established=_dates(frame["established_on"])
    )
    _geopackage(table, frame["geometry"].to_numpy(), path, GSK_ZONE_14)


def _waste_sites(frame: pd.DataFrame, path: Path) -> None:
    spots = shapely.get_coordinates(reproject(shapely.points(frame[["x", "y"]].to_numpy(dtype=float)), PLANE))
    table = pd.DataFrame(
        {
            "Код объекта": frame["number"], "Наименование": frame["name"], "Вид": label("waste_sites", "kind", frame["kind"]), "Категория": frame["category"],
            "Состояние": label("waste_sites", "status", frame["status"]), "Номер в ГРОРО": frame["groro"], "ФККО": frame["fkko"],
            "Вместимость, т": frame["capacity_t"], "Накоплено, т": frame["accumulated_t"], "Дата постановки": _dates(frame["registered_on"]),
            "Юридическое лицо": frame["holder"], "ИНН": frame["holder_inn"],
            "Долгота": [f"{x:.6f}" for x in spots[:, 0]], "Широта": [f"{y:.6f}" for y in spots[:, 1]],
        }
    )  # fmt: skip
    with xlsxwriter.Workbook(path) as book:
        book.set_properties({"created": MOMENTS[0].replace(tzinfo=None), "author": REGION_NAME})
        sheet = book.add_worksheet("Объекты")
        sheet.write_row(0, 0, list(table.columns))
        for r, row in enumerate(table.itertuples(index=False), start=1):
            for c, value in enumerate(row):
                if value is not None and value == value:  # noqa: PLR0124  (NaN)
                    sheet.write(r, c, value)
        sheet.autofit()


def _licences(frame: pd.DataFrame, path: Path) -> None:
    """A table of corner points in ГСК-2011; what is said of the licence stands in the row of its first point."""
    said = {
        "Номер лицензии": frame["number"], "Участок недр": frame["name"], "Вид пользования": label("licences", "kind", frame["kind"]),
        "Состояние": label("licences", "status", frame["status"]), "Полезное ископаемое": frame["mineral"], "Целевое назначение": frame["purpose"],
        "Недропользователь": frame["holder"], "ИНН": frame["holder_inn"], "Орган": frame["authority"], "Основание": frame["document"],
        "Дата выдачи": [d.strftime("%d.%m.%Y") for d in frame["issued_on"]], "Дата окончания": [d.strftime("%d.%m.%Y") for d in frame["expires_on"]],
        "Верхняя граница": frame["upper"], "Нижняя граница": frame["lower"],
    }  # fmt: skip
    placed = reproject(frame["geometry"].to_numpy(), PLANE, GSK)
    with path.open("w", encoding="cp1251", newline="") as stream:
        table = csv.writer(stream, delimiter=";", lineterminator="\r\n")
        table.writerow([*said, "Контур", "Точка", "Северная широта", "Восточная долгота"])
        for facts, shape in zip(zip(*said.values(), strict=True), placed, strict=True):
            ring = shapely.get_coordinates(shape.exterior)[:-1]
            for n, (x, y) in enumerate(ring.tolist(), start=1):
                own = facts if n == 1 else (facts[0], *[None] * (len(facts) - 1))
                table.writerow([*own, 1, n, dms(y), dms(x)])


def dms(degrees: float) -> str:
    """Degrees as licences write them: 57°12'03.24", to about 0.3 m."""
    hundredths = round(degrees * 360_000)
    minutes, rest = divmod(hundredths, 6_000)
    return f"{minutes // 60}°{minutes % 60:02d}'{rest / 100:05.2f}\""


def _parcels(frame: pd.DataFrame, path: Path) -> None:
    """A cadastral plan of territory as Rosreestr writes it since 2021: x is north."""
    definition = next(d for d in seeded() if d.code == MSK)
    placed = reproject(frame["geometry"].to_numpy(), PLANE, definition.definition)
    placed = shapely.transform(placed, lambda xy: np.round(xy, 2))
    area = np.round(shapely.area(placed)).astype(int)
    records = [
        _land_record(row, shape, int(a), definition.title)
        for row, shape, a in zip(frame.to_dict("records"), placed, area, strict=True)
    ]
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<extract_cadastral_plan_territory><cadastral_blocks><cadastral_block><record_data><base_data><land_records>\n'
        + "\n".join(records)
        + "\n</land_records></base_data></record_data></cadastral_block></cadastral_blocks></extract_cadastral_plan_territory>\n"
    )
    path.write_text(text, encoding="utf-8")


def _land_record(row: dict[str, object], shape: shapely.Geometry, area: int, system: str) -> str:
    contours = []
    for polygon in getattr(shape, "geoms", [shape]):
        rings = []
        for ring in (polygon.exterior, *polygon.interiors):
            points = "".join(
                f"<ordinate><x>{y:.2f}</x><y>{x:.2f}</y><ord_nmb>{n}</ord_nmb><delta_geopoint>0.1</delta_geopoint></ordinate>"
                for n, (x, y) in enumerate(ring.coords, start=1)
            )
            rings.append(f"<spatial_element><ordinates>{points}</ordinates></spatial_element>")
        contours.append(
            f"<contour><entity_spatial><sk_id>{system}</sk_id><spatials_elements>{''.join(rings)}</spatials_elements></entity_spatial></contour>"
        )
    return (
        "<land_record>"
        f"<record_info><registration_date>{row['registered_on']}T00:00:00+07:00</registration_date></record_info>"
        "<object><common_data><type><code>002001001000</code><value>Земельный участок</value></type>"
        f"<cad_number>{row['number']}</cad_number></common_data><subtype><code>01</code><value>Землепользование</value></subtype></object>"
        f"<params><category><type><value>{row['category']}</value></type></category>"
        f"<permitted_use><permitted_use_established><by_document>{escape(str(row['use']))}</by_document></permitted_use_established></permitted_use>"
        f"<area><value>{area}</value><inaccuracy>{3.5 * 0.1 * area**0.5:.0f}</inaccuracy></area></params>"
        f"<address_location><address><readable_address>{escape(str(row['address']))}</readable_address></address></address_location>"
        f"<cost><value>{area * float(str(row['price'])):.2f}</value></cost>"
        f"<contours_location><contours>{''.join(contours)}</contours></contours_location></land_record>"
    )


WRITERS: dict[str, tuple[str, Callable[[pd.DataFrame, Path], None]]] = {
    "municipalities": ("geojson", _municipalities),
    "forestries": ("gpkg", _forestries),
    "quarters": ("gpkg", _quarters),
    "stands": ("gpkg", _stands),
    "parcels": ("xml", _parcels),
    "forest_plots": ("shp", _plots),
    "leases": ("tab", _leases),
    "licences": ("csv", _licences),
    "deposits": ("geojson", _deposits),
    "waste_sites": ("xlsx", _waste_sites),
    "zones": ("gpkg", _zones),
    "cutting_areas": ("gpkg", _cutting_areas),
}


def profile_of(layer: str) -> str:
    """Name of the profile by which a layer's files are read."""
    return f"demo-{layer.replace('_', '-')}"


def write(archive: Archive, folder: Path) -> list[RegistryFile]:
    """Write every delivery into a folder of its own day; the same archive gives the same bytes."""
    written = []
    for moment, delivery in zip(MOMENTS, archive.deliveries, strict=True):
        target = folder / f"{moment:%Y-%m-%d}"
        target.mkdir(parents=True, exist_ok=True)
        for layer, frame in delivery.items():
            suffix, writer = WRITERS[layer]
            path = target / f"{layer}.{suffix}"
            writer(frame, path)
            written.append(RegistryFile(path, profile_of(layer), moment))
    return written
