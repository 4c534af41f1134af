"""A cap on cost stops asking, and what was not asked is not called green."""

from __future__ import annotations

from eval_project import Project


def test_a_cap_that_is_reached_is_exit_7_and_judges_nothing(project: Project) -> None:
    project.app("def answer(text):\n    return {'text': text.upper(), 'cost_usd': 1.0}\n")
    project.evalset(cases={f"c{n}": (f"q{n}", f"Q{n}") for n in range(10)}, concurrency=1, epochs=1)
    result = project.run("--aioncall-max-cost", "3")
    assert result.ret == 7
    result.stdout.fnmatch_lines(["*7 not asked*"])
    assert "gate[" not in result.stdout.str()
    assert [s["error"]["kind"] for s in project.last_samples() if s["error"]] == ["cancelled"] * 7


def test_many_at_once_do_not_pass_a_cap_before_the_first_has_told_its_cost(project: Project) -> None:
    project.app(
        """
        import asyncio

        async def answer(text):
            await asyncio.sleep(0.01)
            return {"text": text.upper(), "cost_usd": 1.0}
        """
    )
    project.evalset(cases={f"c{n}": (f"q{n}", f"Q{n}") for n in range(20)}, concurrency=16, epochs=1)
    assert project.run("--aioncall-max-cost", "3").ret == 7
    assert project.last_run()["totals"]["cost_usd"] == 3.0
