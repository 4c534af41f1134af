"""Adaptive epochs as a pure function: which rows are clear, which cases are drawn again, and when it ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_aioncall.decide.compare import Side, judge
from pytest_aioncall.decide.rounds import Decided, decide_in_rounds, looks_of
from pytest_aioncall.decide.sides import first_epochs
from pytest_aioncall.model.baseline import CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import EpochRange, Gate

PLAN = EpochRange(min=1, max=5)
ROUTE = Gate(scorer="route")
SLICED = Gate(scorer="route", slices=("part",))


def side(scores: np.ndarray, *, parts: Sequence[str] = ()) -> Side:
    rows = tuple(
        CaseRow(
            case=f"c{i:04}",
            digest="d",
            slices={"part": parts[i]} if parts else {},
            scores={"route": tuple(None if np.isnan(v) else float(v) for v in one)},
        )
        for i, one in enumerate(scores)
    )
    return Side(rows=rows, scorers={"route": ScorerInfo(kind="exact", hash="h")})


def flaky(cases: int, epochs: int, *, rate: float, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).random((cases, epochs)) < rate).astype(float)


def decided(
    candidate: Side, baseline: Side, *, gates: Sequence[Gate] = (ROUTE,), plan: EpochRange = PLAN
) -> Decided:
    return decide_in_rounds(gates, candidate=candidate, baseline=baseline, plan=plan, defaults=Defaults())


def drawn(world: Side, baseline: Side, **asked: object) -> tuple[Decided, Side]:
    """Draw round by round out of a world that has every epoch, as a run does; return the end of it."""
    epochs = {row.case: PLAN.min for row in world.rows}
    while True:
        rows = tuple(
            row.model_copy(update={"scores": {"route": row.scores["route"][: epochs[row.case]]}})
            for row in world.rows
        )
        now = Side(rows=rows, scorers=world.scorers)
        found = decided(now, baseline, **asked)  # type: ignore[arg-type]
        if not found.wanted:
            return found, now
        for case in found.wanted:
            epochs[case] = found.next_epochs


@pytest.mark.parametrize(
    ("least", "most", "looks"),
    [
        (1, 5, (1, 2, 3, 4, 5)),
        (2, 5, (2, 3, 4, 5)),
        (3, 3, (3,)),
        (1, 20, (1, 6, 11, 15, 20)),
        (2, 1000, (2, 252, 501, 750, 1000)),
    ],
)
def test_there_are_five_looks_at_most(least: int, most: int, looks: tuple[int, ...]) -> None:
    assert looks_of(EpochRange(min=least, max=most)) == looks


def test_equal_answers_are_clear_after_the_first_round() -> None:
    steady = np.ones((200, 5))
    found, _ = drawn(side(steady), side(steady))
    assert (found.rounds.stopped, found.rounds.epochs) == ("decided", 1)
    assert found.rounds.saved == 800


def test_a_broken_suite_is_red_after_the_first_round() -> None:
    found, _ = drawn(side(np.zeros((200, 5))), side(np.ones((200, 5))))
    assert (found.rounds.stopped, found.rounds.epochs) == ("red", 1)
    assert found.verdicts[0].status == "regressed"


def test_small_suites_are_not_tested_before_two_epochs() -> None:
    """*These cases* with one epoch cannot tell noise from change, so nothing is spent on that look."""
    world, before = side(np.zeros((12, 5))), side(np.ones((12, 5)))
    found, _ = drawn(world, before)
    assert (found.rounds.stopped, found.rounds.epochs) == ("red", 2)


def test_only_the_cases_of_open_rows_are_drawn_again() -> None:
    """Whole rounds: every case of an open row, whatever its own result, and no other case."""
    parts = ["steady"] * 400 + ["shaky"] * 60
    before = np.vstack([np.ones((400, 5)), flaky(60, 5, rate=0.8, seed=1)])
    world = np.vstack([np.ones((400, 5)), flaky(60, 5, rate=0.75, seed=2)])
    first = first_epochs(side(world, parts=parts), 1)
    found = decided(first, side(before, parts=parts), gates=[SLICED])
    status = {(v.slice or {}).get("part", "all"): v.status for v in found.verdicts}
    assert status == {"all": "pass", "steady": "pass", "shaky": "inconclusive"}
    assert set(found.wanted) == {f"c{i:04}" for i in range(400, 460)}
    assert found.next_epochs == 2


def test_a_row_keeps_the_verdict_of_the_look_at_which_it_was_clear() -> None:
    """More epochs, drawn for another row, give it no second chance."""
    parts = ["a"] * 100 + ["b"] * 100
    before = side(np.ones((200, 5)), parts=parts)
    worse_later = np.ones((200, 5))
    worse_later[:100, 1:] = 0
    found = decided(side(worse_later, parts=parts), before, gates=[SLICED])
    part_a = next(v for v in found.verdicts if v.slice == {"part": "a"})
    assert (part_a.status, part_a.epochs) == ("pass", 1)


def test_hopeless_rows_are_left_alone() -> None:
    """12 cases: no number of epochs makes *cases like these* pass, and nothing hints at a drop."""
    gate = Gate(scorer="route", claim="cases-like-these", margin=0.02)
    world = side(np.tile(np.array([[1.0], [0.0]]), (6, 5)))
    found, _ = drawn(world, world, gates=[gate])
    assert found.rounds.stopped == "no_use"
    assert found.rounds.epochs < 5
    assert found.verdicts[0].status in ("inconclusive", "too_small")


def test_a_row_that_cannot_be_compared_is_not_called_clear() -> None:
    """No epoch settles it: the rounds end, and what is told is not that every gate is clear."""
    steady = side(np.ones((200, 5)))
    other = Side(rows=steady.rows, scorers={"route": ScorerInfo(kind="exact", hash="another")})
    found, _ = drawn(steady, other)
    assert found.verdicts[0].reason == "not_comparable"
    assert (found.rounds.stopped, found.rounds.epochs) == ("no_use", 1)


def test_at_max_the_last_bound_decides() -> None:
    """p may be under .05 there and the row still open: looking five times has its price."""
    opened = 0
    for seed in range(60):
        before, world = flaky(60, 5, rate=0.9, seed=seed), flaky(60, 5, rate=0.85, seed=seed + 500)
        found, now = drawn(side(world), side(before))
        if found.rounds.stopped != "max":
            continue
        fixed = judge(
            now, side(before), evalset="e", gates=(ROUTE,), defaults=Defaults(), max_error_rate=0.02
        ).verdicts[0]
        p = fixed.p
        assert p is not None
        opened += found.verdicts[0].status == "inconclusive" and p <= 0.05
    assert opened > 0


def test_the_interval_and_p_of_a_row_speak_of_its_own_look() -> None:
    """`p_adjusted <= alpha` iff red, and the interval is the one at that alpha."""
    seen = set()
    for seed in range(40):
        before, world = flaky(80, 5, rate=0.9, seed=seed), flaky(80, 5, rate=0.7, seed=seed + 500)
        found, _ = drawn(side(world), side(before))
        verdict = found.verdicts[0]
        assert verdict.p_adjusted is not None and verdict.alpha is not None
        assert (verdict.status == "regressed") == (verdict.p_adjusted <= verdict.alpha)
        assert verdict.alpha < 0.05
        seen.add(verdict.status)
    assert "regressed" in seen


def test_a_minimum_spends_over_the_looks_too() -> None:
    gate = Gate(scorer="route", min=0.9)
    found, _ = drawn(
        side(flaky(300, 5, rate=0.5, seed=4)), side(flaky(300, 5, rate=0.5, seed=3)), gates=[gate]
    )
    assert (found.verdicts[0].status, found.verdicts[0].reason) == ("regressed", "below_min")
    fine, _ = drawn(side(np.ones((300, 5))), side(np.ones((300, 5))), gates=[gate])
    assert fine.verdicts[0].status == "pass"


def test_missing_samples_do_not_stop_the_looks() -> None:
    world = flaky(80, 5, rate=0.85, seed=1)
    world[3, 0] = np.nan
    found, _ = drawn(side(world), side(flaky(80, 5, rate=0.9, seed=2)))
    assert found.rounds.samples >= 80


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([12, 40, 60]), st.sampled_from([0.6, 0.8, 0.95]))
def test_judging_what_was_drawn_replays_the_same_verdicts(seed: int, cases: int, rate: float) -> None:
    """The live rounds and a later replay of the run folder agree bit for bit."""
    parts = ["a" if i % 3 else "b" for i in range(cases)]
    before = side(flaky(cases, 5, rate=0.9, seed=seed), parts=parts)
    live, now = drawn(side(flaky(cases, 5, rate=rate, seed=seed + 1), parts=parts), before, gates=[SLICED])
    later = judge(
        now, before, evalset="e", gates=(SLICED,), defaults=Defaults(), max_error_rate=0.02, plan=PLAN
    )
    assert later.verdicts == live.verdicts
    assert later.rounds == live.rounds


def test_a_look_back_takes_latencies_and_costs_of_its_own_epochs_only() -> None:
    """Later epochs of a row that was clear are no samples without a score: real rows have a latency each."""
    scores = np.ones((80, 5))

    def timed(epochs: int) -> Side:
        plain = side(scores[:, :epochs])
        rows = tuple(
            row.model_copy(update={"latency_s": (0.1,) * epochs, "cost_usd": (0.01,) * epochs})
            for row in plain.rows
        )
        return Side(rows=rows, scorers=plain.scorers)

    cut = first_epochs(timed(5), 1)
    assert {cut.planned(row) for row in cut.rows} == {1}
    found, at_once = (decided(timed(epochs), side(scores)).verdicts[0] for epochs in (5, 1))
    assert found == at_once
    assert (found.status, found.planned, found.epochs) == ("pass", 80, 1)
