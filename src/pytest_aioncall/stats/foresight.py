"""What a suite can see: the smallest drop that turns a gate row red four times in five.

No scipy here: a first run, which has nothing to compare with, tells what it would see as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from .arrays import Floats, Ints

POWER = 0.8


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard error of a mean difference, with the degrees of freedom behind it (infinite: known)."""

    se: float
    df: float = math.inf


def repeat_spread(noise: Floats) -> Spread:
    """Return the spread over *these cases*; `noise` is the variance of each case's difference."""
    return Spread(math.sqrt(float(noise.sum())) / noise.size)


def cluster_spread(noise: Floats, *, clusters: Ints, pseudo: float) -> Spread:
    """Return the spread over *cases like these* of differences that are nothing but noise.

    noise     variance of each case's difference
    clusters  code of each case's cluster; the noise of its cases is taken as independent
    pseudo    h of the pseudo-pair
    This is what `clustered_bound` finds on average where nothing changed.
    """
    _, sizes = np.unique(clusters, return_counts=True)
    every = np.concatenate([sizes, [1, 1]]).astype(np.float64)
    squares = float(noise.sum()) + 2 * pseudo**2
    se = math.sqrt(every.size / (every.size - 1) * squares) / (noise.size + 2)
    return Spread(se, float((noise.size + 2) ** 2 / np.square(every).sum()) - 1)


def quantile(level: float, df: float = math.inf) -> float:
    """Return the quantile (level >= .5) of Student's t: exact for df 1, 2 and infinity, else by expansion.

    The expansion in 1/df (Hill 1970) is within 2 % from df = 8 on. A df between 1 and 3 is rounded down,
    which errs on the wide side; below 1 nothing can be seen.
    """
    z = NormalDist().inv_cdf(level)
    if math.isinf(df):
        return z
    if df < 1:
        return 1e9
    if df < 2:
        return math.tan(math.pi * (level - 0.5))
    if df < 3:
        return (2 * level - 1) / math.sqrt(2 * level * (1 - level))
    n = df
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    )


def smallest_significant(spread: Spread, *, alpha: float) -> float:
    """Return the drop whose test rejects at `alpha` with power .8: (t_{1-alpha} + t_.8) SE."""
    return (quantile(1 - alpha, spread.df) + quantile(POWER, spread.df)) * spread.se


def smallest_beyond(line: float, spread: Spread) -> float:
    """Return the drop whose estimate lies at or beyond `line` with probability .8: line + t_.8 SE."""
    return line + quantile(POWER, spread.df) * spread.se


def units_to_reject(alpha: float) -> int:
    """Return how many units, all of them down, a mid-p sign-flip test needs to reject: 4 at .05."""
    return max(1, math.ceil(-math.log2(alpha) - 1 - 1e-9))


def units_to_drop(least: int) -> float:
    """Return the mean of a Poisson count that is `least` or more with probability .8: 5.5 for 4."""
    low, high = 0.0, 10.0 + 3.0 * least
    for _ in range(60):
        middle = (low + high) / 2
        term, below = math.exp(-middle), 0.0
        for count in range(least):
            below += term
            term *= middle / (count + 1)
        low, high = (middle, high) if 1 - below < POWER else (low, middle)
    return high
