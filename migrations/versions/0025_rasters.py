"""Rasters: tables, policies and functions of that noun."""

from importlib.resources import files

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0025_rasters.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
