"""The declared area against the computed one, with the tolerance of the norm: a warning, never a refusal."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geo.geometry import tolerance_m2
from ingest.normalise import Normalised
from ingest.problem import Problem
from ingest.profile import Profile


def differences(
    normalised: Normalised, computed_m2: NDArray[np.float64], profile: Profile, *, rows: NDArray[np.int64]
) -> list[Problem]:
    """Warnings where the areas differ by more than ΔP = 3.5·Mt·√P (order П/0393), or than the register's own inaccuracy."""
    accuracy = profile.geometry.accuracy_m
    if accuracy is None:
        return []
    declared = _numbers(normalised, "area_declared_m2")
    allowed = tolerance_m2(np.where(declared > 0, declared, np.nan), accuracy)
    allowed = np.fmax(allowed, _numbers(normalised, "area_inaccuracy_m2"))
    with np.errstate(invalid="ignore"):
        # Registers round to whole square metres.
        off = np.flatnonzero(np.abs(computed_m2 - declared) > allowed + 0.5)
    return [
        Problem(
            int(rows[i]),
            "area-differs",
            "area_declared_m2",
            f"{declared[i]:.0f}",
            f"The declared area of {declared[i]:,.0f} m² differs from the computed {computed_m2[i]:,.0f} m² by "
            f"{computed_m2[i] - declared[i]:+,.0f} m²; ±{allowed[i]:,.0f} m² are allowed (Mt {accuracy:g} m).",
            "Compare the boundary with the document.",
            warning=True,
            area_before_m2=float(declared[i]),
            area_after_m2=float(computed_m2[i]),
        )
        for i in off
    ]


def _numbers(normalised: Normalised, name: str) -> NDArray[np.float64]:
    """A field as numbers, NaN where it says nothing."""
    column = normalised.column(name).cast(pa.float64())
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
