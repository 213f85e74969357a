"""Tables of the imports: every run, and every row that was turned away."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Text,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from geo.models import Base

SCHEMA = "ingest"


class Run(Base):
    """One import: profile, file, hash, the stage it reached and what it did."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("ix_runs_profile_sha256", "profile", "sha256"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    profile: Mapped[str] = mapped_column(Text)
    layer: Mapped[str] = mapped_column(Text)
    file_name: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    crs_override: Mapped[str | None] = mapped_column(Text)
    account: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(Text)
    stage: Mapped[str] = mapped_column(Text)
    dry: Mapped[bool] = mapped_column(Boolean, server_default="false")
    started_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    message: Mapped[str | None] = mapped_column(Text)
    undoes: Mapped[int | None] = mapped_column(ForeignKey(f"{SCHEMA}.runs.id"))
    loaded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Reject(Base):
    """One problem of one row of one run, with the place and the cure."""

    __tablename__ = "rejects"
    __table_args__ = (
        Index("ix_rejects_run_row", "run", "row"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    run: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.runs.id"))
    row: Mapped[int] = mapped_column(Integer)
    code: Mapped[str] = mapped_column(Text)
    field: Mapped[str] = mapped_column(Text)
    value: Mapped[str] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text)
    remedy: Mapped[str] = mapped_column(Text)
    warning: Mapped[bool] = mapped_column(Boolean)
    lon: Mapped[float | None] = mapped_column(Double)
    lat: Mapped[float | None] = mapped_column(Double)
    data: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    source_geom: Mapped[bytes | None] = mapped_column(BYTEA)
    source_crs: Mapped[str | None] = mapped_column(Text)


class ReferenceEntry(Base):
    """One version of one entry of a reference list: a code of FKKO, a place of OKTMO, a day of the calendar."""

    __tablename__ = "reference_entries"
    __table_args__ = (
        CheckConstraint("sys_from < sys_to", name="sys_order"),
        Index(
            "ux_reference_entries_current",
            "list",
            "code",
            unique=True,
            postgresql_where=text("sys_to = 'infinity'"),
        ),
        Index("ix_reference_entries_parent", "list", "parent", postgresql_where=text("sys_to = 'infinity'")),
        {"schema": "register"},
    )

    version: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    list: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    parent: Mapped[str | None] = mapped_column(Text)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    digest: Mapped[UUID] = mapped_column(postgresql.UUID)
    run: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.runs.id"))
    source_row: Mapped[int] = mapped_column(Integer)
    sys_from: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("transaction_timestamp()")
    )
    sys_to: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default="infinity")
