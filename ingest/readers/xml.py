"""XML read as a stream, element by element and by local name; nothing outside the file is ever resolved."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from lxml import etree

from ingest.errors import RefusedError
from ingest.source import Source

Element = Any


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
            f"{source.path.name} declares a document type or entities; registry files never do.",
            "Ask its sender for the file as the register issued it.",
            field="file",
            value=source.path.name,
        )


def events(source: Source, names: tuple[str, ...], *, beside: tuple[str, ...] = ()) -> Iterator[Element]:
    """Elements of the given local names, one at a time; what was passed is dropped, so memory stays flat.

    ``beside``: the other records of such a file. They are dropped as they come, even where none of ``names`` follows.
    """
    refuse_doctype(source)
    wanted = frozenset(names)
    try:
        parser = etree.iterparse(
            str(source.path),
            events=("end",),
            tag=[f"{{*}}{n}" for n in dict.fromkeys((*names, *beside))],
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        for _, element in parser:
            if local(element) in wanted:
                yield element
            elif any(local(ancestor) in wanted for ancestor in element.iterancestors()):
                # A part of what is still to come.
                continue
            _drop(element)
    except etree.XMLSyntaxError as err:
        raise RefusedError(
            f"{source.path.name} is damaged XML ({err.msg}).",
            "Download the file from the register again.",
            field="file",
            value=source.path.name,
        ) from err


def _drop(element: Element) -> None:
    """Free an element that was read, and everything that stands before it."""
    element.clear()
    passed = element
    while (parent := passed.getparent()) is not None:
        while passed.getprevious() is not None:
            del parent[0]
        passed = parent
