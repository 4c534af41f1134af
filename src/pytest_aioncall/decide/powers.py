"""The line that stands in every report: how often would a row see a drop of its margin?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..model.config import Defaults
from ..model.evalset import Gate
from ..model.verdict import Power
from ..stats.arrays import Floats, Ints
from ..stats.outlook import Chances, Outlook, chances_like, chances_these, outlook_of, with_fall
from ..stats.passbound import within_variance
from ..stats.urn import Urn, fall_of, urn_of
from .gatelimits import gates_or_default
from .gaterows import SMALLEST_SLICE, GateRow
from .rownumbers import GateRows, gate_rows, tables_of
from .rowtests import Level, claim_of
from .sides import Side, align
from .table import ScorerTable


def powers_of(rows: GateRows, tables: Mapping[str, ScorerTable]) -> list[Power]:
    """Reckon the power of every gating row in a new run with the same cases and epochs.

    The noise is the baseline's, and where a scorer has none the candidate's own, as if it were accepted. No
    run is drawn: `gate --self-check` does that, and `tests/unit/test_decide_selfcheck.py` holds the two
    within .08 of each other.
    """
    known = {name: _known_scores(table) for name, table in tables.items()}
    urns = {
        name: urn_of(
            known[name], kind=table.kind, low=table.low, high=table.high, groups=groups_of(rows, name, table)
        )
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


def powers_of_side(side: Side, gates: Sequence[Gate], defaults: Defaults) -> list[Power]:
    """Reckon the powers that `side` has as the baseline of runs with as many epochs."""
    plain = Side(side.rows, side.scorers)
    rules = gates_or_default(gates, scorers=side.scorers)
    aligned = align(plain, plain)
    tables = tables_of(rules, plain, aligned)
    return powers_of(gate_rows(rules, tables, aligned, candidate=plain, defaults=defaults), tables)


def groups_of(rows: GateRows, scorer: str, table: ScorerTable) -> Ints:
    """Number the parts of a suite: cases that lie in the same gated slices of a scorer are one."""
    codes: Ints = np.zeros(table.place.size, dtype=np.int64)
    for nth, row in enumerate(rows.rows):
        if row.scorer == scorer and row.slice is not None and row.members.size >= SMALLEST_SLICE:
            marked = np.zeros(codes.size, dtype=np.int64)
            marked[row.members] = nth + 1
            codes = np.unique(codes * (len(rows.rows) + 1) + marked, return_inverse=True)[1].astype(np.int64)
    return codes


def _known_scores(table: ScorerTable) -> Floats:
    return table.before if bool((table.judged_before > 0).any()) else table.after


def power_of(
    row: GateRow, table: ScorerTable, urn: Urn, members: Ints, *, level: Level, epochs: int
) -> Power:
    """Reckon the power of one row against its baseline as it is. `members` are its judged cases."""
    cases = int(members.size)
    clusters = table.clusters[members]
    power = Power(
        scorer=row.scorer,
        slice=row.slice,
        claim=claim_of(row, cases=cases, clusters=int(np.unique(clusters).size)),
        margin=row.margin,
        scale=(table.low, table.high),
        n_cases=cases,
        epochs=epochs,
    )
    repeated = 2 * np.count_nonzero(urn.counts[members] >= 2) >= cases
    if power.claim == "these-cases" and (epochs < 2 or not repeated):
        return power
    ahead = Ahead(row, table, urn.part(members), clusters, level=level, epochs=epochs)
    still = ahead.chances(0.0)
    once, twice = (ahead.chances(times * row.margin) if row.margin else None for times in (1, 2))
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


class Ahead:
    """One row in a comparison to come.

    urn       the scores of the row's judged cases, `clusters` their codes
    anew      the baseline is drawn anew as well, with as many epochs
    """

    def __init__(
        self,
        row: GateRow,
        table: ScorerTable,
        urn: Urn,
        clusters: Ints,
        *,
        level: Level,
        epochs: int,
        anew: bool = False,
    ) -> None:
        self._row, self._table, self._urn, self._level = row, table, urn, level
        self._still = outlook_of(urn, clusters=clusters, epochs=epochs, kind=table.kind, anew=anew)
        groups = int(self._still.codes.max(initial=-1)) + 1
        self._claim = claim_of(row, cases=int(clusters.size), clusters=groups)

    def chances(self, delta: float) -> Chances | None:
        """Return the chances after a true drop of `delta`; None where the mean has no room for it."""
        row, table, level, ahead = self._row, self._table, self._level, self._still
        if delta > 0:
            fall = fall_of(self._urn, delta=delta, kind=table.kind, low=table.low)
            if fall is None:
                return None
            ahead = with_fall(ahead, self._urn, fall, low=table.low)
        if self._claim == "cases-like-these":
            return chances_like(ahead, margin=row.margin, alpha=level.alpha, share=level.share)
        noise = self._bound_noise(ahead)
        return chances_these(ahead, margin=row.margin, alpha=level.alpha, share=level.share, noise=noise)

    def _bound_noise(self, ahead: Outlook) -> Floats:
        """Return the variance of each case's difference as the gate's pass bound would reckon it."""
        freedom = float(np.maximum(self._urn.counts - 1, 0).sum())
        pooled = float(ahead.squares.sum()) / freedom if freedom else 0.0
        each = within_variance(
            self._urn.scores,
            kind=self._table.kind,
            low=self._table.low,
            pooled=max(pooled, self._table.kind.least_noise**2),
        )
        found: Floats = each * (1 / ahead.was + 1 / ahead.now)
        return found


def copied(members: Ints, clusters: Ints, *, times: float) -> tuple[Ints, Ints]:
    """Repeat cases `times` times, the last copy in part, each copy with clusters of its own."""
    wanted = round(members.size * times)
    copies = -(-wanted // members.size)
    offset = int(clusters.max()) + 1
    tiled = np.concatenate([clusters + copy * offset for copy in range(copies)])[:wanted]
    return np.tile(members, copies)[:wanted], tiled
