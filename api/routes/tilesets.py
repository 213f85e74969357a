"""OGC API – Tiles: the tilesets of a collection and of all of them, the grid; tiles have a handler of their own."""

from fastapi import APIRouter, Request, Response

from api import tileset as tilesets_of
from api.params import BaseUrl, CallerDep, DatabaseDep, LayerDep, SettingsDep, known_only
from api.representation import answer, own_links
from api.routes.ogc import visible_layers

router = APIRouter(prefix="/ogc", tags=["OGC API"])
EVERYTHING = "All collections"


@router.get("/collections/{layer}/tiles", dependencies=[known_only("f")])
async def tilesets(request: Request, layer: LayerDep, base: BaseUrl) -> Response:
    """Tilesets of a collection: one."""
    path = f"{base}/ogc/collections/{layer.name}/tiles"
    found = tilesets_of.summary(layer.title["en"], path, base)
    return answer(request, {"links": own_links(request, base), "tilesets": [found]}, "Tilesets")


@router.get("/collections/{layer}/tiles/WebMercatorQuad", dependencies=[known_only("f")])
async def tileset(request: Request, layer: LayerDep, base: BaseUrl, settings: SettingsDep) -> Response:
    """The tileset of a collection."""
    path = f"{base}/ogc/collections/{layer.name}/tiles"
    return answer(request, tilesets_of.tileset(layer.title["en"], path, base, [layer], settings), "Tileset")


@router.get("/tiles", dependencies=[known_only("f")])
async def tilesets_of_all(request: Request, base: BaseUrl) -> Response:
    """Tilesets of all collections together: one."""
    found = tilesets_of.summary(EVERYTHING, f"{base}/ogc/tiles", base)
    return answer(request, {"links": own_links(request, base), "tilesets": [found]}, "Tilesets")


@router.get("/tiles/WebMercatorQuad", dependencies=[known_only("f")])
async def tileset_of_all(
    request: Request, base: BaseUrl, database: DatabaseDep, caller: CallerDep, settings: SettingsDep
) -> Response:
    """The tileset of the collections that the caller may know of."""
    layers = await visible_layers(database, caller)
    return answer(
        request, tilesets_of.tileset(EVERYTHING, f"{base}/ogc/tiles", base, layers, settings), "Tileset"
    )


@router.get("/tileMatrixSets", dependencies=[known_only("f")])
async def tile_matrix_sets(request: Request, base: BaseUrl) -> Response:
    """Tile grids: one."""
    document = {"links": own_links(request, base), "tileMatrixSets": tilesets_of.grids(base)}
    return answer(request, document, "Tile matrix sets")


@router.get("/tileMatrixSets/WebMercatorQuad", dependencies=[known_only("f")])
async def tile_matrix_set(request: Request) -> Response:
    """The grid of web maps."""
    return answer(request, tilesets_of.grid(), tilesets_of.GRID)
