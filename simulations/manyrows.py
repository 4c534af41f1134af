"""Many rows: several scorers, each overall and on the values of slices, on 200 cases graded 1 to 5."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pytest_aioncall.decide.compare import Side, judge
from pytest_aioncall.model.baseline import CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import Claim, Gate
from pytest_aioncall.model.verdict import Judgement, Verdict

from .methods import ALPHA, NONE, Method
from .worlds import CASE_SD, GRADED_MEAN, MARGIN, SCALE, Floats, graded_shift, level_of_mean, sampled

CASES = 200
DROPPED = ("topic", "topic-0")
# Topics are blocks, personas alternate within them: every persona has cases of every topic.
TOPICS = {8: (20, 30, 40, 50, 60), 2: (20, 180), 0: ()}
PERSONAS = {8: (2, 3, 5), 2: (), 0: ()}


@dataclass(frozen=True, slots=True)
class Suites:
    """Two runs of one suite with many rows: `scores` holds (before, after) of each scorer."""

    scores: tuple[tuple[Floats, Floats], ...]
    slices: tuple[dict[str, str], ...]
    claim: Claim

    def rightly(self, row: Verdict) -> bool:
        """Tell whether a row holds cases that dropped: the slice itself, and what contains some of it."""
        if row.scorer != "scorer-0":
            return False
        return row.slice is None or "topic" not in row.slice or row.slice["topic"] == DROPPED[1]

    @staticmethod
    def is_dropped_slice(row: Verdict) -> bool:
        """Tell whether a row is the very slice that dropped."""
        return row.scorer == "scorer-0" and row.slice == {DROPPED[0]: DROPPED[1]}


@dataclass(frozen=True, slots=True)
class ManyRows:
    """How to draw them: scorers x (1 + slice_values) rows; scorer-0 falls by `drop` on a 10 % slice."""

    scorers: int
    slice_values: int
    epochs: int
    drop: float = 0.0
    claim: Claim = "auto"

    @property
    def rows(self) -> int:
        """Return how many rows are judged."""
        return self.scorers * (1 + self.slice_values)

    def draw(self, rng: np.random.Generator) -> Suites:
        """Draw one change."""
        topics = np.repeat(np.arange(len(TOPICS[self.slice_values])), TOPICS[self.slice_values])
        personas = np.repeat(np.arange(len(PERSONAS[self.slice_values])), PERSONAS[self.slice_values])
        slices: list[dict[str, str]] = [{} for _ in range(CASES)]
        for i, one in enumerate(slices):
            if topics.size:
                one["topic"] = f"topic-{topics[i]}"
            if personas.size:
                one["persona"] = f"persona-{personas[i % personas.size]}"
        scores = []
        for scorer in range(self.scorers):
            was = rng.normal(level_of_mean(GRADED_MEAN), CASE_SD, CASES)
            fallen = (topics == 0) if scorer == 0 and self.drop else np.zeros(CASES, dtype=bool)
            now = np.where(fallen, was - graded_shift(self.drop), was) if self.drop else was
            scores.append(
                (
                    sampled(rng, was, kind="graded", epochs=self.epochs),
                    sampled(rng, now, kind="graded", epochs=self.epochs),
                )
            )
        return Suites(tuple(scores), tuple(slices), self.claim)


def judged(suites: Suites) -> Judgement:
    """Judge all rows through the gate's public door."""
    names = [f"scorer-{i}" for i in range(len(suites.scores))]
    info = {name: ScorerInfo(kind="judge", scale=SCALE["graded"]) for name in names}
    found = []
    for side in (0, 1):
        tables = [pair[side].tolist() for pair in suites.scores]
        rows = tuple(
            CaseRow(
                case=f"case-{i}",
                digest="d",
                slices=slices,
                scores={name: tuple(table[i]) for name, table in zip(names, tables, strict=True)},
                labels=NONE,
            )
            for i, slices in enumerate(suites.slices)
        )
        found.append(Side(rows=rows, scorers=info))
    attributes = tuple(suites.slices[0])
    gates = [
        Gate(scorer=name, margin=MARGIN["graded"], claim=suites.claim, slices=attributes) for name in names
    ]
    return judge(
        found[1], found[0], evalset="simulated", gates=gates, defaults=Defaults(), max_error_rate=0.02
    )


def no_correction(p: Floats) -> Floats:
    """Return p as it is."""
    return p


def bonferroni(p: Floats) -> Floats:
    """Return p times the number of rows."""
    return p * p.size


def benjamini_hochberg(p: Floats) -> Floats:
    """Return p adjusted for the false discovery rate (Benjamini and Hochberg 1995)."""
    order = np.argsort(p)[::-1]
    scaled = p[order] * p.size / np.arange(p.size, 0, -1)
    adjusted = np.empty(p.size)
    adjusted[order] = np.minimum.accumulate(scaled)
    return adjusted


CORRECTIONS: dict[str, Callable[[Floats], Floats]] = {
    "no correction": no_correction,
    "Bonferroni": bonferroni,
    "BH": benjamini_hochberg,
}


def flags(suites: Suites) -> dict[str, float]:
    """Judge once, then flag rows by the gate and by each other correction of the gate's own p-values.

    Keys are `<method>: red`, a row was flagged; `: found`, the dropped slice was; `: wrong`, a row was in
    which nothing had dropped.
    """
    found = judged(suites)
    words = _flagged("gate", suites, [v for v in found.verdicts if v.gating and v.status == "regressed"])
    tested = [v for v in found.verdicts if v.p is not None]
    p = np.array([v.p for v in tested], dtype=np.float64)
    for name, corrected in CORRECTIONS.items():
        chosen = np.flatnonzero(corrected(p) <= ALPHA + 1e-12)
        words |= _flagged(name, suites, [tested[i] for i in chosen])
    return words


def _flagged(name: str, suites: Suites, rows: Sequence[Verdict]) -> dict[str, float]:
    return {
        f"{name}: red": float(bool(rows)),
        f"{name}: found": float(any(suites.is_dropped_slice(row) for row in rows)),
        f"{name}: wrong": float(any(not suites.rightly(row) for row in rows)),
    }


ROWS: Method[Suites] = Method(
    "rows",
    flags,
    tuple(f"{name}: {word}" for name in ("gate", *CORRECTIONS) for word in ("red", "found", "wrong")),
)
