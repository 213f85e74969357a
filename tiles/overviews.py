"""Overviews for z0–z9: kept in step with the register by the worker, chunk by chunk."""

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import psycopg
import shapely
from psycopg import sql
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from geo.layers import Layer
from geo.session import connect, sql_of
from geo.settings import Settings
from tiles.bands import BANDS, Band, classes_of, overviewed_layers
from tiles.generalise import Piece, cut, generalise

Connection = psycopg.Connection[TupleRow]
# Two workers must not build the same chunk at once.
LOCK = 7_305_115_211


@dataclass(frozen=True)
class _Crew:
    """Connections that build chunks side by side until the time is over; the first one leads."""

    connections: tuple[Connection, ...]
    until: float

    def build(self, layer: Layer, band: Band, today: date) -> int:
        """The chunks of a band that are not true; how many were built."""
        chunks = deque(_stale(self.connections[0], layer, band, today))

        def work(connection: Connection) -> int:
            done = 0
            while chunks and not self.over:
                try:
                    chunk = chunks.popleft()
                except IndexError:
                    break
                with connection.transaction():
                    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                    done += _build(connection, layer, band, chunk, today)
            return done

        if len(self.connections) == 1 or len(chunks) == 1:
            return work(self.connections[0])
        with ThreadPoolExecutor(len(self.connections)) as pool:
            return sum(pool.map(work, self.connections))

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self.until


def keep(settings: Settings, today: date, *, seconds: float = 1e9, hands: int = 1) -> int:
    """Build the chunks that are not true any more, for so long; how many were built. The caller repeats it.

    ``hands`` chunks are built at a time: the work is done outside the interpreter, so threads share the cores.
    """
    with ExitStack() as stack:
        url = settings.url_for("registrar")
        first, *others = [stack.enter_context(connect(url, autocommit=True)) for _ in range(hands)]
        if first.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone() != (True,):
            return 0
        try:
            crew = _Crew((first, *others), time.monotonic() + seconds)
            return sum(_keep_layer(crew, layer, today) for layer in overviewed_layers())
        finally:
            first.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def merge_changes(settings: Settings) -> int:
    """Merge what every server has seen long ago; how many rows went."""
    with connect(settings.url_for("registrar"), autocommit=True) as connection:
        row = connection.execute("SELECT tiles.merge_changes()").fetchone()
    return row[0] if row else 0


def _keep_layer(crew: _Crew, layer: Layer, today: date) -> int:
    connection = crew.connections[0]
    epoch, counted = _epoch(connection, layer)
    if counted != epoch:
        _occupy(connection, layer)
    done = 0
    for band in BANDS:
        done += crew.build(layer, band, today)
        if crew.over:
            return done
    if counted != epoch:
        connection.execute(
            "INSERT INTO tiles.overviewed VALUES (%s, %s) ON CONFLICT (layer) DO UPDATE SET epoch = EXCLUDED.epoch",
            [layer.name, epoch],
        )
    return done


def _epoch(connection: Connection, layer: Layer) -> tuple[int, int | None]:
    row = connection.execute(
        "SELECT (SELECT coalesce(sum(weight), 0)::bigint FROM tiles.changes WHERE layer = %(l)s AND x = -1),"
        " (SELECT epoch FROM tiles.overviewed WHERE layer = %(l)s)",
        {"l": layer.name},
    ).fetchone()
    return (row[0], row[1]) if row else (0, None)


def _occupy(connection: Connection, layer: Layer) -> None:
    """Give every cell that an object lies in a chunk, which is not true yet."""
    connection.execute(
        sql.SQL(
            "INSERT INTO tiles.chunks (layer, band, x, y, version, epoch, first, until)"
            " SELECT DISTINCT {name}, 9, x, y, -1, -1, '-infinity'::date, '-infinity'::date FROM {table},"
            " generate_series(tiles.cell(ST_XMin(geom_3857)), tiles.cell(ST_XMax(geom_3857))) x,"
            " generate_series(tiles.cell(-ST_YMax(geom_3857)), tiles.cell(-ST_YMin(geom_3857))) y"
            " WHERE sys_to = 'infinity' AND geom_3857 IS NOT NULL ON CONFLICT DO NOTHING"
        ).format(name=sql.Literal(layer.name), table=sql.Identifier("register", layer.name))
    )


