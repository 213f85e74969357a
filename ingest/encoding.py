"""Encodings decided by evidence: byte order mark, well-formed UTF-8, then how Russian the letters read."""

import codecs
from dataclasses import dataclass
from itertools import pairwise

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Shares of the commonest letters of Russian prose; frequencies decide between the single-byte encodings.
_COMMON = frozenset("оеаинтсрвлкмдпуяызбгчйхжОЕАИНТСРВЛКМДПУЯЗБГ")
_RARE = frozenset("ёъщэюфцшЁЪЩЭЮФЦШЫЬ")
_SINGLE = ("cp1251", "cp866", "koi8-r")


@dataclass(frozen=True)
class Encoding:
    """An encoding and why it is believed."""

    name: str
    evidence: str

    @property
    def note(self) -> str:
        """A line for the report."""
        return f"encoding {self.name}: {self.evidence}"


def _russian(text: str) -> float:
    """How Russian a text reads: common letters for, pseudo-graphics and capitals inside words against."""
    letters = [c for c in text if ord(c) > 127]
    if not letters:
        return 0.0
    score = sum(1.0 if c in _COMMON else 0.2 if c in _RARE or c in "ьцшщ№«»—–°" else -1.0 for c in letters)
    inner = sum(a.islower() and b.isupper() for a, b in pairwise(text))
    return (score - 2 * inner) / len(letters)


def decide(head: bytes) -> Encoding:
    """The encoding of a text by its first bytes (up to a megabyte; a character cut off at the end is no fault)."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return Encoding(name, "byte order mark")
    if all(b < 128 for b in head):
        return Encoding("utf-8", "ASCII only")
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(head, final=False)
    except UnicodeDecodeError as err:
        place = err.start
    else:
        return Encoding("utf-8", "well-formed UTF-8")
    # A few thousand letters decide; lines without a foreign byte say nothing.
    lines = [line for line in head[:500_000].splitlines() if any(b > 127 for b in line)]
    sample = b"\n".join(lines[:400])[:20_000]
    scores = {name: _russian(sample.decode(name, errors="replace")) for name in _SINGLE}
    best = max(scores, key=lambda name: scores[name])
    others = ", ".join(f"{n} {s:.2f}" for n, s in scores.items())
    return Encoding(best, f"no UTF-8 (byte {place}); letters read most like Russian: {others}")
