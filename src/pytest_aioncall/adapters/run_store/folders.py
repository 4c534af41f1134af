"""Find, list and prune run folders; read `run.json`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pydantic import ValidationError

from ...errors import UsageError
from ...model.run import Run
from ..text import one_line
from ..yaml_text import quoted, read_bytes
from ..yaml_text.json_lines import MAX_LINE_BYTES, read_json
from .locks import is_locked

RUN_FILE = "run.json"
_STAMP = len("20261121-140200-f423f")


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
    if not os.path.lexists(path):
        raise UsageError(f"{folder}: no {RUN_FILE}; this is not a run folder")
    try:
        data = read_json(read_bytes(path, file=str(path), limit=MAX_LINE_BYTES))
    except ValueError as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    if isinstance(data, dict) and data.get("format") != 1:
        told = quoted(data.get("format"))
        raise UsageError(f"{path}: format {told}; this version reads format 1. Upgrade pytest-aioncall")
    try:
        return Run.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        what = one_line(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", 300)
        raise UsageError(f"{path}: {what}; the file was not written by this tool") from None


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


def runs_below(folder: Path) -> list[Path]:
    """Return the run folders in a folder, however deep, itself included; other tools have a run.json, too."""
    files = sorted(folder.rglob(RUN_FILE))
    return [file.parent for file in files if (file.parent / "samples.jsonl").is_file()]


def prune_runs(runs: Path, *, keep: int, but: Path | None = None) -> list[Path]:
    """Delete the oldest run folders beyond `keep`, never `but` nor one under way; return what was deleted."""
    # With a clock that was set, the run that has just ended may be the oldest.
    gone = [folder for folder in list_runs(runs)[:-keep] if folder != but and not is_locked(folder)]
    for folder in gone:
        shutil.rmtree(folder, ignore_errors=True)
    return gone
