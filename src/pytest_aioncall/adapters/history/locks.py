"""One process at a time in a folder: a lock that ends with its process, whatever ends that."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import StoreError

_STEP_S = 0.02


@contextmanager
def locked(path: Path, *, wait_s: float) -> Iterator[None]:
    """Hold the lock file `path` for the block; StoreError where another process keeps it for `wait_s`.

    Systems without `flock`, and disks without locks, do without.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        ends = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= ends:
                    raise StoreError(
                        f"{path}: another process has been at this history for {wait_s:g} s; wait for it, "
                        "or end it, then run this again"
                    ) from None
                time.sleep(_STEP_S)
            except OSError:  # a disk without locks
                break
        yield
    finally:
        os.close(handle)
