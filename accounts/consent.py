"""Consent to the terms of use and to the processing of personal data, recorded at the first entry (C-42)."""

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.action import Action
from accounts.journal import Entry, record
from accounts.models import Consent
from accounts.origin import Origin

# The edition of the terms in force; a new one asks everybody again.
EDITION = "2026-01"
DOCUMENTS = ("terms", "personal-data")


async def give(connection: AsyncConnection, account: int, origin: Origin) -> None:
    """Record the consent of the caller's account to both documents; safe to repeat."""
    rows = [
        {"account": account, "document": document, "edition": EDITION, "address": origin.address}
        for document in DOCUMENTS
    ]
    statement = insert(Consent).values(rows).on_conflict_do_nothing().returning(Consent.id)
    if (await connection.execute(statement)).first():
        await record(
            connection,
            Entry(
                Action.consent,
                account=account,
                concerned=account,
                address=origin.address,
                details={"documents": list(DOCUMENTS), "edition": EDITION},
            ),
        )


async def given(connection: AsyncConnection) -> list[tuple[str, str, object]]:
    """Documents, editions and times of the caller's consents."""
    rows = await connection.execute(
        text("SELECT document, edition, given_at FROM accounts.consents ORDER BY given_at DESC, document")
    )
    return [(row[0], row[1], row[2]) for row in rows]
