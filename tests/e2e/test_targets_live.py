"""Targets against real servers on this machine: connections, retries, limits, proxies, recordings."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.adapters.cassettes import open_cassettes
from pytest_aioncall.adapters.net import HttpWire, make_wire
from pytest_aioncall.adapters.redaction import Redactor
from pytest_aioncall.errors import CassetteMiss, TargetError, TransportError
from pytest_aioncall.model.config import Config
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.model.sample import Output
from pytest_aioncall.protocols import PieceContext, Wire
from pytest_aioncall.testing import chat_answer, make_target, piece_context

KEY = "sk-" + "proj-0123456789abcdefghij"


def config(url: str, **provider: Any) -> Config:
    return Config.model_validate(
        {"providers": {"p": {"base_url": f"{url}/v1", "api_key_env": "P_KEY", **provider}}}
    )


def context(wire: Wire, config: Config, folder: Path | None = None) -> PieceContext:
    return piece_context(folder, wire=wire, config=config, secrets={"P_KEY": KEY})


async def asked(
    wire: Wire, written: Any, config: Config, cases: list[Case], *, epoch: int = 0
) -> list[Output]:
    """Ask a target all cases at once."""
    target = make_target(written, context(wire, config))
    try:
        return await asyncio.gather(*(target.answer(case, epoch=epoch) for case in cases))
    finally:
        await wire.close()


CASES = [Case(id=f"c{n}", input={"q": f"question {n}"}) for n in range(24)]
CHAT = {"chat": {"model": "p/m", "prompt": "Answer: {{ q }}"}}


def echo(told: Any) -> Any:
    return lambda asked: told(body=chat_answer(asked.json["messages"][-1]["content"]))


def test_a_chat_over_a_socket_sends_the_key_once_and_reuses_connections(loopback: Any, told: Any) -> None:
    loopback.tell = echo(told)
    setup = config(loopback.url)
    outputs = asyncio.run(asked(make_wire(setup, concurrency=4), CHAT, setup, CASES))
    assert [output.text for output in outputs] == [f"Answer: question {n}" for n in range(24)]
    assert {output.cost_usd for output in outputs} == {0.0}
    assert {request.headers["authorization"] for request in loopback.asked} == {f"Bearer {KEY}"}
    assert {request.path for request in loopback.asked} == {"/v1/chat/completions"}
    assert loopback.connections <= 4


def test_anthropics_protocol_over_a_socket(loopback: Any, told: Any) -> None:
    loopback.tell = lambda asked: told(
        body=chat_answer(asked.json["messages"][0]["content"], kind="anthropic")
    )
    setup = config(loopback.url, kind="anthropic")
    (output,) = asyncio.run(asked(make_wire(setup, concurrency=1), CHAT, setup, CASES[:1]))
    assert (output.text, output.finish) == ("Answer: question 0", "stop")
    (request,) = loopback.asked
    assert (request.path, request.headers["x-api-key"]) == ("/v1/messages", KEY)


def test_an_overloaded_server_is_tried_again_and_the_retries_are_counted(loopback: Any, told: Any) -> None:
    loopback.script(told(429, {"error": "slow down"}, {"retry-after-ms": "1"}), told(body=chat_answer("hi")))
    setup = config(loopback.url)
    counted: list[int] = []
    wire = make_wire(setup, concurrency=1, on_retry=lambda: counted.append(1))
    (output,) = asyncio.run(asked(wire, CHAT, setup, CASES[:1]))
    assert (output.text, len(counted), len(loopback.asked)) == ("hi", 1, 2)


def test_a_wrong_answer_is_never_asked_for_again(loopback: Any, told: Any) -> None:
    loopback.script(told(400, {"error": {"message": "context too long"}}), told(body=chat_answer("hi")))
    setup = config(loopback.url)
    with pytest.raises(TargetError, match="p/m answered 400: context too long"):
        asyncio.run(asked(make_wire(setup, concurrency=1), CHAT, setup, CASES[:1]))
    assert len(loopback.asked) == 1


def test_a_connection_cut_in_the_middle_of_the_answer_is_tried_again(loopback: Any, told: Any) -> None:
    loopback.script(told(body=chat_answer("hello"), cut=10), told(body=chat_answer("hello")))
    setup = config(loopback.url)
    (output,) = asyncio.run(asked(make_wire(setup, concurrency=1), CHAT, setup, CASES[:1]))
    assert (output.text, len(loopback.asked)) == ("hello", 2)


def test_nobody_listening_is_a_transport_error_that_names_the_place() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        setup = config(f"http://127.0.0.1:{port}", max_attempts=1)
        with pytest.raises(TransportError, match=rf"127\.0\.0\.1:{port}: .*is the server up") as raised:
            asyncio.run(asked(make_wire(setup, concurrency=1), CHAT, setup, CASES[:1]))
    assert KEY not in str(raised.value)


def test_a_server_that_says_nothing_runs_into_the_time_limit() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        setup = config(f"http://127.0.0.1:{port}", timeout_s=0.05, max_attempts=1)
        with pytest.raises(TransportError, match=r"no answer within 0\.05 s"):
            asyncio.run(asked(make_wire(setup, concurrency=1), CHAT, setup, CASES[:1]))


def test_a_provider_gets_no_more_at_once_than_it_allows(loopback: Any, told: Any) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def tell(asked: Any) -> Any:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.005)
        with lock:
            inside -= 1
        return told(body=chat_answer("hi"))

    loopback.tell = tell
    setup = config(loopback.url, concurrency=3)
    asyncio.run(asked(make_wire(setup, concurrency=16), CHAT, setup, CASES))
    assert most <= 3
    assert len(loopback.asked) == len(CASES)


def test_an_http_target_over_a_socket_with_a_compressed_answer(loopback: Any, told: Any) -> None:
    packed = gzip.compress(json.dumps({"answer": {"text": "hi"}}).encode())
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    loopback.script(told(body=packed, headers=headers))
    written = {
        "http": {
            "url": f"{loopback.url}/ask?lang=en",
            "json": {"question": "{{ q }}"},
            "response": "$.answer.text",
            "headers_env": {"authorization": "Bearer P_KEY"},
        }
    }
    setup = config(loopback.url)
    (output,) = asyncio.run(asked(make_wire(setup, concurrency=1), written, setup, CASES[:1]))
    assert output.text == "hi"
    (request,) = loopback.asked
    assert (request.method, request.path, request.json) == (
        "POST",
        "/ask?lang=en",
        {"question": "question 0"},
    )
    assert request.headers["authorization"] == f"Bearer {KEY}"


def test_a_redirect_is_not_followed_and_takes_no_key_along(loopback: Any, told: Any) -> None:
    loopback.script(told(302, "", {"location": f"{loopback.url}/elsewhere"}))
    written = {"http": {"url": loopback.url, "headers_env": {"authorization": "Bearer P_KEY"}}}
    setup = config(loopback.url)
    with pytest.raises(TargetError, match="redirects are not followed"):
        asyncio.run(asked(make_wire(setup, concurrency=1), written, setup, CASES[:1]))
    assert [request.path for request in loopback.asked] == ["/"]


def test_a_cookie_of_one_sample_is_not_sent_with_the_next(loopback: Any, told: Any) -> None:
    loopback.script(told(body={"text": "hi"}, headers={"set-cookie": "session=1; Path=/"}))
    setup = config(loopback.url)

    async def run() -> None:
        wire = make_wire(setup, concurrency=1)
        target = make_target({"http": loopback.url}, context(wire, setup))
        for case in CASES[:2]:
            await target.answer(case, epoch=0)
        await wire.close()

    asyncio.run(run())
    assert [request.headers.get("cookie") for request in loopback.asked] == [None, None]


def test_this_machine_is_never_asked_by_a_proxy_and_others_are(
    loopback: Any, told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, loopback.url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    loopback.tell = lambda asked: told(body={"text": asked.path})
    setup = config(loopback.url)
    for url, path in ((f"{loopback.url}/here", "/here"), ("http://far.invalid/x", "http://far.invalid/x")):
        (output,) = asyncio.run(asked(make_wire(setup, concurrency=1), {"http": url}, setup, CASES[:1]))
        assert output.text == path, "a proxy is asked with the whole address"


def test_a_recorded_run_is_replayed_without_server_and_without_key(
    loopback: Any, told: Any, tmp_path: Path
) -> None:
    loopback.tell = lambda asked: told(body=chat_answer(f"{len(loopback.asked)} {KEY}"))
    setup = config(loopback.url)

    def wire(mode: Any) -> Wire:
        live = make_wire(setup, concurrency=4)
        return open_cassettes(live, mode=mode, folder=tmp_path, evalset="e", redact=Redactor([KEY]))

    live = [asyncio.run(asked(wire("record"), CHAT, setup, CASES, epoch=n)) for n in range(2)]
    calls = len(loopback.asked)
    loopback.close()
    replayed = []
    for epoch in range(2):
        target = make_target(CHAT, piece_context(wire=wire("replay"), config=setup))
        replayed.append([asyncio.run(target.answer(case, epoch=epoch)) for case in CASES])
    for before, after in zip(live, replayed, strict=True):
        assert [o.text.replace(KEY, "[REDACTED:secret]") for o in before] == [o.text for o in after]
        assert all(o.replayed for o in after)
    assert live[0] != live[1]
    assert calls == 2 * len(CASES)
    assert KEY not in (tmp_path / "e.jsonl").read_text()
    changed = make_target(
        {"chat": {"model": "p/m", "prompt": "Changed: {{ q }}"}},
        piece_context(wire=wire("replay"), config=setup),
    )
    with pytest.raises(CassetteMiss, match="Changed: question 0"):
        asyncio.run(changed.answer(CASES[0], epoch=0))


HANGING = """
import asyncio, sys, time
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.testing import make_target

