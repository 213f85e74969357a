"""The documentation says what is there: every setting, command and room."""

from pathlib import Path

from typer.main import get_command

from api.cli import app
from api.commands.house import reference

DOCS = Path(__file__).parent.parent.parent / "docs"


def test_the_settings_page_is_what_the_command_prints() -> None:
    """Renew it with `.venv/bin/mezha settings > docs/settings.md`."""
    assert (DOCS / "settings.md").read_text("utf-8") == reference()


def test_every_command_is_documented() -> None:
    text = "\n".join(page.read_text("utf-8") for page in [DOCS.parent / "README.md", *DOCS.glob("*.md")])
    commands = get_command(app).commands  # type: ignore[attr-defined]
    missing = [name for name in commands if f"mezha {name}" not in text]
    assert not missing


def test_the_changelog_names_this_version() -> None:
    import tomllib

    version = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert f"## {version}" in (DOCS.parent / "CHANGELOG.md").read_text("utf-8")
