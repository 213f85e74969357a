"""Coordinate systems: EPSG ones by code, local ones (МСК) by parameters that have a source."""

from typing import Any

from sqlalchemy import Boolean, Double, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from geo.models.base import SCHEMA, Base


class CrsDefinition(Base):
    """A coordinate system that files may name; ``spellings`` are further names of it, normalised.

    ``srid`` is its number in spatial_ref_sys, which the database gives."""

    __tablename__ = "crs_definitions"
    __table_args__ = ({"schema": SCHEMA},)

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    definition: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    spellings: Mapped[list[str]] = mapped_column(JSONB)
    source: Mapped[str] = mapped_column(Text)
    control_points: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    accuracy_m: Mapped[float | None] = mapped_column(Double)
    srid: Mapped[int | None] = mapped_column(Integer)
    active: Mapped[bool] = mapped_column(Boolean, server_default="true")
