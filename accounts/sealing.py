"""Sealing of secrets that must be read again (keys of authenticator apps): AES under a key that the database never sees.

The keys stand in a file, newest first, one a line; `rotate` adds one in front and seals everything anew.
"""

import contextlib
import os
from pathlib import Path

import psycopg
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from psycopg.rows import TupleRow

from geo.errors import SettingsError
from geo.settings import Settings


def file_of(settings: Settings) -> Path:
    """Where the keys stand."""
    return settings.keys_file or settings.home / "keys" / "secrets"


def _lines(file: Path) -> list[str]:
    return [line.strip() for line in file.read_text("ascii").splitlines() if line.strip()]


def prepare(settings: Settings) -> Path:
    """Make the file with a first key where there is none; only its owner reads it."""
    file = file_of(settings)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    if not file.exists():
        draft.touch(0o600)
        draft.write_bytes(Fernet.generate_key() + b"\n")
        # Whole or not at all, and never over one that another process made.
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
        draft.unlink()
    return file


def _keys(settings: Settings) -> MultiFernet:
    file = prepare(settings)
    try:
        return MultiFernet([Fernet(line) for line in _lines(file)])
    except (OSError, ValueError) as err:
        raise SettingsError(
            f"The keys of the secrets cannot be read: {file}.",
            "Restore the file from its backup, or correct MEZHA_KEYS_FILE.",
        ) from err


def seal(settings: Settings, account: int | None, secret: str) -> str:
    """A secret of an account as the database keeps it; in another account's row it opens nothing."""
    return _keys(settings).encrypt(f"{account}:{secret}".encode()).decode()


def unseal(settings: Settings, account: int | None, kept: str) -> str:
    """The secret; SettingsError where no key of the file opens it."""
    try:
        owner, _, secret = _keys(settings).decrypt(kept).decode().partition(":")
    except InvalidToken:
        owner, secret = "", ""
    if owner != str(account):
        raise SettingsError(
            "A secret of the database was sealed with another key.",
            f"Restore {file_of(settings)}, or let people bind their apps anew with `mezha user reset NAME --factors`.",
        )
    return secret


def rotate(connection: psycopg.Connection[TupleRow], settings: Settings) -> int:
    """A new key, and every secret sealed with it; the old keys go last, once nothing needs them. Owner's connection."""
    file = prepare(settings)
    old = _lines(file)
    fresh = Fernet.generate_key().decode()
    _replace(file, [fresh, *old])
    rows = connection.execute("SELECT account, secret FROM accounts.totps FOR UPDATE").fetchall()
    for account, kept in rows:
        again = seal(settings, account, unseal(settings, account, kept))
        connection.execute("UPDATE accounts.totps SET secret = %s WHERE account = %s", [again, account])
    connection.commit()
    _replace(file, [fresh])
    return len(rows)


def _replace(file: Path, lines: list[str]) -> None:
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.touch(0o600)
    draft.write_text("\n".join(lines) + "\n", "ascii")
    draft.replace(file)
