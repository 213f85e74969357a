"""What can go wrong with who somebody is: each cause has its own code (N-37), none tells who has an account."""

from dataclasses import dataclass
from datetime import datetime

from geo.errors import MezhaError


class AccountsError(MezhaError):
    """Base of this room's errors."""

    code = "accounts"


class LogInNeededError(AccountsError):
    """The page or operation is for somebody who is logged in."""

    code = "log-in-needed"


class CredentialsError(AccountsError):
    """Name and password do not fit; whether the name exists is not said."""

    code = "wrong-credentials"


@dataclass
class LockedError(AccountsError):
    """Too many failures of one name: nobody gets in until the lock ends."""

    until: datetime | None = None
    code = "locked"


@dataclass
class TooManyTriesError(AccountsError):
    """Too many tries from one address."""

    until: datetime | None = None
    code = "too-many-tries"


class UnconfirmedError(AccountsError):
    """The address of the account is not confirmed yet."""

    code = "unconfirmed"


class BlockedError(AccountsError):
    """An administrator closed the account."""

    code = "blocked"


class WeakPasswordError(AccountsError):
    """The password is too short, too simple or the old one."""

    code = "weak-password"


class CodeError(AccountsError):
    """A one-time code is wrong, expired, used or blocked."""

    code = "wrong-code"


class TokenError(AccountsError):
    """A token is unknown, expired or revoked."""

    code = "bad-token"


class ScopeError(AccountsError):
    """The token does not allow this."""

    code = "insufficient-scope"


class DeniedError(AccountsError):
    """Somebody who is known lacks the right."""

    code = "denied"


class ForgedError(AccountsError):
    """A form or request did not come from our own pages."""

    code = "forged"


class IdentifierError(AccountsError):
    """A number of a party or person has wrong control digits or the wrong form."""

    code = "bad-identifier"


class TakenError(AccountsError):
    """There is one already."""

    code = "taken"


class ProviderError(AccountsError):
    """The identity provider is down, slow or lies."""

    code = "provider"


class CertificateError(AccountsError):
    """No certificate came from the reverse proxy, or it belongs to nobody here."""

    code = "no-certificate"


class ClientError(AccountsError):
    """An OAuth 2.0 client's request is refused; ``code`` of RFC 6749 stands in ``value``."""

    code = "oauth"


class UnknownFeedError(AccountsError):
    """There is no feed at this secret address, or it was ended."""

    code = "unknown-feed"


@dataclass
class UndeliveredError(MezhaError):
    """A letter or short message was not taken; ``final``: no further try can help."""

    final: bool = False
    reachable: bool = True

    code = "undelivered"
