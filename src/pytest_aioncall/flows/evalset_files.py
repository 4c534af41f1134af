"""Which files of the evalsets of a history are in the tree still."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..model.history import HistoryEntry


def files_there(entries: Iterable[HistoryEntry], root: Path) -> frozenset[str]:
    """Return the files, from the project's root, that evalsets of some runs came from and that are there."""
    named = {day.file for entry in entries for day in entry.evalsets if day.file}
    return frozenset(file for file in named if _is_there(root / file))


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
