"""One round trip where there were three."""

from importlib.resources import files

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0019_case_statements.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
