"""Documents about tiles as OGC API has them: tilesets of a collection and of all of them, the grid."""

from collections.abc import Sequence
from typing import Any

import morecantile
import orjson

from api.links import MVT, link
from geo.layers import Layer
from geo.settings import Settings

GRID = "WebMercatorQuad"
GRID_URI = f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{GRID}"
TILESETS = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
TILING = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
_CRS = "http://www.opengis.net/def/crs/EPSG/0/3857"
_GEODATA = "http://www.opengis.net/def/rel/ogc/1.0/geodata"


def summary(title: str, path: str, base: str) -> dict[str, Any]:
    """A tileset in a list; its tiles have their template in the tileset itself, as its address is no URI."""
    return {
        "title": title,
        "dataType": "vector",
        "crs": _CRS,
        "tileMatrixSetURI": GRID_URI,
        "links": [
            link("self", f"{path}/{GRID}", "application/json", "This tileset"),
            link(TILING, f"{base}/ogc/tileMatrixSets/{GRID}", "application/json", GRID),
        ],
    }


def _limits(settings: Settings) -> list[dict[str, Any]]:
    """Every place of the grid down to the deepest zoom: outside them there is no tile, in them some are empty."""
    return [
        {
            "tileMatrix": str(zoom),
            "minTileRow": 0,
            "maxTileRow": (1 << zoom) - 1,
            "minTileCol": 0,
            "maxTileCol": (1 << zoom) - 1,
        }
        for zoom in range(settings.tile_max_zoom + 1)
    ]


def _drawn(layer: Layer) -> dict[str, Any]:
    return {
        "id": layer.name,
        "title": layer.title["en"],
        "dataType": "vector",
        "geometryDimension": 0 if layer.geometry == "POINT" else 2,
        "minTileMatrix": str(layer.zoom[0]),
        "maxTileMatrix": str(layer.zoom[1]),
    }


def tileset(title: str, path: str, base: str, layers: Sequence[Layer], settings: Settings) -> dict[str, Any]:
    """A tileset: how to ask for its tiles, where they may lie, what is drawn in them."""
    found = summary(title, path, base)
    template = f"{path}/{GRID}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
    links = [*found["links"], link("item", template, MVT, "Tiles") | {"templated": True}]
    links.append(link(_GEODATA, path.removesuffix("/tiles"), "application/json", "What the tiles show"))
    return found | {
        "links": links,
        "tileMatrixSetLimits": _limits(settings),
        "layers": [_drawn(layer) for layer in layers],
    }


def grids(base: str) -> list[dict[str, Any]]:
    """The grids that tiles come in: one."""
    address = f"{base}/ogc/tileMatrixSets/{GRID}"
    return [
        {
            "id": GRID,
            "title": "Google Maps Compatible for the World",
            "uri": GRID_URI,
            "links": [
                link("self", address, "application/json", GRID),
                link("item", address, "application/json", GRID),
            ],
        }
    ]


def grid() -> dict[str, Any]:
    """The definition of the grid of web maps."""
    found: dict[str, Any] = orjson.loads(
        morecantile.tms.get(GRID).model_dump_json(exclude_none=True, by_alias=True)
    )
    return found
