"""Which runs the monitor looks at, in which order, and what of them is the day's.

Several runs of one UTC day are one day: what they measured is put together, each by what it judged, so that
neither a second attempt nor a double run counts twice, and no retry can replace what a run before it saw.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from ...model.history import EvalsetDay, HistoryEntry, RunRef

CaseKey = tuple[str, str]

AHEAD_DAYS = 1
"""By so much a run's clock may go before the monitor's; no run is made later than that."""


@dataclass(slots=True)
class Look:
    """One evalset in one daily run. What all of its series need of the cases is reckoned once."""

    entry: HistoryEntry
    evalset: EvalsetDay
    _means: dict[str, dict[CaseKey, float]] = field(default_factory=dict)
    _members: dict[tuple[tuple[str, str], ...], frozenset[CaseKey]] = field(default_factory=dict)

    def case_means(self, scorer: str, slice_: Mapping[str, str] | None) -> dict[CaseKey, float]:
        """Return the mean of each case's judged scores, of the cases that are in a slice."""
        means = self._means.get(scorer)
        if means is None:
            means = self._means[scorer] = {}
            for case in self.evalset.cases:
                judged = [score for score in case.scores.get(scorer, ()) if score is not None]
                if judged:
                    means[case.case, case.digest] = sum(judged) / len(judged)
        if not slice_:
            return means
        members = self.members(slice_)
        return {key: mean for key, mean in means.items() if key in members}

    def members(self, slice_: Mapping[str, str]) -> frozenset[CaseKey]:
        """Return the cases of a slice."""
        wanted = tuple(sorted(slice_.items()))
        if wanted not in self._members:
            self._members[wanted] = frozenset(
                (case.case, case.digest)
                for case in self.evalset.cases
                if all(case.slices.get(name) == value for name, value in wanted)
            )
        return self._members[wanted]

    @property
    def day(self) -> str:
        """Return the UTC day, YYYY-MM-DD."""
        return self.entry.day

    @property
    def ref(self) -> RunRef:
        """Return the name of the run."""
        return self.entry.ref


def daily_entries(entries: Iterable[HistoryEntry], *, now: datetime | None = None) -> list[HistoryEntry]:
    """Return the daily live runs, each attempt once, by time.

    now  runs of a time to come are left out (`until`); None: none is
    Recordings say nothing about today, and runs of pull requests or by hand are no measurement of every day.
    """
    found = {
        (one.run, one.attempt): one
        for one in sorted(entries, key=_by_time, reverse=True)
        if one.kind == "daily" and not one.replayed
    }
    daily = sorted(found.values(), key=_by_time)
    return daily if now is None else until(daily, now)


def until(daily: Sequence[HistoryEntry], now: datetime) -> list[HistoryEntry]:
    """Leave out runs of a time to come: a clock was wrong, and they would be the newest until then.

    Days that follow on each other from now on are no wrong clock of a run: an older day is looked at again.
    """
    kept, latest = [], now
    for one in daily:
        if is_ahead(one, latest):
            continue
        kept.append(one)
        latest = max(latest, time_of(one))
    return kept


def _by_time(entry: HistoryEntry) -> tuple[datetime, str, int]:
    return time_of(entry), entry.run, entry.attempt


def is_ahead(entry: HistoryEntry, now: datetime) -> bool:
    """Tell whether an entry is of a later UTC day than tomorrow."""
    made = time_of(entry)
    return is_day_ahead(made.date(), now) or is_day_ahead(day_of(entry.day) or made.date(), now)


def is_day_ahead(day: date, now: datetime) -> bool:
    """Tell whether a day is a later one than tomorrow, in UTC."""
    return (day - now.astimezone(UTC).date()).days > AHEAD_DAYS


def time_of(entry: HistoryEntry) -> datetime:
    """Return when a run was made; the start of its day where that is no time."""
    try:
        made = datetime.fromisoformat(entry.created_at)
    except ValueError:
        made = datetime.combine(day_of(entry.day) or date.min, datetime.min.time())
    return made.replace(tzinfo=UTC) if made.tzinfo is None else made.astimezone(UTC)


def day_of(text: str) -> date | None:
    """Return a day of the history as a date; None where it is none."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def days_between(earlier: str, later: str) -> int:
    """Return how many days lie from one day of the history to another; 0 where one of them is no day."""
    first, second = day_of(earlier), day_of(later)
    return 0 if first is None or second is None else (second - first).days


def looks_by_evalset(entries: Sequence[HistoryEntry]) -> dict[str, list[Look]]:
    """Return the looks of each evalset, oldest first; `entries` as `daily_entries` returns them."""
    found: dict[str, list[Look]] = defaultdict(list)
    for entry in entries:
        for one in entry.evalsets:
            found[one.evalset].append(Look(entry, one))
    return dict(found)
