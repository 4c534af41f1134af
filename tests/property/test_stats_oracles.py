"""The gate's numbers are those of scipy and statsmodels where these compute the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
import statsmodels.api as sm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.rates import test_poisson_2indep as two_poisson_rates
from statsmodels.stats.weightstats import DescrStatsW

from pytest_aioncall.decide.slicescores import CaseScores, slice_scores
from pytest_aioncall.stats.counts import more_events
from pytest_aioncall.stats.lattice import score_kind
from pytest_aioncall.stats.passbound import (
    clustered_bound,
    pooled_variance,
    repeat_bound,
    within_variance,
)
from pytest_aioncall.stats.permute import permute_epochs
from pytest_aioncall.stats.ratios import mean_ratio
from pytest_aioncall.stats.signflip import sign_flip

FINE = 1e-4


def mid_p(null: np.ndarray, seen: float) -> float:
    """Return P(S* < S) + P(S* = S)/2 of a null that somebody else enumerated."""
    return float(np.mean(null < seen - 1e-9) + np.mean(np.abs(null - seen) < 1e-9) / 2)


@pytest.mark.parametrize("step", [1 / 3, None])
@pytest.mark.parametrize("seed", range(4))
def test_the_drop_test_is_scipys_permutation_test_of_pairs(seed: int, step: float | None) -> None:
    rng = np.random.default_rng(seed)
    before, after = rng.integers(0, 4, 11) / 3, rng.integers(0, 4, 11) / 3
    oracle = scipy.stats.permutation_test(
        (after, before),
        lambda a, b: float(np.sum(a - b)),
        permutation_type="samples",
        n_resamples=np.inf,
        alternative="less",
    )
    found = sign_flip(after - before, step=step, alpha=0.5, resolution=FINE)
    assert found.method == ("lattice" if step else "patterns")
    assert found.p == pytest.approx(mid_p(oracle.null_distribution, oracle.statistic), abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_the_drop_test_lies_half_an_atom_under_mcnemars_exact_p(seed: int) -> None:
    """Binary scores with one epoch: a mid-p counts half of what is level with the data."""
    rng = np.random.default_rng(seed)
    lost, won = int(rng.integers(4, 30)), int(rng.integers(0, 4))
    units = np.array([-1.0] * lost + [1.0] * won)
    exact = mcnemar([[0, lost], [won, 0]], exact=True).pvalue / 2
    atom = scipy.stats.binom.pmf(lost, lost + won, 0.5)
    found = sign_flip(units, step=1.0, alpha=0.05, resolution=FINE)
    assert found.p == pytest.approx(exact - atom / 2, abs=1e-12)


@pytest.mark.parametrize("epochs", [(3, 3), (2, 4)])
def test_relabelling_one_cases_epochs_is_scipys_permutation_of_two_samples(epochs: tuple[int, int]) -> None:
    rng = np.random.default_rng(sum(epochs))
    before = rng.integers(1, 6, (1, epochs[0])).astype(float)
    after = rng.integers(1, 5, (1, epochs[1])).astype(float)
    oracle = scipy.stats.permutation_test(
        (after[0], before[0]), lambda a, b: np.mean(a) - np.mean(b), n_resamples=np.inf, alternative="less"
    )
    found = permute_epochs(before, after, step=1.0, alpha=0.5, resolution=FINE)
    assert found.p == pytest.approx(mid_p(oracle.null_distribution, oracle.statistic), abs=1e-12)


def test_many_cases_add_up_like_independent_permutations() -> None:
    """The null of three cases is the sum of the nulls that scipy enumerates for each."""
    rng = np.random.default_rng(4)
    before, after = rng.integers(0, 5, (3, 3)) / 2, rng.integers(0, 4, (3, 3)) / 2
    total, seen = np.zeros(1), 0.0
    for was, now in zip(before, after, strict=True):
        oracle = scipy.stats.permutation_test(
            (now, was), lambda a, b: np.mean(a) - np.mean(b), n_resamples=np.inf, alternative="less"
        )
        total = (total[:, None] + oracle.null_distribution[None, :]).ravel()
        seen += oracle.statistic
    found = permute_epochs(before, after, step=0.5, alpha=0.5, resolution=FINE)
    assert found.p == pytest.approx(mid_p(total, seen), abs=1e-12)


@pytest.mark.parametrize("level", [0.05, 0.01])
def test_the_bounds_are_statsmodels_own_where_all_clusters_have_one_size(level: float) -> None:
    """Then the degrees of freedom are statsmodels' too: clusters - 1. Its CR1 is the default there."""
    rng = np.random.default_rng(5)
    clusters = np.repeat(np.arange(9), 4)
    values = rng.normal(-0.1, 0.5, 9)[clusters] + rng.normal(0, 0.3, 36)
    fit = sm.OLS(values, np.ones(36)).fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)
    found = clustered_bound(values, clusters=clusters, pseudo=np.empty(0), alpha=level)
    assert found.df == pytest.approx(8)
    assert found.se == pytest.approx(fit.bse[0], rel=1e-9)
    assert (found.low, found.high) == pytest.approx(tuple(fit.conf_int(2 * level)[0]), rel=1e-9)


