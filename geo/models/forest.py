"""Forest: forestries, quarters, stands, plots, leases, cutting areas."""

from datetime import date

from sqlalchemy import Date, Double, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from geo.models.base import Held, Version, property_of


class ForestAddress:
    """Where in the forest: forestry, sub-forestry, tract, quarter, stand. Numbers are text («29З»)."""

    forestry: Mapped[str | None] = mapped_column(Text, info=property_of("Лесничество", "Forestry"))
    subforestry: Mapped[str | None] = mapped_column(
        Text, info=property_of("Участковое лесничество", "Sub-forestry")
    )
    tract: Mapped[str | None] = mapped_column(Text, info=property_of("Урочище", "Tract"))


class Forestry(Version):
    """A forestry (лесничество) or sub-forestry (участковое лесничество)."""

    __tablename__ = "forestries"
    name: Mapped[str] = mapped_column(Text, info=property_of("Название", "Name"))
    code: Mapped[str | None] = mapped_column(Text, info=property_of("Код", "Code"))
    kind: Mapped[str | None] = mapped_column(
        Text, info=property_of("Вид", "Kind", dictionary="forestry_kind")
    )
    parent: Mapped[str | None] = mapped_column(Text, info=property_of("Входит в", "Part of"))
    office: Mapped[str | None] = mapped_column(Text, info=property_of("Орган", "Office"))


class Quarter(ForestAddress, Version):
    """A forest quarter (квартал)."""

    __tablename__ = "quarters"
    number: Mapped[str] = mapped_column(Text, info=property_of("Квартал", "Quarter"))
    purpose: Mapped[str | None] = mapped_column(
        Text, info=property_of("Целевое назначение", "Special purpose", dictionary="special_purpose")
    )


class Stand(ForestAddress, Version):
    """A stand (выдел) with its inventory."""

    __tablename__ = "stands"
    quarter: Mapped[str | None] = mapped_column(Text, info=property_of("Квартал", "Quarter"))
    number: Mapped[str] = mapped_column(Text, info=property_of("Выдел", "Stand"))
    land_kind: Mapped[str | None] = mapped_column(
        Text, info=property_of("Категория земель", "Land kind", dictionary="land_kind")
    )
    species: Mapped[str | None] = mapped_column(
        Text, info=property_of("Преобладающая порода", "Leading species", dictionary="species")
    )
    formula: Mapped[str | None] = mapped_column(Text, info=property_of("Состав", "Composition"))
    age: Mapped[int | None] = mapped_column(Integer, info=property_of("Возраст", "Age", unit="year"))
    age_group: Mapped[str | None] = mapped_column(
        Text, info=property_of("Группа возраста", "Age group", dictionary="age_group")
    )
    height_m: Mapped[float | None] = mapped_column(Double, info=property_of("Высота", "Height", unit="m"))
    diameter_cm: Mapped[float | None] = mapped_column(
        Double, info=property_of("Диаметр", "Diameter", unit="cm")
    )
    site_class: Mapped[str | None] = mapped_column(Text, info=property_of("Бонитет", "Site class"))
    density: Mapped[float | None] = mapped_column(Double, info=property_of("Полнота", "Relative density"))
    stock_m3_ha: Mapped[float | None] = mapped_column(
        Double, info=property_of("Запас на 1 га", "Stock per ha", unit="m3/ha")
    )
    forest_type: Mapped[str | None] = mapped_column(Text, info=property_of("Тип леса", "Forest type"))
    protection: Mapped[str | None] = mapped_column(
        Text,
        info=property_of("Категория защитности", "Protection category", dictionary="protection_category"),
    )
    inventoried_on: Mapped[date | None] = mapped_column(
        Date, info=property_of("Дата таксации", "Inventoried on")
    )


