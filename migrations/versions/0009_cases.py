"""Cases: tables, policies and functions of that noun, and the official working calendar."""

import json
from importlib.resources import files

from alembic import op

from cases.calendar import official

revision = "0009"
down_revision = "0008"

YEARS = range(2020, 2036)


def upgrade() -> None:
    script = files("migrations").joinpath("sql", "0009_cases.sql").read_text("utf-8")
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL ROLE mezha_owner")
    run(script.replace("%", "%%"))
    run(
        "INSERT INTO cases.calendar_day (date, kind, note) SELECT date, kind, note"
        " FROM jsonb_to_recordset(%(days)s::jsonb) AS d (date date, kind text, note text)",
        {"days": json.dumps(official(YEARS))},
    )
    run("RESET ROLE")
