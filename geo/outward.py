"""Outward: requests to addresses that somebody else named, never into our own network unless that is allowed."""

import ipaddress
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx

from geo.errors import MezhaError


class ForbiddenAddressError(MezhaError):
    """An address that is not spoken to; the message is the reason."""

    code = "forbidden-address"


def address_of(url: str, *, private: bool) -> tuple[str, str, int]:
    """Host, the one address that will be spoken to, and port; ForbiddenAddressError for what lies in our own network.

    The name is resolved once and the connection goes to that very address, so that a second answer of the name
    server cannot lead inside.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as err:
        raise ForbiddenAddressError("it is no address") from err
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ForbiddenAddressError("only http and https are spoken")
    port = port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as err:
        raise ForbiddenAddressError(f"the name {parts.hostname} is not known") from err
    addresses = [str(entry[4][0]) for entry in found]
    if not private:
        inside = [a for a in addresses if not ipaddress.ip_address(a.partition("%")[0]).is_global]
        if inside:
            raise ForbiddenAddressError(f"{parts.hostname} is {inside[0]}, an address of a private network")
    return parts.hostname, addresses[0], port


@contextmanager
def spoken(
    method: str,
    url: str,
    *,
    private: bool,
    timeout: float,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> Iterator[httpx.Response]:
    """The answer of one address, not yet read; where it leads on is not followed."""
    host, address, port = address_of(url, private=private)
    parts = urlsplit(url)
    literal = f"[{address}]" if ":" in address else address
    target = parts._replace(netloc=f"{literal}:{port}").geturl()
    named = parts.netloc.rpartition("@")[2]
    with (
        httpx.Client(timeout=timeout, trust_env=False, verify=ssl.create_default_context()) as client,
        client.stream(
            method,
            target,
            headers={**(headers or {}), "host": named},
            content=content,
            extensions={"sni_hostname": host},
        ) as response,
    ):
        yield response
