"""An episode: from the first bad run to the judged recovery."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ...model.alert import Episode
from ...model.history import RunRef
from .watch import SeriesKey, Watch, is_low


@dataclass(slots=True)
class OpenEpisode:
    """One that lasts.

    affected  series that were red or in alarm in it
    red_days  first red day of each
    paged     it was more than a red row that may be chance
    restarted  series whose reference began anew in it though nothing was accepted, each with why
    """

    first_bad: RunRef
    last_bad: RunRef
    last_good: RunRef | None
    good_days: list[str] = field(default_factory=list)
    affected: set[SeriesKey] = field(default_factory=set)
    red_days: dict[SeriesKey, str] = field(default_factory=dict)
    paged: bool = False
    restarted: dict[SeriesKey, str] = field(default_factory=dict)

    def agree(self) -> None:
        """Take another level as agreed on: what was low by the old one has nothing to come back to."""
        self.affected.clear()
        self.restarted.clear()

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
    of the episode that is as low as in it or of which the run cannot tell, begins the count anew. A series
    that was in alarm has to have returned besides (`Watch.has_returned`), which takes more than the fewest
    days where the shift was small.
    """

    def __init__(self, *, recovery_days: int) -> None:
        self.open: OpenEpisode | None = None
        self.closed: list[Episode] = []
        self._recovery_days = recovery_days
        self._last_good: RunRef | None = None
        self._bad_day = ""

    def bad(self, ref: RunRef, *, affected: set[SeriesKey]) -> OpenEpisode:
        """Take a judged run with an alert of quality in."""
        if self.open is None:
            self.open = OpenEpisode(first_bad=ref, last_bad=ref, last_good=self._last_good)
        self.open.last_bad = ref
        self.open.good_days.clear()
        self.open.affected |= affected
        self._bad_day = ref.day
        return self.open

    def good(
        self, ref: RunRef, *, watches: Mapping[SeriesKey, Watch], untold: Collection[SeriesKey] = ()
    ) -> bool:
        """Take a judged run without one in; tell whether the episode ends with it.

        untold  series of the episode of which the run cannot tell whether they are back
        """
        one = self.open
        if one is None:
            self._last_good = ref
            return False
        if untold or not all(is_back(watches[key]) for key in one.affected if key in watches):
            one.good_days.clear()
            self._bad_day = ref.day
            return False
        if ref.day != self._bad_day and ref.day not in one.good_days:
            one.good_days.append(ref.day)
        returned = all(watches[key].has_returned for key in one.affected if key in watches)
        if len(one.good_days) < self._recovery_days or not returned:
            return False
        self.closed.insert(0, one.told(recovered=ref))
        self.open, self._last_good = None, ref
        return True

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
