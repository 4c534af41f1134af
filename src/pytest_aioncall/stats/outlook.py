"""How often would a row turn red? Reckoned from the noise of its scores, without drawing and without scipy.

The difference of a new run is taken as normal, with the mean and the variance that the urn of the scores
gives it; what the gate asks of it, significance and a bound, is put as one line that it has to fall below.
Two counts keep that honest in small suites: a test on signs needs so many units that fell, and sums of
lattice scores take only so many values. `tests/unit/test_decide_selfcheck.py` holds the numbers against
simulated runs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from .arrays import Floats, Ints
from .foresight import quantile
from .lattice import ScoreKind
from .urn import Fall, Urn

# A case whose epochs differ already comes back to the very same mean about this often.
_RETURNS = 0.4


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected of the cases of a row in a comparison to come, one entry a case.

    shift     expected difference though nothing changed (0 where both sides are drawn anew)
    noise     variance of the difference
    within    variance of single scores around the case's mean
    squares   sum of squares of the baseline's scores around their mean
    stay      chance that the difference is exactly 0
    fall      how far a fallen epoch falls, expected; `falls` the chance that it can fall at all
    share     chance of each epoch to fall; `strength` how much the epochs of a case fall together
    was, now  epochs of both sides
    codes     cluster of each case
    """

    shift: Floats
    noise: Floats
    within: Floats
    squares: Floats
    stay: Floats
    fall: Floats
    falls: Floats
    share: float
    strength: float
    was: Floats
    now: int
    codes: Ints
    kind: ScoreKind


def outlook_of(urn: Urn, *, clusters: Ints, epochs: int, kind: ScoreKind, anew: bool = False) -> Outlook:
    """Look ahead to a run of `epochs` epochs in which nothing changed.

    clusters  codes of the urn's cases
    anew      the baseline, too, is drawn anew, with `epochs` epochs
    """
    counts = urn.counts.astype(np.float64)
    mean, variance = urn.moments()
    weight = counts + urn.strength
    within = variance * weight / (weight + 1)
    held = np.arange(urn.own.shape[1]) < urn.counts[:, None]
    own = np.where(held, urn.own, 0.0)
    observed = own.sum(axis=1) / counts
    squares = np.where(held, np.square(own - observed[:, None]), 0.0).sum(axis=1)
    steady = squares < 1e-18
    same = _pool_share(urn, observed)
    stay = np.where(steady, 1.0, _RETURNS)
    for epoch in range(epochs):
        stay = np.where(steady, stay * (counts + urn.strength * same + epoch) / (weight + epoch), stay)
    if anew:
        shift, noise = np.zeros(counts.size), within * 2 / epochs
        counts, squares = np.full(counts.size, float(epochs)), within * (epochs - 1)
    else:
        shift, noise = mean - observed, variance / (weight + 1) + within / epochs
    _, codes = np.unique(clusters, return_inverse=True)
    return Outlook(
        shift=shift,
        noise=noise,
        within=within,
        squares=squares,
        stay=stay,
        fall=np.zeros(counts.size),
        falls=np.zeros(counts.size),
        share=0.0,
        strength=urn.strength,
        was=counts,
        now=epochs,
        codes=codes,
        kind=kind,
    )


def with_fall(ahead: Outlook, urn: Urn, fall: Fall, *, low: float) -> Outlook:
    """Return the same outlook after a drop of `fall`."""
    values, of_pool = fall.of(urn.own, low=low), fall.of(urn.pool, low=low)
    return replace(
        ahead,
        fall=urn.expected(values, of_pool),
        falls=urn.expected((values > 0).astype(np.float64), (of_pool > 0).astype(np.float64)),
        share=fall.share,
    )


def _pool_share(urn: Urn, values: Floats) -> Floats:
    place = np.minimum(np.searchsorted(urn.pool, values), urn.pool.size - 1)
    found: Floats = np.where(np.abs(urn.pool[place] - values) < 1e-12, urn.shares[urn.groups, place], 0.0)
    return found


@dataclass(frozen=True, slots=True)
class Chances:
    """How often a row is red, and how often it is neither red nor a pass."""

    red: float
    open: float


