"""`mezha profiles`, `mezha ingest`."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.supervisor import database_settings
from geo.settings import Settings

out = Console()


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(profiles)
    app.command()(ingest)


def profiles() -> None:
    """List the profiles of registers."""
    from ingest.profile import built_in

    table = Table("profile", "layer", "register")
    for profile in built_in().values():
        table.add_row(profile.name, profile.layer, profile.title["ru"])
    out.print(table)


def ingest(
    profile: Annotated[str, typer.Argument(help="Name of a profile or path of its YAML file")],
    file: Annotated[Path, typer.Argument(help="The registry file")],
    *,
    crs: Annotated[
        str | None, typer.Option(help="Coordinate system, where the file does not say or lies")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Find everything, change nothing")] = False,
    report: Annotated[Path | None, typer.Option(help="Folder for the report")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON")] = False,
    confirm_gone: Annotated[
        bool, typer.Option(help="Close objects although many are gone from the file")
    ] = False,
) -> None:
    """Load a registry file through the pipeline."""
    from ingest import report as reports
    from ingest.pipeline import Options
    from ingest.pipeline import ingest as run
    from ingest.profile import profile as find

    settings = database_settings(Settings())
    options = Options(crs=crs, dry=dry_run, confirm_gone=confirm_gone)
    result = run(settings.url_for("registrar"), find(profile), file, options)
    if report:
        reports.write(result, report)
    if as_json:
        out.print_json(json.dumps(reports.document(result), ensure_ascii=False))
    else:
        reports.show(result, out)
    raise typer.Exit(1 if result.counts.get("rejected") else 0)
