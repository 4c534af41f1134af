"""The tests and bounds agree with independent oracles, and say what they do on degenerate input."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from pytest_aioncall.stats.betabinomial import all_fail_after, fitted_rates
from pytest_aioncall.stats.counts import more_events
from pytest_aioncall.stats.draws import Tally, Words, draws_for
from pytest_aioncall.stats.foresight import Spread, smallest_significant
from pytest_aioncall.stats.holm import holm, tarone_holm
from pytest_aioncall.stats.lattice import difference_step, score_kind, sign_sum_below, whole
from pytest_aioncall.stats.passbound import (
    clustered_bound,
    pooled_variance,
    repeat_bound,
    within_variance,
)
from pytest_aioncall.stats.permute import permute_epochs
from pytest_aioncall.stats.power import needed_cases, needed_epochs
from pytest_aioncall.stats.ratios import mean_ratio, p95, p95_ratio
from pytest_aioncall.stats.signflip import sign_flip

FINE = 1e-4
PINNED_COINS = [
    [1, 0, 1, 0, 1, 1, 0, 0, 1, 1],
    [0, 0, 1, 0, 1, 0, 0, 0, 0, 0],
    [1, 0, 1, 1, 0, 1, 0, 1, 0, 0],
]
PINNED_BELOW = [[1, 2, 15], [1, 1, 1], [1, 1, 5]]


def flip_by_enumeration(units: np.ndarray) -> float:
    """Return the mid-p over all sign patterns, in plain loops."""
    observed, hits = float(units.sum()), 0.0
    for signs in itertools.product((-1, 1), repeat=len(units)):
        total = float(np.abs(units) @ np.array(signs))
        hits += 0.5 if abs(total - observed) < 1e-9 else float(total < observed)
    return hits / 2 ** len(units)


def permutations_by_enumeration(before: list[list[float]], after: list[list[float]]) -> float:
    """Return the mid-p over all relabellings inside cases, in plain loops."""
    choices = []
    for was, now in zip(before, after, strict=True):
        pooled = was + now
        options = []
        for chosen in itertools.combinations(range(len(pooled)), len(now)):
            rest = [pooled[i] for i in range(len(pooled)) if i not in chosen]
            options.append(np.mean([pooled[i] for i in chosen]) - np.mean(rest))
        choices.append(options)
    observed = sum(np.mean(now) - np.mean(was) for was, now in zip(before, after, strict=True))
    hits = [
        0.5 if abs(sum(c) - observed) < 1e-9 else float(sum(c) < observed)
        for c in itertools.product(*choices)
    ]
    return float(np.mean(hits))


class TestSignFlip:
    """The drop test."""

    @pytest.mark.parametrize(("lost", "won"), [(6, 0), (9, 2), (30, 18), (4, 1), (0, 5), (100, 80)])
    def test_it_is_mcnemars_mid_p_on_binary_scores_with_one_epoch(self, lost: int, won: int) -> None:
        units = np.array([-1.0] * lost + [1.0] * won + [0.0] * 40)
        two_sided = mcnemar([[0, lost], [won, 0]], exact=True).pvalue
        atom = scipy.stats.binom.pmf(lost, lost + won, 0.5)
        expected = scipy.stats.binom.sf(lost, lost + won, 0.5) + atom / 2
        found = sign_flip(units, step=1.0, alpha=0.05, resolution=FINE)
        assert found.method == "lattice"
        assert found.p == pytest.approx(expected, abs=1e-12)
        if lost > won:
            assert found.p == pytest.approx((two_sided - atom) / 2, abs=1e-12)

    @pytest.mark.parametrize("seed", range(6))
    def test_the_exact_null_equals_all_sign_patterns_on_a_lattice(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        units = rng.integers(-6, 5, 11) / 3
        found = sign_flip(units, step=1 / 3, alpha=0.05, resolution=FINE)
        assert found.method == ("lattice" if np.any(units) else "none")
        assert found.p == pytest.approx(flip_by_enumeration(units[units != 0]), abs=1e-12)

    def test_off_the_lattice_all_patterns_are_counted_to_sixteen(self) -> None:
        units = np.random.default_rng(3).normal(-0.3, 1, 9)
        found = sign_flip(units, step=None, alpha=0.05, resolution=FINE)
        assert found.method == "patterns"
        assert found.p == pytest.approx(flip_by_enumeration(units), abs=1e-12)

    def test_draws_estimate_the_exact_p(self) -> None:
        units = np.random.default_rng(5).integers(-3, 3, 60).astype(float)
        exact = sign_flip(units, step=1.0, alpha=0.05, resolution=FINE)
        drawn = sign_flip(units + 0.0, step=None, alpha=0.5, resolution=FINE)
        assert (exact.method, drawn.method) == ("lattice", "draws")
        assert abs(drawn.p - exact.p) < 4 * math.sqrt(exact.p * (1 - exact.p) / 9999)

    def test_student_takes_over_beyond_a_thousand_and_agrees_with_the_exact_p(self) -> None:
        units = np.random.default_rng(8).choice([-1.0, 1.0], 3000, p=[0.515, 0.485])
        student = sign_flip(units, step=None, alpha=0.05, resolution=FINE)
        exact = sign_flip(units, step=1.0, alpha=0.05, resolution=FINE)
        assert student.method == "t"
        assert student.p == pytest.approx(exact.p, abs=2e-3)
        centred = sign_flip(units * 1.0001, step=None, alpha=0.05, resolution=FINE)
        assert centred.p == pytest.approx(student.p, abs=1e-9)

    def test_three_units_can_never_reach_five_percent_and_four_can_fall_just_under(self) -> None:
        least = [sign_flip(np.full(m, -1.0), step=1.0, alpha=0.05, resolution=FINE) for m in (3, 4)]
        assert [one.p for one in least] == pytest.approx([0.0625, 0.03125], abs=1e-14)
        assert [one.p_min for one in least] == [0.0625, 0.03125]

    def test_no_difference_at_all_is_no_evidence(self) -> None:
        found = sign_flip(np.zeros(30), step=1.0, alpha=0.05, resolution=FINE)
        assert (found.p, found.units, found.method) == (0.5, 0, "none")

    def test_all_ties_in_size_do_not_count_as_below(self) -> None:
        units = np.array([0.1, -0.1] * 20) * 3.0000000001
        assert sign_flip(units, step=None, alpha=0.05, resolution=FINE).p == pytest.approx(0.5, abs=0.02)

    def test_a_row_that_needs_finer_draws_gets_them(self) -> None:
        units = np.random.default_rng(1).normal(-1, 1, 40)
        assert sign_flip(units, step=None, alpha=0.05, resolution=1e-5).p_min < 1e-5

    def test_the_same_data_give_the_same_p_bit_for_bit(self) -> None:
        units = np.random.default_rng(1).normal(-0.1, 1, 300)
        runs = {sign_flip(units, step=None, alpha=0.05, resolution=FINE).p.hex() for _ in range(3)}
        assert len(runs) == 1


class TestDraws:
    """Random numbers come from raw words only."""

    def test_the_stream_is_pinned(self) -> None:
        assert [int(w) for w in np.random.PCG64(20_261_121).random_raw(2)] == [
            int(w) for w in Words().take(2)
        ]
        assert Words().coins(3, width=10).astype(int).tolist() == PINNED_COINS
        assert Words().below(np.array([2, 3, 20]), rows=3).tolist() == PINNED_BELOW

    def test_choices_are_even(self) -> None:
        drawn = Words(seed=4).below(np.array([6]), rows=60_000)[:, 0]
        assert scipy.stats.chisquare(np.bincount(drawn, minlength=6)).pvalue > 0.001

    def test_the_tally_counts_a_tie_as_half(self) -> None:
        tally = Tally(0.0, slack=1e-9)
        tally.add(np.array([-1.0, 0.0, 1.0]))
        assert tally.p == (1 + (1 + 1) / 2) / 4

    def test_more_rows_ask_for_more_draws(self) -> None:
        assert draws_for(1e-3) == 9_999
        assert 0.5 / (draws_for(1e-6) + 1) < 1e-6


class TestPermutation:
    """The test on these very cases."""

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ([[1, 1, 1], [1, 0, 1]], [[0, 0, 0], [1, 1, 0]]),
            ([[1, 1], [1, 1], [0, 1]], [[0, 1], [1, 0], [0, 1]]),
            ([[5, 4, 4], [3, 3, 2]], [[4, 3, 1], [3, 2, 2]]),
            ([[1, 1, 1], [5, 4]], [[1, 0.5], [4, 4, 2]]),
        ],
    )
    @pytest.mark.parametrize("step", [0.5, None])
    def test_it_equals_all_relabellings(
        self, before: list[list[float]], after: list[list[float]], step: float | None
    ) -> None:
        def padded(rows: list[list[float]]) -> np.ndarray:
            return np.array([row + [np.nan] * (3 - len(row)) for row in rows], dtype=float)

        expected = permutations_by_enumeration(before, after)
        found = permute_epochs(padded(before), padded(after), step=step, alpha=0.5, resolution=FINE)
        assert found.method == ("lattice" if step else "draws")
        tolerance = 1e-12 if step else 4 * math.sqrt(expected * (1 - expected) / 9999)
        assert found.p == pytest.approx(expected, abs=tolerance)

    def test_one_case_agrees_with_scipys_permutation_test(self) -> None:
        before, after = np.array([[5.0, 4.0, 3.5, 5.0]]), np.array([[3.0, 2.0, 4.5, 1.0]])
        oracle = scipy.stats.permutation_test(
            (after[0], before[0]), lambda a, b: a.mean() - b.mean(), alternative="less", n_resamples=np.inf
        )
        null = oracle.null_distribution
        seen = oracle.statistic
        mid = np.mean(null < seen - 1e-9) + np.mean(np.abs(null - seen) < 1e-9) / 2
        found = permute_epochs(before, after, step=0.5, alpha=0.05, resolution=FINE)
        assert found.p == pytest.approx(mid, abs=1e-12)

    def test_three_lost_cases_of_ten_have_the_p_of_the_hypergeometric(self) -> None:
        before, after = np.ones((10, 3)), np.ones((10, 3))
        after[:3] = 0
        found = permute_epochs(before, after, step=1.0, alpha=0.05, resolution=FINE)
        assert found.p == pytest.approx(0.5 / 20**3, rel=1e-9)
        assert found.p_min == pytest.approx(found.p, rel=1e-9)

    def test_constant_scores_are_no_evidence(self) -> None:
        found = permute_epochs(np.ones((4, 3)), np.ones((4, 3)), step=1.0, alpha=0.05, resolution=FINE)
        assert (found.p, found.p_min, found.method) == (0.5, 0.5, "none")

    def test_the_normal_takes_over_for_many_cases_and_agrees(self) -> None:
        rng = np.random.default_rng(2)
        before = rng.integers(0, 2, (6000, 3)).astype(float)
        after = rng.integers(0, 2, (6000, 3)).astype(float)
        exact = permute_epochs(before, after, step=1.0, alpha=0.05, resolution=FINE)
        normal = permute_epochs(before, after, step=None, alpha=0.05, resolution=FINE)
        assert (exact.method, normal.method) == ("lattice", "normal")
        assert normal.p == pytest.approx(exact.p, abs=1e-3)


class TestBounds:
    """The pass bound."""

    def test_without_clusters_it_is_the_t_interval_with_the_pseudo_pair(self) -> None:
        values = np.random.default_rng(1).normal(-0.1, 0.4, 30)
        every = np.append(values, [1.0, -1.0])
        oracle = scipy.stats.ttest_1samp(every, 0).confidence_interval(0.90)
        found = clustered_bound(values, clusters=np.arange(30), pseudo=np.array([1.0, -1.0]), alpha=0.05)
        assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), rel=1e-9)
        assert found.df == pytest.approx(31)

    def test_cr1_is_statsmodels_cluster_variance(self) -> None:
        import statsmodels.api as sm

        rng = np.random.default_rng(4)
        clusters = np.repeat(np.arange(12), 5)
        values = rng.normal(0, 1, 12)[clusters] + rng.normal(0, 0.3, 60)
        every = np.append(values, [1.0, -1.0])
        groups = np.append(clusters, [90, 91])
        fit = sm.OLS(every, np.ones(62)).fit(
            cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
        )
        found = clustered_bound(values, clusters=clusters, pseudo=np.array([1.0, -1.0]), alpha=0.05)
        assert found.se == pytest.approx(fit.bse[0] * math.sqrt(14 / 13), rel=1e-9)
        assert found.df == pytest.approx(62**2 / (12 * 25 + 2) - 1)

    def test_one_cluster_bounds_nothing(self) -> None:
        found = clustered_bound(
            np.zeros(40), clusters=np.zeros(40, int), pseudo=np.array([1.0, -1.0]), alpha=0.05
        )
        assert found.low < -1
        assert found.high > 1

    @pytest.mark.parametrize(("cases", "passes"), [(45, False), (46, True)])
    def test_a_bit_identical_binary_row_needs_46_cases(self, cases: int, passes: bool) -> None:
        found = clustered_bound(
            np.zeros(cases), clusters=np.arange(cases), pseudo=np.array([1.0, -1.0]), alpha=0.05
        )
        assert (found.low > -0.05) is passes

    @pytest.mark.parametrize(("cases", "passes"), [(14, False), (15, True)])
    def test_a_bit_identical_graded_row_needs_15_cases(self, cases: int, passes: bool) -> None:
        found = clustered_bound(
            np.zeros(cases), clusters=np.arange(cases), pseudo=np.array([1.0, -1.0]), alpha=0.05
        )
        assert (found.low > -0.16) is passes

    @pytest.mark.parametrize(("epochs", "cases"), [(2, 151), (3, 79), (4, 49), (5, 34)])
    def test_a_perfect_binary_suite_needs_this_many_cases_to_pass(self, epochs: int, cases: int) -> None:
        kind = score_kind(np.ones(1), low=0, high=1)
        for number, passes in ((cases - 1, False), (cases, True)):
            scores = np.ones((number, epochs))
            noise = within_variance(scores, kind=kind, low=0, pooled=0.0) / epochs
            assert (repeat_bound(0.0, variances=2 * noise, alpha=0.05).low > -0.05) is passes

    def test_graded_noise_is_shrunk_towards_the_pool_which_is_never_zero(self) -> None:
        kind = score_kind(np.array([1.0, 2, 3, 4, 5]), low=1, high=5)
        scores = np.array([[4.0, 4, 4], [3, 4, 5]])
        pooled = pooled_variance([scores], least=kind.least_noise)
        assert pooled == pytest.approx(0.5)
        assert within_variance(scores, kind=kind, low=1, pooled=pooled) == pytest.approx([0.5 / 3, 2.5 / 3])
        assert pooled_variance([np.full((3, 3), 4.0)], least=kind.least_noise) == 0.25


class TestLattice:
    """What sort of scores a scorer gives."""

    @pytest.mark.parametrize(
        ("values", "scale", "kind", "step", "pseudo"),
        [
            ([0, 1, 1], (0, 1), "binary", 1.0, 1.0),
            ([1, 1, 1], (0, 1), "binary", 1.0, 1.0),
            ([1, 2, 5], (1, 5), "lattice", 1.0, 1.0),
            ([1, 2.5, 5], (1, 5), "lattice", 0.5, 0.5),
            ([1, 5, 5], (1, 5), "binary", 4.0, 4.0),
            ([0, 3, 10], (0, 10), "lattice", 1.0, 1.0),
            ([0.12, 0.87], (0, 1), "continuous", 0.01, 0.25),
            ([0.1234567, 0.7654321], (0, 1), "continuous", None, 0.25),
            ([], (0, 1), "continuous", None, 0.25),
        ],
    )
    def test_the_kind_is_found_in_the_scores(
        self, values: list[float], scale: tuple[float, float], kind: str, step: float | None, pseudo: float
    ) -> None:
        found = score_kind(np.array(values, dtype=float), low=scale[0], high=scale[1])
        assert found.kind == kind
        assert found.step == (None if step is None else pytest.approx(step))
        assert found.pseudo == pytest.approx(pseudo)

    def test_differences_of_means_lie_on_the_common_fraction(self) -> None:
        assert difference_step(1.0, counts=np.array([3, 2, 3])) == pytest.approx(1 / 6)
        assert difference_step(None, counts=np.array([3])) is None
        assert whole(np.array([1 / 3, -5 / 6]), step=1 / 6).tolist() == [2, -5]  # type: ignore[union-attr]
        assert whole(np.array([0.4]), step=1 / 6) is None

    def test_the_tail_stays_exact_far_out(self) -> None:
        weights = np.ones(40, dtype=np.int64)
        assert sign_sum_below(weights, total=-30) == pytest.approx(
            scipy.stats.binom.cdf(4, 40, 0.5) + scipy.stats.binom.pmf(5, 40, 0.5) / 2, abs=1e-15
        )


class TestManyRows:
    """Holm and Tarone."""

    def test_holm_is_statsmodels_holm(self) -> None:
        p = np.array([0.01, 0.04, 0.03, 0.005, 0.2, 0.01])
        assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
        assert holm(np.empty(0)).size == 0

    def test_rows_that_cannot_reject_take_no_share(self) -> None:
        found = tarone_holm(
            np.array([0.02, 0.5, 0.5, 0.5]), p_min=np.array([0.001, 0.25, 0.5, 0.125]), alpha=0.025
        )
        assert found.testable.tolist() == [True, False, False, False]
        assert found.adjusted.tolist() == [0.02, 1, 1, 1]

    def test_with_all_rows_testable_it_is_holm(self) -> None:
        p = np.array([0.001, 0.02, 0.3])
        found = tarone_holm(p, p_min=np.full(3, 1e-9), alpha=0.05)
        assert found.testable.all()
        assert found.adjusted == pytest.approx(holm(p))


class TestRatios:
    """Latency, cost and counts."""

    def test_p95_is_a_value_that_was_seen(self) -> None:
        assert p95(np.arange(1.0, 101.0)) == 95.0
        assert p95(np.array([3.0])) == 3.0

    def test_a_doubled_latency_is_found_and_an_equal_one_is_not(self) -> None:
        rng = np.random.default_rng(1)
        before = rng.lognormal(0, 0.3, (30, 3))
        slower = p95_ratio(before, rng.lognormal(0, 0.3, (30, 3)) * 2.5)
        equal = p95_ratio(before, before.copy())
        assert slower is not None
        assert equal is not None
        assert slower.p < 0.001
        assert slower.ci is not None
        assert 2.0 < slower.ratio < 3.2
        assert slower.ci[0] < slower.ratio < slower.ci[1]
        assert equal.ratio == 1.0
        assert equal.p == pytest.approx(0.5, abs=0.02)

    def test_the_null_p_agrees_with_all_swaps(self) -> None:
        rng = np.random.default_rng(9)
        before, after = rng.lognormal(0, 1, (8, 3)), rng.lognormal(0.4, 1, (8, 3))
        observed = math.log(p95(after.ravel()) / p95(before.ravel()))
        hits = 0.0
        for swap in itertools.product((False, True), repeat=8):
            mask = np.array(swap)[:, None]
            now, was = np.where(mask, before, after), np.where(mask, after, before)
            drawn = math.log(p95(now.ravel()) / p95(was.ravel()))
            hits += 0.5 if abs(drawn - observed) < 1e-12 else float(drawn > observed)
        exact = hits / 2**8
        found = p95_ratio(before, after)
        assert found is not None
        assert found.p == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 9999) + 1e-4)

    def test_missing_latencies_take_no_part(self) -> None:
        before = np.array([[1.0, np.nan], [np.nan, np.nan], [2.0, 2.0]])
        after = np.array([[1.0, 1.0], [9.0, 9.0], [np.nan, 2.0]])
        found = p95_ratio(before, after)
        assert found is not None
        assert (found.cases, found.before, found.after) == (2, 2.0, 2.0)
        assert p95_ratio(before[:1], after[:1]) is None

    def test_cost_is_the_paired_t_test_on_logs(self) -> None:
        rng = np.random.default_rng(3)
        before, after = rng.lognormal(0, 0.2, (12, 1)), rng.lognormal(0.1, 0.2, (12, 1))
        oracle = scipy.stats.ttest_rel(np.log(after[:, 0]), np.log(before[:, 0]), alternative="greater")
        found = mean_ratio(before, after)
        assert found is not None
        assert found.p == pytest.approx(oracle.pvalue, rel=1e-9)
        assert found.ratio == pytest.approx(math.exp(np.mean(np.log(after / before))))

    def test_one_and_the_same_ratio_everywhere_falls_back_to_the_sign_test(self) -> None:
        before = np.array([[0.1], [0.2], [0.4]])
        doubled, equal = mean_ratio(before, 2 * before), mean_ratio(before, before)
        assert doubled is not None
        assert equal is not None
        assert (doubled.p, equal.p) == (0.125, 0.5)
        assert mean_ratio(before, 0 * before) is None

    @pytest.mark.parametrize(
        ("before", "after", "n", "m"), [(2, 9, 300, 300), (0, 4, 100, 300), (5, 5, 90, 80)]
    )
    def test_counts_are_the_conditional_binomial(self, before: int, after: int, n: int, m: int) -> None:
        law = scipy.stats.binom(before + after, m / (n + m))
        expected = law.sf(after) + law.pmf(after) / 2
        assert more_events(before, after, exposure_before=n, exposure_after=m) == pytest.approx(expected)

    def test_no_events_are_no_more_events(self) -> None:
        assert more_events(0, 0, exposure_before=10, exposure_after=10) == 1.0


class TestPower:
    """What a suite can see and what it needs."""

    def test_the_visible_drop_is_the_sum_of_both_quantiles(self) -> None:
        bound = clustered_bound(
            np.random.default_rng(1).normal(0, 0.3, 60),
            clusters=np.arange(60),
            pseudo=np.array([1.0, -1.0]),
            alpha=0.05,
        )
        expected = (scipy.stats.t.ppf(0.95, 61) + scipy.stats.t.ppf(0.8, 61)) * bound.se
        found = smallest_significant(Spread(bound.se, bound.df), alpha=0.05)
        assert found == pytest.approx(expected, rel=1e-4)

    def test_four_times_the_cases_see_half_the_drop(self) -> None:
        once = needed_cases(100, se=0.03, distance=0.05, alpha=0.05)
        half = needed_cases(100, se=0.03, distance=0.025, alpha=0.05)
        assert once == math.ceil(100 * ((1.6448536 + 0.8416212) * 0.03 / 0.05) ** 2)
        assert half == pytest.approx(4 * once, abs=4)
        assert needed_cases(100, se=0.03, distance=0.0, alpha=0.05) is None
        assert needed_cases(100, se=0.03, distance=1e-9, alpha=0.05) is None

    def test_where_the_cases_differ_by_themselves_no_number_of_epochs_helps(self) -> None:
        assert needed_epochs(budget=10.0, fixed=10.1, noise=lambda epochs: 1 / epochs) is None
        assert needed_epochs(budget=10.0, fixed=10.0, noise=lambda epochs: 1 / epochs) is None

    @pytest.mark.parametrize("noise", [0.5, 4.0, 48.0, 1999.0])
    def test_the_epochs_needed_are_the_fewest_that_wear_the_noise_down(self, noise: float) -> None:
        found = needed_epochs(budget=10.0, fixed=8.0, noise=lambda epochs: noise / epochs)
        assert found == math.ceil(noise / 2.0)

    def test_the_pseudo_pair_does_not_grow_with_the_cases(self) -> None:
        """Unchanged binary cases: all of SE is the pair, 2/(n + 2)^2, so SE falls as 1/n."""
        se = math.sqrt(2) / 22
        found = needed_cases(20, se=se, distance=0.05, alpha=0.05, pseudo=1.0)
        assert found == math.ceil(math.sqrt(2) * (1.6448536 + 0.8416212) / 0.05 - 2)
        blind = needed_cases(20, se=se, distance=0.05, alpha=0.05)
        assert blind is not None and blind > found

    def test_few_degrees_of_freedom_ask_for_more(self) -> None:
        few = needed_cases(40, se=0.05, distance=0.05, alpha=0.05, df=7)
        many = needed_cases(40, se=0.05, distance=0.05, alpha=0.05)
        assert few is not None and many is not None
        assert many < few < 1.2 * many


class TestFlakiness:
    """How many newly failing cases chance makes."""

    def test_a_flakier_baseline_expects_more(self) -> None:
        epochs = np.full(40, 3)
        steady = np.array([3] * 39 + [0])
        flaky = np.array([3] * 20 + [2] * 12 + [1] * 8)
        chance = []
        for passed in (steady, flaky):
            prior = fitted_rates(passed, epochs=epochs)
            perfect = passed == 3
            chance.append(
                all_fail_after(
                    passed[perfect], failed=passed[perfect] * 0, epochs=epochs[perfect], prior=prior
                ).mean()
            )
        assert 0 < chance[0] < chance[1] < 0.2

    def test_the_prior_is_recovered_from_many_cases(self) -> None:
        rng = np.random.default_rng(6)
        rates = rng.beta(2.0, 1.0, 20_000)
        passed = rng.binomial(5, rates)
        a, b = fitted_rates(passed, epochs=np.full(20_000, 5))
        assert (a, b) == pytest.approx((2.0, 1.0), rel=0.1)

    def test_the_chance_is_the_posterior_mean(self) -> None:
        found = all_fail_after(np.array([3]), failed=np.array([0]), epochs=np.array([3]), prior=(0.9, 0.1))
        # E[(1 - q)^3] of Beta(a, b) is b(b+1)(b+2) / ((a+b)(a+b+1)(a+b+2)).
        assert found[0] == pytest.approx(0.1 * 1.1 * 2.1 / (4 * 5 * 6))
