"""Health: whether the database is there and fits this release."""

from dataclasses import dataclass

from psycopg import Error
from psycopg_pool import PoolTimeout
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from geo.access import ANONYMOUS
from geo.db import Database
from geo.revision import newest


@dataclass(frozen=True)
class Readiness:
    """``database`` is ok or missing; ``migrations`` is ok, behind or unknown."""

    database: str
    migrations: str

    @property
    def ready(self) -> bool:
        """Whether requests can be served."""
        return self.database == "ok" and self.migrations == "ok"


async def readiness(database: Database) -> Readiness:
    """Ask the database; never raises."""
    try:
        async with database.transaction(ANONYMOUS) as connection:
            revision = (
                await connection.execute(text("SELECT version_num FROM public.alembic_version"))
            ).scalar_one_or_none()
    except (DBAPIError, SQLAlchemyError, Error, PoolTimeout, OSError):
        return Readiness("missing", "unknown")
    return Readiness("ok", "ok" if revision == newest() else "behind")
