"""Cumulative sums of one series against a frozen reference: a small lasting drop, with few false alarms."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import Floats

DESIGN_K = 0.5
"""The allowance that `decision_interval` solves for: half of a shift by one standard deviation."""
OF_ESTIMATION = 0.84
"""What an estimated reference adds to the allowance, over the root of its days."""
_OVERSHOOT = 1.166


@dataclass(frozen=True, slots=True)
class Level:
    """What a series is without an incident: mean and standard deviation of its daily means, from `days`."""

    mu: float
    sigma: float
    days: int

    @property
    def k(self) -> float:
        """Return the allowance of the recursion for a reference of so many days."""
        return allowance(self.days)

    def z(self, value: float, *, mu: float | None = None, noise: float = 1.0) -> float:
        """Return how far a day lies below the level, in standard deviations; a rise is negative.

        mu     the level of the very cases that the day has, where they are not those of the reference
        noise  how much noisier than a day of the reference the day is (at least 1)
        """
        return ((self.mu if mu is None else mu) - value) / (self.sigma * max(1.0, noise))


def run_length(h: float, *, k: float = DESIGN_K) -> float:
    """Return the mean number of days until a series without a change passes `h` (Siegmund 1985).

    (e^x - 1 - x)/(2 k^2) with x = 2k(h + 1.166).
    """
    x = 2 * k * (h + _OVERSHOOT)
    return (math.expm1(x) - x) / (2 * k * k)


def decision_interval(days: float, *, k: float = DESIGN_K) -> float:
    """Return h, above which the sum is an alarm, such that `run_length` is `days`; 0 at the least."""
    low, high = 0.0, 1.0
    while run_length(high, k=k) < days:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (low, middle) if run_length(middle, k=k) > days else (middle, high)
    return (low + high) / 2


def shared_interval(pages_per_year: float, *, series: int) -> float:
    """Return h for each of so many series that together may page so often a year without a cause."""
    return decision_interval(365 * max(1, series) / pages_per_year)


def allowance(days: int) -> float:
    """Return k of the recursion: .5 + .84/sqrt(days).

    Mean and deviation are estimated from `days` daily means, so z is off by about 1/sqrt(days); without the
    second term a 30-day reference would give three to four times the false alarms that h stands for.
    """
    return DESIGN_K + OF_ESTIMATION / math.sqrt(days)


def accumulate(before: float, z: float, *, k: float) -> float:
    """Return the sum after one more day: S = max(0, S + z - k)."""
    return max(0.0, before + z - k)


def level_of(means: Floats, *, least_sigma: float) -> Level:
    """Return the level of a reference of daily means; `least_sigma` as in `least_noise_of_a_mean`."""
    spread = float(means.std(ddof=1)) if means.size > 1 else 0.0
    return Level(mu=float(means.mean()), sigma=max(spread, least_sigma), days=int(means.size))


def least_noise_of_a_mean(samples: float, *, noise: float, step: float | None) -> float:
    """Return the least standard deviation to reckon with for a mean of so many samples.

    noise  least deviation of one sample (see `ScoreKind.least_noise`)
    step   lattice step of single scores, None off the lattice
    A reference in which every day is the same has deviation 0, and one sample that differs would be an alarm.
    So no mean is taken for steadier than its samples could be, nor than one step of one sample.
    """
    of_samples = noise / math.sqrt(max(1.0, samples))
    return max(of_samples, (step or 0.0) / max(1.0, samples))


def evidence_of_return(zs: Floats, *, shift: float) -> float:
    """Return the log likelihood ratio of "back at the level" against "still lower by `shift`", in nats.

    zs  one z a day, of standard deviation 1: sum of shift (shift/2 - z)
    """
    return float(np.sum(shift * (shift / 2 - zs)))
