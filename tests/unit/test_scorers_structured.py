"""json_valid, json_schema, json_path, tool_calls: structured answers."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.adapters.registry import PieceError
from pytest_aioncall.errors import ScorerError
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.model.sample import Output, Score
from pytest_aioncall.testing import make_scorer, piece_context, score_once


def scored(written: Any, text: str, expected: Any = None, **beside: Any) -> Score:
    case = Case(id="c", input="?", expected=expected)
    return score_once(make_scorer(written), case, Output(text=text, **beside))


@pytest.mark.parametrize(
    ("written", "text", "holds"),
    [
        ("json_valid", "[1]", True),
        ("json_valid", " null ", True),
        ("json_valid", "", False),
        ("json_valid", "{'a': 1}", False),
        ("json_valid", '{"a": 1', False),
        ("json_valid", "NaN", False),
        ("json_valid", "[Infinity]", False),
        ("json_valid", "[-Infinity]", False),
        ("json_valid", "9" * 5000, False),
        ("json_valid", "[" * 100_000, False),
        ("json_valid", "[" * 300 + "]" * 300, False),
        ("json_valid", '{"a":' * 50_000, False),
        ("json_valid", "```json\n[1]\n```", False),
        ({"json_valid": {"fence": True}}, "```json\n[1]\n```", True),
        ({"json_valid": {"fence": True}}, "Here:\n```json\n[1]\n```", False),
        ({"json_valid": "object"}, "[1]", False),
        ({"json_valid": "array"}, "[1]", True),
    ],
)
def test_json_or_not(written: Any, text: str, holds: bool) -> None:
    assert scored(written, text).passed is holds


SCHEMA = {
    "type": "object",
    "required": ["route"],
    "additionalProperties": False,
    "properties": {"route": {"$ref": "#/$defs/route"}, "tags": {"type": "array"}},
    "patternProperties": {"^x-": {"type": "integer"}},
    "$defs": {"route": {"type": "string", "pattern": "^[a-z]+$"}},
}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"route": "billing"}', None),
        ('```\n{"route": "billing", "x-1": 1}\n```', None),
        ("{}", "$: 'route' is a required property"),
        ('{"route": "B"}', "$.route: 'B' does not match '^[a-z]+$'"),
        ('{"route": "b", "x-1": "no"}', "$.x-1: 'no' is not of type 'integer'"),
        ('{"route": "b", "rout": 1}', "$: unexpected properties 'rout'"),
        ("nothing", "the answer is not JSON (Expecting value"),
    ],
)
def test_a_schema_says_where_an_answer_does_not_fit(text: str, told: str | None) -> None:
    score = scored({"json_schema": SCHEMA}, text)
    assert score.passed is (told is None)
    assert (
        told is None
        or (score.reason or "").startswith(told.replace("$.x-1", "$['x-1']"))
        or told in (score.reason or "")
    )


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({}, "needs schema"),
        ({"title": "anything"}, "the schema accepts everything"),
        ({"typ": "object"}, "unknown keyword 'typ' in the schema; did you mean 'type'?"),
        ({"type": "objekt"}, "no JSON Schema: $.type: 'objekt' is not valid"),
        ({"$ref": "#/$defs/gone", "$defs": {}}, "the schema has no #/$defs/gone"),
        ({"$ref": "other.json"}, "nothing is fetched"),
        ({"$ref": "http://127.0.0.1:9/x.json"}, "nothing is fetched"),
    ],
)
def test_a_schema_that_checks_nothing_or_cannot_is_refused(schema: Any, told: str) -> None:
    with pytest.raises(PieceError) as caught:
        make_scorer({"json_schema": schema})
    assert told in caught.value.message


def test_a_schema_never_fetches_what_it_refers_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where an $id makes the reference a relative one that only shows up while validating."""
    opened: list[Any] = []
    monkeypatch.setattr(socket, "create_connection", lambda *a, **k: opened.append(a))
    schema = {"$id": "http://127.0.0.1:9/a.json", "properties": {"a": {"$ref": "b.json"}}}
    with pytest.raises(ScorerError, match="refers to something outside it"):
        scored({"json_schema": schema}, '{"a": 1}')
    assert not opened


