"""Standings: what a layer answers is worth to him who asks."""

from importlib.resources import files

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0022_standings.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
