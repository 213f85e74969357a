"""Dictionaries that Rosreestr publishes as XML schemas: enumerations with a text for each code."""

from collections.abc import Iterator
from typing import ClassVar

from ingest.batch import Batch
from ingest.readers import xml
from ingest.readers.record import Record, batches_of
from ingest.source import Source


class DictionaryReader:
    """Codes of every enumeration of the file: ``list``, ``code``, ``title``."""

    name: ClassVar[str] = "dictionary"

    def recognises(self, source: Source) -> bool:
        """Whether it is a schema with enumerations."""
        return xml.root_of(source.head) == "schema" and b"enumeration" in source.head

    def layers(self, source: Source) -> list[str]:
        """All enumerations together."""
        return ["entries"]

    def batches(self, source: Source, layer: str | None) -> Iterator[Batch]:
        """Codes in the order of the file."""
        yield from batches_of(_records(source))


def _records(source: Source) -> Iterator[Record]:
    for simple in xml.events(source, ("simpleType",)):
        for code in xml.descendants(simple, "enumeration"):
            texts = xml.descendants(code, "documentation")
            title = " ".join((t.text or "").strip() for t in texts).strip() or None
            yield Record({"list": simple.get("name"), "code": code.get("value"), "title": title}, None, "")
