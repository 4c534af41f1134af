"""How far may the mean have dropped? One-sided bounds that stay honest in small and in clustered suites."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import Floats, Ints
from .lattice import ScoreKind
from .special import ndtri, stdtrit


@dataclass(frozen=True, slots=True)
class Bound:
    """`low` and `high` are one-sided bounds, each at 1 - alpha. `df` is infinite for normal bounds."""

    center: float
    se: float
    df: float
    low: float
    high: float


def quantile(level: float, *, df: float) -> float:
    """Return the quantile of Student's t, or of the normal where `df` is infinite."""
    if math.isinf(df):
        return float(ndtri(level))
    return float(stdtrit(max(df, 0.2), level))


def bound_of(center: float, *, se: float, df: float, alpha: float) -> Bound:
    """Return center -/+ q se, q the 1 - alpha quantile."""
    reach = quantile(1 - alpha, df=df) * se
    return Bound(center, se, df, center - reach, center + reach)


def clustered_bound(values: Floats, *, clusters: Ints, pseudo: Floats, alpha: float) -> Bound:
    """Bound the mean over *cases like these*, with pseudo-cases and the CR1 standard error.

    values    one difference (or mean) a case
    clusters  code of each case's cluster; cases alone have a code of their own
    pseudo    values of the pseudo-cases, each a cluster of its own: without them 20 unchanged cases would
              give a certain pass of zero width
    SE = sqrt(G/(G-1) sum e_g^2)/m with e_g the cluster sums of residuals; df = (sum m_g)^2/sum m_g^2 - 1.
    """
    _, codes = np.unique(clusters, return_inverse=True)
    groups = int(codes.max(initial=-1)) + 1
    every = np.concatenate([values, pseudo])
    codes = np.concatenate([codes, groups + np.arange(pseudo.size)])
    center = float(every.mean())
    sums = np.bincount(codes, weights=every - center)
    sizes = np.bincount(codes).astype(np.float64)
    count = sizes.size
    se = math.sqrt(count / (count - 1) * float(np.square(sums).sum())) / every.size
    df = float(every.size**2 / np.square(sizes).sum()) - 1
    return bound_of(center, se=se, df=df, alpha=alpha)


def within_variance(scores: Floats, *, kind: ScoreKind, low: float, pooled: float) -> Floats:
    """Return each case's variance over epochs, shrunk so that equal answers never mean certainty.

    scores  cases x epochs, NaN where a sample has none; every case has at least one
    low     the scale's floor
    pooled  variance over epochs pooled over the cases of both runs (see `pooled_variance`)
    Binary: q(1-q) with q = (k + .5)/(r + 1). Else (s^2 (r-1) + pooled)/r.
    """
    epochs = np.sum(~np.isnan(scores), axis=1)
    if kind.kind == "binary":
        passed = np.nansum(scores - low, axis=1) / kind.span
        share = (passed + 0.5) / (epochs + 1)
        binary: Floats = kind.span**2 * share * (1 - share)
        return binary
    means = np.nansum(scores, axis=1) / epochs
    squares = np.nansum(np.square(scores - means[:, None]), axis=1)
    shrunk: Floats = (squares + pooled) / epochs
    return shrunk


def pooled_variance(sides: list[Floats], *, least: float) -> float:
    """Return the within-case variance over all cases of both runs, at least `least` squared."""
    squares, freedom = 0.0, 0
    for scores in sides:
        epochs = np.sum(~np.isnan(scores), axis=1)
        means = np.nansum(scores, axis=1) / np.maximum(epochs, 1)
        squares += float(np.nansum(np.square(scores - means[:, None])))
        freedom += int(np.sum(np.maximum(epochs - 1, 0)))
    return max(squares / freedom if freedom else 0.0, least**2)


def repeat_bound(center: float, *, variances: Floats, alpha: float) -> Bound:
    """Bound the mean over *these cases*: the only noise is that of repeating them.

    variances  variance of each case's term of the mean (w_B/r_B + w_C/r_C for a difference)
    """
    se = math.sqrt(float(variances.sum())) / variances.size
    return bound_of(center, se=se, df=math.inf, alpha=alpha)
