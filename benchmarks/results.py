"""What was measured, every single run of it, in files that are committed: `results/<part>.json`."""

from __future__ import annotations

import datetime
import json
import math
import platform
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.meter import machine

FOLDER = Path(__file__).with_name("results")
LIBRARIES = ("pytest", "httpx", "httpx2", "aiohttp", "httpx-aiohttp", "uvloop", "pydantic", "numpy")
LOUD = 0.05
"""Share of its wall time that others may take on the core of a run; above it the run counts as disturbed."""

Run = dict[str, Any]
"""One measured run: what it was (client, cases, ...) and what it cost (wall_s, cpu_s, peak_mib, ...)."""


@dataclass(frozen=True, slots=True)
class Results:
    """The runs of one part, when, where and with what they were made, and what could not be run and why."""

    part: str
    date: str
    machine: str
    versions: Mapping[str, str]
    runs: Sequence[Run]
    absent: Mapping[str, str] = field(default_factory=dict)

    def of(self, **wanted: object) -> list[Run]:
        """Return the runs that have all these values."""
        return [run for run in self.runs if all(run.get(key) == value for key, value in wanted.items())]

    def median(self, column: str, **wanted: object) -> float:
        """Return the median of a column over the runs that have these values, NaN where none knows it.

        Raises KeyError without any run.
        """
        known = [run[column] for run in self._some(**wanted) if run[column] is not None]
        return median(known) if known else math.nan

    def paired(
        self, column: str, other: str, *, by: Callable[[float, float], float], **wanted: object
    ) -> float:
        """Return the median over rounds of `by(a client's, the other client's)` column, round by round.

        Raises KeyError where the two have no round in common.
        """
        reference = {run["round"]: run for run in self.of(**{**wanted, "client": other})}
        pairs = [
            by(run[column], reference[run["round"]][column])
            for run in self._some(**wanted)
            if run["round"] in reference
        ]
        if not pairs:
            raise KeyError(f"{self.part}: no round of {wanted} has {other}")
        return median(pairs)

    def disturbed(self) -> list[Run]:
        """Return the runs during which others used more of the core than is negligible."""
        return [run for run in self.runs if run.get("other_s", 0.0) > LOUD * run["wall_s"]]

    def save(self, folder: Path = FOLDER) -> Path:
        """Write them as JSON, a run a line."""
        head = {"date": self.date, "machine": self.machine, "versions": self.versions, "absent": self.absent}
        lines = ",\n".join(f"  {json.dumps(run)}" for run in self.runs)
        folder.mkdir(exist_ok=True)
        path = folder / f"{self.part}.json"
        path.write_text(
            f'{json.dumps(head, indent=1)[:-2]},\n "runs": [\n{lines}\n ]\n}}\n', encoding="utf-8"
        )
        return path

    def _some(self, **wanted: object) -> list[Run]:
        found = self.of(**wanted)
        if not found:
            raise KeyError(f"{self.part}: no run with {wanted}")
        return found


def median(values: Iterable[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def now(part: str, runs: Sequence[Run], *, absent: Mapping[str, str] | None = None, **more: str) -> Results:
    """Return results of this minute; `more` are versions of tools that are not installed here."""
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    versions = {"Python": platform.python_version()}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return Results(part, today, machine(), {**versions, **more}, list(runs), dict(absent or {}))


def load(part: str, folder: Path = FOLDER) -> Results | None:
    """Read what was saved of a part, None where nothing was."""
    path = folder / f"{part}.json"
    if not path.is_file():
        return None
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Results(part, data["date"], data["machine"], data["versions"], data["runs"], data["absent"])
