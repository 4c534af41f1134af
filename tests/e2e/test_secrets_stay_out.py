"""A key that a server echoes, a program prints or an exception carries is in nothing kept or shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from model_server import Answer, Asked, Fault, ModelServer, model_server

from eval_project import Project

# No vendor's shape: only its being the value of a variable that the configuration names gives it away.
KEY = "plainWordsNobodyWouldSuspect"
OTHERS = {
    "api-key": "sk-" + "proj-4f5b1c0d9e8a7b6c5d4e3f2a",
    "github-token": "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "aws-key": "AKIA" + "QWERTYUIOPASDFGH",
    "slack-token": "xoxb-" + "123456789012-abcdefghijkl",
    "jwt": "eyJ" + "hbGciOiJIUzI1NiJ9." + "eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0." + "dBjftJeZ4CVP",
    "google-key": "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
}
LOUD = ("-vv", "--showlocals", "-rA", "--junitxml=junit.xml")
CASES = {"a": ("a", "A"), "b": ("b", "B")}


@pytest.fixture
def server(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    monkeypatch.setenv("TEST_MODEL_KEY", KEY)
    with model_server() as serving:
        serving.extra_headers = {"x-echo": KEY, "set-cookie": f"session={KEY}"}
        provider = {"kind": "openai", "base_url": f"{serving.url}/v1", "api_key_env": "TEST_MODEL_KEY"}
        project.config(providers={"main": {**provider, "max_attempts": 1}})
        target = {"chat": {"model": "main/answers-1", "prompt": "{{ input }}"}}
        project.evalset(target=target, cases=CASES, epochs=1)
        yield serving


def files_of(project: Project) -> Iterator[Path]:
    """Yield all that a run wrote: run folder, reports, JUnit, cassettes, baselines."""
    for path in project.path.rglob("*"):
        if path.is_file() and path.suffix not in (".pyc", ".py"):
            yield path


def assert_nowhere(secret: str, project: Project, *results: pytest.RunResult) -> None:
    """Look in every file and in what was printed, for the whole and for a telling part of it."""
    part = secret[: max(8, len(secret) * 2 // 3)]
    for path in files_of(project):
        assert part not in path.read_text(errors="replace"), path.relative_to(project.path)
    for result in results:
        assert part not in str(result.stdout) + str(result.stderr)


def written(project: Project) -> set[str]:
    return {path.relative_to(project.path).as_posix() for path in files_of(project)}


@pytest.mark.parametrize("mode", ["--aioncall-record", "live"])
def test_a_key_in_answers_and_headers_is_in_no_file(project: Project, server: ModelServer, mode: str) -> None:
    server.answer = lambda asked: f"you sent {asked.headers['authorization']}, that is {KEY}"
    server.extra_fields = {"system_fingerprint": KEY, "model": f"answers-{KEY}"}
    result = project.run(*LOUD, *([mode] if mode != "live" else []))
    assert result.ret == 0
    project.accept()
    found = written(project)
    assert {".aioncall/report.html", ".aioncall/report.json", "junit.xml"} <= found
    assert {"evalsets/baselines/demo.jsonl", "evalsets/baselines/demo.outputs.jsonl"} <= found
    assert ("evalsets/cassettes/demo.jsonl" in found) is (mode != "live")
    assert any(name.endswith("samples.jsonl") for name in found)
    assert "[REDACTED:secret]" in project.last_samples()[0]["output"]["text"]
    assert_nowhere(KEY, project, result)


@pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 500])
@pytest.mark.parametrize("padding", [0, 170, 185])
def test_a_key_in_an_error_body_is_in_no_message(
    project: Project, server: ModelServer, status: int, padding: int
) -> None:
    """Also where the message is cut in the middle of the key."""
    message = f"{'x' * padding} key {KEY} is not known"
    body = json.dumps({"error": {"message": message}}).encode()
    server.answer = lambda asked: Fault(status, body, {"x-echo": KEY})
    result = project.run(*LOUD)
    assert result.ret == (7 if status in (200, 429, 500) else 1)
    assert_nowhere(KEY, project, result)


def test_a_key_that_user_code_prints_and_raises_is_nowhere(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_MODEL_KEY", KEY)
    project.config(providers={"main": {"kind": "openai", "api_key_env": "TEST_MODEL_KEY"}})
    project.app(
        "import os\n"
        "def answer(text):\n"
        "    key = os.environ['TEST_MODEL_KEY']\n"
        "    print('using', key)\n"
        "    if text == 'a':\n        raise ValueError(f'refused: {key}')\n"
        "    return {'text': key, 'data': {'k': [key], key: 1}, 'retrieved': [{'id': key, 'text': key}],\n"
        "            'tool_calls': [{'name': 'call', 'arguments': {'key': key}}], 'model': key}\n"
        "def score(text):\n    raise ValueError(os.environ['TEST_MODEL_KEY'])\n"
    )
    project.evalset(epochs=1, scorers=["exact", {"python": {"as": "own", "function": "app:score"}}])
    result = project.run(*LOUD)
    assert result.ret == 1
    assert "printed by the target" in str(result.stdout)
    assert_nowhere(KEY, project, result)


def test_a_key_in_a_judges_reason_is_nowhere(project: Project, server: ModelServer) -> None:
    judge = {"as": "kind", "rubric": "Is it kind?\nMark it.", "scale": [1, 5], "model": "main/judge-1"}
    target = {"chat": {"model": "main/answers-1", "prompt": "{{ input }}"}}
    project.evalset(target=target, cases=CASES, epochs=1, scorers=[{"judge": {**judge, "pass_at": 5}}])
    reason = json.dumps({"reason": f"because {KEY}", "score": 2})
    server.answer = lambda asked: reason if asked.is_judge else "hello"
    result = project.run(*LOUD, "--aioncall-record")
    assert project.last_samples()[0]["scores"][0]["reason"] == "because [REDACTED:secret]"
    assert_nowhere(KEY, project, result)


def test_keys_of_other_vendors_are_known_by_their_shape(project: Project, server: ModelServer) -> None:
    def answer(asked: Asked) -> Answer:
        return " and ".join(OTHERS.values())

    server.answer = answer
    result = project.run(*LOUD, "--aioncall-record")
    text = project.last_samples()[0]["output"]["text"]
    for kind, secret in OTHERS.items():
        assert f"[REDACTED:{kind}]" in text
        assert_nowhere(secret, project, result)


def test_a_replay_shows_no_key_either(project: Project, server: ModelServer) -> None:
    server.answer = lambda asked: f"it is {KEY}"
    project.run("--aioncall-record")
    result = project.run("--aioncall-replay", *LOUD)
    assert project.last_run()["totals"]["replayed"] == 2
    assert_nowhere(KEY, project, result)


def test_patterns_of_the_project_are_redacted_too(project: Project) -> None:
    project.config(redact=["CUST-[0-9]{6}"])
    project.app("def answer(text):\n    return 'for CUST-123456'\n")
    project.evalset()
    result = project.run(*LOUD)
    assert project.last_samples()[0]["output"]["text"] == "for [REDACTED:pattern]"
    assert_nowhere("CUST-123456", project, result)


def test_names_kinds_and_switches_of_the_project_hold_in_a_run(project: Project) -> None:
    project.config(
        redact=[
            {"name": "ticket-id", "pattern": "T-[0-9]{6}"},
            {"off": "slack-token", "reason": "an example of the documentation"},
            {"kinds": ["email"]},
        ]
    )
    slack = OTHERS["slack-token"]
    project.app(f"def answer(text):\n    return 'T-123456 jane@firma.de {slack}'\n")
    project.evalset()
    result = project.run(*LOUD)
    assert project.last_samples()[0]["output"]["text"] == f"[REDACTED:ticket-id] [REDACTED:email] {slack}"
    assert_nowhere("T-123456", project, result)
    assert_nowhere("jane@firma.de", project, result)


@pytest.mark.parametrize("workers", [(), ("-n1",)])
def test_an_answer_that_a_pattern_is_too_slow_for_is_withheld_and_said_so(
    project: Project, workers: tuple[str, ...]
) -> None:
    project.config(redact=[{"name": "slow", "pattern": "(a|aa)+$"}])
    project.app("def answer(text):\n    return 'a' * 60 + ' hidden'\n")
    project.evalset(cases={"a": ("b", "no")}, epochs=1)
    result = (project.run_apart if workers else project.run)(*LOUD, *workers)
    assert project.last_samples()[0]["output"]["text"].startswith("[WITHHELD: the redact pattern 'slow'")
    result.stdout.fnmatch_lines(["aioncall: the redact pattern 'slow' was too slow for * withheld*"])
    assert_nowhere("a hidden", project, result)


def test_what_was_withheld_is_not_recorded_and_a_replay_says_that_it_is_missing(
    project: Project, server: ModelServer
) -> None:
    config = (project.path / "aioncall.yaml").read_text()
    project.write("aioncall.yaml", config + 'redact: [{name: slow, pattern: "(b|bb)+$"}]\n')
    server.answer = lambda asked: "b" * 60 + "!" if asked.question == "a" else "fine"
    project.run("--aioncall-record")
    recorded = (project.path / "evalsets" / "cassettes" / "demo.jsonl").read_text().splitlines()
    assert len(recorded) == 1
    assert "WITHHELD" not in recorded[0]
    result = project.run("--aioncall-replay", "-rA")
    assert "1 not recorded" in str(result.stdout)
