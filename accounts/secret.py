"""Secrets that are handed out: random, kept only as SHA-256."""

import hashlib
import secrets


def new_secret() -> str:
    """256 random bits as text that fits cookies and headers."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """What is kept of a secret; it has 256 bits of its own, so that a plain hash is enough."""
    return hashlib.sha256(secret.encode()).digest()


def new_code(digits: int = 6) -> str:
    """A code for people to type."""
    return f"{secrets.randbelow(10**digits):0{digits}d}"


def code_digest(account: int, purpose: str, code: str) -> bytes:
    """What is kept of a code; bound to account and purpose."""
    return hashlib.sha256(f"{account}:{purpose}:{code.strip().replace(' ', '')}".encode()).digest()
