"""Numbers of the daily monitor, against scipy, statsmodels and exact counts where there is an oracle."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from pytest_aioncall.stats.cusum import (
    Level,
    accumulate,
    allowance,
    decision_interval,
    evidence_of_return,
    least_noise_of_a_mean,
    level_of,
    run_length,
    shared_interval,
)
from pytest_aioncall.stats.proportions import above_limit, higher_than
from pytest_aioncall.stats.shift import excess_kl, g_statistic, swapped_days

scipy_stats = pytest.importorskip("scipy.stats")


def exact_run_length(h: float, *, k: float, cells: int = 200) -> float:
    """Return the mean run length of a one-sided CUSUM by a Markov chain on a grid (Brook and Evans 1972)."""
    width = 2 * h / (2 * cells - 1)
    centres = width * np.arange(cells)
    upper = scipy_stats.norm.cdf(centres[None, :] + width / 2 - centres[:, None] + k)
    lower = scipy_stats.norm.cdf(centres[None, :] - width / 2 - centres[:, None] + k)
    moves = upper - lower
    moves[:, 0] = upper[:, 0]
    lengths = np.linalg.solve(np.eye(cells) - moves, np.ones(cells))
    return float(lengths[0])


def test_two_pages_a_year_are_the_published_limit() -> None:
    assert shared_interval(2, series=1) == pytest.approx(3.41, abs=0.005)


@pytest.mark.parametrize("days", [50, 182.5, 365, 1825, 5000])
def test_the_limit_solves_its_equation(days: float) -> None:
    assert run_length(decision_interval(days)) == pytest.approx(days, rel=1e-9)


@pytest.mark.parametrize("days", [182.5, 365, 1825])
def test_the_equation_is_near_the_exact_mean_run_length(days: float) -> None:
    """Siegmund's approximation is within a few per cent where the reference is known."""
    assert exact_run_length(decision_interval(days), k=0.5) == pytest.approx(days, rel=0.04)


def test_more_series_share_the_pages() -> None:
    one, ten = shared_interval(2, series=1), shared_interval(2, series=10)
    assert run_length(ten) == pytest.approx(10 * run_length(one))
    assert shared_interval(2, series=0) == one


def test_the_allowance_makes_up_for_few_days() -> None:
    assert allowance(30) == pytest.approx(0.5 + 0.84 / math.sqrt(30))
    assert allowance(14) > allowance(30) > 0.5


def test_the_sum_rises_by_what_exceeds_the_allowance_and_never_falls_below_zero() -> None:
    assert accumulate(1.0, 2.0, k=0.65) == pytest.approx(2.35)
    assert accumulate(0.2, -5.0, k=0.65) == 0.0


def test_a_level_is_mean_and_deviation_of_its_days() -> None:
    means = np.array([4.1, 4.2, 4.3, 4.2])
    level = level_of(means, least_sigma=0.0)
    assert (level.mu, level.days) == (pytest.approx(4.2), 4)
    assert level.sigma == pytest.approx(scipy_stats.tstd(means))
    assert level.z(4.2 - level.sigma) == pytest.approx(1)
    assert level.z(4.2 - level.sigma, noise=2) == pytest.approx(0.5)
    assert level.z(4.0, mu=4.0) == 0


def test_a_constant_reference_is_not_certain() -> None:
    """One sample of 150 that fails after thirty perfect days is no alarm; two whole cases soon are."""
    least = least_noise_of_a_mean(150, noise=1 / 8, step=1.0)
    level = level_of(np.ones(30), least_sigma=least)
    assert 0 < level.z(149 / 150) < 1
    assert level.z(144 / 150) > 3
    # A suite of ten samples: one of them is one deviation, not four.
    assert least_noise_of_a_mean(10, noise=1 / 8, step=1.0) == pytest.approx(0.1)
    assert least_noise_of_a_mean(0, noise=1 / 8, step=None) == pytest.approx(1 / 8)


def test_the_evidence_of_a_return_is_a_likelihood_ratio() -> None:
    zs = np.array([0.3, -0.4, 1.1])
    expected = scipy_stats.norm.logpdf(zs).sum() - scipy_stats.norm.logpdf(zs, loc=2.5).sum()
    assert evidence_of_return(zs, shift=2.5) == pytest.approx(expected)
    assert evidence_of_return(np.array([]), shift=2.5) == 0


@pytest.mark.parametrize(
    ("bad", "samples", "limit"), [(0, 10, 0.05), (3, 10, 0.05), (30, 500, 0.05), (7, 7, 0.5)]
)
def test_above_the_limit_is_the_binomial_mid_p(bad: int, samples: int, limit: float) -> None:
    law = scipy_stats.binom(samples, limit)
    assert above_limit(bad, samples, limit=limit) == pytest.approx(law.sf(bad) + law.pmf(bad) / 2)


def test_nothing_is_above_a_limit_without_samples() -> None:
    assert above_limit(0, 0, limit=0.05) == 1.0


def test_one_more_value_is_tested_like_a_new_observation() -> None:
    """Two-sample t with one value on one side and the pooled variance of the other is the same test."""
    reference = np.array([0.1, 0.3, 0.2, 0.25, 0.15, 0.22, 0.18])
    expected = scipy_stats.ttest_ind([0.4], reference, alternative="greater").pvalue
    assert higher_than(0.4, reference, least_sd=0.0) == pytest.approx(expected)
    assert higher_than(0.4, reference, least_sd=1.0) > 0.4
    assert higher_than(9.0, np.array([1.0]), least_sd=0.1) == 1.0


