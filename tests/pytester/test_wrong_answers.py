"""A wrong answer alone is a miss: gates decide, the item fails nothing."""

from __future__ import annotations

from eval_project import Project, RunMode


def test_a_wrong_answer_alone_is_a_miss_and_exits_zero(project: Project, run_mode: RunMode) -> None:
    project.app("def answer(text):\n    return 'X'\n")
    project.evalset()
    result = run_mode()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*2 missed*"])
