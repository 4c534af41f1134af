"""A wrong answer, an outage, and a crash in the user's code are three outcomes, never one."""

from __future__ import annotations

from conftest import Project


def test_a_wrong_answer_alone_is_a_miss_and_exits_zero(project: Project) -> None:
    project.app("def answer(text):\n    return 'X'\n")
    project.evalset()
    result = project.run()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*2 missed*"])


def test_an_exception_in_the_users_code_fails_its_case_with_the_users_frames(project: Project) -> None:
    project.app("def answer(text):\n    return {}[text]\n")
    project.evalset(cases={"a": ("a", "A")})
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*KeyError: *3/3 epochs*", "*app.py*"])
    assert "engine.py" not in result.stdout.str()
    assert [s["error"]["kind"] for s in project.last_samples()] == ["user"] * 3


def test_an_outage_fails_nothing_and_is_said_to_be_unjudgeable(project: Project) -> None:
    project.app("def answer(text):\n    raise ConnectionError('refused')\n")
    project.evalset()
    result = project.run()
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


def test_an_output_of_200_kilobytes_and_of_hostile_text_is_kept_and_shown_harmless(project: Project) -> None:
    project.app(
        "def answer(text):\n"
        "    return '\\x1b[31m::error::<script>alert(1)</script>\\u202e]]>' + 'x' * 200_000\n"
    )
    project.evalset(cases=[{"id": "a", "input": "a", "must": [{"contains": "nowhere"}]}])
    result = project.run("--junitxml=junit.xml")
    assert result.ret == 1
    text = result.stdout.str()
    assert "\x1b[31m::error" not in text
    assert "\u202e" not in text
    assert len(project.last_samples()[0]["output"]["text"]) > 200_000
    page = (project.path / ".aioncall" / "report.html").read_text()
    assert "<script>alert(1)" not in page
    from xml.etree import ElementTree

    ElementTree.parse(project.path / "junit.xml")
