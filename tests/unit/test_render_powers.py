"""What a suite would see, as its page tells it: shares of runs, the smallest drop, what would settle it."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_aioncall.adapters.render.powers import PowerRow, PowerTable, power_table
from pytest_aioncall.adapters.render.story import Story
from pytest_aioncall.model.report import EvalsetReport
from pytest_aioncall.model.run import RunEvalset
from pytest_aioncall.model.verdict import Judgement, Needed, Power, Sight, Verdict


def verdict(**fields: Any) -> Verdict:
    base: dict[str, Any] = {
        "scorer": "route",
        "status": "pass",
        "claim": "these-cases",
        "reason": "within_margin",
        "margin": 0.05,
        "n_cases": 30,
        "mde": 0.12,
    }
    return Verdict.model_validate({**base, **fields})


def power(**fields: Any) -> Power:
    return Power.model_validate(
        {"scorer": "route", "claim": "these-cases", "margin": 0.05, "n_cases": 30, **fields}
    )


def table(*verdicts: Verdict, powers: tuple[Power, ...] = (), sights: tuple[Sight, ...] = ()) -> PowerTable:
    judgement = Judgement(status="pass", exit_code=0, verdicts=verdicts, powers=powers, sights=sights)
    planned = RunEvalset(evalset="e", file="e.eval.yaml", epochs=3, cases=30, complete=True, scorers={})
    return power_table(Story(EvalsetReport(planned=planned, judgement=judgement)))


def only(found: PowerTable) -> PowerRow:
    assert len(found.rows) == 1
    return found.rows[0]


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.93, "93 %"),
        (0.0, "0 %"),
        (0.004, "<1 %"),
        (0.996, ">99 %"),
        (1.0, "100 %"),
        (0.005, "<1 %"),
        (None, "-"),
    ],
)
def test_a_share_is_never_none_or_all_unless_it_is(share: float | None, text: str) -> None:
    assert only(table(verdict(), powers=(power(at_margin=share),))).at_margin == text


def test_each_row_says_what_it_sees_and_what_would_settle_it() -> None:
    row = only(
        table(
            verdict(status="inconclusive", reason="no_drop_seen", needed=Needed(cases=140, epochs=9)),
            powers=(power(at_margin=0.41, at_twice=0.87, alarm=0.03, inconclusive=0.5),),
        )
    )
    assert (row.margin, row.at_margin, row.at_twice, row.alarm, row.undecided) == (
        "5 pp", "41 %", "87 %", "3 %", "50 %",
    )  # fmt: skip
    assert (row.sees, row.needed, row.claim, row.cases) == (
        "12 pp",
        "140 cases or 9 epochs",
        "these cases",
        "30 cases",
    )


def test_without_powers_the_smallest_drop_is_told_alone() -> None:
    found = table(verdict())
    assert not found.known
    assert only(found).sees == "12 pp"


def test_a_row_that_can_never_be_red_says_so() -> None:
    assert only(table(verdict(status="too_small", reason="too_small_to_test", mde=None))).sees == (
        "none: too small to test"
    )
    blind = Sight(scorer="route", claim="these-cases", why_not="too_few_cases", n_cases=4, epochs=3)
    assert only(table(verdict(mde=None), sights=(blind,))).sees == "none: 4 cases x 3 are too few"


def test_a_power_belongs_to_the_row_of_its_scorer_and_slice_and_overall_rows_come_first() -> None:
    found = table(
        verdict(slice={"a": "1"}),
        verdict(),
        powers=(power(slice={"a": "1"}, at_margin=0.2), power(at_margin=0.9)),
    )
    assert [(row.name, row.at_margin) for row in found.rows] == [("route", "90 %"), ("route a=1", "20 %")]


def test_a_row_that_does_not_gate_and_knows_nothing_is_left_out() -> None:
    assert table(verdict(gating=False, mde=None)).rows == ()
