"""CQL2 filters as conditions on a gate: parsed by ``cql2``, translated by a whitelist, every value bound.

Nothing that may fail on data is translated (no casts, no arithmetic): an error that depended on a hidden row
would tell of it. Geometry conditions begin with ``&&``, so that the spatial index finds the rows.
"""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import cql2
import orjson
import shapely
from sqlalchemy import (
    Column,
    ColumnElement,
    Table,
    and_,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    true,
)

from geo.crs import WGS84
from geo.errors import MezhaError
from geo.layers import Layer
from geo.reference import Reference

LONGEST = 200_000
DEEPEST = 60
# The parser descends once for each of these; far more than a person writes, far fewer than its stack holds.
_MOST_RISKY = 4_000
_RISKY = re.compile(r"[(\[{+\-*/%^]|\bnot\b", re.IGNORECASE)
_MOST_PARTS = 20_000
TIMES = ("valid_from", "valid_to", "sys_from", "sys_to")
Term = Any


class FilterError(MezhaError):
    """A filter cannot be understood, or asks for what filters may not do."""

    code = "bad-filter"


@dataclass(frozen=True)
class _Value:
    """One side of a comparison: a column or a literal, and its kind: text, number, date, time, boolean."""

    kind: str
    sql: ColumnElement[Any]


@cache
def _parser() -> ThreadPoolExecutor:
    """A thread with a stack deep enough for the deepest filter that passes the limits."""
    before = threading.stack_size(128 << 20)
    executor = ThreadPoolExecutor(1, thread_name_prefix="cql2")
    executor.submit(int).result()
    threading.stack_size(before)
    return executor


def _refuse(message: str, value: str = "", remedy: str = "") -> FilterError:
    return FilterError(
        message,
        remedy or "The page /ogc of the documentation shows what filters may say.",
        field="filter",
        value=value[:60],
    )


def parse(text: str, language: str = "cql2-text") -> Any:
    """The filter as CQL2 JSON; FilterError where it is too long, too deep or no CQL2."""
    if len(text) > LONGEST:
        raise _refuse(f"The filter has {len(text)} characters.", remedy=f"At most {LONGEST} are read.")
    if len(_RISKY.findall(text)) > _MOST_RISKY and language == "cql2-text":
        raise _refuse("The filter has too many parts.", remedy="Send large geometries as cql2-json.")
    if language == "cql2-json":
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as err:
            raise _refuse(f"The filter is no JSON: {err}.", text) from None
    if language != "cql2-text":
        raise FilterError(
            f"The filter language “{language[:30]}” is unknown.",
            "Known here: cql2-text, cql2-json.",
            field="filter-lang",
            value=language[:30],
        )
    try:
        return _parser().submit(lambda: cql2.parse_text(text).to_json()).result()
    except (cql2.ParseError, cql2.ValidationError, ValueError, TypeError) as err:
        raise _refuse(f"The filter is no CQL2: {_where(str(err))}", text) from None


def _where(message: str) -> str:
    lines = [line.strip(" |-=>") for line in message.splitlines()]
    return "; ".join(line for line in lines if line and not line.startswith("^"))[:200]


