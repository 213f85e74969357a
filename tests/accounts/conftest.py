"""People for the tests of accounts: enrolled in the module's database, logging in through the pages."""

import re
from collections.abc import Callable
from itertools import count
from typing import Any

import httpx
import psycopg
import pytest

from accounts.consent import DOCUMENTS, EDITION
from accounts.enrolment import Company, Newcomer, appoint, company, enrol, join

PASSWORD = "Leshiy-i-Bereza-7"
FOREST = Company("7707083893", "АО «Лес»", "54")
OTHER = Company("7736050003", "ООО «Другие»", "54")
Enrolled = Callable[..., tuple[str, int]]
_numbers = count(1)


@pytest.fixture
def enrolled(owner: psycopg.Connection[Any]) -> Enrolled:
    """Make an account and return its name and number; ``role`` in ``party`` or ``duty`` in ``region`` as wished."""

    def make(
        *,
        role: str = "",
        party: Company = FOREST,
        objects: list[int] | None = None,
        duty: str = "",
        region: str = "54",
        consented: bool = True,
        confirmed: bool = True,
        must_change: bool = False,
    ) -> tuple[str, int]:
        name = f"person{next(_numbers)}"
        newcomer = Newcomer(name, f"{name}@mezha.test", f"Имя {name}", confirmed, must_change)
        account = enrol(owner, newcomer, PASSWORD)
        if role:
            join(owner, account, company(owner, party), role, objects)
        if duty:
            appoint(owner, account, duty, region, "Управление")
        for document in DOCUMENTS if consented else ():
            owner.execute(
                "INSERT INTO accounts.consents (account, document, edition, address) VALUES (%s, %s, %s, 'test')",
                [account, document, EDITION],
            )
        return name, account

    return make


async def form_token(client: httpx.AsyncClient, path: str = "/login") -> str:
    """The token of the forms on a page."""
    answer = await client.get(path)
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', answer.text)
    assert found, answer.text[:500]
    return found[1]


async def send(
    client: httpx.AsyncClient, path: str, fields: dict[str, str], *, page: str | None = None
) -> httpx.Response:
    """Send a form as a browser would: with its token and the Origin header."""
    token = await form_token(client, page or path)
    return await client.post(path, data=fields | {"csrf": token}, headers={"origin": "http://mezha.test"})


async def log_in(
    client: httpx.AsyncClient, name: str, password: str = PASSWORD, **more: str
) -> httpx.Response:
    """Log in through the page."""
    return await send(client, "/login", {"name": name, "password": password} | more)
