"""What a gate says for itself, what the defaults say for it, and what holds between gates that differ."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import jsonschema
import numpy as np
import pytest

from pytest_aioncall.adapters.evalset_files.schema import json_schema
from pytest_aioncall.adapters.render import words
from pytest_aioncall.adapters.render.figures import interval_plot
from pytest_aioncall.adapters.render.table import table_lines
from pytest_aioncall.decide.compare import Side, judge
from pytest_aioncall.errors import UsageError
from pytest_aioncall.flows.wording import judgement_lines
from pytest_aioncall.model.baseline import CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import Gate
from pytest_aioncall.model.run import RunEvalset
from pytest_aioncall.model.verdict import Floor, Judgement, Verdict
from pytest_aioncall.stats.holm import holm, tarone_holm

ROUTE, TONE = ScorerInfo(kind="exact", hash="h"), ScorerInfo(kind="judge", hash="h", scale=(1, 5))


def side(**scores: Sequence[Sequence[float]]) -> Side:
    """Lay scores out as one side; `tone` is on 1-5, all else on 0-1."""
    count = max(map(len, scores.values()))
    rows = tuple(
        CaseRow(case=f"c{i:03d}", digest="d", scores={name: tuple(one[i]) for name, one in scores.items()})
        for i in range(count)
    )
    return Side(rows=rows, scorers={name: TONE if name == "tone" else ROUTE for name in scores})


def gate(now: Side, was: Side | None, *gates: Gate, **asked: Any) -> Judgement:
    rules: dict[str, Any] = {"evalset": "e", "gates": gates, "defaults": Defaults(), "max_error_rate": 0.02}
    return judge(now, was, **(rules | asked))


def row(found: Judgement, scorer: str = "route") -> Verdict:
    return next(v for v in found.verdicts if v.scorer == scorer)


def fallen(number: int, *, of: int = 60) -> list[list[float]]:
    return [[0.0 if i < number else 1.0] for i in range(of)]


STEADY = fallen(0)
# Six cases of sixty fall, none rises: p = 2^-7, between .005 and .05.
SURE = (side(route=fallen(6)), side(route=STEADY))
# Three fall: p = 2^-4, red at .1 only.
UNSURE = (side(route=fallen(3)), side(route=STEADY))


class TestLevels:
    """`alpha` of a gate is the level of its own rows."""

    @pytest.mark.parametrize(("alpha", "status"), [(0.05, "regressed"), (0.005, "inconclusive")])
    def test_a_row_is_red_at_its_own_level(self, alpha: float, status: str) -> None:
        found = gate(*SURE, Gate(scorer="route", alpha=alpha))
        assert (row(found).p_adjusted, row(found).alpha) == (2.0**-7, alpha)
        assert row(found).status == status

    def test_a_gates_level_wins_over_the_default_and_the_default_over_nothing(self) -> None:
        strict = Defaults(alpha=0.005)
        assert row(gate(*SURE, defaults=strict)).status == "inconclusive"
        assert row(gate(*SURE, Gate(scorer="route", alpha=0.05), defaults=strict)).status == "regressed"
        assert row(gate(*UNSURE, Gate(scorer="route", alpha=0.1))).status == "regressed"

    def test_its_interval_and_its_pass_have_the_gates_own_level(self) -> None:
        now = was = side(route=[[float(i % 10 > 0)] for i in range(60)])
        wide = row(gate(now, was, Gate(scorer="route", alpha=0.001)))
        usual = row(gate(now, was, Gate(scorer="route")))
        assert wide.ci is not None and usual.ci is not None
        assert wide.ci[0] < -0.05 < usual.ci[0]
        assert (wide.status, usual.status) == ("inconclusive", "pass")

    def test_a_minimum_is_decided_at_the_gates_own_level(self) -> None:
        low = side(route=fallen(15))
        found = [gate(low, None, Gate(scorer="route", min=0.85, alpha=a)) for a in (0.05, 0.001)]
        assert [row(one).reason for one in found] == ["below_min", "min_undecided"]

    def test_every_row_says_its_level_and_so_does_every_screen(self) -> None:
        now, was = side(route=fallen(6), other=fallen(6)), side(route=STEADY, other=STEADY)
        found = gate(now, was, Gate(scorer="route"), Gate(scorer="other", alpha=0.01))
        assert [v.alpha for v in found.verdicts] == [0.05, 0.01]
        said = judgement_lines(found)
        assert "90 % interval" in said[1]
        assert "98 % interval" in said[2]
        table = [
            text
            for text, _ in table_lines(
                found.verdicts, alpha=0.05, width=120, safe=lambda text, most: text[:most]
            )
        ]
        assert "interval" in table[0] and "%" not in table[0]
        assert "  90 %: " in table[1]
        assert "  98 %: " in table[2]
        panel = interval_plot(found.verdicts, alpha=0.05)[0]
        assert panel.interval == "interval"
        assert ["98 % interval" in mark.label for mark in panel.marks] == [False, True]

    def test_where_all_rows_have_one_level_the_head_says_it_once(self) -> None:
        found = gate(*SURE, Gate(scorer="route", alpha=0.01))
        head, line = (
            text for text, _ in table_lines(found.verdicts, alpha=0.05, width=120, safe=lambda text, _: text)
        )
        assert "98 % interval" in head
        assert "98 %" not in line
        assert interval_plot(found.verdicts, alpha=0.05)[0].interval == "98 % interval"

    def test_an_old_verdict_without_a_level_has_the_judgements(self) -> None:
        old = row(gate(*SURE)).model_copy(update={"alpha": None})
        assert words.level_of(old, 0.025) == 0.025
        assert words.common_level([old], 0.025) == 0.025

    def test_a_run_folder_keeps_the_rules_of_its_gates(self) -> None:
        rules = (
            Gate(scorer="route", alpha=0.01, on_inconclusive="fail", claim="these-cases"),
            Gate(scorer="b"),
        )
        planned = RunEvalset(evalset="e", gates=rules)
        assert RunEvalset.model_validate_json(planned.model_dump_json()).gates == rules
        old = {"scorer": "route", "margin": None, "slices": [], "min": None, "claim": "auto"}
        assert Gate.model_validate(old).claim == "auto"


class TestOneFamily:
    """Rows of different levels share one Holm family."""

    def test_false_alarms_of_the_family_stay_under_its_largest_level(self) -> None:
        """Under no change a p-value is uniform; the rows of level .1, .05 and .01 are corrected together."""
        draw = np.random.Generator(np.random.PCG64(7))
        levels = np.array([0.1, 0.05, 0.01])
        alarms, runs = 0, 20_000
        for p in draw.random((runs, 3)):
            alarms += bool(np.any(holm(p) <= levels))
        assert alarms / runs <= 0.1
        assert alarms / runs > 0.03, "so strict that nothing was tested"

    def test_so_do_those_of_slices_with_few_attainable_values(self) -> None:
        draw = np.random.Generator(np.random.PCG64(8))
        levels = np.array([0.1, 0.05, 0.05, 0.01, 0.1])
        units = np.array([3, 5, 8, 8, 12])
        alarms, runs = 0, 4000
        for _ in range(runs):
            p = np.array([_mid_p(int(draw.binomial(n, 0.5)), n) for n in units])
            found = tarone_holm(p, p_min=0.5 ** (units + 1.0), alpha=levels)
            alarms += bool(np.any((found.adjusted <= levels) & found.testable))
        assert alarms / runs <= 0.1 + 3 * (0.1 * 0.9 / runs) ** 0.5
        assert alarms > 0

    def test_unchanged_runs_of_three_gates_are_red_no_more_often_than_the_largest_level(self) -> None:
        rng = random.Random(11)
        names = {"a": 0.1, "b": 0.05, "c": 0.01}
        gates = [Gate(scorer=name, alpha=alpha) for name, alpha in names.items()]

        def drawn() -> Side:
            return side(**{name: [[float(rng.random() < 0.8)] for _ in range(60)] for name in names})

        red = sum(gate(drawn(), drawn(), *gates).status == "regressed" for _ in range(200))
        assert red / 200 <= 0.1 + 3 * (0.1 * 0.9 / 200) ** 0.5

    def test_a_row_whose_level_no_value_can_reach_is_told_to_be_too_small(self) -> None:
        p, p_min = np.array([2.0**-6, 2.0**-6]), np.array([2.0**-6, 2.0**-6])
        found = tarone_holm(p, p_min=p_min, alpha=np.array([0.05, 0.01]))
        assert found.testable.tolist() == [True, False]
        assert (found.adjusted <= [0.05, 0.01]).tolist() == [True, False]

    def test_one_level_for_all_is_what_it_was(self) -> None:
        draw = np.random.Generator(np.random.PCG64(9))
        for _ in range(200):
            p_min = 0.5 ** draw.integers(2, 12, size=6)
            p = np.maximum(p_min, draw.random(6) ** 3)
            one = tarone_holm(p, p_min=p_min, alpha=0.025)
            many = tarone_holm(p, p_min=p_min, alpha=np.full(6, 0.025))
            assert one.adjusted.tolist() == many.adjusted.tolist()
            assert one.testable.tolist() == many.testable.tolist()


def _mid_p(down: int, units: int) -> float:
    """Return the mid-p of `down` or more of `units` fair signs falling."""
    from math import comb

    mass = [comb(units, k) / 2**units for k in range(units + 1)]
    return sum(mass[down + 1 :]) + mass[down] / 2


class TestInconclusive:
    """`on_inconclusive: fail` makes exit 7 where that gate's own row is open."""

    now, was = side(route=fallen(2), other=STEADY), side(route=STEADY, other=STEADY)

    def code(self, *gates: Gate, **asked: Any) -> int:
        found = gate(self.now, self.was, *gates, **asked)
        assert found.status == "inconclusive"
        return found.exit_code

    def test_the_open_gate_decides(self) -> None:
        closed = Gate(scorer="other", margin=0.2, on_inconclusive="fail")
        assert self.code(Gate(scorer="route"), closed) == 0
        assert self.code(Gate(scorer="route", on_inconclusive="fail"), closed) == 7

    def test_a_gate_may_warn_where_the_default_fails(self) -> None:
        failing = Defaults(on_inconclusive="fail")
        closed = Gate(scorer="other", margin=0.2)
        assert self.code(Gate(scorer="route"), closed, defaults=failing) == 7
        assert self.code(Gate(scorer="route", on_inconclusive="warn"), closed, defaults=failing) == 0

    def test_strict_is_above_every_gate(self) -> None:
        assert self.code(Gate(scorer="route", on_inconclusive="warn"), strict=True) == 7

    def test_an_undecided_floor_follows_the_default(self) -> None:
        floor = Floor(
            kind="must", case="c000", scorer="m", ok=True, held=0, epochs=1, needed=1, undecided=True
        )
        passing = Gate(scorer="other", margin=0.2, on_inconclusive="warn")
        asked = {"floors": [floor], "max_error_rate": 0.5}
        failing = Defaults(on_inconclusive="fail")
        assert self.code(passing, defaults=failing, **asked) == 7
        assert self.code(passing, **asked) == 0

    def test_a_first_run_fails_nothing(self) -> None:
        found = gate(self.now, None, Gate(scorer="route", on_inconclusive="fail"))
        assert (found.status, found.exit_code) == ("pass", 0)

    def test_a_drop_is_exit_1_all_the_same(self) -> None:
        found = gate(*SURE, Gate(scorer="route", on_inconclusive="fail"))
        assert found.exit_code == 1


