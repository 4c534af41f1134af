"""The wire: what is tried again, how long it waits, what its limits let through, and what it never says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from pytest_aioncall.adapters.net import MAX_BODY, HttpWire, retry_after_s
from pytest_aioncall.errors import TargetError, TransportError
from pytest_aioncall.model.config import Provider
from pytest_aioncall.protocols import Reply

URL = "https://api.example.com/v1/answer?token=abc"
KEY = "sk-live-0123456789abcdef"


@pytest.fixture(params=["httpx", "httpx2"])
def http(request: pytest.FixtureRequest) -> Any:
    """The library under the wire: every promise holds on both."""
    return pytest.importorskip(request.param, reason="the extra `dev` has it")


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class Served:
    """A wire over the library `http` whose requests end in `answer`, with a clock of its own."""

    def __init__(self, http: Any, answer: Callable[[Any], Any], **options: Any) -> None:
        self.clock = Clock()
        self.requests: list[Any] = []
        self.retries = 0

        async def handle(request: Any) -> Any:
            self.requests.append(request)
            found = answer(request)
            found = await found if asyncio.iscoroutine(found) else found
            if isinstance(found, Exception):
                raise found
            return found if isinstance(found, http.Response) else http.Response(found)

        def count() -> None:
            self.retries += 1

        options = {"concurrency": 8, "jitter": lambda: 1.0, "on_retry": count, **options}
        self.wire = HttpWire(
            client="httpx",
            library=http.__name__,
            transport=http.MockTransport(handle),
            sleep=self.clock.sleep,
            clock=self.clock,
            **options,
        )

    async def send(self, **options: Any) -> Reply:
        options = {"headers": {"authorization": f"Bearer {KEY}"}, "json": {"q": 1}, **options}
        return await self.wire.send("POST", URL, asked={}, epoch=0, **options)


def in_turn(*answers: Any) -> Callable[[Any], Any]:
    left = list(answers)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_a_status_that_brings_no_answer_is_tried_again(http: Any, status: int) -> None:
    served = Served(http, in_turn(status, http.Response(200, text="yes")))
    reply = asyncio.run(served.send())
    assert (reply.status, reply.body, reply.attempts, served.retries) == (200, b"yes", 2, 1)


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 403, 404, 422])
def test_any_other_status_is_an_answer_and_is_asked_for_once(http: Any, status: int) -> None:
    served = Served(http, in_turn(status))
    reply = asyncio.run(served.send())
    assert (reply.status, reply.attempts, len(served.requests), served.clock.slept) == (status, 1, 1, [])


@pytest.mark.parametrize(
    "error",
    ["ConnectError", "ReadError", "RemoteProtocolError", "WriteError", "ConnectTimeout", "DecodingError"],
)
def test_a_connection_that_fails_is_tried_again_and_then_is_a_transport_error(http: Any, error: str) -> None:
    served = Served(http, in_turn(getattr(http, error)("")))
    with pytest.raises(TransportError, match=r"api\.example\.com: .*given up after 3 attempts"):
        asyncio.run(served.send(max_attempts=3))
    assert (len(served.requests), served.retries) == (3, 2)


def test_waits_double_and_stay_within_a_longest(http: Any) -> None:
    served = Served(http, in_turn(503), patience_s=1e9)
    with pytest.raises(TransportError):
        asyncio.run(served.send(max_attempts=9))
    assert served.clock.slept == [0.5, 1, 2, 4, 8, 16, 20, 20]


def test_half_of_each_wait_is_chance(http: Any) -> None:
    served = Served(http, in_turn(503, 503, 200), jitter=lambda: 0.0)
    asyncio.run(served.send())
    assert served.clock.slept == [0.25, 0.5]


def test_retry_after_is_honoured(http: Any) -> None:
    busy = http.Response(429, headers={"retry-after": "7"})
    served = Served(http, in_turn(busy, 200), jitter=lambda: 0.0)
    asyncio.run(served.send())
    assert served.clock.slept == [7.0]


def test_patience_bounds_the_waiting_and_the_message_says_so(http: Any) -> None:
    busy = http.Response(429, headers={"retry-after": "3600"})
    served = Served(http, in_turn(busy))
    with pytest.raises(TransportError, match="the next one would have to wait 3600 s") as raised:
        asyncio.run(served.send())
    assert (raised.value.retry_after_s, served.clock.slept) == (3600.0, [])


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
    ],
)
def test_retry_after_in_seconds(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after_s(headers, now=datetime(2026, 11, 21, tzinfo=UTC)) == expected


def test_retry_after_as_a_date() -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    later = format_datetime(now + timedelta(seconds=30), usegmt=True)
    assert retry_after_s({"retry-after": later}, now=now) == 30.0


def test_a_message_names_host_status_and_advice_on_one_line_and_no_key(
    http: Any,
) -> None:
    body = {"error": {"message": f"quota\nfor {KEY} used up"}}
    served = Served(http, in_turn(http.Response(429, json=body)))
    with pytest.raises(TransportError) as raised:
        asyncio.run(served.send(max_attempts=1))
    message = str(raised.value)
    assert message.startswith("api.example.com: 429: quota")
    assert "quota" in message
    assert "requests_per_minute" in message
    assert KEY not in message and "token=abc" not in message and "\n" not in message


def test_a_server_that_takes_too_long_is_a_transport_error(http: Any) -> None:
    async def never(request: Any) -> http.Response:
        await asyncio.Event().wait()
        raise AssertionError

    served = Served(http, never)
    with pytest.raises(TransportError, match=r"no answer within 0\.01 s .* raise timeout_s"):
        asyncio.run(served.send(timeout_s=0.01, max_attempts=2))
    assert len(served.requests) == 2


def test_being_cancelled_is_no_failure_to_try_again(http: Any) -> None:
    async def never(request: Any) -> http.Response:
        await asyncio.Event().wait()
        raise AssertionError

    served = Served(http, never)

    async def run() -> None:
        async with asyncio.timeout(0.01):
            await served.send()

    with pytest.raises(TimeoutError):
        asyncio.run(run())
    assert (len(served.requests), served.retries) == (1, 0)


def test_an_endless_answer_is_refused(http: Any) -> None:
    sent = 0

    async def drip() -> Any:
        nonlocal sent
        while True:
            sent += 1 << 20
            yield b"x" * (1 << 20)

    served = Served(http, lambda request: http.Response(200, content=drip()))
    with pytest.raises(TargetError, match="more than 16 MiB"):
        asyncio.run(served.send())
    assert sent <= MAX_BODY + (2 << 20)


@pytest.mark.parametrize("key", ["sk-line\nbreak", "sk-\u20ac"])
def test_a_key_that_http_forbids_is_named_by_its_place_and_not_shown(http: Any, key: str) -> None:
    served = Served(http, in_turn(http.LocalProtocolError(f"Illegal header value {key!r}")))
    with pytest.raises(TargetError, match="check") as raised:
        asyncio.run(served.send(headers={"authorization": key}))
    assert "sk-" not in str(raised.value)


def test_the_body_is_json_with_text_kept_and_a_content_type(http: Any) -> None:
    served = Served(http, in_turn(200))
    asyncio.run(served.send(json={"q": "Größe \u2028 \ud800"}))
    (request,) = served.requests
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {"q": "Größe \u2028 ?"}
    assert b"Gr\xc3\xb6\xc3\x9fe" in request.content


def test_get_sends_no_body(http: Any) -> None:
    served = Served(http, in_turn(200))
    asyncio.run(served.send(json=None))
    assert served.requests[0].content == b""
    assert "content-type" not in served.requests[0].headers


class Crowd:
    """An endpoint that counts how many are inside at once."""

    def __init__(self) -> None:
        self.inside = self.most = 0

    async def __call__(self, request: Any) -> int:
        self.inside += 1
        self.most = max(self.most, self.inside)
        for _ in range(5):
            await asyncio.sleep(0)
        self.inside -= 1
        return 200


@pytest.mark.parametrize(
    ("provider", "expected"), [("", 5), ("slow", 2), ("unlimited", 5), ("not-configured", 5)]
)
def test_no_more_are_under_way_than_the_run_and_the_provider_allow(
    http: Any, provider: str, expected: int
) -> None:
    crowd = Crowd()
    providers = {"slow": Provider(concurrency=2), "unlimited": Provider()}
    served = Served(http, crowd, concurrency=5, providers=providers)

    async def run() -> None:
        await asyncio.gather(*(served.send(provider=provider) for _ in range(20)))

    asyncio.run(run())
    assert crowd.most == expected
    assert len(served.requests) == 20


def test_requests_a_minute_hold_for_every_stretch_of_a_minute(http: Any) -> None:
    times: list[float] = []
    served = Served(
        http,
        lambda request: times.append(served.clock.now) or 200,
        providers={"p": Provider(requests_per_minute=3)},
    )

    async def run() -> None:
        await asyncio.gather(*(served.send(provider="p") for _ in range(10)))

    asyncio.run(run())
    assert len(times) == 10
    assert all(later - earlier >= 60 for earlier, later in zip(times, times[3:], strict=False))
    assert times[-1] - times[0] == 180


def test_a_retry_counts_against_the_limit_too(http: Any) -> None:
    served = Served(
        http, in_turn(503, 200), providers={"p": Provider(requests_per_minute=1)}, jitter=lambda: 0.0
    )
    asyncio.run(served.send(provider="p"))
    assert sum(served.clock.slept) == 60.0


def test_tokens_a_minute_count_what_was_really_used(http: Any) -> None:
    answer = {"usage": {"prompt_tokens": 900, "completion_tokens": 100}}
    served = Served(
        http,
        lambda request: http.Response(200, json=answer),
        providers={"p": Provider(tokens_per_minute=3000)},
    )

    async def run() -> list[float]:
        ends = []
        for _ in range(5):
            await served.send(provider="p")
            ends.append(served.clock.now)
        return ends

    ends = asyncio.run(run())
    assert ends[2] == 1000.0, "three calls of 1,000 tokens fit at once (the third by its estimate)"
    assert ends[3] >= 1060.0, "the fourth has to wait for the first minute to pass"


def test_everybody_waits_when_one_was_told_to(http: Any) -> None:
    busy = http.Response(429, headers={"retry-after": "9"})
    times: list[float] = []
    answers = in_turn(busy, 200)
    served = Served(
        http,
        lambda request: times.append(served.clock.now) or answers(request),
        providers={"p": Provider(concurrency=1)},
        jitter=lambda: 0.0,
    )

    async def run() -> None:
        await asyncio.gather(served.send(provider="p"), served.send(provider="p"))

    asyncio.run(run())
    assert times[0] == 1000.0
    assert times[1] >= 1009.0


def test_an_account_without_money_is_asked_once_and_not_again_for_a_while(http: Any) -> None:
    body = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    served = Served(http, in_turn(http.Response(429, json=body), 200))

    async def run() -> None:
        with pytest.raises(TransportError, match=r"given up after 1 attempt: .* would not help\); .*account"):
            await served.send(provider="openai")
        with pytest.raises(TransportError, match=r"not asked, openai refuses every call \(429: You exceeded"):
            await served.send(provider="openai")
        assert len(served.requests) == 1
        served.clock.now += 20
        assert (await served.send(provider="openai")).status == 200

    asyncio.run(run())


def test_a_server_may_say_that_another_attempt_would_not_help(http: Any) -> None:
    served = Served(http, in_turn(http.Response(500, headers={"x-should-retry": "false"}), 200))

    async def run() -> None:
        with pytest.raises(TransportError, match="given up after 1 attempt"):
            await served.send(provider="p")
        assert (await served.send(provider="p")).status == 200, "others are asked as before"

    asyncio.run(run())


def test_without_retry_after_a_refusal_waits_for_what_is_used_up(http: Any) -> None:
    used_up = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6.5s"}
    served = Served(http, in_turn(http.Response(429, headers=used_up), 200), jitter=lambda: 0.0)
    asyncio.run(served.send())
    assert served.clock.slept == [6.5]
