"""Search by any part of a word, from an index."""

from importlib.resources import files

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0024_search.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
