"""Where a tile comes from: memory, the shelf, or the database, one question at a time for the same tile."""

import asyncio
from datetime import date, datetime, time, timedelta
from time import time as now
from zoneinfo import ZoneInfo

from geo.access import ANONYMOUS, Caller
from geo.layers import layer
from geo.moment import Moment
from geo.session import sql_of
from geo.settings import Settings
from tiles.archived import Archives
from tiles.bands import band_of, cells_of
from tiles.batch import BATCH_FROM, Batches, Question
from tiles.cache import SHARED_FROM, Memory, Shelf, Tile
from tiles.connections import Connections
from tiles.request import query_of
from tiles.vector import Cover, TileQuery, filtered, statement
from tiles.versions import Versions

Key = tuple[str, str, str]
# Audience of who is not logged in.
NOBODY = ANONYMOUS.audience()
# Deeper tiles are small: they are made quicker than looked for on the shelf.
SHELF_ZOOM = 12
_COVERAGE = sql_of("tiles", "coverage")


class TileSource:
    """The tiles of one server process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connections = Connections(settings)
        self._batches = Batches(self._connections)
        self._versions = Versions(self._connections)
        self._archives = Archives(settings)
        self._memory = Memory(settings.tile_memory_mb << 20)
        self._shelf = Shelf(settings.home / "tiles", settings.tile_shelf_mb << 20)
        self._making: dict[Key, tuple[int, asyncio.Future[Tile | None]]] = {}
        self._midnight = 0.0
        self._today = Moment.today(settings.time_zone)

    def remembered(self, path: str, text: str, audience: str = NOBODY) -> Tile | None:
        """The tile of a path and its query string where it is known to be true without asking or reckoning anything.

        Other threads than the loop's may ask.
        """
        if self._archives or now() >= self._midnight or not self._versions.fresh():
            return None
        known = self._memory.get((path, text, audience))
        return known if known is not None and known.serial == self._versions.serial else None

    async def tile(self, path: str, text: str, caller: Caller) -> Tile | None:
        """The tile of a path and its query string; None where the path is no tile's."""
        if now() >= self._midnight:
            self._new_day()
        if not self._versions.fresh():
            await self._versions.renew()
        if self._archives and await self._archives.renew():
            self._memory.clear()
        key: Key = (path, text, NOBODY if caller.anonymous else caller.audience())
        known = self._memory.get(key)
        if known is not None and self._true(known):
            return known
        query = known.query if known else query_of(path, text, self._today, self._settings.tile_max_zoom)
        return await self._made(key, query, caller) if query else None

    async def version(self, layers: tuple[str, ...]) -> int:
        """Version of whole layers now."""
        await self._versions.renew()
        return self._versions.of(layers, 0, 0, 0)

    async def extent(self, name: str, caller: Caller) -> tuple[float, float, float, float] | None:
        """West, south, east, north of what the caller sees of a layer, metres of web mercator; None where nothing."""
        row = await self._connections.row(
            caller,
            "SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)"
            f" FROM (SELECT ST_Extent(geom_3857) AS e FROM gate.{layer(name).name} WHERE sys_to = 'infinity') o",
        )
        return tuple(row) if row and row[0] is not None else None

    def close(self) -> None:
        """Stop looking for changes and end the connections."""
        self._versions.close()
        self._connections.drop()

    def _true(self, tile: Tile) -> bool:
        if tile.serial == self._versions.serial:
            return True
        if tile.version != self._version(tile.query):
            return False
        tile.serial = self._versions.serial
        return True

    def _version(self, query: TileQuery) -> int:
        stamp = self._archives.stamp(query.layers) if self._archives else 0
        return self._versions.of(query.layers, query.z, query.x, query.y) + stamp

    async def _made(self, key: Key, query: TileQuery, caller: Caller) -> Tile:
        """Make it, or wait for who makes the same version of it already.

        Where he goes away his statement is cancelled, and one of those who wait makes it anew.
        """
        while True:
            version = self._version(query)
            begun = self._making.get(key)
            if begun is None or begun[0] != version:
                break
            tile = await asyncio.shield(begun[1])
            if tile is not None:
                return tile
        promise: asyncio.Future[Tile | None] = asyncio.get_running_loop().create_future()
        self._making[key] = (version, promise)
        try:
            tile = await self._make(key, query, caller, version)
            promise.set_result(tile)
        except Exception as err:
            promise.set_exception(err)
            # Nobody may wait for it, which is no fault.
            promise.exception()
            raise
        finally:
            if self._making.get(key, (0, None))[1] is promise:
                del self._making[key]
            if not promise.done():
                promise.set_result(None)
        return tile

    async def _make(self, key: Key, query: TileQuery, caller: Caller, version: int) -> Tile:
        """The version was read before the rows: the tile may be newer than it says, never older."""
        identity, serial, audience = self._versions.identity, self._versions.serial, key[2]
        stored = await self._stored(query) if self._archives else {}
        layers = tuple(name for name in query.drawn() if name not in stored) if stored else query.drawn()
        kept = query.z < SHELF_ZOOM and not stored
        found = self._shelf.get(identity, audience, query, version) if kept else None
        if found:
            body = found[1]
        else:
            drawn = await self._drawn(query, layers, caller) if layers else b""
            body = b"".join((*stored.values(), drawn))
            if len(body) >= SHARED_FROM and kept and identity == self._versions.identity:
                self._shelf.put(identity, audience, query, version, body)
        tile = Tile.of(query, body, version, serial)
        if identity == self._versions.identity:
            self._memory.put(key, tile)
        return tile

    async def _drawn(self, query: TileQuery, layers: tuple[str, ...], caller: Caller) -> bytes:
        """The layers as the register has them."""
        moment = query.moment
        if caller.anonymous and query.z >= BATCH_FROM and not query.filter and moment.as_of is None:
            days = moment.first or date.min, moment.last or date.max
            return await self._batches.body(
                Question(layers, query.properties, *days, query.whole()), (query.z, query.x, query.y)
            )
        names = [n for n in query.from_overviews() if n in layers]
        covers = [c for n in names if (c := await self._cover(query, n, caller))]
        only, values = filtered(query, layers)
        covered = tuple(c.layer for c in covers)
        sql = statement(
            layers, query.moment.as_of is not None, query.properties, covered, only, whole=query.whole()
        )
        covering = (v for c in covers for v in c.values())
        return await self._connections.value(caller, sql, *query.values(), *covering, *values) or b""

    async def _stored(self, query: TileQuery) -> dict[str, bytes]:
        """The layers that come from PMTiles: as they are, so only for who asks for nothing special."""
        if query.moment != self._today or query.filter or query.properties is not None:
            return {}
        found = {name: self._archives.of(name, query.z) for name in query.drawn()}
        return {n: await a.tile(query.z, query.x, query.y) for n, a in found.items() if a}

    async def _cover(self, query: TileQuery, name: str, caller: Caller) -> Cover | None:
        """How overviews cover the tile; None where the caller sees less than the layer, or there are none yet."""
        west, north, east, south = cells_of(query.z, query.x, query.y)
        band = band_of(query.z)
        known, rank, coarse, fine, dirty = await self._connections.row(
            ANONYMOUS,
            _COVERAGE,
            *(name, band.number, west, east, north, south, band.bits, query.moment.first),
        )
        if not known or caller.rank < rank:
            return None
        return Cover(name, band.number, rank, tuple(coarse), tuple(fine), tuple(dirty))

    def _new_day(self) -> None:
        """What holds today is another question tomorrow."""
        zone = ZoneInfo(self._settings.time_zone)
        self._today = Moment.today(self._settings.time_zone)
        tomorrow = datetime.now(zone).date() + timedelta(days=1)
        self._midnight = datetime.combine(tomorrow, time(), zone).timestamp()
        self._memory.clear()
