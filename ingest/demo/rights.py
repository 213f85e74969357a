"""Rights in the forest: plots, leases of them, and the cutting areas that their holders declare."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ingest.demo.forest import grouped
from ingest.demo.names import Holder, pick
from ingest.demo.region import Region

Geometries = NDArray[np.object_]
TIMBER_SHARE = 0.6
SMALL_USES = ("5", "8", "8", "12", "12", "14", "3", "4", "6", "15", "10")


@dataclass(frozen=True)
class Rights:
    """Frames in the state of the latest moment, with the day from which each row is known."""

    plots: pd.DataFrame
    leases: pd.DataFrame
    cutting_areas: pd.DataFrame


def _plot(region: Region, quarter: int, shape: shapely.Geometry, **values: object) -> dict[str, Any]:
    row = region.forest.quarters.iloc[quarter]
    return {
        "forestry": row["forestry"], "subforestry": row["subforestry"], "purpose": row["purpose"], "quarter_at": quarter,
        "code": row["code"], "geometry": shape, **values,
    }  # fmt: skip


def _timber(
    rng: np.random.Generator, region: Region
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[int]]:
    """Timber leases: compact groups of whole quarters; also the quarters that are left for other uses."""
    quarters = region.forest.quarters
    centres = quarters[["x", "y"]].to_numpy()
    number = max(5, round(len(quarters) / 14))
    group = grouped(centres, number)
    leased = rng.permutation(number)[: round(number * TIMBER_SHARE)]
    plots: list[dict[str, Any]] = []
    leases: list[dict[str, Any]] = []
    for k in sorted(leased.tolist()):
        members = np.flatnonzero(group == k)
        holder = pick(rng, "forest")
        signed = date(2008, 1, 15) + timedelta(int(rng.integers(0, 5_800)))
        first = len(plots)
        for quarter in members.tolist():
            plots.append(
                _plot(
                    region,
                    quarter,
                    quarters["geometry"].iloc[quarter],
                    usage="1",
                    lease_at=len(leases),
                    registered_on=signed - timedelta(60),
                )
            )
        leases.append(_lease(holder, "1", signed, 49, range(first, len(plots))))
    left = np.flatnonzero(~np.isin(group, leased)).tolist()
    return plots, leases, left


def _lease(holder: Holder, usage: str, signed: date, years: int, plots: Sequence[int]) -> dict[str, Any]:
    return {
        "holder": holder.name, "holder_inn": holder.inn, "usage": usage, "signed_on": signed, "starts_on": signed,
        "ends_on": signed.replace(year=signed.year + years, day=min(signed.day, 28)), "plots": plots,
    }  # fmt: skip


def _stands_together(rng: np.random.Generator, region: Region, quarter: int) -> shapely.Geometry:
    """One to four stands of a quarter that hang together."""
    stands = region.forest.stands
    low, high = np.searchsorted(stands["quarter_at"].to_numpy(), [quarter, quarter + 1])
    shapes = stands["geometry"].to_numpy()[low:high]
    at = int(rng.integers(0, len(shapes)))
    near = np.argsort(shapely.distance(shapely.centroid(shapes), shapely.centroid(shapes[at])), kind="stable")
    chosen = shapes[at]
    for k in near[1 : 1 + int(rng.integers(0, 4))].tolist():
        joined = shapely.coverage_union(chosen, shapes[k])
        if joined.geom_type == "Polygon":
            chosen = joined
    return chosen


def _small(
    rng: np.random.Generator, region: Region, left: list[int], wanted: int, leases: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Plots of a few stands in the quarters that are left, and the small leases of some of them."""
    order = rng.permutation(left).tolist()
    plots: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for k in range(wanted):
        quarter = order[k % len(order)]
        usage = SMALL_USES[int(rng.integers(0, len(SMALL_USES)))]
        day = date(2012, 3, 1) + timedelta(int(rng.integers(0, 4_300)))
        plots.append(
            _plot(region, quarter, _stands_together(rng, region, quarter), usage=usage, registered_on=day)
        )
        if len(rows) < leases:
            trade = {"12": "subsoil", "15": "forest", "14": "subsoil"}.get(usage, "other")
            signed = day + timedelta(90)
            plots[-1]["lease_at"] = -1 - len(rows)
            rows.append(
                _lease(
                    pick(rng, trade), usage, signed, int(rng.choice((10, 15, 20, 25, 49))), range(k, k + 1)
                )
            )
    return plots, rows


