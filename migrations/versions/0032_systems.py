"""Systems: every coordinate system has a number by which PostGIS keeps its transformation."""

from importlib.resources import files

from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    # Not as mezha_owner: the table of the systems belongs to who made the extension.
    script = files("migrations").joinpath("sql", "0032_systems.sql").read_text("utf-8")
    op.get_bind().exec_driver_sql(script.replace("%", "%%"))
