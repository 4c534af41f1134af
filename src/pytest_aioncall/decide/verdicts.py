"""From the numbers of all gate rows to their verdicts: correction for many rows, then one rule a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..model.baseline import Acceptance
from ..model.verdict import Needed, Reason, Verdict, VerdictStatus
from ..stats.arrays import P_TOLERANCE
from ..stats.holm import holm, tarone_holm
from ..stats.passbound import Bound
from ..stats.special import stdtr
from .gaterows import SMALLEST_SLICE, GateRow
from .rounding import figures, on_scale
from .rowtests import Absolute, Comparison, claim_of

# Differences of means are sums of fractions: .90 - .95 is a drop of .05 and not of .0499...9.
ROUNDING = 1e-9

Comparability = Literal["yes", "no_baseline", "new_scorer", "not_comparable"]


@dataclass(frozen=True, slots=True)
class RowNumbers:
    """All that is known of a row before any row is decided.

    size             cases that could be judged but for errors: the same on both sides and judged in the
                     baseline, or without a comparison all of the row's
    planned, judged  candidate samples of all of the row's cases
    """

    row: GateRow
    scale: tuple[float, float]
    comparability: Comparability
    comparison: Comparison | None
    absolute: Absolute | None
    size: int
    planned: int
    judged: int

    @property
    def small_slice(self) -> bool:
        """Tell whether this is a slice of under 10 cases: reported, not gating."""
        return self.row.slice is not None and self.size < SMALLEST_SLICE

    @property
    def cases(self) -> int:
        """Return how many cases the row speaks from."""
        one = self.comparison or self.absolute
        return one.cases if one else 0


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A row's p-values after correction: `drop` against the baseline, `below_min` against the minimum."""

    drop: float | None = None
    testable: bool = True
    below_min: float | None = None


def corrected(rows: Sequence[RowNumbers]) -> list[Adjusted]:
    """Correct for the number of rows so that a row may reject iff its `adjusted <= alpha`, its own alpha.

    Rows of different levels share one family. Each then rejects a part of what the family would at its
    largest alpha, so the chance of any false alarm is at most that.
    Half of alpha to the overall rows (Holm), half to the slices (Tarone-Holm); all of it to the overall rows
    where no slice gates. Minima are a family of their own (Holm): a fixed limit asks another question.
    """
    overall = [i for i, one in enumerate(rows) if one.row.slice is None and _has_p(one)]
    sliced = [
        i for i, one in enumerate(rows) if one.row.slice is not None and not one.small_slice and _has_p(one)
    ]
    share = 0.5 if sliced and overall else 1.0
    found = [Adjusted() for _ in rows]
    for i, p in zip(overall, holm(np.array([_p(rows[i]) for i in overall])), strict=True):
        found[i] = Adjusted(min(1.0, float(p) / share))
    if sliced:
        family = tarone_holm(
            np.array([_p(rows[i]) for i in sliced]),
            p_min=np.array([_p_min(rows[i]) for i in sliced]),
            alpha=share * np.array([rows[i].row.alpha for i in sliced]),
        )
        for i, p, testable in zip(sliced, family.adjusted, family.testable, strict=True):
            found[i] = Adjusted(min(1.0, float(p) / share), bool(testable))
    limited = [
        i for i, one in enumerate(rows) if one.row.min is not None and one.absolute and not one.small_slice
    ]
    for i, p in zip(limited, holm(np.array([p_below_min(rows[i]) for i in limited])), strict=True):
        found[i] = Adjusted(found[i].drop, found[i].testable, float(p))
    return found


def _has_p(one: RowNumbers) -> bool:
    return one.comparison is not None and one.comparison.p is not None


def _p(one: RowNumbers) -> float:
    assert one.comparison is not None and one.comparison.p is not None  # noqa: S101 - selected by _has_p
    return one.comparison.p


def _p_min(one: RowNumbers) -> float:
    return one.comparison.p_min if one.comparison else 1.0


def p_below_min(one: RowNumbers) -> float:
    """Return p of "the mean reaches the minimum": at most alpha iff the one-sided upper bound is below it."""
    assert one.absolute is not None and one.row.min is not None  # noqa: S101 - selected by the caller
    bound = one.absolute.bound
    if bound.se <= 0:
        return float(bound.center >= one.row.min)
    return float(stdtr(max(min(bound.df, 1e9), 0.2), (bound.center - one.row.min) / bound.se))


def verdict_of(
    one: RowNumbers,
    adjusted: Adjusted,
    *,
    accepts: Sequence[Acceptance],
    settled: Sequence[Acceptance],
    trusted: bool,
) -> Verdict:
    """Decide one row.

    accepts  regressions accepted by name: such a row stops gating and names its ticket
    settled  those that the baseline itself was accepted with: they excuse a row that lies below its minimum
             as the baseline does, and no drop after it
    trusted  False above the error limit: then no row may be called regressed, for an outage fails no gate
    """
    status, reason = _combined(one, adjusted)
    gating = not one.small_slice
    if one.small_slice and reason not in ("nothing_to_compare", "not_comparable"):
        status, reason = "too_small", "too_few_cases"
    if status == "regressed" and not trusted:
        status, reason = "inconclusive", "errors_at_floor"
    ticket = None
    if status == "regressed" or reason in ("suspected", "min_undecided"):
        below = reason in ("below_min", "min_undecided")
        if below and _against_baseline(one, adjusted)[1] not in ("dropped", "suspected"):
            accepts = (*accepts, *settled)
        ticket = next(
            (a.ticket for a in accepts if a.scorer == one.row.scorer and a.slice == one.row.slice), None
        )
        if ticket is not None:
            gating, reason = False, "accepted"
    return _filled(one, adjusted, status, reason, gating=gating, ticket=ticket)


