"""Tables of the schema ``accounts``: who there is, what he may do, how he proves who he is.

Secrets (password hashes, TOTP keys, codes, tickets) stand in tables of their own on which the serving role has no
right at all: it reaches them through the functions of ``accounts/sql/doors.sql``, one account at a time.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from geo.models.base import Base

SCHEMA = {"schema": "accounts"}
NOW = text("now()")


def _number() -> Mapped[int]:
    return mapped_column(BigInteger, Identity(always=True), primary_key=True)


def _time(**options: Any) -> Mapped[Any]:
    return mapped_column(DateTime(timezone=True), **options)


def _refers(table: str, **options: Any) -> Mapped[Any]:
    return mapped_column(BigInteger, ForeignKey(f"accounts.{table}.id"), **options)


class Account(Base):
    """A person who can log in. ``status``: new (address not confirmed), active, confirmed (identity), blocked."""

    __tablename__ = "accounts"
    id: Mapped[int] = _number()
    login: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)
    inn: Mapped[str | None] = mapped_column(Text)
    snils: Mapped[str | None] = mapped_column(Text)
    birth_date: Mapped[date | None] = mapped_column(Date)
    locale: Mapped[str] = mapped_column(Text, server_default="ru")
    status: Mapped[str] = mapped_column(Text, server_default="new")
    created_at: Mapped[datetime] = _time(server_default=NOW)
    __table_args__ = (
        CheckConstraint("status IN ('new', 'active', 'confirmed', 'blocked')", name="status_known"),
        CheckConstraint("locale IN ('ru', 'en')", name="locale_known"),
        CheckConstraint(
            "length(login) BETWEEN 1 AND 200 AND length(email) BETWEEN 3 AND 254", name="lengths"
        ),
        Index("ux_accounts_login", text("lower(login)"), unique=True),
        Index("ux_accounts_email", text("lower(email)"), unique=True),
        SCHEMA,
    )


class Party(Base):
    """A company with its divisions, an entrepreneur, a natural person, a state body, a foreign company.

    Only a confirmed party gives its members rights: anybody may type somebody's taxpayer number.
    """

    __tablename__ = "parties"
    id: Mapped[int] = _number()
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    inn: Mapped[str | None] = mapped_column(Text)
    kpp: Mapped[str | None] = mapped_column(Text)
    ogrn: Mapped[str | None] = mapped_column(Text)
    snils: Mapped[str | None] = mapped_column(Text)
    country: Mapped[str] = mapped_column(Text, server_default="RU")
    foreign_number: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    region: Mapped[str] = mapped_column(Text)
    parent: Mapped[int | None] = _refers("parties")
    status: Mapped[str] = mapped_column(Text, server_default="new")
    created_by: Mapped[int | None] = _refers("accounts")
    created_at: Mapped[datetime] = _time(server_default=NOW)
    __table_args__ = (
        CheckConstraint(
            "kind IN ('company', 'division', 'entrepreneur', 'person', 'state', 'foreign')", name="kind_known"
        ),
        CheckConstraint("status IN ('new', 'confirmed', 'closed')", name="status_known"),
        CheckConstraint("(kind = 'division') = (parent IS NOT NULL)", name="division_has_parent"),
        CheckConstraint("inn IS NOT NULL OR kind IN ('foreign', 'division')", name="inn_given"),
        CheckConstraint("inn ~ '^([0-9]{10}|[0-9]{12})$'", name="inn_digits"),
        CheckConstraint("foreign_number IS NOT NULL OR kind <> 'foreign'", name="foreign_number_given"),
        Index(
            "ux_parties_confirmed_inn",
            "inn",
            unique=True,
            postgresql_where=text("status = 'confirmed' AND parent IS NULL"),
        ),
        SCHEMA,
    )


class Member(Base):
    """Somebody who acts for a party; ``objects`` limits him to single objects, NULL is all of the party's.

    ``vouched``: ESIA said so, and ends it by its silence.
    """

    __tablename__ = "members"
    id: Mapped[int] = _number()
    party: Mapped[int] = _refers("parties")
    account: Mapped[int] = _refers("accounts")
    role: Mapped[str] = mapped_column(Text)
    objects: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    since: Mapped[datetime] = _time(server_default=NOW)
    ended_at: Mapped[datetime | None] = _time()
    granted_by: Mapped[int | None] = _refers("accounts")
    vouched: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'operator', 'controller', 'contractor')", name="role_known"),
        CheckConstraint("role <> 'contractor' OR objects IS NOT NULL", name="contractor_limited"),
        Index("ux_members_once", "party", "account", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_members_account", "account", postgresql_where=text("ended_at IS NULL")),
        SCHEMA,
    )


class Invitation(Base):
    """A letter that lets its reader join a party; only the digest of its secret is kept."""

    __tablename__ = "invitations"
    id: Mapped[int] = _number()
    party: Mapped[int] = _refers("parties")
    email: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    objects: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_by: Mapped[int] = _refers("accounts")
    created_at: Mapped[datetime] = _time(server_default=NOW)
    expires_at: Mapped[datetime] = _time()
    accepted_at: Mapped[datetime | None] = _time()
    accepted_by: Mapped[int | None] = _refers("accounts")
    withdrawn_at: Mapped[datetime | None] = _time()
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'operator', 'controller', 'contractor')", name="role_known"),
        CheckConstraint("role <> 'contractor' OR objects IS NOT NULL", name="contractor_limited"),
        SCHEMA,
    )


class Office(Base):
    """A body of the state that decides; ``region`` * is federal."""

    __tablename__ = "offices"
    id: Mapped[int] = _number()
    name: Mapped[str] = mapped_column(Text)
    region: Mapped[str] = mapped_column(Text)
    __table_args__ = (UniqueConstraint("name", "region"), SCHEMA)


class Staff(Base):
    """A duty of a member of an office in a region."""

    __tablename__ = "staff"
    id: Mapped[int] = _number()
    account: Mapped[int] = _refers("accounts")
    office: Mapped[int] = _refers("offices")
    region: Mapped[str] = mapped_column(Text)
    duty: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = _time(server_default=NOW)
    ended_at: Mapped[datetime | None] = _time()
    granted_by: Mapped[int | None] = _refers("accounts")
    __table_args__ = (
        CheckConstraint("duty IN ('officer', 'inspector', 'registrar', 'administrator')", name="duty_known"),
        Index(
            "ux_staff_once",
            "account",
            "duty",
            "region",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        SCHEMA,
    )


class Session(Base):
    """A log-in on one device. ``stage`` full is whole; second, renew and consent wait for one more step."""

    __tablename__ = "sessions"
    id: Mapped[int] = _number()
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    account: Mapped[int] = _refers("accounts", index=True)
    stage: Mapped[str] = mapped_column(Text)
    method: Mapped[str] = mapped_column(Text)
    strong: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    device: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    provider: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(Text)
    provider_sid: Mapped[str | None] = mapped_column(Text)
    acting: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = _time(server_default=NOW)
    seen_at: Mapped[datetime] = _time(server_default=NOW)
    idle: Mapped[int] = mapped_column(Integer)
    expires_at: Mapped[datetime] = _time()
    revoked_at: Mapped[datetime | None] = _time()
    __table_args__ = (
        CheckConstraint("stage IN ('second', 'renew', 'consent', 'full')", name="stage_known"),
        CheckConstraint("length(digest) = 32", name="digest_sha256"),
        SCHEMA,
    )


class Client(Base):
    """Another system that logs in with OAuth 2.0 client credentials, on behalf of a party."""

    __tablename__ = "clients"
    id: Mapped[int] = _number()
    client: Mapped[str] = mapped_column(Text, unique=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    name: Mapped[str] = mapped_column(Text)
    party: Mapped[int] = _refers("parties")
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_by: Mapped[int] = _refers("accounts")
    created_at: Mapped[datetime] = _time(server_default=NOW)
    revoked_at: Mapped[datetime | None] = _time()
    __table_args__ = (
        CheckConstraint("scopes <@ ARRAY['read', 'write']", name="scopes_known"),
        SCHEMA,
    )


class Token(Base):
    """A bearer token: a person's for his GIS tool, or a client's; only its SHA-256 is kept."""

    __tablename__ = "tokens"
    id: Mapped[int] = _number()
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    account: Mapped[int | None] = _refers("accounts", index=True)
    client: Mapped[int | None] = _refers("clients")
    label: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = _time(server_default=NOW)
    expires_at: Mapped[datetime] = _time()
    used_at: Mapped[datetime | None] = _time()
    revoked_at: Mapped[datetime | None] = _time()
    __table_args__ = (
        CheckConstraint("num_nonnulls(account, client) = 1", name="one_bearer"),
        CheckConstraint("scopes <@ ARRAY['read', 'write', 'calendar']", name="scopes_known"),
        CheckConstraint("length(digest) = 32", name="digest_sha256"),
        SCHEMA,
    )


class Passkey(Base):
    """A WebAuthn credential: a public key, no secret."""

    __tablename__ = "passkeys"
    id: Mapped[int] = _number()
    account: Mapped[int] = _refers("accounts", index=True)
    credential: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    label: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = _time(server_default=NOW)
    used_at: Mapped[datetime | None] = _time()
    __table_args__ = (SCHEMA,)


class External(Base):
    """An identity at a provider (OpenID Connect, ESIA) or a certificate that logs an account in."""

    __tablename__ = "externals"
    id: Mapped[int] = _number()
    account: Mapped[int] = _refers("accounts", index=True)
    issuer: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = _time(server_default=NOW)
    __table_args__ = (UniqueConstraint("issuer", "subject"), SCHEMA)


class Consent(Base):
    """Who agreed to which version of which document, when and from where."""

    __tablename__ = "consents"
    id: Mapped[int] = _number()
    account: Mapped[int] = _refers("accounts")
    document: Mapped[str] = mapped_column(Text)
    edition: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    given_at: Mapped[datetime] = _time(server_default=NOW)
    __table_args__ = (UniqueConstraint("account", "document", "edition"), SCHEMA)


class Confirmation(Base):
    """A request to confirm a person or a party: evidence, officer's check, one-time code."""

    __tablename__ = "confirmations"
    id: Mapped[int] = _number()
    account: Mapped[int] = _refers("accounts")
    party: Mapped[int | None] = _refers("parties")
    region: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str] = mapped_column(Text)
    number: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="filed")
    reason: Mapped[str | None] = mapped_column(Text)
    officer: Mapped[int | None] = _refers("accounts")
    filed_at: Mapped[datetime] = _time(server_default=NOW)
    checked_at: Mapped[datetime | None] = _time()
    done_at: Mapped[datetime | None] = _time()
    __table_args__ = (
        CheckConstraint("status IN ('filed', 'code_sent', 'confirmed', 'refused')", name="status_known"),
        CheckConstraint("status <> 'refused' OR reason <> ''", name="refusal_has_reason"),
        Index(
            "ux_confirmations_open",
            "account",
            "party",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("status IN ('filed', 'code_sent')"),
        ),
        SCHEMA,
    )