class ForestPlot(ForestAddress, Version):
    """A forest plot (лесной участок) of the state forest register."""

    __tablename__ = "forest_plots"
    number: Mapped[str] = mapped_column(Text, info=property_of("Учётный номер", "Account number"))
    cadastral_number: Mapped[str | None] = mapped_column(
        Text, info=property_of("Кадастровый номер", "Cadastral number")
    )
    status: Mapped[str | None] = mapped_column(
        Text, info=property_of("Состояние", "State", dictionary="plot_status")
    )
    purpose: Mapped[str | None] = mapped_column(
        Text, info=property_of("Целевое назначение", "Special purpose", dictionary="special_purpose")
    )
    forest_kind: Mapped[str | None] = mapped_column(
        Text, info=property_of("Вид леса", "Forest kind", dictionary="forest_kind")
    )
    usage: Mapped[str | None] = mapped_column(
        Text, info=property_of("Вид использования", "Kind of use", dictionary="usage_type")
    )
    lease: Mapped[str | None] = mapped_column(Text, info=property_of("Договор аренды", "Lease"))
    measures: Mapped[str | None] = mapped_column(
        Text, info=property_of("Мероприятия", "Measures carried out")
    )
    registered_on: Mapped[date | None] = mapped_column(
        Date, info=property_of("Дата регистрации", "Registered on")
    )


class Lease(Held, Version):
    """A lease of forest plots (договор аренды)."""

    __tablename__ = "leases"
    number: Mapped[str] = mapped_column(Text, info=property_of("Номер договора", "Contract number"))
    status: Mapped[str | None] = mapped_column(
        Text, info=property_of("Состояние", "State", dictionary="lease_status")
    )
    usage: Mapped[str | None] = mapped_column(
        Text, info=property_of("Вид использования", "Kind of use", dictionary="usage_type")
    )
    forest_kind: Mapped[str | None] = mapped_column(
        Text, info=property_of("Вид леса", "Forest kind", dictionary="forest_kind")
    )
    forestry: Mapped[str | None] = mapped_column(Text, info=property_of("Лесничество", "Forestry"))
    plots: Mapped[str | None] = mapped_column(Text, info=property_of("Лесные участки", "Forest plots"))
    signed_on: Mapped[date | None] = mapped_column(Date, info=property_of("Дата заключения", "Signed on"))
    starts_on: Mapped[date | None] = mapped_column(Date, info=property_of("Начало срока", "Starts on"))
    ends_on: Mapped[date | None] = mapped_column(Date, info=property_of("Конец срока", "Ends on"))
    annual_volume_m3: Mapped[float | None] = mapped_column(
        Double, info=property_of("Ежегодный объём", "Annual volume", unit="m3")
    )


class CuttingArea(Held, ForestAddress, Version):
    """A cutting area (лесосека) of a forest declaration."""

    __tablename__ = "cutting_areas"
    number: Mapped[str] = mapped_column(Text, info=property_of("Лесосека", "Cutting area"))
    declaration: Mapped[str | None] = mapped_column(Text, info=property_of("Декларация", "Declaration"))
    lease: Mapped[str | None] = mapped_column(Text, info=property_of("Договор аренды", "Lease"))
    quarter: Mapped[str | None] = mapped_column(Text, info=property_of("Квартал", "Quarter"))
    stand: Mapped[str | None] = mapped_column(Text, info=property_of("Выдел", "Stand"))
    year: Mapped[int | None] = mapped_column(Integer, info=property_of("Год", "Year"))
    status: Mapped[str | None] = mapped_column(
        Text, info=property_of("Состояние", "State", dictionary="cutting_status")
    )
    cutting_form: Mapped[str | None] = mapped_column(
        Text, info=property_of("Форма рубки", "Form of cutting", dictionary="cutting_form")
    )
    species: Mapped[str | None] = mapped_column(
        Text, info=property_of("Порода", "Species", dictionary="species")
    )
    volume_m3: Mapped[float | None] = mapped_column(Double, info=property_of("Объём", "Volume", unit="m3"))
