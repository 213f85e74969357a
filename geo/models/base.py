"""What every object of every layer carries: identity, both times, provenance, access, geometry."""

from datetime import date, datetime
from typing import Any, ClassVar

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    Date,
    DateTime,
    Double,
    Identity,
    Integer,
    MetaData,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, UUID
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.schema import Index, SchemaItem

SCHEMA = "register"


class Base(DeclarativeBase):
    """Declarative base; constraints get predictable names."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {list[str]: JSONB, dict[str, Any]: JSONB}


def property_of(ru: str, en: str, *, unit: str = "", dictionary: str = "") -> dict[str, str]:
    """Title, unit and dictionary of a column that people see: the layer registry is made of these."""
    return {"ru": ru, "en": en, "unit": unit, "dictionary": dictionary}


class Version(Base):
    """One version of one object: never rewritten, only closed.

    ``id`` is the object, ``version`` the row. ``valid_from``/``valid_to`` say when the right or fact held,
    ``sys_from``/``sys_to`` when the register knew it. Both are half-open; the end is ``infinity`` while open.
    """

    __abstract__ = True
    geometry_type: ClassVar[str] = "MULTIPOLYGON"

    version: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, server_default=text("nextval('register.object_id')"))
    key: Mapped[str] = mapped_column(Text, info=property_of("Ключ", "Key"))
    region: Mapped[str] = mapped_column(Text, info=property_of("Регион", "Region", dictionary="region"))
    valid_from: Mapped[date] = mapped_column(Date, server_default="-infinity")
    valid_to: Mapped[date] = mapped_column(Date, server_default="infinity")
    sys_from: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("transaction_timestamp()")
    )
    sys_to: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default="infinity")
    visibility: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    run: Mapped[int | None] = mapped_column(BigInteger)
    source_row: Mapped[int | None] = mapped_column(Integer)
    source_crs: Mapped[str | None] = mapped_column(Text)
    source_geom: Mapped[bytes | None] = mapped_column(BYTEA)
    repair: Mapped[str | None] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(UUID)
    extra: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    area_m2: Mapped[float | None] = mapped_column(
        Double, info=property_of("Площадь вычисленная", "Computed area", unit="m2")
    )
    area_method: Mapped[str | None] = mapped_column(
        Text, info=property_of("Способ вычисления площади", "Area method", dictionary="area_method")
    )
    area_declared_m2: Mapped[float | None] = mapped_column(
        Double, info=property_of("Площадь по документам", "Declared area", unit="m2")
    )

    @declared_attr.directive
    @classmethod
    def geom(cls) -> Mapped[Any]:
        return mapped_column(Geometry(cls.geometry_type, srid=4326, spatial_index=False), nullable=True)

    @declared_attr.directive
    @classmethod
    def geom_3857(cls) -> Mapped[Any]:
        # Mercator has no poles: what lies past 85.06° is cut off for display only.
        return mapped_column(
            Geometry(cls.geometry_type, srid=3857, spatial_index=False),
            Computed("register.mercator(geom)", persisted=True),
            nullable=True,
        )

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        name = cls.__tablename__
        current = text("sys_to = 'infinity'")
        past = text("sys_to < 'infinity'")
        items: list[SchemaItem] = [
            CheckConstraint("valid_from < valid_to", name="valid_order"),
            CheckConstraint("sys_from < sys_to", name="sys_order"),
            CheckConstraint("visibility BETWEEN 0 AND 3", name="visibility_known"),
            CheckConstraint("geom IS NULL OR ST_IsValid(geom) AND NOT ST_IsEmpty(geom)", name="geom_valid"),
            Index(f"ux_{name}_current_key", "key", "valid_from", unique=True, postgresql_where=current),
            Index(f"ix_{name}_current_id", "id", postgresql_where=current),
            Index(f"ix_{name}_past_id", "id", "sys_from", postgresql_where=past),
            Index(f"ix_{name}_current_geom", "geom", postgresql_using="gist", postgresql_where=current),
            Index(
                f"ix_{name}_current_geom_3857", "geom_3857", postgresql_using="gist", postgresql_where=current
            ),
            Index(
                f"ix_{name}_past_geom_3857",
                "geom_3857",
                "sys_from",
                "sys_to",
                postgresql_using="gist",
                postgresql_where=past,
            ),
            Index(
                f"ix_{name}_past_geom",
                "geom",
                "sys_from",
                "sys_to",
                postgresql_using="gist",
                postgresql_where=past,
            ),
            Index(f"ix_{name}_past_sys_to", "sys_to", postgresql_where=past),
            Index(
                f"ix_{name}_narrowed",
                "visibility",
                postgresql_where=text("sys_to = 'infinity' AND visibility > 0"),
            ),
            Index(f"ix_{name}_run", "run"),
        ]
        return (*items, {"schema": SCHEMA})


class Held:
    """A right or object that somebody holds; the holder sees it whatever the layer's access."""

    holder: Mapped[str | None] = mapped_column(Text, info=property_of("Правообладатель", "Holder"))
    holder_inn: Mapped[str | None] = mapped_column(
        Text, info=property_of("ИНН правообладателя", "Holder's INN")
    )
