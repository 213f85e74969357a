"""`mezha demo`: the fictional region, as files and in the database."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.supervisor import database_settings
from geo.settings import Settings

out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    *,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes")] = 97,
    folder: Annotated[Path | None, typer.Option(help="Keep the registry files in this folder")] = None,
    files_only: Annotated[bool, typer.Option(help="Write the files, load nothing")] = False,
) -> None:
    """Write the fictional region as registry files and load them through the pipeline."""
    from ingest.demo import archive

    if files_only:
        target = folder or Path("demo")
        written = archive.write(target, seed)
        out.print(f"{len(written)} files in {target}", highlight=False)
        return
    url = database_settings(Settings()).url_for("owner")
    loaded = archive.fill(url, lambda text: err.print(text, highlight=False), seed=seed, folder=folder)
    out.print(f"{loaded} files loaded" if loaded else "The demo region is loaded already.", highlight=False)
