"""Who asks: the identity that every query carries into the database, where the policies decide.

The policies themselves are SQL (``geo/sql/access.sql``); docs/access.md explains them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql

from geo.layers import Access, all_layers

# One statement sets all of it; `true` binds the settings to the transaction, so that a pooled
# connection cannot carry one caller's identity into the next call.
IDENTIFY = """
SELECT set_config('mezha.account', %(account)s, true),
       set_config('mezha.rank', %(rank)s, true),
       set_config('mezha.regions', %(regions)s, true),
       set_config('mezha.inns', %(inns)s, true),
       set_config('mezha.objects', %(objects)s, true),
       set_config('mezha.decides', %(decides)s, true)
"""


def _array(values: tuple[str, ...]) -> str:
    quoted = ",".join('"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"' for v in values)
    return "{" + quoted + "}"


@dataclass(frozen=True)
class Caller:
    """Who asks, as the database needs it.

    ``rank`` opens layers (`Access`), ``regions`` are those a member of staff works for, ``inns`` the holders
    he acts for, ``objects`` ids of single objects that are shared with him, ``decides`` those of his regions whose
    cases he may move. ``account`` None is anonymous.
    """

    account: int | None = None
    rank: int = int(Access.public)
    regions: tuple[str, ...] = ()
    inns: tuple[str, ...] = ()
    objects: tuple[int, ...] = ()
    decides: tuple[str, ...] = ()

    def settings(self) -> dict[str, str]:
        """Values for `IDENTIFY`."""
        return {
            "account": "" if self.account is None else str(self.account),
            "rank": str(self.rank),
            "regions": _array(self.regions),
            "inns": _array(self.inns),
            "objects": "{" + ",".join(str(int(o)) for o in self.objects) + "}",
            "decides": _array(self.decides),
        }

    @property
    def anonymous(self) -> bool:
        """Whether nobody is logged in: the database's defaults then say the same as `settings`."""
        return self is ANONYMOUS or self == ANONYMOUS

    def audience(self) -> str:
        """Key of all callers who see the same: caches must never mix audiences."""
        if self.anonymous:
            return "0"
        return "|".join(f"{k}={v}" for k, v in self.settings().items() if k not in ("account", "decides"))


ANONYMOUS = Caller()


def layer_ranks(publish: frozenset[str]) -> Mapping[str, int]:
    """Rank that a caller needs for each layer, once ``MEZHA_PUBLISH`` has published some."""
    everything = "*" in publish
    return {
        name: int(Access.public if everything or name in publish else layer.access)
        for name, layer in all_layers().items()
    }


def publish_statement(publish: frozenset[str]) -> sql.Composed:
    """Statement for the owner that writes `layer_ranks` where the policies read them."""
    rows = sql.SQL(", ").join(
        sql.SQL("({}, {})").format(sql.Literal(name), sql.Literal(rank))
        for name, rank in layer_ranks(publish).items()
    )
    return sql.SQL(
        "INSERT INTO access.layers (name, rank) VALUES {} ON CONFLICT (name) DO UPDATE SET rank = EXCLUDED.rank "
        "WHERE access.layers.rank <> EXCLUDED.rank"
    ).format(rows)
