"""Read-only verbs: show baselines, list and prune runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..adapters.baseline_store import Baseline, read_baseline
from ..adapters.run_store import list_runs, prune_runs, read_run
from ..adapters.text import one_line
from ..errors import UsageError
from ..model.run import Run
from ..settings import Settings
from .checking import find_evalsets
from .record import age_days
from .runs import load_run, runs_folder


@dataclass(frozen=True, slots=True)
class Shown:
    """One baseline, as `baseline show` tells it."""

    baseline: Baseline
    age_days: float | None
    too_old_days: int

    def lines(self) -> list[str]:
        """Return what a person reads."""
        header, rows = self.baseline.header, self.baseline.rows
        age = "" if self.age_days is None else f", {self.age_days:.0f} days old"
        old = self.age_days is not None and self.age_days > self.too_old_days
        lines = [
            f"{header.evalset}: {len(rows)} cases, commit {(header.commit or 'unknown')[:7]}{age}"
            + (f" - older than {self.too_old_days} days, accept a new one" if old else ""),
            f"  accepted by {one_line(header.accepted_by)} at {header.accepted_at}",
            f"  reason: {one_line(header.reason, 300)}",
        ]
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
        return {**header, "cases": len(self.baseline.rows), "age_days": self.age_days}


def show(names: Sequence[str], settings: Settings) -> list[Shown]:
    """Read the baselines of the project: those that are named, else all."""
    now = settings.now or datetime.now(UTC)
    found: dict[str, Shown] = {}
    for folder in dict.fromkeys(path.parent / "baselines" for path in find_evalsets(settings.root, [])):
        for path in sorted(folder.glob("*.jsonl")):
            if path.name.endswith(".outputs.jsonl"):
                continue
            baseline = read_baseline(path)
            found[baseline.header.evalset] = Shown(
                baseline,
                age_days(baseline.header.accepted_at, now),
                settings.config.defaults.baseline_max_age_days,
            )
    for name in names:
        if name not in found:
            raise UsageError(f"no baseline of {name!r}; there are: {', '.join(found) or 'none'}")
    return [one for name, one in found.items() if not names or name in names]


def list_of_runs(settings: Settings) -> list[Run]:
    """Return all runs, oldest first."""
    return [read_run(folder) for folder in list_runs(runs_folder(settings))]


def one_run(name: str, settings: Settings) -> Run:
    """Return one run by id, folder or `latest`."""
    return load_run(name, settings)[1]


def prune(settings: Settings, *, keep: int) -> list[Path]:
    """Delete the oldest runs beyond `keep`."""
    if keep < 1:
        raise UsageError("--keep is at least 1: the newest run is what the next command reads")
    return prune_runs(runs_folder(settings), keep=keep)
