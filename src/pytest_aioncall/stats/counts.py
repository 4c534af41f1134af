"""Counts of bad events on two runs of different sizes."""

from __future__ import annotations

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
