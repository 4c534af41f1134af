"""Seeded comparisons of every kind, for the promise that the same input has the same verdict everywhere.

Run as a program it prints the judgements of all of them: `python judgement_inputs.py [shuffle-seed]`. Only
`random.Random.random` makes the scores: its stream is promised to stay, that of `gauss` or of numpy is not.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pytest_aioncall.decide.compare import Side, judge
from pytest_aioncall.model.baseline import CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import Gate
from pytest_aioncall.model.verdict import Judgement

SCORERS = {
    "binary": ScorerInfo(kind="exact", hash="1"),
    "graded": ScorerInfo(kind="judge", hash="2", scale=(1, 5)),
    "smooth": ScorerInfo(kind="rouge", hash="3"),
}
# name: (cases, epochs, drop of the mean as a share of the scale, clustered, sliced)
WORLDS = {
    "small": (10, 3, 0.0, False, False),
    "small-fallen": (12, 3, 0.35, False, False),
    "uneven": (25, 0, 0.05, False, True),
    "sliced": (90, 2, 0.12, False, True),
    "clustered": (160, 3, 0.05, True, True),
    "large": (400, 1, 0.03, False, True),
}


def sides(name: str) -> tuple[Side, Side]:
    """Return candidate and baseline of one world."""
    cases, epochs, drop, clustered, _ = WORLDS[name]
    rng = random.Random(f"judgement {name}")
    rates = [min(1.0, 0.6 + 0.6 * rng.random()) for _ in range(cases)]
    parts = ["abc"[int(rng.random() * 3)] for _ in range(cases)]

    def score(scorer: str, rate: float) -> float | None:
        if rng.random() < 0.004:
            return None
        if scorer == "binary":
            return float(rng.random() < rate)
        noise = (rng.random() + rng.random() - 1) / 2
        if scorer == "graded":
            return float(min(5, max(1, round(1 + 4 * rate + 2 * noise))))
        return min(1.0, max(0.0, rate + noise / 3))

    def side(shift: float) -> Side:
        rows = []
        for n, rate in enumerate(rates):
            count = epochs or 1 + int(rng.random() * 5)
            rows.append(
                CaseRow(
                    case=f"case-{n:03d}",
                    digest="d",
                    slices={"part": parts[n]},
                    cluster=f"document-{n // 5}" if clustered else None,
                    scores={s: tuple(score(s, rate - shift) for _ in range(count)) for s in SCORERS},
                    latency_s=tuple(0.2 + rng.random() for _ in range(count)),
                    cost_usd=tuple(0.001 + 0.001 * rng.random() for _ in range(count)),
                    tokens_out=tuple(100 + int(100 * rng.random()) for _ in range(count)),
                )
            )
        return Side(rows=tuple(rows), scorers=SCORERS)

    was = side(0.0)
    return side(drop), was


def judgement(name: str, *, shuffle: int | None = None) -> Judgement:
    """Judge one world; `shuffle` seeds another order of the rows, of each row's epochs and of the gates."""
    now, was = sides(name)
    sliced = WORLDS[name][4]
    gates = [
        Gate(
            scorer=scorer,
            slices=("part",) if sliced else (),
            alpha={"graded": 0.01}.get(scorer),
            min={"graded": 2.0}.get(scorer),
        )
        for scorer in SCORERS
    ]
    if shuffle is not None:
        rng = random.Random(shuffle)
        now, was = (_shuffled(side, rng) for side in (now, was))
        rng.shuffle(gates)
    return judge(now, was, evalset=name, gates=gates, defaults=Defaults(), max_error_rate=0.05)


def _shuffled(side: Side, rng: random.Random) -> Side:
    def row(one: CaseRow) -> CaseRow:
        order = list(range(len(one.latency_s)))
        rng.shuffle(order)
        change: dict[str, Any] = {
            "scores": {name: tuple(values[i] for i in order) for name, values in one.scores.items()}
        }
        for name in ("latency_s", "cost_usd", "tokens_out"):
            change[name] = tuple(getattr(one, name)[i] for i in order)
        return one.model_copy(update=change)

    rows = [row(one) for one in side.rows]
    rng.shuffle(rows)
    return replace(side, rows=tuple(rows))


NUMBERS = (
    "status", "exit_code", "alpha", "verdicts", "metrics", "worst", "sights", "newly_failing",
    "newly_failing_scores", "newly_failing_expected", "coverage", "errors_rate",
)  # fmt: skip


def in_order(found: Judgement) -> dict[str, Any]:
    """Return what a judgement computed as JSON types, without the words and without what is null.

    What follows the order of the gates is put into one order.
    """
    data = found.model_dump(mode="json", include=set(NUMBERS), exclude_none=True)
    for name in ("verdicts", "sights"):
        data[name].sort(key=lambda one: (one["scorer"], json.dumps(one.get("slice"))))
    return data


def every(*, shuffle: int | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the judgement of every world."""
    for name in WORLDS:
        yield name, in_order(judgement(name, shuffle=shuffle))


if __name__ == "__main__":
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else None
    json.dump(dict(every(shuffle=seed)), sys.stdout, sort_keys=True)
