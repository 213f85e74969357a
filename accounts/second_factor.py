"""The second factor: an authenticator app (TOTP), a code by e-mail; passkeys have a module of their own."""

import asyncio
import time
from dataclasses import dataclass

import pyotp
import segno
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import codes
from accounts.action import Action
from accounts.errors import CodeError
from accounts.guard import count, forgive
from accounts.journal import Entry, record
from accounts.person import Person
from accounts.sealing import seal, unseal
from geo.settings import Settings

STEP_S = 30
# A phone's clock may be one step ahead or behind.
LEEWAY = 1
TRIES = 5
_PUT = text("SELECT accounts.put_totp(:who, :secret)")
_TOTP = text("SELECT * FROM accounts.totp(:who)")
_STEP = text("SELECT accounts.take_step(:who, :step)")
_DROP = text("SELECT accounts.drop_totp(:who)")


@dataclass(frozen=True)
class Binding:
    """What the person needs to bind his app: the key as text and as a QR code (SVG)."""

    secret: str
    svg: str


async def begin(connection: AsyncConnection, person: Person, settings: Settings) -> Binding:
    """A new key; it counts once a code of it was shown."""
    secret = pyotp.random_base32()
    sealed = await asyncio.to_thread(seal, settings, person.account, secret)
    await connection.execute(_PUT, {"who": person.account, "secret": sealed})
    uri = pyotp.TOTP(secret).provisioning_uri(name=person.email or person.login, issuer_name="Межа")
    code = segno.make(uri, error="m")
    return Binding(secret, str(code.svg_inline(scale=5, border=2, dark="#000", light="#fff")))


def step_of(secret: str, code: str, now: float) -> int | None:
    """The time step whose code this is, within the leeway; None where there is none."""
    totp = pyotp.TOTP(secret)
    present = int(now) // STEP_S
    digits = code.strip().replace(" ", "")
    fitting = (
        step
        for step in range(present - LEEWAY, present + LEEWAY + 1)
        if pyotp.utils.strings_equal(totp.generate_otp(step), digits)
    )
    return next(fitting, None)


async def bound(connection: AsyncConnection, person: Person) -> bool:
    """Whether the person has bound an app."""
    row = (await connection.execute(_TOTP, {"who": person.account})).one()
    return bool(row.confirmed)


async def _show(
    connection: AsyncConnection, person: Person, code: str, settings: Settings, *, binding: bool
) -> None:
    row = (await connection.execute(_TOTP, {"who": person.account})).one()
    step = None
    if row.secret and (row.confirmed or binding):
        secret = await asyncio.to_thread(unseal, settings, person.account, row.secret)
        step = step_of(secret, code, time.time())
    if step is None:
        raise CodeError(
            "The code is wrong.", "Check the phone's clock and type the present code.", field="code"
        )
    if not (await connection.execute(_STEP, {"who": person.account, "step": step})).scalar_one():
        raise CodeError("This code was used already.", "Wait for the next one.", field="code", value="used")


async def bind(connection: AsyncConnection, person: Person, code: str, settings: Settings) -> None:
    """Finish the binding by a first code."""
    await _show(connection, person, code, settings, binding=True)
    await record(connection, _entry(person, "totp", on=True))


async def drop(connection: AsyncConnection, person: Person) -> None:
    """Undo the binding (S-60)."""
    await connection.execute(_DROP, {"who": person.account})
    await record(connection, _entry(person, "totp", on=False))


def _entry(person: Person, factor: str, *, on: bool) -> Entry:
    return Entry(
        Action.factor_changed,
        account=person.account,
        concerned=person.account,
        details={"factor": factor, "on": on},
    )


async def ask_letter(connection: AsyncConnection, person: Person) -> None:
    """Have a code sent by e-mail."""
    await codes.ask(connection, "second", account=person.account)


async def check(
    connection: AsyncConnection, person: Person, code: str, settings: Settings
) -> CodeError | None:
    """Whether a code of the app or of a letter is right: None, or the error. Five tries within the time of a lock.

    The error is returned, not raised: the count of the try must be committed. TooManyTriesError is raised.
    """
    key = f"second:{person.account}"
    last = await count(connection, key, TRIES, settings)
    error: CodeError | None = None
    try:
        await _show(connection, person, code, settings, binding=False)
    except CodeError as err:
        error = err
        if not err.value:
            try:
                await codes.take(connection, person.account, "second", code)
                error = None
            except CodeError as by_letter:
                error = by_letter
    if error is None:
        await forgive(connection, key, whole=True)
    elif last:
        await record(
            connection,
            Entry(
                Action.locked, account=person.account, concerned=person.account, details={"factor": "second"}
            ),
        )
    return error
