"""Search: from an index that is filled after the commit."""

from importlib.resources import files

from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0035_search.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
