"""What a case came to: held, missed, broken, the user's error, unjudged - never one for the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pytest_aioncall.engine import Job
from pytest_aioncall.flows.outcome import SHOWN_OUTPUT, outcome_of
from pytest_aioncall.model.evalset import Case, Require, ScorerSpec
from pytest_aioncall.model.sample import ErrorKind, Output, Sample, SampleError, Score

PLAIN = Case(id="c", input={"q": "why"}, expected="because")
MUST = Case(id="c", input="q", must=(ScorerSpec(kind="not_contains", name="not_contains"),))
REQUIRE = Case(id="c", input="q", require=(Require(scorer="exact", share="2/3"),))


def sample(
    *scores: Score, epoch: int = 0, error: ErrorKind | None = None, text: str = "out", **output: Any
) -> Sample:
    told = (
        SampleError(kind=error, type="Odd", message="went wrong", traceback="  File a\n") if error else None
    )
    return Sample(
        evalset="e",
        case="c",
        digest="d",
        epoch=epoch,
        output=None if error else Output(text=text, **output),
        scores=scores,
        error=told,
    )


def score(passed: bool | None, name: str = "exact", **more: Any) -> Score:
    return Score(scorer=name, value=None if passed is None else float(passed), passed=passed, **more)


def come_to(samples: Sequence[Sample], case: Case = PLAIN) -> Any:
    return outcome_of(Job("e", case, None, (), len(samples), 1.0), samples)  # type: ignore[arg-type]


def test_all_passed_is_held_and_says_nothing() -> None:
    found = come_to([sample(score(True)), sample(score(True), epoch=1)])
    assert (found.kind, found.lines) == ("held", ())
    assert found.properties == (("aioncall.exact", "2/2"),)


def test_one_wrong_answer_is_a_miss_that_shows_input_expected_and_output() -> None:
    found = come_to([sample(score(True)), sample(score(False, reason="not equal"), epoch=1)])
    assert found.kind == "missed"
    text = "\n".join(found.lines)
    for part in ('{"q":"why"}', "because", "epoch 1:  out", "exact: 0 - not equal"):
        assert part in text


@pytest.mark.parametrize("kind", ["user", "target"])
def test_an_error_of_the_users_code_goes_before_everything(kind: ErrorKind) -> None:
    found = come_to([sample(score(False, "must[0]:not_contains")), sample(epoch=1, error=kind)], MUST)
    assert found.kind == "user_error"
    assert found.reason == "Odd: went wrong (1/2 epochs)"


@pytest.mark.parametrize(
    ("kinds", "came_to"),
    [
        (["transport"], "unjudged"),
        (["cassette_miss", "cassette_miss"], "not_recorded"),
        (["cassette_miss", "transport"], "unjudged"),
        (["cancelled", "transport"], "cancelled"),
    ],
)
def test_an_outage_is_no_wrong_answer(kinds: list[ErrorKind], came_to: str) -> None:
    samples = [sample(epoch=n, error=kind) for n, kind in enumerate(kinds)]
    assert come_to([*samples, sample(score(False), epoch=9)]).kind == came_to


def test_a_scorer_that_failed_is_unjudged_though_others_missed() -> None:
    found = come_to([sample(score(False, "other"), score(None, error="judge is down"))])
    assert found.kind == "unjudged"
    assert found.reason == "exact could not score 1 time(s): judge is down"
    assert found.properties == (("aioncall.other", "0/1"), ("aioncall.exact", "0/0"))


def test_a_broken_must_is_broken_in_a_single_epoch() -> None:
    name = "must[0]:not_contains"
    samples = [sample(score(n != 1, name, reason="says it"), epoch=n) for n in range(3)]
    found = come_to(samples, MUST)
    assert found.kind == "broken"
    assert "held in 2/3 epochs, needs 3: says it" in found.reason


def test_a_require_holds_in_its_share_of_epochs() -> None:
    two = [sample(score(n != 0), epoch=n) for n in range(3)]
    one = [sample(score(n == 0), epoch=n) for n in range(3)]
    assert come_to(two, REQUIRE).kind == "missed"
    assert come_to(one, REQUIRE).kind == "broken"


def test_hostile_and_long_output_is_shown_cut_and_on_one_line() -> None:
    text = "\x1b[31m\u202e\n::error::" + "x" * 10_000
    found = come_to([sample(score(False), text=text)])
    shown = next(line for line in found.lines if line.startswith("epoch 0"))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\n" not in shown
    assert len(shown) < SHOWN_OUTPUT + 50


def test_a_replayed_output_says_its_day() -> None:
    found = come_to([sample(score(False), replayed="2026-01-02")])
    assert any("(replayed from 2026-01-02)" in line for line in found.lines)
