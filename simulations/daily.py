"""Years of daily runs, with and without a change: what the daily monitor pages, and how soon.

Every year goes run by run through the monitor's own code. Its seed is its scenario's name and its number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import numpy as np

from pytest_aioncall.decide.compare import judge
from pytest_aioncall.decide.monitor.budget import Budget, budgets
from pytest_aioncall.decide.monitor.fold import Fold
from pytest_aioncall.decide.monitor.looks import Look
from pytest_aioncall.decide.sides import Side
from pytest_aioncall.model.baseline import CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import Gate
from pytest_aioncall.model.history import CaseDay, EvalsetDay, HistoryEntry, MeanRow
from pytest_aioncall.model.oncall import Monitors
from pytest_aioncall.model.verdict import Verdict

from .worlds import (
    CASE_SD,
    GRADED_MEAN,
    MARGIN,
    SCALE,
    Floats,
    Kind,
    flaky,
    graded_shift,
    level_of_mean,
    sampled,
)

SEED = 20_261_123
FIRST = "e0"
START = date(2026, 1, 1)
YEAR = 365
BASELINE = {"commit": "a1b2c3d"}


@dataclass(frozen=True, slots=True)
class Daily:
    """One scenario.

    cases      of each evalset; `epochs` samples of each a day
    evalsets   how many there are, `scorers` in each: all of them independent, so the most series there can be
    drop       by which the mean of the first scorer of the first evalset falls after the reference, on 1-5;
               0: nothing ever changes
    lasts      days until it is back; None: for ever
    reference  days of the frozen reference; `fewest` days of the one that is learned
    gate       the gate against one run of before speaks, too, and the history tells the single cases
    watched    days that are counted, after the reference (or after `fewest` days, where `from_fewest`)
    """

    name: str
    kind: Kind = "graded"
    cases: int = 200
    epochs: int = 1
    evalsets: int = 1
    scorers: int = 1
    drop: float = 0.0
    lasts: int | None = None
    reference: int = 30
    fewest: int = 14
    from_fewest: bool = False
    pages: float = 2.0
    gate: bool = False
    watched: int = YEAR

    @property
    def monitors(self) -> Monitors:
        """Return the settings."""
        return Monitors(
            false_pages_per_year=self.pages, reference_days=self.reference, reference_days_min=self.fewest
        )

    @property
    def first(self) -> int:
        """Return the first day that is counted."""
        return self.fewest if self.from_fewest else self.reference


@dataclass(slots=True)
class Seen:
    """What one year gave, all evalsets together. Days count from the first one that is counted.

    pages    episodes that paged (tier 1), tickets those that did not
    delay    day of the first page after the change, counted from 1; None where there was none
    closed   times that an episode ended while the drop lasted
    ended    days from the end of the drop to the end of the episode
    bad_days days within an episode
    fixed_2sd, fixed_5, rolling  pages of what is used instead (see `_common`)
    """

    pages: int = 0
    tickets: int = 0
    delay: int | None = None
    closed: int = 0
    ended: int | None = None
    bad_days: int = 0
    fixed_2sd: int = 0
    fixed_5: int = 0
    rolling: int = 0


def year(scenario: Daily, number: int) -> Seen:
    """Simulate one year."""
    rng = np.random.default_rng([SEED, number, *scenario.name.encode()])
    days = scenario.first + scenario.watched
    seen = Seen()
    parts = [list(_evalset(rng, scenario, name=f"e{at}", days=days)) for at in range(scenario.evalsets)]
    shares = _budget(scenario, [part[0] for part in parts])
    for part in parts:
        _follow(scenario, part, shares, seen)
        _common(scenario, part, seen)
    return seen


def _budget(scenario: Daily, firsts: list[EvalsetDay]) -> Budget:
    entry = HistoryEntry(run="r", created_at=_stamp(0), day=_day(0), evalsets=tuple(firsts))
    return budgets([entry], pages_per_year=scenario.pages)[0]


@cache
def _day(number: int) -> str:
    return (START + timedelta(days=number)).isoformat()


def _stamp(number: int) -> str:
    return f"{_day(number)}T03:17:00Z"


def _evalset(rng: np.random.Generator, scenario: Daily, *, name: str, days: int) -> Iterator[EvalsetDay]:
    """Yield an evalset's days: the same cases, and the noise of answering them anew."""
    truths = [_truth(rng, scenario) for _ in range(scenario.scorers)]
    baseline = None
    if scenario.gate:
        before = [sampled(rng, truth, kind=scenario.kind, epochs=scenario.epochs) for truth in truths]
        baseline = _side(before, scenario)
    for day in range(days):
        fallen = (
            name == FIRST
            and scenario.drop
            and day >= scenario.first
            and (scenario.lasts is None or day < scenario.first + scenario.lasts)
        )
        shift = graded_shift(scenario.drop) if fallen else 0.0
        scores = [
            sampled(rng, truth - (0 if at else shift), kind=scenario.kind, epochs=scenario.epochs)
            for at, truth in enumerate(truths)
        ]
        verdicts = _verdicts(scores, baseline, scenario) if baseline is not None else ()
        yield EvalsetDay.model_construct(
            evalset=name,
            judged=True,
            status="regressed" if any(v.status == "regressed" for v in verdicts) else "pass",
            verdicts=verdicts,
            baseline=BASELINE,
            rows=tuple(_row(f"s{at}", one, scenario) for at, one in enumerate(scores)),
            planned=scenario.cases * scenario.epochs,
            judged_samples=scenario.cases * scenario.epochs,
            cases=_cases(scores) if scenario.gate else (),
        )


