"""What the operator does by commands: letting in somebody who is locked out."""

from typing import Any

import psycopg
import pytest

from accounts.enrolment import reset
from accounts.sealing import seal
from geo.errors import UnknownObjectError
from geo.settings import Settings
from tests.accounts.conftest import Enrolled, log_in
from tests.conftest import client_of

FRESH = "Kedr-i-Pikhta-88"


@pytest.mark.requirement("C-07")
async def test_a_reset_lets_a_locked_administrator_in_and_is_told(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any]
) -> None:
    name, account = enrolled(duty="administrator", region="*")
    owner.execute(
        "INSERT INTO accounts.totps (account, secret, confirmed_at) VALUES (%s, %s, now())",
        [account, seal(settings, account, "C" * 32)],
    )
    async with client_of(settings) as client:
        for _ in range(3):
            await log_in(client, name, "Wrong-Password-1")
        assert (await log_in(client, name)).status_code == 403
        reset(owner, name, FRESH, factors=True)
        client.cookies.clear()
        entered = await log_in(client, name, FRESH)
        assert entered.headers["location"].startswith("/login/renew"), "the new password is for once"
    told = owner.execute(
        "SELECT details FROM journal.entries WHERE concerned = %s AND action = 'recovery'", [account]
    ).fetchall()
    assert told == [({"by": "operator", "factors": True},)]
    with pytest.raises(UnknownObjectError):
        reset(owner, "nobody-of-that-name", FRESH)
