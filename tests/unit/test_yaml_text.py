"""YAML that users write is read as plain data, within limits, or refused in one line with its place."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.adapters.text import did_you_mean, log_line, log_lines, one_line
from pytest_aioncall.adapters.yaml_text import Shape, Source, lines_in, parse_yaml, problems_of, read_bytes
from pytest_aioncall.adapters.yaml_text.document import TEXT_LIST, TEXT_MAPPING
from pytest_aioncall.adapters.yaml_text.json_lines import json_rows, read_json
from pytest_aioncall.errors import LoadError


def read(text: str, shape: Shape | None = None) -> Any:
    return parse_yaml(text.encode(), file="x.yaml", shape=shape or Shape()).data


def refusal(text: str | bytes) -> str:
    raw = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(LoadError) as caught:
        parse_yaml(raw, file="x.yaml")
    assert len(caught.value.problems) == 1
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("12:30:45", "12:30:45"),
        ("2026-11-01", "2026-11-01"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("2/3", "2/3"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("12", 12),
        ("-12", -12),
        ("007", 7),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
    ],
)
def test_a_plain_scalar_means_what_the_core_schema_says(text: str, value: object) -> None:
    found = read(f"a: {text}" if text != "-" else "a: '-'")["a"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_text_whatever_they_look_like() -> None:
    assert read("{1: a, yes: b, null: c, 1.50: d}") == {"1": "a", "yes": "b", "null": "c", "1.50": "d"}


def test_text_fields_keep_the_spelling_of_the_file() -> None:
    shape = Shape(text=frozenset({"id"}), keys={"slices": TEXT_MAPPING, "files": TEXT_LIST})
    found = read("{id: 007, n: 007, slices: {tier: 1.10, beta: True, none: }, files: [1, 2.0, ~]}", shape)
    assert found == {
        "id": "007",
        "n": 7,
        "slices": {"tier": "1.10", "beta": "True", "none": None},
        "files": ["1", "2.0", None],
    }


def test_a_shape_for_all_other_keys_reaches_every_one_of_them() -> None:
    shape = Shape(values=Shape(text=frozenset({"kind"})))
    assert read("{a: {kind: 1, n: 1}, b: {kind: 2}}", shape) == {
        "a": {"kind": "1", "n": 1},
        "b": {"kind": "2"},
    }


def test_anchors_and_merge_keys_work_and_never_share_what_they_repeat() -> None:
    found = read("a: &a {x: 1, y: {z: 2}}\nb: {<<: *a, x: 3}\nc: [*a, *a]\nd: {<<: [{q: 1}, *a], q: 9}\n")
    assert found["b"] == {"x": 3, "y": {"z": 2}}
    assert found["d"] == {"q": 9, "x": 1, "y": {"z": 2}}
    assert found["c"][0] == found["c"][1] == found["a"]
    assert found["c"][0] is not found["c"][1]
    assert found["b"]["y"] is not found["a"]["y"]


def test_the_lines_of_the_items_of_a_list_are_kept_where_asked_for() -> None:
    document = parse_yaml(
        b"cases:\n  - {id: a}\n\n  - id: b\n  - text\n",
        file="x",
        shape=Shape(keys={"cases": Shape(keep_lines=True)}),
    )
    assert document.item_lines == [2, 4, 5]


def test_every_key_that_is_set_twice_is_reported_with_both_lines() -> None:
    document = parse_yaml(b"a: 1\nb:\n  - {c: 1,\n     c: 2}\na: 3\n", file="x")
    assert document.problems == [
        ("b[0].c", "is set twice; line 3 has it first", 4),
        ("a", "is set twice; line 1 has it first", 5),
    ]


@pytest.mark.parametrize("number", [".inf", "-.INF", ".nan", "1e999", "9" * 500])
def test_a_number_that_json_could_not_hold_is_a_problem_not_a_value(number: str) -> None:
    document = parse_yaml(f"a:\n  b: {number}\n".encode(), file="x")
    [(where, message, line)] = document.problems
    assert (where, line) == ("a.b", 2)
    assert "quote it if it is text" in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a:\n  - [1,\n 2\nb: 1\n", "(what is open starts in line 2)"),
        ("a: [1, 2\n\n\n", "x.yaml:1: is not valid YAML: a bracket is not closed, or a comma is missing"),
        ("a: 1\n\tb: 2", "x.yaml:2: is not valid YAML: a tab stands where only spaces may"),
        ("a: 1\nb: c: d\n", "x.yaml:2: is not valid YAML: a ': ' stands inside unquoted text"),
        ('a: "unclosed\nb: 1\n', "is not valid YAML: a quote or bracket is never closed"),
        ("a: @team\n", "x.yaml:1: is not valid YAML: a tab or a reserved character"),
        ('a: "\\q"', "x.yaml:1: is not valid YAML: an unknown escape"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2: a second YAML document starts here"),
        (
            "a:\n  b: !!python/name:os.system x\n",
            "x.yaml:2: the tag !!python/name:os.system is not supported",
        ),
        ("a: !env SECRET\n", "the tag !env is not supported"),
        ("a: !!set {x}\n", "the tag !!set is not supported"),
        ("a: !!binary aGk=\n", "the tag !!binary is not supported"),
        ("a: *nobody\n", "x.yaml:1: alias *nobody names no anchor above it"),
        ("a: &a [1, *a]\n", "x.yaml:1: alias *a stands inside its own anchor"),
        ("? [a, b]\n: 1\n", "a key has to be text, not a mapping or a list"),
        ("a: &k x\n*k : 1\n", "x.yaml:2: a key has to be text, not an alias"),
        ("a: {<<: 3}\n", "a merge key (<<) takes a mapping or a list of mappings"),
        ("%TAG ! tag:x,2000:\n---\na: 1\n", "x.yaml:1: YAML directives"),
        ("# c\n\n%YAML 1.1\n---\na: 1\n", "x.yaml:3: YAML directives"),
    ],
)
def test_yaml_that_is_broken_or_clever_is_refused_in_plain_words(text: str, said: str) -> None:
    message = refusal(text)
    assert said in message
    assert "\n" not in message


def test_a_file_that_is_not_utf_8_is_refused_with_the_line() -> None:
    assert refusal(b"a: 1\nb: \xff\n") == "x.yaml:2: is not UTF-8 (byte 0xff); save the file as UTF-8"
    assert "is not UTF-8" in refusal("a: 1".encode("utf-16"))
    assert refusal(b"a: 1\nb: \x07\n").startswith("x.yaml:2: holds a control character")


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert parse_yaml(b"\xef\xbb\xbfa: 1\n", file="x").data == {"a": 1}


def bombs() -> dict[str, bytes]:
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in range(1, 12):
        laughs += f"a{level}: &a{level} [" + ", ".join([f"*a{level - 1}"] * 10) + "]\n"
    merges = "m0: &m0 {" + ", ".join(f"k{i}: 1" for i in range(100)) + "}\n"
    merges += "".join(f"n{i}: {{<<: [" + ", ".join(["*m0"] * 100) + "]}\n" for i in range(200))
    deep = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 3000))
    return {
        "flow sequences 3,000 deep": b"a: " + b"[" * 3000,
        "flow mappings 3,000 deep": b"{a: " * 3000,
        "block sequences 3,000 deep": b"- " * 3000 + b"x",
        "block mappings 3,000 deep": b"".join(b" " * i + b"a:\n" for i in range(3000)),
        "aliases ten times ten times ten": laughs.encode(),
        "merge keys a hundred times a hundred": merges.encode(),
        "aliases one deeper each": deep.encode(),
        "directives without number": b"".join(b"%%TAG !a%d! tag:x\n" % i for i in range(50_000))
        + b"---\na: 1\n",
    }


@pytest.mark.parametrize("name", bombs())
def test_a_bomb_is_refused_before_it_grows(name: str) -> None:
    """What it would grow to is gigabytes, or a stack that overflows in C."""
    raw = bombs()[name]
    tracemalloc.start()
    try:
        message = refusal(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * 1024 * 1024
    assert any(word in message for word in ("nested more than 64 deep", "alias bomb", "directives"))


def test_aliases_may_repeat_in_step_with_the_size_of_the_file() -> None:
    text = "a: &a [not_contains: x]\ncases:\n" + "- {must: *a, id: 1, n: 2}\n" * 40_000
    assert len(read(text)["cases"]) == 40_000


def test_a_file_above_the_size_limit_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_bytes(b"x" * 1025)
    assert read_bytes(path, file="big.yaml", limit=1025) == b"x" * 1025
    with pytest.raises(LoadError, match="larger than"):
        read_bytes(path, file="big.yaml", limit=1024)


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_file_that_cannot_be_read_is_a_problem_not_a_traceback(tmp_path: Path, name: str) -> None:
    with pytest.raises(LoadError, match=r"^x\.yaml: cannot be read: "):
        read_bytes(tmp_path / name, file="x.yaml")


def test_a_line_is_found_for_every_path_and_for_what_stands_around_a_missing_one() -> None:
    raw = (
        b"# h\nowner: x\nscorers:\n - exact\n - judge:\n     rubric: a\ncases:\n - {id: a,\n    must: [b]}\n"
    )
    wanted = [
        "owner",
        "scorers[1].judge.rubric",
        "cases[0].must[0]",
        "cases[0].nothing",
        "cases[9]",
        "absent",
    ]
    lines = lines_in(raw, wanted)
    assert [lines.line(where) for where in wanted] == [2, 6, 9, 8, 7, 2]


def test_lines_before_a_break_are_found_in_a_broken_file() -> None:
    assert lines_in(b"a: 1\nb: [\n", ["a", "b", "c"]).line("b") == 2


def test_a_problem_takes_its_line_and_that_of_the_other_place_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\nb: 2\n")
    one, two = Source(path, "a.yaml"), Source(path, "b.yaml")
    one.add("b", "is taken by {other}", other=(one, "a"))
    two.add("a", "is taken by {other}", other=(one, "b"))
    assert sorted(map(str, problems_of([one, two]))) == [
        "a.yaml:2: b: is taken by line 1",
        "b.yaml:1: a: is taken by a.yaml:2",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"a": 1', "is not valid JSON"),
        (b'{"a": NaN}', "holds NaN, which is no JSON"),
        (b'{"a": -Infinity}', "holds -Infinity"),
        (b'{"a": 1e999}', "holds a number too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "holds a number of 5000 digits"),
        (b'{"a": 1, "a": 2}', "the key 'a' is set twice"),
        (b"[" * 70 + b"]" * 70, "is nested more than 64 deep"),
        (b"[" * 100_000, "is nested more than 64 deep"),
        (b'"\xff"', "is not UTF-8"),
    ],
)
def test_json_that_is_broken_or_hostile_is_refused_in_plain_words(text: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("[", r"\[")) as caught:
        read_json(text)
    assert "\n" not in str(caught.value)


def test_json_as_deep_as_allowed_is_read() -> None:
    assert read_json(b"[" * 64 + b"]" * 64) is not None


def test_json_lines_keep_their_numbers_over_blank_and_broken_lines(tmp_path: Path) -> None:
    source = Source(tmp_path / "x", "x.jsonl", item_lines=())
    rows = list(json_rows(b'\xef\xbb\xbf{"a": 1}\n\n  \n[1]\n{"a": 2}', source))
    assert rows == [(1, {"a": 1}), (5, {"a": 2})]
    assert [(item.line, item.message) for item in source.findings] == [
        (4, "needs one mapping a line, got a list")
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\tc", "a\\nb\\tc"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("user\u202egpj", "user\\u202egpj"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("a\u2028b", "a\\u2028b"),
        ("\ud800", "\\ud800"),
        ("gr\u00fc\u00dfe", "gr\u00fc\u00dfe"),
    ],
)
def test_hostile_text_shows_on_one_line_with_everything_unseen_escaped(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_a_long_text_is_cut_to_the_limit() -> None:
    assert one_line("x" * 500, 20) == "x" * 17 + "..."


@pytest.mark.parametrize(
    "text", ["::error file=a::b", "  ::set-output name=x::y", "\u00a0::add-mask::x", "x ##[error]"]
)
def test_a_log_line_is_no_command_to_a_runner(text: str) -> None:
    line = log_line(text)
    assert not line.lstrip().startswith("::")
    assert "##[" not in line


def test_a_node_id_stays_whole_in_a_log() -> None:
    assert log_line("evalsets/a.eval.yaml::q-1 failed") == "evalsets/a.eval.yaml::q-1 failed"


def test_log_lines_say_how_many_they_left_out() -> None:
    assert log_lines("a\n::b\nc\nd", limit=3) == ["a", ": :b", "... 2 more lines"]


def test_the_nearest_known_word_is_named_and_nothing_far_off() -> None:
    assert did_you_mean("contians", ["contains", "exact"]) == "contains"
    assert did_you_mean("zzz", ["contains", "exact"]) is None
