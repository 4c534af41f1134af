"""What changed between the days of a history: models, prompt and index, scorers and judge, the baseline."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.history import EvalsetDay, HistoryEntry
from ..model.run import Fingerprint
from .fingerprints import changes_between

_MOST_NAMED = 4


def changes_by_day(entries: Sequence[HistoryEntry], evalset: str) -> tuple[tuple[str, str], ...]:
    """Return (day, what changed) of an evalset, oldest first, from one daily run to the next.

    entries  sorted by time; runs from recordings and runs that were no daily ones say nothing of a day
    """
    found: list[tuple[str, str]] = []
    before: EvalsetDay | None = None
    models: dict[str, int] = {}
    for entry in entries:
        if entry.kind != "daily" or entry.replayed:
            continue
        day = next((one for one in entry.evalsets if one.evalset == evalset), None)
        if day is None:
            continue
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
