"""Scores now against before: pairs by case, intervals over cases, and the slice that carries a drop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from pytest_aioncall.decide.compare import judge
from pytest_aioncall.decide.daymeans import amounts_of, mean_rows, nearest_rank
from pytest_aioncall.decide.sides import Side as GateSide
from pytest_aioncall.decide.slicescores import (
    CaseScores,
    Rule,
    Side,
    hint_of,
    side_of_days,
    slice_scores,
)
from pytest_aioncall.model.baseline import CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import Gate
from pytest_aioncall.model.history import CaseDay
from pytest_aioncall.model.sample import Document, Output, Sample
from pytest_aioncall.model.verdict import Verdict


def side(
    values: dict[str, list[float | None]], *, slices: dict[str, str] | None = None
) -> dict[str, CaseScores]:
    """Return cases by id; the slice `part` is what stands before the id's dash."""
    return {
        case: CaseScores("d", slices or {"part": case.partition("-")[0]}, list(found))
        for case, found in values.items()
    }


def test_differences_are_of_the_cases_that_both_sides_have_as_they_were() -> None:
    now = side({"a-1": [0.0], "a-2": [1.0], "a-3": [0.0]})
    before = side({"a-1": [1.0], "a-2": [1.0], "a-4": [0.0]})
    before["a-3"] = CaseScores("another digest", {"part": "a"}, [1.0])
    (overall,) = slice_scores("s", now, before, by=())
    assert (overall.paired, overall.difference) == (2, -0.5)
    assert (overall.now, overall.before) == (pytest.approx(1 / 3), 0.75)


def test_a_mean_tells_how_many_samples_it_stands_on() -> None:
    now, before = side({"a-1": [1.0, None, 0.0], "a-2": [None, None, None]}), side({"a-1": [1.0]})
    (overall,) = slice_scores("s", now, before, by=())
    assert (overall.judged, overall.planned, overall.judged_before, overall.planned_before) == (2, 6, 1, 1)
    assert (overall.now, overall.difference, overall.ci) == (0.5, -0.5, None)


def test_without_a_case_in_both_there_is_no_difference_and_no_zero() -> None:
    (overall,) = slice_scores("s", side({"a-1": [1.0]}), {}, by=())
    assert (overall.now, overall.before, overall.difference, overall.ci, overall.fell) == (
        1.0,
        None,
        None,
        None,
        False,
    )
    assert hint_of([overall]) is None


def judged_by_the_gate(now: Side, before: Side, *, clusters: dict[str, str] | None = None) -> Verdict:
    """Return the gate's own verdict of one overall row."""

    def gate_side(side: Side) -> GateSide:
        rows = tuple(
            CaseRow(
                case=case, digest="d", cluster=(clusters or {}).get(case), scores={"s": tuple(one.values)}
            )
            for case, one in side.items()
        )
        return GateSide(rows, {"s": ScorerInfo(kind="exact")})

    (verdict,) = judge(
        gate_side(now),
        gate_side(before),
        evalset="e",
        gates=[Gate(scorer="s", margin=0.05)],
        defaults=Defaults(),
        max_error_rate=0.02,
    ).verdicts
    return verdict


def epochs(passed: int) -> list[float | None]:
    return [1.0] * passed + [0.0] * (3 - passed)


@pytest.mark.parametrize("passed", [[0, 1, 3, 3, 2], [3] * 6, [0, 0, *([3] * 58)], [3] * 70])
def test_the_interval_is_the_gates_own(passed: list[int]) -> None:
    now = side({f"a-{n}": epochs(k) for n, k in enumerate(passed)})
    before = side({case: epochs(3) for case in now})
    (row,) = slice_scores("s", now, before, by=())
    verdict = judged_by_the_gate(now, before)
    assert row.ci == verdict.ci is not None
    assert (row.claim, row.alpha) == (verdict.claim, 0.05)
    assert -1.0 <= row.ci[0] < row.ci[1] <= 1.0, "on the scale, and never without width"


def test_cases_of_one_cluster_are_one_unit_as_at_the_gate() -> None:
    now = side({f"a-{n}": epochs(0 if n < 12 else 3) for n in range(60)})
    before = side({case: epochs(3) for case in now})
    alone = slice_scores("s", now, before, by=())[0].ci
    clusters = {case: f"document {n // 6}" for n, case in enumerate(now)}
    for case, one in now.items():
        one.cluster = clusters[case]
    (row,) = slice_scores("s", now, before, by=())
    assert row.ci == judged_by_the_gate(now, before, clusters=clusters).ci
    assert alone is not None and row.ci is not None
    assert row.ci[1] - row.ci[0] > alone[1] - alone[0]


def test_the_interval_over_cases_is_students_with_a_pair_of_pseudo_cases() -> None:
    drops = np.array([0.0] * 40 + [1.0] * 20)
    now = side({f"a-{n}": [1 - drop] for n, drop in enumerate(drops)})
    (row,) = slice_scores("s", now, side({case: [1.0] for case in now}), by=(), rule=Rule(alpha=0.025))
    wanted = scipy_stats.ttest_1samp([*-drops, 1.0, -1.0], 0.0).confidence_interval(0.95)
    assert row.ci == (pytest.approx(wanted.low), pytest.approx(wanted.high))
    assert row.claim == "cases-like-these"


def test_the_interval_of_repeats_is_the_normal_one_of_two_binomial_rates() -> None:
    """A rate of k in r epochs counts as (k + 1/2)/(r + 1), so that three alike are not certain."""
    passed = (1, 2, 3, 3, 0)
    now = side({f"a-{n}": epochs(k) for n, k in enumerate(passed)})
    (row,) = slice_scores("s", now, side({case: epochs(3) for case in now}), by=())
    rates = [(k + 0.5) / 4 for k in (*passed, *(3,) * 5)]
    reach = scipy_stats.norm.ppf(0.95) * math.sqrt(sum(q * (1 - q) / 3 for q in rates)) / 5
    assert row.difference == pytest.approx(-0.4)
    assert row.ci == (pytest.approx(-0.4 - reach), pytest.approx(-0.4 + reach))


