"""Rasters: the catalogue, titiler over its items, mosaics, statistics within a plot, changes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from morecantile import Tile, TileMatrixSets, tms
from pydantic import Field
from rio_tiler.errors import TileOutsideBounds
from rio_tiler.io import Reader
from rio_tiler.models import ImageData
from rio_tiler.mosaic import mosaic_reader
from starlette.concurrency import run_in_threadpool
from titiler.core.dependencies import PreviewParams, create_colormap_dependency
from titiler.core.factory import TilerFactory

from geo import layers, objects
from geo.access import Caller
from geo.db import Database
from geo.moment import ALWAYS
from geo.rasters import catalogue
from geo.rasters.catalogue import RANKS, Item
from geo.rasters.errors import RasterRequestError
from geo.settings import Settings
from tiles.rasters import change, freshness, plot
from tiles.rasters.colouring import ALGORITHMS, COLOURS

router = APIRouter(prefix="/raster", tags=["rasters"])
_GRID = tms.get("WebMercatorQuad")
_WIDEST = 2048


def _caller(request: Request) -> Caller:
    caller: Caller = request.scope["state"]["caller"]
    return caller


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


CallerDep = Annotated[Caller, Depends(_caller)]
DatabaseDep = Annotated[Database, Depends(_database)]
SettingsDep = Annotated[Settings, Depends(_settings)]


def document(item: Item) -> dict[str, Any]:
    """An item as the catalogue shows it; lengths in metres, the box in degrees."""
    hidden = {"rank", "source_sha256", "box"}
    shown: Mapping[str, Any] = {name: value for name, value in asdict(item).items() if name not in hidden}
    return {**shown, "access": RANKS[item.rank], "bbox": item.box, "tiles": f"/raster/items/{item.name}"}


async def item_of(item: str, database: DatabaseDep, caller: CallerDep) -> Item:
    """The item of the path, where the caller may see it."""
    async with database.transaction(caller) as connection:
        return await catalogue.item(connection, item)


ItemDep = Annotated[Item, Depends(item_of)]


def file_of(request: Request, item: ItemDep, settings: SettingsDep) -> str:
    """Path of the item's file: what titiler opens, never anything that a request names.

    What is drawn of it is known by the digest of its pixels: who has it already is told so, and nothing is drawn.
    """
    freshness.check(request.scope, item)
    return str(catalogue.path_of(item, settings))


@dataclass
class Size(PreviewParams):
    """Size of a picture, bounded: nobody may ask for a picture that fills the memory."""

    max_size: Annotated[int, Field(ge=1, le=_WIDEST, description="Longest side, pixels")] = 1024
    height: Annotated[int | None, Field(ge=1, le=_WIDEST, description="Height, pixels")] = None
    width: Annotated[int | None, Field(ge=1, le=_WIDEST, description="Width, pixels")] = None


class ItemTiler(TilerFactory):
    """Titiler's routes that read within bounds; drawn areas are asked as plots."""

    def register_routes(self) -> None:
        """Facts, tiles, one point, a preview."""
        for part in ("info", "tile", "tilejson", "point", "preview"):
            getattr(self, part)()


@router.get("")
async def listing(database: DatabaseDep, caller: CallerDep) -> dict[str, Any]:
    """Rasters that the caller may see, the newest first."""
    async with database.transaction(caller) as connection:
        return {"rasters": [document(item) for item in await catalogue.items(connection)]}


@router.get("/items/{item}")
async def show(item: ItemDep) -> dict[str, Any]:
    """One raster."""
    return document(item)


@router.get("/items/{item}/objects/{layer}/{identity}")
async def within(
    item: ItemDep,
    layer: str,
    identity: str,
    *,
    database: DatabaseDep,
    caller: CallerDep,
    settings: SettingsDep,
) -> dict[str, Any]:
    """Statistics of a raster within an object: in the raster's own units, weighted by the area of each pixel inside."""
    async with database.transaction(caller) as connection:
        target = layers.layer(layer)
        row = await objects.one(connection, target, objects.identity_of(identity), ALWAYS)
    polygon = orjson.loads(row["feature"])["geometry"]
    bands = await run_in_threadpool(plot.measure, catalogue.path_of(item, settings), polygon)
    return {
        "raster": item.name,
        "layer": target.name,
        "id": row["id"],
        "bands": [asdict(band) for band in bands],
    }


@router.get("/changes/{before}/{after}")
async def changes(before: str, after: str, database: DatabaseDep, caller: CallerDep) -> dict[str, Any]:
    """Where the values of two rasters differ, and whether declared cutting areas explain it."""
    async with database.transaction(caller) as connection:
        pair = await catalogue.item(connection, before), await catalogue.item(connection, after)
        return {"type": "FeatureCollection", "features": await change.matched(connection, *pair)}


def _box(x: int, y: int, z: int) -> tuple[float, float, float, float]:
    bounds = _GRID.bounds(Tile(x, y, z))
    return bounds.left, bounds.bottom, bounds.right, bounds.top


def _tile(file: str, x: int, y: int, z: int) -> ImageData:
    with Reader(file) as source:
        image: ImageData = source.tile(x, y, z)
    return image


@router.get("/collections/{collection}/tiles/WebMercatorQuad/{z}/{x}/{y}.png")
async def mosaic(
    collection: str,
    z: Annotated[int, Path(ge=0, le=24)],
    x: Annotated[int, Path(ge=0)],
    y: Annotated[int, Path(ge=0)],
    *,
    database: DatabaseDep,
    caller: CallerDep,
    settings: SettingsDep,
    rescale: Annotated[str | None, Query(pattern=r"^-?\d+(\.\d+)?,-?\d+(\.\d+)?$")] = None,
) -> Response:
    """A tile of a collection: the newest raster that has a value, pixel by pixel; ``rescale`` is least,greatest."""
    if max(x, y) >= 2**z:
        raise RasterRequestError(
            f"There is no tile {z}/{x}/{y}.", "Columns and rows of zoom z are below 2^z.", field="z"
        )
    async with database.transaction(caller) as connection:
        found = await catalogue.mosaic(connection, collection, _box(x, y, z))
    files = [str(catalogue.path_of(item, settings)) for item in found]
    return await run_in_threadpool(_merged, files, (x, y, z), rescale)


def _merged(files: list[str], tile: tuple[int, int, int], rescale: str | None) -> Response:
    if not files:
        return Response(status_code=204)
    try:
        image, _ = mosaic_reader(files, _tile, *tile, threads=1)
    except TileOutsideBounds:
        return Response(status_code=204)
    if rescale:
        least, greatest = (float(part) for part in rescale.split(","))
        image.rescale([(least, greatest)])
    elif image.array.dtype != "uint8":
        raise RasterRequestError(
            f"Values of {image.array.dtype} are no colours.", "Say rescale=least,greatest.", field="rescale"
        )
    return Response(image.render(img_format="PNG"), media_type="image/png")


_tiler = ItemTiler(
    path_dependency=file_of,
    router_prefix="/raster/items/{item}",
    supported_tms=TileMatrixSets({"WebMercatorQuad": _GRID}),
    img_preview_dependency=Size,
    colormap_dependency=create_colormap_dependency(COLOURS),
    process_dependency=ALGORITHMS.dependency,
    add_viewer=False,
    add_part=False,
)
router.include_router(_tiler.router, prefix="/items/{item}")
