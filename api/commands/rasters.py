"""`mezha raster add`, `mezha raster change`."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.supervisor import database_settings
from geo.session import connect
from geo.settings import Settings

out = Console(soft_wrap=True)
raster = typer.Typer(help="Rasters of the map.", no_args_is_help=True)
RANKS = {"public": 0, "registered": 1, "restricted": 2}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(raster, name="raster")


@raster.callback()
def group() -> None:
    """Rasters of the map."""


@raster.command()
def add(
    file: Annotated[
        Path,
        typer.Argument(help="GeoTIFF, JPEG 2000, ERDAS image, or a picture with a world file", exists=True),
    ],
    name: Annotated[str, typer.Option(help="Name in addresses, for example dem-2024")],
    taken: Annotated[datetime, typer.Option(help="Day on which it was taken", formats=["%Y-%m-%d"])],
    *,
    title: Annotated[str, typer.Option(help="Title; else the name of the file")] = "",
    collection: Annotated[str, typer.Option(help="Collection whose rasters make a mosaic")] = "",
    access: Annotated[str, typer.Option(help="public, registered or restricted")] = "restricted",
    region: Annotated[str, typer.Option(help="Region; else MEZHA_REGION")] = "",
    kind: Annotated[str, typer.Option(help="image, terrain, index or scan")] = "image",
    attribution: Annotated[str, typer.Option(help="Whose it is, as the map says it")] = "",
    unit: Annotated[str, typer.Option(help="Unit of its values, for example m")] = "",
) -> None:
    """Check a raster, make a COG of it without changing a pixel, and enter it into the catalogue."""
    from geo.rasters import catalogue
    from geo.rasters.errors import RasterFileError
    from tiles.rasters import conversion, ranges

    if access not in RANKS:
        raise RasterFileError(
            f"“{access}” is no access.", f"Choose one of {', '.join(RANKS)}.", field="access", value=access
        )
    if kind not in catalogue.KINDS:
        raise RasterFileError(
            f"“{kind}” is no kind.", f"Choose one of {', '.join(catalogue.KINDS)}.", field="kind", value=kind
        )
    settings = database_settings(Settings())
    catalogue.check_name(name, "name")
    collection = catalogue.check_name(collection, "collection") if collection else ""
    facts = conversion.facts(file)
    sha256, size = conversion.convert(file, catalogue.folder(settings), sys.stderr)
    new = catalogue.Item(
        name=name,
        title=title or file.name,
        collection=collection or None,
        sha256=sha256,
        source_name=file.name,
        source_sha256=conversion.digest(file),
        crs=facts.crs,
        bands=facts.bands,
        resolution_m=facts.resolution_m,
        bytes=size,
        taken=taken.date(),
        region=region or settings.region,
        rank=RANKS[access],
        box=facts.box,
        kind=kind,
        attribution=attribution,
        unit=unit,
        ranges=ranges.measure(catalogue.folder(settings) / f"{sha256}.tif"),
    )
    with connect(settings.url_for("registrar")) as connection:
        catalogue.add(connection, new)
    out.print(
        f"{name}: {facts.width} × {facts.height} pixels of {facts.resolution_m:.2f} m, {len(facts.bands)} band(s),"
        f" {size / 1e6:.1f} MB, {access}: /raster/items/{name}",
        highlight=False,
    )


@raster.command()
def change(
    before: Annotated[str, typer.Argument(help="Name of the older raster")],
    after: Annotated[str, typer.Argument(help="Name of the newer raster")],
    *,
    threshold: Annotated[float, typer.Option(help="Least difference of the first band that counts", min=0)],
    least_ha: Annotated[float, typer.Option(help="Least area of a change, ha", min=0)] = 0.1,
) -> None:
    """Find where the first band fell or rose between two rasters; /raster/changes/BEFORE/AFTER shows it."""
    from geo.rasters import catalogue
    from tiles.rasters import change as changes

    settings = database_settings(Settings())
    with connect(settings.url_for("registrar")) as connection:
        older, newer = (catalogue.file_named(connection, name, settings) for name in (before, after))
        found = changes.find(older, newer, threshold, least_ha * 10_000)
        changes.keep(connection, before, after, found, threshold)
    area = sum(one.area_m2 for one in found) / 10_000
    out.print(f"{len(found)} changes, {area:.2f} ha: /raster/changes/{before}/{after}", highlight=False)
