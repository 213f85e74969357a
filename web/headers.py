"""Headers of every answer: what a page may load, and that nobody may frame it."""

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geo.settings import Settings
from web.modules import IMPORT_MAP_HASH


def content_policy(settings: Settings) -> str:
    """Content-Security-Policy of the pages: own scripts and styles only, and the base map of the settings."""
    outside = _origin(settings.basemap_url)
    rules = {
        "default-src": "'self'",
        "script-src": f"'self' '{IMPORT_MAP_HASH}'",
        "style-src": "'self'",
        "img-src": f"'self' data: blob:{outside}",
        "connect-src": f"'self'{outside}",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        # The form that logs out leads on to ESIA.
        "form-action": f"'self'{_origin(settings.esia_url)}",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""


class PageHeaders:
    """Adds the headers; an answer that states its own policy keeps it, interfaces get only the plain ones."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._policy = content_policy(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")
                if headers.get("content-type", "").startswith("text/html"):
                    headers.setdefault("Content-Security-Policy", self._policy)
                    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(self)")
            await send(message)

        await self.app(scope, receive, with_headers)
