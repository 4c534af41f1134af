"""`aioncall check` says early what would bite later: slices too small to gate, weakenings overdue."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from pytest_aioncall.cli import main


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("AIONCALL_NOW", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "app", raising=False)
    (tmp_path / "aioncall.yaml").write_text("format: 1\n")
    (tmp_path / "app.py").write_text("def answer(text):\n    return text\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(project: Path, **keys: object) -> None:
    content = {
        "evalset": "demo",
        "owner": "@ann",
        "target": {"python": "app:answer"},
        "scorers": ["exact"],
        **keys,
    }
    path = project / "evalsets" / "demo.eval.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def cases(**values: int) -> list[dict[str, object]]:
    return [
        {"id": f"{value}-{i}", "input": f"q{i}", "expected": f"q{i}", "slices": {"persona": value}}
        for value, count in values.items()
        for i in range(count)
    ]


def warnings(capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert main(["check"]) == 0
    sys.modules.pop("app", None)
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("warning: ")]


def test_values_of_a_gated_slice_with_under_ten_cases_are_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, gates=[{"scorer": "exact", "slices": ["persona"]}], cases=cases(free=10, paid=9, trial=1))
    (told,) = warnings(capsys)
    assert told == (
        "warning: evalsets/demo.eval.yaml:9: gate of exact by persona: under 10 cases in paid (9), "
        "trial (1); reported, not gating. Add cases, or drop the slice"
    )


def test_only_cases_that_the_scorer_judges_count(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judged = cases(free=12)
    for one in judged[:5]:
        del one["expected"]
        one["must"] = [{"not_contains": "sue"}]
    write(project, gates=[{"scorer": "exact", "slices": ["persona"]}], cases=judged)
    (told,) = warnings(capsys)
    assert "free (7)" in told


def test_slices_that_nothing_gates_and_slices_large_enough_are_not_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, cases=cases(free=2))
    assert warnings(capsys) == []
    write(project, gates=[{"scorer": "exact", "slices": ["persona"]}], cases=cases(free=10))
    assert warnings(capsys) == []


def test_a_weakening_that_should_be_over_is_named(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"what": "margin of exact", "reason": "agreed in SUP-142", "until": "2026-12-01"}
    write(project, weakening=[entry], cases=cases(free=2))
    monkeypatch.setenv("AIONCALL_NOW", "2026-12-01T12:00:00Z")
    assert warnings(capsys) == []
    monkeypatch.setenv("AIONCALL_NOW", "2026-12-02T00:00:00Z")
    (told,) = warnings(capsys)
    assert "weakening 'margin of exact' was meant until 2026-12-01" in told


def test_many_placeholders_are_counted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blank = [{"id": f"c{i}", "input": "TODO", "expected": "x"} for i in range(8)]
    write(project, cases=blank)
    told = warnings(capsys)
    assert len(told) == 6
    assert told[-1] == "warning: evalsets/demo.eval.yaml: 3 more cases are placeholders"


@pytest.mark.parametrize(
    ("owned", "hint"), [("dmeo", "did you mean 'demo'?"), ("search", "take it out, or correct the name")]
)
def test_an_owner_of_no_evalset_is_told(
    project: Path, capsys: pytest.CaptureFixture[str], owned: str, hint: str
) -> None:
    """Its evalset would call somebody else; a check of one file knows nothing of the others."""
    (project / "aioncall.yaml").write_text(f'oncall: {{owners: {{{owned}: "@bo", demo: "@ann"}}}}\n')
    write(project, cases=cases(free=1))
    assert warnings(capsys) == [
        f"warning: aioncall.yaml: oncall.owners names '{owned}', and there is no such evalset; {hint}"
    ]
    assert main(["check", "evalsets/demo.eval.yaml"]) == 0
    assert "oncall.owners" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("said", "meant"), [("montor", "monitor"), ("publish isues", "issues"), ("history shwo", "show")]
)
def test_a_misspelt_verb_or_action_is_met_with_the_one_that_was_meant(
    said: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(said.split()) == 4
    assert capsys.readouterr().err.rstrip().endswith(f"did you mean {meant!r}?")
