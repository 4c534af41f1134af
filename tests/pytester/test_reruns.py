"""No rerun plugin repeats an eval until it is green."""

from __future__ import annotations

from eval_project import Project


def test_a_rerun_plugin_never_repeats_until_green(project: Project) -> None:
    project.app(
        "import itertools\ncount = itertools.count()\n"
        "def answer(text):\n    if next(count) == 0:\n        raise ValueError('once')\n"
        "    return text.upper()\n"
    )
    project.evalset(cases={"a": ("a", "A")}, epochs=1)
    result = project.run("--reruns", "3")
    assert result.ret == 1
    assert len(project.last_samples()) == 1
    assert "--reruns is off" in result.stdout.str()
