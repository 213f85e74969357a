"""Loads: what a first load drops and builds anew."""

from importlib.resources import files

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0026_loads.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
