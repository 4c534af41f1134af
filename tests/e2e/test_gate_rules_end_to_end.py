"""A gate's own rules, from the YAML through pytest and `aioncall gate` to the exit code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from eval_project import Project

SAME = "def answer(text):\n    return text.upper() + ' once'\n"
OTHER_WORDS = "def answer(text):\n    return text.upper() + ' twice'\n"
TWO_WORSE = """
def answer(text):
    return "wrong" if text in ("q0", "q1") else text.upper() + " twice"
"""
CASES = {f"c{n}": (f"q{n}", f"Q{n}") for n in range(10)}


def demo(project: Project, **gate: Any) -> None:
    """Accept a run of ten cases, then leave an evalset whose one gate has these rules."""
    project.app(SAME)
    project.evalset(cases=CASES, scorers=["contains"], epochs=3)
    project.run()
    project.accept()
    project.evalset(cases=CASES, scorers=["contains"], epochs=3, gates=[{"scorer": "contains", **gate}])


@pytest.fixture
def judged(project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what `aioncall gate --json` says of the last run: exit code and the object."""
    monkeypatch.chdir(project.path)

    def judge(*arguments: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = project.command("gate", "--candidate", project.run_folders()[-1].name, "--json", *arguments)
        return code, json.loads(capsys.readouterr().out)

    return judge


def test_a_gate_that_must_decide_is_exit_7_for_itself_alone(project: Project, judged: Any) -> None:
    demo(project, on_inconclusive="fail")
    project.app(OTHER_WORDS)
    result = project.run()
    assert result.ret == 7
    result.stdout.fnmatch_lines(["*A gate that cannot decide fails this run (exit 7).*"])
    code, found = judged()
    assert (code, found["status"]) == (7, "inconclusive")


def test_a_gate_that_may_warn_does_so_where_the_configuration_fails_others(
    project: Project, judged: Any
) -> None:
    demo(project, on_inconclusive="warn")
    project.config(defaults={"on_inconclusive": "fail"})
    project.app(OTHER_WORDS)
    assert project.run().ret == 0
    assert judged()[0] == 0
    assert project.run("--aioncall-strict").ret == 7
    assert judged("--strict")[0] == 7


def test_a_level_of_its_own_holds_in_the_run_and_in_its_folder(project: Project, judged: Any) -> None:
    demo(project, alpha=0.2)
    project.app(TWO_WORSE)
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*60 % interval*"])
    code, found = judged()
    assert (code, found["alpha"], found["verdicts"][0]["alpha"]) == (1, 0.05, 0.2)


def test_the_command_line_is_above_the_gates_own_level_and_margin(project: Project, judged: Any) -> None:
    demo(project, alpha=0.2, margin=0.01)
    project.app(TWO_WORSE)
    project.run()
    code, found = judged("--alpha", "0.001", "--margin", "0.5")
    assert (found["verdicts"][0]["alpha"], found["verdicts"][0]["margin"]) == (0.001, 0.5)
    assert code == 0


def test_the_configurations_margin_and_claim_are_for_gates_that_name_none(
    project: Project, judged: Any
) -> None:
    demo(project)
    project.config(defaults={"margin": 0.4, "claim": "cases-like-these", "min": 0.2})
    project.app(OTHER_WORDS)
    project.run()
    row = judged()[1]["verdicts"][0]
    assert (row["margin"], row["min"], row["claim"]) == (0.4, 0.2, "cases-like-these")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"margin": 5}, "gates[0].margin: margin 5 of 'contains' is more than its scale [0, 1] is wide"),
        ({"min": 80}, "gates[0].min: min 80 of 'contains' is off its scale [0, 1]"),
    ],
)
def test_limits_that_do_not_fit_are_refused_before_anything_runs(
    project: Project, capsys: pytest.CaptureFixture[str], rule: dict[str, Any], said: str
) -> None:
    project.app("raise SystemError('was imported')\n")
    project.app(SAME)
    path = project.evalset(scorers=["contains"], gates=[{"scorer": "contains", **rule}])
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if text.startswith("- scorer"))
    assert project.command("check", "--root", str(project.path)) == 4
    told = capsys.readouterr()
    place = f"evalsets/demo.eval.yaml:{line + 1}: {said}"
    assert place in told.out + told.err
    result = project.run()
    assert result.ret == 4
    assert place in result.stdout.str() + result.stderr.str()
    assert project.run_folders() == []


@pytest.mark.parametrize("margin", ["inf", "nan", "-0.1", "1e400"])
def test_a_margin_that_is_no_number_is_refused_on_the_command_line(
    project: Project, capsys: pytest.CaptureFixture[str], margin: str
) -> None:
    assert project.command("gate", "--candidate", "x.jsonl", f"--margin={margin}") == 4
    assert "is no margin; give a number from 0 up" in capsys.readouterr().err
