"""Files that others wrote: opened without waiting for what never ends, refused by size unread."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ...errors import LoadError, Problem
from ..text import one_line

MAX_BYTES = 64 * 1024 * 1024


@contextmanager
def open_file(path: Path, *, file: str, limit: int) -> Iterator[BinaryIO]:
    """Open a file of at most `limit` bytes for reading; what reading it in the block meets is told alike.

    Raises LoadError where it cannot be read, is larger, or is no file at all: a pipe or a device may never
    end, and is refused without waiting for it.
    """
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to waits for ever.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags)
        try:
            _refuse_no_file(os.fstat(descriptor), file=file, limit=limit)
        except LoadError:
            os.close(descriptor)
            raise
        with open(descriptor, "rb") as stream:  # noqa: PTH123 - it is open already
            yield stream
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise _refusal(file, f"cannot be read: {one_line(str(why).lower())}") from None


def read_bytes(path: Path, *, file: str, limit: int = MAX_BYTES) -> bytes:
    """Return the file's bytes. Raises LoadError as `open_file` does, and where it grows past `limit`."""
    with open_file(path, file=file, limit=limit) as stream:
        raw = stream.read(os.fstat(stream.fileno()).st_size + 1)
        while len(raw) <= limit and (more := stream.read(1 << 16)):
            raw += more
    if len(raw) > limit:
        raise _too_large(file, limit)
    return raw


def _refuse_no_file(found: os.stat_result, *, file: str, limit: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe or a device"
        raise _refusal(file, f"cannot be read: it is {what}; a file is needed")
    if found.st_size > limit:
        raise _too_large(file, limit)


def _too_large(file: str, limit: int) -> LoadError:
    return _refusal(file, f"is larger than {limit // 1024 // 1024} MiB; split it")


def _refusal(file: str, message: str) -> LoadError:
    return LoadError([Problem(file, 0, "", message)])
