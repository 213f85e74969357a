"""Names and numbers of the fictional region; every number passes its check digit and belongs to nobody."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

REGION = "97"
REGION_NAME = "Приозёрский край"


def inn_of(nine_or_ten: str) -> str:
    """An INN from its first 9 digits (company) or 10 digits (person), with the control digits added."""

    def control(digits: str, weights: tuple[int, ...]) -> str:
        return str(sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11 % 10)

    if len(nine_or_ten) == 9:
        return nine_or_ten + control(nine_or_ten, (2, 4, 10, 3, 5, 9, 4, 6, 8))
    eleven = nine_or_ten + control(nine_or_ten, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8))
    return eleven + control(eleven, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8))


def ogrn_of(digits: str) -> str:
    """An OGRN from its first 12 digits, or an OGRNIP from its first 14, with the control digit added."""
    return digits + str(int(digits) % (11 if len(digits) == 12 else 13) % 10)


@dataclass(frozen=True)
class Holder:
    """A fictional company or entrepreneur who holds rights; ``trade`` is forest, subsoil, waste or other."""

    name: str
    inn: str
    ogrn: str
    trade: str


def _company(name: str, number: int, trade: str, year: int = 8) -> Holder:
    # Tax office 9799 does not exist, so no real company can have such a number.
    return Holder(name, inn_of(f"9799{number:05d}"), ogrn_of(f"1{year:02d}9799{number:05d}"), trade)


# The three holders for whom the demonstration log-ins act.
FOREST_COMPANY = _company("АО «Приозёрский леспромхоз»", 1201, "forest", 3)
SUBSOIL_COMPANY = _company("ООО «Кедровская горная компания»", 2302, "subsoil", 11)
WASTE_COMPANY = _company("ООО «Чистый край»", 3403, "waste", 14)
FOREST_INN, SUBSOIL_INN, WASTE_INN = FOREST_COMPANY.inn, SUBSOIL_COMPANY.inn, WASTE_COMPANY.inn

HOLDERS: tuple[Holder, ...] = (
    FOREST_COMPANY,
    SUBSOIL_COMPANY,
    WASTE_COMPANY,
    _company("ООО «Таёжная лесная компания»", 1302, "forest", 9),
    _company("ООО «Сосновский лес»", 1403, "forest", 12),
    _company("АО «Еланский деревообрабатывающий комбинат»", 1504, "forest", 2),
    _company("АО «Северная нефтегазоразведка»", 2405, "subsoil", 6),
    _company("ООО «Приозёрский песок и гравий»", 2506, "subsoil", 15),
    _company("МУП «Водоканал» г. Приозёрска", 2607, "subsoil", 5),
    _company("МУП «Городское хозяйство» г. Приозёрска", 3508, "waste", 7),
    _company("ООО «Охотничье хозяйство „Кедровое“»", 1609, "other", 10),
    Holder("ИП Осокин Пётр Андреевич", inn_of("9799001710"), ogrn_of("31697990001710"), "other"),
)

CITY = "Приозёрск"
MUNICIPALITIES: tuple[tuple[str, str], ...] = (
    ("Кедровский муниципальный округ", "Kedrovsky District"),
    ("Верхнетаёжный муниципальный округ", "Verkhnetayozhny District"),
    ("Сосновский муниципальный округ", "Sosnovsky District"),
    ("Еланский муниципальный округ", "Yelansky District"),
    ("Заречный муниципальный округ", "Zarechny District"),
    ("Усть-Каменский муниципальный округ", "Ust-Kamensky District"),
    ("Белоозёрский муниципальный округ", "Belozyorsky District"),
    ("Лебяжинский муниципальный округ", "Lebyazhinsky District"),
)
VILLAGES: tuple[str, ...] = (
    "Кедровка", "Еланка", "Сосновка", "Лебяжье", "Усть-Каменка", "Белое", "Заречье", "Верхняя Тайга", "Осиновка",
    "Берёзовый Мыс", "Старица", "Мостовое", "Рыбное", "Новая Елань", "Красный Яр", "Тихий Плёс", "Глухариное", "Озёрное",
    "Пихтовка", "Каменный Брод", "Луговое", "Ключи", "Медвежье", "Песчаное", "Таловка", "Ивановка", "Черемшанка", "Кругликово",
)  # fmt: skip
FORESTRIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Приозёрское лесничество", ("Городское", "Озёрное", "Лебяжинское")),
    ("Кедровское лесничество", ("Кедровское", "Глухариное", "Медвежинское")),
    ("Верхнетаёжное лесничество", ("Таёжное", "Пихтовское", "Каменское")),
    ("Сосновское лесничество", ("Сосновское", "Песчанское", "Боровое")),
    ("Еланское лесничество", ("Еланское", "Осиновское", "Берёзовское")),
)
RIVERS: tuple[str, ...] = (
    "Ельга", "Каменка", "Большая Тартас-Юл", "Кедровая", "Чёрная", "Еланка", "Сухая Ельга", "Тавла", "Малая Тавла", "Лебяжья",
    "Щучья", "Берёзовая", "Медвежья", "Песчанка", "Осиновка", "Талая", "Крутая", "Глубокая", "Змейка", "Моховая",
)  # fmt: skip
LAKES: tuple[str, ...] = (
    "Белое", "Лебяжье", "Щучье", "Карасёвое", "Кедровое", "Большое Утиное", "Малое Утиное", "Светлое", "Чёрное", "Глухое",
    "Долгое", "Круглое", "Окунёвое", "Камышовое", "Тихое", "Моховое", "Журавлиное", "Островное", "Песчаное", "Рыбное",
)  # fmt: skip


def numbered(names: tuple[str, ...], position: int) -> str:
    """The name at a position; past the end of the list names come again with a number."""
    turn, place = divmod(position, len(names))
    return names[place] if not turn else f"{names[place]}-{turn + 1}"


def licence_number(position: int, kind: str) -> str:
    """A licence number of the fictional issuing body, such as «ПРЗ 10017 ТЭ»."""
    return f"ПРЗ {10_000 + position * 7 % 90_000:05d} {kind}"


def waste_object_code(position: int) -> str:
    """Code of an object of negative impact: district code, supervision with subject code, number, kind."""
    return f"97-0{1 + (position % 5 == 0)}{REGION}-{1_000 + position * 3:06d}-П"


def disposal_number(position: int, *, buried: bool) -> str:
    """Number in the register of disposal sites (ГРОРО)."""
    return (
        f"{REGION}-{position:05d}-{'З' if buried else 'Х'}-{400 + position:05d}-{1 + position % 28:02d}0614"
    )


# Waste kinds of the federal catalogue that such sites take (code of 11 digits; the last one is the hazard class).
FKKO: tuple[str, ...] = (
    "73111001724", "73310001724", "30522002435", "30523001435", "82220101215", "81290101724", "61140002204", "20011001205",
    "91920402604", "72220001394",
)  # fmt: skip


def pick(rng: "np.random.Generator", trade: str) -> Holder:
    """A holder of that trade; the first of each trade, who has a log-in, a little more often."""
    found = [h for h in HOLDERS if h.trade == trade] or list(HOLDERS)
    weights = [1.6] + [1.0] * (len(found) - 1)
    return found[int(rng.choice(len(found), p=[w / sum(weights) for w in weights]))]
