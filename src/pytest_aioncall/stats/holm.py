"""Many rows: Holm, and Tarone's leave to drop rows that cannot reject."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import P_TOLERANCE, Bools, Floats


@dataclass(frozen=True, slots=True)
class Corrected:
    """One family. `adjusted` <= alpha iff rejected; rows not `testable` cannot reject and have adjusted 1."""

    adjusted: Floats
    testable: Bools


def holm(p: Floats) -> Floats:
    """Return Holm's step-down adjusted p-values (Holm 1979)."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate((p.size - np.arange(p.size)) * p[order])
    adjusted = np.empty(p.size)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def tarone_holm(p: Floats, *, p_min: Floats, alpha: float) -> Corrected:
    """Return Holm's adjusted p-values among the rows that can reject at all.

    p_min  smallest attainable p of each row; it depends on magnitudes only, never on the signs tested
    With k the smallest number for which at most k rows attain alpha/k, the rest cannot reject and take no
    share of alpha (Tarone 1990).
    """
    testable = np.zeros(p.size, dtype=np.bool_)
    for k in range(1, p.size + 1):
        testable = p_min <= alpha / k + P_TOLERANCE
        if int(testable.sum()) <= k:
            break
    adjusted = np.ones(p.size)
    adjusted[testable] = holm(p[testable])
    return Corrected(adjusted, testable)
