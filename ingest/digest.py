"""Digests: a 128-bit fingerprint of what a row says, by which a second load knows it again."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
# Fixed keys: the digest of a row must be the same in every run and release.
_KEYS = ("mezha-digest-one", "mezha-digest-two")
_MIX = np.uint64(1_000_003)
_MISSING = np.uint64(2**64 - 1)


def digests(columns: Sequence[pa.Array], wkb: NDArray[np.object_], context: str) -> pa.Array:
    """16 bytes a row, of its fields, moments and submitted geometry; order matters."""
    said = [_distinct(column) for column in columns]
    missing = pd.isna(wkb)
    shapes = np.where(missing, "", wkb) if missing.any() else wkb
    halves = []
    for key in _KEYS:
        total = np.repeat(_hash(np.array([context], dtype=object), key), len(wkb))
        for distinct, codes in said:
            total = total * _MIX + np.append(_hash(distinct, key), _MISSING)[codes]
        total = total * _MIX + np.where(missing, _MISSING, _hash(shapes, key))
        halves.append(total)
    both = np.ascontiguousarray(np.stack(halves, axis=1).astype(">u8"))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(wkb), [None, pa.py_buffer(both)])


def _hash(texts: NDArray[np.object_], key: str) -> Hashes:
    return np.asarray(pd.util.hash_array(texts, hash_key=key, categorize=False))


def _distinct(column: pa.Array) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Distinct values as texts or their bytes, and for each row which one it has; -1 where it has none."""
    coded = column.dictionary_encode()
    if pa.types.is_string(column.type):
        # Bytes hash as their texts do, and need not be decoded and encoded again.
        said: list[Any] = coded.dictionary.cast(pa.binary()).to_pylist()
    else:
        said = [v if isinstance(v, str) else repr(v) for v in coded.dictionary.to_pylist()]
    texts = np.array(said or [""], dtype=object)
    return texts, coded.indices.fill_null(-1).to_numpy().astype(np.int64)
