"""Has the mean dropped? Sign-flip test on paired differences, one-sided, with mid-p."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .arrays import Floats, Ints
from .draws import Tally, Words, chunked, draws_for, is_clear, stages
from .lattice import sign_sum_below, sign_sum_cost, whole
from .special import stdtr

ALL_PATTERNS = 16
DRAW_UNITS = 1000
MOST_COSINES = 1 << 22
MOST_FLIPS = 1 << 25


@dataclass(frozen=True, slots=True)
class SignFlip:
    """One test. `p_min` is the smallest mid-p that these magnitudes can attain, `units` the non-zero ones."""

    p: float
    p_min: float
    units: int
    method: Literal["none", "lattice", "patterns", "draws", "t"]


def sign_flip(units: Floats, *, step: float | None, alpha: float, resolution: float) -> SignFlip:
    """Test H0 "units are symmetric around 0" against a drop: p = P(S* < S) + P(S* = S)/2.

    units       one difference a case, or one sum of differences a cluster
    step        lattice step of the units where they have one: then the null is exact, without random numbers
    alpha       the level; draws stop early where p is beyond 4 alpha
    resolution  what the smallest attainable p of a drawn null has to lie under
    Off the lattice all 2^m patterns to m = 16, fixed-seed draws to m = 1,000, Student's t beyond.
    With binary scores and one epoch this is McNemar's mid-p test (Fagerland et al. 2013).
    """
    moved = units[np.abs(units) > 1e-12 * max(1.0, float(np.abs(units).max(initial=0.0)))]
    count = int(moved.size)
    if count == 0:
        return SignFlip(0.5, 0.5, 0, "none")
    steps = None if step is None else whole(moved, step=step)
    if steps is not None:
        steps = reduced(steps)
        weights = np.abs(steps)
        if sign_sum_cost(weights) <= MOST_COSINES:
            p = sign_sum_below(weights, total=int(steps.sum()))
            return SignFlip(p, 0.5 ** min(count + 1, 1000), count, "lattice")
    if count <= ALL_PATTERNS:
        return SignFlip(_by_patterns(moved), 0.5 ** (count + 1), count, "patterns")
    draws = draws_for(resolution)
    if count <= DRAW_UNITS and draws * count <= MOST_FLIPS:
        return SignFlip(_by_draws(moved, draws=draws, alpha=alpha), 0.5 / (draws + 1), count, "draws")
    return SignFlip(_by_t(moved), 0.0, count, "t")


def reduced(steps: Ints) -> Ints:
    """Return whole numbers divided by their greatest common divisor."""
    divisor = int(np.gcd.reduce(np.abs(steps)))
    smaller: Ints = steps // max(1, divisor)
    return smaller


def _slack(moved: Floats) -> float:
    return 1e-11 * float(np.abs(moved).sum())


def _by_patterns(moved: Floats) -> float:
    sums = np.zeros(1)
    for size in np.abs(moved):
        sums = np.concatenate([sums - size, sums + size])
    gap, slack = sums - float(moved.sum()), _slack(moved)
    below, level = np.count_nonzero(gap < -slack), np.count_nonzero(np.abs(gap) <= slack)
    return float((below + level / 2) / sums.size)


def _by_draws(moved: Floats, *, draws: int, alpha: float) -> float:
    sizes, words = np.abs(moved), Words()
    tally = Tally(float(moved.sum()), slack=_slack(moved))
    for stage in stages(draws):
        for rows in chunked(stage, width=sizes.size):
            flips = np.where(words.coins(rows, width=sizes.size), 2 * sizes, 0.0)
            tally.add(flips.sum(axis=1) - sizes.sum())
        if is_clear(tally, alpha=alpha):
            break
    return tally.p


def _by_t(moved: Floats) -> float:
    """Return Student's one-sided p: z = S/sqrt(sum u^2), t = z sqrt((m-1)/(m-z^2))."""
    count = moved.size
    z = float(moved.sum() / np.sqrt(np.square(moved).sum()))
    t = z * np.sqrt((count - 1) / max(count - z * z, 1e-300))
    return float(stdtr(count - 1, t))
