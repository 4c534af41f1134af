"""The result files that real tools wrote, for the tests of everything that reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "fixtures" / "results"


@dataclass(frozen=True)
class Tool:
    """One tool's three runs: `base`, `same` (nothing changed) and `worse` (a worse prompt).

    truth      the scorer that the worse prompt hurts
    unscored   samples of `base` that lack a score besides the errored one
    """

    name: str
    base: Path
    same: Path
    worse: Path
    cases: int
    truth: str
    scorers: frozenset[str]
    unscored: int = 1

    def __str__(self) -> str:
        return self.name

    def files(self, run: str = "base") -> list[Path]:
        path: Path = getattr(self, run)
        return sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]


def _tool(name: str, pattern: str, cases: int, truth: str, scorers: set[str], *, unscored: int = 1) -> Tool:
    runs = {run: FOLDER / pattern.format(run) for run in ("base", "same", "worse")}
    return Tool(name, cases=cases, truth=truth, scorers=frozenset(scorers), unscored=unscored, **runs)


TOOLS = [
    _tool("promptfoo", "promptfoo/{}.json", 9, "route", {"route", "javascript", "pass"}),
    _tool(
        "inspect",
        "inspect/{}.eval",
        14,
        "includes",
        {"includes", "brevity", "tone", "parts.queue", "parts.polite"},
    ),
    _tool("deepeval", "deepeval/{}", 18, "Route", {"Route", "Helpful [GEval]", "Wordiness"}),
    _tool(
        "pydantic-evals",
        "pydantic_evals/{}.json",
        18,
        "Route",
        {"Route", "Contains", "brevity", "helpful"},
    ),
    # A garbled answer is a skipped test there: planned by nobody.
    _tool("junit", "junit/{}", 18, "pass", {"pass"}, unscored=0),
]


def changed(source: Path, target: Path, change: Any) -> Path:
    """Write a copy of a JSON file after `change` has worked on what it holds."""
    value = json.loads(source.read_text(encoding="utf-8"))
    change(value)
    target.write_text(json.dumps(value), encoding="utf-8")
    return target


def flat_rows(side: Any) -> str:
    """Write an imported side as a person would write flat scores: rows of case, epoch, scorer, score."""
    lines = []
    for row in side.rows:
        for scorer, values in row.scores.items():
            for epoch, value in enumerate(values):
                found: dict[str, Any] = {
                    "case_id": row.case,
                    "epoch": epoch,
                    "scorer": scorer,
                    "scale": list(side.scorers[scorer].scale),
                    "score": value,
                    "slices": dict(row.slices),
                }
                if value is None:
                    found["error"] = "no score"
                lines.append(json.dumps(found))
    return "\n".join(lines) + "\n"


def decided(judgement: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the verdict rows without what only outputs can tell."""
    return [dict(verdict) for verdict in judgement["verdicts"]]
