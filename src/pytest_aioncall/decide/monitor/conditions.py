"""Fold the whole history into the conditions of all evalsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime
from types import MappingProxyType

from ...model.alert import AlertsFile
from ...model.history import HistoryEntry
from ...model.oncall import Monitors
from . import titles
from .budget import budgets
from .fold import Fold
from .looks import Look, daily_entries, until
from .missed import missed_evalsets, removed_evalsets

_NAMED = 3
_NOBODY: Mapping[str, str] = MappingProxyType({})


def conditions(
    entries: Sequence[HistoryEntry],
    *,
    run: str,
    attempt: int,
    monitors: Monitors,
    now: datetime,
    owners: Mapping[str, str] = _NOBODY,
    files: Set[str] = frozenset(),
) -> AlertsFile:
    """Return what holds after all daily runs of a history, as `alerts.json` of one of them.

    entries       the whole history, in any order and with repetitions; only daily live runs are looked at,
                  by (created_at, run, attempt), and none that is dated after `now`
    run, attempt  which run asks: its name and address stand on top, and its evalsets are told. What is told
                  is how they stand after the *newest* run of each, so that a run that comes late, or is
                  looked at twice, says the same as the last one.
    owners        model owner by evalset, before the evalset's own
    files         files of evalsets that are in the tree still: what is in no run though it is there is missed
    Raises ValueError where the run is not in the history.
    """
    asking = next((one for one in entries if one.run == run and one.attempt == attempt), None)
    if asking is None:
        raise ValueError(f"run {run!r}, attempt {attempt}, is not in the history")
    known = daily_entries(entries)
    daily = until(known, now)
    folds: dict[str, Fold] = {}
    for entry, budget in zip(
        daily, budgets(daily, pages_per_year=monitors.false_pages_per_year), strict=True
    ):
        for day in entry.evalsets:
            folds.setdefault(day.evalset, Fold(monitors)).look(Look(entry, day), budget=budget)
    newest = daily[-1].day if daily else asking.day
    today = max(now.astimezone(UTC).date().isoformat(), newest)
    missed = missed_evalsets(daily)
    gone = removed_evalsets(missed, daily, folds=folds, files=files)
    here = {name: fold for name, fold in sorted(folds.items()) if name not in gone}
    return AlertsFile(
        run=asking.run,
        attempt=asking.attempt,
        day=asking.day,
        created_at=asking.created_at,
        monitored_at=now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        url=asking.url,
        commit=asking.commit,
        evalsets=tuple(
            fold.condition(owner=owners.get(name), today=today, left_out=name in missed)
            for name, fold in here.items()
        ),
        review=tuple(line for fold in here.values() for line in fold.review(today)),
        notes=(*_notes_on(asking), *_notes_on_time(known, daily), *gone.values()),
    )


def _notes_on(asking: HistoryEntry) -> list[str]:
    """Say where the run that asks is none that is monitored."""
    if asking.replayed:
        return [f"{asking.run} answered from recordings: it says nothing about today and is not monitored"]
    if asking.kind != "daily":
        return [f"{asking.run} is no daily run: it is kept in the history and not monitored"]
    return []


def _notes_on_time(known: Sequence[HistoryEntry], daily: Sequence[HistoryEntry]) -> list[str]:
    """Name the runs that are dated in the future: taken in, they would hide every run until then."""
    ahead = sorted({(one.day, one.run) for one in known} - {(one.day, one.run) for one in daily})
    if not ahead:
        return []
    named = ", ".join(f"{titles.plain(run, 80)} of {titles.plain(day, 10)}" for day, run in ahead[:_NAMED])
    more = f" and {len(ahead) - _NAMED} more" if len(ahead) > _NAMED else ""
    told = "is dated in the future and is" if len(ahead) == 1 else "are dated in the future and are"
    return [f"{named}{more} {told} not monitored; a clock or AIONCALL_NOW was wrong: delete the entry"]
