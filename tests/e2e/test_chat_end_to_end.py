"""`pytest --aioncall` against a real model server: verdicts, keys, outages, retries, money."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from model_server import TOKENS_IN, TOKENS_OUT, Answer, Asked, Fault, ModelServer, dead_address, model_server

from eval_project import Project

KEY = "k-just-for-this-test-1"
CASES = {f"case-{n}": (f"q{n}", f"Q{n}") for n in range(6)}
JUDGE = {"judge": {"as": "kind", "rubric": "Is it kind?\nMark it.", "scale": [1, 5], "model": "main/judge-1"}}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as serving:
        yield serving


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_MODEL_KEY", KEY)


def configure(project: Project, url: str, *, kind: str = "openai", **more: Any) -> None:
    """Name one provider, `main`; `provider` and every other keyword go over the defaults."""
    provider = {"kind": kind, "base_url": f"{url}/v1", "api_key_env": "TEST_MODEL_KEY", "max_attempts": 2}
    project.config(providers={"main": {**provider, **more.pop("provider", {})}}, **more)


def chat_evalset(project: Project, **keys: Any) -> None:
    target = {"chat": {"model": "main/answers-1", "prompt": "{{ input }}", "params": {"max_tokens": 100}}}
    project.evalset(**{"target": target, "cases": CASES, "epochs": 2, **keys})


def says(mark: int) -> str:
    return json.dumps({"reason": "as it reads", "score": mark})


def said(result: pytest.RunResult) -> str:
    return str(result.stdout) + str(result.stderr)


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_right_answers_are_green_and_come_from_the_server(
    project: Project, server: ModelServer, kind: str
) -> None:
    configure(project, server.url, kind=kind)
    chat_evalset(project)
    result = project.run()
    assert result.ret == 0, said(result)
    result.assert_outcomes(passed=6, skipped=1)
    assert len(server.asked) == 12
    first = server.asked[0]
    assert first.path == ("/v1/messages" if kind == "anthropic" else "/v1/chat/completions")
    sent = first.headers["x-api-key" if kind == "anthropic" else "authorization"]
    assert sent == (KEY if kind == "anthropic" else f"Bearer {KEY}")
    assert first.body["max_tokens"] == 100
    output = project.last_samples()[0]["output"]
    assert (output["tokens_in"], output["tokens_out"], output["model"]) == (
        TOKENS_IN,
        TOKENS_OUT,
        "answers-1",
    )
    assert output["latency_s"] > 0


def test_a_wrong_answer_is_a_miss_that_shows_what_was_said(project: Project, server: ModelServer) -> None:
    configure(project, server.url)
    chat_evalset(project)
    server.answer = lambda asked: "no idea" if asked.question == "q2" else asked.question.upper()
    result = project.run("-v")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*::case-2 MISS*", "*5 passed*1 missed*"])


def test_a_judge_marks_answers_and_its_reasons_are_kept(project: Project, server: ModelServer) -> None:
    configure(project, server.url)
    chat_evalset(project, scorers=[JUDGE], gates=[{"scorer": "kind", "min": 3.0}])
    server.answer = lambda asked: says(4) if asked.is_judge else "a kind word"
    result = project.run()
    assert result.ret == 0, said(result)
    scores = [score for sample in project.last_samples() for score in sample["scores"]]
    assert {(s["value"], s["reason"], tuple(s["scale"])) for s in scores} == {(4.0, "as it reads", (1, 5))}


@pytest.mark.parametrize(
    "outage", [Fault(500), Fault(401), "I would rather not say", Fault(200, b"<html>maintenance</html>")]
)
def test_an_outage_of_the_judge_is_unjudged_and_never_a_score(
    project: Project, server: ModelServer, outage: Answer
) -> None:
    configure(project, server.url, provider={"max_attempts": 1})
    chat_evalset(project, scorers=[JUDGE], gates=[{"scorer": "kind", "min": 3.0}], epochs=1)
    server.answer = lambda asked: outage if asked.is_judge else "a kind word"
    result = project.run()
    assert result.ret == 7, said(result)
    result.stdout.fnmatch_lines(["*6 unjudged*"])
    scores = [score for sample in project.last_samples() for score in sample["scores"]]
    assert [s["value"] for s in scores] == [None] * 6
    assert all(s["error"] for s in scores)
    assert "cannot judge" in said(result).lower()
    (verdict,) = project.report()["evalsets"][0]["judgement"]["verdicts"]
    assert verdict["candidate"] is None
    assert verdict["status"] != "regressed"


@pytest.mark.parametrize("where", ["target", "judge"])
def test_a_missing_key_stops_before_anything_is_run_and_names_the_variable(
    project: Project, server: ModelServer, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.delenv("TEST_MODEL_KEY")
    configure(project, server.url)
    if where == "target":
        chat_evalset(project)
    else:
        project.app("def answer(text):\n    return text\n")
        project.evalset(scorers=[JUDGE])
    result = project.run()
    assert result.ret == 4
    assert "TEST_MODEL_KEY is not set" in said(result)
    assert "nothing was run and nothing was spent" in said(result)
    assert not server.asked
    assert not project.run_folders()


def test_an_unknown_provider_is_told_with_the_near_one(project: Project, server: ModelServer) -> None:
    configure(project, server.url)
    target = {"chat": {"model": "mian/answers-1", "prompt": "{{ input }}"}}
    chat_evalset(project, target=target)
    result = project.run()
    assert result.ret == 4
    assert "unknown provider 'mian'" in said(result)
    assert "did you mean 'main'?" in said(result)
    assert "evalsets/demo.eval.yaml:3" in said(result)


def test_a_dead_server_cannot_be_judged_and_says_where_it_was_sought(project: Project) -> None:
    address = dead_address()
    configure(project, address, provider={"max_attempts": 1})
    chat_evalset(project)
    result = project.run()
    assert result.ret == 7
    result.stdout.fnmatch_lines(["*6 unjudged*"])
    assert address.removeprefix("http://") in said(result)
    assert project.report()["status"] == "cannot_judge"
    assert {s["error"]["kind"] for s in project.last_samples()} == {"transport"}


def test_a_refused_key_is_not_retried_and_says_which_variable(project: Project, server: ModelServer) -> None:
    configure(project, server.url)
    chat_evalset(project, epochs=1)
    server.answer = lambda asked: Fault(401, b'{"error": {"message": "bad key"}}')
    result = project.run()
    assert result.ret == 1
    assert "check the key in TEST_MODEL_KEY" in said(result)
    assert len(server.asked) == 6


def test_a_full_server_is_asked_again_as_it_wishes_and_retries_are_counted(
    project: Project, server: ModelServer
) -> None:
    configure(project, server.url, provider={"max_attempts": 3})
    chat_evalset(project, epochs=1, concurrency=1)
    refused: set[str] = set()

    def once_full(asked: Asked) -> Answer:
        if asked.question in {"q0", "q3"} - refused:
            refused.add(asked.question)
            return Fault(429, headers={"retry-after": "0"})
        return asked.question.upper()

    server.answer = once_full
    result = project.run()
    assert result.ret == 0, said(result)
    result.assert_outcomes(passed=6, skipped=1)
    assert len(server.asked) == 8
    assert project.last_run()["totals"]["retries"] == 2


def test_the_cost_is_worked_out_from_the_price_table(project: Project, server: ModelServer) -> None:
    prices = {"as_of": "2026-11-01", "main/answers-1": {"input": 2.0, "output": 10.0}}
    configure(project, server.url, prices=prices)
    chat_evalset(project)
    result = project.run()
    one = (TOKENS_IN * 2.0 + TOKENS_OUT * 10.0) / 1e6
    assert project.last_samples()[0]["output"]["cost_usd"] == pytest.approx(one)
    assert project.last_run()["totals"]["cost_usd"] == pytest.approx(12 * one)
    assert "$0.04" in said(result)


def test_what_the_judge_costs_is_counted_too(project: Project, server: ModelServer) -> None:
    prices = {"main/judge-1": {"input": 2.0, "output": 10.0}}
    configure(project, server.url, prices=prices)
    chat_evalset(project, scorers=[JUDGE])
    server.answer = lambda asked: says(4) if asked.is_judge else "a kind word"
    project.run()
    one = (TOKENS_IN * 2.0 + TOKENS_OUT * 10.0) / 1e6
    assert project.last_run()["totals"]["cost_usd"] == pytest.approx(12 * one)


def test_the_estimate_is_said_before_the_first_call(project: Project, server: ModelServer) -> None:
    """The server holds its first answer back until the estimate was read."""
    configure(project, server.url, prices={"main/answers-1": {"input": 2.0, "output": 10.0}})
    chat_evalset(project)
    told = threading.Event()

    def answer(asked: Asked) -> Answer:
        return asked.question.upper() if told.wait(60) else Fault(500)

    server.answer = answer
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--aioncall", "-p", "no:cacheprovider"],
        cwd=project.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "model calls, about $" in line:
            assert "12 model calls, about $0.01, cap $5" in line
            told.set()
            break
    process.communicate(timeout=60)
    assert told.is_set()
    assert process.returncode == 0


def test_a_run_above_the_cap_is_refused_and_nothing_is_spent(project: Project, server: ModelServer) -> None:
    configure(project, server.url, prices={"main/answers-1": {"input": 2.0, "output": 10.0}})
    chat_evalset(project)
    for cap in ("0.001", "0"):
        result = project.run("--aioncall-max-cost", cap)
        assert result.ret == 4
        assert f"above the cap of ${cap}; nothing was spent" in said(result)
    assert not server.asked
    assert not project.run_folders()


def test_a_cap_that_is_reached_stops_the_calls_and_gives_no_verdict(
    project: Project, server: ModelServer
) -> None:
    """The estimate knows nothing of a prompt of 1,000 tokens; no call is made that may pass the cap."""
    configure(project, server.url, prices={"main/answers-1": {"input": 100.0, "output": 0.0}})
    chat_evalset(project, concurrency=1)
    result = project.run("--aioncall-max-cost", "0.35", "-rA")
    assert len(server.asked) == 3
    assert project.last_run()["complete"] is False
    report = project.report()
    assert report["status"] == "not_judged"
    assert "gate[" not in said(result)
    assert "cost cap" in said(result)
    result.stdout.fnmatch_lines(["*5 not asked*"])
    assert result.ret == 7, "a run that was cut short must not be green"


def test_a_cap_with_an_unknown_price_is_refused(project: Project) -> None:
    configure(project, "http://models.invalid")
    chat_evalset(project)
    result = project.run("--aioncall-max-cost", "1")
    assert result.ret == 4
    assert "the price of main/answers-1 is unknown" in said(result)
    assert not project.run_folders()


def test_an_unknown_price_without_a_cap_runs_and_says_what_to_add(project: Project) -> None:
    configure(project, "http://models.invalid", provider={"max_attempts": 1})
    chat_evalset(project, epochs=1, cases={"a": ("a", "A")})
    result = project.run()
    assert "cost unknown: add prices for main/answers-1" in said(result)
