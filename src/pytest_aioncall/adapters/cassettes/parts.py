"""Recordings on their way into the file: hidden part files, one a process, merged when a process is done."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import IO, Any

from .entries import line_of, says_the_same
from .index import Index


class Part:
    """The recordings of this process until they are merged; locked as long as it lives."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.path = file.parent / f".{file.name}.{os.getpid()}-{os.urandom(4).hex()}.part"
        # Without a buffer: what a full disk refused must not be written again, in the middle of what follows.
        self._stream = self.path.open("ab+", buffering=0)
        self._places: dict[str, tuple[int, int]] = {}
        _try_lock(self._stream)

    def write(self, entry: Mapping[str, Any]) -> None:
        """Keep an entry; it is the operating system's when this returns. OSError where it cannot be kept."""
        line = line_of(entry).encode("ascii")
        place = self._stream.seek(0, os.SEEK_END)
        left = memoryview(line)
        try:
            while left:
                left = left[self._stream.write(left) :]
        except OSError:
            with suppress(OSError):
                self._stream.truncate(place)
            raise
        self._places[entry["key"]] = place, len(line)

    def line(self, key: str) -> bytes | None:
        """Return the line of an entry written before, or None."""
        place = self._places.get(key)
        if place is None:
            return None
        offset, size = place
        self._stream.seek(offset)
        return self._stream.read(size)

    def __len__(self) -> int:
        return len(self._places)

    def close(self) -> None:
        """Let others merge it."""
        self._stream.close()


def can_share() -> bool:
    """Tell whether several processes may record into one file: it takes locks that Windows has not."""
    try:
        import fcntl
    except ImportError:
        return False
    return hasattr(fcntl, "flock")


def parts_of(file: Path) -> list[Path]:
    """Return the parts that are not merged yet, oldest first."""
    found = []
    for path in file.parent.glob(f".{file.name}.*.part"):
        try:
            found.append((path.stat().st_mtime, path.name, path))
        except FileNotFoundError:  # merged by somebody else just now
            continue
    return [path for *_, path in sorted(found)]


def merge(file: Path) -> None:
    """Put the parts of processes that are done into the file, sorted by key; the newest recording wins.

    A recording that says the same as the one before changes nothing: not a byte of its line.
    """
    with locked_folder(file.parent):
        with ExitStack() as open_files:
            done = [path for path in parts_of(file) if _locked(path, open_files)]
            if not done:
                return
            old, new = Index([file]), Index([], torn=done)
            open_files.callback(old.close)
            open_files.callback(new.close)
            partial = _written(file, {*old, *new}, lambda key: _standing(key, old=old, new=new))
        # With everything closed: some systems neither replace nor delete what is open.
        partial.replace(file)
        for path in done:
            path.unlink(missing_ok=True)


def drop(file: Path, keys: Collection[str]) -> None:
    """Take recordings out of a file; a file of which nothing is left is deleted."""
    with locked_folder(file.parent):
        index = Index([file])
        try:
            kept = {key for key in index if key not in keys}
            partial = _written(file, kept, index.line)
        finally:
            index.close()
        if kept:
            partial.replace(file)
        else:
            partial.unlink()
            file.unlink(missing_ok=True)


def _standing(key: str, *, old: Index, new: Index) -> bytes:
    if key not in new:
        return old.line(key)
    if key in old and says_the_same(old.entry(key), new.entry(key)):
        return old.line(key)
    return new.line(key)


def _written(file: Path, keys: Collection[str], line: Callable[[str], bytes]) -> Path:
    """Write the lines of `keys` beside the file, on the disk when this returns; return where."""
    partial = file.with_name(f".{file.name}.partial")
    try:
        with partial.open("wb") as stream:
            stream.writelines(line(key) for key in sorted(keys))
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return partial


def _locked(path: Path, open_files: ExitStack) -> bool:
    """Lock a part until `open_files` is left; false where its process still records: it merges its own."""
    try:
        stream = path.open("ab")
    except FileNotFoundError:
        return False
    if not _try_lock(stream):
        stream.close()
        return False
    open_files.callback(stream.close)
    return True


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Let one process merge at a time. Where the system has no such lock, the caller has to."""
    if not can_share():
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _try_lock(stream: IO[bytes] | FileIO) -> bool:
    """Lock an open file until it is closed; tell whether nobody else has."""
    if not can_share():
        return True
    import fcntl

    try:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
