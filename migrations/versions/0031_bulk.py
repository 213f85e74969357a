"""Bulk: a first load holds its rows once, not once more for a trigger that does not fire."""

from importlib.resources import files

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0031_bulk.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
