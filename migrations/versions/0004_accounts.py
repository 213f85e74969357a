"""Accounts: tables, doors and policies of that noun."""

from importlib.resources import files

from alembic import op

from geo.session import sql_of

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    tables = files("migrations").joinpath("sql", "0004_accounts.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    for script in (tables, sql_of("accounts", "doors"), sql_of("accounts", "policies")):
        run(script.replace("%", "%%"))
    run("RESET ROLE")
