"""Rehearse the gate: new runs are drawn from a side's own scores and judged by the gate's own rules.

Rows, tables, tests, correction and verdicts are those of `compare.judge`; only the detour through rows of
cases, and what no verdict needs, is left out (`tests/unit/test_decide_selfcheck.py` holds the two together).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..model.baseline import Acceptance
from ..model.config import Defaults
from ..model.evalset import Gate
from ..model.verdict import Verdict
from ..stats.arrays import Floats, Ints
from ..stats.draws import Words
from ..stats.urn import Urn, fall_of, fallen_epochs, urn_of
from .gatelimits import gates_or_default
from .gaterows import SMALLEST_SLICE, GateRow
from .powers import groups_of
from .rownumbers import GateRows, gate_rows, tables_of
from .rowtests import Level, absolute_row, compare_row
from .sides import Side, align
from .table import ScorerTable
from .verdicts import Adjusted, RowNumbers, corrected, verdict_of

Progress = Callable[[int], None]
"""Called with the number of comparisons made since it was last called."""


@dataclass(frozen=True, slots=True)
class Suite:
    """A side as the baseline of runs to come: its rows, the scores behind them, and how they would vary.

    epochs  epochs of a new run
    gating  places of the rows that can gate (not the slices under ten cases)
    """

    rows: GateRows
    tables: Mapping[str, ScorerTable]
    urns: Mapping[str, Urn]
    epochs: int
    gating: tuple[int, ...]

    def level_of(self, row: GateRow) -> Level:
        return self.rows.level_of(row)


def suite_of(side: Side, gates: Sequence[Gate], defaults: Defaults, *, epochs: int | None = None) -> Suite:
    """Read a side as a suite; `epochs` of a new run are its own where none are given.

    Raises UsageError as `judge` does.
    """
    # Without hashes: a new run words its answers anew, and nothing is byte-identical.
    plain = Side(side.rows, side.scorers)
    rules = gates_or_default(gates, scorers=side.scorers)
    aligned = align(plain, plain)
    tables = tables_of(rules, plain, aligned)
    rows = gate_rows(rules, tables, aligned, candidate=plain, defaults=defaults)
    own = max((int(t.judged_before.max(initial=0)) for t in tables.values()), default=1)
    return Suite(
        rows=rows,
        tables=tables,
        urns={
            name: urn_of(t.before, kind=t.kind, low=t.low, high=t.high, groups=groups_of(rows, name, t))
            for name, t in tables.items()
        },
        epochs=epochs or max(1, own),
        gating=tuple(
            i
            for i, row in enumerate(rows.rows)
            if row.slice is None or _judged_cases(row, tables[row.scorer]) >= SMALLEST_SLICE
        ),
    )


def _judged_cases(row: GateRow, table: ScorerTable) -> int:
    return int(np.count_nonzero(table.judged_before[row.members]))


@dataclass(frozen=True, slots=True)
class Drawn:
    """Runs drawn for every scorer, runs x cases x epochs; `before` is None where the baseline stays."""

    after: Mapping[str, Floats]
    before: Mapping[str, Floats] | None = None


def unchanged_runs(suite: Suite, words: Words, *, runs: int) -> Drawn:
    """Draw runs in which nothing changed, to be compared with the baseline as it is."""
    return Drawn({name: urn.draw(words, runs=runs, epochs=suite.epochs) for name, urn in suite.urns.items()})


def fresh_pairs(suite: Suite, words: Words, *, runs: int) -> Drawn:
    """Draw pairs of runs in which nothing changed: a baseline drawn anew, and a run of as many epochs."""
    after, before = {}, {}
    for name, urn in suite.urns.items():
        gaps = np.isnan(suite.tables[name].before)
        width = gaps.shape[1]
        both = urn.draw(words, runs=runs, epochs=width + suite.epochs)
        before[name] = np.where(gaps, np.nan, both[:, :, :width])
        after[name] = both[:, :, width:]
    return Drawn(after, before)


def dropped_runs(suite: Suite, row: GateRow, after: Floats, words: Words, *, delta: float) -> Floats | None:
    """Take a true drop of `delta` from the row's cases; None where its mean has no room for it."""
    table, urn = suite.tables[row.scorer], suite.urns[row.scorer]
    fall = fall_of(urn.part(judged_members(row, table)), delta=delta, kind=table.kind, low=table.low)
    if fall is None:
        return None
    here = after[:, row.members]
    runs, cases, epochs = here.shape
    hit = fallen_epochs(words, runs=runs, cases=cases, epochs=epochs, share=fall.share, strength=urn.strength)
    fallen = after.copy()
    fallen[:, row.members] = here - hit * fall.of(here, low=table.low)
    return fallen


def judged_members(row: GateRow, table: ScorerTable) -> Ints:
    """Return the places of the row's cases that the baseline has a score of."""
    found: Ints = row.members[table.judged_before[row.members] > 0]
    return found


def numbers_in(
    suite: Suite, row: GateRow, *, after: Floats, before: Floats | None = None, level: Level | None = None
) -> RowNumbers:
    """Compute one row of one drawn run, cases x epochs, as `judge` would."""
    table = suite.tables[row.scorer]
    drawn = rescored(table, after=after, before=table.before if before is None else before)
    level = level or suite.level_of(row)
    return RowNumbers(
        row=row,
        scale=(table.low, table.high),
        comparability="yes",
        comparison=compare_row(row, drawn, level=level, foresee=False),
        absolute=absolute_row(row, drawn, level=level) if row.min is not None else None,
        size=_judged_cases(row, table),
        planned=int(drawn.planned[row.members].sum()),
        judged=int(drawn.planned[row.members].sum()),
    )


def rescored(table: ScorerTable, *, after: Floats, before: Floats) -> ScorerTable:
    """Return the table with other scores of the same cases; all epochs of `after` were planned."""
    return replace(
        table,
        after=after,
        before=before,
        planned=np.full(after.shape[0], after.shape[1], dtype=np.int64),
        judged_after=_judged(after),
        judged_before=_judged(before),
    )


def _judged(scores: Floats) -> Ints:
    counts: Ints = np.sum(~np.isnan(scores), axis=1).astype(np.int64)
    return counts


def all_numbers(suite: Suite, drawn: Drawn, progress: Progress) -> list[list[RowNumbers]]:
    """Compute every row of every drawn run."""
    runs = next(iter(drawn.after.values())).shape[0] if drawn.after else 0
    found = []
    for run in range(runs):
        found.append(
            [
                numbers_in(
                    suite,
                    row,
                    after=drawn.after[row.scorer][run],
                    before=None if drawn.before is None else drawn.before[row.scorer][run],
                )
                for row in suite.rows.rows
            ]
        )
        progress(len(suite.rows.rows))
    return found


def verdicts_in(numbers: Sequence[RowNumbers], *, settled: Sequence[Acceptance] = ()) -> list[Verdict]:
    """Decide one drawn run, all rows together; `settled` is what the baseline was accepted with."""
    return [
        verdict_of(one, adjusted, accepts=(), settled=settled, trusted=True)
        for one, adjusted in zip(numbers, corrected(numbers), strict=True)
    ]


def verdict_alone(one: RowNumbers, *, level: Level) -> Verdict:
    """Decide one row at its own share of alpha, as it stands when no other row rejects."""
    p = one.comparison.p if one.comparison else None
    adjusted = Adjusted() if p is None else Adjusted(min(1.0, p * level.alpha / level.share))
    return verdict_of(one, adjusted, accepts=(), settled=(), trusted=True)
