"""The numbers of one gate row: difference, null, bounds, and what the row could have seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..stats.arrays import Bools, Floats, Ints
from ..stats.foresight import Spread, quantile, smallest_beyond, smallest_significant
from ..stats.lattice import difference_step
from ..stats.passbound import (
    Bound,
    clustered_bound,
    pooled_variance,
    repeat_bound,
    within_variance,
)
from ..stats.permute import permute_epochs
from ..stats.signflip import sign_flip
from .gaterows import GateRow
from .needs import Needs
from .table import ScorerTable

LARGE_CASES = 50
LARGE_CLUSTERS = 8

ClaimMade = Literal["these-cases", "cases-like-these"]


@dataclass(frozen=True, slots=True)
class Level:
    """The level of the tests, and the p that a drawn null of this family has to be able to reach.

    `share` is the part of alpha that a single dropped row of the family has to reach.
    """

    alpha: float
    resolution: float
    share: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A row against the baseline.

    bound     around the difference, judged samples only
    at_floor  the lower bound when every errored candidate sample had scored the floor of the scale
    p         of "no drop", `p_min` the smallest that could have come out; both None with one epoch only
    needs     what to ask for more cases or epochs, where the row stays open
    share     level at which the row alone would have to be significant
    """

    claim: ClaimMade
    cases: int
    clusters: int
    judged: int
    planned: int
    baseline: float
    candidate: float
    difference: float
    bound: Bound | None
    at_floor: float
    p: float | None
    p_min: float
    unchanged: bool
    mde: float | None
    needs: Needs | None
    share: float


@dataclass(frozen=True, slots=True)
class Absolute:
    """A row by itself: the mean over all candidate cases, its bounds, and p of "the mean reaches `min`"."""

    cases: int
    clusters: int
    judged: int
    planned: int
    mean: float
    bound: Bound
    at_floor: float


@dataclass(frozen=True, slots=True)
class _Cut:
    """The cases of a row that are judged on both sides, and the candidate with its errors at the floor."""

    before: Floats
    after: Floats
    clusters: Ints
    floor_before: Floats
    floor_after: Floats
    floor_clusters: Ints
    has_errors: bool


def level_of(*, alpha: float, overall: int, sliced: int, is_slice: bool) -> Level:
    """Return the level of one of `overall` or of `sliced` rows, as `verdicts.corrected` shares alpha out."""
    family = max(1, sliced if is_slice else overall)
    half = 0.5 if overall and sliced else 1.0
    return Level(alpha, alpha / (20 * family), alpha * half / family)


def claim_of(row: GateRow, *, cases: int, clusters: int) -> ClaimMade:
    """Return which claim a row makes: `auto` speaks about these cases under 50 cases or 8 clusters."""
    if row.claim != "auto":
        return row.claim
    return "these-cases" if cases < LARGE_CASES or clusters < LARGE_CLUSTERS else "cases-like-these"


def compare_row(row: GateRow, table: ScorerTable, *, level: Level, foresee: bool = True) -> Comparison | None:
    """Compare one row with the baseline; None where no case is judged on both sides.

    Without `foresee` neither `mde` nor what is `needed` is told: no verdict rests on them.
    """
    cut, aligned = _cut(row, table)
    cases = cut.before.shape[0]
    if cases == 0:
        return None
    clusters = int(np.unique(cut.clusters).size)
    claim = claim_of(row, cases=cases, clusters=clusters)
    differences = means_of(cut.after) - means_of(cut.before)
    repeated = is_repeated(cut.before) and is_repeated(cut.after)
    p: float | None = None
    p_min, bound, at_floor = 1.0, None, -np.inf
    if claim == "cases-like-these":
        p, p_min = _flip(differences, cut, table, level)
        pseudo = np.array([table.kind.pseudo, -table.kind.pseudo])
        bound = clustered_bound(differences, clusters=cut.clusters, pseudo=pseudo, alpha=level.alpha)
        at_floor = bound.low
        if cut.has_errors:
            floor_differences = means_of(cut.floor_after) - means_of(cut.floor_before)
            at_floor = clustered_bound(
                floor_differences, clusters=cut.floor_clusters, pseudo=pseudo, alpha=level.alpha
            ).low
    elif repeated:
        found = permute_epochs(
            cut.before,
            cut.after,
            step=table.kind.step,
            alpha=max(level.alpha, level.share),
            resolution=level.resolution,
        )
        p, p_min = found.p, found.p_min
        bound = _repeat_bound(cut.before, cut.after, table, level)
        at_floor = bound.low
        if cut.has_errors:
            at_floor = _repeat_bound(cut.floor_before, cut.floor_after, table, level).low
    needs = None
    if foresee and bound is not None:
        needs = Needs(cut.before, cut.after, claim=claim, bound=bound, kind=table.kind, low=table.low)
    return Comparison(
        claim=claim,
        cases=cases,
        clusters=clusters,
        judged=int(table.judged_after[aligned].sum()),
        planned=int(table.planned[aligned].sum()),
        baseline=float(means_of(cut.before).mean()),
        candidate=float(means_of(cut.after).mean()),
        difference=float(differences.mean()),
        bound=bound,
        at_floor=float(at_floor),
        p=p,
        p_min=p_min,
        unchanged=bool(table.identical[aligned].all()),
        mde=_mde(bound, row, cut, level, claim, low=table.low) if foresee else None,
        needs=needs,
        share=level.share,
    )


