"""What can this suite see? New runs are drawn from the baseline's own scores and judged by the gate."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..model.baseline import Acceptance
from ..model.config import Defaults
from ..model.evalset import Gate
from ..model.frozen import canonical_json
from ..model.selfcheck import FloorChances, SelfCheck
from ..model.spelling import slice_name
from ..model.verdict import Floor, Power, Verdict
from ..stats.arrays import Floats
from ..stats.draws import Words
from ..stats.foresight import POWER
from .chances import floor_chances
from .plans import Costs, plans_of
from .powers import power_of
from .rehearsal import (
    Progress,
    Suite,
    all_numbers,
    dropped_runs,
    fresh_pairs,
    judged_members,
    numbers_in,
    suite_of,
    unchanged_runs,
    verdicts_in,
)
from .rowtests import is_repeated
from .sides import Side
from .verdicts import RowNumbers

RUNS, FEW_RUNS = 300, 100
# Above this many drawn labels a permutation test takes tens of milliseconds, and runs are halved and more.
_DEAR_LABELS = 100


@dataclass(frozen=True, slots=True)
class SelfCheckRequest:
    """What is asked of a self-check.

    epochs          of a new run; None: as many as the baseline has
    epochs_are_most they are the `max` of a range
    runs            simulated runs; None: 300, or 100 where the tests have to draw their nulls
    calls           calls a sample takes: the target's and those of the judges
    cost_usd        what a sample costs, where it is known better than from the side's own rows
    settled         regressions that the baseline was accepted with
    baseline        what the baseline is called on screens
    """

    evalset: str
    gates: Sequence[Gate]
    defaults: Defaults
    baseline: str = ""
    epochs: int | None = None
    epochs_are_most: bool = False
    runs: int | None = None
    calls: int = 1
    cost_usd: float | None = None
    floors: Sequence[Floor] = ()
    settled: Sequence[Acceptance] = ()
    plans: bool = True


def _quiet(made: int) -> None:
    """Take no notice of progress."""


def self_check(side: Side, request: SelfCheckRequest, *, progress: Progress = _quiet) -> SelfCheck:
    """Simulate runs against `side` and tell what its gates would make of them.

    Same side and same request, same numbers: the seed is made of the scores. Raises UsageError as
    `judge` does.
    """
    suite = suite_of(side, request.gates, request.defaults, epochs=request.epochs)
    seed = seed_of(side)
    words = Words(seed=seed)
    runs = request.runs or _runs_for(suite)
    still = unchanged_runs(suite, words, runs=runs)
    numbers = all_numbers(suite, still, progress)
    verdicts = [verdicts_in(one, settled=request.settled) for one in numbers]
    pairs = all_numbers(suite, fresh_pairs(suite, words, runs=runs), progress)
    fresh = [verdicts_in(one, settled=request.settled) for one in pairs]
    powers = [
        _power(
            suite,
            at,
            numbers,
            verdicts,
            words,
            after=still.after[suite.rows.rows[at].scorer],
            progress=progress,
        )
        for at in suite.gating
    ]
    known = cost_of_a_sample(side) if request.cost_usd is None else request.cost_usd
    costs = Costs(calls=request.calls, cost_usd=known)
    cases = len(side.rows)
    return SelfCheck(
        evalset=request.evalset,
        baseline=request.baseline,
        cases=cases,
        epochs=suite.epochs,
        epochs_are_most=request.epochs_are_most,
        runs=runs,
        seed=seed,
        alpha=request.defaults.alpha,
        calls_per_sample=request.calls,
        cost_usd=costs.of(cases * suite.epochs),
        alarm_any=_share([any(_is_red(v) for v in run) for run in verdicts]),
        alarm_any_fresh=_share([any(_is_red(v) for v in run) for run in fresh]),
        alarms_fresh=tuple(_share([_is_red(run[at]) for run in fresh]) for at in suite.gating),
        inconclusive_any=_share([_is_open_run(run) for run in verdicts]),
        powers=tuple(powers),
        small_slices=tuple(_small_slices(suite)),
        plans=tuple(
            plans_of(suite, powers, costs=costs, cases=cases, seed=seed, progress=progress)
            if request.plans
            else ()
        ),
        floors=_floors(request.floors),
        notes=tuple(_notes(suite, powers)),
    )


def seed_of(side: Side) -> int:
    """Return a seed made of cases and scores: the same baseline gives the same numbers everywhere."""
    content = [[row.case, row.scores] for row in sorted(side.rows, key=lambda row: row.case)]
    return int(hashlib.sha256(canonical_json(content).encode()).hexdigest()[:12], 16)


def cost_of_a_sample(side: Side) -> float | None:
    """Return the mean cost of the samples whose cost is known; None where it is of none."""
    known = [cost for row in side.rows for cost in row.cost_usd if cost is not None]
    return sum(known) / len(known) if known else None


def _runs_for(suite: Suite) -> int:
    """Return how many runs are worth their time: fewer where *these cases* have scores off every lattice."""
    for at in suite.gating:
        row = suite.rows.rows[at]
        table = suite.tables[row.scorer]
        members = judged_members(row, table)
        if table.kind.kind == "continuous" and members.size * suite.epochs > _DEAR_LABELS:
            return FEW_RUNS
    return RUNS


def _power(
    suite: Suite,
    at: int,
    numbers: Sequence[Sequence[RowNumbers]],
    verdicts: Sequence[Sequence[Verdict]],
    words: Words,
    *,
    after: Floats,
    progress: Progress,
) -> Power:
    """Measure one row. Its drop leaves the other rows as they are, so that none of them helps it."""
    row = suite.rows.rows[at]
    table = suite.tables[row.scorer]
    urn = suite.urns[row.scorer]
    reckoned = power_of(
        row, table, urn, judged_members(row, table), level=suite.level_of(row), epochs=suite.epochs
    )
    shares: list[float | None] = []
    for times in (1, 2):
        dropped = dropped_runs(suite, row, after, words, delta=times * row.margin) if row.margin else None
        if dropped is None or reckoned.alarm is None:
            shares.append(None)
            continue
        red = []
        for run, scores in enumerate(dropped):
            others = list(numbers[run])
            others[at] = numbers_in(suite, row, after=scores)
            red.append(_is_red(verdicts_in(others)[at]))
            progress(1)
        shares.append(_share(red))
    blind = reckoned.alarm is None
    return reckoned.model_copy(
        update={
            "alarm": None if blind else _share([_is_red(run[at]) for run in verdicts]),
            "at_margin": shares[0],
            "at_twice": shares[1],
            "inconclusive": _share([run[at].status in ("inconclusive", "too_small") for run in verdicts]),
            "simulated": True,
        }
    )


def _is_red(verdict: Verdict) -> bool:
    return verdict.gating and verdict.status == "regressed"


def _is_open_run(run: Sequence[Verdict]) -> bool:
    gating = [v for v in run if v.gating]
    return not any(map(_is_red, gating)) and any(v.status != "pass" for v in gating)


def _share(hits: Sequence[bool]) -> float:
    return round(float(np.mean(hits)), 4) if len(hits) else 0.0


def _small_slices(suite: Suite) -> list[str]:
    names = []
    for at, row in enumerate(suite.rows.rows):
        if at not in suite.gating and row.slice is not None:
            part = slice_name(row.slice)
            names.append(f"{row.scorer} {part} ({judged_members(row, suite.tables[row.scorer]).size} cases)")
    return names


def _floors(floors: Sequence[Floor]) -> FloorChances | None:
    return floor_chances(floors) if floors else None


def _notes(suite: Suite, powers: Sequence[Power]) -> list[str]:
    notes = []
    seen = [one.at_margin for one in powers if one.claim == "these-cases" and one.at_margin is not None]
    if seen and min(seen) < POWER:
        notes.append(
            "a row on these cases (under 50 cases or 8 clusters) is red only where the estimate itself is at "
            "the margin or beyond, which a true drop of just the margin does half the time at best"
        )
    for name, table in suite.tables.items():
        judged = table.before[table.judged_before > 0]
        if judged.shape[0] and not is_repeated(judged):
            notes.append(
                f"{name}: the baseline has one epoch, so its noise is a guess, "
                "and rows on these cases see nothing; run 3 epochs"
            )
    return notes
