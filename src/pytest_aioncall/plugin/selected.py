"""Which cases of each evalset were selected, in this process and in xdist's workers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .hooks import EVALSET_SUFFIX
from .items import CaseItem

if TYPE_CHECKING:
    from ..flows.prepare import Prepared


class Selected:
    """How many cases of each evalset file are to run."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._counted = False
        self._collected: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self.counts)

    @property
    def is_of_other_shards(self) -> bool:
        """Tell whether evalsets were met and none of their cases is to run here."""
        return bool(self.counts) and not any(self.counts.values())

    def count(self, items: Sequence[pytest.Item]) -> None:
        """Count the cases among the items of this process, once."""
        if self._counted:
            return
        self._counted = True
        for item in items:
            if isinstance(item, CaseItem):
                file = str(item.path)
                self.counts[file] = self.counts.get(file, 0) + 1

    def meet(self, file: str) -> None:
        """Note a file of which a worker sent a case."""
        self.counts.setdefault(file, 0)

    def take_worker(self, told: Mapping[str, Any]) -> None:
        """Take what a worker collected; every worker collects all, so the largest is the whole."""
        for file, count in (told.get("selected") or {}).items():
            self.counts[file] = max(count, self.counts.get(file, 0))

    def take_collected(self, root: Path, ids: Sequence[str]) -> None:
        """Take the ids that a worker collected under `root`; every worker collects all: the first will do."""
        if self._collected:
            return
        for nodeid in ids:
            file, colons, _ = nodeid.partition("::")
            if colons and file.endswith(EVALSET_SUFFIX):
                path = os.path.normpath(root / file)
                self._collected[path] = self._collected.get(path, 0) + 1

    def count_collected(self) -> None:
        """Count what workers collected: those of a session that is interrupted tell nothing at their end."""
        known = {os.path.realpath(file): file for file in self.counts}
        for path, count in self._collected.items():
            file = known.get(os.path.realpath(path), path)
            self.counts[file] = max(count, self.counts.get(file, 0))

    def by_name(self, prepared_at: Callable[[Path], Prepared | None]) -> dict[str, int]:
        """Return the counts by the names of the evalsets."""
        found = {file: prepared_at(Path(file)) for file in self.counts}
        return {one.name: self.counts[file] for file, one in found.items() if one is not None}

    def complete(
        self,
        prepared_at: Callable[[Path], Prepared | None],
        *,
        asked_of: Callable[[Prepared], int],
        interrupted: bool,
    ) -> dict[str, bool]:
        """Tell of each evalset whether all cases that this session is to run were selected and finished."""
        complete: dict[str, bool] = {}
        for file, count in self.counts.items():
            prepared = prepared_at(Path(file))
            if prepared is not None:
                complete[prepared.name] = count == asked_of(prepared) and not interrupted
        return complete
