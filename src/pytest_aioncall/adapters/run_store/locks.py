"""One writer a run folder: a lock that ends with its process, whatever ends that."""

from __future__ import annotations

import os
from pathlib import Path


class FolderLock:
    """Holds a folder until it is released or the process ends. Systems without `flock` do without."""

    def __init__(self, handle: int | None) -> None:
        self._handle = handle

    def release(self) -> None:
        """Let the next one in; may be called twice."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


def lock_folder(folder: Path) -> FolderLock | None:
    """Lock a folder for this process; None where another one holds it."""
    try:
        import fcntl
    except ImportError:  # Windows
        return FolderLock(None)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError:  # a file system without locks
        os.close(handle)
        return FolderLock(None)
    return FolderLock(handle)


def is_locked(folder: Path) -> bool:
    """Tell whether a process is writing this run now."""
    try:
        lock = lock_folder(folder)
    except OSError:
        return False
    if lock is None:
        return True
    lock.release()
    return False
