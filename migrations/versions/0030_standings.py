"""Standings: nothing is read of a layer of which the caller may know nothing."""

from importlib.resources import files

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0030_standings.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
