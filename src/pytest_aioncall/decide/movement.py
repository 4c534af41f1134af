"""How far a baseline has moved in all: accepted steps add up, and nobody sees the sum in any of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..model.baseline import CaseRow, ScorerInfo
from .instrument import differs


@dataclass(frozen=True, slots=True)
class Movement:
    """One scorer's mean over the cases that both sides have, then and now, in units of its scale."""

    scorer: str
    scale: tuple[float, float]
    cases: int
    was: float
    now: float


def movements(
    rows: Iterable[CaseRow],
    before: Iterable[CaseRow],
    *,
    scorers: Mapping[str, ScorerInfo],
    scorers_before: Mapping[str, ScorerInfo],
) -> list[Movement]:
    """Return how the mean of each scorer moved, over the same cases (id and digest) judged on both sides.

    A scorer whose instrument changed is left out: its scores say nothing about each other.
    """
    then = {row.case: row for row in before}
    pairs = [(row, then[row.case]) for row in rows if row.case in then and _same(row, then[row.case])]
    found = []
    for name, info in scorers.items():
        other = scorers_before.get(name)
        if other is None or differs(info, other):
            continue
        means = [(mean_of(now.scores.get(name, ())), mean_of(was.scores.get(name, ()))) for now, was in pairs]
        both = [(now, was) for now, was in means if now is not None and was is not None]
        if both:
            size = len(both)
            now_mean, was_mean = (sum(side) / size for side in zip(*both, strict=True))
            found.append(Movement(name, info.scale, size, was_mean, now_mean))
    return found


def mean_of(values: Sequence[float | None]) -> float | None:
    """Return the mean of the judged epochs; None where none was."""
    judged = [v for v in values if v is not None]
    return sum(judged) / len(judged) if judged else None


def at_the_floor(rows: Iterable[CaseRow], scorer: str, info: ScorerInfo) -> list[str] | None:
    """Return the cases of a scorer if every judged score of every case is the worst there is; else None."""
    values = {row.case: row.scores[scorer] for row in rows if scorer in row.scores}
    judged = [v for scores in values.values() for v in scores if v is not None]
    if not judged or any(v > info.scale[0] for v in judged):
        return None
    return sorted(values)


def same_evidence(rows: Sequence[CaseRow], before: Sequence[CaseRow]) -> bool:
    """Tell whether two sides hold the same cases with the same scores; how long answers took is left out."""
    return _evidence(rows) == _evidence(before)


def _evidence(rows: Sequence[CaseRow]) -> dict[str, tuple[object, ...]]:
    return {
        row.case: (row.digest, dict(row.slices), row.cluster, dict(row.scores), dict(row.labels), row.errors)
        for row in rows
    }


def _same(row: CaseRow, other: CaseRow) -> bool:
    return not (row.digest and other.digest) or row.digest == other.digest
