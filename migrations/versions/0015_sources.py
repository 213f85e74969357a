"""Sources: what the worker fetches by itself."""

from importlib.resources import files

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0015_sources.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
