"""Errors of signatures."""

from dataclasses import dataclass

from geo.errors import MezhaError


class UnknownSignatureError(MezhaError):
    """There is no such signature, or the caller may not know of it."""

    code = "unknown-signature"


class SignedOtherwiseError(MezhaError):
    """What was confirmed is not what the case says now."""

    code = "signed-otherwise"


class LevelError(MezhaError):
    """This service is not signed in that way."""

    code = "signature-level"


@dataclass
class SignatureRefusedError(MezhaError):
    """The signature is not valid; ``reason`` says why as a stable word."""

    reason: str = ""
    ru: str = ""

    code = "signature-invalid"

    @property
    def extensions(self) -> dict[str, str]:
        """What a problem document tells besides."""
        return {"reason": self.reason, "ru": self.ru}
