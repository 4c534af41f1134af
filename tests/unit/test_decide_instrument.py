"""Whoever reads that scores are not comparable is told which part of the instrument changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.decide.instrument import changed_parts, differs, rejudge_notes
from pytest_aioncall.model.baseline import ScorerInfo
from pytest_aioncall.model.verdict import Verdict
from pytest_aioncall.testing import make_scorer, piece_context

JUDGE: dict[str, Any] = {"rubric": "Is it polite?", "model": "local/judge-1"}


def info(written: Any, root: Path | None = None) -> ScorerInfo:
    made = make_scorer(written, piece_context(root))
    return ScorerInfo(kind=made.kind, scale=made.traits.scale, hash=made.hash, parts=dict(made.parts))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"model": "local/judge-2"}, ("model: local/judge-1 -> local/judge-2",)),
        ({"rubric": "Is it short?"}, ("rubric: Is it polite? -> Is it short?", "rubric text")),
        ({"scale": [1, 7]}, ("scale: 1..5 -> 1..7",)),
        ({"params": {"temperature": 0}}, ('params: {} -> {"temperature":0}',)),
        ({"reply_format": "text"}, ("reply_format: json_schema -> text",)),
        ({}, ()),
    ],
)
def test_a_change_of_a_judge_is_named(change: dict[str, Any], told: tuple[str, ...]) -> None:
    assert changed_parts(info({"judge": {**JUDGE, **change}}), info({"judge": JUDGE})) == told


def test_a_rubric_file_that_was_edited_is_the_rubric_text(tmp_path: Path) -> None:
    judge = {"judge": {"rubric": "tone.md", "model": "local/judge-1"}}
    (tmp_path / "tone.md").write_text("Is it polite?")
    was = info(judge, tmp_path)
    (tmp_path / "tone.md").write_text("Is it polite?\nAnd short?")
    assert changed_parts(info(judge, tmp_path), was) == ("rubric text",)


def test_own_code_that_changed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    found = []
    for n, body in enumerate(("return True", "return False")):
        (tmp_path / f"mine{n}.py").write_text(f"def polite(text):\n    {body}\n")
        found.append(info({"python": f"mine{n}:polite"}))
    renamed = found[1].model_copy(update={"parts": {**found[1].parts, "function": "mine0:polite"}})
    assert "own code" in changed_parts(renamed, found[0])


def test_where_a_side_tells_no_parts_the_answer_is_general() -> None:
    old = ScorerInfo(kind="judge", scale=(1, 5), hash="a")
    assert changed_parts(ScorerInfo(kind="judge", scale=(1, 5), hash="b", parts={"model": "x"}), old) == (
        "its arguments, rubric or code",
    )
    assert changed_parts(ScorerInfo(kind="exact", hash="b"), old) == ("kind: judge -> exact",)


def test_parts_decide_nothing() -> None:
    """Another spelling of the parts alone (a newer version tells more) makes nothing incomparable."""
    was = ScorerInfo(kind="exact", hash="a", parts={"kind": "exact"})
    assert not differs(was.model_copy(update={"parts": {"kind": "exact", "more": "1"}}), was)
    assert not differs(was.model_copy(update={"hash": ""}), was)


def test_a_note_stands_once_a_scorer_and_ends_with_the_command() -> None:
    row = Verdict(scorer="tone", status="inconclusive", claim="these-cases", reason="not_comparable")
    rows = [row, row.model_copy(update={"slice": {"persona": "free"}})]
    was, now = (ScorerInfo(kind="judge", hash=h, parts={"model": f"m-{h}"}) for h in "ab")
    assert rejudge_notes(rows, now={"tone": now}, was={"tone": was}, evalset="my set") == [
        "tone: not comparable - re-judge (changed: model: m-a -> m-b), run: aioncall rejudge 'my set'"
    ]
    assert rejudge_notes(rows, now={"tone": now}, was={}) == []