def chances_like(ahead: Outlook, *, margin: float, alpha: float, share: float) -> Chances:
    """Return the chances of a row about *cases like these*: sign flip at `share`, CR1 bound at `alpha`."""
    moved, spread = _moved(ahead)
    groups = int(ahead.codes.max(initial=-1)) + 1
    sizes = np.bincount(ahead.codes).astype(np.float64)
    sums, spreads = np.bincount(ahead.codes, moved), np.bincount(ahead.codes, spread)
    cases, total, variance = moved.size, float(moved.sum()), float(spread.sum())
    squares = float((np.square(sums) + spreads).sum())
    center = total / (cases + 2)
    residuals = float((np.square(sums - sizes * center) + spreads).sum()) + 2 * (
        ahead.kind.pseudo**2 + center**2
    )
    se = math.sqrt((groups + 2) / (groups + 1) * residuals) / (cases + 2)
    df = (cases + 2) ** 2 / float(np.square(sizes).sum() + 2) - 1
    passes = (cases + 2) * (quantile(1 - alpha, df) * se - margin)
    at_rest = float(
        (np.square(np.bincount(ahead.codes, ahead.shift)) + np.bincount(ahead.codes, ahead.noise)).sum()
    )
    red = min(-_line(quantile(1 - share), squares, at_rest, drop=float((ahead.shift - moved).sum())), passes)
    still = np.log(np.maximum(1e-300, 1 - _hit(ahead)))
    units = float((1 - np.exp(np.bincount(ahead.codes, still))).sum())
    least = max(1, math.ceil(-math.log2(share) - 1 - 1e-9))
    most = poisson_tail(units, least=least)
    return _chances(total, variance, red=red, passes=passes, most=most, step=None)


def chances_these(ahead: Outlook, *, margin: float, alpha: float, share: float, noise: Floats) -> Chances:
    """Return the chances of a row about *these cases*: labels permuted at `share`, an estimate at -margin.

    noise  variance of each case's difference as the gate's bound reckons it
    """
    moved, spread = _moved(ahead)
    cases, total, variance = moved.size, float(moved.sum()), float(spread.sum())
    gone = ahead.share * ahead.fall / ahead.kind.span
    uneven = ahead.share * (1 - ahead.share) * ahead.strength / (1 + ahead.strength)
    within = ahead.within * (1 - gone) + np.square(ahead.fall) * uneven
    null = _permuted(ahead, np.square(moved) + spread, within=within)
    at_rest = _permuted(ahead, np.square(ahead.shift) + ahead.noise, within=ahead.within)
    significant = _line(quantile(1 - share), null, at_rest, drop=float((ahead.shift - moved).sum()))
    red = min(-significant, -margin * cases)
    passes = quantile(1 - alpha) * math.sqrt(float(noise.sum())) - margin * cases
    step = None
    if ahead.kind.step is not None and ahead.kind.kind != "continuous":
        step = ahead.kind.step / math.lcm(*{ahead.now, *(int(count) for count in np.unique(ahead.was))})
    return _chances(total, variance, red=red, passes=passes, most=1.0, step=step)


def _permuted(ahead: Outlook, squares: Floats, *, within: Floats) -> float:
    """Return the variance that permuted labels give the sum, for differences with these expected squares."""
    both = ahead.was + ahead.now
    inside = ahead.squares + (ahead.now - 1) * within + ahead.was * ahead.now / both * squares
    return float(((1 / ahead.was + 1 / ahead.now) * inside / np.maximum(both - 1, 1)).sum())


def _line(reach: float, variance: float, at_rest: float, *, drop: float) -> float:
    """Return the sum that is just significant, S = reach sqrt(variance at S).

    The variance of the null grows with what has fallen: from `at_rest`, by the same for every unit of it.
    """
    if drop <= 0:
        return reach * math.sqrt(variance)
    slope = reach**2 * max(0.0, variance - at_rest) / drop
    return (slope + math.sqrt(slope**2 + 4 * reach**2 * at_rest)) / 2


def _moved(ahead: Outlook) -> tuple[Floats, Floats]:
    """Return mean and variance of each case's difference, the drop included."""
    share, strength, epochs = ahead.share, ahead.strength, ahead.now
    uneven = share * (1 - share) * (epochs + strength) / (epochs * (1 + strength))
    gone = share * ahead.fall / ahead.kind.span
    return ahead.shift - share * ahead.fall, ahead.noise * (1 - gone) + np.square(ahead.fall) * uneven


def _hit(ahead: Outlook) -> Floats:
    """Return the chance of each case to come out lower."""
    spared = 1.0
    for epoch in range(ahead.now):
        spared *= (ahead.strength * (1 - ahead.share) + epoch) / (ahead.strength + epoch)
    fell = (1 - spared) * ahead.falls
    found: Floats = fell + (1 - fell) * (1 - ahead.stay) / 2
    return found


def _chances(
    total: float, variance: float, *, red: float, passes: float, most: float, step: float | None
) -> Chances:
    sd = math.sqrt(max(variance, 1e-300))

    def below(line: float) -> float:
        if step is not None:
            # Sums stand on a lattice: half a step beyond the last one that is still at or below the line.
            line = (math.floor(line / step + 1e-6) + 0.5) * step
        return normal_below((line - total) / sd)

    falls_below = min(most, below(red))
    return Chances(falls_below, max(0.0, min(1.0, below(passes)) - falls_below))


def normal_below(z: float) -> float:
    """Return the standard normal distribution function."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def poisson_tail(expected: float, *, least: int) -> float:
    """Return the chance that a Poisson count is `least` or more."""
    term, below = math.exp(-expected), 0.0
    for count in range(least):
        below += term
        term *= expected / (count + 1)
    return max(0.0, 1 - below)
