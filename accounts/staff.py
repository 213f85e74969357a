"""Staff: duties in offices and regions, given and taken by administrators."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import profile
from accounts.action import Action
from accounts.errors import DeniedError
from accounts.journal import Entry, record
from accounts.models import Account, Office, Staff
from accounts.person import FEDERAL, Person
from geo.errors import ParameterError
from geo.identifiers import region_is_valid

DUTIES = ("officer", "inspector", "registrar", "administrator")
_LIST = text(
    "SELECT s.id, s.account, a.name, a.login, a.email, s.duty, s.region, o.name AS office, s.since, a.status"
    " FROM accounts.staff s JOIN accounts.accounts a ON a.id = s.account JOIN accounts.offices o ON o.id = s.office"
    " WHERE s.ended_at IS NULL ORDER BY s.region, s.duty, a.name"
)
_OFFICE = text("SELECT id FROM accounts.offices WHERE name = :name AND region = :region")


def _administrator(person: Person) -> None:
    if not person.administrator:
        raise DeniedError("This is for administrators.", "Ask an administrator.")


async def everybody(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Everybody with a duty, as far as the caller may see: an administrator all, others themselves."""
    return (await connection.execute(_LIST)).mappings().all()


async def appoint(
    connection: AsyncConnection, person: Person, *, name: str, duty: str, region: str, office: str
) -> None:
    """Give a duty to the account of a name or address."""
    _administrator(person)
    office = " ".join(office.split())
    if duty not in DUTIES:
        raise ParameterError(f"There is no duty {duty[:30]}.", f"Duties: {', '.join(DUTIES)}.", field="duty")
    if region != FEDERAL and not region_is_valid(region):
        raise ParameterError("The region is missing.", "Write two digits, or * for all.", field="region")
    if not 2 <= len(office) <= 200:
        raise ParameterError("The office is missing.", "Write its name.", field="office")
    account = await profile.find(connection, name)
    if account is None:
        raise ParameterError(
            f"There is no account {name[:60]}.", "Write its name or e-mail.", field="account", value=name[:60]
        )
    values = {"name": office, "region": region}
    await connection.execute(insert(Office).values(values).on_conflict_do_nothing())
    number = (await connection.execute(_OFFICE, values)).scalar_one()
    row = {
        "account": account,
        "office": number,
        "region": region,
        "duty": duty,
        "granted_by": person.account,
    }
    await connection.execute(insert(Staff).values(row).on_conflict_do_nothing())
    await record(connection, _entry(Action.right_given, person, account, region, {"duty": duty}))


async def dismiss(connection: AsyncConnection, person: Person, number: int) -> None:
    """Take a duty; the last administrator stays."""
    _administrator(person)
    administrators = [row for row in await everybody(connection) if row["duty"] == "administrator"]
    if [row["id"] for row in administrators] == [number]:
        raise DeniedError("The installation needs an administrator.", "Appoint another one first.")
    statement = (
        update(Staff)
        .where(Staff.id == number, Staff.ended_at.is_(None))
        .values(ended_at=text("now()"))
        .returning(Staff.account, Staff.region, Staff.duty)
    )
    row = (await connection.execute(statement)).one_or_none()
    if row:
        entry = _entry(Action.right_taken, person, row.account, row.region, {"duty": row.duty})
        await record(connection, entry)


async def block(connection: AsyncConnection, person: Person, account: int) -> None:
    """Close an account: its sessions and tokens stop working with their next request."""
    _administrator(person)
    if account == person.account:
        raise DeniedError("Nobody closes his own account.", "Ask another administrator.")
    await connection.execute(update(Account).where(Account.id == account).values(status="blocked"))
    await record(connection, _entry(Action.account_changed, person, account, "", {"status": "blocked"}))


def _entry(action: Action, person: Person, concerned: int, region: str, details: dict[str, str]) -> Entry:
    return Entry(
        action,
        account=person.account,
        concerned=concerned,
        subject="staff",
        region="" if region == FEDERAL else region,
        details=details,
    )
