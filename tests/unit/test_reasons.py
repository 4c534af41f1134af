"""Beside a case that fell stands what its own scorer said of the worst answer."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_aioncall.flows.reasons import LONGEST, Reasons
from pytest_aioncall.model.sample import Output, Sample, SampleError, Score
from pytest_aioncall.model.verdict import CaseMove


def noted(*samples: Sample) -> Reasons:
    found = Reasons()
    for one in samples:
        found.note(one)
    return found


def sample(*scores: Score, error: SampleError | None = None) -> Sample:
    output = None if error else Output(text="x")
    return Sample(evalset="e", case="c", epoch=0, digest="d", output=output, scores=scores, error=error)


def score(reason: str | None, value: float = 0.0, **given: Any) -> Score:
    return Score(**{"scorer": "route", "value": value, "passed": value > 0.5, "reason": reason, **given})


def test_each_scorer_has_its_own_reason() -> None:
    found = noted(sample(score("got 'other'"), score("too long", scorer="length")))
    assert (found.of("c", "route"), found.of("c", "length")) == ("got 'other'", "too long")
    assert found.of("another", "route") is None


def test_what_passed_has_no_reason() -> None:
    assert noted(sample(score("as expected", 1.0))).of("c", "route") is None


def test_without_a_line_the_lowest_answer_says_why_and_the_best_says_nothing() -> None:
    """A judge on 1 to 5 passes and fails nothing; its words on the worst answer are the ones to read."""

    def judged(value: float, reason: str) -> Sample:
        return sample(score(reason, value, passed=None, scale=(1.0, 5.0), scorer="judge"))

    assert noted(judged(5, "fine")).of("c", "judge") is None
    assert noted(judged(4, "dry"), judged(2, "wrong"), judged(2, "also")).of("c", "judge") == "wrong"


def test_a_case_without_an_answer_tells_its_error() -> None:
    error = SampleError(kind="transport", type="ReadTimeout", message="60 s")
    assert noted(sample(error=error)).of("c", "route") == "ReadTimeout: 60 s"
    assert noted(sample(error=error), sample(score("wrong"))).of("c", "route") == "wrong"


def test_a_long_reason_is_cut() -> None:
    assert len(noted(sample(score("x" * 10_000))).of("c", "route") or "") == LONGEST


@pytest.mark.parametrize(("why", "shown"), [(None, "wrong"), ("a -> b", "a -> b")])
def test_a_change_of_label_says_more_than_a_reason(why: str | None, shown: str) -> None:
    move = CaseMove(scorer="route", case="c", now=(0, 1), why=why)
    assert [one.why for one in noted(sample(score("wrong"))).beside([move])] == [shown]
