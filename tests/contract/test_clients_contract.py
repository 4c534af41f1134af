"""What carries the requests keeps the same promises, whichever it is: httpx, httpx2, or aiohttp under httpx.

The servers are real ones, on this machine: what is promised is about connections.
"""

from __future__ import annotations

import asyncio
import gzip
import random
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from wire_servers import OK, Authority, Http2Server, RawServer, Visit, answer_all, serving, serving_http2

from pytest_aioncall.adapters.net import MAX_BODY, HttpWire
from pytest_aioncall.errors import TargetError, TransportError
from pytest_aioncall.model.config import Provider
from pytest_aioncall.protocols import Reply

CLIENTS: dict[str, dict[str, Any]] = {
    "httpx": {"client": "httpx", "library": "httpx"},
    "httpx2": {"client": "httpx", "library": "httpx2"},
    "aiohttp": {"client": "aiohttp", "library": "httpx"},
}
KEY = "sk-live-0123456789abcdef"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(params=CLIENTS.values(), ids=CLIENTS)
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The options of a wire that make it use one of the clients."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return dict(request.param)


async def no_sleep(seconds: float) -> None:
    await asyncio.sleep(0)


def made(client: dict[str, Any], **options: Any) -> HttpWire:
    return HttpWire(**{"concurrency": 8, "sleep": no_sleep, **client, **options})


def send(wire: HttpWire, url: str, **options: Any) -> Awaitable[Reply]:
    options = {"headers": {"authorization": f"Bearer {KEY}"}, "json": {"q": 1}, **options}
    return wire.send(options.pop("method", "POST"), url, asked={}, epoch=0, **options)


def run(use: Callable[[], Awaitable[Any]]) -> Any:
    async def limited() -> Any:
        async with asyncio.timeout(30):
            return await use()

    return asyncio.run(limited())


def through(client: dict[str, Any], serve: Any, use: Any, **options: Any) -> Any:
    """Serve by `serve`, make a wire, and return what `use(wire, server)` returns."""

    async def both() -> Any:
        async with serving(serve) as server:
            wire = made(client, **options)
            try:
                return await use(wire, server)
            finally:
                await wire.close()

    return run(both)


# Connections


def test_one_connection_serves_calls_one_after_another(client: dict[str, Any]) -> None:
    async def use(wire: HttpWire, server: RawServer) -> None:
        for _ in range(20):
            assert (await send(wire, server.url)).status == 200
        assert (len(server.visits), server.requests) == (1, 20)

    through(client, None, use)


def test_no_more_connections_are_open_than_calls_are_under_way(client: dict[str, Any]) -> None:
    async def use(wire: HttpWire, server: RawServer) -> None:
        await asyncio.gather(*(send(wire, server.url) for _ in range(60)))
        assert len(server.visits) <= 4
        assert server.requests == 60

    through(client, None, use, concurrency=4)


def test_a_connection_that_the_server_has_closed_meanwhile_loses_no_call(client: dict[str, Any]) -> None:
    async def serve(visit: Visit, _: int) -> None:
        await visit.request()
        await visit.say(OK)

    async def use(wire: HttpWire, server: RawServer) -> None:
        for _ in range(5):
            assert (await send(wire, server.url)).status == 200
        assert len(server.visits) == 5

    through(client, serve, use)


def test_aiohttp_carries_the_requests_of_httpx2_too() -> None:
    async def use(wire: HttpWire, server: RawServer) -> None:
        for _ in range(3):
            assert (await send(wire, server.url)).body == b"{}"
        assert len(server.visits) == 1

    through({"client": "aiohttp", "library": "httpx2"}, None, use)


# Cancelling


async def seen_ending(server: RawServer, number: int = 0) -> None:
    await server.visits[number].ended.wait()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("said", [b"", OK[:20], OK[:-1]], ids=["asked", "in the head", "in the body"])
