"""`mezha profiles`, `mezha ingest`, `mezha crs`."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from api.supervisor import database_settings
from geo.errors import DatabaseMissingError, MezhaError
from geo.settings import Settings

out = Console()
err = Console(stderr=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(profiles)
    app.command()(ingest)
    app.command()(crs)


def profiles() -> None:
    """List the profiles of registers and of reference lists."""
    from ingest import reference_profile
    from ingest.profile import built_in

    table = Table("profile", "layer", "snapshot", "register")
    for profile in built_in().values():
        table.add_row(profile.name, profile.layer, profile.snapshot, profile.title["ru"])
    for entry in reference_profile.built_in().values():
        table.add_row(entry.name, "reference list", entry.snapshot, entry.title["ru"])
    out.print(table)


def ingest(
    profile: Annotated[
        str, typer.Argument(help="Name of a profile or path of its YAML file; the file itself with --guess")
    ],
    file: Annotated[Path | None, typer.Argument(help="The registry file")] = None,
    *,
    crs: Annotated[
        str | None,
        typer.Option(
            help="Coordinate system, where the file does not say or lies; “+yx” at its end turns the axes"
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Find everything, change nothing")] = False,
    report: Annotated[Path | None, typer.Option(help="Folder for the report")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON")] = False,
    confirm_gone: Annotated[
        bool, typer.Option(help="Close objects although many are gone from the file")
    ] = False,
    part: Annotated[bool, typer.Option(help="The file is a part of the register: close nothing")] = False,
    guess: Annotated[
        bool, typer.Option(help="Propose a profile for the file and print YAML to start from")
    ] = False,
) -> None:
    """Load a registry file through the pipeline."""
    if guess:
        _guess(file or Path(profile))
        return
    if file is None:
        raise typer.BadParameter("name the registry file after the profile, or ask for one with --guess")
    from ingest import door
    from ingest import report as reports
    from ingest.pipeline import Options, Result

    settings = database_settings(Settings())
    found = door.find(profile)
    found = found.model_copy(update={"snapshot": "delta"}) if part else found
    begun: list[Result] = []
    with _progress(file) as told:
        options = Options(
            crs=crs,
            dry=dry_run,
            confirm_gone=confirm_gone,
            object_mb=settings.object_mb,
            progress=told,
            refused=begun.append,
        )
        try:
            result = door.ingest(settings.url_for("registrar"), found, file, options)
        except MezhaError as refused:
            if report and begun:
                _said(reports.write(begun[0], report, settings.url_for("registrar")))
            elif report:
                _said(reports.write_refusal(refused, (found.name, found.layer), file, report))
            raise
    if report:
        _said(reports.write(result, report, settings.url_for("registrar")))
    if as_json:
        out.print_json(json.dumps(reports.document(result), ensure_ascii=False))
    else:
        reports.show(result, out)
    raise typer.Exit(1 if result.counts.get("rejected") else 0)


def _said(written: list[Path]) -> None:
    for path in written:
        err.print(str(path), highlight=False, soft_wrap=True)


@contextmanager
def _progress(file: Path) -> Iterator[Callable[[str, int], None]]:
    """A bar of rows with the time left where the file says how many it has; nothing where nobody watches."""
    from ingest.source import rows_of

    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
    with bar:
        task = bar.add_task(file.name, total=rows_of(file) if err.is_terminal else None)

        def told(stage: str, rows: int) -> None:
            bar.update(task, description=f"{file.name}: {stage}", completed=rows)

        yield told


def _guess(file: Path) -> None:
    from ingest.guess import guess

    found = guess(file)
    for note in found.notes:
        err.print(f"# {note}", highlight=False, soft_wrap=True)
    for name, share in found.fitting:
        err.print(f"# fits {share:.0%}: mezha ingest {name} {file}", highlight=False, soft_wrap=True)
    err.print(
        "# Save this as a .yaml file, correct it and give its path as the profile:",
        highlight=False,
        soft_wrap=True,
    )
    print(found.yaml)  # noqa: T201  (YAML for a file: no colours, no line breaks of a console)


def crs(
    name: Annotated[str, typer.Argument(help="Any spelling: «МСК - 26 от СК-95, зоны 1», EPSG:28414")],
) -> None:
    """Show a coordinate system: its parameters, their source, and how far it misses its control points."""
    from geo.crs import Catalogue, miss_distance_m, seeded
    from geo.session import connect

    try:
        with connect(database_settings(Settings()).url_for("registrar")) as connection:
            catalogue = Catalogue.load(connection)
    except DatabaseMissingError:
        err.print("No database answers: these are the systems that every installation starts with.")
        catalogue = Catalogue(seeded())
    found = catalogue.resolve(name)
    out.print(f"{found.title} ({found.code})", highlight=False)
    out.print(f"definition: {found.definition}\nsource: {found.source}", highlight=False)
    out.print(f"spellings: {'; '.join(found.spellings) or '—'}", highlight=False)
    if not found.control_points:
        out.print("No control point is known: compare a place that you know before you trust it.")
        return
    table = Table(
        "control point", "longitude", "latitude", "x (north), m", "y (east), m", "misses, m", "allowed, m"
    )
    for point in found.control_points:
        numbers = (point.lon, point.lat, point.x, point.y)
        miss = f"{miss_distance_m(found, point):.1f}"
        table.add_row(
            point.name,
            *(f"{n:.7g}" if abs(n) < 1000 else f"{n:.2f}" for n in numbers),
            miss,
            f"{point.tolerance_m:g}",
        )
    out.print(table)
