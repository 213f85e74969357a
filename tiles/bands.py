"""The tile grid: its cells, and the bands of zooms that share one generalisation."""

from dataclasses import dataclass

from geo.layers import Layer, all_layers

EXTENT = 4096
BUFFER = 64
WORLD = 40_075_016.685578488
CELL_ZOOM = 10
_UNITS = EXTENT.bit_length() - 1


def cells_of(z: int, x: int, y: int) -> tuple[int, int, int, int]:
    """First and last column and row of the cells under a tile and its buffer: west, north, east, south."""
    # In units of a tile: whole numbers, and shifts of them.
    up, down = max(0, CELL_ZOOM - z), _UNITS + max(0, z - CELL_ZOOM)
    last = (1 << CELL_ZOOM) - 1
    return (
        max(0, ((x << _UNITS) - BUFFER) << up >> down),
        max(0, ((y << _UNITS) - BUFFER) << up >> down),
        min(last, ((x + 1 << _UNITS) + BUFFER) << up >> down),
        min(last, ((y + 1 << _UNITS) + BUFFER) << up >> down),
    )


@dataclass(frozen=True)
class Band:
    """Serves zooms up to ``number``; its chunks are cells of the web grid at zoom ``chunk``."""

    number: int
    chunk: int

    @property
    def unit(self) -> float:
        """One unit of a tile at its deepest zoom, metres of web mercator."""
        return float(WORLD / 2**self.number / EXTENT)

    def square(self, x: int, y: int) -> tuple[float, float, float, float]:
        """West, south, east, north of a chunk, metres of web mercator; to the last bit those of its neighbours."""
        size, half = WORLD / (1 << self.chunk), WORLD / 2
        return x * size - half, half - (y + 1) * size, (x + 1) * size - half, half - y * size

    @property
    def cells(self) -> bool:
        """Whether its chunks are the cells."""
        return self.chunk == CELL_ZOOM

    @property
    def bits(self) -> int:
        """Zooms between a chunk and a cell."""
        return CELL_ZOOM - self.chunk


# The finest chunks are cells, so that a change is built anew quickly; the others are one tile each, so that no seam of
# chunks lies within a tile.
BANDS = (Band(9, 10), Band(8, 8), Band(7, 7), Band(6, 6), Band(5, 5), Band(4, 4), Band(2, 2))
DEEPEST = BANDS[0].number


def band_of(zoom: int) -> Band:
    """The band that serves a zoom of 0…`DEEPEST`."""
    return min((b for b in BANDS if b.number >= zoom), key=lambda b: b.number)


def classes_of(layer: Layer) -> tuple[str, ...]:
    """Columns by which the layer is coloured: plots of one class may be drawn as one."""
    return tuple(name for name in (layer.style.fill_by, layer.style.depth_by) if name)


def overviewed(layer: Layer) -> bool:
    """Whether a layer has overviews: an areal one whose objects are told apart by their class, not by an outline."""
    return layer.geometry != "POINT" and bool(layer.style.fill_by) and layer.zoom[0] <= DEEPEST


def overviewed_layers() -> tuple[Layer, ...]:
    """The layers that have overviews."""
    return tuple(layer for layer in all_layers().values() if overviewed(layer))
