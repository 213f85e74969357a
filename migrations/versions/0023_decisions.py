"""Decisions: their papers, and the proof that anybody may ask for."""

from importlib.resources import files

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0023_decisions.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
