"""How old a baseline is, what its answers still tell, and what two texts look like in one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_aioncall.adapters.baseline_store import Baseline, marked, outputs_text, stored_output
from pytest_aioncall.adapters.render.wordwise import woven
from pytest_aioncall.decide.rows import output_hash
from pytest_aioncall.flows.scaffold import is_placeholder
from pytest_aioncall.flows.standing import age_of, rejudged_line
from pytest_aioncall.flows.stored import baseline_outputs, missing_parts, parts_needed
from pytest_aioncall.model.baseline import BaselineHeader, CaseRow, Rejudgement
from pytest_aioncall.model.sample import Document, Output, Sample
from pytest_aioncall.testing import make_scorer

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HEADER = BaselineHeader(
    evalset="demo", accepted_by="ann", accepted_at="2026-11-20T12:00:00Z", reason="r", scorers={}
)


@pytest.mark.parametrize(
    ("accepted_at", "limit", "state", "days"),
    [
        ("2026-11-20T12:00:00Z", 30, "fresh", 2.0),
        ("2026-11-20T12:00:00Z", 1, "old", 2.0),
        ("2026-10-23T12:00:00Z", 30, "fresh", 30.0),
        ("2026-11-22T20:00:00Z", 30, "fresh", 0.0),
        ("2026-12-24T12:00:00Z", 30, "future", 0.0),
        ("yesterday", 30, "unknown", None),
        ("2026-11-20T12:00:00", 30, "unknown", None),
        ("", 30, "unknown", None),
    ],
)
def test_an_age_is_never_guessed(accepted_at: str, limit: int, state: str, days: float | None) -> None:
    age = age_of(HEADER.model_copy(update={"accepted_at": accepted_at}), NOW, limit=limit)
    assert (age.state, age.days) == (state, days)


def test_who_judged_again_stays_on_one_line() -> None:
    again = Rejudgement(at="2026-11-21T12:00:00Z", by="a\nb", reason="::error::", scorers=("tone",))
    line = rejudged_line(HEADER.model_copy(update={"rejudged": (again, again)}))
    assert line == r"judged again at 2026-11-21 by a\nb (tone, 2 times in all): : :error::"
    assert rejudged_line(HEADER) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("the right answer", True), ("TODO", True), ("todo: later", True), ("<your question>", True),
        ({"text": "a text"}, True), ({"text": "another text", "n": "another n"}, True),
        ({"text": "a text", "n": 3}, False), ("Todos are due", False), ("<b>bold</b>", False), (None, False),
        ("What is the right answer?", False), ({}, False), (7, False),
    ],
)  # fmt: skip
def test_a_placeholder_is_what_init_wrote_or_what_says_so_itself(value: object, *, expected: bool) -> None:
    assert is_placeholder(value) is expected


# -- stored answers


def baseline(
    *outputs: Output, keep_all: bool = False, told: bool = True
) -> tuple[Baseline, dict[str, CaseRow]]:
    lines = [
        stored_output("a", n, output=o, sha256=output_hash(o), keep_all=keep_all)
        for n, o in enumerate(outputs)
    ]
    text = outputs_text(lines)
    row = CaseRow(case="a", digest="d", scores={"x": (1.0,) * len(outputs)}, latency_s=(0.5,) * len(outputs))
    header = HEADER.model_copy(update={"outputs": marked(text) if told else None})

    return Baseline(header, (row,), {}, Path("demo.jsonl"), text), {"a": row}


def test_an_answer_comes_back_with_all_its_parts() -> None:
    whole = Output(
        text="t",
        data={"n": None, "l": [1]},
        retrieved=(Document(id="d", text="x"),),
        tool_calls=({"name": "f"},),
    )
    found, lacking = baseline_outputs(baseline(whole)[0], rows=baseline(whole)[1])[("a", 0)]
    assert found == whole.model_copy(update={"latency_s": 0.5})
    assert lacking == frozenset()


def test_what_is_too_large_is_lacking_and_taken_from_the_run_that_answered_so() -> None:
    long = Output(text="x" * 3000, data={"long": "y" * 3000}, retrieved=())
    kept, rows = baseline(long)
    output, lacking = baseline_outputs(kept, rows=rows)[("a", 0)]
    assert (lacking, output.retrieved) == (frozenset({"text", "data"}), ())
    sample = Sample(evalset="demo", case="a", digest="d", epoch=0, output=long)
    assert baseline_outputs(kept, rows=rows, samples=[sample])[("a", 0)] == (long, frozenset())
    other = sample.model_copy(update={"output": Output(text="another")})
    assert baseline_outputs(kept, rows=rows, samples=[other])[("a", 0)][1] == lacking


def test_of_an_older_baseline_nobody_knows_whether_there_was_more_than_text() -> None:
    kept, rows = baseline(Output(text="t"), told=False)
    assert baseline_outputs(kept, rows=rows)[("a", 0)][1] == {"data", "retrieved", "tool_calls"}


def test_a_scorer_misses_only_what_it_may_read() -> None:
    exact, numeric = make_scorer("exact"), make_scorer({"numeric": {"tolerance": 1}})
    judged = {"judge": {"rubric": "Is it?", "model": "local/judge-1"}}
    judge = make_scorer(judged)
    grounded = make_scorer({"judge": {**judged["judge"], "show": ["input", "retrieved"]}})
    assert parts_needed(exact) == {"text"}
    assert parts_needed(judge) == {"text"}
    assert parts_needed(grounded) == {"text", "retrieved"}
    assert parts_needed(numeric) == {"text", "data", "retrieved", "tool_calls"}
    kept, rows = baseline(Output(text="t", data={"long": "y" * 3000}))
    stored = baseline_outputs(kept, rows=rows)
    missing = missing_parts(stored, scorers={"a": [exact, numeric]}, expected=[("a", 0), ("a", 1)])
    assert [(m.scorer, m.epoch, m.part) for m in missing] == [
        ("numeric", 0, "data"), ("exact", 1, "text"), ("numeric", 1, "text"),
    ]  # fmt: skip


# -- two texts in one


@given(st.text(alphabet="ab c.\n", max_size=40), st.text(alphabet="ab c.\n", max_size=40))
def test_both_texts_can_be_read_back(was: str, now: str) -> None:
    both = woven(was, now)
    if both is not None:
        assert re.sub(r"\{\+.*?\+\}", "", re.sub(r"\[-(.*?)-\]", r"\1", both, flags=re.S), flags=re.S) == was
        assert re.sub(r"\[-.*?-\]", "", re.sub(r"\{\+(.*?)\+\}", r"\1", both, flags=re.S), flags=re.S) == now


def test_texts_that_share_nothing_are_shown_one_after_the_other() -> None:
    assert woven("one two three four five", "six seven eight nine ten") is None
    assert woven("we refund you", "we refund nobody") == "we refund [-you-]{+nobody+}"
    assert woven("x " * 5000, "y " * 5000) is None
