"""`mezha check`, `mezha settings`."""

import typer
from rich.console import Console

from api.supervisor import database_settings
from geo.settings import Settings

out = Console(soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(check)
    app.command()(settings)


def check() -> None:
    """Check the health of the installation; exit 1 where something is wrong."""
    from geo import checks
    from geo.session import connect

    with connect(database_settings(Settings()).url_for("owner")) as connection:
        findings = checks.run(connection)
    for finding in findings:
        out.print(
            f"{'✗' if finding.fault else '✓'} {finding.title}{f': {finding.fault}' if finding.fault else ''}",
            highlight=False,
        )
    raise typer.Exit(1 if any(f.fault for f in findings) else 0)


def settings() -> None:
    """Print every setting with its default, as Markdown: docs/settings.md is this."""
    typer.echo(reference(), nl=False)


def reference() -> str:
    """The page of the settings."""
    lines = [
        "# Settings",
        "",
        "Every setting is an environment variable, read once at the start. This page is what `mezha settings` prints.",
        "",
        "| variable | default | what |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = (
            ""
            if default in ("", frozenset())
            else f"`{str(default).lower() if isinstance(default, bool) else default}`"
        )
        lines.append(f"| `MEZHA_{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(lines) + "\n"
