"""Land: municipalities, cadastral parcels, zones with special conditions of use."""

from datetime import date

from sqlalchemy import Date, Double, Text
from sqlalchemy.orm import Mapped, mapped_column

from geo.models.base import Version, property_of


class Municipality(Version):
    """A municipality or subject of the federation, for orientation and statistics."""

    __tablename__ = "municipalities"
    name: Mapped[str] = mapped_column(Text, info=property_of("Название", "Name"))
    name_latin: Mapped[str | None] = mapped_column(
        Text, info=property_of("Название латиницей", "Name in Latin script")
    )
    oktmo: Mapped[str | None] = mapped_column(Text, info=property_of("ОКТМО", "OKTMO"))
    kind: Mapped[str | None] = mapped_column(
        Text, info=property_of("Вид", "Kind", dictionary="municipality_kind")
    )


class Parcel(Version):
    """A land parcel of the state cadastre; ``key`` is its cadastral number."""

    __tablename__ = "parcels"
    number: Mapped[str] = mapped_column(Text, info=property_of("Кадастровый номер", "Cadastral number"))
    quarter: Mapped[str | None] = mapped_column(
        Text, info=property_of("Кадастровый квартал", "Cadastral quarter")
    )
    kind: Mapped[str | None] = mapped_column(Text, info=property_of("Вид", "Kind"))
    status: Mapped[str | None] = mapped_column(
        Text, info=property_of("Состояние", "State", dictionary="parcel_status")
    )
    category: Mapped[str | None] = mapped_column(Text, info=property_of("Категория земель", "Land category"))
    permitted_use: Mapped[str | None] = mapped_column(
        Text, info=property_of("Разрешённое использование", "Permitted use")
    )
    address: Mapped[str | None] = mapped_column(Text, info=property_of("Адрес", "Address"))
    cost_rub: Mapped[float | None] = mapped_column(
        Double, info=property_of("Кадастровая стоимость", "Cadastral value", unit="rub")
    )
    area_inaccuracy_m2: Mapped[float | None] = mapped_column(
        Double, info=property_of("Погрешность площади", "Area inaccuracy", unit="m2")
    )
    registered_on: Mapped[date | None] = mapped_column(Date, info=property_of("Дата учёта", "Registered on"))


class Zone(Version):
    """A zone with special conditions, a protected area, a specially protected forest: a restriction."""

    __tablename__ = "zones"
    number: Mapped[str] = mapped_column(Text, info=property_of("Реестровый номер", "Register number"))
    name: Mapped[str | None] = mapped_column(Text, info=property_of("Название", "Name"))
    kind: Mapped[str | None] = mapped_column(
        Text, info=property_of("Вид зоны", "Kind of zone", dictionary="zone_kind")
    )
    status: Mapped[str | None] = mapped_column(
        Text, info=property_of("Состояние", "State", dictionary="zone_status")
    )
    restriction: Mapped[str | None] = mapped_column(Text, info=property_of("Ограничение", "Restriction"))
    document: Mapped[str | None] = mapped_column(Text, info=property_of("Документ", "Document"))
    established_on: Mapped[date | None] = mapped_column(
        Date, info=property_of("Установлена", "Established on")
    )
