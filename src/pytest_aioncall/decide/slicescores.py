"""How scores moved between two spans of time, by slice, and which slice carries a drop."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import UsageError
from ..model.baseline import CaseRow, ScorerInfo
from ..model.config import Defaults
from ..model.evalset import Claim
from ..model.history import CaseDay
from ..stats.arrays import Ints
from .daymeans import case_mean
from .gaterows import GateRow
from .rowtests import ClaimMade, Comparison, Level, compare_row
from .sides import Side as GateSide
from .sides import align
from .table import ScorerTable, cluster_codes, scorer_table
from .verdicts import shown_interval

_CARRIES = 0.5
_MORE_THAN_ITS_PART = 0.15


@dataclass(slots=True)
class CaseScores:
    """What one scorer said of one case in a span of time, all epochs of all its runs."""

    digest: str
    slices: Mapping[str, str]
    values: list[float | None] = field(default_factory=list)
    cluster: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """How the gate would compare a scorer: its scale, the claim that is made, and the level of its bounds."""

    scale: tuple[float, float] = (0.0, 1.0)
    claim: Claim = Defaults().claim
    alpha: float = Defaults().alpha


_AS_DEFAULT = Rule()

Side = Mapping[str, CaseScores]
"""One scorer's cases by id."""


@dataclass(frozen=True, slots=True)
class SliceScore:
    """One row: a scorer overall (`slice` None) or on one slice.

    now, before     means over the cases of each side; None where it has no judged case
    difference, ci  over the `paired` cases, which are the same on both sides. `ci` are the gate's two bounds,
                    each at 1 - `alpha`, for the `claim` that it would make; None (as `claim` is) where they
                    would say nothing: of fewer than two cases, or clusters where the claim is of cases like
                    these
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
    alpha: float
    claim: ClaimMade | None = None
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
                known = found[one.case] = CaseScores(one.digest, one.slices, cluster=one.cluster)
            known.values += one.scores[scorer]
    return found


def slice_scores(
    scorer: str, now: Side, before: Side, *, by: Sequence[str], rule: Rule = _AS_DEFAULT
) -> list[SliceScore]:
    """Return the overall row, then the rows of every value of the dimensions `by`, the largest drop first."""
    bounds = _Bounds(scorer, now, before, rule)
    overall = _row(scorer, None, now, before, bounds)
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
            row = _row(scorer, {dimension: value}, part_now, part_before, bounds)
            rows.append(_weighed(row, part_now, part_before, total=total, overall=overall))
    return [overall, *sorted(rows, key=_worst_first)]


def _worst_first(row: SliceScore) -> tuple[bool, float, str]:
    return row.difference is None, row.difference or 0.0, repr(row.slice)


def _row(scorer: str, slice_: dict[str, str] | None, now: Side, before: Side, bounds: _Bounds) -> SliceScore:
    differences = list(_differences(now, before).values())
    claim, ci = bounds.of(now)
    return SliceScore(
        scorer=scorer,
        slice=slice_,
        now=_mean(now),
        before=_mean(before),
        difference=math.fsum(differences) / len(differences) if differences else None,
        ci=ci,
        paired=len(differences),
        judged=_judged(now),
        planned=sum(len(one.values) for one in now.values()),
        judged_before=_judged(before),
        planned_before=sum(len(one.values) for one in before.values()),
        alpha=bounds.rule.alpha,
        claim=claim,
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


class _Bounds:
    """The gate's own comparison of two sides, made once and cut for each row."""

    def __init__(self, scorer: str, now: Side, before: Side, rule: Rule) -> None:
        self.rule = rule
        self._scorer = scorer
        info = ScorerInfo(kind="", scale=rule.scale)
        after, was = (
            GateSide(tuple(_case_row(case, one, scorer) for case, one in side.items()), {scorer: info})
            for side in (now, before)
        )
        aligned = align(after, was)
        self._places = {row.case: place for place, row in enumerate(aligned.rows)}
        self._table: ScorerTable | None = None
        # Where the scale was another one on some of these days, no bound is laid over both.
        with suppress(UsageError):
            self._table = scorer_table(
                scorer, info, aligned=aligned, candidate=after, clusters=cluster_codes(aligned)
            )

    def of(self, cases: Iterable[str]) -> tuple[ClaimMade | None, tuple[float, float] | None]:
        """Return which claim the gate would make of these cases, and its interval of their difference."""
        members = np.array(sorted(self._places[case] for case in cases), dtype=np.int64)
        found = self._compared(members, claim=self.rule.claim)
        if found is not None and found.bound is None:
            # One epoch shows nothing of repeating: the wider bound over cases, as for a row's own mean.
            found = self._compared(members, claim="cases-like-these")
        if found is None or found.bound is None or found.cases < 2:
            return None, None
        if found.claim == "cases-like-these" and found.clusters < 2:
            return None, None
        span = self.rule.scale[1] - self.rule.scale[0]
        return found.claim, shown_interval(found.bound, between=(-span, span), span=span)

    def _compared(self, members: Ints, *, claim: Claim) -> Comparison | None:
        if self._table is None or not members.size:
            return None
        alpha = self.rule.alpha
        row = GateRow(
            self._scorer,
            None,
            margin=0.0,
            min=None,
            claim=claim,
            alpha=alpha,
            fails_open=False,
            members=members,
        )
        return compare_row(row, self._table, level=Level(alpha, alpha, alpha), foresee=False)


def _case_row(case: str, one: CaseScores, scorer: str) -> CaseRow:
    return CaseRow(case=case, digest=one.digest, cluster=one.cluster, scores={scorer: tuple(one.values)})


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
