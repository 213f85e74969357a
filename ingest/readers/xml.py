"""XML read as a stream, element by element and by local name; nothing outside the file is ever resolved."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, BinaryIO

from lxml import etree

from ingest.errors import RefusedError
from ingest.readers import giant
from ingest.source import Source

Element = Any
# What an element that was thinned out took in the file, in bytes; its name is in no namespace of a register.
_GIANT = "{urn:mezha}giant"
# Children that an element may keep when it is thinned out.
_FEW = 100


def local(element: Element) -> str:
    """Name without the namespace; empty for comments and the like."""
    tag = element.tag
    return _bare(tag) if isinstance(tag, str) else ""


@lru_cache(maxsize=4096)
def _bare(tag: str) -> str:
    return tag.rpartition("}")[2]


@lru_cache(maxsize=1024)
def _filters(path: str) -> tuple[str, ...]:
    return tuple(f"{{*}}{name}" for name in path.split("/"))


def find(element: Element | None, path: str) -> Element | None:
    """First descendant along a path of local names such as ``params/area/value``."""
    for name in _filters(path):
        if element is None:
            return None
        element = next(element.iterchildren(name), None)
    return element


def text(element: Element | None, path: str) -> str | None:
    """Trimmed text along a path of local names, None where there is none."""
    found = find(element, path)
    return found.text.strip() if found is not None and found.text and found.text.strip() else None


def attribute(element: Element | None, path: str, name: str) -> str | None:
    """An attribute of the element itself or of a descendant."""
    found = find(element, path) if path else element
    return found.get(name) if found is not None else None


def descendants(element: Element, name: str) -> list[Element]:
    """All descendants of that local name."""
    return list(element.iter(f"{{*}}{name}"))


def root_of(head: bytes) -> str:
    """Local name of the root element by the first bytes; empty where it is no XML."""
    if not head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return ""
    match = re.search(rb"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)[\s/>]", head[:20_000])
    return match[1].decode("ascii", "replace") if match else ""


def refuse_doctype(source: Source) -> None:
    """Registry files declare no document types: one is an attack (entities) or a page of a web server."""
    head = source.head.replace(b"\x00", b"")
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise RefusedError(
            f"{source.name} declares a document type or entities; registry files never do.",
            "Ask its sender for the file as the register issued it.",
            field="file",
            value=source.name,
        )


class _Bounded:
    """The bytes of a file as the parser takes them; a record that takes too many is thinned out, or the file refused."""

    def __init__(self, source: Source, stream: BinaryIO, *, thin: bool) -> None:
        self._source, self._stream, self._thin = source, stream, thin
        self._root: Element | None = None
        self._record: Element | None = None
        # Bytes since the record began, or since the last one ended.
        self._taken = 0

    def read(self, size: int) -> bytes:
        """The next bytes; RefusedError where one record took too many and may not be thinned out."""
        chunk = self._stream.read(size)
        self._taken += len(chunk)
        if self._taken > self._source.largest:
            self._shrink()
        return chunk

    def _shrink(self) -> None:
        if self._record is not None and not self._thin:
            giant.refuse(self._source, self._taken)
        held = self._root if self._record is None else self._record
        if held is not None:
            _thin_out(held)

    def begin(self, element: Element) -> None:
        """The root begins, or a record, perhaps inside another one."""
        if element.getparent() is None:
            self._root = element
        elif self._record is None:
            self._record, self._taken = element, 0

    def end(self, element: Element) -> None:
        """What began is complete."""
        if self._record is not None and element is self._record:
            if self._taken > self._source.largest:
                element.set(_GIANT, str(self._taken))
            self._record, self._taken = None, 0


def _thin_out(element: Element) -> None:
    """Free most of an element that is still being read; what describes it, a few elements on each level, stays."""
    while len(element):
        if len(element) > _FEW:
            del element[:-1]
        element = element[-1]


def giant_size(element: Element) -> int:
    """Bytes that an element took in the file where it was too large to be kept whole; 0 elsewhere."""
    return int(element.get(_GIANT, "0"))


def events(
    source: Source, names: tuple[str, ...], *, beside: tuple[str, ...] = (), thin: bool = False
) -> Iterator[Element]:
    """Elements of the given local names, one at a time; what was passed is dropped, so memory stays flat.

    ``beside``: the other records of such a file. They are dropped as they come, even where none of ``names`` follows.
    ``thin``: an element larger than the source may hold comes thinned out (`giant_size`); else the file is refused.
    """
    refuse_doctype(source)
    wanted = frozenset(names)
    with source.path.open("rb") as stream:
        bounded = _Bounded(source, stream, thin=thin)
        for element in _ended(source, bounded, (*names, *beside, root_of(source.head))):
            if local(element) in wanted:
                yield element
            elif any(local(ancestor) in wanted for ancestor in element.iterancestors()):
                # A part of what is still to come.
                continue
            _drop(element)


def _ended(source: Source, bounded: _Bounded, names: tuple[str, ...]) -> Iterator[Element]:
    """Elements of some local names as they are complete; RefusedError where the file is damaged."""
    try:
        parser = etree.iterparse(
            bounded,
            events=("start", "end"),
            tag=[f"{{*}}{n}" for n in dict.fromkeys(names) if n],
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        for event, element in parser:
            if event == "start":
                bounded.begin(element)
                continue
            bounded.end(element)
            yield element
    except etree.XMLSyntaxError as err:
        raise RefusedError(
            f"{source.name} is damaged XML ({err.msg}).",
            "Download the file from the register again.",
            field="file",
            value=source.name,
        ) from err


def _drop(element: Element) -> None:
    """Free an element that was read, and everything that stands before it."""
    element.clear()
    passed = element
    while (parent := passed.getparent()) is not None:
        while passed.getprevious() is not None:
            del parent[0]
        passed = parent
