"""Fold the whole history into the conditions of all evalsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from ...model.alert import AlertsFile, EvalsetCondition
from ...model.history import HistoryEntry
from ...model.oncall import Monitors
from .budget import budgets
from .fold import Fold
from .looks import Look, daily_entries

_NOBODY: Mapping[str, str] = MappingProxyType({})


def conditions(
    entries: Sequence[HistoryEntry],
    *,
    run: str,
    attempt: int,
    monitors: Monitors,
    now: datetime,
    owners: Mapping[str, str] = _NOBODY,
) -> AlertsFile:
    """Return what holds after all daily runs of a history, as `alerts.json` of one of them.

    entries       the whole history, in any order and with repetitions; only daily live runs are looked at,
                  by (created_at, run, attempt)
    run, attempt  which run asks: its name and address stand on top, and its evalsets are told. What is told
                  is how they stand after the *newest* run of each, so that a run that comes late, or is
                  looked at twice, says the same as the last one.
    owners        model owner by evalset, before the evalset's own
    Raises ValueError where the run is not in the history.
    """
    asking = next((one for one in entries if one.run == run and one.attempt == attempt), None)
    if asking is None:
        raise ValueError(f"run {run!r}, attempt {attempt}, is not in the history")
    daily = daily_entries(entries)
    folds: dict[str, Fold] = {}
    for entry, budget in zip(
        daily, budgets(daily, pages_per_year=monitors.false_pages_per_year), strict=True
    ):
        for day in entry.evalsets:
            folds.setdefault(day.evalset, Fold(monitors)).look(Look(entry, day), budget=budget)
    told: list[EvalsetCondition] = [folds[name].condition(owner=owners.get(name)) for name in sorted(folds)]
    return AlertsFile(
        run=asking.run,
        attempt=asking.attempt,
        day=asking.day,
        created_at=asking.created_at,
        monitored_at=now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        url=asking.url,
        commit=asking.commit,
        evalsets=tuple(told),
    )
