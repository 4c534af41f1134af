"""Adaptive epochs: look after every round, stop a row at a clear verdict, say which cases to draw again.

A pure replay: given what was drawn so far it goes through all looks from the first one, so that pytest while
it runs and `aioncall gate` a month later come to the same verdicts. A row that was clear at its look keeps
that verdict, whatever later rounds of other rows add to its cases: looking again would be a second chance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist

import numpy as np

from ..model.baseline import Acceptance
from ..model.config import Defaults
from ..model.evalset import EpochRange, Gate
from ..model.verdict import Rounds, Stopped, Verdict
from ..stats.passbound import quantile
from ..stats.power import plain_within
from ..stats.spending import Spending, late
from .gaterows import GateRow
from .rownumbers import GateRows, gate_rows, numbers_of, tables_of
from .rowtests import (
    DifferenceSpread,
    Level,
    absolute_row,
    difference_spread,
    is_repeated,
    repeat_se,
)
from .sides import Alignment, Side, align, first_epochs
from .table import ScorerTable
from .verdicts import Adjusted, RowNumbers, p_below_min, verdict_of

MOST_LOOKS = 5
DRAWN_AGAIN = ("no_drop_seen", "suspected", "one_epoch", "min_undecided", "too_small_to_test")
"""Reasons of an open row that another epoch may change."""
HOPELESS = 0.01
"""A row whose chances to pass and to turn red by `max` are both below this is drawn no further."""
MOST_SHARE = 0.95
"""What a look before the last may take for all information: cases that never varied may begin to."""
LEAST_LEVEL = 1e-9
"""Stands for level 0, of a look that may stop nothing: bounds have to stay finite."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What all looks so far came to.

    numbers  of every row at the look that its verdict is from
    wanted   cases to draw once more, up to `next_epochs` each; empty where nothing is to be drawn
    """

    verdicts: tuple[Verdict, ...]
    numbers: tuple[RowNumbers, ...]
    rounds: Rounds
    wanted: tuple[str, ...] = ()
    next_epochs: int = 0


def looks_of(plan: EpochRange) -> tuple[int, ...]:
    """Return the numbers of epochs after which to look: every round, or 5 spread evenly from min to max."""
    rounds = plan.max - plan.min + 1
    if rounds <= MOST_LOOKS:
        return tuple(range(plan.min, plan.max + 1))
    step = (plan.max - plan.min) / (MOST_LOOKS - 1)
    return tuple(plan.min + round(step * look) for look in range(MOST_LOOKS))


def decide_in_rounds(
    rules: Sequence[Gate],
    *,
    candidate: Side,
    baseline: Side,
    plan: EpochRange,
    defaults: Defaults,
    accepts: Sequence[Acceptance] = (),
    settled: Sequence[Acceptance] = (),
    trusted: bool = True,
) -> Decided:
    """Go through the looks that the candidate's epochs allow, and decide every row.

    Each row spends its alpha over the looks (Lan-DeMets): a drop its Bonferroni share of the family, for Holm
    cannot be stepped through while rounds run; a pass its whole alpha, since all rows have to pass. The
    information is 1/Var(difference), so a suite whose cases differ much has most of it after one epoch.
    The looks end when a gating row is red, when all are clear, at `max`, when no further epoch can help, or
    where the candidate has no more epochs.
    """
    looks = _Looks(rules, candidate, baseline, plan, defaults)
    every = looks_of(plan)
    clear: dict[int, _Row] = {}
    current: list[_Row] = []
    stopped: Stopped = "open"
    open_rows, at = list[int](), 0
    for at, epochs in enumerate(every):
        if at and not looks.reached(epochs, [current[i].row for i in open_rows]):
            at -= 1
            break
        current = looks.look(epochs, last=epochs == plan.max, clear=clear)
        for i, one in enumerate(current):
            one.decide(accepts=accepts, settled=settled, trusted=trusted)
            # A regression that is accepted gates nothing, and is clear all the same.
            if one.verdict.status in ("pass", "regressed"):
                clear.setdefault(i, one)
        if any(one.verdict.gating and one.verdict.status == "regressed" for one in current):
            stopped = "red"
            break
        if all(one.verdict.status == "pass" for one in current if one.verdict.gating):
            stopped = "decided"
            break
        if epochs == plan.max:
            stopped = "max"
            break
        open_rows = [i for i, one in enumerate(current) if _may_change(one) and not one.hopeless]
        if not open_rows:
            stopped = "no_use"
            break
    wanted = looks.cases_of([current[i].row for i in open_rows]) if stopped == "open" else ()
    drawn = [candidate.planned(row) for row in candidate.rows]
    return Decided(
        verdicts=tuple(one.verdict for one in current),
        numbers=tuple(one.numbers for one in current),
        rounds=Rounds(
            min=plan.min,
            max=plan.max,
            epochs=every[at],
            looks=at + 1,
            samples=sum(drawn),
            samples_at_max=plan.max * len(drawn),
            stopped=stopped,
        ),
        wanted=wanted,
        next_epochs=every[at + 1] if wanted else 0,
    )


def _may_change(one: _Row) -> bool:
    return (
        one.verdict.gating
        and one.verdict.status not in ("pass", "regressed")
        and (one.verdict.reason in DRAWN_AGAIN)
    )


@dataclass(slots=True)
class _Row:
    """One row at one look."""

    row: GateRow
    numbers: RowNumbers
    adjusted: Adjusted
    epochs: int
    hopeless: bool
    decided: Verdict | None = None

    @property
    def verdict(self) -> Verdict:
        assert self.decided is not None  # noqa: S101 - decide() came first
        return self.decided

    def decide(self, *, accepts: Sequence[Acceptance], settled: Sequence[Acceptance], trusted: bool) -> None:
        """Decide the row, once; it says after how many epochs, and its interval is the one of its look."""
        if self.decided is None:
            found = verdict_of(self.numbers, self.adjusted, accepts=accepts, settled=settled, trusted=trusted)
            self.decided = found.model_copy(update={"epochs": self.epochs})


@dataclass(frozen=True, slots=True)
class _Spent:
    """What one row spends over the looks: on a drop, on a pass, and on lying below or above a minimum."""

    drop: Spending
    hold: Spending
    below: Spending
    above: Spending

    @classmethod
    def of(cls, row: GateRow, rows: GateRows, *, limited: int) -> _Spent:
        return cls(
            drop=Spending(rows.level_of(row).share),
            hold=Spending(row.alpha, late),
            below=Spending(row.alpha / limited),
            above=Spending(row.alpha, late),
        )


@dataclass(slots=True)
class _Looks:
    """Computes the rows look by look."""

    rules: Sequence[Gate]
    candidate: Side
    baseline: Side
    plan: EpochRange
    defaults: Defaults
    _spent: dict[int, _Spent] = field(default_factory=dict)
    _aligned: Alignment | None = None
    _tables: Mapping[str, ScorerTable] = field(default_factory=dict)

    def look(self, epochs: int, *, last: bool, clear: Mapping[int, _Row]) -> list[_Row]:
        """Return every row after `epochs` epochs; rows that are clear already as they were."""
        side = first_epochs(self.candidate, epochs)
        self._aligned = align(side, self.baseline)
        self._tables = tables_of(self.rules, side, self._aligned)
        rows = gate_rows(self.rules, self._tables, self._aligned, candidate=side, defaults=self.defaults)
        limited = sum(row.min is not None for row in rows.rows)
        return [
            clear[i]
            if i in clear
            else self._at(i, row, rows, side, epochs=epochs, last=last, limited=max(1, limited))
            for i, row in enumerate(rows.rows)
        ]

    def _at(
        self, i: int, row: GateRow, rows: GateRows, side: Side, *, epochs: int, last: bool, limited: int
    ) -> _Row:
        table = self._tables[row.scorer]
        spent = self._spent.setdefault(i, _Spent.of(row, rows, limited=limited))
        spread = None if last else difference_spread(row, table)
        share = self._share_of_difference(spread) if spread else float(last)
        drop, hold = spent.drop.level_at(share), spent.hold.level_at(share)
        # The row at this look's own level: what says alpha of it, and its interval, mean that one.
        now = replace(row, alpha=max(hold, LEAST_LEVEL))
        level = Level(now.alpha, max(drop, LEAST_LEVEL) / 20, max(drop, LEAST_LEVEL))
        numbers = numbers_of(now, table, candidate=side, baseline=self.baseline, level=level)
        adjusted = _adjusted(numbers, drop=drop)
        if row.min is not None and numbers.absolute is not None:
            own = 1.0 if last else self._share_of_mean(row, table, se=numbers.absolute.bound.se)
            below, above = spent.below.level_at(own), spent.above.level_at(own)
            bounded = absolute_row(now, table, level=replace(level, alpha=max(above, LEAST_LEVEL)))
            numbers = replace(numbers, absolute=bounded)
            scaled = p_below_min(numbers) * now.alpha / below if below > 0 else 1.0
            adjusted = replace(adjusted, below_min=min(1.0, scaled))
        hopeless = spread is not None and self._is_hopeless(
            row, table, spread, share=share, level=rows.level_of(row)
        )
        return _Row(row, numbers, adjusted, epochs, hopeless)

    def _share_of_difference(self, spread: DifferenceSpread) -> float:
        pure = spread.claim == "these-cases"
        if pure and not (is_repeated(spread.before) and is_repeated(spread.after)):
            return 0.0  # nothing is tested yet, so nothing is spent
        return _share(spread.se, spread.after, spread.before, plan=self.plan, pure=pure)

    def _is_hopeless(
        self, row: GateRow, table: ScorerTable, spread: DifferenceSpread, *, share: float, level: Level
    ) -> bool:
        """Tell whether neither a pass nor a drop is in sight, given what the difference is now.

        The difference at `max` is predicted as N(D, Var(D now) - Var(D at max)), from a flat prior. More
        epochs wear down the noise of repeating and leave the differences between cases. Giving up calls the
        row inconclusive, which is neither an alarm nor a pass, so no error rate grows by it.
        """
        if share <= 0 or row.min is not None:
            return False
        pure = spread.claim == "these-cases"
        if pure:
            width = spread.after.shape[1]
            repeated = np.tile(spread.after, (1, -(-self.plan.max // width)))[:, : self.plan.max]
            at_max = repeat_se(spread.before, repeated, table)
        else:
            at_max = spread.se * math.sqrt(share)
        to_come = max(at_max * math.sqrt(1 / share - 1), 1e-12)
        pass_line = quantile(1 - row.alpha, df=math.inf) * at_max - row.margin
        fall_line = quantile(1 - level.share, df=math.inf) * at_max
        if pure:
            fall_line = max(fall_line, row.margin)
        may_pass = NormalDist().cdf((spread.difference - pass_line) / to_come)
        may_fall = NormalDist().cdf((-fall_line - spread.difference) / to_come)
        return bool(max(may_pass, may_fall) < HOPELESS)

    def _share_of_mean(self, row: GateRow, table: ScorerTable, *, se: float) -> float:
        here = row.members[table.judged_after[row.members] > 0]
        return _share(se, table.after[here], None, plan=self.plan, pure=False)

    def reached(self, epochs: int, rows: Sequence[GateRow]) -> bool:
        """Tell whether every case of the open rows was drawn that often."""
        wanted = set(self.cases_of(rows))
        return all(self.candidate.planned(row) >= epochs for row in self.candidate.rows if row.case in wanted)

    def cases_of(self, rows: Sequence[GateRow]) -> tuple[str, ...]:
        """Return the cases of some rows, each once, in the order of the candidate; compared ones only."""
        assert self._aligned is not None  # noqa: S101 - look() came first
        places: set[int] = set()
        for row in rows:
            table = self._tables[row.scorer]
            members = row.members if row.min is not None else row.members[table.paired[row.members]]
            places.update(table.place[members].tolist())
        return tuple(self._aligned.rows[place].case for place in sorted(places))


def _adjusted(numbers: RowNumbers, *, drop: float) -> Adjusted:
    """Scale p so that `adjusted <= alpha`, the row's at this look, iff p reaches the level `drop`."""
    found = numbers.comparison
    if found is None or found.p is None:
        return Adjusted()
    if drop <= 0:
        return Adjusted(1.0)
    return Adjusted(min(1.0, found.p * numbers.row.alpha / drop), testable=found.p_min <= drop)


