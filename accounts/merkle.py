"""Hash trees over the journal as RFC 6962 builds them: a root, and the path from one leaf to it."""

from collections.abc import Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()
# Leaves that are hashed together where they begin at a multiple of it.
BLOCK = 1024


def node(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def _block(level: Sequence[bytes]) -> bytes:
    """Root of a power of two of leaves."""
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return level[0]


class Accumulator:
    """The root of leaves that come one by one, in memory that grows with the logarithm of their number."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Append a leaf."""
        self._push(leaf, 1)

    def _push(self, found: bytes, leaves: int) -> None:
        self.size += leaves
        size = self.size // leaves
        while not size & 1:
            found = node(self._peaks.pop(), found)
            size >>= 1
        self._peaks.append(found)

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Append many leaves: whole blocks at once."""
        begin = 0
        while begin < len(leaves):
            aligned = self.size % BLOCK == 0 and len(leaves) - begin >= BLOCK
            if aligned:
                self._push(_block(leaves[begin : begin + BLOCK]), BLOCK)
                begin += BLOCK
            else:
                self.add(leaves[begin])
                begin += 1

    def root(self) -> bytes:
        """Root of all leaves so far."""
        if not self._peaks:
            return EMPTY
        found = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            found = node(peak, found)
        return found


class Tree:
    """A whole tree, for paths."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._levels = [list(leaves)]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            above = [node(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
            # The last of an odd number goes up as it is.
            self._levels.append(above + below[len(above) * 2 :])

    @property
    def root(self) -> bytes:
        """Root of the tree."""
        return self._levels[-1][0] if self._levels[-1] else EMPTY

    def path(self, index: int) -> list[bytes]:
        """Siblings on the way from a leaf to the root, lowest first."""
        found = []
        for level in self._levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                found.append(level[sibling])
            index >>= 1
        return found
