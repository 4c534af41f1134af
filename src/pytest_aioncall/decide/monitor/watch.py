"""The CUSUM of one series, fed look by look: what it says today, whether it is in alarm, its points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

import numpy as np

from ...model.alert import Point, Series
from ...model.history import MeanRow
from ...stats.cusum import accumulate, evidence_of_return
from ..rounding import figures
from .looks import Look
from .reference import Compared, Reference, SeriesDay

LEAST_SHIFT = 2.0
RETURN_NATS = math.log(10_000)

DayKind = Literal["calm", "doubtful", "bad"]
SeriesKey = tuple[str, tuple[tuple[str, str], ...]]


def series_key(scorer: str, slice_: dict[str, str] | None) -> SeriesKey:
    """Return what names a series in an evalset."""
    return scorer, tuple(sorted((slice_ or {}).items()))


@dataclass(frozen=True, slots=True)
class Reading:
    """What a series says after a look: None of the numbers while the reference is learned.

    since  days over which the sum has been rising, today among them
    """

    value: float
    cases: int
    mu: float | None = None
    z: float | None = None
    cusum: float | None = None
    k: float | None = None
    h: float | None = None
    alarmed: bool = False
    since: int = 1


def is_low(reading: Reading) -> bool:
    """Tell whether a day lies below the reference by its allowance or more; not while that is learned."""
    return reading.z is not None and reading.k is not None and reading.z >= reading.k


class Watch:
    """Watch one series.

    A day begins with its first judged look, and later looks of the day change it: the sum goes on from where
    the day before had left it. `close_day` makes the day final.
    """

    def __init__(self, row: MeanRow, *, fewest: int, most: int) -> None:
        self.scorer, self.slice, self.scale = row.scorer, row.slice, row.scale
        self.latched = False
        self.is_foreign = False
        self.reading: Reading | None = None
        self._limits = fewest, most
        self._reference = Reference(fewest=fewest, most=most)
        self._today: SeriesDay | None = None
        self._before = 0.0
        self._rising = 0
        self._h: float | None = None
        self._points: list[Point] = []
        self._fallen: list[float] = []
        self._back: list[float] = []
        self._held: list[tuple[SeriesDay, int]] = []

    @property
    def key(self) -> SeriesKey:
        """Return what names the series in its evalset."""
        return series_key(self.scorer, self.slice)

    @property
    def reference(self) -> Reference:
        """Return the reference; for a look at its days."""
        return self._reference

    @property
    def first_day(self) -> str:
        """Return the first day on which the series was judged."""
        return self._points[0].day if self._points else ""

    @property
    def first_run(self) -> str:
        """Return the first run in which it was."""
        return self._points[0].run if self._points else ""

    @property
    def last_day(self) -> str:
        """Return the newest day on which the series was judged."""
        return self._points[-1].day if self._points else ""

    @property
    def is_learning(self) -> bool:
        """Tell whether the reference has too few days."""
        return self._reference.level is None

    def look(self, look: Look, row: MeanRow, *, h: float) -> Reading:
        """Take one judged run in. An alarm stays on (`latched`) until `recover`.

        `is_foreign` tells whether the reference began anew because the run has other cases.
        """
        if self._today is None:
            self._today = SeriesDay(look.day, self.scorer, self.slice)
            self._points.append(Point(day=look.day, run=look.entry.run, value=row.mean))
        today = self._today
        today.add(look, row)
        self.scale, self._h = row.scale, h
        self.is_foreign = self._reference.is_foreign(today)
        if self.is_foreign:
            self.restart()
        self.reading = self._read(today, h=h)
        self.latched = self.latched or self.reading.alarmed
        self._points[-1] = self._point(look, today, self.reading)
        return self.reading

    def close_day(self, kind: DayKind) -> None:
        """End the day; where nothing was wrong on it the reference may take it.

        kind  calm: it may; bad: it never does; doubtful: it may if the episode ends without having paged
        """
        today, reading = self._today, self.reading
        if today is None:
            return
        if reading is not None and reading.cusum is not None:
            self._before = reading.cusum
            self._rising = self._rising + 1 if reading.cusum > 0 else 0
            self._follow(reading)
        if kind == "calm" and not self.latched:
            self._into_reference(today, len(self._points) - 1)
        elif kind == "doubtful" and not self.latched:
            self._held.append((today, len(self._points) - 1))
        self._today = None

    def _into_reference(self, day: SeriesDay, at: int) -> None:
        if not self._reference.is_frozen:
            self._reference.add(day)
            self._points[at] = self._points[at].model_copy(update={"in_reference": True})

    def _follow(self, reading: Reading) -> None:
        """Keep the days of an alarm: those as low as in it, and those since then that are not."""
        if not self.latched or reading.z is None:
            return
        if is_low(reading):
            self._fallen.append(reading.z)
            self._back.clear()
        else:
            self._back.append(reading.z)

    @property
    def has_returned(self) -> bool:
        """Tell whether a series in alarm is back for all that can be told; True where it is not in alarm.

        A small shift gives days that look good by chance. So the days since the last low one have to say that
        the level is the reference's, and not lower by what the alarm's own days were, by 10,000 to 1.
        """
        reading = self.reading
        if not self.latched or reading is None or reading.z is None:
            return True
        shift = max(LEAST_SHIFT, fmean(self._fallen) if self._fallen else 0.0)
        zs = np.array([*self._back, *([] if is_low(reading) else [reading.z])])
        return evidence_of_return(zs, shift=shift) >= RETURN_NATS

    def recover(self, *, acquitted: bool) -> None:
        """Begin the sum anew; where the episode was chance the reference takes the days that it held back."""
        for day, at in self._held if acquitted else ():
            self._into_reference(day, at)
        self._held = []
        self.latched = False
        self._fallen, self._back = [], []
        self._before, self._rising = 0.0, 0
        if self._today is not None:
            self.reading = self._read(self._today, h=self._h or 0.0, reset=True)
            self._points[-1] = self._point(self._today.looks[-1], self._today, self.reading)

    def restart(self) -> None:
        """Learn a new reference from here on: what is measured or was agreed on is another thing now."""
        self._reference = Reference(fewest=self._limits[0], most=self._limits[1])
        self._before, self._rising, self.latched = 0.0, 0, False
        self._fallen, self._back, self._held = [], [], []

    def _read(self, today: SeriesDay, *, h: float, reset: bool = False) -> Reading:
        compared: Compared | None = self._reference.compared(today)
        level = self._reference.level
        if compared is None or level is None:
            return Reading(value=today.mean, cases=today.cases)
        z = level.z(compared.value, mu=compared.mu, noise=compared.noise)
        total = 0.0 if reset else accumulate(self._before, z, k=level.k)
        return Reading(
            value=compared.value,
            cases=compared.cases,
            mu=compared.mu,
            z=z,
            cusum=total,
            k=level.k,
            h=h,
            alarmed=total > h,
            since=self._rising + 1,
        )

    def _point(self, look: Look, today: SeriesDay, reading: Reading) -> Point:
        return Point(
            day=today.day,
            run=look.entry.run,
            value=figures(reading.value),
            n=today.cases,
            z=None if reading.z is None else round(reading.z, 6),
            cusum=None if reading.cusum is None else round(reading.cusum, 6),
            alarmed=self.latched,
        )

    def series(self, name: str) -> Series:
        """Return the series as it is shown."""
        level = self._reference.level
        return Series(
            name=name,
            scorer=self.scorer,
            slice=self.slice,
            scale=self.scale,
            points=tuple(self._points),
            mu=figures(level.mu) if level else None,
            sigma=figures(level.sigma) if level else None,
            k=figures(level.k) if level else None,
            h=figures(self._h) if level else None,
            reference_days=self._reference.size,
            learning=level is None,
        )
