"""Findings: what others claim comes after its check."""

from importlib.resources import files

from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0038_findings.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