def _share(se: float, after: np.ndarray, before: np.ndarray | None, *, plan: EpochRange, pure: bool) -> float:
    """Return t = Var(D at max)/Var(D now), rounded down to 3 digits.

    after, before  scores, cases x epochs, NaN where a sample has none; `before` None: a mean by itself
    pure           only repeating is random, so t follows from the numbers of epochs
    Var(D) = b + w_B/r_B + w_C/r_C; drawing more epochs takes w_C (1/r_C - 1/r_max) off it. Where no case was
    repeated w is unknown: then all of the variance is taken for noise. A t that is too small is the safe
    side, for it makes the looks seem less alike than they are.
    """
    now = np.sum(~np.isnan(after), axis=1)
    drawn = float((1 / now).mean())
    at_max = 1 / plan.max
    then = 0.0
    if before is not None:
        counts = np.sum(~np.isnan(before), axis=1)
        then = float((1 / counts).mean())
    least = (then + at_max) / (then + drawn)
    if pure or se <= 0:
        share = least
    else:
        asked = (plain_within(after), None if before is None else plain_within(before))
        noises = [w for w in asked if w is not None]
        if not noises:
            share = least
        else:
            worn = float(np.mean(noises)) / now.size * (drawn - at_max)
            share = max(least, 1 - worn / se**2)
    return float(np.floor(min(MOST_SHARE, max(share, 0.001)) * 1000) / 1000)
