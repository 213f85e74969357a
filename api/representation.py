"""How an answer is represented: JSON for machines, a page for people, by ``f`` or Accept."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any

import orjson
from fastapi import Request, Response
from jinja2 import Environment, PackageLoader, select_autoescape

from api.links import here
from geo.errors import ParameterError
from geo.export import KINDS, Format


class Representation(StrEnum):
    """The formats of a document."""

    json = "json"
    html = "html"


def negotiated(request: Request) -> Representation:
    """The format that the client wants of a document; ParameterError for an unknown ``f``."""
    wanted = request.query_params.get("f")
    if wanted is not None:
        if wanted not in set(Representation):
            raise _unknown(wanted, Representation)
        return Representation(wanted)
    weights = _weights(request.headers.get("accept", ""))
    ours = {kind: w for kind, w in weights.items() if w and (kind == "text/html" or kind.endswith("json"))}
    # Where both are accepted alike, the order tells: browsers name the page first.
    preferred = max(ours, key=ours.__getitem__, default="")
    return Representation.html if preferred == "text/html" else Representation.json


@lru_cache(maxsize=256)
def _weights(accept: str) -> dict[str, float]:
    """Media types of an Accept header with their weights, in its order; one that is not understood weighs nothing."""
    found: dict[str, float] = {}
    for part in accept.lower().split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        found[kind] = float(weight) if re.fullmatch(r"[01](\.\d{0,3})?", weight) else 0.0
    return found


def wanted_file(request: Request) -> Format | None:
    """The file that the client wants of a collection, None for a page; ParameterError for an unknown ``f``."""
    wanted = request.query_params.get("f")
    if wanted is not None:
        if wanted in set(Representation):
            return None
        if wanted not in set(Format):
            raise _unknown(wanted, [*Representation, *Format])
        return Format(wanted)
    accept = request.headers.get("accept", "").split(",")[0].split(";")[0].strip()
    kinds = {kind.media_type.split(";")[0]: name for name, kind in KINDS.items()}
    return kinds.get(accept)


def _unknown(wanted: str, known: Iterable[str]) -> ParameterError:
    return ParameterError(
        f"The format “{wanted[:20]}” is unknown.",
        f"Known here: {', '.join(known)}.",
        field="f",
        value=wanted[:20],
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("api"), autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True
    )


def html(
    request: Request, title: str, document: dict[str, Any], *, headers: Mapping[str, str] | None = None
) -> Response:
    """A plain page of the same document, with its links as links."""
    plain = orjson.loads(orjson.dumps(document))
    page = (
        _environment()
        .get_template("document.html")
        .render(title=title, document=plain, path=request.url.path)
    )
    return Response(page, media_type="text/html", headers=dict(headers or {}))


_DOCUMENT_KINDS = {"json": "application/json", "html": "text/html"}


def answer(
    request: Request, document: dict[str, Any], title: str, *, kind: str = "application/json"
) -> Response:
    """The document as JSON or as a page, by Accept or ``f``."""
    if negotiated(request) is Representation.html:
        return html(request, title, document)
    return Response(orjson.dumps(document), media_type=kind)


def own_links(request: Request, base: str) -> list[dict[str, str]]:
    """Links of a document to itself and to its page."""
    return here(request, base, _DOCUMENT_KINDS, negotiated(request).value)