def hang(q):
    time.sleep(600)

async def main():
    target = make_target({"python": "__main__:hang"})
    try:
        async with asyncio.timeout(0.1):
            await target.answer(Case(id="c", input={"q": "x"}), epoch=0)
    except TimeoutError:
        print("given up")
    await target.close()

asyncio.run(main())
"""


def test_a_hanging_function_does_not_keep_the_process_from_ending(tmp_path: Path) -> None:
    script = tmp_path / "hanging.py"
    script.write_text(HANGING)
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "given up\n"), done.stderr


def test_commands_run_side_by_side_from_a_loop_in_a_thread() -> None:
    """The engine's loop is not in the main thread, where waiting for processes is easy."""
    found: list[Output] = []

    async def run() -> None:
        code = "import sys, json; print(json.load(sys.stdin)['q'])"
        target = make_target({"command": [sys.executable, "-c", code]})
        found.extend(await asyncio.gather(*(target.answer(case, epoch=0) for case in CASES[:4])))

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join(60)
    assert [output.text for output in found] == [f"question {n}" for n in range(4)]


def test_one_wire_makes_one_client() -> None:
    async def run() -> None:
        wire = HttpWire(concurrency=2)
        assert wire.client() is wire.client()
        await wire.close()

    asyncio.run(run())
