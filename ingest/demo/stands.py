"""Stands, quarters and forestries as cells: quarters by rides, stands by what the ground bears and by what was cut."""

from dataclasses import dataclass

import numpy as np

from ingest.demo.lattice import Floats, Ints, Lattice, absorbed, noise
from ingest.demo.terrain import Terrain

# A quarter is about 1 km from south to north and 2 km from west to east.
QUARTER_ROWS, QUARTER_COLUMNS = 20, 40
SMALLEST_QUARTER, SMALLEST_STAND = 260, 11
SEED_ROWS, SEED_COLUMNS = 4, 6
# Mark of cells under a small lake or river: one stand of water in each quarter.
POOL = 999_999
_CHUNK = 400


@dataclass(frozen=True)
class Division:
    """Cells of the fine lattice by quarter and stand (−1: no forest land); ``cut`` marks stands drawn by a feller."""

    quarter: Ints
    stand: Ints
    cut: Ints


def _blocks(lattice: Lattice) -> Ints:
    row = np.arange(lattice.rows)[:, None] // QUARTER_ROWS
    column = np.arange(lattice.columns)[None, :] // QUARTER_COLUMNS
    return np.asarray(row * (lattice.columns // QUARTER_COLUMNS + 1) + column)


def _quarters(terrain: Terrain) -> Ints:
    """Blocks of the ride grid clipped by the forest's edge; a remnant goes to its neighbour, an island is dropped."""
    block = np.where(terrain.forest, _blocks(terrain.lattice), -1)
    joined = absorbed(block, SMALLEST_QUARTER)
    size = np.bincount(joined[joined >= 0])
    return np.where((joined >= 0) & (size[np.maximum(joined, 0)] >= SMALLEST_QUARTER // 2), joined, -1)


def _cuttings(rng: np.random.Generator, quarter: Ints, disturbance: Floats) -> Ints:
    """Rectangular cuttings of the last decades, side by side in strips as fellers lay them; −1 elsewhere."""
    result = np.full(quarter.shape, -1, dtype=np.int64)
    number = 0
    rows, columns = quarter.shape
    for row in range(0, rows - QUARTER_ROWS, QUARTER_ROWS):
        for column in range(0, columns - QUARTER_COLUMNS, QUARTER_COLUMNS):
            centre = (row + QUARTER_ROWS // 2, column + QUARTER_COLUMNS // 2)
            if quarter[centre] < 0 or rng.random() > 0.3 + 0.25 * (disturbance[centre] > 0.5):
                continue
            high, wide = (int(rng.integers(5, 10)), int(rng.integers(4, 7)))
            top, left = (
                int(rng.integers(1, QUARTER_ROWS - high)),
                int(rng.integers(1, QUARTER_COLUMNS - 3 * wide)),
            )
            for strip in range(int(rng.integers(1, 4))):
                i, j = row + top, column + left + strip * (wide + int(rng.integers(0, 2)) * 3)
                area = result[i : i + high, j : j + wide]
                area[:] = number
                number += 1
    return np.where(quarter >= 0, result, -1)


def _cells(values: Floats, rows: int, columns: int) -> Floats:
    """A field as one line of cells per block; the lattice is padded to whole blocks."""
    padded = np.pad(
        values,
        ((0, rows * QUARTER_ROWS - values.shape[0]), (0, columns * QUARTER_COLUMNS - values.shape[1])),
        mode="edge",
    )
    return (
        padded.reshape(rows, QUARTER_ROWS, columns, QUARTER_COLUMNS)
        .transpose(0, 2, 1, 3)
        .reshape(rows * columns, QUARTER_ROWS * QUARTER_COLUMNS)
    )


def _uncells(values: Ints, rows: int, columns: int, shape: tuple[int, int]) -> Ints:
    whole = values.reshape(rows, columns, QUARTER_ROWS, QUARTER_COLUMNS).transpose(0, 2, 1, 3)
    return whole.reshape(rows * QUARTER_ROWS, columns * QUARTER_COLUMNS)[: shape[0], : shape[1]]


def _nearest_seeds(rng: np.random.Generator, features: list[Floats]) -> Ints:
    """For each cell of each block the nearest of the block's seeds in the space of features."""
    blocks, cells = features[0].shape
    seeds = SEED_ROWS * SEED_COLUMNS
    r = (
        (np.arange(SEED_ROWS)[:, None] + rng.random((blocks, SEED_ROWS, SEED_COLUMNS)))
        * QUARTER_ROWS
        / SEED_ROWS
    )
    c = (
        (np.arange(SEED_COLUMNS)[None, :] + rng.random((blocks, SEED_ROWS, SEED_COLUMNS)))
        * QUARTER_COLUMNS
        / SEED_COLUMNS
    )
    at = (r.astype(np.int64) * QUARTER_COLUMNS + c.astype(np.int64)).reshape(blocks, seeds)
    nearest = np.empty((blocks, cells), dtype=np.int64)
    for start in range(0, blocks, _CHUNK):
        part = slice(start, start + _CHUNK)
        total = np.zeros((len(at[part]), cells, seeds), dtype=np.float32)
        for feature in features:
            own = feature[part].astype(np.float32)
            total += (own[:, :, None] - np.take_along_axis(own, at[part], axis=1)[:, None, :]) ** 2
        nearest[part] = total.argmin(axis=2)
    return nearest


def division(rng: np.random.Generator, terrain: Terrain) -> Division:
    """The forest land divided into quarters and stands."""
    lattice = terrain.lattice
    quarter = _quarters(terrain)
    x, y = lattice.centres()
    warp = [130 * noise(rng, lattice, 420) + 60 * noise(rng, lattice, 190) for _ in range(2)]
    site = 0.9 * noise(rng, lattice, 900, 3) + 0.5 * terrain.moisture + 0.5 * terrain.sand
    # Streams draw stands along themselves: a stand by the water stays by the water.
    bank = 420 * np.exp(-terrain.stream_distance / 130)
    rows, columns = -(-lattice.rows // QUARTER_ROWS), -(-lattice.columns // QUARTER_COLUMNS)
    fields = [x + warp[0], y + warp[1], 260 * site, bank]
    used = np.flatnonzero(_cells(terrain.forest.astype(float), rows, columns).any(axis=1))
    nearest = np.zeros((rows * columns, QUARTER_ROWS * QUARTER_COLUMNS), dtype=np.int64)
    nearest[used] = _nearest_seeds(
        rng, [_cells(np.broadcast_to(f, lattice.shape), rows, columns)[used] for f in fields]
    )
    seed = _uncells(nearest, rows, columns, lattice.shape)
    cut = _cuttings(rng, quarter, terrain.disturbance)
    cut = np.where(terrain.pools, -1, cut)
    mark = np.where(terrain.pools, POOL, np.where(cut >= 0, 1_000 + cut, seed))
    label = np.where(quarter >= 0, quarter * 1_000_000 + mark, -1)
    # A seed of one block and the same number of the next would run together where a remnant was joined.
    label = np.where(
        quarter >= 0, label * 4 + (_blocks(lattice) % 2) + 2 * ((_blocks(lattice) // 97) % 2), -1
    )
    stand = absorbed(label, SMALLEST_STAND, quarter)
    return Division(quarter, stand, cut)
