"""The self-check simulates with the gate itself; the line in every report agrees with what it simulates."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from pytest_aioncall.adapters.render.sight_line import floor_chance_line, percent, power_line
from pytest_aioncall.decide.chances import fewer_than, floor_chances
from pytest_aioncall.decide.compare import judge
from pytest_aioncall.decide.powers import powers_of_side
from pytest_aioncall.decide.rehearsal import (
    all_numbers,
    dropped_runs,
    numbers_in,
    suite_of,
    unchanged_runs,
    verdict_alone,
    verdicts_in,
)
from pytest_aioncall.decide.selfcheck import SelfCheckRequest, self_check
from pytest_aioncall.decide.sides import Side
from pytest_aioncall.model.baseline import Acceptance, CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import Gate
from pytest_aioncall.model.selfcheck import SelfCheck
from pytest_aioncall.model.verdict import Floor, Power
from pytest_aioncall.stats.counts import share_interval
from pytest_aioncall.stats.draws import Words
from pytest_aioncall.stats.lattice import ScoreKind, score_kind
from pytest_aioncall.stats.outlook import poisson_tail
from pytest_aioncall.stats.urn import fall_of, fallen_epochs, urn_of

Floats = NDArray[np.float64]
BINARY = ScoreKind("binary", 1.0, 1.0)
GRADED = ScoreKind("lattice", 1.0, 4.0)


def flaky(cases: int, epochs: int, seed: int = 1) -> Floats:
    rng = np.random.default_rng(seed)
    return (rng.random((cases, epochs)) < rng.beta(0.9, 0.1, (cases, 1))).astype(np.float64)


def graded(cases: int, epochs: int, seed: int = 1) -> Floats:
    rng = np.random.default_rng(seed)
    latent = 4.2 + 0.8 * rng.standard_normal((cases, 1)) + 0.6 * rng.standard_normal((cases, epochs))
    return np.clip(np.rint(latent), 1, 5)


def side(**scorers: Floats) -> Side:
    """Return a side with the scorers given; the slice `part` is a, b, c in turn; graded ones are on 1-5."""
    first = next(iter(scorers.values()))
    rows = tuple(
        CaseRow(
            case=f"c{i:04d}",
            slices={"part": "abc"[i % 3]},
            scores={name: tuple(map(float, table[i])) for name, table in scorers.items()},
        )
        for i in range(first.shape[0])
    )
    scales = {name: (1.0, 5.0) if name.startswith("graded") else (0.0, 1.0) for name in scorers}
    return Side(rows, {name: ScorerInfo(kind="x", scale=scale) for name, scale in scales.items()})


def checked(found: Side, *gates: Gate, runs: int = 60, **more: object) -> SelfCheck:
    request = SelfCheckRequest("e", list(gates), Defaults(), runs=runs, **more)  # type: ignore[arg-type]
    return self_check(found, request)


class TestTheInnerPath:
    @pytest.mark.parametrize("cases", [24, 66])
    def test_it_decides_as_judge_does(self, cases: int) -> None:
        """Every row of every drawn run: status, reason and p are those of `judge` on rows of cases."""
        was = side(route=flaky(cases, 3), graded=graded(cases, 3))
        gates = [Gate(scorer="route", slices=("part",), min=0.5), Gate(scorer="graded", slices=("part",))]
        suite = suite_of(was, gates, Defaults())
        drawn = unchanged_runs(suite, Words(seed=1), runs=12)
        for shift in (0.0, 0.3):
            after = {name: scores.copy() for name, scores in drawn.after.items()}
            hit = Words(seed=2).shares(12 * cases, width=3).reshape(12, cases, 3) < shift
            after["route"][hit] = 0.0
            for run in range(12):
                numbers = [numbers_in(suite, row, after=after[row.scorer][run]) for row in suite.rows.rows]
                inner = verdicts_in(numbers)
                now = side(**{name: scores[run] for name, scores in after.items()})
                whole = judge(now, was, evalset="e", gates=gates, defaults=Defaults(), max_error_rate=1)
                assert [(v.status, v.reason, v.p, v.p_adjusted) for v in inner] == [
                    (v.status, v.reason, v.p, v.p_adjusted) for v in whole.verdicts
                ]

    def test_the_comparisons_are_counted_for_the_progress_line(self) -> None:
        suite = suite_of(side(route=flaky(12, 3)), [Gate(scorer="route", slices=("part",))], Defaults())
        made: list[int] = []
        all_numbers(suite, unchanged_runs(suite, Words(seed=1), runs=5), made.append)
        assert sum(made) == 5 * len(suite.rows.rows)


class TestTheUrn:
    def test_three_of_three_is_no_certainty(self) -> None:
        urn = urn_of(np.ones((40, 3)), kind=BINARY, low=0, high=1)
        drawn = urn.draw(Words(seed=1), runs=400, epochs=3)
        assert 0 < float((drawn == 0).mean()) < 0.01

    def test_it_keeps_lattice_range_mean_and_spread(self) -> None:
        scores = graded(150, 3)
        urn = urn_of(scores, kind=GRADED, low=1, high=5)
        drawn = urn.draw(Words(seed=1), runs=300, epochs=4)
        assert set(np.unique(drawn)) <= {1.0, 2.0, 3.0, 4.0, 5.0}
        assert float(drawn.mean()) == pytest.approx(float(scores.mean()), abs=0.02)
        assert float(drawn.std()) == pytest.approx(float(scores.std()), abs=0.03)
        inside = float(drawn.var(axis=2, ddof=1).mean())
        assert inside == pytest.approx(float(scores.var(axis=1, ddof=1).mean()), rel=0.1)

    def test_its_moments_are_those_of_what_it_draws(self) -> None:
        urn = urn_of(flaky(10, 3), kind=BINARY, low=0, high=1)
        drawn = urn.draw(Words(seed=3), runs=6000, epochs=2)
        mean, variance = urn.moments()
        assert drawn[:, :, 1].mean(axis=0) == pytest.approx(mean, abs=0.03)
        within = ((drawn[:, :, 0] - drawn[:, :, 1]) ** 2 / 2).mean(axis=0)
        assert within == pytest.approx(urn.within(), abs=0.03)
        assert variance == pytest.approx(mean * (1 - mean))

    def test_on_binary_scores_it_is_the_beta_binomial_model(self) -> None:
        """3 of 3 in a suite of 6 x 3 with 15.5/19 as its mean: (a + 3)/(a + b + 3)."""
        scores = np.ones((6, 3))
        scores[0], scores[1, 0], scores[2, 0] = 0, 0, 0
        urn = urn_of(scores, kind=BINARY, low=0, high=1)
        rate = (scores.sum() + 0.5) / 19
        share = float(scores.var(axis=1, ddof=1).mean()) / (rate * (1 - rate))
        assert urn.strength == pytest.approx(share / (1 - share))
        assert urn.moments()[0][5] == pytest.approx((urn.strength * rate + 3) / (urn.strength + 3))

    @pytest.mark.parametrize(
        ("kind", "delta"), [(BINARY, 0.05), (BINARY, 0.3), (GRADED, 0.16), (GRADED, 1.5)]
    )
    def test_a_drop_costs_on_average_what_it_says(self, kind: ScoreKind, delta: float) -> None:
        scores = flaky(40, 3) if kind is BINARY else graded(40, 3)
        low = 0.0 if kind is BINARY else 1.0
        urn = urn_of(scores, kind=kind, low=low, high=low + kind.span)
        fall = fall_of(urn, delta=delta, kind=kind, low=low)
        assert fall is not None
        words = Words(seed=1)
        drawn = urn.draw(words, runs=1500, epochs=3)
        hit = fallen_epochs(words, runs=1500, cases=40, epochs=3, share=fall.share, strength=urn.strength)
        lost = hit * fall.of(drawn, low=low)
        assert float(lost.mean()) == pytest.approx(delta, rel=0.04)
        assert float((drawn - lost).min()) >= low

    def test_a_slice_that_is_better_than_the_others_is_not_drawn_down_to_them(self) -> None:
        """Half of the suite never fails, half fails two times in five: both stay what they are."""
        scores = (np.random.default_rng(5).random((60, 3)) < 0.6).astype(np.float64)
        scores[::2] = 1.0
        parts = np.arange(60) % 2
        whole, split = (urn_of(scores, kind=BINARY, low=0, high=1, groups=groups) for groups in (None, parts))
        lost = [1 - float(urn.moments()[0][parts == 0].mean()) for urn in (whole, split)]
        assert lost[1] < lost[0] / 2

    def test_a_long_pool_is_condensed_and_says_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A measured score has as many values as samples: the work must not grow with their square."""
        rng = np.random.default_rng(4)
        scores = rng.gamma(2.0, 0.1, size=(1500, 3)).clip(0, 1)
        groups = rng.integers(0, 4, size=1500)
        kind = score_kind(scores.ravel(), low=0, high=1)
        short = urn_of(scores, kind=kind, low=0, high=1, groups=groups)
        monkeypatch.setattr("pytest_aioncall.stats.urn.MOST_POOLED", 10**9)
        whole = urn_of(scores, kind=kind, low=0, high=1, groups=groups)
        assert short.pool.size == 1024 < whole.pool.size
        assert np.all(np.diff(short.pool) > 0)
        for was, now in zip(whole.moments(), short.moments(), strict=True):
            assert now == pytest.approx(was, rel=0.01, abs=1e-4)

    def test_there_is_no_room_for_a_drop_below_the_floor(self) -> None:
        urn = urn_of(np.zeros((20, 3)), kind=BINARY, low=0, high=1)
        assert fall_of(urn, delta=0.05, kind=BINARY, low=0) is None


