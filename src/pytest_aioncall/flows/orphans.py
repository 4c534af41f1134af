"""What `aioncall check` says of the baselines: those of nobody, old ones, those that fit no case any more."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from ..adapters.baseline_store import Baseline, baseline_path, is_baseline, outputs_path, read_baseline
from ..adapters.files import exists, files_in
from ..decide.instrument import changed_parts
from ..errors import AioncallError
from ..settings import Settings
from .acceptable import listed
from .prepare import Prepared, shown_path
from .standing import standing_notes


def baseline_warnings(
    loaded: Sequence[Prepared], settings: Settings, *, now: datetime, everywhere: bool
) -> list[str]:
    """Return what is wrong with the baselines of evalsets that load, and those that belong to no evalset.

    The latter only `everywhere`, where every evalset of the project was looked at and loaded.
    """
    warnings: list[str] = []
    for one in loaded:
        path = baseline_path(one.path, one.name)
        if not exists(path):
            warnings += _outputs_alone(path, settings)
            continue
        try:
            baseline = read_baseline(path)
        except AioncallError:
            continue  # what keeps it from being read is a problem, and has been told
        warnings += _about(one, baseline, settings, now)
    if everywhere:
        known = {baseline_path(one.path, one.name) for one in loaded}
        found = (p for p in files_in(settings.root, "baselines/*.jsonl") if p not in known)
        warnings += [_orphan(p, settings) for p in found if not _is_outputs(p) and is_baseline(p)]
    return warnings


def _is_outputs(path: Path) -> bool:
    return path.name.endswith(".outputs.jsonl")


def _about(one: Prepared, baseline: Baseline, settings: Settings, now: datetime) -> list[str]:
    shown = shown_path(baseline.path, settings.root)
    limit = one.evalset.baseline_max_age_days or settings.config.defaults.baseline_max_age_days
    found = [f"{shown}: {note}" for note in standing_notes(baseline, now, limit=limit)]
    if baseline.header.evalset != one.name:
        found.append(
            f"{shown}:1: is of evalset {baseline.header.evalset!r}, not of {one.name!r}; a file that "
            "was copied or renamed is no agreement on this evalset: accept a run"
        )
    digests = {case.id: case.digest for case in one.evalset.cases}
    rows = {row.case: row.digest for row in baseline.rows}
    same = [case for case, digest in digests.items() if rows.get(case) == digest]
    if rows and not same:
        run = f"pytest --aioncall {shlex.quote(shown_path(one.path, settings.root))}"
        found.append(
            f"{shown}: not one of its {len(rows)} cases is still as it was, so nothing can be compared: "
            f'{run}, then aioncall baseline accept {shlex.quote(one.name)} --reason "..."'
        )
    for name, info in one.infos.items():
        was = baseline.header.scorers.get(name)
        if was is not None and (parts := changed_parts(info, was)):
            found.append(
                f"{shown}: {name} changed since ({listed(parts)}): its rows are not comparable - re-judge: "
                f'aioncall rejudge {shlex.quote(one.name)} --reason "..."'
            )
    return found


def _outputs_alone(path: Path, settings: Settings) -> list[str]:
    """Name the outputs of a baseline that is not there (a crash, or half of a commit)."""
    beside = outputs_path(path)
    if not exists(beside):
        return []
    shown = shown_path(beside, settings.root)
    return [f"{shown}: there is no {path.name} beside it; restore both from one commit, or delete it"]


def _orphan(path: Path, settings: Settings) -> str:
    shown = shown_path(path, settings.root)
    beside = shown_path(outputs_path(path), settings.root)
    return (
        f"{shown}: there is no evalset {path.stem!r} beside it; if it was renamed, git mv the baseline and "
        f"accept a run, else: git rm {shlex.quote(shown)} {shlex.quote(beside)}"
    )
