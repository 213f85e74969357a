"""Confirmation of a person or a party: evidence, an officer's check, a one-time code (C-40, F-39, S-52)."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import codes
from accounts.action import Action
from accounts.errors import CodeError, DeniedError, TakenError
from accounts.journal import Entry, record
from accounts.models import Confirmation
from accounts.person import Person
from geo.errors import ParameterError
from geo.identifiers import region_is_valid

# Open first: a request is filed, its code is sent after the check, then it is confirmed, or refused with a reason.
STATUSES = ("filed", "code_sent", "confirmed", "refused")
_CONFIRM = text("SELECT accounts.confirm(:request)")
_QUEUE = text(
    "SELECT c.id, c.account, a.name, a.email, p.name AS party, p.inn, c.region, c.evidence, c.number, c.status, c.filed_at"
    " FROM accounts.confirmations c JOIN accounts.accounts a ON a.id = c.account"
    " LEFT JOIN accounts.parties p ON p.id = c.party"
    " WHERE c.status = 'filed' AND c.account <> access.account() ORDER BY c.filed_at LIMIT 200"
)


async def file(
    connection: AsyncConnection, person: Person, *, party: int | None, region: str, evidence: str, number: str
) -> None:
    """Ask for confirmation of oneself, or of a party of one's own, with a document that proves it."""
    evidence, number = " ".join(evidence.split()), " ".join(number.split())
    if not 5 <= len(evidence) <= 1000 or not 1 <= len(number) <= 60:
        raise ParameterError(
            "The document is not named.", "Write what it is and its number.", field="evidence"
        )
    if party is not None and party not in person.parties:
        raise DeniedError("You do not own that party.", "Choose a party of yours.")
    if not region_is_valid(region):
        raise ParameterError("The region is missing.", "Write the two digits of its code.", field="region")
    values = {
        "account": person.account,
        "party": party,
        "region": region,
        "evidence": evidence,
        "number": number,
    }
    statement = insert(Confirmation).values(values).on_conflict_do_nothing().returning(Confirmation.id)
    made = (await connection.execute(statement)).scalar_one_or_none()
    if made is None:
        raise TakenError("There is a request already.", "Wait for the check, or enter the code.")
    await record(connection, _entry(Action.submit, person, person.account, made, region))


async def own(connection: AsyncConnection, person: Person) -> Sequence[RowMapping]:
    """Requests of the caller, newest first."""
    columns = [
        getattr(Confirmation, name)
        for name in ("id", "party", "region", "evidence", "number", "status", "reason", "filed_at")
    ]
    statement = (
        select(*columns).where(Confirmation.account == person.account).order_by(Confirmation.id.desc())
    )
    return (await connection.execute(statement)).mappings().all()


async def queue(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Requests that wait for an officer of the caller's regions."""
    return (await connection.execute(_QUEUE)).mappings().all()


async def check(
    connection: AsyncConnection, person: Person, request: int, *, accepted: bool, reason: str
) -> None:
    """An officer's word: the code is sent, or the request is refused with a reason."""
    reason = " ".join(reason.split())[:500]
    if not accepted and not reason:
        raise ParameterError("A refusal needs a reason.", "Write what is missing.", field="reason")
    values = {
        "status": "code_sent" if accepted else "refused",
        "reason": reason or None,
        "officer": person.account,
        "checked_at": text("now()"),
    }
    statement = (
        update(Confirmation)
        .where(Confirmation.id == request, Confirmation.status == "filed")
        .values(values)
        .returning(Confirmation.account, Confirmation.region)
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        raise DeniedError(
            "This request is not yours to check, or was checked already.", "Open the list again."
        )
    if accepted:
        await codes.ask(connection, "confirm", account=row.account, carries=str(request))
    action = Action.account_confirmed if accepted else Action.account_refused
    await record(connection, _entry(action, person, row.account, request, row.region))


async def again(connection: AsyncConnection, person: Person, request: int) -> None:
    """Have the code sent again; the old one, blocked or not, is void."""
    if any(row["id"] == request and row["status"] == "code_sent" for row in await own(connection, person)):
        await codes.ask(connection, "confirm", account=person.account, carries=str(request))


async def finish(connection: AsyncConnection, person: Person, code: str) -> CodeError | None:
    """Enter the code. A wrong one blocks until a new one is sent (F-39); the error is returned, for that must commit."""
    try:
        request = int(await codes.take(connection, person.account, "confirm", code))
    except CodeError as err:
        return err
    outcome = (await connection.execute(_CONFIRM, {"request": request})).scalar_one()
    if outcome != "confirmed":
        raise TakenError(
            "A party with this INN is confirmed already.", "Ask its owner to invite you.", value=outcome
        )
    await record(connection, _entry(Action.account_confirmed, person, person.account, request, ""))
    return None


def _entry(action: Action, person: Person, concerned: int | None, request: int, region: str) -> Entry:
    return Entry(
        action,
        account=person.account,
        concerned=concerned,
        subject="confirmation",
        object=request,
        region=region,
    )
