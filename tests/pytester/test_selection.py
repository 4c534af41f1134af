"""Cases are selected as tests are; a partial run is judged by nobody and writes no verdict."""

from __future__ import annotations

import pytest

from eval_project import Project

CASES = [
    {"id": "one", "input": "a", "expected": "A", "slices": {"persona": "free"}},
    {"id": "two", "input": "b", "expected": "B", "slices": {"persona": "paid"}},
    {"id": "three", "input": "c", "expected": "C", "slices": {"persona": "paid"}},
]


@pytest.fixture(autouse=True)
def app(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset(cases=CASES)


def test_a_bare_pytest_never_runs_an_eval(project: Project) -> None:
    result = project.pytester.runpytest_subprocess()
    assert result.ret == 5
    assert not project.run_folders()


@pytest.mark.parametrize(
    ("arguments", "cases"),
    [
        (["-k", "two"], {"two"}),
        (["-k", "paid"], {"two", "three"}),
        (["-m", "aioncall(slice='persona=free')"], {"one"}),
        (["evalsets/demo.eval.yaml::three"], {"three"}),
    ],
)
def test_selected_cases_run_and_a_partial_run_has_no_gate(
    project: Project, arguments: list[str], cases: set[str]
) -> None:
    result = project.run(*arguments)
    assert result.ret == 0
    assert {s["case"] for s in project.last_samples()} == cases
    assert "partial run" in result.stdout.str()
    assert "gate[" not in result.stdout.str()
    assert project.last_run()["complete"] is False
    assert project.report()["status"] == "not_judged"


def test_a_file_named_on_the_command_line_runs_without_the_flag_and_is_complete(project: Project) -> None:
    result = project.pytester.runpytest_subprocess("evalsets/demo.eval.yaml")
    assert result.ret == 0
    assert project.last_run()["complete"] is True


def test_collect_only_calls_nothing(project: Project) -> None:
    result = project.run("--collect-only", "-q")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["evalsets/demo.eval.yaml::one", "evalsets/demo.eval.yaml::three"])
    assert not project.run_folders()


def test_testpaths_do_not_hide_the_evalsets(project: Project) -> None:
    project.write("pytest.ini", "[pytest]\ntestpaths = tests\n")
    project.write("tests/test_ordinary.py", "def test_ordinary():\n    pass\n")
    result = project.run()
    result.assert_outcomes(passed=4, skipped=1)


def test_last_failed_runs_the_case_again(project: Project) -> None:
    project.app(
        "def answer(text):\n    if text == 'b':\n        raise ValueError('no')\n    return text.upper()\n"
    )
    assert project.pytester.runpytest_subprocess("--aioncall").ret == 1
    result = project.pytester.runpytest_subprocess("--aioncall", "--lf")
    assert {s["case"] for s in project.last_samples()} == {"two"}
    assert result.ret == 1
