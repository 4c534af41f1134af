"""The numbers behind the page, in a file that is committed with it."""

from __future__ import annotations

import datetime
import json
import math
import platform
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import scipy

from .running import SEED, Tally

STORED = Path(__file__).with_name("results.json")


@dataclass(frozen=True, slots=True)
class Share:
    """A simulated share and how many changes stand behind it."""

    value: float
    changes: int

    @property
    def error(self) -> float:
        """Return the standard error; with no hit at all that of half a hit, for .0 is not certain."""
        p = min(max(self.value, 0.5 / self.changes), 1 - 0.5 / self.changes)
        return math.sqrt(p * (1 - p) / self.changes)


@dataclass(frozen=True, slots=True)
class Results:
    """What was simulated, when and with what."""

    asked: int
    date: str
    versions: Mapping[str, str]
    tallies: Mapping[str, Tally]
    seed: int = SEED

    def share(self, scenario: str, method: str, label: str) -> Share:
        """Return the share (or mean) that a procedure's label has in a scenario."""
        found = self.tallies[scenario]
        return Share(found.sums.get(f"{method}: {label}", 0) / found.changes, found.changes)

    def merged(self, newer: Results) -> Results:
        """Return these with the scenarios of a newer partial run in the place of the old ones.

        Raises ValueError where the two cannot stand on one page.
        """
        if (self.asked, self.versions, self.seed) != (newer.asked, newer.versions, newer.seed):
            raise ValueError("other versions, another seed or number of changes: run all scenarios anew")
        return Results(self.asked, newer.date, newer.versions, {**self.tallies, **newer.tallies})

    def save(self, path: Path = STORED) -> None:
        """Write all numbers as JSON, a scenario a line."""
        head = {"seed": self.seed, "asked": self.asked, "date": self.date, "versions": dict(self.versions)}
        lines = []
        for name, one in sorted(self.tallies.items()):
            sums = {label: round(value, 6) for label, value in sorted(one.sums.items())}
            lines.append(f"    {json.dumps(name)}: {json.dumps({'changes': one.changes, 'sums': sums})}")
        body = ",\n".join(lines)
        text = json.dumps(head, indent=1)[:-2] + ',\n "scenarios": {\n' + body + "\n }\n}\n"
        path.write_text(text, encoding="utf-8")


def now(tallies: Mapping[str, Tally], *, asked: int) -> Results:
    """Return results of this minute."""
    versions = {"Python": platform.python_version(), "numpy": numpy.__version__, "scipy": scipy.__version__}
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    return Results(asked, today, versions, dict(tallies))


def load(path: Path = STORED) -> Results:
    """Read what was saved."""
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Results(
        asked=data["asked"],
        date=data["date"],
        versions=data["versions"],
        seed=data["seed"],
        tallies={n: Tally(one["changes"], Counter(one["sums"])) for n, one in data["scenarios"].items()},
    )
