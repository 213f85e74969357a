"""The store of documents: what is left on the way into it goes, what is in it stays."""

import os
import time
from pathlib import Path

from cases.documents import store
from geo.settings import Settings


def _aged(path: Path, hours: float) -> None:
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


async def test_the_sweep_takes_what_was_left_and_nothing_else(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert store.sweep(settings) == 0
    left, arriving = store.incoming(settings), store.incoming(settings)
    for path, hours in ((left, 25), (arriving, 23)):
        path.write_bytes(b"half a file")
        _aged(path, hours)
    # A document is older than any file on its way, and stays.
    sha256 = await store.keep_bytes(settings, b"a paper of old")
    (kept,) = (p for p in (tmp_path / "documents").rglob(sha256))
    kept.chmod(0o600)
    _aged(kept, 24 * 365)
    assert store.sweep(settings) == 1
    assert not left.exists()
    assert arriving.read_bytes() == b"half a file"
    assert await store.whole(store.store_of(settings), sha256) == b"a paper of old"
    assert store.sweep(settings) == 0