def test_a_schema_that_refers_to_itself_without_end_is_an_error() -> None:
    with pytest.raises(ScorerError, match="without end"):
        scored({"json_schema": {"$ref": "#"}}, "1")


def test_a_schema_from_a_file_counts_by_its_content(tmp_path: Path) -> None:
    """The hash of the scorer changes with the file, not with its name."""
    (tmp_path / "route.json").write_text(json.dumps(SCHEMA), encoding="utf-8")
    context = piece_context(tmp_path)
    first = make_scorer({"json_schema": "route.json"}, context)
    assert score_once(first, Case(id="c", input=""), '{"route": "b"}').passed is True
    (tmp_path / "route.json").write_text('{"type": "object"}', encoding="utf-8")
    assert make_scorer({"json_schema": "route.json"}, context).hash != first.hash


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("gone.json", "schema 'gone.json' is no file"),
        ("../outside.json", "lies outside the project"),
        ("link.json", "lies outside the project"),
        ("list.json", "is no JSON object"),
        ("bad.json", "schema 'bad.json' is not JSON"),
    ],
)
def test_a_schema_file_that_cannot_serve(tmp_path: Path, path: str, told: str) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "outside.json").write_text("{}")
    (root / "link.json").symlink_to(tmp_path / "outside.json")
    (root / "list.json").write_text("[]")
    (root / "bad.json").write_text("{")
    with pytest.raises(PieceError) as caught:
        make_scorer({"json_schema": path}, piece_context(root))
    assert told in caught.value.message


def test_formats_are_checked_on_demand() -> None:
    schema = {"type": "string", "format": "date"}
    assert scored({"json_schema": schema}, '"soon"').passed is True
    assert scored({"json_schema": {"schema": schema, "formats": True}}, '"soon"').passed is False


DATA = '{"route": "billing", "tags": ["a", "b"], "n": 1, "none": null}'


@pytest.mark.parametrize(
    ("options", "expected", "holds"),
    [
        ({"path": "$.route"}, "billing", True),
        ({"path": "$.route"}, "shipping", False),
        ({"path": "$.route", "equals": "billing"}, None, True),
        ({"path": "$.none", "equals": None}, None, True),
        ({"path": "$.gone", "equals": None}, None, False),
        ({"path": "$.n", "equals": True}, None, False),
        ({"path": "$.n", "equals": 1.0}, None, True),
        ({"path": "$.route", "one_of": ["a", "billing"]}, None, True),
        ({"path": "$.route", "matches": "^bill"}, None, True),
        ({"path": "$.n", "matches": "1"}, None, False),
        ({"path": "$.tags[*]", "matches": "[ab]"}, None, True),
        ({"path": "$.tags[*]", "equals": "a"}, None, False),
        ({"path": "$.tags[*]", "equals": "a", "every": False}, None, True),
        ({"path": "$.gone", "exists": True}, None, False),
        ({"path": "$.gone", "exists": False}, None, True),
        ({"path": "$.none", "exists": True}, None, True),
        ({"path": "$.tags[?match(@, 'a')]", "exists": True}, None, True),
        ({"path": "$.tags[?search(@, '(')]", "exists": True}, None, False),
        ({"path": "$.route", "field": "route"}, {"route": "billing"}, True),
    ],
)
def test_a_value_found_by_a_path(options: Any, expected: Any, holds: bool) -> None:
    assert scored({"json_path": options}, DATA, expected).passed is holds


def test_a_path_looks_at_the_data_of_an_output_first() -> None:
    written = {"json_path": {"path": "$.route", "equals": "a"}}
    assert scored(written, "in words", data={"route": "a"}).passed is True


