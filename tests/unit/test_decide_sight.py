"""What a suite would see: honest numbers, held against formulas by hand and against the gate itself."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest
import scipy.special
from numpy.typing import NDArray

from pytest_aioncall.decide.compare import Side, judge
from pytest_aioncall.decide.sight import reconciled, sight_of
from pytest_aioncall.model.baseline import CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import Claim, Gate
from pytest_aioncall.model.verdict import Judgement, Power, Sight
from pytest_aioncall.stats.foresight import quantile, units_to_drop, units_to_reject

Table = Sequence[Sequence[float | None]] | NDArray[np.float64]


def side(
    scores: Table,
    *,
    scale: tuple[float, float] = (0.0, 1.0),
    slices: Sequence[str] = (),
    **more: Sequence[str],
) -> Side:
    clusters = more.get("clusters", ())
    rows = tuple(
        CaseRow(
            case=f"c{i:04d}",
            scores={"route": tuple(None if v is None else float(v) for v in one)},
            slices={"part": slices[i]} if slices else {},
            cluster=clusters[i] if clusters else None,
        )
        for i, one in enumerate(scores)
    )
    return Side(rows, {"route": ScorerInfo(kind="exact", scale=scale)})


def seen(found: Side, *, claim: Claim = "auto", **gate: object) -> float | None:
    """Return what the overall row would see."""
    return sight_of(found, [Gate.model_validate({"scorer": "route", "claim": claim, **gate})], Defaults())[
        0
    ].mde


def perfect(cases: int, epochs: int) -> list[list[float]]:
    return [[1.0] * epochs] * cases


class TestByHand:
    def test_ten_perfect_cases_at_three_epochs(self) -> None:
        """w = 3.5/4 x .5/4, SE = sqrt(10 x 2w/3)/10, and (1.645 + .842) SE is more than .05 + .842 SE."""
        se = math.sqrt(10 * 2 * (3.5 / 4) * (0.5 / 4) / 3) / 10
        assert seen(side(perfect(10, 3))) == pytest.approx((1.64485 + 0.84162) * se, rel=1e-4)

    def test_these_cases_are_red_from_the_margin_on_and_see_nothing_below_it(self) -> None:
        se = math.sqrt(200 * 2 * (5.5 / 6) * (0.5 / 6) / 5) / 200
        found = seen(side(perfect(200, 5)), claim="these-cases")
        assert found == pytest.approx(0.05 + 0.84162 * se, rel=1e-4)

    def test_cases_like_these_count_noise_and_the_pseudo_pair(self) -> None:
        """100 cases at 1/2, w = 1/2 each, and a mean of two epochs on both sides: d has variance 1/2."""
        se = math.sqrt(102 / 101 * (100 * 0.5 + 2)) / 102
        reach = scipy.special.stdtrit(101, 0.95) + scipy.special.stdtrit(101, 0.8)
        assert seen(side([[0, 1]] * 100)) == pytest.approx(reach * se, rel=1e-3)

    def test_without_noise_enough_whole_cases_have_to_fail(self) -> None:
        """A sign-flip test needs 4 cases that fell; 5.5 on average are 4 or more four times in five."""
        assert seen(side(perfect(60, 3))) == pytest.approx(5.515 / 60, rel=1e-3)

    def test_one_epoch_takes_the_variance_between_cases_for_the_noise(self) -> None:
        one_epoch = seen(side([[0.0], [1.0]] * 50))
        repeated = seen(side([[0.0, 0.0], [1.0, 1.0]] * 50))
        assert one_epoch is not None and repeated is not None
        assert one_epoch > 2 * repeated


class TestNothing:
    def test_one_epoch_of_few_cases_sees_nothing_and_says_why(self) -> None:
        found = sight_of(side(perfect(20, 1)), [], Defaults())
        assert [(s.mde, s.why_not, s.n_cases, s.epochs) for s in found] == [(None, "one_epoch", 20, 1)]

    def test_cases_whose_total_failure_is_not_significant_see_nothing(self) -> None:
        """One case at 2/2 -> 0/2 has mid-p 1/12."""
        found = sight_of(side(perfect(1, 2)), [], Defaults())[0]
        assert (found.mde, found.why_not) == (None, "too_few_cases")

    @pytest.mark.parametrize(
        ("cases", "epochs", "drop"), [(1, 3, 1.0), (2, 2, 1.0), (2, 3, 0.5), (3, 2, 2 / 3)]
    )
    def test_a_handful_of_cases_sees_whole_failures_only(self, cases: int, epochs: int, drop: float) -> None:
        """3/3 -> 0/3 has mid-p .025, 2/2 -> 0/2 has 1/12 once and 1/72 twice."""
        assert seen(side(perfect(cases, epochs))) == pytest.approx(drop)

    def test_a_mean_cannot_drop_below_the_floor(self) -> None:
        assert seen(side([[0.0, 0.0, 1.0]] + [[0.0] * 3] * 9)) is None

    def test_three_clusters_can_never_reject(self) -> None:
        names = [f"doc-{i % 3}" for i in range(60)]
        found = sight_of(
            side(perfect(60, 3), clusters=names), [Gate(scorer="route", claim="cases-like-these")], Defaults()
        )
        assert found[0].why_not == "too_few_cases"

    def test_a_side_without_a_score_has_no_sight(self) -> None:
        assert sight_of(side([[None, None]] * 10), [], Defaults()) == []

    @pytest.mark.parametrize("margin", [0.0, 1e-9])
    @pytest.mark.parametrize("cases", [12, 60, 5000])
    def test_no_suite_ever_sees_a_drop_of_zero(self, cases: int, margin: float) -> None:
        found = seen(side(perfect(cases, 3)), margin=margin)
        assert found is not None
        assert found > 0


class TestRows:
    def test_slices_share_alpha_and_small_ones_do_not_gate(self) -> None:
        scores = side(perfect(45, 3), slices=["long"] * 20 + ["short"] * 20 + ["odd"] * 5)
        found = sight_of(scores, [Gate(scorer="route", slices=("part",))], Defaults())
        assert [s.slice for s in found] == [None, {"part": "long"}, {"part": "short"}]
        alone = seen(side(perfect(45, 3)))
        assert alone is not None and found[0].mde is not None and found[1].mde is not None
        assert alone < found[0].mde < found[1].mde

    def test_a_judgement_says_what_its_uncompared_and_its_unchanged_rows_would_see(self) -> None:
        was = side(perfect(20, 3))
        hashes = {row.case: ("x", "x", "x") for row in was.rows}
        told = Side(was.rows, was.scorers, hashes)
        first, same, other = decided(was, None), decided(told, told), decided(was, was)
        assert [v.reason for v in first.verdicts + same.verdicts] == ["nothing_to_compare", "unchanged"]
        alone = sight_of(was, [], Defaults())
        assert first.sights == same.sights == tuple(reconciled(alone, first.powers))
        assert other.verdicts[0].reason == "no_drop_seen"
        assert other.sights == ()
        assert other.verdicts[0].mde == pytest.approx(alone[0].mde)


def decided(now: Side, was: Side | None, claim: Claim = "auto") -> Judgement:
    gates = [Gate(scorer="route", claim=claim)]
    return judge(now, was, evalset="e", gates=gates, defaults=Defaults(), max_error_rate=1)


WORLDS = {
    "perfect": lambda draws, cases: np.ones(cases),
    "flaky": lambda draws, cases: draws.beta(0.9, 0.1, cases),
    "half": lambda draws, cases: draws.beta(2, 2, cases),
}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(
    ("claim", "cases", "epochs"),
    [
        ("these-cases", 10, 3),
        ("these-cases", 30, 5),
        ("cases-like-these", 60, 3),
        ("cases-like-these", 120, 1),
    ],
)
def test_a_drop_of_the_size_told_is_red_about_four_times_in_five(
    claim: Claim, cases: int, epochs: int, world: str
) -> None:
    """Told from one run alone, without knowing how a drop will spread: at least .7, and half of it under .7.

    The drop is spread over all cases in proportion to their rates.
    """
    draws = np.random.default_rng([cases, epochs, len(world)])
    rates = WORLDS[world](draws, cases)

    def run(share: float) -> NDArray[np.float64]:
        return (draws.random((cases, epochs)) < rates[:, None] * share).astype(np.float64)

    told = [seen(side(run(1.0)), claim=claim) for _ in range(5)]
    drop = float(np.median([t for t in told if t is not None]))
    changes = 60
    power = {}
    for part in (1.0, 0.5):
        share = max(0.0, 1 - part * drop / rates.mean())
        reds = [decided(side(run(share)), side(run(1.0)), claim).exit_code == 1 for _ in range(changes)]
        power[part] = sum(reds) / changes
    slack = 2.5 * math.sqrt(0.8 * 0.2 / changes)
    assert power[1.0] >= 0.8 - slack, power
    if world != "perfect":
        assert power[0.5] <= 0.8 - slack, power


class TestNumbers:
    @pytest.mark.parametrize("level", [0.8, 0.95, 0.99, 0.9995])
    @pytest.mark.parametrize("df", [1, 2, 5, 8, 20, 51, 1000])
    def test_quantiles_are_those_of_students_t(self, level: float, df: float) -> None:
        assert quantile(level, df) == pytest.approx(
            scipy.special.stdtrit(df, level), rel=0.06 if df == 5 else 0.02
        )
        assert quantile(level) == pytest.approx(scipy.special.ndtri(level), rel=1e-9)

    @pytest.mark.parametrize(("alpha", "least"), [(0.05, 4), (0.0626, 3), (0.0625, 3), (0.01, 6), (0.4, 1)])
    def test_units_to_reject_are_the_fewest_whose_mid_p_reaches_alpha(self, alpha: float, least: int) -> None:
        assert units_to_reject(alpha) == least
        assert 0.5 ** (least + 1) <= alpha < 0.5**least or least == 1

    @pytest.mark.parametrize("least", [1, 4, 9, 30])
    def test_units_to_drop_is_the_inverse_of_a_poisson_tail(self, least: int) -> None:
        assert units_to_drop(least) == pytest.approx(scipy.special.gammaincinv(least, 0.8), rel=1e-9)


def test_a_first_run_loads_no_scipy_for_it() -> None:
    code = (
        "import sys\n"
        "from pytest_aioncall.decide.sight import reconciled, sight_of\n"
        "from pytest_aioncall.decide.sides import Side\n"
        "from pytest_aioncall.model.baseline import CaseRow, ScorerInfo\n"
        "from pytest_aioncall.model.config import Defaults\n"
        "rows = tuple(CaseRow(case=str(i), scores={'s': (1.0, 0.0)}) for i in range(60))\n"
        "assert sight_of(Side(rows, {'s': ScorerInfo(kind='exact')}), [], Defaults())[0].mde\n"
        "assert 'scipy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("mde", "at_margin", "at_twice", "told"),
    [
        (0.09, 0.85, 0.99, 0.05),
        (0.04, 0.5, 0.9, 0.05),
        (0.07, 0.5, 0.9, 0.07),
        (0.04, 0.1, 0.3, 0.1),
        (None, 0.9, 1.0, None),
    ],
)
def test_what_is_seen_does_not_contradict_the_power_beside_it(
    mde: float | None, at_margin: float, at_twice: float, told: float | None
) -> None:
    """A row that sees its margin four times in five sees it; one that does not needs more than the margin."""
    sight = Sight(scorer="route", claim="cases-like-these", mde=mde)
    power = Power(
        scorer="route", claim="cases-like-these", margin=0.05, at_margin=at_margin, at_twice=at_twice
    )
    other = power.model_copy(update={"slice": {"part": "a"}, "at_margin": 0.0, "at_twice": 0.0})
    assert reconciled([sight], [other, power])[0].mde == told
