"""An exception of the user's own code fails its case, and that case only."""

from __future__ import annotations

from eval_project import Project, RunMode


def test_an_exception_fails_its_case_with_the_users_frames(project: Project, run_mode: RunMode) -> None:
    project.app("def answer(text):\n    return {}[text]\n")
    project.evalset(cases={"a": ("a", "A")})
    result = run_mode()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*KeyError: *3/3 epochs*", "*app.py*"])
    assert "engine.py" not in result.stdout.str()
    assert [s["error"]["kind"] for s in project.last_samples()] == ["user"] * 3


def test_a_wrong_return_type_is_named_and_fails_the_case(project: Project) -> None:
    project.app("def answer(text):\n    return 7\n")
    project.evalset(cases={"a": ("a", "A")})
    result = project.run()
    assert result.ret == 1
    assert "int" in result.stdout.str()
    assert project.last_samples()[0]["error"]["kind"] == "target"


def test_exit_and_pytest_fail_inside_a_target_end_one_case_only(project: Project) -> None:
    project.app(
        "import sys, pytest\n"
        "def answer(text):\n"
        "    if text == 'a':\n        sys.exit(3)\n"
        "    if text == 'b':\n        pytest.fail('not like this')\n"
        "    return text.upper()\n"
    )
    project.evalset(cases={"a": ("a", "A"), "b": ("b", "B"), "c": ("c", "C")})
    result = project.run()
    assert result.ret == 1
    result.assert_outcomes(failed=2, passed=1, skipped=1)


def test_an_exit_in_a_task_of_the_target_ends_one_case_only(project: Project) -> None:
    """SystemExit in an asyncio task ends the whole loop, if one lets it."""
    project.app(
        "import asyncio, sys\n"
        "async def inner(text):\n    if text == 'a':\n        sys.exit(3)\n    return text.upper()\n"
        "async def answer(text):\n    return await asyncio.wait_for(inner(text), 60)\n"
    )
    project.evalset(epochs=1)
    result = project.run()
    assert result.ret == 1
    result.assert_outcomes(failed=1, passed=1, skipped=1)


def test_a_target_that_answers_no_output_fails_its_cases_and_hangs_nothing(project: Project) -> None:
    project.app(
        "class Odd:\n    async def answer(self, case, *, epoch):\n        return 'text'\n"
        "    def fingerprint(self):\n        return {}\n"
    )
    project.evalset(target={"app:Odd": {}}, epochs=1)
    result = project.run()
    assert result.ret == 1
    assert "a target answers an Output" in result.stdout.str()