def _stale(connection: Connection, layer: Layer, band: Band, today: date) -> list[tuple[int, int]]:
    values = {"layer": layer.name, "band": band.number, "bits": band.bits, "day": today}
    return [(x, y) for x, y in connection.execute(sql_of("tiles", "stale"), values).fetchall()]


def _build(connection: Connection, layer: Layer, band: Band, chunk: tuple[int, int], today: date) -> int:
    place = {"layer": layer.name, "band": band.number, "bits": band.bits, "x": chunk[0], "y": chunk[1]}
    row = connection.execute(sql_of("tiles", "chunk_version"), place).fetchone()
    version, epoch = row if row else (0, 0)
    if band is BANDS[0]:
        pieces, first, until = _plots(connection, layer, chunk, today)
    else:
        finer = BANDS[BANDS.index(band) - 1]
        below = _pieces_below(connection, layer, finer, place, today)
        if below is None:
            return 0
        pieces, first, until = below
    connection.execute(
        "DELETE FROM tiles.chunks WHERE layer = %(layer)s AND band = %(band)s AND x = %(x)s AND y = %(y)s",
        place,
    )
    connection.execute(
        "INSERT INTO tiles.chunks (layer, band, x, y, version, epoch, first, until)"
        " VALUES (%(layer)s, %(band)s, %(x)s, %(y)s, %(version)s, %(epoch)s, %(first)s, %(until)s)",
        place | {"version": version, "epoch": epoch, "first": first, "until": until},
    )
    names = classes_of(layer)
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO tiles.overviews (layer, band, x, y, class, count, area_m2, geom)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, ST_SetSRID(%s::geometry, 3857))",
            [
                (
                    layer.name,
                    band.number,
                    *chunk,
                    Jsonb(dict(zip(names, p.kind, strict=True))),
                    p.count,
                    p.area_m2,
                    shapely.to_wkb(shapely.multipolygons(shapely.get_parts(p.shape))),
                )
                for p in generalise(pieces, band, band.square(*chunk))
            ],
        )
    return 1


def _plots(
    connection: Connection, layer: Layer, chunk: tuple[int, int], today: date
) -> tuple[list[Piece], date, date]:
    """What holds today in a cell and is as visible as the layer, cut at its border; and the days for which that stays
    so. An object counts where the middle of its box lies."""
    names = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(n)) for n in classes_of(layer))
    rows = connection.execute(
        sql.SQL(sql_of("tiles", "plots")).format(
            classes=names, table=sql.Identifier("register", layer.name), name=sql.Literal(layer.name)
        ),
        {"x": chunk[0], "y": chunk[1], "day": today},
        binary=True,
    ).fetchall()
    first = max([r[0] for r in rows if r[0]], default=date.min)
    until = min([r[1] for r in rows if r[1]], default=date.max)
    held = [r for r in rows if r[2]]
    shapes = shapely.from_wkb(np.array([r[4] for r in held], dtype=object))
    return (
        [
            Piece(tuple(r[6:]), int(r[5]), (r[3] or 0.0) if r[5] else 0.0, shape)
            for r, shape in zip(held, cut(shapes, BANDS[0].square(*chunk)), strict=True)
        ],
        first,
        until,
    )


def _pieces_below(
    connection: Connection, layer: Layer, finer: Band, place: dict[str, Any], today: date
) -> tuple[list[Piece], date, date] | None:
    """What the chunks of the finer band hold; None while one of them is not true."""
    step = place["bits"] - finer.bits
    values = place | {"finer": finer.number, "finer_bits": finer.bits, "step": step, "day": today}
    state = connection.execute(sql_of("tiles", "below"), values).fetchone()
    if not state or not state[0]:
        return None
    rows = connection.execute(
        "SELECT class, count, area_m2, ST_AsBinary(geom) FROM tiles.overviews WHERE layer = %(layer)s AND band = %(finer)s"
        " AND x >> %(step)s = %(x)s AND y >> %(step)s = %(y)s",
        values,
        binary=True,
    ).fetchall()
    names = classes_of(layer)
    shapes = shapely.from_wkb([r[3] for r in rows])
    pieces = [
        Piece(tuple(r[0][n] for n in names), r[1], r[2], shape) for r, shape in zip(rows, shapes, strict=True)
    ]
    return pieces, state[1] or date.min, state[2] or date.max