def _cases(scores: list[Floats]) -> tuple[CaseDay, ...]:
    """Return the cases of a day as the history keeps them, built without validation: there are millions."""
    named = [(f"s{which}", one.tolist()) for which, one in enumerate(scores)]
    return tuple(
        CaseDay.model_construct(
            case=f"c{at}",
            digest="d",
            slices={},
            scores={name: tuple(values[at]) for name, values in named},
            labels={},
            features={},
            errors=0,
        )
        for at in range(scores[0].shape[0])
    )


def _truth(rng: np.random.Generator, scenario: Daily) -> Floats:
    if scenario.kind == "binary":
        return flaky(rng, scenario.cases)
    return rng.normal(level_of_mean(GRADED_MEAN), CASE_SD, scenario.cases)


def _row(name: str, scores: Floats, scenario: Daily) -> MeanRow:
    number = scenario.cases * scenario.epochs
    return MeanRow(
        scorer=name,
        scale=SCALE[scenario.kind],
        mean=float(scores.mean()),
        n_cases=scenario.cases,
        judged=number,
        planned=number,
    )


def _side(scores: list[Floats], scenario: Daily) -> Side:
    rows = tuple(
        CaseRow(
            case=f"c{at}",
            digest="d",
            scores={f"s{which}": tuple(map(float, one[at])) for which, one in enumerate(scores)},
        )
        for at in range(scenario.cases)
    )
    info = ScorerInfo(kind="sim", scale=SCALE[scenario.kind], hash="h")
    return Side(rows=rows, scorers={f"s{which}": info for which in range(len(scores))})


def _verdicts(scores: list[Floats], baseline: Side, scenario: Daily) -> tuple[Verdict, ...]:
    gates = [Gate(scorer=f"s{which}", margin=MARGIN[scenario.kind]) for which in range(len(scores))]
    judged = judge(
        _side(scores, scenario),
        baseline,
        evalset="e",
        gates=gates,
        defaults=Defaults(),
        max_error_rate=0.02,
    )
    return tuple(v for v in judged.verdicts if v.status != "pass")


def _follow(scenario: Daily, part: list[EvalsetDay], budget: Budget, seen: Seen) -> None:
    """Lead one evalset through the monitor, and count."""
    fold = Fold(scenario.monitors)
    paged = opened = False
    for number, one in enumerate(part):
        entry = HistoryEntry(run=f"r{number}", created_at=_stamp(number), day=_day(number), evalsets=(one,))
        fold.look(Look(entry, one), budget=budget)
        is_open = fold.episodes.open is not None
        counts = number >= scenario.first
        seen.bad_days += is_open and counts
        if opened and not is_open:
            _ended(scenario, seen, number, paged=paged, counts=counts)
            paged = False
        opened = is_open
        if is_open and not paged and any(alert.tier == 1 for alert in fold.alerts):
            paged = True
            if counts:
                seen.pages += 1
                if seen.delay is None:
                    seen.delay = number - scenario.first + 1
    seen.tickets += opened and not paged


def _ended(scenario: Daily, seen: Seen, number: int, *, paged: bool, counts: bool) -> None:
    if not counts:
        return
    since = number - scenario.first
    seen.tickets += not paged
    if not scenario.drop:
        return
    if scenario.lasts is None or since < scenario.lasts:
        seen.closed += 1
    elif seen.ended is None and paged:
        seen.ended = since - scenario.lasts + 1


def _common(scenario: Daily, part: list[EvalsetDay], seen: Seen) -> None:
    """Count what is used instead: 2 sd below the reference, 5 % below it, 5 % below the last seven days.

    Days in a row that ring count as one page.
    """
    for at in range(scenario.scorers):
        means = np.array([one.rows[at].mean or 0.0 for one in part])
        reference, rest = means[: scenario.first], means[scenario.first :]
        mu, sd = float(reference.mean()), float(reference.std(ddof=1))
        rolled = np.convolve(means, np.ones(7) / 7, mode="valid")[scenario.first - 7 : -1]
        seen.fixed_2sd += _starts(rest < mu - 2 * sd)
        seen.fixed_5 += _starts(rest < 0.95 * mu)
        width = float(np.std(means[: scenario.first], ddof=1)) * math.sqrt(1 + 1 / 7)
        seen.rolling += _starts(rest < rolled - 2 * width)


def _starts(rings: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> int:
    return int(np.count_nonzero(rings & ~np.concatenate([[False], rings[:-1]])))
