"""What an outage looks like in a run: letters, exit codes, counts and words, at the border and around it."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Any

import pytest
from fault_server import WIRES, Exchange, FaultServer, Step, answered, chatted, well

from eval_project import Project, project

__all__ = ["project"]

CASES = {f"c{n:02}": (f"question {n:02}", "score") for n in range(50)}
CHAT = {"chat": {"model": "p/m", "prompt": "Answer: {{ input }}"}}
JUDGE = {"judge": {"model": "p/m", "rubric": "Helpful answers are good.", "params": {}}}
HANG_UP = WIRES["hang_up"]
_numbers = itertools.count()


@pytest.fixture
def outage(
    project: Project, fault_server: FaultServer, request: pytest.FixtureRequest
) -> Callable[..., None]:
    """Set a project up whose model fails by `fault` on the questions with these numbers."""

    def set_up(*numbers: int, fault: Step = HANG_UP, of_judge: bool = False, **keys: Any) -> None:
        failing = [f"question {n:02}" for n in numbers]

        def step(exchange: Exchange) -> None:
            asked = str(exchange.body["messages"][-1]["content"])
            (fault if any(one in asked for one in failing) else well)(exchange)

        token = f"outage-{next(_numbers)}"
        fault_server.script(token, step)
        url = f"{fault_server.address(token)}/v1"
        project.config(providers={"p": {"kind": "openai", "base_url": url, "max_attempts": 1}})
        if of_judge:
            project.app("def answer(text):\n    return 'Restart it: ' + text\n")
            keys = {"scorers": [JUDGE], **keys}
        else:
            keys = {"target": CHAT, "scorers": ["contains"], **keys}
        project.evalset(**{"cases": CASES, "epochs": 1, "errors": {"max_rate": 0.02}, **keys})

    return set_up


@pytest.mark.parametrize(
    ("of_judge", "workers"),
    [
        pytest.param(False, (), id="target"),
        pytest.param(True, (), id="judge"),
        pytest.param(False, ("-n", "2"), id="target-xdist"),
    ],
)
def test_errors_exactly_at_the_rate_fail_nothing_and_are_listed_and_counted(
    project: Project, outage: Callable[..., None], workers: tuple[str, ...], of_judge: bool
) -> None:
    """One of fifty is 2 %: the letter E, a name, a count, a reason, and exit 0."""
    outage(7, of_judge=of_judge)
    run = project.run_apart if workers else project.run
    result = run("-vv", "--junitxml", "junit.xml", *workers)
    said = result.stdout.str()
    assert result.ret == 0, said
    result.stdout.fnmatch_lines(["*=== UNJUDGED ===*", "*::c07 _*", "1 error (*) in c07: *", "*1 unjudged*"])
    assert "is the server up" in said
    coverage = project.report()["evalsets"][0]["judgement"]["coverage"]
    assert (coverage["planned"], coverage["judged"], coverage["errors"]) == (50, 49, 1)
    assert _in_junit(project, "c07") == {"skipped"}
    assert _in_junit(project, "c08") == set()


@pytest.mark.parametrize(
    ("of_judge", "workers"),
    [
        pytest.param(False, (), id="target"),
        pytest.param(True, (), id="judge"),
        pytest.param(True, ("-n", "2"), id="judge-xdist"),
    ],
)
def test_one_error_more_than_the_rate_cannot_be_judged(
    project: Project, outage: Callable[..., None], workers: tuple[str, ...], of_judge: bool
) -> None:
    outage(7, 8, of_judge=of_judge)
    result = (project.run_apart if workers else project.run)(*workers)
    assert result.ret == 7, result.stdout.str()
    assert "CANNOT JUDGE  4 % of samples errored, limit 2 %" in result.stdout.str()
    assert project.report()["status"] == "cannot_judge"


def test_a_rate_of_nothing_bears_no_error_and_no_rate_bears_nothing_but_errors(
    project: Project, outage: Callable[..., None]
) -> None:
    outage(7, errors={"max_rate": 0})
    assert project.run().ret == 7
    outage(*range(50), errors={"max_rate": 1})
    assert project.run().ret == 7
    outage(*range(49), errors={"max_rate": 1})
    assert project.run().ret == 0


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(answered(400), id="400"),
        pytest.param(answered(401), id="401"),
        pytest.param(chatted(content=None), id="null"),
    ],
)
def test_what_the_server_refuses_fails_its_case_whatever_the_rate(
    project: Project, outage: Callable[..., None], fault: Step
) -> None:
    """A target error is no outage: the same request would get it again."""
    outage(7, fault=fault, errors={"max_rate": 0.5})
    result = project.run("--junitxml", "junit.xml")
    assert result.ret == 1
    result.assert_outcomes(failed=1, passed=49, skipped=1)
    assert _in_junit(project, "c07") == {"failure"}


@pytest.mark.parametrize("reply", ["I would say 4 of 5.", '{"score": 99}', ""])
def test_a_judge_that_cannot_be_understood_counts_as_an_error_and_not_as_a_mark(
    project: Project, outage: Callable[..., None], reply: str
) -> None:
    outage(7, fault=chatted(content=reply), of_judge=True)
    assert project.run().ret == 0
    (sample,) = [one for one in project.last_samples() if one["case"] == "c07"]
    (score,) = sample["scores"]
    assert (score["value"], score["passed"]) == (None, None)
    outage(7, 8, fault=chatted(content=reply), of_judge=True)
    assert project.run().ret == 7


def test_the_users_exception_fails_its_case_below_and_above_the_rate(project: Project) -> None:
    app = (
        "def answer(text):\n"
        "    number = int(text[-2:])\n"
        "    if number == 3:\n        raise KeyError('mine')\n"
        "    if number < {outage}:\n        raise ConnectionError('gone')\n"
        "    return 'score'\n"
    )
    for gone in (0, 1, 20):
        project.app(app.replace("{outage}", str(gone)))
        project.evalset(cases=CASES, epochs=1, scorers=["contains"], errors={"max_rate": 0.02})
        result = project.run()
        assert result.ret == 1, result.stdout.str()
        result.stdout.fnmatch_lines(["*KeyError: 'mine'*"])
        kinds = {s["case"]: s["error"]["kind"] for s in project.last_samples() if s["error"]}
        assert kinds.pop("c03") == "user"
        assert set(kinds.values()) <= {"transport"}
        # Number 3 itself is the user's, gone or not.
        assert len(kinds) == gone - (gone > 3)


def test_what_was_an_outage_is_no_recording_and_a_replay_says_so(
    project: Project, outage: Callable[..., None]
) -> None:
    """Nothing faulty is recorded: neither a broken connection nor a page with status 200."""
    page = answered(200, "<html>Sign in</html>", {"content-type": "text/html"})
    outage(7, fault=page)
    assert project.run("--aioncall-record").ret == 0
    result = project.run("--aioncall-replay")
    assert result.ret == 7
    result.stdout.fnmatch_lines(["*1 not recorded*"])
    kinds = {s["case"]: s["error"]["kind"] for s in project.last_samples() if s["error"]}
    assert kinds == {"c07": "cassette_miss"}


def _in_junit(project: Project, case: str) -> set[str]:
    """Return what JUnit says of a case besides its properties and what it printed."""
    root = ElementTree.parse(project.path / "junit.xml").getroot()
    (found,) = [one for one in root.iter("testcase") if one.get("name") == case]
    return {child.tag for child in found} - {"properties", "system-out", "system-err"}
