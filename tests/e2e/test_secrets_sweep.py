"""Every secret that a project names, planted where code and servers let it slip, in no byte of a run.

The runs are of a process of their own, loud, and in every mode; what is searched is each file of the project
and all that was printed, for the values and for the forms that programs give them.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from model_server import Answer, Asked, Fault, ModelServer, model_server

from eval_project import Project

# No vendor's shape, and one of them full of letters that JSON, reprs, addresses and HTML write differently.
SECRETS = {
    "CHAT_KEY": "plainWordsNobodyWouldSuspect",
    "HEADER_KEY": 'odd"Letters/In+A<Value>&Back\\slash',
    "HTTP_TOKEN": "anotherWordOfSomeLengthHere",
    "BASIC_PAIR": base64.b64encode(b"service:aPasswordThatIsNotShort").decode(),
    "COMMAND_TOKEN": "commandsAreGivenThisOneOnly",
}
PASSWORD = "aPasswordThatIsNotShort"
LOUD = ("-vv", "-rA", "--showlocals", "--junitxml=junit.xml", "-o", "junit_logging=all", "--durations=0",
        "--durations-min=0", "--log-level=DEBUG", "-n0")  # fmt: skip
WAYS = {
    "long": (*LOUD, "--tb=long", "--full-trace", "-o", "log_cli=true", "--log-file=debug.log"),
    "native": (*LOUD, "--tb=native", "-s", "--aioncall-record"),
    "workers": (*LOUD[:-1], "--tb=short", "-n2"),
}
APP = """
import asyncio, base64, logging, os, threading, urllib.parse, warnings

log = logging.getLogger("app")
other = logging.FileHandler("own.log", delay=True)
log.addHandler(other)


async def forgotten(key):
    raise RuntimeError(f"forgotten with {key}")


def raise_in_thread(key):
    raise RuntimeError(f"in a thread with {key}")


class Client:
    def __init__(self, key):
        self.key = key

    def __repr__(self):
        return f"Client(api_key={self.key!r}, padding={'p' * 300})"


async def answer(text):
    key = os.environ[text.split()[0]]
    client = Client(key)
    headers = {"authorization": f"Bearer {key}"}
    print("asking with", key, base64.b64encode(key.encode()).decode())
    log.debug("headers %s", headers)
    log.warning("quoted %s", urllib.parse.quote(key, safe=""))
    logging.getLogger("hpack.hpack").debug("Adding %r to the header table", (b"authorization", key.encode()))
    warnings.warn(f"deprecated key {key}")
    asyncio.create_task(forgotten(key))
    await asyncio.sleep(0)
    if "thread" in text:
        thread = threading.Thread(target=raise_in_thread, args=(key,))
        thread.start()
        thread.join()
    try:
        raise KeyError(key)
    except KeyError as error:
        log.exception("refused")
        if "raise" in text:
            raise ValueError(f"no answer for {client}: {key}") from error
    pair = base64.b64encode(b"k:" + key.encode()).decode()
    return {"text": f"{key} {client}", "data": {"x": [key], key: pair}}
"""
PROGRAM = """
import json, os, sys
key = os.environ["COMMAND_TOKEN"]
text = json.load(sys.stdin)
print(f"failed with {key}", file=sys.stderr)
if "crash" in text:
    raise SystemExit(3)
print(f"key {key} of {sorted(os.environ)}")
"""
CONFTEST = """
import os
import pytest


def pytest_aioncall_case_finished(case, samples, outcome):
    key = os.environ["HEADER_KEY"]
    if case.id == "hook":
        raise RuntimeError(f"the hook fails with {key}")


def pytest_runtest_logreport(report):
    key = os.environ["CHAT_KEY"]
    padded = "x" * 230 + key + "y" * 300
    if os.environ.get("BREAK_PYTEST") and "demo" in report.nodeid:
        raise RuntimeError(f"internal error with {key}")
"""
ORDINARY = """
import logging, os


def test_that_fails_with_a_key_in_a_local():
    key = os.environ["CHAT_KEY"]
    headers = {"authorization": f"Bearer {key}", "other": os.environ["HEADER_KEY"]}
    print("using", key)
    logging.getLogger("x").info("using %s", key)
    assert headers == {"authorization": key}
