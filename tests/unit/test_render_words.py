"""Numbers and words on screens: one spelling, the right unit, and no sign on a zero."""

from __future__ import annotations

from typing import get_args

import pytest

from pytest_aioncall.adapters.render import words
from pytest_aioncall.decide.compare import judge
from pytest_aioncall.decide.sides import Side
from pytest_aioncall.model.baseline import CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.verdict import CaseMove, Needed, Reason, Verdict

RATE, GRADED = (0.0, 1.0), (1.0, 5.0)


def row(**fields: object) -> Verdict:
    base = {"scorer": "route", "status": "pass", "claim": "cases-like-these", "reason": "within_margin"}
    return Verdict.model_validate({**base, **fields})


@pytest.mark.parametrize(
    ("value", "scale", "text"),
    [
        (0.9137, RATE, "91.4 %"),
        (1.0, RATE, "100.0 %"),
        (-0.00001, RATE, "0.0 %"),
        (4.184, GRADED, "4.18"),
        (73.25, (0.0, 100.0), "73.2"),
        (730.6, (0.0, 1000.0), "731"),
        (None, RATE, "-"),
        (float("nan"), RATE, "-"),
    ],
)
def test_a_mean_is_percent_on_a_rate_and_plain_elsewhere(
    value: float | None, scale: tuple[float, float], text: str
) -> None:
    assert words.mean(value, scale) == text


@pytest.mark.parametrize(
    ("value", "scale", "text"),
    [
        (-0.187, RATE, "-18.7 pp"),
        (0.012, RATE, "+1.2 pp"),
        (-0.0004, RATE, "0.0 pp"),
        (-0.03, GRADED, "-0.03"),
        (0.5, GRADED, "+0.50"),
        (None, GRADED, "-"),
    ],
)
def test_a_difference_has_a_sign_and_points(
    value: float | None, scale: tuple[float, float], text: str
) -> None:
    assert words.difference(value, scale) == text


def test_intervals_and_distances_carry_their_unit_once() -> None:
    assert words.interval((-0.294, -0.081), RATE) == "-29.4 .. -8.1 pp"
    assert words.interval((-0.1, 0.04), GRADED) == "-0.10 .. +0.04"
    assert words.interval(None, RATE) == "-"
    assert words.interval((float("-inf"), 0.1), RATE) == "-"
    assert [words.distance(d, RATE) for d in (0.24, 0.032, 0.05, -0.05)] == [
        "24 pp",
        "3.2 pp",
        "5 pp",
        "5 pp",
    ]
    assert words.distance(0.16, GRADED) == "0.16"


def test_an_interval_of_two_one_sided_bounds_is_named_by_what_it_covers() -> None:
    names = [words.interval_name(alpha) for alpha in (0.05, 0.01, 0.025, 0.1, 0.0005)]
    assert names == ["90 % interval", "98 % interval", "95 % interval", "80 % interval", "99.9 % interval"]
    assert [words.interval_name(alpha) for alpha in (0.0316, 0.0158, 0.00001)] == [
        "93.7 % interval", "96.8 % interval", ">99.9 % interval",
    ]  # fmt: skip


def test_p_values_keep_two_figures_and_never_read_zero() -> None:
    assert [words.p_value(p) for p in (0.22, 0.0496, 0.003, 0.00001, 0.0, 1.0, None)] == [
        "0.22", "0.050", "0.003", "<0.001", "<0.001", "1.00", "-",
    ]  # fmt: skip