def test_the_divergence_is_that_of_smoothed_shares_less_its_expectation() -> None:
    now, was = np.array([30, 15, 5, 0]), np.array([200, 100, 0, 0])
    p, q = (now[:3] + 0.5) / 51.5, (was[:3] + 0.5) / 301.5
    expected = scipy_stats.entropy(p, q) - 1 * (1 / 50 + 1 / 300)
    assert excess_kl(now, was) == pytest.approx(expected)
    assert excess_kl(np.array([0, 0]), np.array([3, 4])) == 0.0


def test_the_divergence_of_equal_sides_is_about_zero() -> None:
    rng = np.random.default_rng(1)
    shares = np.array([0.5, 0.3, 0.1, 0.05, 0.05])
    found = [excess_kl(rng.multinomial(600, shares), rng.multinomial(18_000, shares)) for _ in range(400)]
    assert abs(float(np.mean(found))) < 0.0006


def test_g_is_the_likelihood_ratio_statistic_of_the_table() -> None:
    now, was = np.array([12.0, 7.0, 1.0]), np.array([40.0, 55.0, 5.0])
    expected = scipy_stats.chi2_contingency(np.array([now, was]), lambda_="log-likelihood", correction=False)
    assert g_statistic(now[None, :], now + was)[0] == pytest.approx(expected.statistic)
    assert g_statistic(np.array([[0.0, 0.0, 0.0]]), now)[0] == 0


def exact_p(counts: np.ndarray) -> float:  # type: ignore[type-arg]
    """Return the mid-p over every choice of a day for every case."""
    cases, days, _ = counts.shape
    total = counts.sum(axis=(0, 1)).astype(float)
    found = []
    for chosen in itertools.product(range(days), repeat=cases):
        today = sum(counts[case, day] for case, day in enumerate(chosen)).astype(float)
        found.append(float(g_statistic(today[None, :], total)[0]))
    gaps = np.array(found) - found[0]
    return float(((gaps > 1e-9).sum() + (np.abs(gaps) <= 1e-9).sum() / 2) / gaps.size)


def test_swapping_days_agrees_with_every_choice_of_them() -> None:
    rng = np.random.default_rng(3)
    counts = rng.integers(0, 3, size=(5, 4, 3))
    expected = exact_p(counts)
    found = swapped_days(counts, days=np.full(5, 4), alpha=0.5)
    assert found.draws == 9_999
    assert found.p == pytest.approx(expected, abs=4 * math.sqrt(expected / 9_999))
    assert swapped_days(counts, days=np.full(5, 4), alpha=0.5) == found


def test_a_mix_that_really_changed_is_found_and_an_easy_case_does_not_hide_it() -> None:
    rng = np.random.default_rng(5)
    shares = rng.beta(0.9, 0.3, 50)
    days = (rng.random((50, 15, 3)) < shares[:, None, None]).sum(axis=2)
    days[:, 0] = (rng.random((50, 3)) < 0.4 * shares[:, None]).sum(axis=1)
    counts = np.stack([days, 3 - days], axis=2)
    assert swapped_days(counts, days=np.full(50, 15), alpha=0.01).p < 0.001


def test_unchanged_days_are_significant_as_often_as_they_may_be() -> None:
    rng = np.random.default_rng(7)
    shares = rng.beta(0.9, 0.3, 40)
    hits = 0
    for _ in range(80):
        days = (rng.random((40, 10, 3)) < shares[:, None, None]).sum(axis=2)
        counts = np.stack([days, 3 - days], axis=2)
        hits += swapped_days(counts, days=np.full(40, 10), alpha=0.05).p <= 0.05
    assert hits <= 4 + 3 * math.sqrt(80 * 0.05 * 0.95)


def shift_rings(rng: np.random.Generator, shares: np.ndarray, today: np.ndarray) -> tuple[bool, bool]:  # type: ignore[type-arg]
    """Return whether the rule rings, and whether raw divergence above .1 does: 50 cases, 14 days before."""
    counts = np.stack([rng.multinomial(1, today if not day else shares, 50) for day in range(15)], axis=1)
    now, was = counts[:, 0].sum(axis=0), counts[:, 1:].sum(axis=(0, 1))
    size = excess_kl(now, was)
    raw = size + (shares.size - 1) / 2 * (1 / 50 + 1 / 700)
    rings = size > 0.05 and swapped_days(counts, days=np.full(50, 15), alpha=0.01).p <= 0.01
    return rings, raw > 0.1


def test_unchanged_answers_hardly_ring_where_raw_divergence_often_does() -> None:
    rng = np.random.default_rng(9)
    even = np.full(8, 1 / 8)
    rung = [shift_rings(rng, even, even) for _ in range(80)]
    assert sum(one for one, _ in rung) <= 4
    assert sum(raw for _, raw in rung) >= 8


def test_a_share_that_doubles_is_found_in_fifty_cases() -> None:
    rng = np.random.default_rng(10)
    before = np.array([0.4, *[0.6 / 7] * 7])
    after = np.array([0.8, *[0.2 / 7] * 7])
    assert sum(shift_rings(rng, before, after)[0] for _ in range(12)) >= 9


def test_days_that_a_case_does_not_have_are_never_drawn() -> None:
    counts = np.zeros((2, 3, 2), dtype=np.int64)
    counts[:, 0] = [2, 1]
    counts[0, 1] = [2, 1]
    found = swapped_days(counts, days=np.array([2, 1]), alpha=0.01)
    assert found.p == pytest.approx(0.5, abs=1e-3), "every arrangement is the observed one"


def test_a_level_knows_its_own_allowance() -> None:
    assert Level(mu=0.9, sigma=0.01, days=30).k == allowance(30)
