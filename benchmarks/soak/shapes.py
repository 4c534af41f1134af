"""What is soaked: the same number of samples as few cases with many epochs, and as many cases with one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.items import write_cases

CONCURRENCY = 32
KIB_A_CASE = 6.0
"""What a further case may keep: its item, its row in the comparison, its line in the report (documented)."""
KIB_AN_EPOCH = 1.0
"""What a further epoch of a case may keep: its scores, latency and tokens; its text is on disk only."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One soak: how many cases and epochs, and how many KiB each sample may leave behind."""

    name: str
    cases: int
    epochs: int
    kib_a_sample: float

    @property
    def samples(self) -> int:
        """How many samples the run has."""
        return self.cases * self.epochs


def shapes(samples: int) -> list[Shape]:
    """Return the shapes that share out this many samples: half as epochs, half as cases."""
    half = samples // 2
    few = min(100, max(10, half // 50))
    return [
        Shape("few cases x many epochs", few, half // few, KIB_AN_EPOCH),
        Shape("many cases", half, 1, KIB_A_CASE),
    ]


PROBE = """\
import asyncio
from pathlib import Path

calls = 0


async def steady(text):
    global calls
    calls += 1
    if calls % 50 == 0:
        with Path("tasks.txt").open("a") as file:
            file.write(f"{len(asyncio.all_tasks())}\\n")
    return bool(text)
"""


def lay_soak(folder: Path, shape: Shape, *, base_url: str) -> None:
    """Write the project of one soak: a chat target, a text scorer, a function of the user's, a gate."""
    folder.mkdir(parents=True)
    # The user's own scorer counts the tasks of the loop that it runs on; nobody else can see them.
    (folder / "probe.py").write_text(PROBE, encoding="utf-8")
    (folder / "item.md").write_text("{{ question }}", encoding="utf-8")
    provider = {"kind": "openai", "base_url": base_url, "concurrency": CONCURRENCY, "timeout_s": 20}
    provider["max_attempts"] = 10
    config = {"format": 1, "providers": {"mock": provider}, "defaults": {"concurrency": CONCURRENCY}}
    (folder / "aioncall.yaml").write_text(json.dumps(config), encoding="utf-8")
    evalset = {
        "evalset": "soak",
        "owner": "@benchmarks",
        "target": {"chat": {"model": "mock/mock-1", "prompt": "item.md"}},
        "epochs": shape.epochs,
        "errors": {"max_rate": 0.02},
        "scorers": ["contains", {"python": {"function": "probe:steady", "as": "steady"}}],
        "gates": [{"scorer": "contains", "min": 0.9}, {"scorer": "steady", "min": 0.9}],
        "include": ["cases.jsonl"],
    }
    (folder / "soak.eval.yaml").write_text(json.dumps(evalset), encoding="utf-8")
    write_cases(folder / "cases.jsonl", count=shape.cases)
