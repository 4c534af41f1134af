"""A suite of ten cases at three epochs: broken is red with names, unchanged passes, new wording is told."""

from __future__ import annotations

from eval_project import Project

CASES = {f"case-{n}": (f"q{n}", f"Q{n}") for n in range(10)}


def with_baseline(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset(cases=CASES)
    project.run().assert_outcomes(passed=10, skipped=1)
    project.accept()


def test_three_broken_of_ten_are_red_and_named(project: Project) -> None:
    with_baseline(project)
    project.app("def answer(text):\n    return 'no' if text in ('q1', 'q4', 'q7') else text.upper()\n")
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*REGRESSED*"])
    text = result.stdout.str()
    assert all(name in text for name in ("case-1", "case-4", "case-7"))
    assert {v["status"] for v in project.report()["evalsets"][0]["judgement"]["verdicts"]} == {"regressed"}


def test_unchanged_outputs_pass_as_unchanged(project: Project) -> None:
    with_baseline(project)
    result = project.run()
    assert result.ret == 0
    verdict = project.report()["evalsets"][0]["judgement"]["verdicts"][0]
    assert (verdict["status"], verdict["reason"]) == ("pass", "unchanged")
    assert "unchanged" in result.stdout.str()


def test_new_wording_with_the_same_scores_says_what_the_suite_would_see(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper() + ' one'\n")
    project.evalset(cases=CASES, scorers=["contains"])
    project.run()
    project.accept()
    project.app("def answer(text):\n    return text.upper() + ' two, longer'\n")
    result = project.run()
    assert result.ret == 0
    text = result.stdout.str()
    assert "no drop seen" in text
    assert "would see" in text
    assert " pp" in text


def test_fixed_again_is_green(project: Project) -> None:
    with_baseline(project)
    project.app("def answer(text):\n    return 'no' if text in ('q1', 'q4', 'q7') else text.upper()\n")
    assert project.run().ret == 1
    project.app("def answer(text):\n    return text.upper()\n")
    assert project.run().ret == 0