@dataclass(frozen=True, slots=True)
class DifferenceSpread:
    """A row's difference, its standard error, and the scores behind it (judged on both sides)."""

    claim: ClaimMade
    difference: float
    se: float
    before: Floats
    after: Floats


def difference_spread(row: GateRow, table: ScorerTable) -> DifferenceSpread | None:
    """Return how far a row's difference may be off; None where nothing is judged on both sides."""
    cut, _ = _cut(row, table)
    cases = cut.before.shape[0]
    if cases == 0:
        return None
    claim = claim_of(row, cases=cases, clusters=int(np.unique(cut.clusters).size))
    differences = means_of(cut.after) - means_of(cut.before)
    if claim == "these-cases":
        se = repeat_se(cut.before, cut.after, table)
    else:
        pseudo = np.array([table.kind.pseudo, -table.kind.pseudo])
        se = clustered_bound(differences, clusters=cut.clusters, pseudo=pseudo, alpha=0.5).se
    return DifferenceSpread(claim, float(differences.mean()), se, cut.before, cut.after)


def repeat_se(before: Floats, after: Floats, table: ScorerTable) -> float:
    """Return the standard error of the mean difference where only repeating is random."""
    was, now = noise_of([before, after], table)
    return math.sqrt(float(was.sum() + now.sum())) / int(before.shape[0])


def absolute_row(row: GateRow, table: ScorerTable, *, level: Level) -> Absolute | None:
    """Bound a row's mean by itself; None where nothing is judged.

    *Cases like these* adds two pseudo-cases, one at each end of the scale for binary scores (the idea of
    Agresti and Coull) and one h above and below the mean else. *These cases* counts only the noise of
    repeating; with one epoch that is unknown, and the wider bound over cases is taken instead.
    """
    members = row.members
    judged = table.judged_after[members] > 0
    here = members[judged]
    if here.size == 0:
        return None
    after, clusters = table.after[here], table.clusters[here]
    means, filled = means_of(after), _at_floor(table, members)
    distinct = int(np.unique(clusters).size)
    by_repeats = claim_of(row, cases=here.size, clusters=distinct) == "these-cases" and is_repeated(after)
    bounds = []
    for values, scores, codes in (
        (means, after, clusters),
        (means_of(filled), filled, table.clusters[members]),
    ):
        if by_repeats:
            noise = noise_of([scores], table)[0]
            bounds.append(repeat_bound(float(values.mean()), variances=noise, alpha=level.alpha))
        else:
            ends = (
                np.array([table.low, table.high])
                if table.kind.kind == "binary"
                else values.mean() + np.array([table.kind.pseudo, -table.kind.pseudo])
            )
            bounds.append(clustered_bound(values, clusters=codes, pseudo=ends, alpha=level.alpha))
    return Absolute(
        cases=int(here.size),
        clusters=distinct,
        judged=int(table.judged_after[members].sum()),
        planned=int(table.planned[members].sum()),
        mean=float(means.mean()),
        bound=bounds[0],
        at_floor=bounds[1].low,
    )


