"""What would settle an open verdict: more cases, or more epochs."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .arrays import Floats
from .foresight import POWER, quantile

MOST = 1_000_000
MOST_EPOCHS = 1000


def reach(alpha: float, *, df: float = math.inf) -> float:
    """Return t_{1-alpha} + t_.8: how many standard errors away a difference is told with power .8."""
    return quantile(1 - alpha, df) + quantile(POWER, df)


def needed_cases(
    cases: int, *, se: float, distance: float, alpha: float, pseudo: float = 0.0, df: float = math.inf
) -> int | None:
    """Return how many cases like these would tell `distance` from none; None beyond a million.

    se      standard error of the mean difference over `cases` cases, with df degrees of freedom
    pseudo  h of the pseudo-pair that is part of `se`, 0 without one: there is one pair, however many cases
    Without a pair n* = n ((t_{1-alpha} + t_.8) SE/distance)^2. With one the squares of all units are
    T = SE^2 (n + 2)^2, of which 2 h^2 stay as they are and the rest grows with n.
    """
    if distance <= 0 or not math.isfinite(se):
        return None
    # CR1 is larger by G/(G-1), and df is G - 1 for G units of one size.
    squares = se**2 * (cases + 2) ** 2 * (1.0 if math.isinf(df) else df / (df + 1))
    grown = max(0.0, squares - 2 * pseudo**2) / cases
    wanted = float(cases)
    for _ in range(4):
        allowed = (distance / reach(alpha, df=max(1.0, df * wanted / cases))) ** 2
        if pseudo <= 0:
            wanted = cases * se**2 / allowed
        else:
            slope = grown - 4 * allowed
            root = slope**2 - 4 * allowed * (4 * allowed - 2 * pseudo**2)
            wanted = max(1.0, (slope + math.sqrt(max(0.0, root))) / (2 * allowed))
        if wanted > MOST:
            return None
    return math.ceil(wanted - 1e-9)


def needed_epochs(*, budget: float, fixed: float, noise: Callable[[int], float]) -> int | None:
    """Return the least number of epochs with `fixed` + `noise(epochs)` <= `budget`; None beyond 1,000.

    fixed  what no epoch wears down: the variance between cases, the pseudo-pair, the other run's noise
    noise  falls with the number of epochs
    All three are sums over the cases, in squared units of the scale.
    """
    few, enough = 0, MOST_EPOCHS
    if not fixed + noise(enough) <= budget:
        return None
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if fixed + noise(middle) <= budget else (middle, enough)
    return enough


def plain_within(scores: Floats) -> float | None:
    """Return the mean of the cases' unshrunk variances over epochs; None where no case has two epochs."""
    epochs = np.sum(~np.isnan(scores), axis=1)
    repeated = scores[epochs >= 2]
    return float(np.nanvar(repeated, axis=1, ddof=1).mean()) if repeated.shape[0] else None
