"""Search: the best few of each layer, chosen where they are found."""

from importlib.resources import files

from alembic import op

revision = "0037"
down_revision = "0035"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0037_hits.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
