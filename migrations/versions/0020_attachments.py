"""Attachments: documents of cases and the signatures over them."""

from importlib.resources import files

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0020_attachments.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run("RESET ROLE")
