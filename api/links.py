"""Links as OGC API writes them."""

from collections.abc import Mapping

from fastapi import Request

OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
SCHEMA = "application/schema+json"
GEOJSON = "application/geo+json"
MVT = "application/vnd.mapbox-vector-tile"


def link(rel: str, href: str, kind: str, title: str = "") -> dict[str, str]:
    """One link."""
    return {"rel": rel, "href": href, "type": kind} | ({"title": title} if title else {})


def here(request: Request, base: str, kinds: Mapping[str, str], own: str) -> list[dict[str, str]]:
    """Links of a document to itself and to its other formats; ``kinds`` maps values of ``f`` to media types."""
    path = f"{base}{request.url.path}"
    links = []
    for name, kind in kinds.items():
        query = request.url.include_query_params(f=name).query
        rel, title = ("self", "This document") if name == own else ("alternate", f"As {name}")
        links.append(link(rel, f"{path}?{query}", kind, title))
    return links