def test_of_fewer_than_two_cases_or_clusters_there_is_no_interval() -> None:
    one = side({"a-1": epochs(0)})
    (row,) = slice_scores("s", one, side({"a-1": epochs(3)}), by=())
    assert (row.difference, row.ci, row.claim, row.fell) == (-1.0, None, None, False)
    now = side({f"a-{n}": [0.0] for n in range(5)})
    for scores in now.values():
        scores.cluster = "one document"
    assert slice_scores("s", now, side({case: [1.0] for case in now}), by=())[0].ci is None


def test_no_interval_is_laid_over_two_scales() -> None:
    now = side({f"a-{n}": epochs(0) for n in range(5)})
    (row,) = slice_scores("s", now, side({case: [4.0] for case in now}), by=())
    assert (row.difference, row.ci) == (-4.0, None)


def fallen(parts: dict[str, tuple[int, float]]) -> list[object]:
    """Return rows where each part has so many cases that fell from 1 to a value."""
    now = side({f"{part}-{n}": [value] for part, (count, value) in parts.items() for n in range(count)})
    before = side({case: [1.0] for case in now})
    return slice_scores("s", now, before, by=("part",))


def test_the_slice_that_carries_the_drop_is_named_with_its_part_of_it() -> None:
    rows = fallen({"free": (10, 0.0), "pro": (30, 1.0)})
    assert [row.slice for row in rows] == [None, {"part": "free"}, {"part": "pro"}]
    hint = hint_of(rows)
    assert hint is not None
    assert (hint.kind, hint.row.slice) == ("carries", {"part": "free"})
    assert (hint.row.share, hint.row.weight) == (1.0, 0.25)
    shares = [row.share for row in rows[1:]]
    assert math.fsum(share for share in shares if share is not None) == pytest.approx(1.0)


def test_a_drop_that_lies_everywhere_is_carried_by_no_slice() -> None:
    hint = hint_of(fallen({"free": (20, 0.5), "pro": (20, 0.5)}))
    assert hint is not None
    assert hint.kind == "spread"


def test_a_slice_that_fell_while_another_rose_is_told_alone() -> None:
    now = side({f"{part}-{n}": [value] for part, value in (("free", 0.2), ("pro", 0.8)) for n in range(20)})
    before = side({case: [0.5] for case in now})
    hint = hint_of(slice_scores("s", now, before, by=("part",)))
    assert hint is not None
    assert (hint.kind, hint.row.slice) == ("alone", {"part": "free"})


def test_nothing_is_hinted_where_nothing_fell() -> None:
    assert hint_of(fallen({"free": (20, 1.0), "pro": (20, 1.0)})) is None


def test_several_runs_of_a_span_are_put_together_and_a_changed_case_counts_as_it_is_now() -> None:
    old = CaseDay(case="a", digest="1", scores={"s": (0.0,)})
    new = CaseDay(case="a", digest="2", slices={"p": "x"}, scores={"s": (1.0, None)})
    assert side_of_days([[old], [new], [new]], "s")["a"].values == [1.0, None, 1.0, None]
    assert side_of_days([[old]], "other") == {}


INFO = {"s": ScorerInfo(kind="exact"), "free": ScorerInfo(kind="length")}


def test_a_day_has_the_mean_of_each_scorer_and_of_the_slices_that_gates_name() -> None:
    rows = [
        CaseRow(case=f"c{n}", slices={"p": "x" if n < 10 else "y"}, scores={"s": (1.0 if n else None, 0.0)})
        for n in range(12)
    ]
    found = mean_rows(rows, scorers=INFO, gates=[Gate(scorer="s", slices=("p",))])
    told = [
        (one.scorer, one.slice, one.mean, one.n_cases, one.judged, one.planned, one.gating) for one in found
    ]
    assert told == [
        ("s", None, pytest.approx(5.5 / 12), 12, 23, 24, True),
        ("s", {"p": "x"}, pytest.approx(4.5 / 10), 10, 19, 20, True),
        ("s", {"p": "y"}, 0.5, 2, 4, 4, False),
        ("free", None, None, 0, 0, 0, False),
    ]


def test_amounts_are_of_live_answers_and_absent_where_nobody_told() -> None:
    def sample(epoch: int, output: Output | None, attempts: int = 1) -> Sample:
        return Sample(evalset="e", case="c", digest="d", epoch=epoch, output=output, attempts=attempts)

    live = [
        Output(text="", latency_s=float(n), tokens_in=n, retrieved=(Document(id="x"),) * n) for n in (1, 2, 3)
    ]
    recorded = Output(text="", latency_s=99.0, cost_usd=9.0, replayed="2026-01-01")
    samples = [sample(n, one) for n, one in enumerate([*live, recorded, None])]
    found = amounts_of([*samples[:-1], sample(9, None, attempts=5)])
    assert (found.latency_p50_s, found.latency_p95_s, found.latency_n) == (2.0, 3.0, 3)
    assert (found.tokens_in, found.retrieved, found.cost_usd, found.tokens_out) == (2.0, 2.0, None, None)
    assert found.attempts == pytest.approx(9 / 5)


def test_a_percentile_is_a_value_that_was_observed() -> None:
    assert nearest_rank([], 0.95) is None
    assert nearest_rank([3.0], 0.5) == 3.0
    assert nearest_rank([float(n) for n in range(1, 101)], 0.95) == 95.0
