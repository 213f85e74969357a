"""Beginnings: whether a layer held anything at an earlier moment is read from an index."""

from importlib.resources import files

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0028_beginnings.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