def _combined(one: RowNumbers, adjusted: Adjusted) -> tuple[VerdictStatus, Reason]:
    """Put the comparison and the minimum of a row together: the worse of the two decides."""
    status, reason = _against_baseline(one, adjusted)
    if one.row.min is None:
        return status, reason
    limit_status, limit_reason = _against_min(one, adjusted)
    if limit_status == "regressed":
        return limit_status, limit_reason
    if status == "regressed":
        return status, reason
    if reason == "nothing_to_compare" or (status == "pass" and limit_status != "pass"):
        return limit_status, limit_reason
    return status, reason


def _against_baseline(one: RowNumbers, adjusted: Adjusted) -> tuple[VerdictStatus, Reason]:
    found, margin = one.comparison, one.row.margin
    if one.comparability == "not_comparable":
        return "inconclusive", "not_comparable"
    if found is None:
        lost_to_errors = one.comparability == "yes" and one.size > 0
        return "inconclusive", "errors_at_floor" if lost_to_errors else "nothing_to_compare"
    bound, p = found.bound, found.p
    if found.unchanged and (found.claim == "these-cases" or (bound is not None and bound.low > -margin)):
        return "pass", "unchanged"
    if bound is None or p is None:
        return "inconclusive", "one_epoch"
    significant = adjusted.drop is not None and adjusted.drop <= one.row.alpha + P_TOLERANCE
    if bound.low > -margin:
        if found.at_floor <= -margin:
            return "inconclusive", "errors_at_floor"
        # By the corrected p, which is the one that people see beside it.
        small = significant and found.difference < 0
        return "pass", "small_drop_within_margin" if small else "within_margin"
    # Where the margin is 0 a difference of 0 has not reached it.
    reached = found.difference <= min(-margin + ROUNDING, -ROUNDING)
    if significant and (reached or found.claim == "cases-like-these"):
        return "regressed", "dropped"
    if not adjusted.testable:
        return "too_small", "too_small_to_test"
    return "inconclusive", "suspected" if reached or significant else "no_drop_seen"


def _against_min(one: RowNumbers, adjusted: Adjusted) -> tuple[VerdictStatus, Reason]:
    found, least = one.absolute, one.row.min
    if found is None or least is None:
        return "inconclusive", "min_undecided"
    if adjusted.below_min is not None and adjusted.below_min <= one.row.alpha + P_TOLERANCE:
        return "regressed", "below_min"
    if found.bound.low >= least - ROUNDING:
        if found.at_floor < least - ROUNDING:
            return "inconclusive", "errors_at_floor"
        return "pass", "above_min"
    return "inconclusive", "min_undecided"


def _filled(
    one: RowNumbers,
    adjusted: Adjusted,
    status: VerdictStatus,
    reason: Reason,
    *,
    gating: bool,
    ticket: str | None,
) -> Verdict:
    found, absolute = one.comparison, one.absolute
    span = one.scale[1] - one.scale[0]
    source = found or absolute
    bound = found.bound if found else (absolute.bound if absolute and one.row.min is not None else None)
    ci = None
    if bound is not None:
        ci = shown_interval(bound, between=(-span, span) if found else one.scale, span=span)
    p, p_adjusted = (found.p, adjusted.drop) if found else (None, None)
    if found is None and absolute is not None and one.row.min is not None:
        p, p_adjusted = p_below_min(one), adjusted.below_min
    return Verdict(
        scorer=one.row.scorer,
        slice=one.row.slice,
        status=status,
        gating=gating,
        claim=found.claim
        if found
        else claim_of(one.row, cases=one.cases, clusters=source.clusters if source else 0),
        reason=reason,
        baseline=on_scale(found.baseline if found else None, span),
        candidate=on_scale(found.candidate if found else absolute.mean if absolute else None, span),
        difference=on_scale(found.difference if found else None, span),
        ci=ci,
        p=None if p is None else round(p, 12),
        p_adjusted=None if p_adjusted is None else round(p_adjusted, 12),
        margin=figures(one.row.margin),
        min=figures(one.row.min),
        n_cases=one.cases,
        n_clusters=source.clusters if source else 0,
        judged=source.judged if source else one.judged,
        planned=source.planned if source else one.planned,
        scale=one.scale,
        mde=on_scale(found.mde if found else None, span),
        needed=_needed(one, status, reason),
        ticket=ticket,
        alpha=one.row.alpha,
    )


def shown_interval(bound: Bound, *, between: tuple[float, float], span: float) -> tuple[float, float]:
    """Return the interval that people see: two bounds, cut to what can be."""
    least, most = between
    low, high = max(least, min(most, bound.low)), min(most, max(least, bound.high))
    return on_scale(low, span), on_scale(high, span)


def _needed(one: RowNumbers, status: VerdictStatus, reason: Reason) -> Needed | None:
    """Say what would settle an open comparison; a suspected drop may need its own size, not the margin."""
    found = one.comparison
    if found is None or status not in ("inconclusive", "too_small") or reason == "errors_at_floor":
        return None
    if found.p is None:
        return Needed(epochs=3)
    if found.needs is None:
        return None
    needed = found.needs.needed(one.row.margin, alpha=one.row.alpha)
    if reason == "suspected" and needed is not None and needed == Needed():
        return found.needs.needed(-found.difference, alpha=found.share)
    return needed