GRID = [
    (30, 3, "flaky"), (30, 5, "perfect"), (45, 2, "flaky"), (60, 1, "flaky"), (60, 3, "perfect"),
    (60, 3, "graded"), (120, 3, "flaky"), (200, 3, "flaky"), (120, 3, "graded"),
]  # fmt: skip


def simulated(found: Side, name: str, *, times: int, runs: int) -> float:
    suite = suite_of(found, [Gate(scorer=name)], Defaults())
    row, words = suite.rows.rows[0], Words(seed=11)
    after = unchanged_runs(suite, words, runs=runs).after[name]
    if times:
        dropped = dropped_runs(suite, row, after, words, delta=times * row.margin)
        assert dropped is not None
        after = dropped
    level = suite.level_of(row)
    found_red = [verdict_alone(numbers_in(suite, row, after=one), level=level).status for one in after]
    return found_red.count("regressed") / runs


@pytest.mark.parametrize(("cases", "epochs", "world"), GRID)
def test_the_line_in_every_report_is_near_what_a_simulation_finds(
    cases: int, epochs: int, world: str
) -> None:
    """From 30 cases on within .08, with three standard errors of 250 runs beside it."""
    tables = {"flaky": flaky, "graded": graded, "perfect": lambda n, r: np.ones((n, r))}
    name = "graded" if world == "graded" else "route"
    found = side(**{name: tables[world](cases, epochs)})
    power = powers_of_side(found, [Gate(scorer=name)], Defaults())[0]
    for times, told in ((0, power.alarm), (1, power.at_margin), (2, power.at_twice)):
        share = simulated(found, name, times=times, runs=250)
        assert told is not None
        assert told == pytest.approx(share, abs=0.08 + 3 * math.sqrt(max(share * (1 - share), 0.004) / 250))


