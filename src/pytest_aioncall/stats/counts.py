"""Counts of bad events on two runs of different sizes."""

from __future__ import annotations

from collections.abc import Callable

from .special import bdtr, bdtrc


def more_events(before: int, after: int, *, exposure_before: float, exposure_after: float) -> float:
    """Return the one-sided mid-p of "not more events than before", conditional on their total.

    before, after       numbers of events
    exposure_before...  what they are counted on (samples, requests), in the same unit
    Given the total, the later count is binomial with the later share of the exposure.
    """
    total = before + after
    if total == 0 or exposure_before <= 0 or exposure_after <= 0:
        return 1.0 if total == 0 or exposure_before > 0 else 0.5
    share = exposure_after / (exposure_before + exposure_after)
    above = float(bdtrc(after, total, share))
    at_most = float(bdtr(after, total, share))
    below = float(bdtr(after - 1, total, share)) if after > 0 else 0.0
    return min(1.0, above + (at_most - below) / 2)


def share_interval(hits: int, trials: int, *, alpha: float) -> tuple[float, float]:
    """Return the exact two-sided interval at 1 - alpha of a share (Clopper and Pearson 1934)."""
    low = 0.0 if hits == 0 else _solve(lambda share: float(bdtrc(hits - 1, trials, share)) - alpha / 2)
    high = 1.0 if hits == trials else _solve(lambda share: alpha / 2 - float(bdtr(hits, trials, share)))
    return low, high


def _solve(rising: Callable[[float], float]) -> float:
    """Return where a function that rises on 0-1 crosses zero."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2
