"""The frozen reference of one series: the first judged days without an incident, and the level they show."""

from __future__ import annotations

import math
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from itertools import chain
from statistics import fmean, median

import numpy as np

from ...model.history import MeanRow
from ...stats.cusum import Level, least_noise_of_a_mean, level_of
from ...stats.lattice import FINE_CELLS, score_kind
from .looks import CaseKey, Look

LEAST_SHARED = 0.5
"""Less than this share of a day's cases in the reference, and they are another series."""


@dataclass(slots=True)
class SeriesDay:
    """One day of one series: all judged runs of it put together. `mean` is weighted by judged samples."""

    day: str
    scorer: str
    slice: dict[str, str] | None
    mean: float = 0.0
    judged: int = 0
    cases: int = 0
    looks: list[Look] = field(default_factory=list)
    _by_case: dict[CaseKey, float] | None = None

    def add(self, look: Look, row: MeanRow) -> None:
        """Put one more run of the day in."""
        weight = max(1, row.judged)
        total = self.judged + weight
        self.mean += ((row.mean or 0.0) - self.mean) * weight / total
        self.judged, self.cases = total, max(self.cases, row.n_cases)
        self.looks.append(look)
        self._by_case = None

    @property
    def samples(self) -> float:
        """Return the judged samples of one run of the day."""
        return self.judged / max(1, len(self.looks))

    def scores(self) -> Iterator[float]:
        """Yield every judged score of the day."""
        for look in self.looks:
            members = look.members(self.slice or {})
            for case in look.evalset.cases:
                if (case.case, case.digest) in members:
                    yield from (one for one in case.scores.get(self.scorer, ()) if one is not None)

    def keys(self) -> Set[CaseKey]:
        """Return the cases that have a judged score on this day."""
        return self.by_case().keys()

    def by_case(self) -> dict[CaseKey, float]:
        """Return the mean of each case's judged scores on this day."""
        if self._by_case is None:
            first, *rest = [look.case_means(self.scorer, self.slice) for look in self.looks] or [{}]
            if rest:
                found: dict[CaseKey, list[float]] = {}
                for means in (first, *rest):
                    for key, mean in means.items():
                        found.setdefault(key, []).append(mean)
                first = {key: fmean(values) for key, values in found.items()}
            self._by_case = first
        return self._by_case


@dataclass(frozen=True, slots=True)
class Compared:
    """A day beside the reference: its value and the level of the same cases; `noise` as in `Level.z`."""

    value: float
    mu: float
    noise: float
    cases: int


