"""Write a run: each sample as it finishes, whole lines at once."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from ...errors import StoreError, UsageError
from ...model.run import Run
from ...model.sample import Sample
from ..files import replace_text
from .folders import RUN_FILE
from .locks import FolderLock, lock_folder
from .samples import SAMPLES_FILE, KeptSamples, mend_samples

SYNC_S = 1.0
"""How often what was written is pushed to the disk itself: what a power cut may take is younger."""


class RunStore:
    """Write one run. A sample that `append` returned for has left this process."""

    def __init__(self, folder: Path, *, lock: FolderLock) -> None:
        self.folder = folder
        self._lock = lock
        self._samples = (folder / SAMPLES_FILE).open("ab", buffering=0)
        self._is_torn = False
        self._syncing = _Syncing(self._samples.fileno())

    @classmethod
    def create(cls, runs: Path, *, now: datetime) -> RunStore:
        """Make a new run folder under `runs`; its name sorts by time and is never taken twice."""
        # Two quick runs end within one second, and `latest` has to be the later one.
        stamp = f"{now:%Y%m%d-%H%M%S}-{now.microsecond:05x}"
        while True:
            folder = runs / f"{stamp}{secrets.token_hex(2)}"
            try:
                folder.mkdir(parents=True)
                lock = lock_folder(folder)
                if lock is not None:
                    return cls(folder, lock=lock)
            except FileExistsError:
                continue
            except OSError as error:
                raise _cannot_write(folder, error) from error

    @classmethod
    def reopen(
        cls,
        folder: Path,
        *,
        again: Callable[[Sample], bool],
        seen: Callable[[Sample], None],
    ) -> tuple[RunStore, KeptSamples]:
        """Take up a run where it stopped; return it with the samples that it has.

        `again` and `seen` are those of `mend_samples`. Raises UsageError where another process writes it.
        """
        lock = lock_folder(folder)
        if lock is None:
            raise UsageError(
                f"run {folder.name} is still under way (or a process that it started); wait for it, or end it"
            )
        try:
            kept = mend_samples(folder, again=again, seen=seen)
            return cls(folder, lock=lock), kept
        except OSError as error:
            lock.release()
            raise _cannot_write(folder / SAMPLES_FILE, error) from error
        except BaseException:
            lock.release()
            raise

    @property
    def run_id(self) -> str:
        return self.folder.name

    def append(self, samples: Sequence[Sample]) -> None:
        """Add one line a sample, whole lines at once; raises StoreError where the disk takes no more."""
        whole = b"".join(s.model_dump_json().encode() + b"\n" for s in samples)
        # What follows half a line would be lost with it.
        lines = memoryview(b"\n" + whole if self._is_torn else whole)
        try:
            while lines:
                # A disk that fills up takes a part, and refuses only what comes next.
                lines = lines[self._samples.write(lines) :]
                self._is_torn = bool(lines)
        except OSError as error:
            raise _cannot_write(self.folder / SAMPLES_FILE, error) from error
        self._syncing.soon()

    def write_run(self, run: Run) -> None:
        """Replace `run.json` in one step, so that a reader never meets half of it."""
        try:
            replace_text(self.folder / RUN_FILE, run.model_dump_json(indent=1) + "\n", durable=True)
        except OSError as error:
            raise _cannot_write(self.folder / RUN_FILE, error) from error

    def close(self) -> None:
        """Push all to the disk and let others at the folder; may be called twice."""
        self._syncing.end()
        self._samples.close()
        self._lock.release()


class _Syncing:
    """Pushes a file to the disk beside the work, at most every `SYNC_S` seconds and at the end.

    It waits in a thread of its own: on the engine's loop a slow disk would hold up answers whose latency is
    measured.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._wanted = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def soon(self) -> None:
        if not self._wanted.is_set():
            self._wanted.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="aioncall-sync", daemon=True)
            self._thread.start()

    def end(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ended.set()
            self._wanted.set()
            thread.join()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            # Some devices cannot; what the disk refuses, the next write tells.
            with suppress(OSError):
                os.fsync(self._handle)
            if self._ended.wait(SYNC_S) and not self._wanted.is_set():
                return


def _cannot_write(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path}: cannot be written: {error.strerror or error}; what was written before is kept"
    )
