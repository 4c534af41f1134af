"""exact, one_of, contains, not_contains, regex, not_regex, length, numeric, levenshtein, rouge_l."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_aioncall.adapters.registry import PieceError
from pytest_aioncall.adapters.scorers.patterns import SEARCH_S
from pytest_aioncall.errors import ScorerError
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.model.sample import Output, Score
from pytest_aioncall.testing import make_scorer, score_once


def case(expected: Any = None) -> Case:
    return Case(id="c", input={"ticket": "?"}, expected=expected)


def scored(written: Any, text: str, expected: Any = None, **beside: Any) -> Score:
    return score_once(make_scorer(written), case(expected), Output(text=text, **beside))


@pytest.mark.parametrize(
    ("written", "expected", "text", "holds"),
    [
        ("exact", "billing", "billing", True),
        ("exact", "billing", " billing\n", True),
        ("exact", "billing", "Billing", False),
        ("exact", "billing", "billing.", False),
        ("exact", "", "", True),
        ({"exact": {"ignore_case": True}}, "STRASSE", "straße", True),
        ({"exact": {"whitespace": "exact"}}, "billing", "billing\n", False),
        ({"exact": {"whitespace": "collapse"}}, "a b", "a \n\t b", True),
        ({"exact": "shipping"}, "billing", "shipping", True),
        ("exact", "caf\u00e9", "cafe\u0301", True),
        ("exact", 42, "42", True),
        ("exact", 42, "42.0", True),
        ("exact", 1, "true", False),
        ("exact", True, "true", True),
        ("exact", True, "1", False),
        ("exact", {"a": [1, None]}, '{"a": [1, null]}', True),
        ("exact", {"a": [1, None]}, '```json\n{"a": [1, null]}\n```', True),
        ("exact", {"a": 1}, '{"a": 1, "b": 2}', False),
        ("exact", {"a": 1}, "a is 1", False),
        ({"exact": {"field": "route"}}, {"route": "billing", "why": "x"}, "billing", True),
        ("one_of", ["a", "b"], "b", True),
        ("one_of", ["a", "b"], "ab", False),
        ({"one_of": {"texts": ["A"], "ignore_case": True}}, None, "a", True),
        ({"one_of": [1, 2]}, None, "2", True),
        ("contains", "ill", "billing", True),
        ("contains", ["bill", "ing"], "billing", True),
        ("contains", ["bill", "ship"], "billing", False),
        ({"contains": {"any": ["bill", "ship"]}}, None, "billing", True),
        ({"contains": {"any": ["x", "y"]}}, None, "billing", False),
        ({"contains": {"all": ["bill", "ing"]}}, None, "billing", True),
        ({"contains": {"text": "BILL", "ignore_case": True}}, None, "billing", True),
        ({"contains": {"text": "a b", "whitespace": "collapse"}}, None, "a\n b", True),
        ({"contains": 2024}, None, "in 2024", True),
        ("contains", 2024, "in 2024", True),
        ({"not_contains": ["x", "y"]}, None, "billing", True),
        ({"not_contains": ["x", "ill"]}, None, "billing", False),
        ({"not_contains": {"text": "SUE", "ignore_case": True}}, None, "you should sue", False),
        ("not_contains", "x", "x", False),
        ({"regex": r"\d{4}"}, None, "in 2024", True),
        ({"regex": {"pattern": r"\d{4}", "full": True}}, None, "in 2024", False),
        ({"regex": {"pattern": "BILL", "ignore_case": True}}, None, "billing", True),
        ({"regex": ["a", "b"]}, None, "a", False),
        ("regex", r"^b", "billing", True),
        ({"not_regex": [r"\d", "x"]}, None, "billing", True),
        ({"not_regex": [r"\d", "g$"]}, None, "billing", False),
        ({"length": 7}, None, " billing\n", True),
        ({"length": 6}, None, "billing", False),
        ({"length": {"min": 2, "unit": "words"}}, None, "one", False),
        ({"length": {"min": 2, "max": 3, "unit": "words"}}, None, "one two", True),
        ({"length": {"max": 1, "unit": "lines"}}, None, "a\nb", False),
    ],
)
def test_text_against_text(written: Any, expected: Any, text: str, holds: bool) -> None:
    score = scored(written, text, expected)
    assert score.passed is holds
    assert score.value == (1.0 if holds else 0.0)
    assert holds or score.reason


@pytest.mark.parametrize(
    ("written", "expected", "text", "told"),
    [
        ("exact", "billing", "shipping", "expected 'billing', got 'shipping'"),
        ("exact", {"a": 1}, "no", 'expected {"a":1}, but the answer is not JSON (Expecting value at line 1'),
        ("one_of", ["a", "b"], "c", 'expected one of ["a","b"], got \'c\''),
        ({"contains": ["a", "b"]}, None, "-", "'a', 'b' are not in the answer '-'"),
        ({"contains": {"any": ["a"]}}, None, "-", "none of [\"a\"] is in the answer '-'"),
        ({"not_contains": "sue"}, None, "you should sue", "'sue' is in the answer: 'you should sue'"),
        ({"regex": r"\d"}, None, "-", r"'\d' does not occur in '-'"),
        ({"not_regex": r"\d"}, None, "a1", r"'\d' matches '1' in the answer"),
        ({"length": 2}, None, "abc", "3 characters, more than 2"),
        ({"length": {"min": 4}}, None, "abc", "3 characters, fewer than 4"),
    ],
)
def test_a_miss_says_expected_and_got(written: Any, expected: Any, text: str, told: str) -> None:
    reason = scored(written, text, expected).reason
    assert reason is not None
    assert reason.startswith(told)


def test_the_data_of_an_output_is_compared_before_its_text() -> None:
    assert scored("exact", "said in words", {"route": "billing"}, data={"route": "billing"}).passed is True


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"contains": ""}, "an empty text is in every answer"),
        ({"contains": []}, "nothing to look for"),
        ({"contains": {"any": ["a", " "]}}, "an empty text is in every answer"),
        ({"not_contains": ""}, "an empty text is in every answer"),
        ({"one_of": []}, "no answer could pass"),
        ({"regex": ""}, "found in every answer"),
        ({"regex": "(a"}, "'(a' is no regular expression: missing )"),
        ({"contains": {"any": ["a"], "all": ["b"]}}, "say one of text, all and any, not all and any"),
        ({"contains": {"text": "a", "field": "b"}}, "field names an entry of the case's expected"),
        ("length", "needs max or min"),
        ({"length": {"min": 3, "max": 2}}, "min 3 is above max 2"),
        ({"length": -1}, "max is -1"),
        ({"numeric": {"value": 1, "tolerance": -1}}, "tolerance is -1"),
        ({"levenshtein": {"expected": "x", "pass_at": 80}}, "pass_at is 80; it is a share between 0 and 1"),
    ],
)
def test_what_could_only_pass_or_only_fail_is_refused_when_it_is_made(written: Any, told: str) -> None:
    with pytest.raises(PieceError) as caught:
        make_scorer(written)
    assert told in caught.value.message


@pytest.mark.parametrize("kind", ["contains", "one_of", "regex", "levenshtein", "rouge_l"])
@pytest.mark.parametrize("expected", [1.5, True, {"a": 1}, [], [None]])
def test_an_expected_value_of_no_use_is_an_error_and_never_a_score(kind: str, expected: Any) -> None:
    with pytest.raises(ScorerError):
        scored(kind, "text", expected)


def test_a_field_that_expected_lacks_is_an_error() -> None:
    with pytest.raises(ScorerError, match="expected of case 'c' has no field 'route'"):
        scored({"exact": {"field": "route"}}, "x", {"rout": "x"})


def test_a_scorer_without_argument_needs_expected_and_one_with_an_argument_does_not() -> None:
    for kind in ("exact", "contains", "regex", "one_of", "numeric", "levenshtein", "rouge_l", "json_path"):
        written = {"json_path": "$.a"} if kind == "json_path" else kind
        assert make_scorer(written).traits.needs_expected is True
    for written in (
        {"exact": "x"},
        {"contains": {"any": ["x"]}},
        {"json_path": {"path": "$", "exists": True}},
    ):
        assert make_scorer(written).traits.needs_expected is False


# --- patterns that backtrack --------------------------------------------------------------------------------


def test_a_pattern_that_backtracks_over_an_answer_ends_in_an_error_and_not_in_a_hung_run() -> None:
    with pytest.raises(ScorerError, match=rf"ran longer than {SEARCH_S:g} s on 51 characters; it backtracks"):
        scored({"regex": r"(a|aa)+$"}, "a" * 50 + "b")


def test_a_pattern_of_a_schema_cannot_hang_a_run_either() -> None:
    schema = {"type": "string", "pattern": r"^(a|aa)+$"}
    with pytest.raises(ScorerError, match="it backtracks"):
        scored({"json_schema": schema}, f'"{"a" * 50}b"')


def test_an_ordinary_pattern_searches_a_long_answer() -> None:
    assert scored({"regex": r"INC-\d{4}\b"}, "x " * 100_000 + "INC-0142").passed is True


# --- numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "text", "holds"),
    [
        ({"numeric": 42}, "42", True),
        ({"numeric": 42}, "The total is 42.", True),
        ({"numeric": 42}, "The total is $42!", True),
        ({"numeric": 1234.5}, "USD 1,234.50 in all", True),
        ({"numeric": -3}, "\u22123 degrees", True),
        ({"numeric": 0.5}, "5e-1", True),
        ({"numeric": 5}, "5kg", True),
        ({"numeric": 42}, "43", False),
        ({"numeric": 42}, "forty-two", False),
        ({"numeric": 42}, "41 or 42", False),
        ({"numeric": {"value": 42, "pick": "last"}}, "not 41 but 42", True),
        ({"numeric": {"value": 42, "pick": "first"}}, "not 41 but 42", False),
        ({"numeric": {"value": 42, "pick": "any"}}, "41, 42, 43", True),
        ({"numeric": {"value": 1, "tolerance": 0.1}}, "1.1", True),
        ({"numeric": {"value": 1, "tolerance": 0.1}}, "1.11", False),
        ({"numeric": {"value": 200, "relative": 0.05}}, "210", True),
        ({"numeric": {"value": 200, "relative": 0.05}}, "211", False),
        ({"numeric": {"value": 1234.5, "decimal": ","}}, "1.234,50 EUR", True),
        ({"numeric": 1}, "v1.2.3", False),
        ({"numeric": 1}, "1e999", False),
        ({"numeric": 1}, "9" * 5000, False),
    ],
)
def test_a_number_in_an_answer(written: Any, text: str, holds: bool) -> None:
    assert scored(written, text).passed is holds


def test_several_numbers_name_the_way_out() -> None:
    reason = scored({"numeric": 42}, "41 or 42").reason
    assert reason is not None
    assert "2 numbers (41, 42)" in reason
    assert "pick: first, last or any" in reason


def test_an_expected_number_may_be_text_and_data_may_be_the_number() -> None:
    assert scored("numeric", "1,234", "1234").passed is True
    assert scored("numeric", "about forty", 42, data=42).passed is True


@pytest.mark.parametrize("expected", [True, "no number", "1 2", [1], float("inf")])
def test_an_expected_that_is_no_number_is_an_error(expected: Any) -> None:
    with pytest.raises(ScorerError, match="is not one number"):
        scored("numeric", "1", expected)


# --- closeness ----------------------------------------------------------------------------------------------


def test_levenshtein_is_one_minus_edits_over_the_longer_length() -> None:
    assert scored("levenshtein", "kitten", "sitting").value == pytest.approx(1 - 3 / 7)
    assert scored("levenshtein", "", "").value == 1.0
    assert scored("levenshtein", "", "abc").value == 0.0


def test_levenshtein_takes_the_nearest_of_several() -> None:
    assert scored("levenshtein", "kitten", ["dog", "kitten"]).value == 1.0


def test_a_value_alone_takes_no_side_and_a_threshold_does() -> None:
    assert scored("levenshtein", "kitten", "sitting").passed is None
    assert scored({"levenshtein": {"pass_at": 0.5}}, "kitten", "sitting").passed is True
    missed = scored({"levenshtein": {"pass_at": 0.6}}, "kitten", "sitting")
    assert missed.passed is False
    assert missed.reason is not None
    assert missed.reason.startswith("0.571 is below 0.6: ")


def test_levenshtein_of_a_runaway_answer_ends_and_says_what_was_compared() -> None:
    """Beyond the limit all counts as different, so a runaway answer is never flattered."""
    score = scored("levenshtein", "ab" * 100_000, "ab" * 99_999)
    assert score.value is not None
    assert score.value <= 0.1 + 1e-9
    assert score.reason is not None
    assert "beyond 20000 characters" in score.reason
    assert scored("levenshtein", "ab" * 100_000, "ab" * 100_000).value == 1.0


def test_rouge_l_is_that_of_the_paper() -> None:
    """Lin 2004, section 3.1: S2 shares "police the gunman", S3 "the gunman", of 4 words each."""
    wanted = "police killed the gunman"
    assert scored("rouge_l", "police kill the gunman", wanted).value == pytest.approx(3 / 4)
    assert scored("rouge_l", "the gunman kill police", wanted).value == pytest.approx(2 / 4)


def test_rouge_l_measures() -> None:
    text, wanted = "the cat sat on the mat", "the cat sat"
    assert scored({"rouge_l": {"measure": "recall"}}, text, wanted).value == pytest.approx(1.0)
    assert scored({"rouge_l": {"measure": "precision"}}, text, wanted).value == pytest.approx(0.5)
    assert scored("rouge_l", text, wanted).value == pytest.approx(2 / 3)


def test_rouge_l_reads_words_in_any_script() -> None:
    """The library's own tokens drop everything but a-z and 0-9."""
    assert scored("rouge_l", "деньги вернули", "деньги вернули").value == 1.0
    assert scored("rouge_l", "größer", "GRÖSSER").value == 1.0
    assert scored("rouge_l", "返金します", "返金しました").value == pytest.approx(2 * 4 / (5 + 6))


def test_rouge_l_can_stem_english_as_the_original_does() -> None:
    assert scored("rouge_l", "killing", "killed").value == 0.0
    assert scored({"rouge_l": {"stem": True}}, "killing", "killed").value == 1.0


def test_rouge_l_of_a_runaway_answer_never_flatters() -> None:
    long = scored("rouge_l", "word " * 40_000, "word " * 500)
    assert long.value is not None
    assert long.value < 0.03


def test_an_expected_without_words_is_an_error() -> None:
    with pytest.raises(ScorerError, match="has no words"):
        scored("rouge_l", "x", "...")
