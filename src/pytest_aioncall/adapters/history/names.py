"""Where things lie in a history: one file a run, one file a record, under names that any disk can hold."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Final

from ...model.history import HistoryEntry

RUNS: Final = "runs"
_PLAIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,78}[a-z0-9]|[a-z0-9]")
_NOT_PLAIN = re.compile(r"[^a-z0-9._-]+")
_KIND = re.compile(r"[a-z][a-z0-9-]{0,39}")
_ENTRY = re.compile(r"runs/\d{4}/\d{2}/\d{2}-[a-z0-9._-]+-\d+\.json")
# Windows opens a device for these, whatever stands behind the first dot.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(10))})
_NOT_KINDS = frozenset({RUNS, "branches", "git", "new", "was"})


def file_stem(name: str) -> str:
    """Return a name as a part of a file name: itself where it is plain, else what is plain and a digest.

    Capitals are not plain: some disks take `A` and `a` for one name.
    """
    if _PLAIN.fullmatch(name) and name.partition(".")[0] not in _DEVICES:
        return name
    shown = _NOT_PLAIN.sub("_", name[:200].lower()).strip("._-")[:48].rstrip("._-")
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{shown}.{digest}" if shown and shown.partition(".")[0] not in _DEVICES else f"x.{digest}"


def entry_path(entry: HistoryEntry) -> str:
    """Return `runs/YYYY/MM/DD-<run>-<attempt>.json`, with slashes. Raises ValueError for a wrong time."""
    problem = wrong_time(entry)
    if problem:
        raise ValueError(problem)
    year, month, day = entry.day.split("-")
    return f"{RUNS}/{year}/{month}/{day}-{file_stem(entry.run)}-{entry.attempt}.json"


def is_entry_path(path: str) -> bool:
    """Tell whether a file of that name can be an entry."""
    return _ENTRY.fullmatch(path) is not None


def record_path(kind: str, name: str) -> str:
    """Return `<kind>/<name>.json`. Raises ValueError for a kind that is no plain word."""
    return f"{record_folder(kind)}/{file_stem(name)}.json"


def record_folder(kind: str) -> str:
    """Return the folder of the records of one kind. Raises ValueError for a kind that is no plain word."""
    if not _KIND.fullmatch(kind) or kind in _NOT_KINDS:
        raise ValueError(f"no kind of record: {kind!r}")
    return kind


def moment_of(entry: HistoryEntry) -> datetime:
    """Return when the run was made, in UTC; the entry was checked by `wrong_time`."""
    return datetime.fromisoformat(entry.created_at).astimezone(UTC)


def wrong_time(entry: HistoryEntry) -> str:
    """Say what is wrong with an entry's time and day; empty where nothing is."""
    try:
        moment = datetime.fromisoformat(entry.created_at)
        if moment.tzinfo is None:
            raise ValueError
        day = moment.astimezone(UTC).date().isoformat()
    except (ValueError, OverflowError):
        return "created_at is no time with its offset (RFC 3339)"
    return "" if day == entry.day else f"day is not the UTC day of created_at, {day}"