class Translation:
    """Translates CQL2 JSON for one layer; ``reference`` is the system of the filter's coordinates."""

    def __init__(self, layer: Layer, table: Table, reference: Reference) -> None:
        self._layer = layer
        self._table = table
        self._reference = reference
        self._parts = 0
        self._kinds = {p.name: p.type for p in layer.properties}
        self._kinds |= {
            "id": "integer",
            **dict.fromkeys(TIMES[:2], "date"),
            **dict.fromkeys(TIMES[2:], "time"),
        }

    def condition(self, node: Any, depth: int = 0) -> ColumnElement[bool]:
        """The condition of a boolean expression."""
        self._parts += 1
        if depth > DEEPEST or self._parts > _MOST_PARTS:
            raise _refuse("The filter is too deep or has too many parts.", remedy="Write a simpler filter.")
        if isinstance(node, bool):
            return true() if node else false()
        if not isinstance(node, dict) or not isinstance(node.get("op"), str):
            raise _refuse("A condition is expected.", str(node))
        op, args = node["op"].lower(), node.get("args")
        if not isinstance(args, list):
            raise _refuse(f"{op[:20]} needs a list of arguments.", op)
        if op in ("and", "or"):
            parts = [self.condition(a, depth + 1) for a in args]
            return and_(true(), *parts) if op == "and" else or_(false(), *parts)
        if op == "not":
            return not_(self.condition(self._only(args, 1, op)[0], depth + 1))
        if op.startswith("s_"):
            return self._spatial(op, self._only(args, 2, op))
        if op.startswith("t_"):
            return self._temporal(op, self._only(args, 2, op))
        return self._plain(op, args)

    def _only(self, args: Sequence[Any], count: int, op: str) -> Sequence[Any]:
        if len(args) != count:
            raise _refuse(f"{op[:20]} needs {count} arguments.", op)
        return args

    def _plain(self, op: str, args: Sequence[Any]) -> ColumnElement[bool]:
        if op in _COMPARE:
            return _COMPARE[op](*self._pair(*self._only(args, 2, op)))
        if op == "isnull":
            if _is_geometry(args[0] if args else None):
                return self._table.c.geom.is_(None)
            return self._value(self._only(args, 1, op)[0]).sql.is_(None)
        if op == "like":
            return self._like(*self._only(args, 2, op))
        if op == "between":
            low, middle = self._pair(args[1], self._only(args, 3, op)[0])
            high, _ = self._pair(args[2], args[0])
            return and_(middle >= low, middle <= high)
        if op == "in":
            found = self._only(args, 2, op)
            if not isinstance(found[1], list):
                raise _refuse("IN needs a list.")
            return or_(false(), *(_COMPARE["="](*self._pair(found[0], item)) for item in found[1][:1000]))
        raise _refuse(
            f"Filters cannot say “{op[:30]}”.", op, f"They can say: {', '.join(sorted(OPERATORS))}."
        )

    def _like(self, value: Any, pattern: Any) -> ColumnElement[bool]:
        text, compared = self._value(value, "text"), self._value(pattern, "text")
        plain = pattern["args"][0] if isinstance(pattern, dict) and pattern.get("op") == "casei" else pattern
        if text.kind != "text" or compared.kind != "text" or not isinstance(plain, str):
            raise _refuse("LIKE compares a text with a pattern in quotes.")
        if (len(plain) - len(plain.rstrip("\\"))) % 2:
            # PostgreSQL would fail on the first row that gets so far, and so tell of it.
            raise _refuse("A pattern must not end with a single backslash.", plain)
        return text.sql.like(compared.sql, escape="\\")

    def _column(self, name: str) -> tuple[Column[Any], str]:
        if name not in self._kinds:
            raise _refuse(
                f"{self._layer.name} has no property “{name[:40]}”.",
                name,
                f"There are: {', '.join(self._kinds)}; geometry.",
            )
        return self._table.c[name], self._kinds[name]

    def _value(self, node: Any, wanted: str = "") -> _Value:
        """A property or a literal; a literal text is read as the ``wanted`` kind where that is a date or time."""
        if isinstance(node, dict) and node.get("op") == "casei" and isinstance(node.get("args"), list):
            inner = self._value(self._only(node["args"], 1, "casei")[0], "text")
            if inner.kind != "text":
                raise _refuse("CASEI is for texts.")
            return _Value("text", func.lower(inner.sql))
        if isinstance(node, dict) and isinstance(node.get("property"), str):
            column, kind = self._column(node["property"])
            return _Value("number" if kind == "integer" else kind, column)
        return _literal(node, wanted)

    def _pair(self, left: Any, right: Any) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        first = self._value(left, self._kind_of(right))
        second = self._value(right, first.kind)
        if first.kind != second.kind and {first.kind, second.kind} != {"date", "time"}:
            raise _refuse(
                f"A {first.kind} cannot be compared with a {second.kind}.",
                remedy="Write texts in single quotes, numbers without, dates as DATE('2024-02-28').",
            )
        return first.sql, second.sql

    def _kind_of(self, node: Any) -> str:
        if isinstance(node, dict) and isinstance(node.get("property"), str):
            return self._column(node["property"])[1]
        return ""

    def _temporal(self, op: str, args: Sequence[Any]) -> ColumnElement[bool]:
        if op not in _TEMPORAL:
            raise _refuse(f"Filters cannot say “{op[:30]}”.", op)
        ends = [end for a in args for end in (_ends(a) or [a])]
        kinds = [self._kind_of(end) for end in ends]
        if not all(k in ("date", "time", "") for k in kinds):
            raise _refuse(f"{op} compares dates and times.", op)
        # Texts are read as what they are compared with; between literals alone, as instants.
        wanted = next((k for k in kinds if k), "time")
        (a, b), (c, d) = (self._period(arg, wanted) for arg in args)
        return _TEMPORAL[op](a, b, c, d)

    def _period(self, node: Any, wanted: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        ends = _ends(node)
        if ends:
            found = [
                opened if end == ".." else self._date(end, wanted)
                for end, opened in zip(self._only(ends, 2, "INTERVAL"), _OPEN, strict=True)
            ]
            return found[0], found[1]
        value = self._date(node, wanted)
        return value, value

    def _date(self, node: Any, wanted: str) -> ColumnElement[Any]:
        value = self._value(node, wanted)
        if value.kind not in ("date", "time"):
            raise _refuse("A date is expected.", str(node))
        return value.sql

    def _spatial(self, op: str, args: Sequence[Any]) -> ColumnElement[bool]:
        if op not in _SPATIAL:
            raise _refuse(
                f"Filters cannot say “{op[:30]}”.", op, f"They can say: {', '.join(sorted(_SPATIAL))}."
            )
        firsts, seconds = (self._shapes(op, a) for a in args)
        # Apart is what does not meet.
        name = "ST_Intersects" if op == "s_disjoint" else _SPATIAL[op]
        found = or_(
            *(
                and_(self._table.c.geom.op("&&")(b) if a is self._table.c.geom else b.op("&&")(a), exact)
                for a in firsts
                for b in seconds
                for exact in (getattr(func, name)(a, b),)
            )
        )
        return not_(found) if op == "s_disjoint" else found

    def _shapes(self, op: str, node: Any) -> list[ColumnElement[Any]]:
        """The geometry of the object or of a literal; several of a collection, of which one is enough to meet."""
        if _is_geometry(node):
            return [self._table.c.geom]
        shape = self._reference.to_degrees(_geometry(node, self._reference))
        parts = _parts(shape)
        if len(parts) > 1 and op not in ("s_intersects", "s_disjoint"):
            raise _refuse(f"{op} cannot take a collection of geometries.", op, "Ask for each part.")
        return [func.ST_GeomFromWKB(shapely.to_wkb(part), 4326) for part in parts]


def _ends(node: Any) -> list[Any]:
    """The two ends of an INTERVAL; none of anything else."""
    found = node.get("interval") if isinstance(node, dict) else None
    return found if isinstance(found, list) else []


def _is_geometry(node: Any) -> bool:
    return isinstance(node, dict) and node.get("property") in ("geom", "geometry")


def _parts(shape: Any) -> list[Any]:
    """Itself, or the geometries of a collection, however deep they lie in it."""
    if shape.geom_type != "GeometryCollection":
        return [shape]
    return [part for inner in shape.geoms for part in _parts(inner)]


def _literal(node: Any, wanted: str) -> _Value:
    if isinstance(node, bool):
        return _Value("boolean", literal(node))
    if isinstance(node, int | float):
        # A double on both sides: no integer of the filter can be out of a column's range.
        return _Value("number", literal(max(-1e300, min(float(node), 1e300))))
    if isinstance(node, dict) and (node.keys() & {"date", "timestamp"}):
        return _instant(str(node.get("date", node.get("timestamp"))), wanted)
    if isinstance(node, str) and wanted in ("date", "time"):
        return _instant(node, wanted)
    if isinstance(node, str) and "\x00" not in node:
        return _Value("text", literal(node))
    raise _refuse("A property or a value is expected.", str(node))


def _geometry(node: Any, reference: Reference) -> Any:
    """A valid shapely geometry of a literal, in the axis order of ``reference``."""
    try:
        if isinstance(node, dict) and isinstance(node.get("bbox"), list):
            return _box([float(n) for n in node["bbox"]], reference)
        shape = shapely.force_2d(shapely.from_geojson(orjson.dumps(node)))
    except (shapely.errors.ShapelyError, ValueError, TypeError):
        raise _refuse("A geometry of the filter cannot be read.", str(node)) from None
    if shape.is_empty:
        raise _refuse("A geometry of the filter is empty.", str(node))
    if not shape.is_valid:
        raise _refuse(f"A geometry of the filter is not valid: {shapely.is_valid_reason(shape)}.")
    return shape


def _box(numbers: list[float], reference: Reference) -> Any:
    """The geometry of a BBOX: two boxes where it crosses the antimeridian, a line or a point where it has no area."""
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    a, b, c, d = numbers
    if reference.degrees and not reference.swapped and a > c and b <= d:
        return shapely.MultiPolygon([shapely.box(a, b, 180.0, d), shapely.box(-180.0, b, c, d)])
    if reference.degrees and reference.swapped and b > d and a <= c:
        return shapely.MultiPolygon([shapely.box(a, b, c, 180.0), shapely.box(a, -180.0, c, d)])
    if a > c or b > d:
        raise _refuse("A BBOX of the filter is reversed.", str(numbers), "Write the lower corner first.")
    if a < c and b < d:
        return shapely.box(a, b, c, d)
    return shapely.Point(a, b) if (a, b) == (c, d) else shapely.LineString([(a, b), (c, d)])


def _instant(text: str, wanted: str) -> _Value:
    try:
        if len(text) <= 10:
            day = date.fromisoformat(text)
            return _Value("date", literal(day))
        moment = datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    except ValueError:
        raise _refuse(f"“{text[:40]}” is no date.", text) from None
    if wanted == "date":
        return _Value("date", literal(moment.date()))
    return _Value("time", literal(moment if moment.tzinfo else moment.replace(tzinfo=UTC)))


_COMPARE: Mapping[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}
_SPATIAL: Mapping[str, str] = {
    "s_intersects": "ST_Intersects",
    "s_disjoint": "ST_Disjoint",
    "s_equals": "ST_Equals",
    "s_touches": "ST_Touches",
    "s_within": "ST_Within",
    "s_contains": "ST_Contains",
    "s_overlaps": "ST_Overlaps",
    "s_crosses": "ST_Crosses",
}
# Before and after every day, also after what holds for ever.
_OPEN: tuple[ColumnElement[Any], ColumnElement[Any]] = (
    literal_column("'-infinity'::date"),
    literal_column("'infinity'::date"),
)
# Periods a…b and c…d, closed on both sides; an instant is a period of one moment.
_TEMPORAL: Mapping[str, Callable[..., ColumnElement[bool]]] = {
    "t_after": lambda a, b, c, d: a > d,
    "t_before": lambda a, b, c, d: b < c,
    "t_during": lambda a, b, c, d: and_(a > c, b < d),
    "t_contains": lambda a, b, c, d: and_(a < c, b > d),
    "t_equals": lambda a, b, c, d: and_(a == c, b == d),
    "t_intersects": lambda a, b, c, d: and_(a <= d, b >= c),
    "t_disjoint": lambda a, b, c, d: or_(a > d, b < c),
    "t_finishes": lambda a, b, c, d: and_(a > c, b == d),
    "t_finishedby": lambda a, b, c, d: and_(a < c, b == d),
    "t_starts": lambda a, b, c, d: and_(a == c, b < d),
    "t_startedby": lambda a, b, c, d: and_(a == c, b > d),
    "t_meets": lambda a, b, c, d: b == c,
    "t_metby": lambda a, b, c, d: a == d,
    "t_overlaps": lambda a, b, c, d: and_(a < c, b > c, b < d),
    "t_overlappedby": lambda a, b, c, d: and_(a > c, a < d, b > d),
}
OPERATORS = ("and", "or", "not", "isNull", "like", "between", "in", "casei", *_COMPARE, *_SPATIAL, *_TEMPORAL)


def condition(
    layer: Layer, table: Table, text: str, *, language: str = "cql2-text", reference: Reference | None = None
) -> ColumnElement[bool]:
    """The condition of a filter; ``reference`` is the system of its coordinates, degrees by default."""
    try:
        return Translation(layer, table, reference or Reference(WGS84, WGS84)).condition(
            parse(text, language)
        )
    except RecursionError:
        raise _refuse("The filter is too deep.", remedy="Write a simpler filter.") from None
