"""Identity providers of the tests: an OpenID Connect one that can lie, and one shaped like ESIA that checks signatures."""

import base64
import json
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import RSAKey

from accounts import gost

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


class Keys:
    """The key of our system and that of ESIA, as files: RSA, or GOST by the OpenSSL engine."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.kind = kind
        self.files = {name: folder / f"{kind}-{name}" for name in ("key", "crt", "own", "token")}
        for key, cert in (("key", "crt"), ("own", "token")):
            self._gost(key, cert) if kind == "gost" else self._rsa(key, cert)

    def _rsa(self, key: str, cert: str) -> None:
        made = rsa.generate_private_key(65537, 2048)
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self.files[key].write_bytes(made.private_bytes(*form))
        self.files[cert].write_bytes(certificate(made))

    def _gost(self, key: str, cert: str) -> None:
        out, signer = str(self.files[key]), ["-key", str(self.files[key]), "-md_gost12_256"]
        make = [
            "genpkey",
            "-engine",
            "gost",
            "-algorithm",
            "gost2012_256",
            "-pkeyopt",
            "paramset:A",
            "-out",
            out,
        ]
        vouch = ["req", "-engine", "gost", "-x509", "-new", *signer, "-subj", "/CN=tests"]
        for arguments in (make, [*vouch, "-out", str(self.files[cert])]):
            subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def settings(self) -> dict[str, Any]:
        """What our side is told of them."""
        algorithm = gost.ALGORITHM if self.kind == "gost" else "RS256"
        return {
            "esia_key_kind": self.kind,
            "esia_algorithm": algorithm,
            "esia_key": self.files["key"],
            "esia_certificate": self.files["crt"],
            "esia_token_key": self.files["token"],
        }

    def is_ours(self, message: bytes, signature: bytes) -> bool:
        """Whether our system signed the message."""
        if self.kind == "gost":
            return gost.is_signed(self.files["crt"], message, signature)
        public = x509.load_pem_x509_certificate(self.files["crt"].read_bytes()).public_key()
        assert isinstance(public, rsa.RSAPublicKey)
        try:
            public.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    def token(self, claims: dict[str, Any]) -> str:
        """A token of ESIA."""
        if self.kind == "rsa":
            return jwt.encode({"alg": "RS256"}, claims, RSAKey.import_key(self.files["own"].read_bytes()))
        parts = (json.dumps(p).encode() for p in ({"alg": gost.ALGORITHM, "typ": "JWT"}, claims))
        signed = ".".join(base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts)
        made = base64.urlsafe_b64encode(gost.sign(self.files["own"], signed.encode()))
        return f"{signed}.{made.rstrip(b'=').decode()}"


CHIEF = {"inn": "7736050003", "shortName": "ООО «Ключ»", "chief": True, "type": "LEGAL", "active": True}
CLERK = {"inn": "7707083893", "shortName": "АО «Лес»", "chief": False, "type": "LEGAL", "active": True}
ORDER = ("client_id", "scope", "scope_org", "timestamp", "state", "redirect_uri", "code")


class Esia(Server):
    """Shaped like ESIA: refuses a request whose client_secret is not the signature of its values in the right order.

    ``page``: show a log-in page, as to a browser; otherwise it lets in at once.
    """

    def __init__(self, keys: Keys, *, page: bool = False, order: tuple[str, ...] = ORDER) -> None:
        super().__init__()
        self.keys = keys
        self.order = order
        self.page = page
        self.refused: list[str] = []
        self.left = 0
        self.roles: list[dict[str, Any]] = [CHIEF, {"inn": "1", "shortName": "нет"}]
        self.change: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims

    def _checked(self, values: dict[str, str]) -> bool:
        message = "".join(values.get(name, "") for name in self.order).encode()
        secret = values.get("client_secret", "")
        raw = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
        if self.keys.is_ours(message, raw):
            return True
        self.refused.append(values.get("state", ""))
        return False

    def answer(self, path: str, form: dict[str, str]) -> Answer:
        parts = urlsplit(path)
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        if parts.path == "/aas/oauth2/v2/ac":
            return self._authorise(query)
        if parts.path == "/aas/oauth2/v3/te":
            return self._tokens(form)
        if parts.path == "/idp/ext/Logout":
            self.left += 1
            return 302, {"location": query["redirect_url"]}, b""
        return _json(*self._registered(parts.path))

    def _authorise(self, query: dict[str, str]) -> Answer:
        if not self._checked(query):
            return _json({"error": "invalid_request"}, 400)
        back = f"{query['redirect_uri']}?{urlencode({'code': 'c0de', 'state': query['state']})}"
        if not self.page:
            return 302, {"location": back}, b""
        shown = f'<title>Госуслуги</title><h1>Госуслуги</h1><a id="enter" href="{escape(back)}">Войти</a>'
        return 200, {"content-type": "text/html; charset=utf-8"}, shown.encode()

    def _tokens(self, form: dict[str, str]) -> Answer:
        if form.get("code") != "c0de" or not self._checked(form):
            return _json({"error": "invalid_request"}, 400)
        now = int(time.time())
        claims: dict[str, Any] = {"iss": "http://esia.gosuslugi.ru/", "aud": "MEZHA", "sub": "1000"}
        claims |= {"iat": now, "exp": now + 60, "urn:esia:sbj": {"urn:esia:sbj:oid": 1000}}
        token = self.keys.token(self.change(claims))
        return _json({"access_token": token, "id_token": token, "state": form["state"]})

    def _registered(self, path: str) -> tuple[dict[str, Any], int]:
        """What the register of persons says."""
        person = {"lastName": "Осокина", "firstName": "Ева", "snils": "112-233-445 95", "trusted": True}
        known: dict[str, dict[str, Any]] = {
            "/rs/prns/1000": person,
            "/rs/prns/1000/roles": {"elements": self.roles},
        }
        return known.get(path, {}), 200 if path in known else 404
