"""Rasters: how each is drawn, the journal of the catalogue, files on their way in."""

from importlib.resources import files

from alembic import op

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0039_rasters.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
