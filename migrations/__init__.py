"""Alembic migrations: the structure of the database, written in SQL."""
