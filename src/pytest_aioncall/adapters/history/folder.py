"""A history in a folder: entries under `runs/`, records beside them, each file whole or not there."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...errors import LoadError, Problem, StoreError
from ...model.history import HistoryEntry
from ..files import replace_text
from ..text import one_line
from ..yaml_text import read_bytes
from .names import RUNS, entry_path, is_entry_path, moment_of, record_folder, record_path
from .reading import (
    MAX_ENTRY_BYTES,
    MAX_FILES,
    MAX_RECORD_BYTES,
    entry_text,
    read_entry,
    read_record,
    record_text,
)

_MOST_PROBLEMS = 200


class HistoryFolder:
    """Entries and records of a history, as files of a folder.

    path   the folder; made when the first file is written
    where  what people are told this is
    elsewhere  where the daily runs are that this history lacks, with the command; "" where nobody knows
    """

    def __init__(self, path: Path, *, where: str = "") -> None:
        self.path = path
        self.where = where or f"folder {path}"
        self.elsewhere = ""
        self._problems: dict[str, Problem] = {}
        self._notes: list[str] = []

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was passed over when it was read, each file by name."""
        return tuple(sorted(self._problems.values()))

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be told of the history itself: rewritten elsewhere, kept here only."""
        return tuple(dict.fromkeys(self._notes))

    def entries(self) -> list[HistoryEntry]:
        """Return all entries, sorted by (created_at, run, attempt), whatever order they came in.

        A file that is no entry is passed over and stands in `problems`; so does a second file of one run and
        attempt.
        """
        with _collector_at_rest():
            found = self._entries()
        return sorted(found.values(), key=lambda one: (moment_of(one), one.run, one.attempt))

    def _entries(self) -> dict[tuple[str, int], HistoryEntry]:
        found: dict[tuple[str, int], HistoryEntry] = {}
        for path, raw in self._files(RUNS, limit=MAX_ENTRY_BYTES):
            if not is_entry_path(path):
                self._note(
                    path, "is not named as an entry is: runs/YYYY/MM/DD-<run>-<attempt>.json; not read"
                )
                continue
            try:
                entry = read_entry(raw(), path=path)
                if (entry.run, entry.attempt) in found:
                    raise ValueError(f"holds run {one_line(entry.run, 80)}, which another file holds, too")
                found[entry.run, entry.attempt] = entry
            except ValueError as error:
                self._note(path, f"{error}; not read")
            except LoadError as error:
                self._note(path, f"{error.problems[0].message}; not read")
        return found

    def add(self, entry: HistoryEntry) -> bool:
        """Write an entry, in place of an older one of the same run and attempt; False where it was there.

        Raises StoreError where it cannot be written.
        """
        return self._write(entry_path(entry), entry_text(entry))

    def records(self, kind: str) -> dict[str, Any]:
        """Return the records of one kind by name; a file that is none stands in `problems`."""
        found: dict[str, Any] = {}
        for path, raw in self._files(record_folder(kind), limit=MAX_RECORD_BYTES):
            stem = path.rpartition("/")[2].removesuffix(".json")
            try:
                name, data = read_record(raw(), stem=stem)
                found[name] = data
            except ValueError as error:
                self._note(path, f"{error}; not read")
            except LoadError as error:
                self._note(path, f"{error.problems[0].message}; not read")
        return dict(sorted(found.items()))

    def write_record(self, kind: str, name: str, data: Any) -> None:
        """Write a record, in place of an older one of its name. Raises StoreError where it cannot be."""
        self._write(record_path(kind, name), record_text(name, data))

    def sync(self) -> None:
        """Share what was written, and fetch what others wrote. A folder is shared by nobody."""

    def _files(self, top: str, *, limit: int) -> Iterator[tuple[str, Callable[[], bytes]]]:
        """Yield (path with slashes, how to read it) of the JSON files below a folder, sorted."""
        yield from self._on_disk(self.path, top, limit=limit)

    def _on_disk(self, root: Path, top: str, *, limit: int) -> Iterator[tuple[str, Callable[[], bytes]]]:
        for number, path in enumerate(_json_files(root, top)):
            if number == MAX_FILES:
                self._note(top, f"holds more than {MAX_FILES:,} files; the rest is not read")
                return
            if (root / path).is_symlink():
                self._note(path, "is a link; not read")
                continue
            yield path, _Reader(root / path, limit)

    def _write(self, path: str, text: str) -> bool:
        return self._write_below(self.path, path, text)

    def _write_below(self, root: Path, path: str, text: str) -> bool:
        target = root / path
        try:
            if target.is_file() and not target.is_symlink() and target.read_bytes() == text.encode():
                return False
            replace_text(target, text, durable=True)
        except OSError as error:
            raise StoreError(f"{target}: cannot be written: {error.strerror or error}") from error
        return True

    def _note(self, path: str, message: str) -> None:
        if len(self._problems) < _MOST_PROBLEMS:
            self._problems[path] = Problem(one_line(path, 200), 0, "", one_line(message, 300))


class _Reader:
    """Reads one file when it is asked to. Raises LoadError where that cannot be done, or it is too large."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit

    def __call__(self) -> bytes:
        return read_bytes(self._path, file=str(self._path), limit=self._limit)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Keep Python from searching for cycles meanwhile: a thousand entries have none, and it costs the double.

    1,000 entries of 200 cases are read in 1.9 s so, and in 6.2 s with it.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _json_files(root: Path, top: str) -> Iterator[str]:
    """Yield the JSON files of a folder and of those in it, sorted; hidden ones are nobody's entries."""
    try:
        with os.scandir(root / top) as found:
            inside = sorted(found, key=lambda one: one.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for one in inside:
        name = f"{top}/{one.name}"
        if one.name.startswith("."):
            continue
        if one.is_dir(follow_symlinks=False):
            # runs/YYYY/MM is as deep as it goes.
            if name.count("/") < 3:
                yield from _json_files(root, name)
        elif one.name.endswith(".json"):
            yield name