class TestPowers:
    def test_one_epoch_of_few_cases_has_no_number(self) -> None:
        power = powers_of_side(side(route=np.ones((20, 1))), [], Defaults())[0]
        assert (power.alarm, power.at_margin, power.claim) == (None, None, "these-cases")

    def test_more_cases_and_more_epochs_see_more(self) -> None:
        seen = [
            powers_of_side(side(route=flaky(n, r)), [], Defaults())[0].at_margin or 0.0
            for n, r in ((60, 2), (60, 8), (400, 8))
        ]
        assert seen == sorted(seen)
        assert seen[2] > seen[0] + 0.2

    def test_slices_under_ten_cases_do_not_gate(self) -> None:
        gates = [Gate(scorer="route", slices=("part",))]
        assert len(powers_of_side(side(route=flaky(27, 3)), gates, Defaults())) == 1
        assert len(powers_of_side(side(route=flaky(30, 3)), gates, Defaults())) == 4

    def test_a_judgement_carries_them_with_a_baseline_and_without(self) -> None:
        was = side(route=flaky(60, 3))
        for baseline in (was, None):
            found = judge(was, baseline, evalset="e", gates=[], defaults=Defaults(), max_error_rate=1)
            assert list(found.powers) == powers_of_side(was, [], Defaults())

    def test_no_scipy_is_loaded_for_them(self) -> None:
        code = (
            "import sys\n"
            "from pytest_aioncall.decide.powers import powers_of_side\n"
            "from pytest_aioncall.decide.sides import Side\n"
            "from pytest_aioncall.model.baseline import CaseRow, ScorerInfo\n"
            "from pytest_aioncall.model.config import Defaults\n"
            "rows = tuple(CaseRow(case=f'c{i}', scores={'s': (1.0, float(i % 9 > 0))}) for i in range(80))\n"
            "found = powers_of_side(Side(rows, {'s': ScorerInfo(kind='x')}), [], Defaults())\n"
            "assert found[0].at_margin > 0\n"
            "print(any(name.startswith('scipy') for name in sys.modules))\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "False"


class TestSelfCheck:
    def test_the_same_baseline_gives_the_same_numbers(self) -> None:
        gates = [Gate(scorer="route", slices=("part",))]
        assert checked(side(route=flaky(30, 3)), *gates) == checked(side(route=flaky(30, 3)), *gates)

    def test_it_tells_a_suite_that_sees_from_one_that_does_not(self) -> None:
        large = checked(side(route=flaky(300, 3)), plans=False)
        small = checked(side(route=flaky(12, 3)), plans=False)
        assert (large.powers[0].at_twice or 0) > 0.95
        assert (small.powers[0].at_margin or 0) < 0.5
        assert large.powers[0].simulated

    def test_unchanged_runs_are_red_no_more_often_than_alpha_allows(self) -> None:
        found = checked(side(route=flaky(66, 3), graded=graded(66, 3)), runs=200, plans=False)
        limit = 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)
        assert found.alarm_any <= limit
        assert found.alarm_any_fresh <= limit

    def test_a_plan_names_the_cheapest_suite_with_its_calls_and_cost(self) -> None:
        found = checked(side(route=flaky(60, 3)), Gate(scorer="route", margin=0.05), calls=2, cost_usd=0.01)
        plan = found.plans[0]
        assert plan.status in ("plan", "cases_only")
        assert plan.cases is not None and plan.epochs is not None and plan.power is not None
        assert plan.power > 0.7
        assert plan.calls == plan.cases * plan.epochs * 2
        assert plan.cost_usd == pytest.approx(plan.cases * plan.epochs * 0.01)

    def test_a_suite_that_sees_enough_needs_no_plan(self) -> None:
        found = checked(side(route=flaky(300, 3)), Gate(scorer="route", margin=0.15))
        assert [plan.status for plan in found.plans] == ["enough"]

    def test_it_says_so_where_no_number_of_epochs_helps(self) -> None:
        """A steady suite of 20 cases: more epochs show the same, and a row on them sees half at best."""
        found = checked(side(route=np.ones((20, 3))), Gate(scorer="route", margin=0.05))
        assert found.plans[0].status == "cases_only"
        assert found.plans[0].epochs_alone is None
        assert any("half the time" in note for note in found.notes)

    def test_a_mean_at_the_floor_has_nothing_to_lose(self) -> None:
        found = checked(side(route=np.zeros((30, 3))))
        assert found.powers[0].at_margin is None
        assert found.plans[0].status == "out_of_reach"

    def test_one_epoch_is_blind_and_the_noise_a_guess(self) -> None:
        found = checked(side(route=flaky(20, 1)), plans=False)
        assert found.powers[0].at_margin is None
        assert any("one epoch" in note for note in found.notes)

    def test_a_minimum_that_the_baseline_was_accepted_below_rings_no_false_alarm(self) -> None:
        """As in the gate: the owner accepted the row below its minimum, and no drop came after it."""
        found, gate = side(route=flaky(80, 3)), Gate(scorer="route", min=0.98)
        excused = (Acceptance(scorer="route", ticket="T-1"),)
        assert checked(found, gate, plans=False).alarm_any > 0.5
        assert checked(found, gate, plans=False, settled=excused).alarm_any <= 0.15

    def test_small_slices_are_named_and_have_no_row(self) -> None:
        found = checked(side(route=flaky(20, 3)), Gate(scorer="route", slices=("part",)), plans=False)
        assert len(found.powers) == 1
        assert found.small_slices == tuple(
            f"route part={p} ({n} cases)" for p, n in zip("abc", (7, 7, 6), strict=True)
        )


