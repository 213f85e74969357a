"""The catalogue: which layers a caller may know of, how many objects he sees in each, and where they lie."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from geo import objects, tally
from geo.layers import GROUPS, Layer, all_layers
from geo.moment import Moment
from geo.objects import Bbox

# What an installation is about; the first of them that holds anything says where the map begins.
_HOME = ("forestries", "leases", "licences", "deposits", "parcels", "stands", "zones", "municipalities")


@dataclass(frozen=True)
class Entry:
    """A layer that the caller may know of, with the number of objects that he sees; None where nobody counted so many."""

    layer: Layer
    count: int | None


async def entries(connection: AsyncConnection, today: Moment) -> list[Entry]:
    """Visible layers in the order of their groups, rights first, territory last, with what holds today."""
    visible = await objects.visible_names(connection)
    counts = await tally.counts(connection, visible, today)
    order = list(GROUPS)
    known = sorted(
        (layer for name, layer in all_layers().items() if name in visible),
        key=lambda layer: order.index(layer.group),
    )
    return [Entry(layer, counts[layer.name]) for layer in known]


async def home_box(connection: AsyncConnection, found: list[Entry]) -> Bbox | None:
    """Box in degrees with which the map begins; None where there is nothing to show."""
    filled = {entry.layer.name: entry.layer for entry in found if entry.count != 0}
    for name in _HOME:
        if name in filled:
            box = await tally.extent(connection, filled[name])
            if box:
                return box
    return None
