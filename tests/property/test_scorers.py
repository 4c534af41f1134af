"""Scorers under any input: no other exception than ours, no value off the scale, no verdict by accident."""

from __future__ import annotations

import itertools
import json
import math
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_aioncall.adapters.registry import PieceError, piece_names
from pytest_aioncall.adapters.scorers.amounts import number_finder
from pytest_aioncall.adapters.scorers.json_text import read_json, same_json
from pytest_aioncall.adapters.scorers.judge_prompt import Marks, key_for
from pytest_aioncall.adapters.scorers.judge_reply import read_verdict
from pytest_aioncall.errors import ScorerError
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.model.sample import Document, Output
from pytest_aioncall.testing import make_scorer, score_once

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXT = st.text(max_size=60) | st.text(alphabet='ab1[]{}",:. -', max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
OFFLINE = sorted(set(piece_names("scorers")) - {"judge", "similarity", "python"})
WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=7)


@FEW
@given(kind=st.sampled_from(OFFLINE), arg=JSON, as_options=st.booleans(), text=TEXT, expected=JSON)
def test_whatever_yaml_says_a_scorer_is_made_or_refused_and_scores_or_errs(
    kind: str, arg: Any, as_options: bool, text: str, expected: Any
) -> None:
    """No crash, no traceback, nothing off the scale: for any argument, any answer, any expected value."""
    try:
        scorer = make_scorer({kind: arg} if not as_options else {kind: {"field": arg, "pass_at": arg}})
    except PieceError as error:
        assert str(error).isprintable() or "\n" not in str(error)
        return
    output = Output(text=text, retrieved=(Document(id="a"),), tool_calls=({"name": "a"},), latency_s=1.0)
    try:
        score = score_once(scorer, Case(id="c", input="", expected=expected), output)
    except ScorerError:
        return
    assert score.value is not None
    assert 0.0 <= score.value <= 1.0
    assert score.reason is None or "\n" not in score.reason


@FEW
@given(TEXT)
def test_json_is_read_as_python_reads_it_or_not_at_all(text: str) -> None:
    value, problem = read_json(text)
    if problem is None:
        assert json.loads(text) == value
    elif "NaN" not in text and "Infinity" not in text:
        with pytest.raises((ValueError, RecursionError)):
            json.loads(text)


@FEW
@given(JSON, JSON)
def test_equality_of_json_is_that_of_its_canonical_text(left: Any, right: Any) -> None:
    def canonical(value: Any) -> Any:
        """Spell out types, so that Python's True == 1 plays no part."""
        if isinstance(value, bool) or value is None or isinstance(value, str):
            return (type(value).__name__, value)
        if isinstance(value, int | float):
            return ("number", value)
        if isinstance(value, list):
            return ("list", tuple(canonical(one) for one in value))
        return ("map", frozenset((key, canonical(one)) for key, one in value.items()))

    assert same_json(left, right) == (canonical(left) == canonical(right))
    assert same_json(left, json.loads(json.dumps(left)))


@FEW
@given(st.floats(min_value=-1e12, max_value=1e12), TEXT.filter(lambda t: not re.search(r"[0-9.\-+\w]", t)))
def test_a_number_is_found_in_any_text_around_it(number: float, around: str) -> None:
    assert number_finder(".")(f"{around} {number!r} {around}") == [number]
    with_separators = f"{number:,.2f}"
    assert number_finder(".")(with_separators) == [float(with_separators.replace(",", ""))]


@FEW
@given(WORDS, WORDS)
def test_rouge_l_is_the_longest_common_subsequence(left: list[str], right: list[str]) -> None:
    """Against all subsequences, written out."""
    if not left:
        return

    def subsequences(words: list[str]) -> set[tuple[str, ...]]:
        return {c for n in range(len(words) + 1) for c in itertools.combinations(words, n)}

    common = max(len(c) for c in subsequences(left) & subsequences(right))
    score = score_once(make_scorer({"rouge_l": " ".join(left)}), Case(id="c", input=""), " ".join(right))
    total = len(left) + len(right)
    assert score.value == pytest.approx(2 * common / total if right else 0.0)


@FEW
@given(st.text(max_size=30), st.text(max_size=30))
def test_levenshtein_is_on_its_scale_and_one_only_for_the_same_text(left: str, right: str) -> None:
    scorer = make_scorer({"levenshtein": {"expected": left, "whitespace": "exact"}})
    value = score_once(scorer, Case(id="c", input=""), right).value
    assert value is not None
    assert 0.0 <= value <= 1.0
    same = make_scorer({"exact": {"expected": left, "whitespace": "exact"}})
    assert (value == 1.0) == bool(score_once(same, Case(id="c", input=""), right).passed)


CALLS = st.lists(
    st.builds(
        lambda name, arguments: {"name": name, "arguments": arguments},
        st.sampled_from("ab"),
        st.dictionaries(st.sampled_from("xy"), st.integers(0, 1), max_size=2),
    ),
    max_size=4,
)


@FEW
@given(CALLS, CALLS)
def test_tool_calls_match_when_some_assignment_does(wanted: list[Any], made: list[Any]) -> None:
    """Against all assignments, written out."""

    def fits(one: Any, other: Any) -> bool:
        return bool(one["name"] == other["name"] and one["arguments"].items() <= other["arguments"].items())

    possible = len(wanted) <= len(made) and any(
        all(fits(one, other) for one, other in zip(wanted, order, strict=True))
        for order in itertools.permutations(made, len(wanted))
    )
    output = Output(text="", tool_calls=tuple(made))
    score = score_once(make_scorer({"tool_calls": {"calls": wanted}}), Case(id="c", input=""), output)
    assert score.passed is (possible and len(wanted) == len(made))


@FEW
@given(st.lists(st.tuples(st.just("ANSWER"), st.text()), min_size=1, max_size=3))
def test_the_key_of_a_prompt_stands_in_no_part(parts: list[tuple[str, str]]) -> None:
    key = key_for(parts)
    assert not any(key in text for _, text in parts)


@FEW
@given(TEXT | JSON.map(json.dumps) | st.integers(-9, 9).map(lambda n: f'x {{"score": {n}}} y'))
def test_a_judge_s_reply_is_a_mark_of_its_scale_or_an_error(reply: str) -> None:
    marks = Marks(1.0, 5.0)
    try:
        value, _, _ = read_verdict(reply, marks)
    except ScorerError as error:
        assert "\n" not in str(error)
        return
    assert math.isfinite(value)
    assert value in (1.0, 2.0, 3.0, 4.0, 5.0)
    assert "score" in reply


@FEW
@given(st.text(alphabet="ab\n .", max_size=20))
@pytest.mark.parametrize("pattern", [r"a+b", r"^a", r"b$", r"(a|b)*\n", r"\bab?\b", r"[^a]b", r"(?i)A{2,}"])
def test_patterns_mean_what_they_mean_to_python(pattern: str, text: str) -> None:
    scorer = make_scorer({"regex": pattern})
    assert score_once(scorer, Case(id="c", input=""), text).passed is (re.search(pattern, text) is not None)