def test_durations_money_and_ages_use_the_unit_that_fits() -> None:
    assert [words.seconds(s) for s in (0, 0.0002, 0.041, 0.8, 1.9, 41.2, 200, 7300, None)] == [
        "0 s", "1 ms", "41 ms", "0.80 s", "1.9 s", "41 s", "3 min 20 s", "2 h 1 min", "-",
    ]  # fmt: skip
    assert [words.money(m) for m in (0.41, 0.0012, 0.0, 1234.5, None)] == [
        "$0.41", "$0.0012", "$0", "$1,234.50", "cost unknown",
    ]  # fmt: skip
    assert [words.age(a) for a in (0.01, 0.5, 1.9, 3.2, None)] == [
        "less than an hour old", "12 hours old", "1 day old", "3 days old", "of unknown age",
    ]  # fmt: skip
    assert [words.clock(s) for s in (28, 61, 3725, -3)] == ["0:28", "1:01", "1:02:05", "0:00"]


@pytest.mark.parametrize("reason", get_args(Reason))
@pytest.mark.parametrize("status", ["pass", "regressed", "inconclusive", "too_small"])
def test_every_reason_has_a_word_and_a_sentence(reason: str, status: str) -> None:
    verdict = row(reason=reason, status=status, margin=0.05, min=0.9, mde=0.1)
    assert words.verdict_word(verdict)
    sentence = words.verdict_reason(verdict)
    assert sentence.endswith(".")
    assert sentence.isascii()


def test_a_regression_is_never_called_anything_else() -> None:
    assert words.verdict_word(row(status="regressed", reason="dropped")) == "REGRESSED"
    assert words.verdict_word(row(status="regressed", reason="below_min")) == "BELOW MIN"
    assert words.verdict_word(row(reason="accepted", ticket="OPS-12")) == "accepted OPS-12"
    assert words.verdict_word(row(status="inconclusive", reason="no_drop_seen")) == "no drop seen"


def test_what_would_settle_a_row_says_when_epochs_cannot_help() -> None:
    cases_only = "240 cases (more epochs cannot help, only more cases)"
    assert words.needed(row(needed=Needed(cases=240))) == cases_only
    untold = "240 cases (run 3 epochs to see whether more of them would help)"
    assert words.needed(row(needed=Needed(cases=240, epochs_unknown=True))) == untold
    both = Needed(cases=240, epochs=5, both_sides=True)
    assert words.needed(row(needed=both)) == "240 cases or 5 epochs of the baseline and of the run"
    assert words.needed(row(needed=Needed(cases=240, epochs=5))) == "240 cases or 5 epochs"
    assert words.needed(row(needed=Needed(epochs=3))) == "3 epochs"
    assert words.needed(row()) == ""


def test_a_move_shows_counts_and_where_these_stood_still_the_mean() -> None:
    assert words.move(CaseMove(scorer="s", case="c", was=(3, 3), now=(0, 3), difference=-1)) == "3/3 -> 0/3"
    assert words.move(CaseMove(scorer="s", case="c", was=(0, 3), now=(0, 3), difference=-1.333)) == "-1.33"
    assert words.move(CaseMove(scorer="s", case="c", now=(1, 3))) == "now 1/3"


def test_a_row_that_is_red_beside_an_interval_that_reaches_zero_says_why() -> None:
    """One of six cases fell in every epoch: the permutation sees it, the interval for a pass does not."""
    route = {"route": ScorerInfo(kind="exact", hash="h")}

    def side(*wrong: int) -> Side:
        scores = [(0.0 if n in wrong else 1.0,) * 3 for n in range(6)]
        rows = tuple(CaseRow(case=f"c{n}", digest="d", scores={"route": s}) for n, s in enumerate(scores))
        return Side(rows, route)

    found = judge(
        side(2), side(), evalset="demo", gates=(), defaults=Defaults(), max_error_rate=0.02
    ).verdicts[0]
    assert found.status == "regressed" and found.ci is not None and found.ci[1] > 0, "else nothing is shown"
    assert words.falls_by_p_alone(found)
    said = words.verdict_reason(found)
    assert "by p: it decides what fell" in said and "reaches zero" in said
    clear = found.model_copy(update={"ci": (-0.35, -0.01)})
    assert words.verdict_reason(clear) == "The drop is larger than chance explains."
    assert not words.falls_by_p_alone(found.model_copy(update={"reason": "below_min"}))