def floors(held: Sequence[int], *, epochs: int = 3, kind: str = "must") -> list[Floor]:
    return [
        Floor.model_validate(
            {"kind": kind, "case": f"c{i}", "scorer": "must[0]:regex", "ok": True, "held": one,
             "epochs": epochs, "needed": epochs}
        )
        for i, one in enumerate(held)
    ]  # fmt: skip


class TestMustByChance:
    def test_by_hand(self) -> None:
        """A uniform rate: 3 of 3 hold with chance 1/4, at least 2 of 3 with 1/2."""
        ones = np.ones(2)
        found = fewer_than(np.array([3, 2]), epochs=np.array([3, 3]), a=ones, b=ones)
        assert found == pytest.approx([0.75, 0.5])

    def test_a_hundred_that_always_held_speak_together(self) -> None:
        found = floor_chances(floors([3] * 100))
        assert found is not None
        assert found.any < 0.12
        assert found.weakest[0].chance < 0.002

    def test_the_weakest_comes_first_and_weighs(self) -> None:
        held = floor_chances(floors([3] * 11))
        weak = floor_chances([*floors([3] * 11), *floors([2], kind="require")])
        assert held is not None and weak is not None
        assert weak.weakest[0].kind == "require"
        assert weak.any > held.any
        assert weak.any_must == held.any_must

    def test_undecided_ones_and_none_tell_nothing(self) -> None:
        assert floor_chances([]) is None
        assert floor_chances([one.model_copy(update={"undecided": True}) for one in floors([1])]) is None

    def test_the_line(self) -> None:
        found = floor_chances(floors([3] * 12))
        assert found is not None
        assert floor_chance_line(found) == (
            f"the 12 musts would ring by chance in about {percent(found.any_must)} of unchanged runs; "
            "weakest: c0 regex"
        )


