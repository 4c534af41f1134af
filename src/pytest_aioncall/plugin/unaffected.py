"""`--aioncall-changed REF`: cases of evalsets that the change cannot affect are deselected, and told of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .items import CaseItem

if TYPE_CHECKING:
    from ..flows.evalrun import EvalRun
    from ..flows.prepare import Prepared

_MOST_TOLD = 12
"""Evalsets that the header names one by one."""


class Unaffected:
    """Which files of evalsets this session left out."""

    def __init__(self) -> None:
        self.files: dict[str, None] = {}

    def __bool__(self) -> bool:
        return bool(self.files)

    def deselect(self, items: list[pytest.Item], *, run: EvalRun, config: pytest.Config) -> None:
        """Take the cases of unaffected evalsets out of `items` and tell pytest of them.

        Only an evalset that has a case among the items is left out: what was not selected is no news.
        """
        if run.beside.affected is None:
            return
        kept: list[pytest.Item] = []
        gone: list[pytest.Item] = []
        for item in items:
            left_out = isinstance(item, CaseItem) and run.beside.is_unaffected(run.prepared[item.job.evalset])
            (gone if left_out else kept).append(item)
        if gone:
            self.files.update(dict.fromkeys(str(item.path) for item in gone))
            items[:] = kept
            config.hook.pytest_deselected(items=gone)

    def take_worker(self, told: Mapping[str, Any]) -> None:
        """Take what a worker of xdist left out; every worker collects all."""
        self.files.update(dict.fromkeys(told.get("unaffected") or ()))

    def names(self, prepared_at: Callable[[Path], Prepared | None]) -> list[str]:
        """Return the names of the evalsets that were left out."""
        found = (prepared_at(Path(file)) for file in self.files)
        return [one.name for one in found if one is not None]


def header_lines(run: EvalRun, *, ran: Iterable[str], left_out: Iterable[str]) -> Iterator[str]:
    """Yield what the header says: evalsets that are left out, and why each of the others runs."""
    from ..flows.wording import log_line

    if run.beside.affected is None:
        return
    change = run.beside.affected.change
    files = len(change.files)
    differ = "1 file differs" if files == 1 else f"{files} files differ"
    since = f"since {change.ref}@{change.commit[:7]} ({differ})"
    names = [log_line(name, 80) for name in left_out]
    if names:
        count = f"{len(names)} evalset{'s' if len(names) > 1 else ''}"
        yield f"aioncall: {count} unaffected, $0, {since}: {log_line(', '.join(names), 400)}"
    runs = list(ran)
    for name in runs[:_MOST_TOLD]:
        causes = "; ".join(run.beside.causes(run.prepared[name]))
        yield f"aioncall: {log_line(name, 80)} runs, it may be affected {since}: {log_line(causes, 400)}"
    if len(runs) > _MOST_TOLD:
        yield f"aioncall: {len(runs) - _MOST_TOLD} more evalsets run, see the report for why"