def test_a_filter_of_a_path_cannot_hang_a_run() -> None:
    written = {"json_path": {"path": "$[?search(@, '(a|aa)+$')]", "exists": True}}
    with pytest.raises(ScorerError, match="it backtracks"):
        scored(written, json.dumps(["a" * 50 + "b"]))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("$.[", "is no JSONPath"),
        ("$.a[?@ =~ /x/]", "write match"),
        ({"path": "$.a", "equals": 1, "exists": True}, "say one of equals, one_of, matches and exists"),
        ({"path": "$.a", "equals": 1, "field": "a"}, "no meaning beside equals"),
        ({"path": "$.a", "one_of": []}, "nothing could pass"),
        ({"path": "$.a", "matches": "("}, "no regular expression"),
    ],
)
def test_a_path_that_makes_no_sense_is_refused(options: Any, told: str) -> None:
    with pytest.raises(PieceError) as caught:
        make_scorer({"json_path": options})
    assert told in caught.value.message


REFUND = {"name": "refund", "arguments": {"amount": 5, "currency": "EUR"}}
SEARCH = {"function": {"name": "search", "arguments": '{"q": "late"}'}, "id": "1"}


@pytest.mark.parametrize(
    ("options", "made", "holds"),
    [
        ("refund", (REFUND,), True),
        ("refund", (REFUND, SEARCH), False),
        ({"calls": "refund", "extra": True}, (REFUND, SEARCH), True),
        ("refund", (), False),
        ([], (), True),
        ([], (REFUND,), False),
        (["search", "refund"], (REFUND, SEARCH), True),
        ({"calls": ["search", "refund"], "order": "same"}, (REFUND, SEARCH), False),
        ({"calls": ["refund", "search"], "order": "same"}, (REFUND, SEARCH), True),
        (["refund", "refund"], (REFUND,), False),
        (["refund", "refund"], (REFUND, REFUND), True),
        ([{"name": "refund", "arguments": {"amount": 5}}], (REFUND,), True),
        ([{"name": "refund", "arguments": {"amount": 6}}], (REFUND,), False),
        ([{"name": "refund", "arguments": {"amount": "5"}}], (REFUND,), False),
        ([{"name": "search", "arguments": {"q": "late"}}], (SEARCH,), True),
        ({"calls": [{"name": "refund", "arguments": {"amount": 5}}], "arguments": "same"}, (REFUND,), False),
        # The first wanted call fits both that were made: a greedy match would take the wrong one.
        (["refund", {"name": "refund", "arguments": {"amount": 5}}], (REFUND, {"name": "refund"}), True),
        ("refund", ({"name": "refund", "arguments": "no json"},), True),
    ],
)
def test_tool_calls(options: Any, made: Any, holds: bool) -> None:
    assert scored({"tool_calls": options}, "-", tool_calls=made).passed is holds


def test_tool_calls_may_be_expected_by_the_case() -> None:
    assert scored("tool_calls", "-", ["refund"], tool_calls=(REFUND,)).passed is True


def test_a_target_that_tells_no_calls_is_an_error_also_where_none_are_wanted() -> None:
    """Silence is no proof that nothing was called."""
    with pytest.raises(ScorerError, match="tells no tool calls"):
        scored({"tool_calls": []}, "-")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([5], "neither a name nor {name, arguments}"),
        ([{"name": "a", "args": {}}], "write name, and arguments as a mapping"),
        ({"calls": [], "extra": True}, "would pass everything"),
    ],
)
def test_calls_that_make_no_sense_are_refused(options: Any, told: str) -> None:
    with pytest.raises(PieceError) as caught:
        make_scorer({"tool_calls": options})
    assert told in caught.value.message


def test_a_made_call_without_a_name_is_an_error() -> None:
    with pytest.raises(ScorerError, match="has no name"):
        scored({"tool_calls": "x"}, "-", tool_calls=({"arguments": {}},))
