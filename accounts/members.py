"""Members of a party: invited by its owner, limited to objects where he wishes, ended by him."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import RowMapping, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import letters, mail
from accounts.action import Action
from accounts.errors import CodeError, DeniedError
from accounts.journal import Entry, record
from accounts.models import Invitation, Member
from accounts.person import Membership, Person
from accounts.registration import checked_email
from accounts.secret import digest, new_secret
from geo.errors import ParameterError
from geo.identifiers import whole_number

ROLES = ("owner", "operator", "controller", "contractor")
_TEAM = text("SELECT * FROM accounts.team(:party)")
_ACCEPT = text("SELECT accounts.accept(:digest)")
_HELD = text("SELECT accounts.held(CAST(:objects AS bigint[]), :inn)")
LIFE_DAYS = 7


def owned(person: Person, party: int) -> Membership:
    """The caller's ownership of a party; DeniedError where he has none."""
    for membership in person.memberships:
        if membership.party == party and membership.role == "owner":
            return membership
    raise DeniedError("You are not an owner of that party.", "Ask its owner.")


def _checked_role(role: str) -> str:
    if role not in ROLES:
        raise ParameterError(
            f"There is no role {role[:30]}.", f"Roles: {', '.join(ROLES)}.", field="role", value=role[:30]
        )
    return role


async def checked_objects(
    connection: AsyncConnection, given: str, role: str, party: Membership
) -> list[int] | None:
    """Objects to which a member is limited: numbers with commas or blanks; each must be held by the party today."""
    words = given.replace(",", " ").split()
    if not words:
        return [] if role == "contractor" else None
    numbers = [whole_number(word) for word in words]
    wanted = sorted({number for number in numbers if number is not None})
    if None in numbers or len(words) > 1000:
        raise ParameterError(
            "The objects are no list of numbers.", "Write numbers of objects with commas.", field="objects"
        )
    held = set((await connection.execute(_HELD, {"objects": wanted, "inn": party.inn})).scalar_one())
    foreign = [number for number in wanted if number not in held]
    if foreign:
        raise ParameterError(
            f"Object {foreign[0]} is not held by {party.name[:80]}.",
            "Share only what your party holds today.",
            field="objects",
            value=str(foreign[0]),
        )
    return wanted


async def team(connection: AsyncConnection, party: int) -> Sequence[RowMapping]:
    """Members of a party for those who belong to it; nobody for others."""
    return (await connection.execute(_TEAM, {"party": party})).mappings().all()


async def invitations(connection: AsyncConnection, party: int) -> Sequence[RowMapping]:
    """Invitations of a party that are open, for its owners."""
    columns = [getattr(Invitation, name) for name in ("id", "email", "role", "expires_at")]
    statement = select(*columns).where(
        Invitation.party == party,
        Invitation.accepted_at.is_(None),
        Invitation.withdrawn_at.is_(None),
        Invitation.expires_at > text("now()"),
    )
    return (await connection.execute(statement)).mappings().all()


async def invite(
    connection: AsyncConnection,
    person: Person,
    party: int,
    *,
    email: str,
    role: str,
    objects: str,
    base: str,
) -> None:
    """Invite somebody by a letter; it works only for the account that has this address."""
    membership = owned(person, party)
    limited = await checked_objects(connection, objects, _checked_role(role), membership)
    secret, address = new_secret(), checked_email(email)
    values = {
        "party": party,
        "email": address,
        "role": role,
        "objects": limited,
        "digest": digest(secret),
        "created_by": person.account,
        "expires_at": datetime.now(UTC) + timedelta(days=LIFE_DAYS),
    }
    await connection.execute(insert(Invitation).values(values))
    subject, body = letters.invitation(person.locale, membership.name, f"{base}/team/invitation/{secret}")
    await mail.post(connection, address, subject, body)
    await record(connection, _entry(Action.right_given, person, party, {"invited": email, "role": role}))


async def withdraw(connection: AsyncConnection, person: Person, invitation: int) -> None:
    """Withdraw an invitation of one's party."""
    statement = (
        update(Invitation)
        .where(Invitation.id == invitation, Invitation.withdrawn_at.is_(None))
        .values(withdrawn_at=text("now()"))
        .returning(Invitation.party, Invitation.role)
    )
    row = (await connection.execute(statement)).one_or_none()
    if row:
        details = {"invitation": invitation, "role": row.role}
        await record(connection, _entry(Action.right_taken, person, row.party, details))


async def accept(connection: AsyncConnection, person: Person, secret: str) -> int:
    """Accept an invitation; the party. CodeError where it is over, used, or somebody else's."""
    party = (await connection.execute(_ACCEPT, {"digest": digest(secret)})).scalar_one_or_none()
    if party is None:
        raise CodeError(
            "This invitation is over, was used, or is for another address.",
            "Ask for a new one.",
            value="expired",
        )
    await record(connection, _entry(Action.right_given, person, party, {"accepted": True}))
    return int(party)


async def change(
    connection: AsyncConnection, person: Person, member: int, *, party: int, role: str, objects: str
) -> None:
    """Change role and objects of a member of one's party."""
    membership = owned(person, party)
    values = {
        "role": _checked_role(role),
        "objects": await checked_objects(connection, objects, role, membership),
    }
    await _keep_owner(connection, party, member, still=role == "owner")
    statement = (
        update(Member)
        .where(Member.id == member, Member.party == party, Member.ended_at.is_(None))
        .values(values)
        .returning(Member.account)
    )
    concerned = (await connection.execute(statement)).scalar_one_or_none()
    if concerned is not None:
        entry = _entry(Action.right_given, person, party, {"role": role, "objects": objects}, concerned)
        await record(connection, entry)


async def end(connection: AsyncConnection, person: Person, member: int, *, party: int) -> None:
    """Take the right from a member of one's party; he is out with his next request."""
    owned(person, party)
    await _keep_owner(connection, party, member, still=False)
    statement = (
        update(Member)
        .where(Member.id == member, Member.party == party, Member.ended_at.is_(None))
        .values(ended_at=text("now()"))
        .returning(Member.account)
    )
    concerned = (await connection.execute(statement)).scalar_one_or_none()
    if concerned is not None:
        await record(connection, _entry(Action.right_taken, person, party, {}, concerned))


async def _keep_owner(connection: AsyncConnection, party: int, member: int, *, still: bool) -> None:
    """A party must never be left without an owner."""
    statement = select(Member.id).where(
        Member.party == party, Member.role == "owner", Member.ended_at.is_(None)
    )
    owners = set((await connection.execute(statement.with_for_update())).scalars())
    if not still and owners == {member}:
        raise DeniedError("A party needs an owner.", "Make somebody else an owner first.")


def _entry(
    action: Action, person: Person, party: int, details: dict[str, object], concerned: int | None = None
) -> Entry:
    return Entry(
        action,
        account=person.account,
        concerned=concerned or person.account,
        subject="party",
        object=party,
        details=details,
    )