def power(seen: float | None, **more: object) -> Power:
    keys = {"scorer": "route", "claim": "these-cases", "margin": 0.05, "at_margin": seen, **more}
    return Power.model_validate(keys)


class TestTheLine:
    def test_the_worst_slice_is_named(self) -> None:
        rows = [power(0.93), power(0.8, slice={"shape": "short"}), power(0.41, slice={"shape": "long"})]
        assert power_line(rows) == "this suite sees a 5 pp drop in route with 93 %, in shape=long with 41 %"

    def test_a_scale_that_is_no_rate(self) -> None:
        one = power(0.5, scorer="helpfulness", margin=0.16, scale=(1.0, 5.0))
        assert power_line([one]) == "this suite sees a 0.16 drop in helpfulness with 50 %"

    def test_of_several_scorers_the_worst_overall_row(self) -> None:
        rows = [power(0.9), power(0.2, scorer="tone", margin=0.1), power(0.1, slice={"shape": "long"})]
        assert power_line(rows) == (
            "this suite sees a 10 pp drop in tone with 20 %, a 5 pp drop in route shape=long with 10 %"
        )

    def test_no_number_no_line(self) -> None:
        assert power_line([]) == power_line([power(None)]) == ""

    def test_hostile_names_stay_on_one_line(self) -> None:
        text = power_line([power(0.5, slice={"shape": "x\n\x1b[31mred"})])
        assert "\n" not in text and "\x1b" not in text

    @pytest.mark.parametrize(
        ("share", "text"), [(0.0, "0 %"), (0.001, "<1 %"), (0.935, "94 %"), (0.999, ">99 %"), (1.0, "100 %")]
    )
    def test_no_share_is_rounded_to_never_or_always(self, share: float, text: str) -> None:
        assert percent(share) == text


def test_exact_intervals_of_a_share() -> None:
    """0 of 10 and 3 of 10 as in any table of Clopper and Pearson."""
    assert share_interval(0, 10, alpha=0.05) == pytest.approx((0, 0.3085), abs=1e-4)
    assert share_interval(3, 10, alpha=0.05) == pytest.approx((0.0667, 0.6525), abs=1e-4)
    assert share_interval(10, 10, alpha=0.05) == pytest.approx((0.6915, 1), abs=1e-4)


def test_poisson_tail_by_hand() -> None:
    assert poisson_tail(2.0, least=2) == pytest.approx(1 - 3 * math.exp(-2))
    assert poisson_tail(0.0, least=1) == 0.0
