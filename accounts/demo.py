"""Log-ins of the demonstration: one a role, made once, known to everybody, only where MEZHA_DEMO says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg.rows import TupleRow

if TYPE_CHECKING:
    from accounts.enrolment import Company

# Everybody may know it: a demonstration holds nothing but a fictional region.
PASSWORD = "Mezha-Demo-2026"  # noqa: S105
OFFICE = "Министерство природных ресурсов Приозёрского края"
ELSEWHERE = "Министерство природных ресурсов соседнего края"
# Roles whose members sign for their company.
SIGNING = ("owner", "operator")


@dataclass(frozen=True)
class Part:
    """A part to play: log-in, name, what he is in Russian, and his role in a trade's company or his duty."""

    login: str
    name: str
    title: str
    trade: str = ""
    role: str = ""
    duty: str = ""
    region: str = "97"
    office: str = OFFICE


PARTS = (
    Part("les", "Лесникова Анна Сергеевна", "владелец лесной компании", trade="forest", role="owner"),
    Part("nedra", "Рудаков Игорь Павлович", "владелец горной компании", trade="subsoil", role="owner"),
    Part("othody", "Чистова Ольга Ивановна", "оператор компании по отходам", trade="waste", role="operator"),
    Part(
        "podryad",
        "Таксаторов Пётр Ильич",
        "подрядчик лесной компании: два объекта",
        trade="forest",
        role="contractor",
    ),
    Part("inspektor", "Дозоров Сергей Львович", "инспектор региона 97", duty="inspector"),
    Part(
        "sosed",
        "Рубежная Вера Олеговна",
        "инспектор другого региона",
        duty="inspector",
        region="54",
        office=ELSEWHERE,
    ),
    Part("registrator", "Учётов Николай Петрович", "регистратор", duty="registrar"),
    Part("ispolnitel", "Делова Мария Андреевна", "исполнитель дел", duty="officer"),
    Part("admin", "Управляев Олег Юрьевич", "администратор", duty="administrator", region="*"),
)

_SHARED = "SELECT id FROM register.leases WHERE holder_inn = %s AND sys_to = 'infinity' ORDER BY id LIMIT 2"


def missing(connection: psycopg.Connection[TupleRow]) -> bool:
    """Whether a log-in is still to be made; asked at every start, so without the imports that making it takes."""
    logins = [part.login for part in PARTS]
    row = connection.execute(
        "SELECT count(*) FROM accounts.accounts WHERE login = ANY(%s)", [logins]
    ).fetchone()
    return row is None or row[0] < len(logins)


def seed(connection: psycopg.Connection[TupleRow], companies: "Mapping[str, Company]") -> int:
    """Make the log-ins that are missing; ``companies`` by trade: forest, subsoil, waste. The number made."""
    from accounts.consent import DOCUMENTS, EDITION
    from accounts.enrolment import Newcomer, appoint, company, enrol, join

    made = 0
    for part in PARTS:
        row = connection.execute("SELECT id FROM accounts.accounts WHERE login = %s", [part.login]).fetchone()
        if row or (part.trade and part.trade not in companies):
            continue
        newcomer = Newcomer(part.login, f"{part.login}@demo.invalid", part.name, must_change=False)
        account = enrol(connection, newcomer, PASSWORD)
        for document in DOCUMENTS:
            connection.execute(
                "INSERT INTO accounts.consents (account, document, edition, address) VALUES (%s, %s, %s, 'demo')",
                [account, document, EDITION],
            )
        if part.trade:
            facts = companies[part.trade]
            objects = None
            if part.role == "contractor":
                objects = [r[0] for r in connection.execute(_SHARED, [facts.inn])]
            join(connection, account, company(connection, facts), part.role, objects)
        else:
            appoint(connection, account, part.duty, part.region, part.office)
        made += 1
    return made
