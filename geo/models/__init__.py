"""Typed tables of the registers: one module a noun, one table a layer.

Importing this package declares every table on ``Base.metadata``, which the migrations are checked against.
"""

from geo.models.base import Base, Version
from geo.models.crs import CrsDefinition
from geo.models.forest import CuttingArea, ForestPlot, Forestry, Lease, Quarter, Stand
from geo.models.land import Municipality, Parcel, Zone
from geo.models.subsoil import Deposit, Licence
from geo.models.waste import WasteSite

LAYER_MODELS: tuple[type[Version], ...] = (
    Municipality,
    Parcel,
    Forestry,
    Quarter,
    Stand,
    ForestPlot,
    Lease,
    Licence,
    Deposit,
    WasteSite,
    Zone,
    CuttingArea,
)

__all__ = ["LAYER_MODELS", "Base", "CrsDefinition", "Version"]
