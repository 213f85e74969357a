"""`mezha tiles export`: a layer as a PMTiles file."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from api.supervisor import database_settings
from geo.settings import Settings

if TYPE_CHECKING:
    from geo.access import Caller
    from tiles.archive import Progress

out = Console(soft_wrap=True)
tiles = typer.Typer(help="Tiles of the map.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(tiles, name="tiles")


@tiles.callback()
def group() -> None:
    """Tiles of the map."""


@tiles.command()
def export(
    layer: Annotated[str, typer.Argument(help="Name of a layer")],
    file: Annotated[Path, typer.Argument(help="File to write, FILE.pmtiles")],
    max_zoom: Annotated[int, typer.Option(help="Deepest zoom")] = 12,
    token: Annotated[
        str, typer.Option(envvar="MEZHA_TOKEN", help="Personal token; without it what everybody sees")
    ] = "",
) -> None:
    """Write a layer as PMTiles; after a kill the same command goes on where it was."""
    from geo.layers import layer as layer_named

    target = layer_named(layer)
    settings = database_settings(Settings())
    count = asyncio.run(_export(settings, target.name, file, max_zoom, token))
    out.print(f"{file}: {count} tiles", highlight=False)


async def _export(settings: Settings, name: str, file: Path, max_zoom: int, token: str) -> int:
    from geo.access import ANONYMOUS
    from geo.layers import layer as layer_named
    from tiles.archive import export as write
    from tiles.source import TileSource

    def tick(progress: "Progress") -> None:
        out.print(
            f"z{progress.zoom}: {progress.done}/{progress.known}, {progress.filled} tiles", highlight=False
        )

    source = TileSource(settings)
    try:
        caller = await _caller(settings, token) if token else ANONYMOUS
        return await write(source, layer_named(name), caller, file, deepest=max_zoom, tick=tick)
    finally:
        source.close()


async def _caller(settings: Settings, token: str) -> "Caller":
    """Who the token belongs to, by the same door as a request."""
    from api.identity import Identity
    from geo.db import Database

    database = Database(settings)
    await database.open()
    try:
        header = (b"authorization", f"Bearer {token}".encode())
        scope = {"type": "http", "method": "GET", "path": "/tiles/", "headers": [header], "state": {}}
        return await Identity(database, settings).caller(scope)
    finally:
        await database.close()
