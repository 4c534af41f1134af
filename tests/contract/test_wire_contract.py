"""Every wire keeps the same promises: live, while recording, and under replay; over each HTTP client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.adapters.cassettes import open_cassettes
from pytest_aioncall.adapters.net import HttpWire
from pytest_aioncall.adapters.redaction import Redactor
from pytest_aioncall.errors import CassetteMiss, TransportError
from pytest_aioncall.protocols import Reply, Wire
from pytest_aioncall.testing import ReplayWire

MODES = ("live", "record", "replay")
CLIENTS: dict[str, dict[str, Any]] = {
    "httpx": {"client": "httpx", "library": "httpx"},
    "httpx2": {"client": "httpx", "library": "httpx2"},
    "aiohttp": {"client": "aiohttp", "library": "httpx"},
}
Use = Callable[[Wire], Awaitable[Any]]
Through = Callable[[str, Path, Use], Any]


def send(wire: Wire, url: str, question: str = "q", *, epoch: int = 0, **options: Any) -> Awaitable[Reply]:
    return wire.send(
        "POST", url, headers={}, json={"q": question}, asked={"q": question}, epoch=epoch, **options
    )


async def _used(wire: Wire, use: Use) -> Any:
    try:
        return await use(wire)
    finally:
        await wire.close()


@pytest.fixture(params=CLIENTS.values(), ids=CLIENTS)
def through(request: pytest.FixtureRequest) -> Through:
    """Use a wire of a mode over one of the clients; a replay is of what the same use just recorded."""

    def net() -> HttpWire:
        return HttpWire(concurrency=8, **request.param)

    def use_it(mode: str, folder: Path, use: Use) -> Any:
        def made(mode: Any) -> Wire:
            return open_cassettes(net(), mode=mode, folder=folder, evalset="e", redact=Redactor())

        if mode == "live":
            return asyncio.run(_used(net(), use))
        recorded = asyncio.run(_used(made("record"), use))
        return recorded if mode == "record" else asyncio.run(_used(made("replay"), use))

    return use_it


@pytest.mark.parametrize("mode", MODES)
def test_a_reply_has_status_body_headers_and_latency(
    mode: str, through: Through, tmp_path: Path, loopback: Any, told: Any
) -> None:
    loopback.script(told(201, {"a": "Größe"}, {"x-other": "1"}))
    reply = through(mode, tmp_path, lambda wire: send(wire, loopback.url))
    assert (reply.status, json.loads(reply.body)) == (201, {"a": "Größe"})
    assert reply.headers["content-type"] == "application/json"
    assert 0 <= reply.latency_s < 30
    assert (reply.replayed is not None) == (mode == "replay")


@pytest.mark.parametrize("mode", MODES)
def test_epochs_are_asked_and_answered_apart(
    mode: str, through: Through, tmp_path: Path, loopback: Any, told: Any
) -> None:
    loopback.tell = lambda asked: told(body=str(len(loopback.asked)))

    async def use(wire: Wire) -> list[bytes]:
        return [(await send(wire, loopback.url, epoch=epoch)).body for epoch in range(3)]

    assert through(mode, tmp_path, use) == [b"1", b"2", b"3"]
    assert len(loopback.asked) == 3


@pytest.mark.parametrize("mode", MODES)
def test_many_at_once_each_get_their_own(
    mode: str, through: Through, tmp_path: Path, loopback: Any, told: Any
) -> None:
    loopback.tell = lambda asked: told(body=asked.json["q"])

    async def use(wire: Wire) -> list[bytes]:
        replies = await asyncio.gather(*(send(wire, loopback.url, str(n)) for n in range(40)))
        return [reply.body for reply in replies]

    assert through(mode, tmp_path, use) == [str(n).encode() for n in range(40)]


@pytest.mark.parametrize("mode", ["live", "record"])
def test_what_was_not_answered_is_a_transport_error(
    mode: str, through: Through, tmp_path: Path, loopback: Any, told: Any
) -> None:
    loopback.script(told(503, {"error": "busy"}))
    with pytest.raises(TransportError, match=r"127\.0\.0\.1"):
        through(mode, tmp_path, lambda wire: send(wire, loopback.url, max_attempts=1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", ["live", "record"])
def test_a_refusal_is_returned_and_a_replay_of_it_is_a_miss(
    mode: str, through: Through, tmp_path: Path, loopback: Any, told: Any
) -> None:
    loopback.script(told(404, "no"))
    assert through(mode, tmp_path, lambda wire: send(wire, loopback.url)).status == 404
    with pytest.raises(CassetteMiss):
        through("replay", tmp_path, lambda wire: send(wire, loopback.url))


@pytest.mark.parametrize("mode", MODES)
def test_a_wire_can_be_closed_unused_and_twice(mode: str, through: Through, tmp_path: Path) -> None:
    async def use(wire: Wire) -> None:
        await wire.close()

    through(mode, tmp_path, use)


def test_the_canned_wire_for_tests_keeps_epochs_apart_too() -> None:
    wire = ReplayWire(lambda sent: str(sent.epoch))
    replies = [asyncio.run(_sent(wire, epoch)) for epoch in (0, 1)]
    assert [reply.body for reply in replies] == [b"0", b"1"]


async def _sent(wire: Wire, epoch: int) -> Reply:
    return await send(wire, "http://h", epoch=epoch)


def refuse_html(reply: Reply) -> None:
    if reply.body.startswith(b"<"):
        raise TransportError("a page instead of an answer; check the address")


@pytest.mark.parametrize("mode", ("live", "record"))
def test_a_reply_that_is_no_answer_is_asked_for_again_and_never_recorded(
    mode: str, tmp_path: Path, loopback: Any, told: Any, through: Through
) -> None:
    loopback.script(told(200, "<html>"), told(200, "<html>"), told(200, "well"))
    reply = through(mode, tmp_path, lambda wire: send(wire, loopback.url, inspect=refuse_html))
    assert (reply.body, reply.attempts, len(loopback.asked)) == (b"well", 3, 3)
    assert "html" not in "".join(file.read_text() for file in tmp_path.glob("*.jsonl"))


@pytest.mark.parametrize("mode", ("live", "record"))
def test_a_reply_that_stays_no_answer_is_given_up_with_advice(
    mode: str, tmp_path: Path, loopback: Any, told: Any, through: Through
) -> None:
    loopback.script(told(200, "<html>"))
    with pytest.raises(TransportError, match=r"given up after 2 attempts\); check the address"):
        through(mode, tmp_path, lambda wire: send(wire, loopback.url, inspect=refuse_html, max_attempts=2))
    assert len(loopback.asked) == 2
    assert not [file for file in tmp_path.glob("*.jsonl") if file.read_text()]
