"""A first run, an accepted baseline and an unchanged run say the same of what the suite would see."""

from __future__ import annotations

import pytest

from eval_project import Project

CASES = {f"case-{n}": (f"q{n}", f"Q{n}") for n in range(10)}
SEEN = "would see a drop of 21 pp"


def test_what_the_suite_would_see_is_told_before_there_is_anything_to_compare_with(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset(cases=CASES)
    project.run().stdout.fnmatch_lines([f"this suite {SEEN} in exact"])
    capsys.readouterr()
    project.accept()
    assert f"  exact: {SEEN}\n" in capsys.readouterr().out
    project.run().stdout.fnmatch_lines([f"this suite {SEEN} in exact"])
    capsys.readouterr()
    project.accept("again", "demo")
    assert f"  exact: {SEEN}\n" in capsys.readouterr().out


def test_one_epoch_sees_nothing_and_says_what_to_do(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset(cases=CASES, epochs=1)
    result = project.run()
    result.stdout.fnmatch_lines(["exact sees no drop: with one epoch noise cannot be told*"])
    assert "would see" not in result.stdout.str()
