"""Secrets that must be read again lie sealed: under a key outside the database, bound to their account, rotated."""

import stat
from typing import Any

import psycopg
import pyotp
import pytest

from accounts import sealing
from geo.errors import SettingsError
from geo.settings import Settings
from tests.accounts.conftest import Enrolled, log_in, send
from tests.conftest import client_of


@pytest.mark.requirement("S-60")
async def test_the_key_of_an_app_is_not_in_the_database(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any]
) -> None:
    name, account = enrolled()
    async with client_of(settings) as client:
        await log_in(client, name)
        page = await send(client, "/profile/totp", {}, page="/profile/security")
        secret = page.text.split('id="totp-key">')[1].split("<")[0]
        code = pyotp.TOTP(secret).now()
        assert (
            await send(client, "/profile/totp/bind", {"code": code}, page="/profile/security")
        ).status_code == 303
    row = owner.execute("SELECT secret FROM accounts.totps WHERE account = %s", [account]).fetchone()
    assert row is not None and secret not in row[0]
    assert sealing.unseal(settings, account, row[0]) == secret


def test_a_sealed_secret_opens_nothing_in_another_row(settings: Settings) -> None:
    sealed = sealing.seal(settings, 1, "A" * 32)
    for account, kept in ((2, sealed), (1, sealed[:-4] + "AAA="), (1, "A" * 32), (1, "")):
        with pytest.raises(SettingsError, match="another key"):
            sealing.unseal(settings, account, kept)


def test_rotation_seals_anew_and_forgets_the_old_key(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any]
) -> None:
    _, account = enrolled()
    sealed = sealing.seal(settings, account, "B" * 32)
    owner.execute("INSERT INTO accounts.totps (account, secret) VALUES (%s, %s)", [account, sealed])
    before = sealing.file_of(settings).read_text("ascii")
    with psycopg.connect(settings.database_url) as connection:
        assert sealing.rotate(connection, settings) >= 1
    assert sealing.file_of(settings).read_text("ascii") != before
    row = owner.execute("SELECT secret FROM accounts.totps WHERE account = %s", [account]).fetchone()
    assert row is not None and sealing.unseal(settings, account, row[0]) == "B" * 32
    with pytest.raises(SettingsError):
        sealing.unseal(settings, account, sealed)


def test_only_the_owner_of_the_file_reads_it_and_broken_keys_are_named(settings: Settings) -> None:
    file = sealing.prepare(settings)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    broken = settings.model_copy(update={"keys_file": settings.home / "broken"})
    (settings.home / "broken").write_text("no key\n", "ascii")
    with pytest.raises(SettingsError, match="cannot be read"):
        sealing.seal(broken, 1, "x")
