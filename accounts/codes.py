"""One-time codes by e-mail: asked for in a request, made and sent by the worker, taken once.

A request only leaves a job behind, whether or not the name exists: it says and costs the same for both.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import letters, mail
from accounts.errors import CodeError
from accounts.secret import code_digest, new_code
from geo.jobs import enqueue
from geo.session import connect
from geo.settings import Settings

SEND = "accounts.code"
# How many wrong tries a code bears; a confirmation bears none (F-39).
TRIES = {"recover": 3, "enter": 3, "second": 3, "email": 3, "forward": 3, "confirm": 1, "sign": 3}
# A demonstration sends no letters; its submissions are signed with a code that the page names.
DEMO_CODE = "123456"
MOST_SENT = 5
_TAKE = text("SELECT * FROM accounts.take_code(:who, :purpose, :digest)")


async def ask(
    connection: AsyncConnection,
    purpose: str,
    *,
    name: str = "",
    account: int | None = None,
    carries: str = "",
) -> None:
    """Have a code sent to an account, or to what may be the name of one; ``carries`` comes back when it is taken."""
    arguments = {"purpose": purpose, "name": name[:200], "account": account, "carries": carries}
    await enqueue(connection, SEND, arguments, lock=f"code:{account or name[:200]}")


def issue(settings: Settings, purpose: str, *, name: str, account: int | None, carries: str) -> bool:
    """Make a code and write its letter, as the worker; whether there was somebody to write to.

    At most five letters a quarter of an hour go to one account.
    """
    with connect(settings.url_for("registrar")) as connection:
        row = connection.execute(
            "SELECT id, email, status, locale FROM accounts.accounts WHERE id = coalesce(%s, accounts.find(%s))",
            [account, name],
        ).fetchone()
        if row is None or row[2] == "blocked":
            return False
        who, email, status, locale = row
        locked = connection.execute(
            "SELECT locked FROM accounts.count_try(%s, %s, 15)", [f"letters:{who}", MOST_SENT + 1]
        ).fetchone()
        if locked and locked[0]:
            return False
        if purpose == "enter" and status != "new":
            mail.put(connection, email, *letters.known_already(locale))
            return True
        code = new_code(8 if purpose == "recover" else 6)
        if settings.demo and purpose == "sign":
            code = DEMO_CODE
        connection.execute(
            "SELECT accounts.put_code(%s, %s, %s, %s, %s, %s)",
            [
                who,
                purpose,
                code_digest(who, purpose, code),
                settings.code_minutes,
                TRIES[purpose],
                carries,
            ],
        )
        target = carries if purpose in ("email", "forward") else email
        letter = letters.code(locale, purpose, code, settings.code_minutes)
        mail.put(connection, target, *letter, minutes=settings.code_minutes)
    return True


async def take(
    connection: AsyncConnection, account: int | None, purpose: str, code: str, *, vague: bool = False
) -> str:
    """Use up a code; what it carried. CodeError's ``value`` says expired or blocked, unless ``vague``.

    A wrong try must be committed by the caller although this raises: `spend` does.
    """
    values = {"who": account, "purpose": purpose, "digest": code_digest(account or 0, purpose, code[:20])}
    outcome, carries = (await connection.execute(_TAKE, values)).one()
    if outcome == "ok":
        return str(carries)
    shown = outcome if outcome in ("expired", "blocked") and not vague else ""
    raise CodeError(
        "The code is wrong or no longer good.", "Check it, or have a new one sent.", field="code", value=shown
    )
