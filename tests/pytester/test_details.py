"""-vv shows why a case missed: input, expected and what was answered, without running it again."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval_project import Project


def test_very_verbose_shows_the_answers_of_misses(project: Project) -> None:
    project.app("def answer(text):\n    return 'wrong ' + text\n")
    project.evalset()
    result = project.run("-vv")
    result.stdout.fnmatch_lines(
        ["*MISSES*", "*demo.eval.yaml::a*", "input:*a*", "expected:*A*", "epoch 0:*wrong a*", "*exact*"]
    )
    assert "epoch 0:" not in project.run().stdout.str()


def test_an_outage_of_a_part_is_not_green(project: Project) -> None:
    project.app("def answer(text):\n    raise ConnectionError('refused')\n")
    project.evalset()
    assert project.run("-k", "a").ret == 7


def test_no_evalset_where_one_was_asked_for_is_said(project: Project) -> None:
    result = project.run()
    assert result.ret == 5
    assert "aioncall init" in result.stdout.str()


def test_an_option_without_the_flag_is_no_silent_nothing(project: Project) -> None:
    result = project.pytester.runpytest_inprocess("--aioncall-epochs", "5")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "add --aioncall" in result.stderr.str()


def test_a_sub_folder_says_that_it_has_no_evalset(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset()
    folder = project.path / "src"
    folder.mkdir()
    monkeypatch.chdir(folder)
    result = project.run()
    assert "no case was selected here" in result.stdout.str()
    assert Path.cwd() == folder
