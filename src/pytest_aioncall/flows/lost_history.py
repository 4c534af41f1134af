"""Whether a history that begins now had one before it: the branch was deleted, or the folder is another one.

Nothing that is there can tell: what was learned is learned again, and an incident that was open is forgotten.
So what stands beside the history is asked how long there have been daily runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from datetime import UTC, datetime

from ..adapters import git
from ..adapters.run_store import list_runs
from ..adapters.text import log_line
from ..adapters.workflow_files.reading import read_workflows
from ..model.history import HistoryEntry
from ..settings import Settings
from .runs import runs_folder

_DAY = len("20261122")


def lost_told(entries: Sequence[HistoryEntry], settings: Settings, *, now: datetime) -> list[str]:
    """Say that there were daily runs, or should have been, before the first one of a history that begins now.

    It begins now for `no_data_days`, so that who was away on the first of them is told, too.
    """
    from ..decide.monitor.looks import daily_entries, days_between

    days = [one.day for one in daily_entries(entries, now=now)]
    limit = settings.config.monitors.no_data_days
    if not days or days_between(days[0], now.astimezone(UTC).date().isoformat()) >= limit:
        return []
    known = {one.run for one in entries}
    signs = (told for day, told in _signs(settings, known) if days_between(day, days[0]) >= limit)
    sign = next(signs, None)
    if sign is None:
        return []
    return [
        f"the history begins on {days[0]}, and {sign}: if daily runs were kept before, their history is "
        "lost, with its references and open incidents; aioncall history push, or rebuild from the runs that "
        "are kept as artifacts, brings back what is left"
    ]


def _signs(settings: Settings, known: Set[str]) -> Iterator[tuple[str, str]]:
    """Yield (day, what is told of it) of what is older than the first run of a history should be."""
    top = git.top_of(settings.root) or settings.root
    for file in read_workflows(top / ".github" / "workflows"):
        if "schedule" in file.triggers and file.runs("aioncall", "monitor"):
            # In a shallow clone every file is as old as its newest commit: then nothing is said.
            first = git.first_version(settings.root, file.path)
            if first is not None:
                yield first[1], f"{log_line(file.path.name, 80)} has been there since {first[1]}"
    for folder in list_runs(runs_folder(settings)):
        stamp = folder.name[:_DAY]
        if folder.name not in known and stamp.isdigit() and len(stamp) == _DAY:
            day = f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:]}"
            yield day, f"this machine has run {log_line(folder.name, 80)} of {day}"
