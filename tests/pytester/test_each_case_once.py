"""Each selected case runs once however often it is named, and only when items run."""

from __future__ import annotations

import pytest

from eval_project import Project


@pytest.fixture(autouse=True)
def demo(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset()


@pytest.mark.parametrize(
    "arguments",
    [
        ("evalsets/demo.eval.yaml", "evalsets/demo.eval.yaml"),
        ("--keep-duplicates", "evalsets/demo.eval.yaml", "evalsets/demo.eval.yaml"),
        ("evalsets/demo.eval.yaml::a", "evalsets/demo.eval.yaml"),
    ],
)
def test_a_file_named_twice_is_run_and_judged_once(project: Project, arguments: tuple[str, ...]) -> None:
    result = project.run(*arguments)
    result.assert_outcomes(passed=2, skipped=1)
    assert len(project.last_samples()) == 6
    assert project.last_run()["complete"] is True


def test_a_case_named_twice_is_run_once(project: Project) -> None:
    result = project.run("evalsets/demo.eval.yaml::a", "evalsets/demo.eval.yaml::a", "--keep-duplicates")
    result.assert_outcomes(passed=1)
    assert len(project.last_samples()) == 3


@pytest.mark.parametrize("option", ["--setup-plan", "--setup-only", "--collect-only"])
def test_showing_what_would_run_asks_nothing(project: Project, option: str) -> None:
    assert project.run(option).ret == 0
    assert not project.run_folders()


def test_a_named_file_does_not_wake_evalsets_in_a_folder_named_for_its_tests(project: Project) -> None:
    """Without the flag only what is named by itself may spend money."""
    project.write("tests/test_plain.py", "def test_plain():\n    pass\n")
    project.evalset("other")
    (project.path / "evalsets" / "other.eval.yaml").rename(project.path / "tests" / "other.eval.yaml")
    result = project.pytester.runpytest_inprocess(
        "-p", "no:cacheprovider", "tests", "evalsets/demo.eval.yaml"
    )
    result.assert_outcomes(passed=3, skipped=1)
    assert {s["evalset"] for s in project.last_samples()} == {"demo"}
