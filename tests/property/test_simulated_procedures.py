"""The procedures beside the gate are what their names say: oracles are scipy and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest

from simulations.manyrows import ManyRows, benjamini_hochberg, flags, judged
from simulations.methods import (
    ALPHA,
    bca_upper,
    fixed_threshold,
    majority_mcnemar,
    rolling_mean,
    unpaired,
)
from simulations.worlds import Change, World


def changes(world: World, *, number: int = 40) -> list[Change]:
    return [world.draw(np.random.default_rng([5, i])) for i in range(number)]


def both_answers(found: list[bool]) -> None:
    """A comparison with an oracle says something only where the oracle says yes and no."""
    assert set(found) == {True, False}


def test_the_unpaired_test_is_the_two_proportions_z_of_statsmodels() -> None:
    expected = []
    for change in changes(World("binary", 60, 3, drop=0.08)):
        counts = [change.after.sum(), change.before.sum()]
        sizes = [change.after.size, change.before.size]
        expected.append(bool(proportions_ztest(counts, sizes, alternative="smaller")[1] <= ALPHA))
        assert ("red" in unpaired(change)) is expected[-1]
    both_answers(expected)


def test_the_unpaired_test_on_grades_is_welchs() -> None:
    expected = []
    for change in changes(World("graded", 60, 2, drop=0.2)):
        was, now = (
            scipy.stats.describe(change.before, axis=None),
            scipy.stats.describe(change.after, axis=None),
        )
        se = np.sqrt(was.variance / was.nobs + now.variance / now.nobs)
        z = (now.mean - was.mean) / se
        if abs(abs(z) - 1.65) > 0.02:  # Welch's degrees of freedom are some 230 here
            expected.append(bool(z < -1.65))
            assert ("red" in unpaired(change)) is expected[-1]
    both_answers(expected)


@pytest.mark.parametrize("world", [World("binary", 80, 3, drop=0.1), World("graded", 80, 3, drop=0.3)])
def test_the_majority_vote_goes_into_mcnemars_exact_test(world: World) -> None:
    expected = []
    for change in changes(world):
        limit = 0.5 if world.kind == "binary" else 4.0
        votes = [
            [sum(row) / len(row) >= limit for row in side.tolist()] for side in (change.before, change.after)
        ]
        lost = sum(was and not now for was, now in zip(*votes, strict=True))
        won = sum(now and not was for was, now in zip(*votes, strict=True))
        two_sided = mcnemar([[0, lost], [won, 0]], exact=True).pvalue
        expected.append(bool(lost > won and two_sided / 2 <= ALPHA))
        assert ("red" in majority_mcnemar(change)) is expected[-1]
    both_answers(expected)


@pytest.mark.parametrize("seed", range(4))
def test_the_bca_bound_is_scipys(seed: int) -> None:
    """Two bootstraps of skewed differences agree within what resampling leaves open."""
    differences = 0.3 - np.random.default_rng(seed).exponential(0.4, 60)
    oracle = scipy.stats.bootstrap(
        (differences,), np.mean, confidence_level=0.9, method="BCa", n_resamples=100_000, rng=seed
    )
    found = np.mean([bca_upper(differences, alpha=0.05, seed=s) for s in range(60)])
    assert found == pytest.approx(oracle.confidence_interval.high, abs=0.05 * oracle.standard_error)


def test_a_bootstrap_of_equal_differences_is_that_difference() -> None:
    assert bca_upper(np.zeros(20), alpha=0.05, seed=1) == 0.0


def test_three_points_are_enough_and_two_are_not() -> None:
    before = np.ones((100, 1))
    for lost, word in ((3, "red"), (2, "pass")):
        after = before.copy()
        after[:lost] = 0
        change = Change(before, after, np.ones(7), "binary", "auto", 1, 0)
        assert fixed_threshold(change) == {word: 1.0}


def test_the_band_is_two_deviations_of_seven_runs() -> None:
    earlier = np.array([0.90, 0.92, 0.88, 0.91, 0.89, 0.90, 0.90])
    low = float(np.mean(earlier) - 2 * np.std(earlier, ddof=1))
    for mean, word in ((low + 0.001, "pass"), (low - 0.001, "red")):
        change = Change(np.full((1, 1), 0.9), np.full((1, 1), mean), earlier, "binary", "auto", 1, 0)
        assert rolling_mean(change) == {word: 1.0}


def test_the_false_discovery_rate_is_statsmodels() -> None:
    rng = np.random.default_rng(3)
    for size in (1, 5, 45):
        p = rng.random(size) ** 3
        assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1])


@pytest.mark.parametrize(("scorers", "values", "number"), [(1, 0, 1), (5, 0, 5), (5, 2, 15), (5, 8, 45)])
def test_a_suite_has_as_many_rows_as_its_name_says(scorers: int, values: int, number: int) -> None:
    world = ManyRows(scorers, values, 3)
    found = judged(world.draw(np.random.default_rng(1)))
    assert len(found.verdicts) == world.rows == number
    assert all(v.gating for v in found.verdicts)


def test_rows_without_a_case_that_dropped_are_wrong_and_all_others_right() -> None:
    suites = ManyRows(5, 8, 3, drop=1.0).draw(np.random.default_rng(1))
    found = judged(suites)
    right = [v for v in found.verdicts if suites.rightly(v)]
    assert {str(v.slice) for v in right} == {
        "None",
        "{'topic': 'topic-0'}",
        *(f"{{'persona': 'persona-{i}'}}" for i in range(3)),
    }
    assert {v.scorer for v in right} == {"scorer-0"}
    assert [v.n_cases for v in found.verdicts if suites.is_dropped_slice(v)] == [20]
    said = flags(suites)
    assert said["gate: found"] == 1.0
    assert said["no correction: found"] == 1.0


def test_the_gates_flags_are_what_fails_the_run() -> None:
    """A red row makes the run red and nothing else does."""
    world = ManyRows(5, 2, 3, drop=0.3)
    answers = set()
    for i in range(8):
        suites = world.draw(np.random.default_rng([9, i]))
        assert (judged(suites).exit_code == 1) is (flags(suites)["gate: red"] == 1.0)
        answers.add(flags(suites)["gate: red"])
    assert answers == {0.0, 1.0}
