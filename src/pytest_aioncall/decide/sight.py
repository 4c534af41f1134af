"""What a suite would see: the drop that would turn each gating row red in a new run like this one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..model.config import Defaults
from ..model.evalset import Gate
from ..model.verdict import Power, Sight
from ..stats.arrays import P_TOLERANCE, Floats
from ..stats.foresight import POWER, cluster_spread, repeat_spread, units_to_drop, units_to_reject
from ..stats.permute import permute_epochs
from .gatelimits import gates_or_default
from .gaterows import SMALLEST_SLICE, GateRow, all_rows
from .rounding import on_scale
from .rowtests import LARGE_CASES, Level, claim_of, is_repeated, level_of, means_of, noise_of, visible_drop
from .sides import Side, align
from .table import ScorerTable, cluster_codes, scorer_table


def sight_of(side: Side, gates: Sequence[Gate], defaults: Defaults) -> list[Sight]:
    """Say what each gating row would find if `side` were the baseline of a new run with the same epochs.

    The noise is the one of `side` itself: its variance within cases, taken twice, once for each run. With one
    epoch that is unknown, and the variance between cases, which is never smaller, stands for it. Overall rows
    first in each gate, slices of 10 cases and more only. Raises UsageError as `judge` does.
    """
    rules = gates_or_default(gates, scorers=side.scorers)
    aligned = align(side, side)
    clusters = cluster_codes(aligned)
    tables = {
        name: scorer_table(name, side.scorers[name], aligned=aligned, candidate=side, clusters=clusters)
        for name in dict.fromkeys(gate.scorer for gate in rules)
    }
    rows = all_rows(rules, scorers=side.scorers, tables=tables, rows=aligned.rows, defaults=defaults)
    gating = [row for row in rows if row.slice is None or row.members.size >= SMALLEST_SLICE]
    sliced = sum(row.slice is not None for row in gating)
    found = []
    for row in gating:
        level = level_of(
            alpha=row.alpha,
            overall=len(gating) - sliced,
            sliced=sliced,
            is_slice=row.slice is not None,
        )
        sight = _sight(row, tables[row.scorer], level)
        if sight is not None:
            found.append(sight)
    return found


def reconciled(sights: Sequence[Sight], powers: Sequence[Power]) -> list[Sight]:
    """Bring the drops that are told into line with the powers that stand beside them.

    Both speak of "four times in five", from two pictures of a drop: here whole cases fail, there the epochs
    of many cases wear. On one screen they may not contradict each other: a row that sees its margin so often
    sees it, and one that does not needs more than the margin.
    """
    found = {(one.scorer, _key(one.slice)): one for one in powers}
    return [_within(one, found.get((one.scorer, _key(one.slice)))) for one in sights]


def _key(part: dict[str, str] | None) -> tuple[tuple[str, str], ...]:
    return tuple((part or {}).items())


def _within(sight: Sight, power: Power | None) -> Sight:
    if sight.mde is None or power is None:
        return sight
    visible = sight.mde
    for times, chance in ((1, power.at_margin), (2, power.at_twice)):
        drop = times * power.margin
        if chance is not None:
            visible = min(visible, drop) if chance >= POWER else max(visible, drop)
    return sight.model_copy(update={"mde": visible})


def _sight(row: GateRow, table: ScorerTable, level: Level) -> Sight | None:
    here = row.members[table.judged_before[row.members] > 0]
    if here.size == 0:
        return None
    scores, clusters = table.before[here], table.clusters[here]
    claim = claim_of(row, cases=here.size, clusters=int(np.unique(clusters).size))
    if claim == "these-cases":
        visible = _in_these(scores, row, table, level)
    else:
        visible = _in_such(scores, row, table, level)
    # No mean drops further than to the floor of its scale.
    if visible is not None and visible > float(means_of(scores).mean()) - table.low:
        visible = None
    one_epoch = claim == "these-cases" and not is_repeated(scores)
    return Sight(
        scorer=row.scorer,
        slice=row.slice,
        claim=claim,
        mde=on_scale(visible, table.high - table.low),
        why_not=None if visible is not None else "one_epoch" if one_epoch else "too_few_cases",
        scale=(table.low, table.high),
        n_cases=int(here.size),
        epochs=int(np.sum(~np.isnan(scores), axis=1).max()),
    )


def _in_these(scores: Floats, row: GateRow, table: ScorerTable, level: Level) -> float | None:
    """Return the drop that *these cases* would show; None where not even a total failure is significant."""
    if not is_repeated(scores):
        return None
    spread = repeat_spread(2 * noise_of([scores], table)[0])
    visible = visible_drop(spread, margin=row.margin, claim="these-cases", level=level)
    if scores.shape[0] >= LARGE_CASES:
        return visible
    least = _least_significant(scores, table, level)
    return None if least is None else max(visible, least)


def _least_significant(scores: Floats, table: ScorerTable, level: Level) -> float | None:
    """Return the drop of the mean when just so many cases fall by h, the best first, that it is significant.

    In a handful of cases the normal distribution promises what no permutation can show. Where all of them
    have to fall further than h, to the floor; where even that is too little, None.
    """
    means = means_of(scores)
    order = np.argsort(-means, kind="stable")

    def significant(after: Floats) -> bool:
        found = permute_epochs(
            scores, after, step=table.kind.step, alpha=level.share, resolution=level.resolution
        )
        return found.p <= level.share + P_TOLERANCE

    def fallen(count: int) -> Floats:
        after = scores.copy()
        after[order[:count]] = np.maximum(table.low, after[order[:count]] - table.kind.pseudo)
        return after

    few, enough = 0, scores.shape[0]
    if not significant(fallen(enough)):
        floor = np.where(np.isnan(scores), np.nan, table.low)
        return float(means.mean()) - table.low if significant(floor) else None
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if significant(fallen(middle)) else (middle, enough)
    return float((means - means_of(fallen(enough))).mean())


def _in_such(scores: Floats, row: GateRow, table: ScorerTable, level: Level) -> float | None:
    """Return the drop that *cases like these* would show, or None where all clusters down are too few.

    Where the noise is small a drop is whole cases that fail, and enough of them have to: a sign-flip test
    cannot reject on fewer units than `units_to_reject`.
    """
    clusters = table.clusters[row.members[table.judged_before[row.members] > 0]]
    units = int(np.unique(clusters).size)
    least = units_to_reject(level.share)
    if units < least:
        return None
    spread = cluster_spread(2 * _plain_noise(scores), clusters=clusters, pseudo=table.kind.pseudo)
    visible = visible_drop(spread, margin=row.margin, claim="cases-like-these", level=level)
    return max(visible, units_to_drop(least) * table.kind.pseudo / units)


def _plain_noise(scores: Floats) -> Floats:
    """Return the variance of each case's mean over its epochs; a single epoch has that of the others."""
    epochs = np.sum(~np.isnan(scores), axis=1)
    means = means_of(scores)
    repeated = epochs >= 2
    if not is_repeated(scores):
        between = float(means.var(ddof=1)) if means.size > 1 else 0.0
        return np.full(means.size, between)
    squares = np.nansum(np.square(scores - means[:, None]), axis=1)
    within = squares / np.maximum(epochs - 1, 1)
    found: Floats = np.where(repeated, within, within[repeated].mean()) / epochs
    return found
