"""The judged days of one evalset on which nothing was wrong: what amounts and labels are compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from statistics import fmean

from .looks import Look, days_between

TRAILING = 7
TRAILING_REACH = 28
"""Days without an incident are looked for so far back; older ones say nothing of what a day costs now."""


@dataclass(frozen=True, slots=True)
class CalmDay:
    """One day without an incident, with its judged looks."""

    day: str
    looks: tuple[Look, ...]

    def mean(self, pick: Callable[[Look], float | None]) -> float | None:
        """Return the mean of a number over the day's looks; None where none has it."""
        known = [value for look in self.looks if (value := pick(look)) is not None]
        return fmean(known) if known else None


class CalmDays:
    """Collect them, from the newest baseline of another level on.

    most  the first so many are the frozen reference
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._days: list[CalmDay] = []

    def add(self, day: CalmDay) -> None:
        """Take one more day."""
        self._days.append(day)

    def restart(self) -> None:
        """Begin anew."""
        self._days = []

    @property
    def reference(self) -> list[CalmDay]:
        """Return the frozen reference: the first days."""
        return self._days[: self._most]

    def reference_where(self, holds: Callable[[Look], bool]) -> list[CalmDay]:
        """Return the first days on which something held of every look: the same scorer, say."""
        return list(islice((one for one in self._days if all(map(holds, one.looks))), self._most))

    def trailing(self, before: str) -> list[CalmDay]:
        """Return the seven newest days before a day, none of them older than four weeks."""
        near = [one for one in self._days if 0 < days_between(one.day, before) <= TRAILING_REACH]
        return near[-TRAILING:]

    def values(self, pick: Callable[[Look], float | None]) -> list[float]:
        """Return a number of each day of the reference that has it."""
        return [value for one in self.reference if (value := one.mean(pick)) is not None]
