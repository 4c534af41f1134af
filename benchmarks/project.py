"""An evalset over the made-up task, and a run of pytest --aioncall over it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

from benchmarks.items import RUBRIC, write_cases
from benchmarks.meter import CLIENT_CORE, Cost, measure
from benchmarks.serving import child_environment

CONCURRENCY = 32
# Other plugins of this environment stay out: both sides of a comparison are pytest and nothing else.
OTHERS = sorted({entry.name for entry in entry_points(group="pytest11")} - {"aioncall"})
OPTIONS = ["-q", "-p", "no:cacheprovider", *(part for name in OTHERS for part in ("-p", f"no:{name}"))]
PYTEST = [sys.executable, "-m", "pytest", *OPTIONS]

INSTANT = """\
from benchmarks.items import answer_to


def answer(question: str) -> str:
    return answer_to(question)
"""


def lay_project(folder: Path, *, count: int, base_url: str | None = None, judge: bool = False) -> None:
    """Write an evalset of `count` cases and what belongs to it.

    base_url  of the model server; without it the target is a Python function that answers at once
    judge     one judge call a case, beside the text scorer
    """
    folder.mkdir(parents=True)
    config: dict[str, object] = {"format": 1, "defaults": {"concurrency": CONCURRENCY}}
    target: dict[str, object] = {"python": "instant:answer"}
    if base_url is not None:
        config["providers"] = {"mock": {"kind": "openai", "base_url": base_url, "concurrency": CONCURRENCY}}
        target = {"chat": {"model": "mock/mock-1", "prompt": "item.md"}}
    scorers: list[object] = ["contains"]
    if judge:
        scorers.append({"judge": {"rubric": RUBRIC, "model": "mock/judge-1", "scale": [0, 1], "pass_at": 1}})
    evalset = {
        "evalset": "bench",
        "owner": "@benchmarks",
        "target": target,
        "epochs": 1,
        "scorers": scorers,
        "include": ["cases.jsonl"],
    }
    (folder / "aioncall.yaml").write_text(json.dumps(config), encoding="utf-8")
    (folder / "bench.eval.yaml").write_text(json.dumps(evalset), encoding="utf-8")
    (folder / "instant.py").write_text(INSTANT, encoding="utf-8")
    (folder / "item.md").write_text("{{ question }}", encoding="utf-8")
    write_cases(folder / "cases.jsonl", count=count)


def plugin_command(*options: str) -> list[str]:
    """Return the command that runs the evalset of a project."""
    return [*PYTEST, "--aioncall", "--aioncall-concurrency", str(CONCURRENCY), *options, "bench.eval.yaml"]


def plugin_run(folder: Path, *options: str, env: Mapping[str, str] | None = None) -> Cost:
    """Run the evalset of a project once and return what it cost."""
    return measure(
        plugin_command(*options), folder=folder, core=CLIENT_CORE, env={**child_environment(), **(env or {})}
    )


def last_run(folder: Path) -> Path:
    """Return the folder of the latest run of a project."""
    return max((folder / ".aioncall" / "runs").iterdir())


def count_passed(folder: Path) -> int:
    """Return how many samples of the latest run passed every scorer."""
    right = 0
    with (last_run(folder) / "samples.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            scores = json.loads(line)["scores"]
            right += bool(scores) and all(score["passed"] is True for score in scores)
    return right
