"""Issuing a decision: composed, drawn, sealed, kept and entered into the journal, in the transaction that decides."""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import journal
from accounts.action import Action as Did
from accounts.journal import Entry
from cases.decisions import content, paper, plan_sheet, seal
from cases.decisions.content import Ruling
from cases.decisions.errors import NoSealError
from cases.decisions.seal import Seal
from cases.desk import Actor, Desk
from cases.documents import shelf, store
from cases.documents.shelf import DECISION, Document, Kept, Offer
from cases.file_format import Format
from geo.settings import Settings

# Letters and digits that nobody mixes up, read aloud or typed from paper.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_NEXT = text("SELECT coalesce(max(seq), 0) + 1 FROM cases.decisions WHERE case_id = :case")
_ADD = text(
    "INSERT INTO cases.decisions (case_id, seq, number, token, outcome, document_id, sha256)"
    " VALUES (:case, :seq, :number, :token, :outcome, :document, :sha256) RETURNING id"
)


@dataclass(frozen=True)
class Issued:
    """A decision that was issued."""

    id: int
    number: str
    token: str
    document: Document


def new_token() -> str:
    """A code of a hundred bits, for the address of the proof."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(20))


def address(settings: Settings, token: str) -> str:
    """The page that proves a decision."""
    base = settings.base_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
    return f"{base}/verify/{token}"


def prepare(settings: Settings) -> None:
    """Load the key, the fonts and the libraries, so that no officer waits for it at his first decision. Blocks: call it
    in a thread; where the office has no key, its decisions will say so."""
    try:
        office = seal.seal_of(settings)
    except NoSealError:
        return
    seal.sealed(office, paper.blank(), "")


async def issue(connection: AsyncConnection, desk: Desk, actor: Actor, ruling: Ruling) -> Issued:
    """Issue the decision of a case that the caller holds locked; NoSealError where the office cannot sign.

    The bytes lie in the store before the transaction commits; where it does not, no row leads to them.
    """
    settings, case = desk.installation, ruling.case
    office = await asyncio.to_thread(seal.seal_of, settings)
    sequence = (await connection.execute(_NEXT, {"case": case.id})).scalar_one()
    number, token = f"{case.number}-Р{sequence}", new_token()
    place = await plan_sheet.gathered(connection, case, desk.today())
    told = _content(desk, ruling, office, number=number, token=token)
    pdf = await asyncio.to_thread(_made, ruling, told, place, office)
    sha256 = await store.keep_bytes(settings, pdf)
    offer = Offer(DECISION, f"{number}.pdf")
    kept = Kept(Format.pdf, {}, len(pdf), sha256, "own")
    series = await shelf.next_series(connection, case.id)
    document = await shelf.add(connection, actor, case, offer, kept, series=series)
    values = {
        "case": case.id,
        "seq": sequence,
        "number": number,
        "token": token,
        "outcome": ruling.outcome,
        "document": document.id,
        "sha256": sha256,
    }
    identity: int = (await connection.execute(_ADD, values)).scalar_one()
    await _journal(connection, actor, ruling, identity, number=number, sha256=sha256)
    return Issued(identity, number, token, document)


def _content(desk: Desk, ruling: Ruling, office: Seal, *, number: str, token: str) -> dict[str, Any]:
    today, settings = desk.today(), desk.installation
    link = address(settings, token)
    return {
        "title": ruling.service.decision.title.ru,
        "number": number,
        "office": settings.authority_name or office.name,
        "day": [today.year, today.month, today.day],
        "date": f"{today:%d.%m.%Y}",
        "granted": ruling.granted,
        "verdict": "Одобрено" if ruling.granted else "Отказано",
        "reason": ruling.reason,
        "facts": content.facts(ruling),
        "answers": content.answers(ruling),
        "rules": content.rules(ruling),
        "changes": content.changes(ruling),
        "appeal": content.appeal(ruling),
        "officer": ruling.officer,
        "seal": {
            "name": office.name,
            "serial": office.serial,
            "since": f"{office.since:%d.%m.%Y}",
            "until": f"{office.until:%d.%m.%Y}",
        },
        "address": link,
        "qr": paper.qr(link),
    }


def _made(ruling: Ruling, told: dict[str, Any], place: plan_sheet.Place | None, office: Seal) -> bytes:
    """Draw, set and seal: a tenth of a second of computing, away from the event loop."""
    sheet = plan_sheet.nothing()
    if place is not None:
        name = str(ruling.subject.get("number") or ruling.subject.get("name") or ruling.case.number)
        sheet = plan_sheet.content(place, name)
    pdf = paper.compiled(ruling.service.decision.template, told | sheet)
    return seal.sealed(office, pdf, told["title"])


async def _journal(
    connection: AsyncConnection, actor: Actor, ruling: Ruling, identity: int, *, number: str, sha256: str
) -> None:
    case = ruling.case
    details = {"case": case.id, "number": number, "outcome": ruling.outcome, "sha256": sha256}
    entry = Entry(
        Did.sign,
        account=actor.caller.account,
        subject="cases.decisions",
        object=identity,
        region=case.region,
        inn=case.party_inn,
        details=details,
    )
    await journal.record(connection, entry)
