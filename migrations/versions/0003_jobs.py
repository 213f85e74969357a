"""Background jobs: procrastinate's own schema, and one door to it."""

from importlib.resources import files

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run("CREATE SCHEMA jobs")
    run("SET LOCAL search_path = jobs, public")
    run(SchemaManager.get_schema().replace("%", "%%"))
    run("SET LOCAL search_path = public")
    run(files("migrations").joinpath("sql", "0003_jobs.sql").read_text("utf-8").replace("%", "%%"))
    run("RESET ROLE")