def _plot_frame(plots: list[dict[str, Any]], leases: pd.DataFrame) -> pd.DataFrame:
    frame = pd.DataFrame(plots)
    ordinal = frame.groupby("code").cumcount() + 1
    frame["number"] = [f"97-{c}-{n:02d}" for c, n in zip(frame["code"], ordinal, strict=True)]
    at = frame["lease_at"].astype(object).where(frame["lease_at"].notna(), None)
    frame["lease"] = [None if a is None else leases["number"].iloc[int(a)] for a in at]
    frame["status"] = np.where(np.arange(len(frame)) % 29 == 7, "suspended", "active")
    frame["status"] = frame["status"].where(np.arange(len(frame)) % 41 != 11, "closed")
    kinds = {"1": "cover", "5": "hunting", "8": "sanitary", "4": "other"}
    frame["forest_kind"] = [
        kinds.get(str(u), "cover" if n % 3 else "other") for n, u in enumerate(frame["usage"])
    ]
    measures = (
        "очистка от захламлённости",
        "посадка сосны",
        "минерализованные полосы",
        "санитарная рубка",
        None,
        None,
    )
    frame["measures"] = [measures[n % len(measures)] for n in range(len(frame))]
    shapes = frame["geometry"].to_numpy()
    frame["area_ha"] = np.round(shapely.area(shapes) / 1e4, 4)
    frame["cadastral_number"] = [
        f"97:{int(str(c)[:2]):02d}:{int(str(c)[3:5]) * 10_000 + int(str(c)[6:9]):06d}:{n}" if n % 2 else None
        for c, n in zip(frame["code"], range(1, len(frame) + 1), strict=True)
    ]
    return frame


def _lease_frame(
    rng: np.random.Generator, rows: list[dict[str, Any]], plots: list[dict[str, Any]]
) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    order = frame["signed_on"].rank(method="first").astype(int)
    frame["number"] = [
        f"{n}/{day.year}-{'ДА' if u == '1' else 'А'}"
        for n, day, u in zip(order, frame["signed_on"], frame["usage"], strict=True)
    ]
    shapes = np.empty(len(frame), dtype=object)
    shapes[:] = [shapely.union_all([plots[p]["geometry"] for p in own]) for own in frame["plots"]]
    frame["geometry"] = shapes
    frame["forestry"] = [plots[own[0]]["forestry"] for own in frame["plots"]]
    frame["forest_kind"] = np.where(
        frame["usage"] == "1", "cover", np.where(frame["usage"] == "5", "hunting", "other")
    )
    area = shapely.area(shapes) / 1e4
    frame["area_ha"] = np.round(area, 4)
    frame["annual_volume_m3"] = np.where(
        frame["usage"] == "1", np.round(area * rng.uniform(0.9, 1.6, len(frame)) / 10) * 10, np.nan
    )
    frame["status"] = np.where([day < date(2024, 11, 1) for day in frame["ends_on"]], "completed", "active")
    return frame


def _cutting_areas(
    rng: np.random.Generator, region: Region, plots: pd.DataFrame, leases: pd.DataFrame
) -> pd.DataFrame:
    """Mature stands of timber leases, declared, in work and cut, year by year."""
    stands = region.forest.stands
    lease_of = plots[plots["usage"] == "1"].drop_duplicates("quarter_at").set_index("quarter_at")["lease"]
    ripe = stands[
        stands["quarter_at"].isin(lease_of.index) & stands["age_group"].isin(("mature", "overmature"))
        & (stands["land_kind"] == "forested") & (stands["area_ha"] > 3) & (stands["protection"] == "none")
    ]  # fmt: skip
    wanted = min(region.count(300, 20), len(ripe))
    chosen = ripe.iloc[np.sort(rng.permutation(len(ripe))[:wanted])].copy()
    chosen["stand_at"] = chosen.index
    chosen["lease"] = lease_of.loc[chosen["quarter_at"]].to_numpy()
    holder = leases.set_index("number")[["holder", "holder_inn"]].loc[chosen["lease"]].reset_index(drop=True)
    chosen = chosen.reset_index(drop=True)
    chosen[["holder", "holder_inn"]] = holder
    chosen["year"] = rng.choice((2024, 2025, 2026, 2027), len(chosen), p=(0.2, 0.3, 0.35, 0.15))
    per_lease = chosen.groupby(["lease", "year"]).cumcount() + 1
    chosen["lot"] = per_lease
    declared = chosen.groupby(["lease", "year"], sort=True).ngroup() + 1
    chosen["declaration"] = [f"97-{y}-{d:05d}" for y, d in zip(chosen["year"], declared, strict=True)]
    chosen["form"] = np.where(rng.random(len(chosen)) < 0.75, "clear", "selective")
    chosen["volume"] = np.round(
        chosen["stock"].astype(float) * chosen["area_ha"] * np.where(chosen["form"] == "clear", 1, 0.3)
    )
    return (
        chosen.rename(columns={"number": "stand_number"}).drop(columns=["code"]).assign(code=chosen["code"])
    )


def rights(rng: np.random.Generator, region: Region) -> Rights:
    """All rights in the forest."""
    plots, leases, left = _timber(rng, region)
    wanted = max(20, region.count(2_000) - len(plots))
    small, rows = _small(rng, region, left, wanted, max(8, region.count(300) - len(leases)))
    rows = [{**row, "plots": [len(plots) + p for p in row["plots"]]} for row in rows]
    for plot in small:
        if "lease_at" in plot:
            plot["lease_at"] = len(leases) - 1 - int(str(plot["lease_at"]))
    everything = plots + small
    lease_frame = _lease_frame(rng, leases + rows, everything)
    plot_frame = _plot_frame(everything, lease_frame)
    lease_frame["plot_numbers"] = [
        ", ".join(plot_frame["number"].iloc[list(own)]) for own in lease_frame["plots"]
    ]
    return Rights(plot_frame, lease_frame, _cutting_areas(rng, region, plot_frame, lease_frame))
