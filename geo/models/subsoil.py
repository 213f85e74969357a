"""Subsoil: licences with their mining allotments, deposits."""

from datetime import date

from sqlalchemy import Date, Double, Text
from sqlalchemy.orm import Mapped, mapped_column

from geo.models.base import Held, Version, property_of


class Licence(Held, Version):
    """A licence for the use of subsoil and its mining allotment (горный отвод)."""

    __tablename__ = "licences"
    number: Mapped[str | None] = mapped_column(Text, info=property_of("Номер лицензии", "Licence number"))
    name: Mapped[str | None] = mapped_column(Text, info=property_of("Участок недр", "Subsoil plot"))
    kind: Mapped[str | None] = mapped_column(
        Text, info=property_of("Вид лицензии", "Kind of licence", dictionary="licence_kind")
    )
    status: Mapped[str | None] = mapped_column(
        Text, info=property_of("Состояние", "State", dictionary="licence_status")
    )
    minerals: Mapped[str | None] = mapped_column(Text, info=property_of("Полезные ископаемые", "Minerals"))
    purpose: Mapped[str | None] = mapped_column(Text, info=property_of("Целевое назначение", "Purpose"))
    authority: Mapped[str | None] = mapped_column(Text, info=property_of("Выдавший орган", "Issued by"))
    document: Mapped[str | None] = mapped_column(Text, info=property_of("Основание", "Basis document"))
    issued_on: Mapped[date | None] = mapped_column(Date, info=property_of("Дата выдачи", "Issued on"))
    expires_on: Mapped[date | None] = mapped_column(Date, info=property_of("Дата окончания", "Expires on"))
    upper_limit: Mapped[str | None] = mapped_column(Text, info=property_of("Верхняя граница", "Upper limit"))
    lower_limit: Mapped[str | None] = mapped_column(Text, info=property_of("Нижняя граница", "Lower limit"))


class Deposit(Version):
    """A deposit of minerals (месторождение)."""

    __tablename__ = "deposits"
    number: Mapped[str | None] = mapped_column(Text, info=property_of("Номер в кадастре", "Cadastre number"))
    name: Mapped[str] = mapped_column(Text, info=property_of("Название", "Name"))
    mineral: Mapped[str | None] = mapped_column(
        Text, info=property_of("Полезное ископаемое", "Mineral", dictionary="mineral")
    )
    status: Mapped[str | None] = mapped_column(
        Text, info=property_of("Освоенность", "State of development", dictionary="deposit_status")
    )
    reserves: Mapped[float | None] = mapped_column(Double, info=property_of("Запасы", "Reserves"))
    reserves_unit: Mapped[str | None] = mapped_column(
        Text, info=property_of("Единица запасов", "Unit of reserves", dictionary="unit")
    )
    reserves_category: Mapped[str | None] = mapped_column(
        Text, info=property_of("Категория запасов", "Reserves category")
    )
    discovered_on: Mapped[date | None] = mapped_column(
        Date, info=property_of("Дата открытия", "Discovered on")
    )