"""


def answer(asked: Asked) -> Answer:
    """Echo what was sent, in an answer or in a fault."""
    echo = json.dumps(asked.headers)
    if "401" in asked.question:
        return Fault(401, json.dumps({"error": {"message": f"bad key {echo}"}}).encode())
    if "500" in asked.question:
        return Fault(500, echo.encode())
    if "html" in asked.question:
        return Fault(200, f"<html>{echo}</html>".encode())
    return f"you sent {echo} {SECRETS['CHAT_KEY']} {SECRETS['HEADER_KEY']}"


@pytest.fixture
def full(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    project.app(APP)
    project.write("program.py", PROGRAM)
    project.write("conftest.py", CONFTEST)
    project.write("test_ordinary.py", ORDINARY)
    with model_server() as server:
        server.answer = answer
        server.extra_headers = {"x-echo": SECRETS["CHAT_KEY"], "set-cookie": f"s={SECRETS['HTTP_TOKEN']}"}
        _write_evalsets(project, server)
        yield project


def _write_evalsets(project: Project, server: ModelServer) -> None:
    provider = {
        "kind": "openai", "base_url": f"{server.url}/v1", "api_key_env": "CHAT_KEY", "max_attempts": 1,
        "headers_env": {"x-org": "HEADER_KEY"},
    }  # fmt: skip
    project.config(providers={"main": provider})
    said = {word: (word, "no") for word in ("fine", "status 401", "status 500", "html")}
    said = {word.replace(" ", "-"): pair for word, pair in said.items()}
    must = {"scorers": ["exact"], "epochs": 1, "errors": {"max_rate": 1.0}}
    project.evalset("chat", target={"chat": {"model": "main/m", "prompt": "{{ input }}"}}, cases=said, **must)
    project.evalset(
        "http",
        target={"http": {
            "url": f"{server.url}/ask", "max_attempts": 1,
            "headers_env": {"x-token": "HTTP_TOKEN", "authorization": "Basic BASIC_PAIR"},
        }},
        cases=said, **must,
    )  # fmt: skip
    command = {"argv": [sys.executable, "program.py"], "pass_env": ["COMMAND_TOKEN"]}
    project.evalset("cmd", target={"command": command}, cases={"a": ("a", "b"), "c": ("crash", "b")}, **must)
    own = {
        "fine": ("CHAT_KEY", "no"), "raise": ("HEADER_KEY raise", "no"), "thread": ("CHAT_KEY thread", "no"),
        "token": ("HTTP_TOKEN raise", "no"), "hook": ("CHAT_KEY", "no"),
    }  # fmt: skip
    cases = [
        {"id": k, "input": i, "expected": e, "must": [{"contains": "nowhere"}]} for k, (i, e) in own.items()
    ]
    project.evalset("demo", cases=cases, **must)


def forms_of(secret: str) -> Iterator[str]:
    """Yield a telling part of a secret as it is and as programs write it."""
    length = len(secret) * 2 // 3
    for part in (secret[:length], secret[-length:]):
        yield part
        yield json.dumps(part)[1:-1]
        yield quote(part, safe="")
        yield repr(part)[1:-1]
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + secret.encode()).decode()
        yield encoded[4:-4]


def assert_swept(project: Project, printed: str) -> None:
    """Look at each byte that the runs left, beside the code that plants the secrets."""
    wanted = {form for secret in (*SECRETS.values(), PASSWORD) for form in forms_of(secret)}
    texts = {"what was printed": printed}
    for path in project.path.rglob("*"):
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            texts[path.relative_to(project.path).as_posix()] = path.read_text("utf-8", "replace")
    for name, text in texts.items():
        for form in wanted:
            at = text.find(form)
            assert at < 0, f"{name}: {text[max(0, at - 200) : at + 60]}"


def printed_by(result: pytest.RunResult) -> str:
    return "\n".join([*result.outlines, *result.errlines])


@pytest.mark.parametrize("way", WAYS)
def test_no_run_leaves_a_secret_in_any_file_or_line(
    full: Project, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1" if way == "native" else "")
    result = full.run_apart("evalsets", "test_ordinary.py", *WAYS[way])
    printed = printed_by(result)
    assert result.ret == 1
    for evalset in ("chat", "http", "cmd", "demo"):
        assert f"{evalset}.eval.yaml" in printed
    assert "INTERNALERROR" not in printed
    # What is searched is there: code that printed, logged, warned and failed.
    for told in ("asking with", "deprecated key", "the hook fails", "using", "in a thread with"):
        assert told in printed, told
    if way == "long":
        # Of the engine's thread only a live log shows everything; a report has what fell into its item.
        assert "forgotten with" in printed
        assert "Adding" in printed
    assert "[REDACTED:secret]" in printed
    assert (full.path / "own.log").read_text()
    assert len(list(full.path.rglob("samples.jsonl"))) == 1
    assert_swept(full, printed)


def test_an_error_inside_pytest_tells_no_secret(full: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is printed with the locals of every frame where `--showlocals` is on."""
    monkeypatch.setenv("BREAK_PYTEST", "1")
    for way in ("long", "workers"):
        result = full.run_apart("evalsets", *WAYS[way])
        printed = printed_by(result)
        assert "INTERNALERROR" in printed
        assert_swept(full, printed)


def test_baselines_and_commands_tell_no_secret(
    full: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    full.run_apart("evalsets/http.eval.yaml", "-q")
    root = ("--root", str(full.path))
    monkeypatch.chdir(full.path)
    full.command("baseline", "accept", *root, "--by", "ann", "--reason", "first", "--allow-failing")
    full.run_apart("evalsets/http.eval.yaml", "-q")
    for command in (
        ("baseline", "show", "http"), ("baseline", "diff", "http"), ("runs", "list"), ("runs", "show"),
        ("gate",), ("check",), ("rejudge", "latest", "--all"), ("baseline", "list"),
    ):  # fmt: skip
        full.command(*command, *root)
    captured = capfd.readouterr()
    assert "http" in captured.out
    assert_swept(full, captured.out + captured.err)
