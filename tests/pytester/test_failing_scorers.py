"""A scorer that fails gives no score: never a zero, never green."""

from __future__ import annotations

from eval_project import Project


def test_a_scorer_that_crashes_is_an_error_never_a_score(project: Project) -> None:
    """A crashed evaluator must not show green, and an outage of it must not look like a regression."""
    project.app("def answer(text):\n    return text.upper()\ndef score(text):\n    return 1 / 0\n")
    project.evalset(scorers=["exact", {"python": {"as": "own", "function": "app:score"}}])
    result = project.run()
    assert result.ret == 7
    own = [s for sample in project.last_samples() for s in sample["scores"] if s["scorer"] == "own"]
    assert {s["value"] for s in own} == {None}
    assert all("ZeroDivisionError" in s["error"] for s in own)


def test_nan_is_no_score(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\ndef score(text):\n    return float('nan')\n")
    project.evalset(scorers=[{"python": {"as": "own", "function": "app:score"}}])
    result = project.run()
    assert result.ret == 7
    assert {s["value"] for sample in project.last_samples() for s in sample["scores"]} == {None}


def test_a_scorer_that_hangs_ends_with_its_time_limit_and_the_run_ends(project: Project) -> None:
    project.app(
        "import threading\ndef answer(text):\n    return text.upper()\n"
        "def score(text):\n    threading.Event().wait(600)\n    return 1\n"
    )
    project.evalset(scorers=["exact", {"python": {"as": "own", "function": "app:score"}}], timeout_s=0.2)
    result = project.run_apart()
    assert result.ret == 7
    own = [s for sample in project.last_samples() for s in sample["scores"] if s["scorer"] == "own"]
    assert {s["error"] for s in own} == {"no score within 0.2 s"}
