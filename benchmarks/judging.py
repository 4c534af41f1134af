"""Two sides of a large comparison, made up, and what judging them costs in CPU seconds.

`python -m benchmarks.judging CASES SLICES [--epochs N] [--clustered]` prints one JSON object: seconds
of CPU for reading both sides from files and for judging them, and a digest of the judgement.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import tempfile
import time
from pathlib import Path

from pytest_aioncall.adapters.baseline_store import baseline_text, read_baseline
from pytest_aioncall.decide.compare import Side, judge
from pytest_aioncall.flows.judge import side_of
from pytest_aioncall.model.baseline import BaselineHeader, CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import Gate

DIMENSIONS = 5
SCORERS = {
    "route": ScorerInfo(kind="exact", hash="1"),
    "valid": ScorerInfo(kind="json_valid", hash="2"),
    "helpful": ScorerInfo(kind="judge", hash="3", scale=(1, 5)),
    "tone": ScorerInfo(kind="judge", hash="4", scale=(1, 5)),
    "overlap": ScorerInfo(kind="rouge", hash="5"),
}


def made_up_side(*, cases: int, slices: int, epochs: int, clustered: bool, seed: int) -> Side:
    """Return one side: binary, 1-5 and continuous scores, flaky cases that both sides share.

    slices  number of slices in all, shared among five dimensions
    """
    world, run = random.Random(1), random.Random(seed)
    values = max(1, slices // DIMENSIONS)
    rows = []
    for n in range(cases):
        rate, level = world.betavariate(0.9, 0.1), world.gauss(4.2, 0.8)
        scores: dict[str, tuple[float | None, ...]] = {
            "route": tuple(float(run.random() < rate) for _ in range(epochs)),
            "valid": tuple(float(run.random() < 0.99) for _ in range(epochs)),
            "helpful": tuple(float(min(5, max(1, round(run.gauss(level, 0.6))))) for _ in range(epochs)),
            "tone": tuple(float(min(5, max(1, round(run.gauss(level, 0.3))))) for _ in range(epochs)),
            "overlap": tuple(min(1.0, max(0.0, run.gauss(rate, 0.1))) for _ in range(epochs)),
        }
        rows.append(
            CaseRow(
                case=f"case-{n:05d}",
                digest="d",
                slices={f"part{d}": f"v{world.randrange(values):03d}" for d in range(DIMENSIONS)},
                cluster=f"document-{n // 8}" if clustered else None,
                scores=scores,
                latency_s=tuple(run.lognormvariate(0, 0.4) for _ in range(epochs)),
                cost_usd=tuple(run.uniform(0.001, 0.003) for _ in range(epochs)),
            )
        )
    return Side(rows=tuple(rows), scorers=SCORERS)


def write_side(side: Side, path: Path) -> None:
    """Write a side as a baseline file, which is what a comparison reads."""
    header = BaselineHeader(
        evalset="large",
        accepted_by="bench",
        accepted_at="2026-11-22T00:00:00Z",
        reason="bench",
        scorers=dict(side.scorers),
    )
    path.write_text(baseline_text(header, side.rows), encoding="utf-8")


def measure(*, cases: int, slices: int, epochs: int, clustered: bool) -> dict[str, object]:
    """Return the seconds of CPU of reading two sides and of judging them, and a digest of the answer."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("was.jsonl", "now.jsonl")]
        for path, seed in zip(paths, (2, 3), strict=True):
            made = made_up_side(cases=cases, slices=slices, epochs=epochs, clustered=clustered, seed=seed)
            write_side(made, path)
        started = time.process_time()
        was, now = (side_of(read_baseline(path)) for path in paths)
        read = time.process_time()
    gates = [Gate(scorer=name, slices=tuple(f"part{d}" for d in range(DIMENSIONS))) for name in SCORERS]
    judgement = judge(now, was, evalset="large", gates=gates, defaults=Defaults(), max_error_rate=0.02)
    ended = time.process_time()
    text = judgement.model_dump_json()
    return {
        "cpu_s": round(time.process_time(), 3),
        "wall_s": round(time.perf_counter() - began, 3),
        "read_s": round(read - started, 3),
        "judge_s": round(ended - read, 3),
        "rows": len(judgement.verdicts),
        "digest": hashlib.sha256(text.encode()).hexdigest()[:16],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=int)
    parser.add_argument("slices", type=int)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--clustered", action="store_true", help="eight cases of a document are one cluster")
    options = parser.parse_args()
    found = measure(
        cases=options.cases, slices=options.slices, epochs=options.epochs, clustered=options.clustered
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
