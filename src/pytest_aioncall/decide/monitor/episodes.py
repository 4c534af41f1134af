"""An episode: from the first bad run to the judged recovery."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ...model.alert import Alert, AlertKind, Episode
from ...model.history import RunRef
from ...model.verdict import Floor
from . import titles
from .watch import SeriesKey, Watch, is_low

_NOTHING: Mapping[str, str] = MappingProxyType({})

RuleKey = tuple[AlertKind, str]
"""A fixed rule: the kind of its alert, and the scorer or feature that it asks about, or ""."""
FloorKey = tuple[str, str]
"""A `must` or `require`: its case, and the name under which the case keeps its score."""
RULED: frozenset[AlertKind] = frozenset({"latency", "cost", "output_shift", "retrieval"})
"""What may be there on one day and not on the next. Errors of an unknown kind are told by every run."""


@dataclass(slots=True)
class OpenEpisode:
    """One that lasts.

    affected  series that were red or in alarm in it
    floors    floors that broke in it
    rules     fixed rules whose alert held in it
    red_days  first red day of each
    paged     it was more than a red row that may be chance
    restarted  series whose reference began anew in it though nothing was accepted, each with why
    """

    first_bad: RunRef
    last_bad: RunRef
    last_good: RunRef | None
    good_days: list[str] = field(default_factory=list)
    affected: set[SeriesKey] = field(default_factory=set)
    floors: set[FloorKey] = field(default_factory=set)
    rules: set[RuleKey] = field(default_factory=set)
    red_days: dict[SeriesKey, str] = field(default_factory=dict)
    paged: bool = False
    restarted: dict[SeriesKey, str] = field(default_factory=dict)

    def agree(self) -> None:
        """Take another level as agreed on: what was low by the old one has nothing to come back to."""
        for one in (self.affected, self.floors, self.rules, self.restarted):
            one.clear()

    def note(self, alerts: Iterable[Alert], *, floors: Iterable[Floor]) -> None:
        """Keep what a bad run found bad: each has to be measured and good before the episode ends."""
        self.rules |= {(one.kind, one.scorer or "") for one in alerts if one.kind in RULED}
        self.floors |= {(one.case, one.scorer) for one in floors}

    def told(self, recovered: RunRef | None = None) -> Episode:
        """Return it as the noun."""
        return Episode(
            first_bad=self.first_bad,
            last_bad=self.last_bad,
            last_good=self.last_good,
            good_days=tuple(self.good_days),
            recovered=recovered,
        )


class Episodes:
    """Follow the episodes of one evalset, judged run by judged run.

    A day is good when every judged run of it is. Good days have to follow each other: a bad run, or a series
    of the episode that is as low as in it, begins the count anew. A day that cannot tell of something that
    was bad in the episode is passed over, as one that could not be judged. A series that was in alarm has to
    have returned besides (`Watch.has_returned`), which takes more than the fewest days where the shift was
    small.
    uncounted  why the newest judged run, though it has no alert of quality, makes no good day; "" if it does
    """

    def __init__(self, *, recovery_days: int) -> None:
        self.open: OpenEpisode | None = None
        self.closed: list[Episode] = []
        self._recovery_days = recovery_days
        self.uncounted = ""
        self._last_good: RunRef | None = None
        self._spoilt = "", ""

    def bad(self, ref: RunRef, *, affected: set[SeriesKey]) -> OpenEpisode:
        """Take a judged run with an alert of quality in."""
        if self.open is None:
            self.open = OpenEpisode(first_bad=ref, last_bad=ref, last_good=self._last_good)
        self.open.last_bad = ref
        self.open.good_days.clear()
        self.open.affected |= affected
        self.uncounted, self._spoilt = "", (ref.day, "was bad")
        return self.open

    def good(
        self, ref: RunRef, *, watches: Mapping[SeriesKey, Watch], untold: Mapping[str, str] = _NOTHING
    ) -> bool:
        """Take a judged run without one in; tell whether the episode ends with it.

        untold  what was bad in the episode and of which the run cannot tell whether it is back, with why
        """
        one = self.open
        self.uncounted = ""
        if one is None:
            self._last_good = ref
            return False
        low = sorted(key for key in one.affected if key in watches and not is_back(watches[key]))
        if low:
            one.good_days.clear()
            self._spoil(ref, f"{titles.series(low[0])} is as low as in the incident", "was low still")
        elif untold:
            self._spoil(ref, "; ".join(f"{name}: {why}" for name, why in untold.items()), "could not tell")
        elif ref.day == self._spoilt[0]:
            self.uncounted = f"an earlier run of {ref.day} {self._spoilt[1]}"
        elif ref.day not in one.good_days:
            one.good_days.append(ref.day)
        if self.uncounted:
            return False
        returned = all(watches[key].has_returned for key in one.affected if key in watches)
        if len(one.good_days) < self._recovery_days or not returned:
            return False
        self.closed.insert(0, one.told(recovered=ref))
        self.open, self._last_good = None, ref
        return True

    def _spoil(self, ref: RunRef, why: str, later: str) -> None:
        """Let a run, and what may be run later on its day, make no good day."""
        self.uncounted, self._spoilt = why, (ref.day, later)
        if self.open is not None and ref.day in self.open.good_days:
            self.open.good_days.remove(ref.day)

    @property
    def newest(self) -> Episode | None:
        """Return the open one, or the newest closed one."""
        if self.open is not None:
            return self.open.told()
        return self.closed[0] if self.closed else None

    @property
    def earlier(self) -> tuple[Episode, ...]:
        """Return the closed ones before it, newest first."""
        return tuple(self.closed if self.open is not None else self.closed[1:])


def is_back(watch: Watch) -> bool:
    """Tell whether a series lies less than its allowance below its reference; so does one that learns."""
    return watch.reading is None or not is_low(watch.reading)
