"""Errors of the imports: a refused file changes nothing."""

from geo.errors import MezhaError


class RefusedError(MezhaError):
    """The file as a whole cannot be loaded; nothing was changed."""

    code = "file-refused"


class ProfileError(MezhaError):
    """A profile does not say what it must, or says it wrongly."""

    code = "bad-profile"


class BusyError(MezhaError):
    """Another run writes to the same layer."""

    code = "import-busy"
