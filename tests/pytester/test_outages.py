"""An outage fails nothing and proves nothing: unjudged, counted, exit 7 above the limit."""

from __future__ import annotations

from eval_project import Project, RunMode


def test_an_outage_fails_nothing_and_is_said_to_be_unjudgeable(project: Project, run_mode: RunMode) -> None:
    project.app("def answer(text):\n    raise ConnectionError('refused')\n")
    project.evalset()
    result = run_mode()
    assert result.ret == 7
    result.stdout.fnmatch_lines(["*2 unjudged*"])
    assert "cannot judge" in result.stdout.str().lower()
    assert project.report()["status"] == "cannot_judge"


def test_transport_errors_up_to_the_limit_fail_nothing(project: Project) -> None:
    project.app(
        "import itertools\ncount = itertools.count()\n"
        "def answer(text):\n"
        "    if next(count) == 0:\n        raise TimeoutError('slow')\n"
        "    return text.upper()\n"
    )
    project.evalset(errors={"max_rate": 0.5}, concurrency=1)
    result = project.run()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*1 unjudged*"])
    assert "1 error" in result.stdout.str()


def test_a_hanging_target_ends_as_a_transport_error_and_the_run_goes_on(project: Project) -> None:
    project.app(
        "import threading\n"
        "def answer(text):\n"
        "    if text == 'a':\n        threading.Event().wait(600)\n"
        "    return text.upper()\n"
    )
    project.evalset(timeout_s=0.3, epochs=1)
    result = project.run()
    assert result.ret == 7
    by_case = {s["case"]: s for s in project.last_samples()}
    assert by_case["a"]["error"]["kind"] == "transport"
    assert by_case["b"]["error"] is None
    assert "no answer within 0.3 s" in result.stdout.str() or "0.3" in by_case["a"]["error"]["message"]
