"""Claims: of the cases before a place in the queue only those that are shown are measured."""

from importlib.resources import files

from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0029_claims.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
