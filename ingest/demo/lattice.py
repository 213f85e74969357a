"""The lattice under the region: square cells in the working plane, noise over them, connected patches of labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# SK-42 zone 14 (Gauss–Krüger, 78–84°E): easting–northing in metres; the middle of the region lies near 80.8°E 57.3°N.
PLANE = "EPSG:28414"
MIDDLE = (14_488_000.0, 6_352_000.0)
CELL = 50.0


@dataclass(frozen=True)
class Lattice:
    """``rows`` × ``columns`` cells of ``cell`` metres; row 0 is the southernmost, ``west``/``south`` its corner."""

    rows: int
    columns: int
    cell: float
    west: float
    south: float

    @classmethod
    def around(cls, width: float, height: float, cell: float) -> "Lattice":
        """A lattice of about that many metres around the middle of the region."""
        columns, rows = round(width / cell), round(height / cell)
        return cls(rows, columns, cell, MIDDLE[0] - columns * cell / 2, MIDDLE[1] - rows * cell / 2)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.columns

    def centres(self) -> tuple[Floats, Floats]:
        """Easting (a row) and northing (a column) of the cell centres."""
        x = self.west + (np.arange(self.columns) + 0.5) * self.cell
        y = self.south + (np.arange(self.rows) + 0.5) * self.cell
        return np.asarray(x[None, :], np.float64), np.asarray(y[:, None], np.float64)

    def cells_of(self, points: Floats) -> tuple[Ints, Ints]:
        """Row and column of each easting–northing pair, clipped to the lattice."""
        column = np.clip(((points[:, 0] - self.west) // self.cell).astype(np.int64), 0, self.columns - 1)
        row = np.clip(((points[:, 1] - self.south) // self.cell).astype(np.int64), 0, self.rows - 1)
        return row, column

    def sample(self, values: NDArray[np.generic], points: Floats) -> NDArray[np.generic]:
        """Value of the cell under each point."""
        row, column = self.cells_of(points)
        return np.asarray(values[row, column])


def noise(rng: np.random.Generator, lattice: Lattice, wavelength: float, octaves: int = 1) -> Floats:
    """A smooth random field of mean 0 and deviation 1; each further octave halves wavelength and strength."""
    rows, columns = lattice.shape
    frequency = np.hypot(
        np.fft.fftfreq(rows, lattice.cell)[:, None], np.fft.rfftfreq(columns, lattice.cell)[None, :]
    )
    total = np.zeros(lattice.shape)
    for octave in range(octaves):
        length = wavelength / 2**octave
        spectrum = np.fft.rfft2(rng.standard_normal(lattice.shape)) * np.exp(-((frequency * length) ** 2) * 2)
        field = np.fft.irfft2(spectrum, s=lattice.shape)
        total += field / (field.std() or 1.0) / 2**octave
    return np.asarray((total - total.mean()) / (total.std() or 1.0))


def enlarged(values: Floats, factor: int, shape: tuple[int, int]) -> Floats:
    """A coarse field on a lattice ``factor`` times as fine, linear between the coarse centres."""
    for axis, length in enumerate(shape):
        count = values.shape[axis]
        place = np.clip((np.arange(length) + 0.5) / factor - 0.5, 0, count - 1)
        low = np.minimum(place.astype(np.int64), count - 2)
        share = (place - low).reshape([-1 if a == axis else 1 for a in range(2)])
        values = np.take(values, low, axis) * (1 - share) + np.take(values, low + 1, axis) * share
    return values


def dilated(flags: Flags, steps: int) -> Flags:
    """Cells within about ``steps`` cells of a flagged one: an octagon, by turns of four and eight neighbours."""
    result = flags.copy()
    for step in range(steps):
        grown = result.copy()
        grown[1:] |= result[:-1]
        grown[:-1] |= result[1:]
        if step % 2:
            wide = grown.copy()
            wide[:, 1:] |= grown[:, :-1]
            wide[:, :-1] |= grown[:, 1:]
            result = wide
        else:
            grown[:, 1:] |= result[:, :-1]
            grown[:, :-1] |= result[:, 1:]
            result = grown
    return result


def distance(flags: Flags, steps: int) -> Floats:
    """Cells from the nearest flagged cell, at most ``steps``."""
    result = np.full(flags.shape, float(steps))
    reached = flags.copy()
    result[reached] = 0
    for step in range(1, steps):
        grown = dilated(reached, 1) if step % 2 else dilated(dilated(reached, 1), 0)
        result[grown & ~reached] = step
        reached = grown
    return result


def _runs(labels: Ints) -> Ints:
    """Number of the run of equal labels, along its row, to which each cell belongs."""
    begins = np.ones(labels.shape, dtype=bool)
    begins[:, 1:] = labels[:, 1:] != labels[:, :-1]
    return np.asarray(np.cumsum(begins.ravel()).reshape(labels.shape) - 1)


def patches(labels: Ints) -> Ints:
    """Connected patches (by edges) of equal labels, numbered from 0 in reading order; −1 stays −1."""
    run = _runs(labels)
    root = np.arange(int(run[-1, -1]) + 1)
    touching = (labels[1:] == labels[:-1]) & (labels[1:] >= 0)
    first, second = run[:-1][touching], run[1:][touching]
    while len(first):
        low, high = np.minimum(root[first], root[second]), np.maximum(root[first], root[second])
        apart = low != high
        first, second = first[apart], second[apart]
        np.minimum.at(root, high[apart], low[apart])
        while not np.array_equal(root[root], root):
            root = root[root]
    valid = np.zeros(len(root), dtype=bool)
    valid[run.ravel()] = labels.ravel() >= 0
    number = np.cumsum((root == np.arange(len(root))) & valid) - 1
    return np.asarray(np.where(valid, number[root], -1)[run])


def renumbered(labels: Ints) -> Ints:
    """The same labels without gaps between their numbers; −1 stays −1."""
    present = np.zeros(int(labels.max()) + 2, dtype=bool)
    present[labels.ravel()] = True
    present[-1] = False
    number = np.append(np.cumsum(present[:-1]) - 1, -1)
    return np.asarray(number[labels])


def neighbours(labels: Ints) -> tuple[Ints, Ints]:
    """Both directed pairs of different labels (none −1) for every shared cell edge."""
    pairs = []
    for one, other in ((labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1])):
        apart = (one != other) & (one >= 0) & (other >= 0)
        pairs.append((one[apart], other[apart]))
    a = np.concatenate([p[0] for p in pairs])
    b = np.concatenate([p[1] for p in pairs])
    return np.concatenate((a, b)), np.concatenate((b, a))


def absorbed(labels: Ints, minimum: int, group: Ints | None = None) -> Ints:
    """Patches smaller than ``minimum`` cells joined to the neighbour with the longest shared border.

    With ``group`` (a label per cell) a patch is joined only within its own group. Labels are renumbered.
    """
    labels = patches(labels)
    for _ in range(12):
        count = int(labels.max()) + 1
        size = np.bincount(labels[labels >= 0], minlength=count)
        a, b = neighbours(labels)
        member = np.zeros(count, dtype=np.int64)
        if group is not None:
            member[labels[labels >= 0]] = group[labels >= 0]
        wanted = (
            (size[a] < minimum)
            & (member[a] == member[b])
            & ((size[b] > size[a]) | ((size[b] == size[a]) & (b < a)))
        )
        if not wanted.any():
            break
        code, length = np.unique(a[wanted] * count + b[wanted], return_counts=True)
        small, target = code // count, code % count
        order = np.lexsort((target, -length, small))
        chosen, place = np.unique(small[order], return_index=True)
        into = np.arange(count)
        into[chosen] = target[order][place]
        while not np.array_equal(into[into], into):
            into = into[into]
        labels = renumbered(np.append(into, -1)[labels])
    return labels
