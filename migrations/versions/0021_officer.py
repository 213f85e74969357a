"""Officers decide, inspectors look."""

from importlib.resources import files

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0021_officer.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
