"""Answers that cannot be kept are not asked for: said in one line, with the setting to change."""

from __future__ import annotations

import pytest

from eval_project import Project

UPPER = "def answer(text):\n    return text.upper()\n"


def test_a_store_that_cannot_be_written_is_refused_before_anything_is_asked(project: Project) -> None:
    project.app("def answer(text):\n    open('asked', 'w').close()\n    return text\n")
    project.evalset()
    project.write(".aioncall", "a file where the folder should be")
    result = project.run()
    text = result.stdout.str() + result.stderr.str()
    assert result.ret == 4
    assert "cannot be written" in text
    assert "store: DIR" in text
    assert "Traceback" not in text
    assert not (project.path / "asked").exists()


@pytest.mark.parametrize("mode", [(), ("-n", "2")])
def test_a_store_that_fails_later_ends_the_run_with_exit_7(project: Project, mode: tuple[str, ...]) -> None:
    """As a disk does that is full: a link to a folder that is gone."""
    project.app(
        "import pathlib, shutil\n"
        "def answer(text):\n"
        "    shutil.rmtree('.aioncall', ignore_errors=True)\n"
        "    pathlib.Path('.aioncall').touch()\n    return text.upper()\n"
    )
    project.evalset()
    result = project.run_apart(*mode)
    text = result.stdout.str() + result.stderr.str()
    assert result.ret == 7, text
    assert "cannot be written" in text
    assert "INTERNALERROR" not in text
    assert "gate[" not in text


def test_a_report_that_cannot_be_written_is_said_and_changes_no_verdict(project: Project) -> None:
    project.app(UPPER)
    project.evalset()
    project.write("taken", "a file")
    result = project.run("--aioncall-report", "taken/reports")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*no report: *choose --aioncall-report DIR*"])
