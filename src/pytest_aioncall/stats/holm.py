"""Many rows: Holm, and Tarone's leave to drop rows that cannot reject."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import P_TOLERANCE, Bools, Floats


@dataclass(frozen=True, slots=True)
class Corrected:
    """One family. `adjusted` <= alpha iff rejected; rows not `testable` cannot reject."""

    adjusted: Floats
    testable: Bools


def holm(p: Floats) -> Floats:
    """Return Holm's step-down adjusted p-values (Holm 1979)."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate((p.size - np.arange(p.size)) * p[order])
    adjusted = np.empty(p.size)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def tarone_holm(p: Floats, *, p_min: Floats, alpha: float | Floats) -> Corrected:
    """Step down like Holm, but at each step share alpha only among the rows that can reject at all.

    p_min  smallest attainable p of each row; it depends on magnitudes only, never on the signs tested
    alpha  level of each row, or one for all; the family is stepped down at the largest
    With k the smallest number for which at most k of the rows left attain alpha/k, a row is rejected at
    alpha/k (Tarone 1990), taken out, and k found anew (Hommel and Krummenauer 1998). Fewer rows never have a
    larger k, so this rejects all that Holm does.
    """
    levels: Floats = np.broadcast_to(np.asarray(alpha, dtype=np.float64), p.shape)
    alpha = float(levels.max(initial=0.0))
    adjusted, shares, left = np.ones(p.size), np.ones(p.size), np.ones(p.size, dtype=np.bool_)
    reached = 0.0
    for at in np.argsort(p, kind="stable").tolist():
        share = _share(p_min[left], alpha)
        reached = max(reached, float(p[at]) * share)
        if reached > alpha + P_TOLERANCE:
            break
        adjusted[at], shares[at], left[at] = reached, share, False
    if left.any():
        share = _share(p_min[left], alpha)
        shares[left] = share
        still = left & (p_min <= alpha / share + P_TOLERANCE)
        adjusted[still] = np.minimum(1.0, np.maximum(reached, p[still] * share))
    testable: Bools = p_min <= levels / shares + P_TOLERANCE
    return Corrected(adjusted, testable)


def _share(p_min: Floats, alpha: float) -> int:
    """Return Tarone's k: the smallest for which at most k rows attain alpha/k."""
    ordered = np.sort(p_min)
    k = np.arange(1, ordered.size + 1)
    able = np.searchsorted(ordered, alpha / k + P_TOLERANCE, side="right")
    return int(k[np.argmax(able <= k)])
