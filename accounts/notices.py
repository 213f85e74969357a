"""What the worker does for accounts: notices, codes, delivery, sweeping."""

from accounts import codes, letters, mail
from geo.session import connect
from geo.settings import Settings


def notice(settings: Settings, facts: dict[str, object]) -> bool:
    """Tell the owner of an account that it was locked, if there is one of that name."""
    with connect(settings.url_for("registrar")) as connection:
        row = connection.execute(
            "SELECT email, locale FROM accounts.accounts WHERE id = accounts.find(%s)", [str(facts["name"])]
        ).fetchone()
        if row:
            mail.put(connection, row[0], *letters.locked(row[1], facts))
    mail.deliver(settings)
    return row is not None


def code(settings: Settings, purpose: str, name: str, account: int | None, carries: str) -> bool:
    """Make and send a code."""
    made = codes.issue(settings, purpose, name=name, account=account, carries=carries)
    mail.deliver(settings)
    return made


def sweep(settings: Settings) -> None:
    """Forget counters, codes and tickets that are over."""
    with connect(settings.url_for("registrar"), autocommit=True) as connection:
        connection.execute("DELETE FROM accounts.guards WHERE since < now() - interval '1 day'")
        connection.execute("DELETE FROM accounts.codes WHERE expires_at < now() - interval '1 day'")
        connection.execute("DELETE FROM accounts.tickets WHERE expires_at < now()")
