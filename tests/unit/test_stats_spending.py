"""Looking several times spends alpha once (Lan and DeMets 1983)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from pytest_aioncall.stats.spending import Function, Spending, evenly, late, nominal_levels


def crossing(shares: list[float], levels: list[float]) -> float:
    """Return P(any look crosses) by another way: 1 - P(all of a multivariate normal stay below)."""
    bounds = norm.isf(levels)
    covariance = [[math.sqrt(min(a, b) / max(a, b)) for b in shares] for a in shares]
    inside = multivariate_normal(cov=covariance, allow_singular=True, seed=1).cdf(bounds)
    return float(1 - inside)


def test_five_equal_looks_have_the_bounds_of_the_literature() -> None:
    """K = 5, one-sided .05, a(t) = alpha ln(1 + (e-1)t): 2.18 2.15 2.11 2.09 2.07 within a hundredth."""
    found = norm.isf(nominal_levels([0.2, 0.4, 0.6, 0.8, 1.0], alpha=0.05))
    assert found == pytest.approx([2.18, 2.15, 2.11, 2.09, 2.07], abs=0.01)


@pytest.mark.parametrize("alpha", [0.05, 0.025, 0.0005])
@pytest.mark.parametrize(
    "shares", [[0.2, 0.4, 0.6, 0.8, 1.0], [0.33, 0.5, 0.72, 0.88, 1.0], [0.95, 0.98, 1.0], [0.6, 0.61, 1.0]]
)
def test_all_looks_together_spend_alpha(shares: list[float], alpha: float) -> None:
    """Against scipy's multivariate normal."""
    levels = nominal_levels(shares, alpha=alpha)
    # scipy integrates by random points, older releases to 2e-5 only.
    assert crossing(shares, levels) == pytest.approx(alpha, rel=0.02, abs=2e-5)


@pytest.mark.parametrize("function", [evenly, late])
def test_each_look_has_spent_what_the_function_allows_by_then(function: Function) -> None:
    shares = [0.3, 0.55, 0.8, 1.0]
    levels = nominal_levels(shares, alpha=0.05, function=function)
    for looks in range(1, 5):
        spent = 0.05 * function(shares[looks - 1])
        assert crossing(shares[:looks], levels[:looks]) == pytest.approx(spent, rel=0.02)


def test_one_look_at_the_end_is_the_plain_test() -> None:
    assert nominal_levels([1.0], alpha=0.05) == [pytest.approx(0.05, rel=1e-5)]


def test_a_look_without_information_stops_nothing_and_spends_nothing() -> None:
    plain = Spending(0.05)
    with_idle = Spending(0.05)
    assert with_idle.level_at(0.0) == 0.0
    assert with_idle.level_at(0.5) == plain.level_at(0.5)
    assert with_idle.level_at(0.502) == 0.0
    assert with_idle.level_at(1.0) == plain.level_at(1.0)


def test_the_last_look_may_use_what_is_left_even_if_it_adds_nothing() -> None:
    """It is then a test by itself at the rest of alpha, which is never too mild."""
    spending = Spending(0.05)
    first = spending.level_at(0.998)
    last = spending.level_at(1.0)
    assert 0 < last <= 0.05 * (1 - evenly(0.998)) + 1e-9
    assert first + last <= 0.05 + 1e-9


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.01, 1.0), min_size=1, max_size=5).map(sorted),
    st.sampled_from([0.05, 0.01, 0.001]),
)
def test_no_schedule_of_looks_spends_more_than_alpha(shares: list[float], alpha: float) -> None:
    levels = nominal_levels(shares, alpha=alpha)
    real = [(share, level) for share, level in zip(shares, levels, strict=True) if level > 0]
    assert all(0 <= level <= alpha for level in levels)
    total = crossing([s for s, _ in real], [level for _, level in real]) if real else 0.0
    assert total <= alpha * 1.03 + 1e-6


@pytest.mark.parametrize("seed", [1])
def test_a_simulated_walk_crosses_as_often_as_promised(seed: int) -> None:
    shares, alpha, runs = [0.25, 0.5, 0.75, 1.0], 0.05, 200_000
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, np.sqrt(np.diff([0, *shares])), (runs, len(shares)))
    walk = np.cumsum(steps, axis=1) / np.sqrt(shares)
    crossed = (walk >= norm.isf(nominal_levels(shares, alpha=alpha))).any(axis=1).mean()
    assert abs(crossed - alpha) <= 3 * math.sqrt(alpha * (1 - alpha) / runs)
