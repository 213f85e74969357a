"""Imports: runs, rejects and the schema in which staging tables live."""

from importlib.resources import files

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0002_ingest.sql").read_text("utf-8")
    op.get_bind().exec_driver_sql(script.replace("%", "%%"))
