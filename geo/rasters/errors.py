"""Errors of rasters."""

from geo.errors import MezhaError


class UnknownRasterError(MezhaError):
    """There is no such raster or collection, or the caller may not know of it."""

    code = "unknown-raster"


class RasterFileError(MezhaError):
    """A file cannot become a raster of the catalogue."""

    code = "raster-refused"


class RasterRequestError(MezhaError):
    """A raster was asked for something that it cannot answer: a place outside it, a band it has not."""

    code = "raster-request"
