"""Tiles: tables, policies and functions of that noun."""

from importlib.resources import files

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0006_tiles.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
