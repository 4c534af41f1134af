"""What would settle an open verdict: more cases, or more epochs."""

from __future__ import annotations

import math

import numpy as np

from .arrays import Floats
from .foresight import POWER
from .special import ndtri

MOST = 1_000_000


def reach(alpha: float) -> float:
    """Return z_{1-alpha} + z_.8."""
    return float(ndtri(1 - alpha) + ndtri(POWER))


def needed_cases(cases: int, *, se: float, distance: float, alpha: float) -> int | None:
    """Return n* = n ((z_{1-alpha} + z_.8) SE/distance)^2; None beyond a million or without a distance."""
    if distance <= 0 or not math.isfinite(se):
        return None
    wanted = cases * (reach(alpha) * se / distance) ** 2
    return math.ceil(wanted - 1e-9) if wanted <= MOST else None


def needed_epochs(
    *, cases: int, between: float, noise_before: float, noise_after: float, distance: float, alpha: float
) -> int | None:
    """Return how many candidate epochs settle it; None where only more cases can.

    between       variance of the true differences between cases (0 for *these cases*)
    noise_before  within-case variance over epochs of the baseline, already divided by its epochs
    noise_after   within-case variance over epochs of the candidate
    r* = w_C/(n delta^2/(z_{1-alpha} + z_.8)^2 - b - w_B/r_B).
    """
    room = cases * distance**2 / reach(alpha) ** 2 - between - noise_before
    if room <= 0:
        return None
    wanted = noise_after / room
    return max(1, math.ceil(wanted - 1e-9)) if wanted <= MOST else None


def plain_within(scores: Floats) -> float | None:
    """Return the mean of the cases' unshrunk variances over epochs; None where no case has two epochs."""
    epochs = np.sum(~np.isnan(scores), axis=1)
    repeated = scores[epochs >= 2]
    return float(np.nanvar(repeated, axis=1, ddof=1).mean()) if repeated.shape[0] else None
