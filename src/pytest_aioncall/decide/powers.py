"""The line that stands in every report: how often would a row see a drop of its margin?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..model.verdict import Power
from ..stats.arrays import Floats, Ints
from ..stats.outlook import Chances, Outlook, chances_like, chances_these, outlook_of
from ..stats.passbound import within_variance
from ..stats.urn import Fall, Urn, fall_of, urn_of
from .gaterows import SMALLEST_SLICE, GateRow
from .rownumbers import GateRows
from .rowtests import Level, claim_of
from .table import ScorerTable


def powers_of(rows: GateRows, tables: Mapping[str, ScorerTable]) -> list[Power]:
    """Reckon the power of every gating row in a new run with the same cases and epochs.

    The noise is the baseline's, and where a scorer has none the candidate's own, as if it were accepted. No
    run is drawn: `gate --self-check` does that, and `tests/unit/test_decide_selfcheck.py` holds the two
    within .08 of each other.
    """
    known = {name: _known_scores(table) for name, table in tables.items()}
    urns = {
        name: urn_of(known[name], kind=table.kind, low=table.low, high=table.high)
        for name, table in tables.items()
    }
    found = []
    for row in rows.rows:
        table = tables[row.scorer]
        members: Ints = row.members[urns[row.scorer].counts[row.members] > 0]
        if members.size and (row.slice is None or members.size >= SMALLEST_SLICE):
            epochs = int(table.planned[members].max())
            found.append(
                power_of(row, table, urns[row.scorer], members, level=rows.level_of(row), epochs=epochs)
            )
    return found


def _known_scores(table: ScorerTable) -> Floats:
    return table.before if bool((table.judged_before > 0).any()) else table.after


def power_of(
    row: GateRow, table: ScorerTable, urn: Urn, members: Ints, *, level: Level, epochs: int
) -> Power:
    """Reckon the power of one row against its baseline as it is."""
    cases = int(members.size)
    claim = claim_of(row, cases=cases, clusters=int(np.unique(table.clusters[members]).size))
    power = Power(
        scorer=row.scorer,
        slice=row.slice,
        claim=claim,
        margin=row.margin,
        scale=(table.low, table.high),
        n_cases=cases,
        epochs=epochs,
    )
    if claim == "these-cases" and (epochs < 2 or 2 * np.count_nonzero(urn.counts[members] >= 2) < cases):
        return power
    still = chances_at(row, table, urn, members, level=level, epochs=epochs, delta=0.0)
    once, twice = (
        chances_at(row, table, urn, members, level=level, epochs=epochs, delta=times * row.margin)
        for times in (1, 2)
    )
    return power.model_copy(
        update={
            # The tests keep their level whatever the normal distribution makes of a handful of cases.
            "alarm": _share(min(still.red, level.share) if still else None),
            "at_margin": _share(once.red if once else None),
            "at_twice": _share(twice.red if twice else None),
            "inconclusive": _share(still.open if still else None),
        }
    )


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def chances_at(
    row: GateRow,
    table: ScorerTable,
    urn: Urn,
    members: Ints,
    *,
    level: Level,
    epochs: int,
    delta: float,
    anew: bool = False,
    copies: float = 1.0,
) -> Chances | None:
    """Return the chances of a row after a true drop of `delta`; None where its mean has no room for it.

    anew    the baseline is drawn anew as well, with as many epochs
    copies  how many times the row's cases there are, by copying them
    """
    fall: Fall | None = None
    if delta > 0:
        fall = fall_of(urn, members, delta=delta, kind=table.kind, low=table.low)
        if fall is None:
            return None
    clusters = table.clusters[members]
    if copies != 1.0:
        members, clusters = _copied(members, clusters, copies)
    ahead = outlook_of(
        urn,
        members,
        clusters=clusters,
        epochs=epochs,
        fall=fall,
        low=table.low,
        kind=table.kind,
        anew=anew,
    )
    claim = claim_of(row, cases=int(members.size), clusters=int(np.unique(clusters).size))
    if claim == "cases-like-these":
        return chances_like(ahead, margin=row.margin, alpha=level.alpha, share=level.share)
    noise = _bound_noise(urn, members, ahead, table)
    return chances_these(ahead, margin=row.margin, alpha=level.alpha, share=level.share, noise=noise)


def _copied(members: Ints, clusters: Ints, copies: float) -> tuple[Ints, Ints]:
    """Repeat the cases `copies` times, the last copy in part, each copy with clusters of its own."""
    wanted = round(members.size * copies)
    times = -(-wanted // members.size)
    offset = int(clusters.max()) + 1
    tiled = np.concatenate([clusters + copy * offset for copy in range(times)])[:wanted]
    return np.tile(members, times)[:wanted], tiled


def _bound_noise(urn: Urn, members: Ints, ahead: Outlook, table: ScorerTable) -> Floats:
    """Return the variance of each case's difference as the gate's pass bound would reckon it."""
    columns = np.arange(urn.own.shape[1])
    own = np.where(columns < urn.counts[members][:, None], urn.own[members], np.nan)
    freedom = float(np.maximum(urn.counts[members] - 1, 0).sum())
    pooled = max(float(ahead.squares.sum()) / freedom if freedom else 0.0, table.kind.least_noise**2)
    each = within_variance(own, kind=table.kind, low=table.low, pooled=pooled)
    found: Floats = each * (1 / ahead.was + 1 / ahead.now)
    return found
