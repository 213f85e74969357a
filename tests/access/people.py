"""Who the callers of the leak suite are, and the secrets of people and offices: accounts, teams, cases, imports, answers.

Every secret is a row with a mark in a text that is shown; ``known`` names the callers who may know it. Restricted
objects of the register are in `tests.access.world`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg import sql

from accounts.person import Duty, Membership, Person
from cases.catalogue import body_of, digest_of, release
from geo.settings import Settings
from tests.access.world import MARK, OTHER_INN, OWNER_INN, RIVAL_INN

SERVICE = release().service("forest-declaration", date(2026, 1, 2))
_ALL = ("another company", "owner", "contractor", "inspector here", "inspector elsewhere", "administrator")
ACCOUNTS = {
    "owner": 71,
    "another company": 72,
    "contractor": 73,
    "inspector here": 74,
    "inspector elsewhere": 75,
    "administrator": 76,
}


@dataclass(frozen=True)
class Secret:
    """A row: its table, its columns, and who may know it; the text ``{mark}`` in a column becomes the mark."""

    name: str
    known: frozenset[str]
    table: str
    row: Mapping[str, object]

    @property
    def mark(self) -> str:
        """What betrays it."""
        return f"{MARK}{self.name}{MARK}"

    def values(self) -> dict[str, object]:
        """The columns as they are stored."""
        return {k: v.replace("{mark}", self.mark) if isinstance(v, str) else v for k, v in self.row.items()}


def _account(name: str, *others: str) -> Secret:
    number = ACCOUNTS[name]
    row = {"id": number, "login": f"p{number}", "email": f"p{number}@mezha.test", "name": "{mark}"}
    known = frozenset({name, "administrator", *others})
    return Secret(f"acct{number}", known, "accounts.accounts", row | {"status": "confirmed"})


def _party(number: int, inn: str, region: str, *known: str) -> Secret:
    row = {"id": number, "kind": "company", "name": "{mark}", "inn": inn, "region": region}
    return Secret(
        f"party{number}",
        frozenset({*known, "administrator"}),
        "accounts.parties",
        row | {"status": "confirmed"},
    )


def _case(number: int, inn: str, region: str, *known: str, lodged: bool) -> Secret:
    row: dict[str, object] = {
        "id": number,
        "service": "forest-declaration",
        "service_version": SERVICE.version,
        "service_digest": digest_of(SERVICE),
        "region": region,
        "party_inn": inn,
        "party_name": "{mark}",
        "payload": '{"note": "{mark}"}',
        "saved_at": "2026-01-02T00:00:00Z",
        "created_at": "2026-01-02T00:00:00Z",
        "state_since": "2026-01-02T00:00:00Z",
    }
    if lodged:
        row |= {"state": "submitted", "number": "{mark}", "number_year": 2026, "number_seq": number}
        row |= {"lodged_order": number, "lodged_at": "2026-01-02T00:00:00Z", "evidence_sha256": "00"}
    return Secret(f"case{number}", frozenset({*known, "administrator"}), "cases.cases", row)


QUESTION = "00000000-0000-4000-8000-000000000071"
DRAFT, LODGED, FAR = 910_000_101, 910_000_102, 910_000_103
_OWN = frozenset({"owner"})
_OFFICE = frozenset({"administrator"})
SECRETS = (
    _account("owner"),
    _account("another company"),
    _account("contractor", "owner"),
    _account("inspector here"),
    _account("inspector elsewhere"),
    _account("administrator"),
    _party(31, OWNER_INN, "54", "owner", "contractor", "inspector here"),
    _party(32, RIVAL_INN, "54", "another company", "inspector here"),
    Secret(
        "member71",
        frozenset({"owner", "administrator"}),
        "accounts.members",
        {"party": 31, "account": 71, "role": "owner"},
    ),
    Secret(
        "member72",
        frozenset({"another company", "administrator"}),
        "accounts.members",
        {"party": 32, "account": 72, "role": "owner"},
    ),
    Secret(
        "member73",
        frozenset({"owner", "contractor", "administrator"}),
        "accounts.members",
        {"party": 31, "account": 73, "role": "contractor", "objects": [910_000_004]},
    ),
    Secret("office", frozenset(_ALL), "accounts.offices", {"id": 41, "name": "Управление", "region": "54"}),
    *(
        Secret(
            f"staff{account}",
            frozenset({name, "administrator"}),
            "accounts.staff",
            {"account": account, "office": 41, "region": region, "duty": duty},
        )
        for name, account, region, duty in (
            ("inspector here", 74, "54", "inspector"),
            ("inspector elsewhere", 75, "70", "inspector"),
            ("administrator", 76, "*", "administrator"),
        )
    ),
    Secret(
        "invited",
        _OWN,
        "accounts.invitations",
        {"party": 31, "email": "{mark}@mezha.test", "role": "operator", "digest": b"i" * 32}
        | {"created_by": 71, "expires_at": "2099-01-01T00:00:00Z"},
    ),
    Secret(
        "client",
        _OWN,
        "accounts.clients",
        {"client": "{mark}", "digest": b"c" * 32, "name": "{mark}", "party": 31, "scopes": ["read"]}
        | {"created_by": 71},
    ),
    Secret(
        "token",
        _OWN,
        "accounts.tokens",
        {"digest": b"t" * 32, "account": 71, "label": "{mark}", "scopes": ["read"]}
        | {"expires_at": "2099-01-01T00:00:00Z"},
    ),
    Secret(
        "session",
        _OWN,
        "accounts.sessions",
        {"digest": b"s" * 32, "account": 71, "stage": "full", "method": "password", "device": "{mark}"}
        | {"address": "10.0.0.1", "idle": 3_000_000_00, "expires_at": "2099-01-01T00:00:00Z"},
    ),
    Secret(
        "paper",
        frozenset({"owner", "administrator"}),
        "accounts.confirmations",
        {"account": 71, "party": 31, "region": "54", "evidence": "charter", "number": "{mark}"},
    ),
    Secret(
        "services",
        frozenset((*_ALL, "anonymous")),
        "cases.definitions",
        {"digest": digest_of(SERVICE), "kind": "service", "name": SERVICE.id, "version": SERVICE.version}
        | {"body": json.dumps(body_of(SERVICE))},
    ),
    _case(DRAFT, OWNER_INN, "54", "owner", lodged=False),
    _case(LODGED, RIVAL_INN, "54", "another company", "inspector here", lodged=True),
    _case(FAR, OTHER_INN, "70", "inspector elsewhere", lodged=True),
    Secret(
        "run",
        _OFFICE,
        "ingest.runs",
        {"id": 1, "profile": "mezha-geojson", "layer": "licences", "file_name": "{mark}", "sha256": "00"}
        | {"size": 7, "status": "done", "stage": "done", "message": "{mark}"},
    ),
    Secret(
        "upload",
        _OFFICE,
        "ingest.uploads",
        {"id": 1, "profile": "mezha-geojson", "file_name": "{mark}", "path": "{mark}", "size": 7}
        | {"status": "refused", "message": "{mark}"},
    ),
    Secret(
        "raster",
        frozenset({"inspector here", "administrator"}),
        "rasters.items",
        {"name": "secret-scene", "title": "{mark}", "attribution": "{mark}", "taken": "2025-06-01", "rank": 2}
        | {"sha256": "0" * 64, "source_name": "{mark}", "source_sha256": "", "crs": "EPSG:3857", "bytes": 1}
        | {"bands": '[{"type": "uint8"}]', "resolution_m": 10, "region": "54"}
        | {"box": "SRID=4326;POLYGON((83 55,83.1 55,83.1 55.1,83 55.1,83 55))"},
    ),
    Secret(
        "raster-upload",
        _OFFICE,
        "rasters.uploads",
        {"id": 1, "region": "54", "file_name": "{mark}", "path": "{mark}", "size": 1, "status": "refused"}
        | {"item": '{"name": "a", "title": "{mark}"}'}
        | {
            "problem": '{"code": "raster-refused", "message": {"pattern": "", "values": {}}, "remedy": {"pattern": "", "values": {}}}'
        },
    ),
    Secret(
        "answer",
        _OWN,
        "spatial.questions",
        {"id": QUESTION, "kind": "intersect", "arguments": "{}", "caller": "{}", "account": 71}
        | {"status": "done", "answer": '{"note": "{mark}"}'},
    ),
    Secret(
        "entry",
        frozenset({"owner", "inspector here", "administrator"}),
        "journal",
        {"action": "change", "account": None, "concerned": None, "subject": "leases", "object": 1}
        | {"region": "54", "inn": OWNER_INN, "address": "10.0.0.2", "details": '{"name": "{mark}"}'},
    ),
    Secret(
        "entry-own",
        frozenset({"owner", "administrator"}),
        "journal",
        {"action": "log-in", "account": 71, "concerned": 71, "subject": "session", "object": 1}
        | {"region": "", "inn": "", "address": "10.0.0.3", "details": '{"device": "{mark}"}'},
    ),
    Secret(
        "entry-far",
        frozenset({"inspector elsewhere", "administrator"}),
        "journal",
        {"action": "change", "account": None, "concerned": None, "subject": "zones", "object": 9}
        | {"region": "70", "inn": "", "address": "10.0.0.4", "details": '{"name": "{mark}"}'},
    ),
)


def person(name: str) -> Person | None:
    """The person behind a caller, as his log-in would find him."""
    member = {
        "owner": Membership(31, f"{MARK}party31{MARK}", "company", OWNER_INN, "owner", None, True),
        "another company": Membership(32, f"{MARK}party32{MARK}", "company", RIVAL_INN, "owner", None, True),
        "contractor": Membership(
            31, f"{MARK}party31{MARK}", "company", OWNER_INN, "contractor", (910_000_004, 910_000_009), True
        ),
    }.get(name)
    duty = {
        "inspector here": Duty("inspector", "54", "Управление"),
        "inspector elsewhere": Duty("inspector", "70", "Управление"),
        "administrator": Duty("administrator", "*", "Управление"),
    }.get(name)
    if name not in ACCOUNTS:
        return None
    number = ACCOUNTS[name]
    return Person(
        number,
        f"{MARK}acct{number}{MARK}",
        login=f"p{number}",
        email=f"p{number}@mezha.test",
        status="confirmed",
        memberships=(member,) if member else (),
        duties=(duty,) if duty else (),
    )


def furnish(settings: Settings, name: str | None) -> None:
    """Put the secrets that a caller may know into a fresh database; all of them where ``name`` is None."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        # The rows stand as if they had come by their own ways; what guards those ways is tested elsewhere.
        connection.execute("SET session_replication_role = replica")
        for secret in SECRETS:
            if name is not None and name not in secret.known:
                continue
            row = secret.values()
            holes = sql.SQL(", ").join(map(sql.Placeholder, row))
            if secret.table == "journal":
                connection.execute(sql.SQL("SELECT journal.append({})").format(_cast(row)), row)
                continue
            table = sql.Identifier(*secret.table.split("."))
            columns = sql.SQL(", ").join(map(sql.Identifier, row))
            connection.execute(
                sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
                    table, columns, holes
                ),
                row,
            )


def _cast(row: Mapping[str, object]) -> sql.Composable:
    kinds = {"account": "bigint", "concerned": "bigint", "object": "bigint", "details": "jsonb"}
    return sql.SQL(", ").join(
        sql.SQL("{}::{}").format(sql.Placeholder(k), sql.SQL(kinds.get(k, "text"))) for k in row
    )
