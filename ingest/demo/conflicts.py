"""Deliberate conflicts, so that the checks of a demonstration have something to find."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import shapely

from ingest.demo.names import FOREST_COMPANY, SUBSOIL_COMPANY, WASTE_COMPANY
from ingest.demo.region import Region
from ingest.demo.rights import Rights
from ingest.demo.subsoil import cornered

# Numbers by which the register knows the objects in conflict.
LICENCE_OVER_RESERVE = "ПРЗ 99001 ТП"
LEASE_WITHIN_LEASE = "901/2024-А"
EXPIRED_LEASE = "902/2015-А"
CUTTING_IN_WATER_ZONE = "97-2026-99001"
WASTE_IN_WATER_ZONE = "97-0197-999001-П"


@dataclass
class Frames:
    """All frames of the region in their latest state; the conflicts are written into them."""

    rights: Rights
    deposits: pd.DataFrame
    licences: pd.DataFrame
    waste_sites: pd.DataFrame
    zones: pd.DataFrame
    parcels: pd.DataFrame


def add(rng: np.random.Generator, region: Region, frames: Frames) -> Frames:
    """Write the conflicts into the frames."""
    licences = frames.licences
    reserve = frames.zones[frames.zones["kind"] == "oopt"].iloc[0]
    row = licences.iloc[0].to_dict() | {
        "number": LICENCE_OVER_RESERVE, "name": "Участок недр Кедровая грива", "kind": "study", "mineral": "золото", "status": "active",
        "purpose": "геологическое изучение, поиски и оценка: золото", "holder": SUBSOIL_COMPANY.name, "holder_inn": SUBSOIL_COMPANY.inn,
        "issued_on": date(2023, 4, 12), "expires_on": date(2030, 4, 12), "lower": "без ограничения по глубине",
        "geometry": cornered(rng, reserve["geometry"].representative_point().buffer(1_700), 6),
    }  # fmt: skip
    frames.licences = pd.concat([licences, pd.DataFrame([row])], ignore_index=True)
    _overlap(frames)
    _expired(frames)
    _cutting(region, frames)
    _waste(frames)
    return frames


def _overlap(frames: Frames) -> None:
    """A recreation lease on land that a timber lease covers already."""
    leases = frames.rights.leases
    timber = leases[leases["usage"] == "1"].iloc[0]
    piece = (
        timber["geometry"].representative_point().buffer(420, quad_segs=3).intersection(timber["geometry"])
    )
    row = timber.to_dict() | {
        "number": LEASE_WITHIN_LEASE, "usage": "8", "forest_kind": "sanitary", "holder": "ИП Осокин Пётр Андреевич", "geometry": piece,
        "signed_on": date(2024, 5, 20), "starts_on": date(2024, 6, 1), "ends_on": date(2034, 5, 31), "status": "active", "annual_volume_m3": np.nan,
        "area_ha": round(piece.area / 1e4, 4),
    }  # fmt: skip
    row["holder_inn"] = (
        leases.loc[leases["holder"] == row["holder"], "holder_inn"].iloc[0]
        if (leases["holder"] == row["holder"]).any()
        else FOREST_COMPANY.inn
    )
    leases.loc[len(leases)] = pd.Series(row)


def _expired(frames: Frames) -> None:
    """A lease that ended and still stands in the register."""
    leases = frames.rights.leases
    at = leases.index[(leases["usage"] != "1") & (leases["number"] != LEASE_WITHIN_LEASE)][3]
    leases.loc[at, ["number", "status", "holder", "holder_inn"]] = [
        EXPIRED_LEASE,
        "overdue",
        FOREST_COMPANY.name,
        FOREST_COMPANY.inn,
    ]
    leases.loc[at, ["signed_on", "starts_on", "ends_on"]] = [
        date(2015, 12, 20),
        date(2016, 1, 1),
        date(2025, 12, 31),
    ]


def _cutting(region: Region, frames: Frames) -> None:
    """A clear cutting declared in a stand by the water."""
    areas = frames.rights.cutting_areas
    rivers = frames.zones.loc[frames.zones["kind"] == "water_protection", "geometry"].to_numpy()
    stands = region.forest.stands
    wet = stands[
        (stands["protection"] == "water_protection")
        & (stands["age_group"] == "mature")
        & stands["quarter_at"].isin(areas["quarter_at"])
    ]
    tree = shapely.STRtree(rivers)
    hit = np.unique(tree.query(wet["geometry"].to_numpy(), predicate="intersects")[0])
    chosen = wet.iloc[hit[0]]
    like = areas[areas["quarter_at"] == chosen["quarter_at"]].iloc[0].to_dict()
    row = like | {
        "declaration": CUTTING_IN_WATER_ZONE, "lot": 1, "year": 2026, "form": "clear", "stand_number": chosen["number"], "code": chosen["code"],
        "geometry": chosen["geometry"], "species": chosen["species"], "volume": 900.0, "area_ha": chosen["area_ha"], "stand_at": chosen.name,
    }  # fmt: skip
    areas.loc[len(areas)] = pd.Series(row)


def _waste(frames: Frames) -> None:
    """A dump within a water protection zone."""
    zone = frames.zones[frames.zones["kind"] == "water_protection"].iloc[1]
    spot = zone["geometry"].representative_point()
    sites = frames.waste_sites
    row = sites.iloc[0].to_dict() | {
        "number": WASTE_IN_WATER_ZONE, "name": "Площадка временного накопления «Береговая»", "kind": "storage", "status": "active", "category": "3",
        "x": round(spot.x, 2), "y": round(spot.y, 2), "holder": WASTE_COMPANY.name, "holder_inn": WASTE_COMPANY.inn,
    }  # fmt: skip
    sites.loc[len(sites)] = pd.Series(row)
