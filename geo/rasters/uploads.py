"""Uploads: rasters that the office sends in, from the form to the job that converts them. Connections are the registrar's."""

import json
import math
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.errors import ParameterError, UnknownObjectError
from geo.jobs import enqueue
from geo.ramps import ramps
from geo.rasters.catalogue import KINDS, MINE, RANKS, Look, check_name
from geo.sentence import Sentence
from geo.settings import Settings

TASK = "rasters.convert"
SWEEP = "rasters.sweep"
# Converted one after another: a conversion takes a core and a disk.
LOCK = "rasters"
BUSY = frozenset({"queued", "working"})
_LATIN = ("a", "b", "v", "g", "d", "e", "e", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "kh", "ts", "ch", "sh", "shch", "", "y", "", "e", "yu", "ya")  # fmt: skip
_LETTERS = dict(zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", _LATIN, strict=True))
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Wanted:
    """What the sender says of a raster: ``rank`` and ``kind`` as the catalogue knows them."""

    name: str
    title: str
    taken: date
    kind: str
    rank: int
    collection: str | None
    attribution: str
    unit: str

    def document(self) -> dict[str, Any]:
        """As it is kept."""
        return vars(self) | {"taken": self.taken.isoformat()}


def folder(settings: Settings) -> Path:
    """Where files wait for the worker."""
    return settings.home / "raster-uploads"


def name_of(title: str, taken: date) -> str:
    """A name for addresses, of a title and a day: ``relef-aster-2011-10-17``."""
    plain = "".join(_LETTERS.get(letter, letter) for letter in title.lower())
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-")
    return f"{words or 'raster'}-{taken.isoformat()}"


def wanted(fields: dict[str, str], file_name: str) -> Wanted:
    """What a form says of a file; ParameterError or RasterFileError names what cannot be meant."""
    taken = _day(fields["taken"])
    title = (fields["title"].strip() or Path(file_name).stem)[:200]
    return Wanted(
        name=check_name(fields["name"].strip() or name_of(title, taken), "name"),
        title=title,
        taken=taken,
        kind=one_of(fields["kind"], KINDS, "kind"),
        rank=RANKS.index(one_of(fields["access"], RANKS[:3], "access")),
        collection=check_name(fields["collection"].strip(), "collection")
        if fields["collection"].strip()
        else None,
        attribution=fields["attribution"].strip()[:300],
        unit=fields["unit"].strip()[:20],
    )


def look(fields: dict[str, str]) -> Look:
    """What a form says of a raster that is in the catalogue; ParameterError names what cannot be meant."""
    title = fields["title"].strip()[:200]
    if not title:
        raise ParameterError(Sentence("The raster has no title."), Sentence("Give it one."), field="title")
    least, greatest = (_value(fields[name], name) for name in ("least", "greatest"))
    if (least is None) != (greatest is None) or (
        least is not None and greatest is not None and least >= greatest
    ):
        raise ParameterError(
            Sentence("The ends of the colour table do not fit each other."),
            Sentence("Give both, the smaller first, or neither."),
            field="least",
        )
    return Look(
        title=title,
        taken=_day(fields["taken"]),
        kind=one_of(fields["kind"], KINDS, "kind"),
        rank=RANKS.index(one_of(fields["access"], RANKS[:3], "access")),
        attribution=fields["attribution"].strip()[:300],
        unit=fields["unit"].strip()[:20],
        colours=one_of(fields["colours"], list(ramps()), "colours") if fields["colours"] else None,
        least=least,
        greatest=greatest,
    )


def _value(given: str, field: str) -> float | None:
    plain = given.strip().replace(",", ".").replace("\u2212", "-")
    if not plain:
        return None
    try:
        found = float(plain)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise ParameterError(
            Sentence("“%(value)s” is no number.", value=given[:20]),
            Sentence("Write a number, for example 250 or -0,2."),
            field=field,
            value=given[:20],
        )
    return found


def one_of(word: str, known: Sequence[str], field: str) -> str:
    """A word of a list; ParameterError else."""
    if word not in known:
        raise ParameterError(
            Sentence("“%(value)s” is none of the list.", value=word[:40]),
            Sentence("Choose one of the list."),
            field=field,
            value=word[:40],
        )
    return word


def _day(given: str) -> date:
    try:
        found = date.fromisoformat(given)
    except ValueError:
        found = None
    if found is None or not date(1850, 1, 1) <= found <= date.today():
        raise ParameterError(
            Sentence("“%(value)s” is no day on which a picture was taken.", value=given[:20]),
            Sentence("Give a day that has passed."),
            field="taken",
            value=given[:20],
        )
    return found


def store(stream: BinaryIO, settings: Settings, name: str) -> tuple[Path, int]:
    """Keep the bytes as they came, under a name of our own; ParameterError where there are none or too many."""
    place = folder(settings) / secrets.token_hex(8)
    place.mkdir(parents=True, mode=0o700)
    target, size = place / "raster", 0
    with target.open("wb") as out:
        while size <= settings.upload_mb << 20 and (chunk := stream.read(_CHUNK)):
            size += len(chunk)
            out.write(chunk)
    if not size or size > settings.upload_mb << 20:
        discard(target)
        raise ParameterError(
            Sentence("%(file)s: the file is larger than %(size)s MB.", file=name, size=settings.upload_mb)
            if size
            else Sentence("%(file)s: the file is empty.", file=name),
            Sentence(
                "Cut it into sheets, or ask the administrator to add it with the mezha raster add command."
            )
            if size
            else Sentence("Choose another file."),
            field="file",
        )
    return target, size


def discard(path: Path) -> None:
    """Delete a stored file with its folder."""
    path.unlink(missing_ok=True)
    path.parent.rmdir()


@dataclass(frozen=True)
class Sent:
    """A stored file: who sent it for which region, what it was called, ``size`` in bytes."""

    account: int | None
    region: str
    file_name: str
    path: str
    size: int


async def enter(connection: AsyncConnection, sent: Sent, raster: Wanted) -> int:
    """Enter an upload and ask the worker to convert it; its number. ParameterError where the name is taken."""
    taken = text(
        "SELECT EXISTS (SELECT FROM rasters.items WHERE name = :name) OR EXISTS (SELECT FROM rasters.uploads"
        " WHERE item ->> 'name' = :name AND status IN ('queued', 'working'))"
    )
    if (await connection.execute(taken, {"name": raster.name})).scalar_one():
        raise ParameterError(
            Sentence("A raster with the name “%(name)s” is there already.", name=raster.name),
            Sentence("Give another title, another day or a name of its own."),
            field="name",
            value=raster.name,
        )
    statement = text(
        "INSERT INTO rasters.uploads (account, region, file_name, path, size, item)"
        " VALUES (:account, :region, :file_name, :path, :size, CAST(:item AS jsonb)) RETURNING id"
    )
    values = vars(sent) | {"item": json.dumps(raster.document())}
    number = int((await connection.execute(statement, values)).scalar_one())
    await enqueue(connection, TASK, {"number": number}, queue="imports", lock=LOCK)
    return number


async def uploads(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Uploads of the last month in the caller's regions, newest first."""
    statement = text(
        f"SELECT * FROM rasters.uploads WHERE {MINE} AND created_at > now() - interval '30 days' ORDER BY id DESC LIMIT 50"
    )
    return (await connection.execute(statement)).mappings().all()


async def upload(connection: AsyncConnection, number: int) -> RowMapping:
    """One upload of the caller's regions; UnknownObjectError where there is none."""
    statement = text(f"SELECT * FROM rasters.uploads WHERE id = :number AND {MINE}")
    row = (await connection.execute(statement, {"number": number})).mappings().first()
    if row is None:
        raise UnknownObjectError(
            f"There is no upload {number}.", "Look at the list of uploads.", field="upload", value=str(number)
        )
    return row


async def drop(connection: AsyncConnection, number: int) -> None:
    """Stop an upload: a job at work ends within a second; nothing where it is over already."""
    await upload(connection, number)
    statement = text(
        "UPDATE rasters.uploads SET status = 'dropped', changed_at = clock_timestamp()"
        " WHERE id = :number AND status IN ('queued', 'working')"
    )
    await connection.execute(statement, {"number": number})