def test_without_clusters_the_bounds_are_statsmodels_one_sided_ones() -> None:
    values = np.random.default_rng(6).normal(0.02, 0.3, 25)
    found = clustered_bound(values, clusters=np.arange(25), pseudo=np.empty(0), alpha=0.05)
    stats = DescrStatsW(values)
    assert found.low == pytest.approx(stats.tconfint_mean(0.05, alternative="larger")[0], rel=1e-9)
    assert found.high == pytest.approx(stats.tconfint_mean(0.05, alternative="smaller")[1], rel=1e-9)


def test_the_bound_from_repeats_is_the_normal_interval_of_the_pooled_variance() -> None:
    """Where every case has the same noise, shrinking changes nothing."""
    scores = np.random.default_rng(7).permuted(np.tile([2.0, 3.0, 5.0], (20, 1)), axis=1)
    kind = score_kind(scores.ravel(), low=1, high=5)
    pooled = pooled_variance([scores, scores], least=kind.least_noise)
    noise = within_variance(scores, kind=kind, low=1, pooled=pooled) / 3
    found = repeat_bound(-0.1, variances=2 * noise, alpha=0.05)
    scale = math.sqrt(2 * np.var([2, 3, 5], ddof=1) / (3 * 20))
    assert (found.low, found.high) == pytest.approx(scipy.stats.norm.interval(0.9, -0.1, scale), rel=1e-9)


@pytest.mark.parametrize(("before", "after"), [(3, 9), (10, 11), (1, 6)])
def test_counts_are_statsmodels_conditional_test_with_mid_p(before: int, after: int) -> None:
    oracle = two_poisson_rates(after, 200, before, 150, method="cond-midp", alternative="larger")
    found = more_events(before, after, exposure_before=150, exposure_after=200)
    assert found == pytest.approx(oracle.pvalue, abs=1e-12)


def test_a_ratio_of_costs_is_statsmodels_paired_t_on_logs() -> None:
    rng = np.random.default_rng(8)
    before, after = rng.lognormal(0, 0.3, (15, 3)), rng.lognormal(0.05, 0.3, (15, 3))
    logs = DescrStatsW(np.log(after.mean(axis=1) / before.mean(axis=1)))
    found = mean_ratio(before, after)
    assert found is not None
    assert found.p == pytest.approx(logs.ttest_mean(0, alternative="larger")[1], rel=1e-9)
    assert found.ci == pytest.approx(np.exp(logs.tconfint_mean(0.05)), rel=1e-9)


def test_the_interval_of_scores_has_the_clustered_standard_error_of_statsmodels() -> None:
    drops, groups = np.array([0.0] * 40 + [1.0] * 20), np.arange(60) // 5
    before = {f"c{n:02}": CaseScores("d", {}, [1.0], cluster=f"document {groups[n]}") for n in range(60)}
    now = {case: CaseScores("d", {}, [1 - drop]) for case, drop in zip(before, drops, strict=True)}
    (row,) = slice_scores("s", now, before, by=())
    values, codes = np.array([*-drops, 1.0, -1.0]), np.array([*groups, 90, 91])
    fit = sm.OLS(values, np.ones(62)).fit(cov_type="cluster", cov_kwds={"groups": codes})
    sizes = np.bincount(codes).astype(float)
    reach = scipy.stats.t.ppf(0.95, sizes.sum() ** 2 / (sizes**2).sum() - 1) * fit.bse[0]
    assert row.ci == (pytest.approx(values.mean() - reach), pytest.approx(values.mean() + reach))
