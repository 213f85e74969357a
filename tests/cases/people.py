"""The people of the small region as accounts: whoever acts in `region` can be told of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from cases.desk import Actor
from geo.access import Caller
from tests.cases.region import APPLICANT, INN, OFFICER, RIVAL, RIVAL_INN

COLLEAGUE = Actor(Caller(account=13, rank=1, inns=(INN,)), name="Контролёр")
CONTRACTOR = Actor(Caller(account=14, rank=1), name="Подрядчик")
SECOND = Actor(Caller(account=23, rank=1, regions=("54",), decides=("54",)), name="Второй инспектор")
ADMINISTRATOR = Actor(Caller(account=24, rank=3), name="Администратор")
_NAMES = {
    11: "Лесник",
    12: "Сосед",
    13: "Контролёр",
    14: "Подрядчик",
    21: "Инспектор",
    23: "Второй инспектор",
}


def mail_of(actor: Actor) -> str:
    """The address of somebody."""
    return f"person{actor.caller.account}@mezha.test"


def settle(owner: psycopg.Connection[Any]) -> None:
    """Give the actors accounts, the parties members and the office its officers."""
    for number, name in _NAMES.items():
        owner.execute(
            "INSERT INTO accounts.accounts (id, login, email, name, status, phone) OVERRIDING SYSTEM VALUE"
            " VALUES (%s, %s, %s, %s, 'confirmed', %s) ON CONFLICT DO NOTHING",
            [number, f"person{number}", f"person{number}@mezha.test", name, f"+7913000{number:04d}"],
        )
    members = {
        INN: [(11, "owner", None), (13, "controller", None), (14, "contractor", [1])],
        RIVAL_INN: [(12, "owner", None)],
    }
    for inn, people in members.items():
        (party,) = owner.execute(
            "INSERT INTO accounts.parties (kind, name, inn, region, status)"
            " VALUES ('company', %s, %s, '54', 'confirmed') RETURNING id",
            [f"ООО {inn}", inn],
        ).fetchone() or (0,)
        for account, role, objects in people:
            owner.execute(
                "INSERT INTO accounts.members (party, account, role, objects) VALUES (%s, %s, %s, %s)",
                [party, account, role, objects],
            )
    owner.execute("INSERT INTO accounts.offices (name, region) VALUES ('Управление', '54')")
    for account in (OFFICER.caller.account, SECOND.caller.account):
        owner.execute(
            "INSERT INTO accounts.staff (account, office, region, duty) SELECT %s, id, '54', 'officer' FROM accounts.offices",
            [account],
        )


assert APPLICANT.caller.account == 11
assert RIVAL.caller.account == 12


@contextmanager
def broken_bell(owner: psycopg.Connection[Any]) -> Iterator[None]:
    """End every connection that listens, as a restart of the database does."""
    owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %' AND datname = current_database()"
    )
    yield
