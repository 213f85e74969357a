"""Accounts, parties and duties made by the operator of the installation, not by people themselves.

The connection is the owner's: commands and the demonstration use it, requests never do.
"""

from dataclasses import dataclass

import psycopg
from psycopg.rows import TupleRow

from accounts.action import Action
from accounts.errors import IdentifierError, TakenError
from accounts.journal import Entry, enter
from accounts.passwords import check_strength, hasher
from geo.errors import ParameterError, UnknownObjectError
from geo.identifiers import inn_is_valid

ROLES = ("owner", "operator", "controller", "contractor")
DUTIES = ("officer", "inspector", "registrar", "administrator")


@dataclass(frozen=True)
class Newcomer:
    """Somebody to enrol; his address counts as confirmed, for the operator vouches for it."""

    login: str
    email: str
    name: str
    confirmed: bool = True
    must_change: bool = True


@dataclass(frozen=True)
class Company:
    """A party to enrol; the operator vouches for it."""

    inn: str
    name: str
    region: str
    ogrn: str | None = None


def enrol(connection: psycopg.Connection[TupleRow], newcomer: Newcomer, password: str) -> int:
    """Make an account with a password and return its number; TakenError where name or address are in use."""
    check_strength(password)
    if "@" not in newcomer.email:
        raise ParameterError(
            f"{newcomer.email[:60]} is no e-mail address.", "Write name@host.", field="email"
        )
    row = connection.execute(
        "INSERT INTO accounts.accounts (login, email, name, status) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING RETURNING id",
        [
            newcomer.login,
            newcomer.email,
            newcomer.name,
            "confirmed" if newcomer.confirmed else "active",
        ],
    ).fetchone()
    if row is None:
        raise TakenError(
            f"There is an account {newcomer.login} or {newcomer.email} already.", "Choose another name."
        )
    connection.execute(
        "SELECT accounts.set_password(%s, %s, %s, NULL)",
        [row[0], hasher.hash(password), newcomer.must_change],
    )
    enter(connection, Entry(Action.account_made, concerned=row[0], subject="account", object=row[0]))
    return int(row[0])


def company(connection: psycopg.Connection[TupleRow], facts: Company) -> int:
    """The confirmed party of an INN, made where there is none."""
    if not inn_is_valid(facts.inn):
        raise IdentifierError(
            f"{facts.inn[:20]} is no INN.", "Check its control digits.", field="inn", value=facts.inn[:20]
        )
    row = connection.execute(
        "SELECT id FROM accounts.parties WHERE inn = %s AND status = 'confirmed' AND parent IS NULL",
        [facts.inn],
    ).fetchone()
    if row is None:
        kind = "company" if len(facts.inn) == 10 else "entrepreneur"
        row = connection.execute(
            "INSERT INTO accounts.parties (kind, name, inn, ogrn, region, status)"
            " VALUES (%s, %s, %s, %s, %s, 'confirmed') RETURNING id",
            [kind, facts.name, facts.inn, facts.ogrn, facts.region],
        ).fetchone()
    return int(row[0]) if row else 0


def join(
    connection: psycopg.Connection[TupleRow],
    account: int,
    party: int,
    role: str,
    objects: list[int] | None = None,
) -> None:
    """Give a role in a party; a contractor sees only the objects named."""
    if role not in ROLES:
        raise ParameterError(
            f"There is no role {role[:30]}.", f"Roles: {', '.join(ROLES)}.", field="role", value=role[:30]
        )
    limited = objects if objects is not None else [] if role == "contractor" else None
    connection.execute(
        "INSERT INTO accounts.members (party, account, role, objects) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (party, account) WHERE ended_at IS NULL DO UPDATE SET role = EXCLUDED.role, objects = EXCLUDED.objects",
        [party, account, role, limited],
    )
    enter(
        connection,
        Entry(Action.right_given, concerned=account, subject="party", object=party, details={"role": role}),
    )


def appoint(
    connection: psycopg.Connection[TupleRow], account: int, duty: str, region: str, office: str
) -> None:
    """Give a duty in an office; the office is made where there is none of that name."""
    if duty not in DUTIES:
        raise ParameterError(
            f"There is no duty {duty[:30]}.", f"Duties: {', '.join(DUTIES)}.", field="duty", value=duty[:30]
        )
    connection.execute(
        "INSERT INTO accounts.offices (name, region) VALUES (%s, %s) ON CONFLICT DO NOTHING", [office, region]
    )
    connection.execute(
        "INSERT INTO accounts.staff (account, office, region, duty)"
        " SELECT %s, id, %s, %s FROM accounts.offices WHERE name = %s AND region = %s ON CONFLICT DO NOTHING",
        [account, region, duty, office, region],
    )
    enter(
        connection,
        Entry(
            Action.right_given,
            concerned=account,
            subject="staff",
            region=region if region != "*" else "",
            details={"duty": duty},
        ),
    )


def reset(
    connection: psycopg.Connection[TupleRow], name: str, password: str, *, factors: bool = False
) -> int:
    """Let somebody in who is locked out: a password that must be changed, no lock, no session; his account.

    ``factors`` takes his authenticator app and passkeys too. UnknownObjectError where there is no such account.
    """
    check_strength(password)
    row = connection.execute(
        "SELECT id FROM accounts.accounts WHERE lower(login) = lower(%(name)s) OR lower(email) = lower(%(name)s)",
        {"name": name},
    ).fetchone()
    if row is None:
        raise UnknownObjectError(f"There is no account {name[:60]}.", "Check its name or e-mail address.")
    account = int(row[0])
    connection.execute("SELECT accounts.set_password(%s, %s, true, NULL)", [account, hasher.hash(password)])
    connection.execute(
        "DELETE FROM accounts.guards WHERE key = ANY (%s)", [[f"account:{account}", f"second:{account}"]]
    )
    connection.execute(
        "UPDATE accounts.accounts SET status = 'active' WHERE id = %s AND status IN ('new', 'blocked')",
        [account],
    )
    if factors:
        connection.execute("DELETE FROM accounts.totps WHERE account = %s", [account])
        connection.execute("DELETE FROM accounts.passkeys WHERE account = %s", [account])
    details = {"by": "operator", "factors": factors}
    enter(
        connection,
        Entry(Action.recovery, concerned=account, subject="account", object=account, details=details),
    )
    return account
