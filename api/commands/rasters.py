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
# What the workshop tells of a COG, as the catalogue keeps it.
MADE = ("sha256", "bytes", "source_sha256", "crs", "box", "resolution_m", "bands", "ranges")
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
    from tiles.rasters import workshop

    check_words(access, kind)
    settings = database_settings(Settings())
    catalogue.check_name(name, "name")
    collection = catalogue.check_name(collection, "collection") if collection else ""
    made = workshop.make(file, catalogue.folder(settings), file.name, alone=False, watch=_tell)
    new = catalogue.Item(
        name=name,
        title=title or file.name,
        collection=collection or None,
        source_name=file.name,
        taken=taken.date(),
        region=region or settings.region,
        rank=RANKS[access],
        kind=kind,
        attribution=attribution,
        unit=unit,
        **{key: made[key] for key in MADE},
    )
    with connect(settings.url_for("registrar")) as connection:
        catalogue.add(connection, new)
    out.print(
        f"{name}: {made['width']} × {made['height']} pixels of {new.resolution_m:.2f} m, {len(new.bands)} band(s),"
        f" {new.bytes / 1e6:.1f} MB, {access}: /raster/items/{name}",
        highlight=False,
    )


def check_words(access: str, kind: str) -> None:
    """RasterFileError where a word is none of the catalogue's."""
    from geo.rasters import catalogue
    from geo.rasters.errors import RasterFileError

    for field, word, known in (("access", access, RANKS), ("kind", kind, catalogue.KINDS)):
        if word not in known:
            raise RasterFileError(
                f"“{word}” is none of the list.",
                f"Choose one of {', '.join(known)}.",
                field=field,
                value=word,
            )


def _tell(stage: str, share: float) -> bool:
    sys.stderr.write(f"\r{stage} {share:.0%} ")
    return True


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
