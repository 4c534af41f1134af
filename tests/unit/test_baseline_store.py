"""A baseline comes back as it was written, and says by line what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_aioncall.adapters.baseline_store import (
    OUTPUT_LIMIT,
    baseline_path,
    baseline_text,
    file_facts,
    is_baseline,
    marked,
    outputs_path,
    outputs_text,
    parse_baseline,
    read_baseline,
    stored_output,
)
from pytest_aioncall.errors import LoadError, NotComparable
from pytest_aioncall.model.baseline import Acceptance, BaselineHeader, CaseRow, ScorerInfo
from pytest_aioncall.model.sample import Output

PATH = Path("baselines/demo.jsonl")
HEADER = BaselineHeader(
    evalset="demo",
    accepted_by="Ann <ann@example.org>",
    accepted_at="2026-11-21T12:00:00Z",
    reason="first",
    scorers={"exact": ScorerInfo(kind="exact", hash="abc")},
    accepts=(Acceptance(scorer="exact", slice={"persona": "free"}, ticket="T-1"),),
)
ROWS = (
    CaseRow(case="b", digest="2", scores={"exact": (1.0, None, 0.0)}, errors=1),
    CaseRow(case="a", digest="1", slices={"persona": "free"}, cluster="doc", latency_s=(0.5, None)),
)


def lines(*more: str) -> str:
    return baseline_text(HEADER, ROWS) + "".join(f"{line}\n" for line in more)


def test_a_baseline_comes_back_as_it_was_written_sorted_by_case(tmp_path: Path) -> None:
    path = tmp_path / "demo.jsonl"
    path.write_text(baseline_text(HEADER, ROWS))
    outputs = [
        stored_output("b", n, output=Output(text=f"t{n}"), sha256=f"h{n}", keep_all=False) for n in (1, 0)
    ]
    outputs_path(path).write_text(outputs_text(outputs))
    found = read_baseline(path)
    assert found.header == HEADER
    assert [row.case for row in found.rows] == ["a", "b"]
    assert list(found.rows) == sorted(ROWS, key=lambda row: row.case)
    assert found.output_hashes == {"b": ("h0", "h1")}
    assert found.texts_of({"b", "nope"}) == {"b": ("t0", "t1")}


def test_the_same_baseline_is_the_same_bytes_in_any_order_of_rows() -> None:
    assert baseline_text(HEADER, ROWS) == baseline_text(HEADER, reversed(ROWS))


def test_without_an_outputs_file_there_are_none(tmp_path: Path) -> None:
    path = tmp_path / "demo.jsonl"
    path.write_text(baseline_text(HEADER, ROWS))
    assert read_baseline(path).output_hashes == {}


def test_a_header_knows_the_outputs_that_are_its_own() -> None:
    outputs = outputs_text([stored_output("b", 0, output=Output(text="t"), sha256="h", keep_all=False)])
    text = baseline_text(HEADER.model_copy(update={"outputs": marked(outputs)}), ROWS)
    assert parse_baseline(text, outputs=outputs, path=PATH).mismatch is None
    assert parse_baseline(text, outputs=outputs.replace("\n", "\r\n"), path=PATH).mismatch is None
    for other, told in (
        (outputs.replace('"t"', '"u"'), "is not the file"),
        ("", "is missing, its 1 outputs"),
    ):
        found = parse_baseline(text, outputs=other, path=PATH)
        assert told in (found.mismatch or "")
        assert (found.output_hashes, found.outputs()) == ({}, [])
    empty = baseline_text(HEADER.model_copy(update={"outputs": marked("")}), ROWS)
    assert parse_baseline(empty, outputs="", path=PATH).mismatch is None


def test_what_there_is_nothing_to_say_of_is_left_out_of_the_header() -> None:
    line = baseline_text(HEADER, ROWS).split("\n")[0]
    assert not [key for key in ("dirty", "outputs", "rejudged", "parts") if f'"{key}"' in line]


def test_a_case_that_stands_twice_is_named_with_its_line() -> None:
    with pytest.raises(LoadError, match=r"demo\.jsonl:4: case: 'a' stands twice"):
        parse_baseline(lines('{"case": "a"}'), outputs="", path=PATH)


def test_all_bad_lines_are_said_at_once() -> None:
    with pytest.raises(LoadError) as caught:
        parse_baseline(lines("{torn", '{"case": "c", "unknown": 1}'), outputs="", path=PATH)
    assert [problem.line for problem in caught.value.problems] == [4, 5]


def test_a_bad_line_of_the_outputs_is_named_in_their_file() -> None:
    with pytest.raises(LoadError, match=r"demo\.outputs\.jsonl:1"):
        parse_baseline(lines(), outputs="{torn\n", path=PATH)


def test_another_format_cannot_be_compared_with_and_says_what_to_do() -> None:
    with pytest.raises(NotComparable, match="format 99, this version reads format 1; upgrade"):
        parse_baseline('{"format": 99, "later": true}\n', outputs="", path=PATH)


@pytest.mark.parametrize("text", ["", "\n", "{torn\n", "[]\n", '{"case_id": "c"}\n', "<<<<<<< HEAD\n"])
def test_what_has_no_header_is_no_baseline(tmp_path: Path, text: str) -> None:
    with pytest.raises(LoadError, match="is not a baseline header"):
        parse_baseline(text, outputs="", path=PATH)
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    assert not is_baseline(path)


def test_a_header_with_a_key_too_many_is_refused() -> None:
    with pytest.raises(LoadError, match=r"demo\.jsonl:1"):
        parse_baseline('{"format": 1, "evalset": "demo"}\n', outputs="", path=PATH)


def test_bytes_that_are_no_utf8_are_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "demo.jsonl"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(LoadError, match="cannot be read"):
        read_baseline(path)


@pytest.mark.parametrize(
    ("text", "keep_all", "kept"),
    [
        ("x" * OUTPUT_LIMIT, False, True),
        ("x" * (OUTPUT_LIMIT + 1), False, False),
        ("\u00e9" * (OUTPUT_LIMIT // 2 + 1), False, False),
        ("x" * (OUTPUT_LIMIT + 1), True, True),
    ],
)
def test_long_outputs_are_kept_by_their_hash_alone(text: str, *, keep_all: bool, kept: bool) -> None:
    found = stored_output("a", 0, output=Output(text=text), sha256="h", keep_all=keep_all)
    assert (found.sha256, found.text) == ("h", text if kept else None)


def test_the_baseline_stands_beside_its_evalset() -> None:
    path = baseline_path(Path("evalsets/a.eval.yaml"), "demo")
    assert path == Path("evalsets/baselines/demo.jsonl")
    assert outputs_path(path) == Path("evalsets/baselines/demo.outputs.jsonl")


def test_a_subject_file_is_told_by_hash_and_by_text_while_it_is_small(tmp_path: Path) -> None:
    small, large, binary = tmp_path / "s", tmp_path / "l", tmp_path / "b"
    small.write_text("Answer kindly.")
    large.write_text("x" * 10_000)
    binary.write_bytes(b"\xff")
    assert file_facts(small)["text"] == "Answer kindly."
    assert set(file_facts(large)) == set(file_facts(binary)) == {"sha256"}
    assert file_facts(small)["sha256"] != file_facts(large)["sha256"]
