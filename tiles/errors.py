"""Errors of the tile room."""

from geo.errors import MezhaError


class SlowTileError(MezhaError):
    """A tile took longer than a request may."""

    code = "too-slow"


class ArchiveMissingError(MezhaError):
    """The PMTiles file of a layer cannot be read."""

    code = "archive-missing"
