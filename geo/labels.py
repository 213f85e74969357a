"""Places of labels for layers of few, wide objects: one point in each, so that a name stands once on the map."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.layers import Layer
from geo.session import sql_of

# Past this many a layer is no longer one of few objects; the tiles label it well enough.
MOST = 2000


def statement(layer: Layer) -> str:
    """SQL of the labels of a layer; the columns and the gate come from the registry."""
    columns = ", ".join(f'o."{name}"' for name in layer.tile)
    return sql_of("geo", "labels").format(columns=columns, layer=layer.name)


async def labels(connection: AsyncConnection, layer: Layer) -> Sequence[RowMapping]:
    """Id, the columns that tiles carry, and ``geometry``: a GeoJSON point in the largest part of each object."""
    return (await connection.execute(text(statement(layer)), {"most": MOST})).mappings().all()
