"""How scores moved between two spans of time, by slice, and which slice carries a drop."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..model.history import CaseDay
from ..stats.student import quantile
from .daymeans import case_mean

CONFIDENCE = 0.95
_CARRIES = 0.5
_MORE_THAN_ITS_PART = 0.15


@dataclass(slots=True)
class CaseScores:
    """What one scorer said of one case in a span of time, all epochs of all its runs."""

    digest: str
    slices: Mapping[str, str]
    values: list[float | None] = field(default_factory=list)


Side = Mapping[str, CaseScores]
"""One scorer's cases by id."""


@dataclass(frozen=True, slots=True)
class SliceScore:
    """One row: a scorer overall (`slice` None) or on one slice.

    now, before     means over the cases of each side; None where it has no judged case
    difference, ci  over the `paired` cases, which are the same on both sides; `ci` at 95 %, from their own
                    differences (Student's t), None of fewer than two
    share, weight   which part of the overall drop lies here, and which part of the paired cases; None where
                    nothing dropped overall
    """

    scorer: str
    slice: dict[str, str] | None
    now: float | None
    before: float | None
    difference: float | None
    ci: tuple[float, float] | None
    paired: int
    judged: int
    planned: int
    judged_before: int
    planned_before: int
    share: float | None = None
    weight: float | None = None

    @property
    def fell(self) -> bool:
        """Tell whether the drop is more than chance explains, this row taken alone."""
        return self.ci is not None and self.ci[1] < 0


def side_of_days(days: Iterable[Sequence[CaseDay]], scorer: str) -> dict[str, CaseScores]:
    """Return the cases of several runs, oldest first, for one scorer; of a case that changed, the newest."""
    found: dict[str, CaseScores] = {}
    for cases in days:
        for one in cases:
            if scorer not in one.scores:
                continue
            known = found.get(one.case)
            if known is None or known.digest != one.digest:
                known = found[one.case] = CaseScores(one.digest, one.slices)
            known.values += one.scores[scorer]
    return found


def slice_scores(scorer: str, now: Side, before: Side, *, by: Sequence[str]) -> list[SliceScore]:
    """Return the overall row, then the rows of every value of the dimensions `by`, the largest drop first."""
    overall = _row(scorer, None, now, before)
    total = math.fsum(_differences(now, before).values())
    rows = []
    for dimension in by:
        parts: dict[str, tuple[dict[str, CaseScores], dict[str, CaseScores]]] = defaultdict(lambda: ({}, {}))
        for place, side in enumerate((now, before)):
            for case, scores in side.items():
                # A case that has moved to another slice is compared where it is now.
                slices = now[case].slices if case in now else scores.slices
                if dimension in slices:
                    parts[slices[dimension]][place][case] = scores
        for value, (part_now, part_before) in parts.items():
            row = _row(scorer, {dimension: value}, part_now, part_before)
            rows.append(_weighed(row, part_now, part_before, total=total, overall=overall))
    return [overall, *sorted(rows, key=_worst_first)]


def _worst_first(row: SliceScore) -> tuple[bool, float, str]:
    return row.difference is None, row.difference or 0.0, repr(row.slice)


def _row(scorer: str, slice_: dict[str, str] | None, now: Side, before: Side) -> SliceScore:
    differences = list(_differences(now, before).values())
    return SliceScore(
        scorer=scorer,
        slice=slice_,
        now=_mean(now),
        before=_mean(before),
        difference=math.fsum(differences) / len(differences) if differences else None,
        ci=interval_of(differences),
        paired=len(differences),
        judged=_judged(now),
        planned=sum(len(one.values) for one in now.values()),
        judged_before=_judged(before),
        planned_before=sum(len(one.values) for one in before.values()),
    )


def _weighed(row: SliceScore, now: Side, before: Side, *, total: float, overall: SliceScore) -> SliceScore:
    if not total < 0 or not overall.paired:
        return row
    share = math.fsum(_differences(now, before).values()) / total
    return replace(row, share=share, weight=row.paired / overall.paired)


def _differences(now: Side, before: Side) -> dict[str, float]:
    """Return now minus before of each case that is the same on both sides and was judged on both."""
    found = {}
    for case, one in now.items():
        other = before.get(case)
        if other is None or (one.digest and other.digest and one.digest != other.digest):
            continue
        mean, was = case_mean(one.values), case_mean(other.values)
        if mean is not None and was is not None:
            found[case] = mean - was
    return found


def _mean(side: Side) -> float | None:
    means = [mean for one in side.values() if (mean := case_mean(one.values)) is not None]
    return math.fsum(means) / len(means) if means else None


def _judged(side: Side) -> int:
    return sum(value is not None for one in side.values() for value in one.values)


def interval_of(differences: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % interval of a mean difference over cases: mean -/+ t(n - 1) s / sqrt(n)."""
    n = len(differences)
    if n < 2:
        return None
    mean = math.fsum(differences) / n
    variance = math.fsum((one - mean) ** 2 for one in differences) / (n - 1)
    reach = quantile(float(n - 1), (1 + CONFIDENCE) / 2) * math.sqrt(variance / n)
    return mean - reach, mean + reach


@dataclass(frozen=True, slots=True)
class Hint:
    """Which slice a drop lies in. kind: it `carries` the overall drop; it fell `alone`; or it is `spread`."""

    kind: str
    row: SliceScore


def hint_of(rows: Sequence[SliceScore]) -> Hint | None:
    """Say which slice carries the drop of a scorer; `rows` as `slice_scores` returns them.

    A slice carries it with half of the drop or more, if that is 15 points more than its part of the cases.
    None where nothing fell.
    """
    overall, *parts = rows
    if overall.fell:
        carrying = [
            row
            for row in parts
            if row.share is not None
            and row.weight is not None
            and row.share >= _CARRIES
            and row.share >= row.weight + _MORE_THAN_ITS_PART
        ]
        if carrying:
            return Hint("carries", max(carrying, key=lambda row: (row.share or 0.0) - (row.weight or 0.0)))
        return Hint("spread", overall) if parts else None
    fallen = [row for row in parts if row.fell]
    return Hint("alone", fallen[0]) if fallen else None
