"""XML read as a stream, element by element and by local name; nothing outside the file is ever resolved."""

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from ingest.errors import RefusedError
from ingest.source import Source

Element = Any


def local(element: Element) -> str:
    """Name without the namespace; empty for comments and the like."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def find(element: Element | None, path: str) -> Element | None:
    """First descendant along a path of local names such as ``params/area/value``."""
    for name in path.split("/"):
        if element is None:
            return None
        element = next((child for child in element if local(child) == name), None)
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
    return [e for e in element.iter() if local(e) == name]


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


def events(source: Source, names: tuple[str, ...]) -> Iterator[Element]:
    """Elements of the given local names, one at a time; memory stays flat."""
    refuse_doctype(source)
    try:
        parser = etree.iterparse(
            str(source.path),
            events=("end",),
            tag=[f"{{*}}{n}" for n in names],
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        for _, element in parser:
            yield element
            element.clear()
            while element.getprevious() is not None and element.getparent() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as err:
        raise RefusedError(
            f"{source.path.name} is damaged XML ({err.msg}).",
            "Download the file from the register again.",
            field="file",
            value=source.path.name,
        ) from err
