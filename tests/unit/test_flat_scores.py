"""Flat scores of anybody come to the same table as ours, and nothing doubtful gets into it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.adapters.flat_scores import read_flat_scores
from pytest_aioncall.errors import LoadError


def row(**changes: Any) -> str:
    given = {"case_id": "c1", "epoch": 0, "scorer": "route", "scale": [0, 1], "score": 1, **changes}
    return json.dumps({key: value for key, value in given.items() if value is not ...})


def write(folder: Path, *lines: str) -> Path:
    path = folder / "scores.jsonl"
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def problems(folder: Path, *lines: str) -> list[str]:
    path = write(folder, *lines)
    with pytest.raises(LoadError) as caught:
        read_flat_scores(path)
    return [line.removeprefix(path.as_posix() + ":").strip() for line in str(caught.value).splitlines()]


def test_rows_become_one_row_a_case_with_a_score_an_epoch(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        row(case_id="c2", epoch=1, score=0, slices={"persona": "free"}, cluster="doc-17"),
        row(case_id="c2", epoch=0, score=1),
        "",
        row(case_id="c1", epoch=..., scorer="helpfulness", scale=[1, 5], score=4.5, slices={"tier": 1}),
        row(case_id="c1", score=0.5),
    )
    scorers, cases = read_flat_scores(path)
    assert {name: info.scale for name, info in scorers.items()} == {"helpfulness": (1, 5), "route": (0, 1)}
    one, two = cases
    assert (one.case, one.scores, one.slices) == (
        "c1",
        {"helpfulness": (4.5,), "route": (0.5,)},
        {"tier": "1"},
    )
    assert (two.case, two.scores, two.cluster) == ("c2", {"route": (1.0, 0.0)}, "doc-17")
    assert two.slices == {"persona": "free"}


def test_an_unscored_row_stays_in_the_table_as_none_and_is_counted(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        row(epoch=0, score=None, error="time-out"),
        row(epoch=2, score=1),
        row(epoch=0, scorer="b", score=None, error="time-out"),
        row(epoch=2, scorer="b", score=None, error="judge down"),
    )
    _, [case] = read_flat_scores(path)
    assert case.scores == {"route": (None, None, 1.0), "b": (None, None, None)}
    assert case.errors == 1


def test_the_bounds_of_a_scale_belong_to_it(tmp_path: Path) -> None:
    path = write(tmp_path, row(scale=[-1, 1], score=-1), row(epoch=1, scale=[-1, 1], score=1))
    assert read_flat_scores(path)[1][0].scores == {"route": (-1.0, 1.0)}


def test_numbers_as_case_ids_are_text(tmp_path: Path) -> None:
    assert read_flat_scores(write(tmp_path, row(case_id=12)))[1][0].case == "12"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (row(score=...).replace("}", ', "score": NaN}'), "holds NaN, which is no JSON; write null"),
        (row(score=True), "score: needs a number, got true; write 1"),
        (row(score=False), "score: needs a number, got false; write 0"),
        (row(score="1"), "score: needs a number or null, got '1'"),
        (row(score=1.5), "score: 1.5 lies outside the scale 0..1"),
        (row(score=-0.1), "score: -0.1 lies outside the scale 0..1"),
        (row(score=None), "score: null needs an error that says why"),
        (row(score=1, error="x"), "error: stands beside a score; a row has one or the other"),
        (row(score=...), "score: is required; write null with an error where there is none"),
        (row(scale=...), "scale: is required: [lowest, highest], for example [0, 1]"),
        (row(scale=[1, 1]), "scale: needs [lowest, highest], for example [0, 1], got a list"),
        (row(scale=[0, True]), "scale: needs [lowest, highest], for example [0, 1], got a list"),
        (row(scale="0-1"), "scale: needs [lowest, highest], for example [0, 1], got '0-1'"),
        (row(case_id=...), "case_id: is required: text"),
        (row(case_id=""), "case_id: needs text, got empty text"),
        (row(case_id=True), "case_id: needs text, got true or false"),
        (row(scorer=3), "scorer: needs text, got a number"),
        (row(epoch=-1), "epoch: needs a whole number from 0 to 9999, got -1"),
        (row(epoch=1e9), "epoch: needs a whole number from 0 to 9999, got 1000000000.0"),
        (row(epoch=True), "epoch: needs a whole number from 0 to 9999, got true"),
        (row(slices=["a"]), "slices: needs a mapping of text, got a list"),
        (row(slices={"a": {}}), "slices: needs a mapping of text, got a mapping"),
        (row(cluster=["a"]), "cluster: needs text, got a list"),
        (row(slice={"a": "b"}), "slice: unknown key; did you mean 'slices'?"),
        ("[1]", "needs one mapping a line, got a list"),
        ("{", "is not valid JSON: Expecting property name enclosed in double quotes (column 2)"),
    ],
)
def test_a_doubtful_row_is_refused_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    assert problems(tmp_path, row(case_id="fine"), "", line) == [f"3: {said}"]


def test_a_repeated_case_epoch_and_scorer_is_refused_never_averaged(tmp_path: Path) -> None:
    assert problems(tmp_path, row(), row(epoch=1), row(score=0)) == [
        "3: case 'c1', epoch 0, scorer 'route' stands in line 1 already; give each repeat its own epoch"
    ]


def test_a_scorer_has_one_scale(tmp_path: Path) -> None:
    assert problems(tmp_path, row(), row(case_id="c2", scale=[0, 5])) == [
        "2: scale: 0..5 differs from 0..1 of 'route' in line 1; a scorer has one scale"
    ]


def test_rows_of_a_case_may_not_disagree_on_where_it_belongs(tmp_path: Path) -> None:
    found = problems(
        tmp_path, row(slices={"a": "x"}, cluster="1"), row(epoch=1, slices={"a": "y"}, cluster="2")
    )
    assert found == [
        "2: cluster: differs from another row of case 'c1'",
        "2: slices: differs from another row of case 'c1'",
    ]


@pytest.mark.parametrize("lines", [[], ["", "  "]])
def test_an_empty_file_is_refused(tmp_path: Path, lines: list[str]) -> None:
    assert problems(tmp_path, *lines) == ["1: holds no score"]


def test_a_file_of_several_evalsets_is_read_one_at_a_time(tmp_path: Path) -> None:
    path = write(tmp_path, row(evalset="a"), row(evalset="b", score=0), row(case_id="every"))
    with pytest.raises(LoadError, match="holds several evalsets \\('a', 'b'\\); name one with --evalset"):
        read_flat_scores(path)
    assert [case.case for case in read_flat_scores(path, evalset="b")[1]] == ["c1", "every"]
    assert read_flat_scores(path, evalset="b")[1][0].scores == {"route": (0.0,)}


def test_hostile_text_in_a_row_shows_escaped_on_one_line(tmp_path: Path) -> None:
    found = problems(tmp_path, row(case_id="\x1b[31m\n"), row(case_id="\x1b[31m\n"))
    assert len(found) == 1
    assert found[0].isprintable()


def test_a_file_that_does_not_exist_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="cannot be read: no such file"):
        read_flat_scores(tmp_path / "none.jsonl")
