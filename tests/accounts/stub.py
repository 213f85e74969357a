"""Identity providers of the tests: an OpenID Connect one that can lie, and one shaped like ESIA that checks signatures."""

import base64
import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import RSAKey

Answer = tuple[int, dict[str, str], bytes]


class Server:
    """A small HTTP server in a thread; subclasses answer."""

    def __init__(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                length = int(self.headers.get("content-length", 0))
                form = dict(parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True))
                status, headers, body = outer.answer(self.path, form)
                self.send_response(status)
                for name, value in (headers | {"content-length": str(len(body))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = _serve  # noqa: N815 - names of the library

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, path: str, form: dict[str, str]) -> Answer:
        raise NotImplementedError


def _json(document: Any, status: int = 200) -> Answer:
    return status, {"content-type": "application/json"}, json.dumps(document).encode()


class OpenId(Server):
    """Discovery, keys, tokens; ``change`` may alter the claims, ``sign`` the token."""

    def __init__(self) -> None:
        super().__init__()
        self.key = RSAKey.generate_key(2048, {"kid": "1"})
        self.nonce = ""
        self.change: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
        self.sign: Callable[[dict[str, Any]], str] = self.properly
        self.issuer = ""
        self.slow = 0.0

    def properly(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key)

    def claims(self) -> dict[str, Any]:
        now = int(time.time())
        base = {
            "iss": self.url,
            "aud": "mezha",
            "sub": "7",
            "iat": now,
            "exp": now + 60,
            "nonce": self.nonce,
            "sid": "s1",
        }
        return self.change(base)

    def answer(self, path: str, form: dict[str, str]) -> Answer:
        time.sleep(self.slow)
        if path.startswith("/.well-known"):
            paths = {"authorization_endpoint": "/auth", "token_endpoint": "/token", "jwks_uri": "/jwks"}
            return _json({"issuer": self.issuer or self.url} | {k: self.url + v for k, v in paths.items()})
        if path == "/jwks":
            return _json({"keys": [self.key.as_dict(private=False)]})
        if path == "/token":
            return _json({"access_token": "x", "id_token": self.sign(self.claims())})
        return _json({}, 404)


def certificate(key: rsa.RSAPrivateKey) -> bytes:
    """A self-signed certificate, PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


class Esia(Server):
    """Shaped like ESIA: refuses a request whose client_secret is not the signature of its values in the right order."""

    def __init__(self) -> None:
        super().__init__()
        self.system = rsa.generate_private_key(65537, 2048)
        self.own = rsa.generate_private_key(65537, 2048)
        self.refused: list[str] = []

    def _checked(self, values: dict[str, str]) -> bool:
        order = ("client_id", "scope", "scope_org", "timestamp", "state", "redirect_uri", "code")
        message = "".join(values.get(name, "") for name in order).encode()
        secret = values["client_secret"]
        raw = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
        try:
            self.system.public_key().verify(raw, message, padding.PKCS1v15(), hashes.SHA256())
        except Exception as err:
            self.refused.append(type(err).__name__)
            return False
        return True

    def answer(self, path: str, form: dict[str, str]) -> Answer:
        parts = urlsplit(path)
        if parts.path == "/aas/oauth2/v2/ac":
            query = {k: v[0] for k, v in parse_qs(parts.query).items()}
            if not self._checked(query):
                return _json({"error": "invalid_request"}, 400)
            back = f"{query['redirect_uri']}?{urlencode({'code': 'c0de', 'state': query['state']})}"
            return 302, {"location": back}, b""
        if parts.path == "/aas/oauth2/v3/te":
            if form.get("code") != "c0de" or not self._checked(form):
                return _json({"error": "invalid_request"}, 400)
            now = int(time.time())
            claims = {"iss": "http://esia.gosuslugi.ru/", "aud": "MEZHA", "iat": now, "exp": now + 60}
            claims |= {"sub": "1000", "urn:esia:sbj": {"urn:esia:sbj:oid": 1000}}  # type: ignore[dict-item]
            pem = self.own.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            token = jwt.encode({"alg": "RS256"}, claims, RSAKey.import_key(pem))
            return _json(
                {"access_token": token, "id_token": token, "state": form["state"], "expires_in": 3600}
            )
        return _json(*self._registered(parts.path))

    def _registered(self, path: str) -> tuple[dict[str, Any], int]:
        """What the register of persons says."""
        chief = {
            "inn": "7736050003",
            "shortName": "ООО «Ключ»",
            "chief": True,
            "type": "LEGAL",
            "active": True,
        }
        person = {"lastName": "Осокина", "firstName": "Ева", "snils": "112-233-445 95", "trusted": True}
        known: dict[str, dict[str, Any]] = {
            "/rs/prns/1000": person,
            "/rs/prns/1000/roles": {"elements": [chief, {"inn": "1", "shortName": "нет"}]},
        }
        return known.get(path, {}), 200 if path in known else 404
