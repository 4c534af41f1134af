"""Run folders: `run.json` and the append-only `samples.jsonl` under `.aioncall/runs/<run-id>/`."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from ..errors import Problem, StoreError, UsageError
from ..model.run import Run
from ..model.sample import Sample
from .files import replace_text

RUN_FILE = "run.json"
SAMPLES_FILE = "samples.jsonl"
_STAMP = len("20261121-140200-f423f")


class RunStore:
    """Write one run. A sample that `append` returned for has left this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._samples = (folder / SAMPLES_FILE).open("ab", buffering=0)

    @classmethod
    def create(cls, runs: Path, *, now: datetime) -> RunStore:
        """Make a new run folder under `runs`; its name sorts by time and is never taken twice."""
        # Two quick runs end within one second, and `latest` has to be the later one.
        stamp = f"{now:%Y%m%d-%H%M%S}-{now.microsecond:05x}"
        while True:
            folder = runs / f"{stamp}{secrets.token_hex(2)}"
            try:
                folder.mkdir(parents=True)
                return cls(folder)
            except FileExistsError:
                continue
            except OSError as error:
                raise _cannot_write(folder, error) from error

    @property
    def run_id(self) -> str:
        return self.folder.name

    def append(self, samples: Sequence[Sample]) -> None:
        """Add one line a sample, whole lines at once; raises StoreError where the disk takes no more."""
        lines = memoryview(b"".join(s.model_dump_json().encode() + b"\n" for s in samples))
        try:
            while lines:
                # A disk that fills up takes a part, and refuses only what comes next.
                lines = lines[self._samples.write(lines) :]
        except OSError as error:
            raise _cannot_write(self.folder / SAMPLES_FILE, error) from error

    def write_run(self, run: Run) -> None:
        """Replace `run.json` in one step, so that a reader never meets half of it."""
        try:
            replace_text(self.folder / RUN_FILE, run.model_dump_json(indent=1) + "\n")
        except OSError as error:
            raise _cannot_write(self.folder / RUN_FILE, error) from error

    def close(self) -> None:
        self._samples.close()


def _cannot_write(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path}: cannot be written: {error.strerror or error}; what was written before is kept"
    )


def check_writable(runs: Path) -> None:
    """Make the folder of all runs; raises UsageError where no run could be kept in it."""
    why = "no permission"
    try:
        runs.mkdir(parents=True, exist_ok=True)
        if os.access(runs, os.W_OK | os.X_OK):
            return
    except OSError as error:
        why = error.strerror or str(error)
    raise UsageError(f"{runs}: cannot be written: {why}; name another folder in aioncall.yaml: store: DIR")


def read_run(folder: Path) -> Run:
    """Read `run.json`; a folder without a readable one is a UsageError that says so."""
    path = folder / RUN_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{folder}: no {RUN_FILE}; this is not a run folder") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    if isinstance(data, dict) and data.get("format") != 1:
        raise UsageError(
            f"{path}: format {data.get('format')!r}; this version reads format 1. Upgrade pytest-aioncall"
        )
    try:
        return Run.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{path}: {where}: {first['msg']}; the file was not written by this tool") from None


def read_samples(folder: Path, *, cases: Collection[str] | None = None) -> Iterator[Sample]:
    """Yield the samples of a run in the order they finished, of `cases` only where given.

    A torn last line is passed over. Lines of other cases are not parsed.
    """
    wanted = None if cases is None else {f'"case":{json.dumps(case)},'.encode() for case in cases}
    path = folder / SAMPLES_FILE
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    with file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            if wanted is not None and _case_key(line) not in wanted:
                continue
            try:
                yield Sample.model_validate_json(line)
            except ValidationError as error:
                problem = Problem(str(path), number, "", f"not a sample: {error.errors()[0]['msg']}")
                raise UsageError(str(problem)) from None


def _case_key(line: bytes) -> bytes:
    """Return `"case":"...",` as it stands in a sample's line (ids hold no quotes)."""
    start = line.find(b'"case":')
    return line[start : line.find(b",", start) + 1]


def find_run(runs: Path, name: str) -> Path:
    """Return the folder of a run given as id, folder or `latest`."""
    as_path = Path(name)
    if (as_path / RUN_FILE).is_file():
        return as_path
    if name == "latest":
        folders = list_runs(runs)
        if not folders:
            raise UsageError(f"{runs}: no run yet; run pytest --aioncall first")
        return folders[-1]
    folder = runs / name
    if as_path.name == name and (folder / RUN_FILE).is_file():
        return folder
    known = ", ".join(f.name for f in list_runs(runs)[-3:]) or "none"
    raise UsageError(f"{name}: no such file, run folder or run; the newest runs are: {known}")


def list_runs(runs: Path) -> list[Path]:
    """Return run folders, oldest first; of runs at one instant (a clock that was set) by their writing."""
    if not runs.is_dir():
        return []
    found = [f for f in runs.iterdir() if (f / RUN_FILE).is_file()]
    return sorted(found, key=lambda f: (f.name[:_STAMP], (f / RUN_FILE).stat().st_mtime_ns, f.name))


def prune_runs(runs: Path, *, keep: int, but: Path | None = None) -> list[Path]:
    """Delete the oldest run folders beyond `keep`, never `but`; return what was deleted."""
    # With a clock that was set, the run that has just ended may be the oldest.
    gone = [folder for folder in list_runs(runs)[:-keep] if folder != but]
    for folder in gone:
        shutil.rmtree(folder, ignore_errors=True)
    return gone
