"""Officers decide, inspectors look."""

from importlib.resources import files

from alembic import op

revision = "0041"
down_revision = "0016"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0041_officer.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
