"""Alembic's entry: one connection of the owner, with timeouts that a running system can bear."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from geo.models import Base

url = context.config.attributes["url"].replace("postgresql://", "postgresql+psycopg://", 1)
engine = create_engine(url, poolclass=pool.NullPool)
with engine.connect() as connection:
    connection.execute(text("SET lock_timeout = '10s'"))
    connection.execute(text("SET statement_timeout = '600s'"))
    connection.commit()
    context.configure(connection=connection, target_metadata=Base.metadata, version_table_schema="public")
    with context.begin_transaction():
        context.run_migrations()