class Reference:
    """Collect days until there are enough, then stand still.

    fewest, most  days that it may be made of at least, and those at which it is frozen for good
    A day is compared over the cases that it shares with the reference, so that a case that was added,
    removed or rewritten moves nothing. Where all are the same that is the difference of the means.
    """

    def __init__(self, *, fewest: int, most: int) -> None:
        self._fewest, self._most = fewest, most
        self._days: list[SeriesDay] = []
        self._values: set[float] = set()
        self._level: Level | None = None
        self._keys: frozenset[CaseKey] = frozenset()
        self._uniform = True
        self._by_case: dict[CaseKey, float] | None = None

    @property
    def size(self) -> int:
        """Return how many days it has."""
        return len(self._days)

    @property
    def days(self) -> list[SeriesDay]:
        """Return its days, oldest first."""
        return self._days

    @property
    def is_frozen(self) -> bool:
        """Tell whether no further day changes it."""
        return len(self._days) >= self._most

    @property
    def level(self) -> Level | None:
        """Return mean and deviation of its daily means; None while it is learned."""
        if len(self._days) < self._fewest:
            return None
        if self._level is None:
            self._level = self._found()
        return self._level

    def add(self, day: SeriesDay) -> None:
        """Take one more day, unless it is frozen."""
        if self.is_frozen:
            return
        keys = day.keys()
        self._uniform = self._uniform and (not self._days or keys == self._keys)
        self._keys = self._keys | keys
        self._days.append(day)
        if len(self._values) <= FINE_CELLS:
            self._values.update(day.scores())
        self._level, self._by_case = None, None

    def compared(self, day: SeriesDay) -> Compared | None:
        """Lay a day beside the level; None where there is none, or where it hardly shares a case with it."""
        if self.level is None:
            return None
        usual = self._samples()
        mean, mu, cases, samples = day.mean, self.level.mu, day.cases, day.samples
        keys = day.keys()
        if keys and self._keys and not (self._uniform and keys == self._keys):
            known = self._case_means()
            shared = keys & known.keys()
            if len(shared) < LEAST_SHARED * len(keys):
                return None
            today = day.by_case()
            # In order: a sum must not depend on how a set is laid out.
            ordered = sorted(shared)
            mean = sum(today[key] for key in ordered) / len(ordered)
            mu = sum(known[key] for key in ordered) / len(ordered)
            cases, samples = len(ordered), samples * len(ordered) / len(keys)
        noise = max(1.0, (usual / max(1.0, samples)) ** 0.5)
        return Compared(value=mean, mu=mu, noise=noise, cases=cases)

    def is_foreign(self, day: SeriesDay) -> bool:
        """Tell whether a day hardly shares a case with the days so far, so that they have to begin anew."""
        keys = day.keys()
        if not (self._keys and keys) or keys == self._keys:
            return False
        return len(keys & self._keys) < LEAST_SHARED * len(keys)

    def _samples(self) -> float:
        return median(day.samples for day in self._days)

    def _case_means(self) -> dict[CaseKey, float]:
        if self._by_case is None:
            found: dict[CaseKey, list[float]] = {}
            for day in self._days:
                for key, mean in day.by_case().items():
                    found.setdefault(key, []).append(mean)
            self._by_case = {key: sum(means) / len(means) for key, means in found.items()}
        return self._by_case

    def _found(self) -> Level:
        means = np.array([day.mean for day in self._days])
        least = self._least_sigma()
        if self._uniform or not self._keys:
            return level_of(means, least_sigma=least)
        # Days of the reference may differ in their cases, too: what counts is how they lie to their own.
        known = self._case_means()
        expected = []
        for day in self._days:
            keys = sorted(day.keys())
            expected.append(sum(known[key] for key in keys) / len(keys) if keys else day.mean)
        spread = level_of(means - np.array(expected), least_sigma=least)
        return Level(mu=expected[-1], sigma=spread.sigma, days=spread.days)

    def _least_sigma(self) -> float:
        """Return what the deviation of a daily mean is at least.

        The gate's own least noise, and what the cases' own days say: where case c has variance s_c^2 from day
        to day, a mean of n cases has deviation sqrt(sum s_c^2)/n, and more where cases move together. Thirty
        means tell a deviation to 13 %, thirty days of a hundred cases to about 1 %.
        """
        scale = self._scale()
        kind = score_kind(np.array(sorted(self._values)), low=scale[0], high=scale[1])
        step = kind.step if kind.kind != "continuous" else None
        least = least_noise_of_a_mean(self._samples(), noise=kind.least_noise, step=step)
        held: dict[CaseKey, list[float]] = {}
        for day in self._days:
            for key, mean in day.by_case().items():
                held.setdefault(key, []).append(mean)
        known = [values for _, values in sorted(held.items()) if len(values) > 1]
        if not known:
            return least
        return max(least, math.sqrt(sum(_variance(values) for values in known)) / len(known))

    def _scale(self) -> tuple[float, float]:
        day = self._days[-1]
        rows = chain.from_iterable(look.evalset.rows for look in day.looks)
        return next((row.scale for row in rows if row.scorer == day.scorer), (0.0, 1.0))


def _variance(values: list[float]) -> float:
    """Return the sample variance; `statistics.variance` reckons in fractions, a hundred times slower."""
    mean = fmean(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)
