"""What the trend site shows beside the monitor's own series: changes from day to day, and what a day took."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ..model.alert import Point, Series
from ..model.history import EvalsetDay, HistoryEntry
from ..model.run import Fingerprint
from .fingerprints import changes_between

_MOST_NAMED = 4
_Amount = Callable[[EvalsetDay], tuple[float | None, int]]
"""Returns the value of a day, and how many samples stand behind it."""


def _error_rate(day: EvalsetDay) -> tuple[float | None, int]:
    asked = day.planned - day.cancelled
    return ((day.errors - day.cancelled) / asked, asked) if asked > 0 else (None, 0)


_AMOUNTS: Final[dict[str, _Amount]] = {
    "latency_p95_s": lambda day: (day.amounts.latency_p95_s, day.amounts.latency_n),
    "cost_usd": lambda day: (day.cost_usd, day.planned),
    "error_rate": _error_rate,
}


def amounts_by_day(entries: Sequence[HistoryEntry], evalset: str) -> tuple[Series, ...]:
    """Return p95 latency, cost of a run and share of errors by day; of several runs of a day the last one.

    They have no reference of their own: their alerts are fixed rules. What no run told is left out.
    """
    days = {entry.day: (entry, day) for entry, day in _daily(entries, evalset)}
    found = []
    for name, amount in _AMOUNTS.items():
        points = [
            Point(day=on, run=entry.run, value=value, n=n)
            for on, (entry, day) in days.items()
            for value, n in [amount(day)]
            if value is not None
        ]
        if points:
            found.append(Series(name=name, points=tuple(points), learning=False))
    return tuple(found)


def _daily(entries: Sequence[HistoryEntry], evalset: str) -> Iterator[tuple[HistoryEntry, EvalsetDay]]:
    """Yield the days of an evalset: runs from recordings, and such that were no daily ones, say nothing."""
    for entry in entries:
        if entry.kind == "daily" and not entry.replayed:
            yield from ((entry, one) for one in entry.evalsets if one.evalset == evalset)


def changes_by_day(entries: Sequence[HistoryEntry], evalset: str) -> tuple[tuple[str, str], ...]:
    """Return (day, what changed) of an evalset, oldest first, from one daily run to the next.

    entries  sorted by time
    """
    found: list[tuple[str, str]] = []
    before: EvalsetDay | None = None
    models: dict[str, int] = {}
    for entry, day in _daily(entries, evalset):
        if before is not None:
            said = _changes(before, day, models)
            if said:
                found.append((entry.day, said))
        before = day
        # A run that got no answer tells no model, and none has changed by that.
        models = day.models or models
    return tuple(found)


def _changes(was: EvalsetDay, now: EvalsetDay, models: dict[str, int]) -> str:
    said = changes_between(
        Fingerprint(instrument=was.instrument, subject=was.subject),
        Fingerprint(instrument=now.instrument, subject=now.subject),
    )
    if models and now.models and set(models) != set(now.models):
        said.append(f"answering model: {', '.join(sorted(models))} -> {', '.join(sorted(now.models))}")
    if was.baseline and now.baseline and was.baseline != now.baseline:
        said.append("a new baseline was accepted")
    more = f" and {len(said) - _MOST_NAMED} more" if len(said) > _MOST_NAMED else ""
    return "; ".join(said[:_MOST_NAMED]) + more
