"""Where a request comes from: address and device, as the session list and the journal show them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_BROWSERS = (
    ("YaBrowser", "Yandex"),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("QGIS", "QGIS"),
    ("ArcGIS", "ArcGIS"),
    ("GDAL", "GDAL"),
    ("curl", "curl"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class Origin:
    """Address of the visitor and a label of his device."""

    address: str = "unknown"
    device: str = "unknown"


def device_of(agent: str) -> str:
    """A short label such as «Firefox, Windows» of a User-Agent header."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    label = ", ".join(part for part in (browser, system) if part)
    return label or re.sub(r"[^\w ./-]", "", agent)[:60] or "unknown"


def origin_of(peer: str, headers: Mapping[str, str], proxies: frozenset[str]) -> Origin:
    """Origin of a request; X-Forwarded-For is believed only where a trusted proxy wrote it, from right to left."""
    address = peer
    if peer in proxies:
        chain = [part.strip() for part in headers.get("x-forwarded-for", "").split(",") if part.strip()]
        address = next((hop for hop in reversed(chain) if hop not in proxies), peer)
    return Origin(address[:64] or "unknown", device_of(headers.get("user-agent", "")))
