"""Read-only verbs: show baselines, list and prune runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..adapters.baseline_store import Baseline, baseline_path, read_baseline
from ..adapters.evalset_files import load_evalset
from ..adapters.render import words
from ..adapters.run_store import list_runs, prune_runs
from ..adapters.text import one_line
from ..errors import UsageError
from ..model.run import Run
from ..settings import Settings
from .checking import find_evalsets
from .runs import load_run, read_kept_run, runs_folder, samples_kept
from .standing import Age, age_of, origin_of, rejudged_line, standing_notes


@dataclass(frozen=True, slots=True)
class Shown:
    """One baseline, as `baseline show` tells it."""

    baseline: Baseline
    age: Age
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return what a person reads."""
        header, rows = self.baseline.header, self.baseline.rows
        old = f" - older than {self.age.limit} days, accept a new one" if self.age.state == "old" else ""
        lines = [
            f"{header.evalset}: {len(rows)} cases, {origin_of(header)}, {self.age.told}{old}",
            f"  accepted by {one_line(header.accepted_by)} at {header.accepted_at}",
            f"  reason: {one_line(header.reason, 300)}",
        ]
        again = rejudged_line(header)
        lines += [f"  {line}" for line in (*([again] if again else ()), *self.notes)]
        for name, info in header.scorers.items():
            values = [v for row in rows for v in row.scores.get(name, ()) if v is not None]
            planned = sum(len(row.scores.get(name, ())) for row in rows)
            mean = f"{sum(values) / len(values):.3f}" if values else "-"
            lines.append(f"  {name} ({info.kind}): mean {mean}, {len(values)}/{planned} judged")
        lines += [f"  accepts: {a.scorer} {a.slice or 'overall'} ({a.ticket})" for a in header.accepts]
        return lines

    def as_json(self) -> dict[str, Any]:
        """Return the header, with the number of cases and the age."""
        header = self.baseline.header.model_dump(mode="json")
        return {**header, "cases": len(self.baseline.rows), "age_days": self.age.days}


def show(names: Sequence[str], settings: Settings) -> list[Shown]:
    """Read the baselines of the project: those that are named, else all."""
    now = settings.now or datetime.now(UTC)
    found: dict[str, Shown] = {}
    limits = _limits(settings)
    for folder in dict.fromkeys(path.parent / "baselines" for path in find_evalsets(settings.root, [])):
        for path in sorted(folder.glob("*.jsonl")):
            if path.name.endswith(".outputs.jsonl"):
                continue
            baseline = read_baseline(path)
            limit = limits.get(path, settings.config.defaults.baseline_max_age_days)
            found[baseline.header.evalset] = Shown(
                baseline,
                age_of(baseline.header, now, limit=limit),
                tuple(standing_notes(baseline, now, limit=limit)),
            )
    for name in names:
        if name not in found:
            raise UsageError(f"no baseline of {name!r}; there are: {', '.join(found) or 'none'}")
    return [one for name, one in found.items() if not names or name in names]


def _limits(settings: Settings) -> dict[Path, int]:
    """Return the age that evalsets allow their baseline, by its file; one that does not load says nothing."""
    limits = {}
    for path in find_evalsets(settings.root, []):
        with suppress(UsageError):
            evalset = load_evalset(path, root=settings.root)
            if evalset.baseline_max_age_days is not None:
                limits[baseline_path(path, evalset.evalset)] = evalset.baseline_max_age_days
    return limits


def list_of_runs(settings: Settings) -> list[Run]:
    """Return all runs, oldest first."""
    return [read_kept_run(folder) for folder in list_runs(runs_folder(settings))]


def run_line(run: Run) -> str:
    """Return what `runs list` says of a run."""
    if run.was_killed:
        names = ", ".join(one.evalset for one in run.evalsets)
        return f"{run.id}  killed    killed before its end, {samples_kept(run)} kept  {names}".rstrip()
    state = "complete" if run.complete else "partial"
    if run.shard is not None:
        left = "" if run.is_finished else ", incomplete"
        state = f"shard {run.shard.index}/{run.shard.count}{left}"
    names = ", ".join(one.evalset for one in run.evalsets)
    totals = run.totals
    errors = words.counted(totals.errors, "error")
    return f"{run.id}  {state:8}  {totals.judged}/{totals.planned} judged, {errors}  {names}"


def one_run(name: str, settings: Settings) -> Run:
    """Return one run by id, folder or `latest`."""
    return load_run(name, settings)[1]


def prune(settings: Settings, *, keep: int) -> list[Path]:
    """Delete the oldest runs beyond `keep`."""
    if keep < 1:
        raise UsageError("--keep is at least 1: the newest run is what the next command reads")
    return prune_runs(runs_folder(settings), keep=keep)