class TestDefaults:
    """`claim`, `margin` and `min` for gates that name none."""

    same = side(route=STEADY, tone=[[4.0]] * 60)

    def found(self, *gates: Gate, **defaults: Any) -> Mapping[str, Verdict]:
        found = gate(self.same, self.same, *gates, defaults=Defaults(**defaults))
        return {v.scorer: v for v in found.verdicts}

    def test_a_margin_is_a_share_of_each_scales_span(self) -> None:
        found = self.found(margin=0.1)
        assert (found["route"].margin, found["tone"].margin) == (pytest.approx(0.1), pytest.approx(0.4))

    def test_without_one_it_is_a_twentieth_and_four_percent(self) -> None:
        found = self.found()
        assert (found["route"].margin, found["tone"].margin) == (0.05, pytest.approx(0.16))

    def test_a_minimum_is_a_share_of_the_way_up(self) -> None:
        found = self.found(min=0.75)
        assert (found["route"].min, found["tone"].min) == (0.75, pytest.approx(4.0))
        assert found["tone"].reason != "below_min"

    def test_a_gates_own_numbers_win(self) -> None:
        found = self.found(Gate(scorer="tone", margin=0.16, min=2, claim="auto"), margin=0.1, min=1)
        assert (found["tone"].margin, found["tone"].min) == (0.16, 2)

    def test_a_claim_for_all_and_a_gates_own(self) -> None:
        small = side(route=[[1, 1, 1]] * 10)
        asked = Defaults(claim="cases-like-these")
        assert row(gate(small, small, defaults=asked)).claim == "cases-like-these"
        assert (
            row(gate(small, small, Gate(scorer="route", claim="auto"), defaults=asked)).claim == "these-cases"
        )

    @pytest.mark.parametrize(
        ("rule", "said"),
        [
            ({"margin": 5}, "margin 5 of 'tone' is more than its scale [1, 5] is wide"),
            ({"margin": 4.01}, "5 points of a rate are 0.05"),
            ({"min": 0.9}, "min 0.9 of 'tone' is off its scale [1, 5]"),
        ],
    )
    def test_numbers_that_do_not_fit_the_scale_are_refused(self, rule: dict[str, float], said: str) -> None:
        with pytest.raises(UsageError) as refused:
            gate(self.same, self.same, Gate(scorer="tone", **rule))
        assert said in str(refused.value)

    def test_a_margin_as_wide_as_the_scale_is_taken(self) -> None:
        assert self.found(Gate(scorer="tone", margin=4))["tone"].status == "pass"

    def test_the_editors_schema_knows_the_keys(self) -> None:
        validator = jsonschema.Draft202012Validator(json_schema("evalset"))
        head = {"evalset": "e", "owner": "me", "target": {"python": "a:b"}, "scorers": ["exact"]}
        cases = [{"id": "a", "input": 1}]

        def wrong(rule: dict[str, Any]) -> bool:
            gates = [{"scorer": "exact", **rule}]
            return not validator.is_valid({**head, "cases": cases, "gates": gates})

        assert not wrong(
            {"alpha": 0.01, "on_inconclusive": "fail", "claim": "auto", "margin": 0.1, "min": 0.5}
        )
        assert wrong({"alpha": 0.5})
        assert wrong({"alpha": 0})
        assert wrong({"on_inconclusive": "maybe"})