class Password(Base):
    """The Argon2id hash of an account; no role reads it but through the doors."""

    __tablename__ = "passwords"
    account: Mapped[int] = _refers("accounts", primary_key=True)
    hash: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = _time(server_default=NOW)
    must_change: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    __table_args__ = (SCHEMA,)


class Totp(Base):
    """The key of an authenticator app; ``last_step`` refuses a code that was used."""

    __tablename__ = "totps"
    account: Mapped[int] = _refers("accounts", primary_key=True)
    secret: Mapped[str] = mapped_column(Text)
    confirmed_at: Mapped[datetime | None] = _time()
    last_step: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    __table_args__ = (SCHEMA,)


class Code(Base):
    """A one-time code that was sent; one lives for each purpose of an account."""

    __tablename__ = "codes"
    account: Mapped[int] = _refers("accounts", primary_key=True)
    purpose: Mapped[str] = mapped_column(Text, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    payload: Mapped[str] = mapped_column(Text, server_default="")
    tries: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime] = _time(server_default=NOW)
    expires_at: Mapped[datetime] = _time()
    __table_args__ = (SCHEMA,)


class Ticket(Base):
    """Something that is handed out once and taken back once: a provider's state, a passkey's challenge."""

    __tablename__ = "tickets"
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    purpose: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    expires_at: Mapped[datetime] = _time()
    __table_args__ = (SCHEMA,)


class Guard(Base):
    """Failures of one key within its window: an account, an unknown name, or an address."""

    __tablename__ = "guards"
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    since: Mapped[datetime] = _time(server_default=NOW)
    locked_until: Mapped[datetime | None] = _time()
    __table_args__ = (SCHEMA,)


class Letter(Base):
    """An e-mail that waits for the worker; its text is wiped once it is sent, for it may hold a code."""

    __tablename__ = "outbox"
    id: Mapped[int] = _number()
    recipient: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = _time(server_default=NOW)
    sent_at: Mapped[datetime | None] = _time()
    tries: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    fault: Mapped[str | None] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text, server_default=text("'mail'"))
    next_at: Mapped[datetime] = _time(server_default=NOW)
    expires_at: Mapped[datetime | None] = _time()
    given_up_at: Mapped[datetime | None] = _time()
    __table_args__ = (
        CheckConstraint("channel IN ('mail', 'sms')", name="channel_known"),
        Index(
            "ix_outbox_waiting",
            "next_at",
            "id",
            postgresql_where=text("sent_at IS NULL AND given_up_at IS NULL"),
        ),
        SCHEMA,
    )
