"""Waste: objects of negative impact and disposal sites."""

from datetime import date
from typing import ClassVar

from sqlalchemy import Date, Double, Text
from sqlalchemy.orm import Mapped, mapped_column

from geo.models.base import Held, Version, property_of


class WasteSite(Held, Version):
    """An object of negative impact or waste disposal site (объект НВОС / размещения отходов)."""

    __tablename__ = "waste_sites"
    geometry_type: ClassVar[str] = "POINT"

    number: Mapped[str] = mapped_column(Text, info=property_of("Код объекта НВОС", "Object code"))
    name: Mapped[str | None] = mapped_column(Text, info=property_of("Название", "Name"))
    kind: Mapped[str | None] = mapped_column(
        Text, info=property_of("Вид объекта", "Kind of object", dictionary="waste_site_kind")
    )
    category: Mapped[str | None] = mapped_column(
        Text, info=property_of("Категория", "Category", dictionary="waste_category")
    )
    status: Mapped[str | None] = mapped_column(
        Text, info=property_of("Состояние", "State", dictionary="waste_site_status")
    )
    groro_number: Mapped[str | None] = mapped_column(
        Text, info=property_of("Номер в ГРОРО", "Disposal register number")
    )
    fkko: Mapped[str | None] = mapped_column(
        Text, info=property_of("Виды отходов (ФККО)", "Waste kinds (FKKO)")
    )
    capacity_t: Mapped[float | None] = mapped_column(
        Double, info=property_of("Вместимость", "Capacity", unit="t")
    )
    accumulated_t: Mapped[float | None] = mapped_column(
        Double, info=property_of("Накоплено", "Accumulated", unit="t")
    )
    registered_on: Mapped[date | None] = mapped_column(
        Date, info=property_of("Дата постановки на учёт", "Registered on")
    )
