"""A bucket: a small S3-compatible store on this machine."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from geo.settings import Settings


class Shelves:
    """As much of an S3-compatible store as documents need: put, get, list, delete; each object with its age."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[bytes, datetime]] = {}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        (method, target, _), *lines = (line.split(" ", 2) for line in head.strip().split("\r\n"))
        fields = {name.lower(): " ".join(rest) for name, *rest in lines}
        path, body, status, at = urlsplit(target).path, b"", "200 OK", datetime.now(UTC)
        if method == "PUT":
            self.held[path] = (await reader.readexactly(int(fields["content-length:"])), at)
        elif method == "POST":
            body = self._delete((await reader.readexactly(int(fields["content-length:"]))).decode())
        elif "list-type" in urlsplit(target).query:
            body = self._list()
        elif path not in self.held:
            status = "404 Not Found"
        else:
            body, at = self.held[path]
        length = len(body)
        told = f'Content-Length: {length}\r\nETag: "1"\r\nLast-Modified: {format_datetime(at, usegmt=True)}\r\nConnection: close'
        writer.write(f"HTTP/1.1 {status}\r\n{told}\r\n\r\n".encode() + (b"" if method == "HEAD" else body))
        await writer.drain()
        writer.close()

    def _delete(self, wanted: str) -> bytes:
        keys = re.findall("<Key>(.+?)</Key>", wanted)
        for key in keys:
            del self.held[f"/papers/{key}"]
        told = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        return f"<DeleteResult>{told}</DeleteResult>".encode()

    def _list(self) -> bytes:
        found = "".join(
            f"<Contents><Key>{escape(path.removeprefix('/papers/'))}</Key><LastModified>{at:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
            f"<ETag>1</ETag><Size>{len(body)}</Size></Contents>"
            for path, (body, at) in sorted(self.held.items())
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode()


@asynccontextmanager
async def bucket_of(settings: Settings) -> AsyncIterator[tuple[Shelves, Settings]]:
    """A running bucket, and the settings of an installation that keeps its documents in it."""
    shelves = Shelves()
    async with await asyncio.start_server(shelves.answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield (
            shelves,
            settings.model_copy(
                update={
                    "documents_url": "s3://papers/region54",
                    "s3_endpoint": f"http://127.0.0.1:{port}",
                    "s3_key": "key",
                    "s3_secret": "secret",
                }
            ),
        )
