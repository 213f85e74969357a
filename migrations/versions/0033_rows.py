"""Rows: boundaries of ordinary size stand in their rows."""

from importlib.resources import files

from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0033_rows.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
