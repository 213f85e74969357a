"""Log-in by a certificate that the reverse proxy has checked: believed from the proxy alone."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from accounts import certificates
from accounts.errors import CertificateError
from geo.settings import Settings
from tests.accounts.conftest import Enrolled, log_in, send
from tests.accounts.stub import certificate
from tests.conftest import client_of

HEADER = "x-client-certificate"
# The address that the test client comes from.
PROXY = "127.0.0.1"


@pytest.fixture
def proxied(settings: Settings) -> Settings:
    """An installation behind a proxy that asks for certificates."""
    changes = {"certificate_header": HEADER, "trusted_proxies": frozenset({PROXY})}
    return settings.model_copy(update=changes)


@pytest.fixture(scope="module")
def pem() -> str:
    """A certificate as nginx sends it."""
    return quote(certificate(rsa.generate_private_key(65537, 2048)).decode())


@pytest.mark.requirement("C-01", "C-02")
async def test_a_bound_certificate_logs_in_and_an_unknown_one_does_not(
    proxied: Settings, pem: str, enrolled: Enrolled, owner: psycopg.Connection[Any]
) -> None:
    name, account = enrolled()
    async with client_of(proxied) as client:
        client.headers[HEADER] = pem
        assert "Войти по сертификату" in (await client.get("/login")).text
        unknown = await send(client, "/login/certificate", {}, page="/login")
        assert unknown.status_code == 403
        await log_in(client, name)
        bound = await send(client, "/profile/certificate", {}, page="/profile/security")
        assert bound.status_code == 303
        client.cookies.clear()
        known = await send(client, "/login/certificate", {"next": "/map"}, page="/login")
        assert (known.status_code, known.headers["location"]) == (303, "/map")
        assert (await client.get("/profile")).status_code == 200
        await send(client, "/profile/certificate", {"act": "drop"}, page="/profile/security")
        client.cookies.clear()
        assert (await send(client, "/login/certificate", {}, page="/login")).status_code == 403
    told = owner.execute(
        "SELECT details ->> 'on' FROM journal.entries WHERE concerned = %s AND action = 'factor-changed' ORDER BY at",
        [account],
    ).fetchall()
    assert told == [("true",), ("false",)]


async def test_another_account_does_not_get_a_bound_certificate(
    proxied: Settings, pem: str, enrolled: Enrolled
) -> None:
    for number in range(2):
        name, _ = enrolled()
        async with client_of(proxied) as client:
            client.headers[HEADER] = pem
            await log_in(client, name)
            answer = await send(client, "/profile/certificate", {}, page="/profile/security")
            assert answer.status_code == (422 if number else 303)


async def test_the_header_of_somebody_who_is_no_proxy_is_refused(
    proxied: Settings, pem: str, enrolled: Enrolled
) -> None:
    name, _ = enrolled()
    direct = proxied.model_copy(update={"trusted_proxies": frozenset({"10.1.1.1"})})
    async with client_of(direct) as client:
        client.headers[HEADER] = pem
        await log_in(client, name)
        answer = await send(client, "/profile/certificate", {}, page="/profile/security")
        assert answer.status_code == 422
        client.cookies.clear()
        assert (await send(client, "/login/certificate", {}, page="/login")).status_code == 403
        assert (await client.get("/profile")).status_code == 401


@pytest.mark.parametrize(
    ("peer", "value", "off"),
    [(PROXY, "", False), (PROXY, "nonsense", False), ("192.0.2.1", "pem", False), (PROXY, "pem", True)],
)
def test_what_is_no_checked_certificate_is_refused(
    proxied: Settings, pem: str, peer: str, value: str, off: bool
) -> None:
    chosen = proxied.model_copy(update={"certificate_header": ""}) if off else proxied
    with pytest.raises(CertificateError):
        certificates.shown(peer, pem if value == "pem" else value, chosen)


def test_a_certificate_that_is_over_is_refused(
    proxied: Settings, pem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Later":
            return cls.fromtimestamp((datetime.now(UTC) + timedelta(days=3)).timestamp(), tz)

    assert certificates.shown(PROXY, pem, proxied).subject == "CN=tests"
    monkeypatch.setattr(certificates, "datetime", Later)
    with pytest.raises(CertificateError, match="not valid today"):
        certificates.shown(PROXY, pem, proxied)
