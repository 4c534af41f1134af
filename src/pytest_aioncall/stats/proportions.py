"""Shares against a limit, and one new number against those of a reference."""

from __future__ import annotations

import math

from .arrays import Floats
from .special import bdtr, bdtrc, stdtr


def above_limit(bad: int, samples: int, *, limit: float) -> float:
    """Return the one-sided mid-p of "the share of bad samples is at most `limit`" (binomial)."""
    if samples <= 0:
        return 1.0
    above = float(bdtrc(bad, samples, limit)) if bad < samples else 0.0
    at_most = float(bdtr(bad, samples, limit)) if bad < samples else 1.0
    below = float(bdtr(bad - 1, samples, limit)) if bad > 0 else 0.0
    return min(1.0, above + (at_most - below) / 2)


def higher_than(value: float, reference: Floats, *, least_sd: float) -> float:
    """Return the one-sided p of "one more value of the reference": Student's t for a new observation.

    t = (value - mean)/(sd sqrt(1 + 1/m)) with m - 1 degrees of freedom; sd is `least_sd` at the least.
    Returns 1 with fewer than two values, which nothing can be told from.
    """
    count = int(reference.size)
    if count < 2:
        return 1.0
    spread = max(float(reference.std(ddof=1)), least_sd)
    t = (value - float(reference.mean())) / (spread * math.sqrt(1 + 1 / count))
    return float(stdtr(float(count - 1), -t))
