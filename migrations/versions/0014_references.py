"""References: classifiers and calendars that the registers refer to."""

from importlib.resources import files

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0014_references.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
