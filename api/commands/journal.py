"""`mezha journal verify`, `mezha journal seal`, `mezha journal export`."""

import asyncio
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.supervisor import database_settings
from geo.errors import ParameterError
from geo.session import connect
from geo.settings import Settings

out = Console()
journal = typer.Typer(
    help="The journal: prove it, close it into a root, export an excerpt.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(journal, name="journal")


@journal.command()
def verify(
    roots: Annotated[
        Path | None, typer.Option(help="Folder of published roots; by default the installation's own")
    ] = None,
) -> None:
    """Prove that no entry was altered, removed or swapped; exit 1 and the exact rows where one was."""
    from accounts.chain import verify as prove
    from accounts.roots import folder, published

    settings = database_settings(Settings())
    documents = published(roots or folder(settings.home))
    with connect(settings.url_for("owner")) as connection:
        report = prove(connection, documents)
    for fault in report.faults[:20]:
        out.print(f"[red]✗[/red] {fault}", highlight=False, soft_wrap=True)
    if len(report.faults) > 20:
        out.print(f"… and {len(report.faults) - 20} more", highlight=False)
    verdict = (
        "the journal is whole"
        if report.good
        else f"{len(report.faults)} faults, the first: {report.faults[0]}"
    )
    out.print(
        f"{report.entries} entries, {report.sealed} under {report.roots} roots, "
        f"{report.outside} compared with their published files: {verdict}",
        highlight=False,
        soft_wrap=True,
    )
    raise typer.Exit(0 if report.good else 1)


@journal.command()
def seal() -> None:
    """Close everything so far into a root of today and publish it; the worker does so every day by itself."""
    from zoneinfo import ZoneInfo

    from accounts.roots import folder
    from accounts.roots import seal as close

    settings = database_settings(Settings())
    day = datetime.now(ZoneInfo(settings.time_zone)).date().isoformat()
    with connect(settings.url_for("registrar")) as connection:
        root = close(connection, day, folder(settings.home))
    out.print(
        f"{root.name}: {root.entries} entries, root {root.digest.hex()}", highlight=False, soft_wrap=True
    )


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ParameterError(
            f"--{field} {text[:30]} is no day.", "Write it like 2026-11-22.", field, text[:30]
        ) from None


@journal.command()
def export(
    file: Annotated[Path, typer.Argument(help="JSON Lines file to write")],
    first: Annotated[str, typer.Option("--from", help="First day")],
    last: Annotated[str, typer.Option("--to", help="Last day")],
) -> None:
    """Write the entries of some days with their proofs; accounts/verify_excerpt.py checks the file anywhere."""
    from accounts.excerpt import write
    from accounts.journal import Question

    settings = database_settings(Settings())
    question = Question(first=_day(first, "from"), last=_day(last, "to"))
    count = asyncio.run(write(settings.url_for("owner"), question, file))
    out.print(f"{file}: {count} entries", highlight=False, soft_wrap=True)