def _cut(row: GateRow, table: ScorerTable) -> tuple[_Cut, Ints]:
    """Cut the row's cases out of the table; also return its aligned cases (errored ones included)."""
    was, now = table.judged_before[row.members] > 0, table.judged_after[row.members] > 0
    both, floor = row.members[was & now], row.members[was]
    aligned = row.members[table.paired[row.members]]
    return _Cut(
        before=table.before[both],
        after=table.after[both],
        clusters=table.clusters[both],
        floor_before=table.before[floor],
        floor_after=_at_floor(table, floor),
        floor_clusters=table.clusters[floor],
        has_errors=bool((table.planned[floor] > table.judged_after[floor]).any()),
    ), aligned


def _at_floor(table: ScorerTable, members: Ints) -> Floats:
    """Return the candidate's scores with every planned sample that is not judged at the scale's floor."""
    planned = table.planned[members]
    width = max(int(planned.max(initial=0)), table.after.shape[1])
    scores = np.full((members.size, width), np.nan)
    scores[:, : table.after.shape[1]] = table.after[members]
    owed = planned - np.sum(~np.isnan(scores), axis=1)
    empty = np.isnan(scores)
    fill: Bools = empty & (np.cumsum(empty, axis=1) <= owed[:, None])
    scores[fill] = table.low
    return scores


def means_of(scores: Floats) -> Floats:
    means: Floats = np.nansum(scores, axis=1) / np.sum(~np.isnan(scores), axis=1)
    return means


def is_repeated(scores: Floats) -> bool:
    """Tell whether repeats show the noise: half the cases or more have at least two judged epochs."""
    return bool(2 * np.count_nonzero(np.sum(~np.isnan(scores), axis=1) >= 2) >= scores.shape[0])


def _flip(differences: Floats, cut: _Cut, table: ScorerTable, level: Level) -> tuple[float, float]:
    counts = np.concatenate([np.sum(~np.isnan(side), axis=1) for side in (cut.before, cut.after)])
    step = difference_step(table.kind.step, counts=counts.astype(np.int64))
    _, codes = np.unique(cut.clusters, return_inverse=True)
    units: Floats = np.bincount(codes, weights=differences).astype(np.float64)
    # At an early look a drop may have more to spend than a pass, and p has to be exact up to there.
    alpha = max(level.alpha, level.share)
    found = sign_flip(units, step=step, alpha=alpha, resolution=level.resolution)
    return found.p, found.p_min


def noise_of(sides: list[Floats], table: ScorerTable) -> list[Floats]:
    """Return the variance of each case's mean over its epochs, for each side."""
    pooled = pooled_variance(sides, least=table.kind.least_noise)
    return [
        within_variance(scores, kind=table.kind, low=table.low, pooled=pooled)
        / np.sum(~np.isnan(scores), axis=1)
        for scores in sides
    ]


def _repeat_bound(before: Floats, after: Floats, table: ScorerTable, level: Level) -> Bound:
    was, now = noise_of([before, after], table)
    center = float((means_of(after) - means_of(before)).mean())
    return repeat_bound(center, variances=was + now, alpha=level.alpha)


def visible_drop(spread: Spread, *, margin: float, claim: ClaimMade, level: Level) -> float:
    """Return the smallest drop that turns a row red with power .8.

    It has to be significant at the row's share of alpha, and to reach what else the rule asks: *these cases*
    are red from an estimate at -margin on; *cases like these* pass while the lower bound is above -margin.
    """
    line = margin
    if claim == "cases-like-these":
        line -= quantile(1 - level.alpha, spread.df) * spread.se
    return max(smallest_significant(spread, alpha=level.share), smallest_beyond(line, spread))


def _mde(
    bound: Bound | None, row: GateRow, cut: _Cut, level: Level, claim: ClaimMade, *, low: float
) -> float | None:
    """Return the drop that the row would find with power .8, or None where there is no room for it."""
    if bound is None:
        return None
    visible = visible_drop(Spread(bound.se, bound.df), margin=row.margin, claim=claim, level=level)
    return visible if visible <= float(means_of(cut.before).mean()) - low else None
