"""Registers: roles, access, history, coordinate systems and the twelve layers."""

from importlib.resources import files

from alembic import op

from geo.session import sql_of

revision = "0001"
down_revision = None

LAYERS = {
    "municipalities": False,
    "parcels": False,
    "forestries": False,
    "quarters": False,
    "stands": False,
    "forest_plots": False,
    "leases": True,
    "licences": True,
    "deposits": False,
    "waste_sites": True,
    "zones": False,
    "cutting_areas": True,
}


def _run(script: str) -> None:
    # exec_driver_sql without parameters sends the script as it stands, colons and percent signs included.
    op.get_bind().exec_driver_sql(script.replace("%", "%%"))


def upgrade() -> None:
    _run(sql_of("geo", "roles"))
    _run(
        "CREATE EXTENSION IF NOT EXISTS postgis; CREATE EXTENSION IF NOT EXISTS btree_gist; CREATE EXTENSION IF NOT EXISTS pg_trgm"
    )
    _run("SET LOCAL ROLE mezha_owner")
    _run("CREATE SCHEMA register; CREATE SCHEMA gate; GRANT ALL ON SCHEMA gate TO mezha_gate")
    _run(sql_of("geo", "access"))
    _run(sql_of("geo", "history"))
    _run(files("migrations").joinpath("sql", "0001_registers.sql").read_text("utf-8"))
    for layer, held in LAYERS.items():
        _run(f"SELECT access.protect('{layer}', {held}); SELECT history.guard('{layer}')")
    _run(sql_of("geo", "grants"))
    _run("RESET ROLE")