def test_a_cancelled_call_closes_its_connection_and_the_next_call_is_served(
    client: dict[str, Any], said: bytes
) -> None:
    async def serve(visit: Visit, number: int) -> None:
        if number:
            await answer_all(visit, number)
            return
        await visit.request()
        await visit.say(said)
        await visit.gone()

    async def use(wire: HttpWire, server: RawServer) -> None:
        call = asyncio.ensure_future(send(wire, server.url))
        await until(lambda: server.requests == 1)
        await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await seen_ending(server)
        assert (await send(wire, server.url)).status == 200

    through(client, serve, use, concurrency=1)


def test_an_attempt_that_runs_out_of_time_closes_its_connection(client: dict[str, Any]) -> None:
    async def serve(visit: Visit, number: int) -> None:
        if number:
            await answer_all(visit, number)
            return
        await visit.request()
        await visit.gone()

    async def use(wire: HttpWire, server: RawServer) -> None:
        reply = await send(wire, server.url, timeout_s=0.1)
        await seen_ending(server)
        assert (reply.status, reply.attempts) == (200, 2)
        assert reply.latency_s < 0.1, "the time of the lost attempt is no latency"

    through(client, serve, use, concurrency=1)


def test_a_drip_of_bytes_does_not_outlive_the_time_limit(client: dict[str, Any]) -> None:
    async def serve(visit: Visit, _: int) -> None:
        await visit.request()
        await visit.say(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while not visit.reader.at_eof():
            await visit.say(b"x")
            await asyncio.sleep(0.005)
        visit.ended.set()

    async def use(wire: HttpWire, server: RawServer) -> None:
        with pytest.raises(TransportError, match=r"no answer within 0\.1 s"):
            await send(wire, server.url, timeout_s=0.1, max_attempts=1)

    through(client, serve, use)


def test_calls_cancelled_at_any_moment_poison_nothing(client: dict[str, Any]) -> None:
    chance = random.Random(7)

    async def serve(visit: Visit, _: int) -> None:
        while await visit.request() is not None:
            for piece in (OK[:30], OK[30:-1], OK[-1:]):
                await asyncio.sleep(0)
                await visit.say(piece)

    async def use(wire: HttpWire, server: RawServer) -> None:
        for _ in range(25):
            calls = [asyncio.ensure_future(send(wire, server.url)) for _ in range(6)]
            for _ in range(chance.randrange(12)):
                await asyncio.sleep(0)
            for call in calls[::2]:
                call.cancel()
            ended = await asyncio.gather(*calls, return_exceptions=True)
            answered = [one for one in ended if isinstance(one, Reply)]
            assert len(answered) >= 3, ended
            assert all(reply.body == b"{}" for reply in answered), "never the answer of another call"
        replies = await asyncio.gather(*(send(wire, server.url) for _ in range(8)))
        assert {reply.status for reply in replies} == {200}

    through(client, serve, use, concurrency=4)


# Faults


async def reset(visit: Visit) -> None:
    visit.reset()


async def close(visit: Visit) -> None:
    pass


def says(data: bytes) -> Callable[[Visit], Awaitable[None]]:
    return lambda visit: visit.say(data)


async def reset_in_the_body(visit: Visit) -> None:
    await visit.say(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello")
    await asyncio.sleep(0.01)
    visit.reset()


FAULTS = {
    "reset": reset,
    "closed without a word": close,
    "reset in the body": reset_in_the_body,
    "cut off in the head": says(b"HTTP/1.1 200 OK\r\ncontent-le"),
    "cut off in the body": says(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello"),
    "cut off in a chunk": says(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\nhel"),
    "a chunk of no length": says(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n"),
    "no HTTP at all": says(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"),
    "packed, and broken": says(
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello"
    ),
    "503": says(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"),
    "429": says(b"HTTP/1.1 429 Slow\r\nretry-after-ms: 1\r\ncontent-length: 0\r\n\r\n"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_of_transport_is_tried_again_and_then_told_in_one_line(
    client: dict[str, Any], fault: Callable[[Visit], Awaitable[None]]
) -> None:
    faulty = True

    async def serve(visit: Visit, number: int) -> None:
        if faulty:
            await visit.request()
            await fault(visit)
        else:
            await answer_all(visit, number)

    async def use(wire: HttpWire, server: RawServer) -> None:
        nonlocal faulty
        with pytest.raises(TransportError) as raised:
            await send(wire, server.url, max_attempts=2)
        told = str(raised.value)
        assert server.requests == 2, told
        assert told.startswith("127.0.0.1:"), told
        assert "given up after 2 attempts" in told and "\n" not in told and KEY not in told
        assert "10 s" not in told, "the connection was there"
        faulty = False
        assert (await send(wire, server.url)).status == 200

    through(client, serve, use, concurrency=1)


@pytest.mark.parametrize("status", [200, 204, 301, 400, 401, 403, 404, 422])
def test_a_wrong_answer_is_never_asked_for_again(client: dict[str, Any], status: int) -> None:
    async def serve(visit: Visit, _: int) -> None:
        while await visit.request() is not None:
            length = b"" if status == 204 else b"content-length: 5\r\n"
            body = b"" if status == 204 else b"wrong"
            await visit.say(b"HTTP/1.1 %d X\r\nlocation: /elsewhere\r\n%s\r\n%s" % (status, length, body))

    async def use(wire: HttpWire, server: RawServer) -> None:
        assert (await send(wire, server.url)).status == status
        assert server.requests == 1

    through(client, serve, use)


def test_nobody_listening_is_told_as_that(client: dict[str, Any]) -> None:
    async def use() -> None:
        async with serving() as server:
            url = server.url
        wire = made(client)
        with pytest.raises(TransportError, match=r"127\.0\.0\.1:\d+: .*is the server up") as raised:
            await send(wire, url, max_attempts=2)
        assert "10 s" not in str(raised.value)
        await wire.close()

    run(use)


def test_a_name_that_does_not_exist_is_a_fault_of_transport(client: dict[str, Any]) -> None:
    async def use() -> None:
        wire = made(client)
        with pytest.raises(TransportError, match=r"nowhere\.invalid: "):
            await send(wire, "http://nowhere.invalid/x", max_attempts=1)
        await wire.close()

    run(use)


def test_what_a_server_says_beyond_its_answer_is_never_taken_for_the_next(client: dict[str, Any]) -> None:
    async def serve(visit: Visit, _: int) -> None:
        while (body := await visit.request()) is not None:
            own = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
            await visit.say(own + OK)

    async def use(wire: HttpWire, server: RawServer) -> None:
        for number in range(4):
            assert (await send(wire, server.url, json={"q": number})).body == b'{"q":%d}' % number

    through(client, serve, use, concurrency=1)


# What goes out and what comes in


def test_nothing_is_sent_that_nobody_gave(client: dict[str, Any]) -> None:
    async def use(wire: HttpWire, server: RawServer) -> None:
        await send(wire, f"{server.url}/v1/chat?a=b%20c")
        first, headers, body = server.visits[0].asked[0]
        assert (first, body) == ("POST /v1/chat?a=b%20c HTTP/1.1", b'{"q":1}')
        assert {name: headers[name] for name in ("authorization", "content-type", "content-length")} == {
            "authorization": f"Bearer {KEY}",
            "content-type": "application/json",
            "content-length": "7",
        }
        assert headers["user-agent"].startswith("pytest-aioncall/")
        assert headers["accept-encoding"] == "gzip, deflate"
        assert set(headers) <= {
            *("host", "accept", "accept-encoding", "connection", "user-agent"),
            *("authorization", "content-type", "content-length"),
        }

    through(client, None, use)


def test_headers_given_win_over_our_own_in_any_case(client: dict[str, Any]) -> None:
    async def use(wire: HttpWire, server: RawServer) -> None:
        given = {"Accept": "text/plain", "User-Agent": "me", "Content-Type": "text/json"}
        await send(wire, server.url, headers=given)
        headers = server.visits[0].asked[0][1]
        assert (headers["accept"], headers["user-agent"], headers["content-type"]) == (
            *("text/plain", "me", "text/json"),
        )

    through(client, None, use)


def test_get_sends_no_body_and_no_type(client: dict[str, Any]) -> None:
    async def use(wire: HttpWire, server: RawServer) -> None:
        await send(wire, server.url, method="GET", json=None)
        first, headers, body = server.visits[0].asked[0]
        assert (first, body) == ("GET / HTTP/1.1", b"")
        assert "content-type" not in headers

    through(client, None, use)


def test_a_cookie_is_not_sent_back(client: dict[str, Any]) -> None:
    async def serve(visit: Visit, _: int) -> None:
        while await visit.request() is not None:
            await visit.say(OK.replace(b"\r\n\r\n", b"\r\nset-cookie: session=1; Path=/\r\n\r\n"))

    async def use(wire: HttpWire, server: RawServer) -> None:
        for _ in range(2):
            reply = await send(wire, server.url)
        assert reply.headers["set-cookie"] == "session=1; Path=/"
        assert all("cookie" not in headers for _, headers, _ in server.visits[0].asked)

    through(client, serve, use)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate), ("identity", bytes)],
    ids=["gzip", "deflate", "raw deflate", "identity"],
)
def test_a_packed_answer_is_unpacked_once(client: dict[str, Any], encoding: str, pack: Any) -> None:
    text = gzip.compress(b"packed twice by purpose")

    async def serve(visit: Visit, _: int) -> None:
        await visit.request()
        packed = pack(text)
        head = f"HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: {len(packed)}\r\n\r\n"
        await visit.say(head.encode() + packed)

    async def use(wire: HttpWire, server: RawServer) -> None:
        assert (await send(wire, server.url)).body == text

    through(client, serve, use)


@pytest.mark.parametrize("way", ["announced", "endless", "packed"])
def test_an_answer_that_is_too_long_is_refused(client: dict[str, Any], way: str) -> None:
    async def serve(visit: Visit, number: int) -> None:
        if number:
            await answer_all(visit, number)
            return
        await visit.request()
        if way == "announced":
            await visit.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\nx" % (MAX_BODY + 1))
        elif way == "packed":
            bomb = gzip.compress(bytes(2 * MAX_BODY))
            head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb)
            await visit.say(head + bomb)
            await answer_all(visit, number)
        else:
            await visit.say(b"HTTP/1.1 200 OK\r\n\r\n")
            while not visit.writer.is_closing():
                await visit.say(bytes(1 << 20))
        await visit.gone()

    async def use(wire: HttpWire, server: RawServer) -> None:
        with pytest.raises(TargetError, match="more than 16 MiB"):
            await send(wire, server.url)
        assert server.requests == 1
        assert (await send(wire, server.url)).status == 200

    through(client, serve, use, concurrency=1)


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("ftp://example.com/x", {}),
        ("example.com/x", {}),
        ("http://", {}),
        ("http://exa mple.com/", {}),
        ("http://[::1/", {}),
        ("http://127.0.0.1:99999/", {}),
        ("http://127.0.0.1:9/\x00", {}),
        ("http://127.0.0.1:9/", {"authorization": f"Bearer {KEY}\n"}),
        ("http://127.0.0.1:9/", {"authorization": f"Bearer {KEY}\u20ac"}),
        ("http://127.0.0.1:9/", {"bad name": "x"}),
    ],
)
def test_what_cannot_be_sent_is_refused_at_once_and_shows_no_key(
    client: dict[str, Any], url: str, headers: dict[str, str]
) -> None:
    async def use(wire: HttpWire, server: RawServer) -> None:
        address = url.replace("http://127.0.0.1:9/", server.url + "/")
        with pytest.raises(TargetError, match="check url, headers and the key's variable") as raised:
            await send(wire, address, headers=headers)
        assert KEY not in str(raised.value) and server.requests == 0

    through(client, None, use)


# Ways around


def test_a_proxy_of_the_environment_is_asked_for_others_but_never_for_this_machine(
    client: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(wire: HttpWire, server: RawServer) -> None:
        monkeypatch.setenv("HTTP_PROXY", server.url)
        monkeypatch.setenv("http_proxy", server.url)
        monkeypatch.setenv("NO_PROXY", "inside.invalid")
        monkeypatch.setenv("no_proxy", "inside.invalid")
        await send(wire, f"{server.url}/here")
        await send(wire, "http://far.invalid/x?y=1")
        asked = [first for visit in server.visits for first, _, _ in visit.asked]
        assert asked == ["POST /here HTTP/1.1", "POST http://far.invalid/x?y=1 HTTP/1.1"]
        with pytest.raises(TransportError, match=r"inside\.invalid"):
            await send(wire, "http://inside.invalid/", max_attempts=1)

    through(client, None, use)


@pytest.mark.parametrize("proxy", ["http://[::1", "ftp://proxy"])
def test_a_proxy_that_is_no_address_is_named(
    client: dict[str, Any], monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    async def use(wire: HttpWire, server: RawServer) -> None:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("http_proxy", proxy)
        with pytest.raises(TargetError, match="proxy"):
            await send(wire, "http://far.invalid/", max_attempts=1)

    through(client, None, use)


def test_a_certificate_is_trusted_by_SSL_CERT_FILE_and_refused_without(  # noqa: N802
    client: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)

    async def use() -> None:
        async with serving(tls=authority.context()) as server:
            monkeypatch.delenv("SSL_CERT_FILE", raising=False)
            stranger = made(client)
            with pytest.raises(TransportError, match=r"(?i)certificate"):
                await send(stranger, server.url, max_attempts=1)
            await stranger.close()
            monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
            wire = made(client)
            assert (await send(wire, server.url)).status == 200
            await wire.close()

    run(use)


# HTTP/2


def test_http2_carries_all_calls_over_one_connection(
    client: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))

    async def use() -> None:
        async with serving_http2(authority, Http2Server()) as server:
            wire = made(client, concurrency=12, providers={"p": Provider(http2=True)})
            await send(wire, server.url, provider="p")
            server.answer_when = 12
            replies = await asyncio.gather(
                *(send(wire, server.url, provider="p", json={"q": n}) for n in range(12))
            )
            assert [reply.body for reply in replies] == [b'{"q":%d}' % n for n in range(12)]
            assert (server.connections, server.most_streams) == (1, 12)
            assert {headers[":scheme"] for headers in server.asked} == {"https"}
            await wire.close()

    run(use)


def test_a_cancelled_call_over_http2_leaves_the_others_alone(
    client: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))

    async def use() -> None:
        async with serving_http2(authority, Http2Server()) as server:
            wire = made(client, concurrency=4, providers={"p": Provider(http2=True)})
            await send(wire, server.url, provider="p")
            server.answer_when = 3
            calls = [
                asyncio.ensure_future(send(wire, server.url, provider="p", json={"q": n})) for n in range(2)
            ]
            await until(lambda: len(server.asked) == 3)
            calls[0].cancel()
            last = send(wire, server.url, provider="p", json={"q": 2})
            ended = await asyncio.gather(*calls, last, return_exceptions=True)
            assert isinstance(ended[0], asyncio.CancelledError)
            assert [one.body for one in ended[1:]] == [b'{"q":1}', b'{"q":2}']
            server.answer_when = 1
            assert (await send(wire, server.url, provider="p")).status == 200
            assert server.connections == 1
            await wire.close()

    run(use)


def test_http2_falls_back_where_the_server_knows_none(
    client: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))

    async def use() -> None:
        async with serving(tls=authority.context()) as server:
            wire = made(client, providers={"p": Provider(http2=True)})
            replies = await asyncio.gather(*(send(wire, server.url, provider="p") for _ in range(4)))
            assert {reply.status for reply in replies} == {200}
            await wire.close()

    run(use)
