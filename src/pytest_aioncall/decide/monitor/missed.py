"""Evalsets that are in no run any more: taken out on purpose, or left out and nobody saw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from ...model.history import HistoryEntry
from .fold import Fold
from .looks import days_between

GONE_DAYS = 30
GONE_RUNS = 2


def missed_evalsets(daily: Sequence[HistoryEntry]) -> dict[str, str]:
    """Return the evalsets that the runs leave out, each with the last day on which it ran; `daily` by time.

    One is left out when the runs of two later days have all others that its newest run had, but not it; or
    when it was in none of thirty days of runs. One with a run of its own (a shard) is waited for until then.
    """
    newest: dict[str, tuple[int, str, frozenset[str]]] = {}
    names = [frozenset(day.evalset for day in entry.evalsets) for entry in daily]
    for at, entry in enumerate(daily):
        for name in names[at]:
            newest[name] = at, entry.day, names[at] - {name}
    missed = {}
    for name, (at, day, others) in sorted(newest.items()):
        later = zip(daily[at + 1 :], names[at + 1 :], strict=True)
        without = {entry.day for entry, there in later if others and others <= there and entry.day != day}
        if len(without) >= GONE_RUNS or days_between(day, daily[-1].day) > GONE_DAYS:
            missed[name] = day
    return missed


def removed_evalsets(
    missed: Mapping[str, str], daily: Sequence[HistoryEntry], *, folds: Mapping[str, Fold], files: Set[str]
) -> dict[str, str]:
    """Return those of them that are no more, each with a note: they are not told and nobody waits for them.

    files  files of evalsets that are in the tree still. One that another evalset has now is no evalset's of
           before: it was renamed
    One with an open incident is told for thirty days more, else to remove it would be how to end it.
    """
    taken = {day.file for entry in daily for day in entry.evalsets if _runs(day.evalset, entry, missed)}
    gone = {}
    for name, since in missed.items():
        fold = folds[name]
        if fold.file in files and fold.file not in taken:
            continue
        is_open = fold.episodes.open is not None
        if is_open and days_between(since, daily[-1].day) <= GONE_DAYS:
            continue
        unseen = ", with an incident that no run has seen end" if is_open else ""
        gone[name] = f"{name} is in no run since {since}; it is taken as removed{unseen}"
    return gone


def _runs(name: str, entry: HistoryEntry, missed: Mapping[str, str]) -> bool:
    """Tell whether an evalset that is not missed ran after one was."""
    return name not in missed and entry.day > min(missed.values(), default="9999")
