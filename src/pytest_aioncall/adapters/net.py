"""The one way out to the network: one client, retries for transport errors only, limits a provider.

What never produced an answer is tried again: connection and read errors, time-outs, 408, 409, 429 and 5xx,
in jittered exponential steps, no sooner than `Retry-After` asks. Every other status is an answer and is
returned. A message of ours names host, status and what to do; it never holds a key.
"""

from __future__ import annotations

import asyncio
import json as jsonlib
import random
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpx

from .. import __version__
from ..errors import TargetError, TransportError
from ..model.config import Config, Provider
from ..protocols import Inspect, Method, Reply
from .chat_protocol import server_message
from .text import one_line

MAX_BODY = 16 * 1024 * 1024
RETRIED = frozenset({408, 409, 429})
FIRST_WAIT_S, LONGEST_WAIT_S, PATIENCE_S = 0.5, 20.0, 120.0
# Whatever no proxy of the environment serves goes to the lanes, and this machine never by a proxy.
_DIRECT = ("all://127.0.0.1", "all://localhost", "all://[::1]", "all://*")


def make_wire(config: Config, *, concurrency: int, on_retry: Callable[[], None] | None = None) -> HttpWire:
    """Return a run's wire: at most `concurrency` requests at once; `on_retry` is called before each retry."""
    return HttpWire(concurrency=concurrency, providers=config.providers, on_retry=on_retry)


class HttpWire:
    """A Wire over HTTP. Made anywhere, used on one event loop: the client is made there by the first call.

    `patience_s` bounds the waiting for one answer, counted from its first failure; `sleep`, `jitter` (from
    [0, 1)) and `clock` (seconds) are arguments so that a test need not wait.
    """

    mode = "live"

    def __init__(
        self,
        *,
        concurrency: int,
        providers: Mapping[str, Provider] | None = None,
        on_retry: Callable[[], None] | None = None,
        patience_s: float = PATIENCE_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._concurrency = max(1, concurrency)
        self._slots = asyncio.Semaphore(self._concurrency)
        self._limits = {
            name: _Limits(provider, sleep=sleep, clock=clock) for name, provider in (providers or {}).items()
        }
        self._on_retry = on_retry
        self._patience_s = patience_s
        self._sleep, self._jitter, self._clock = sleep, jitter, clock
        self._client: httpx.AsyncClient | None = None

    async def send(
        self,
        method: Method,
        url: str,
        *,
        headers: Mapping[str, str],
        json: Any,
        asked: Mapping[str, Any],  # noqa: ARG002 - what a cassette goes by; the network needs none of it
        epoch: int,  # noqa: ARG002
        provider: str = "",
        timeout_s: float = 60.0,
        max_attempts: int = 4,
        inspect: Inspect | None = None,
    ) -> Reply:
        """Send until an answer arrives; raise TransportError when none does."""
        limits = self._limits.get(provider)
        request = _Request(self, method, url, headers, json, timeout_s, inspect)
        first_failure = 0.0
        attempt = 0
        while True:
            attempt += 1
            if limits is None:
                reply = await request.attempt(attempt)
            else:
                reply = await limits.attempt(request, attempt)
            if isinstance(reply, Reply):
                return reply
            failure = reply
            now = self._clock()
            first_failure = first_failure or now
            wait = self._wait(attempt, failure.retry_after_s)
            if attempt >= max_attempts or now - first_failure + wait > self._patience_s:
                raise _given_up(failure, attempt, wait=wait if attempt < max_attempts else None) from None
            if self._on_retry is not None:
                self._on_retry()
            await self._sleep(wait)

    async def close(self) -> None:
        """Close the connections; a later call would open them anew."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _wait(self, attempt: int, asked_s: float | None) -> float:
        step: float = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (attempt - 1)) * (0.5 + self._jitter() / 2)
        return step if asked_s is None else max(step, asked_s + 0.25 * self._jitter())

    def client(self) -> httpx.AsyncClient:
        """Return the one client, made on first use: its TLS context alone costs more than twenty requests."""
        if self._client is None:
            tls = httpx.create_ssl_context()
            self._client = httpx.AsyncClient(
                # Our own clock bounds a whole attempt: httpx's would let a dripping server go on.
                timeout=httpx.Timeout(None, connect=10.0),
                # `_slots` bounds how many are open; idle ones of two hosts may wait side by side.
                limits=_pool_of(2 * self._concurrency),
                verify=tls,
                follow_redirects=False,
                # A cookie would carry one sample's state into the next.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                headers={"user-agent": f"pytest-aioncall/{__version__}"},
                mounts=dict.fromkeys(_DIRECT, _Lanes(tls)),
            )
        return self._client


class _Lanes(httpx.AsyncBaseTransport):
    """Connections in small pools, one request at a time in each.

    A pool of httpcore walks all its connections, for each of them, before and after every request: with 32 of
    them that costs more than all the rest of the request. The lane freed last is taken first.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._free: list[httpx.AsyncHTTPTransport] = []
        self._all: list[httpx.AsyncHTTPTransport] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._free:
            lane = self._free.pop()
        else:
            lane = httpx.AsyncHTTPTransport(verify=self._tls, limits=_pool_of(4))
            self._all.append(lane)
        try:
            response = await lane.handle_async_request(request)
        except BaseException:
            self._free.append(lane)
            raise
        response.stream = _LaneStream(response.stream, lane, self._free)
        return response

    async def aclose(self) -> None:
        lanes, self._all, self._free = self._all, [], []
        for lane in lanes:
            await lane.aclose()


class _LaneStream(httpx.AsyncByteStream):
    """A response's body; closing it frees its lane, once."""

    def __init__(
        self,
        stream: httpx.SyncByteStream | httpx.AsyncByteStream,
        lane: httpx.AsyncHTTPTransport,
        free: list[httpx.AsyncHTTPTransport],
    ) -> None:
        if not isinstance(stream, httpx.AsyncByteStream):
            raise TypeError("an asynchronous transport gave a synchronous stream")
        self._stream, self._lane, self._free = stream, lane, free
        self._closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._stream.__aiter__()

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            await self._stream.aclose()
        finally:
            self._free.append(self._lane)


def _pool_of(keepalive: int) -> httpx.Limits:
    return httpx.Limits(max_connections=None, max_keepalive_connections=keepalive, keepalive_expiry=30.0)


class _Request:
    """One request, encoded once for all its attempts."""

    __slots__ = ("_headers", "_inspect", "_method", "_timeout_s", "_url", "_wire", "content")

    def __init__(
        self,
        wire: HttpWire,
        method: str,
        url: str,
        headers: Mapping[str, str],
        json: Any,
        timeout_s: float,
        inspect: Inspect | None,
    ) -> None:
        self._wire, self._method, self._url, self._timeout_s = wire, method, url, timeout_s
        self._headers, self._inspect = headers, inspect
        self.content: bytes | None = None
        if json is not None:
            self.content = jsonlib.dumps(json, ensure_ascii=False, separators=(",", ":")).encode(
                "utf-8", "replace"
            )
            if "content-type" not in {name.lower() for name in headers}:
                self._headers = {**headers, "content-type": "application/json"}

    async def attempt(self, number: int) -> Reply | TransportError:
        """Try once; return the answer, or why none came."""
        wire = self._wire
        client = wire.client()
        try:
            request = client.build_request(
                self._method, self._url, headers=self._headers, content=self.content
            )
        except (httpx.InvalidURL, ValueError, TypeError):
            raise TargetError(
                f"{self._host()}: the address or a header holds characters that HTTP forbids; "
                "check url, headers and the key's variable (a line break at its end?)"
            ) from None
        try:
            async with wire._slots:
                started = time.perf_counter()
                async with asyncio.timeout(self._timeout_s):
                    response = await client.send(request, stream=True)
                    try:
                        body = await self._read(response)
                    finally:
                        await response.aclose()
                latency_s = time.perf_counter() - started
        except TimeoutError:
            return self._failed(f"no answer within {self._timeout_s:g} s", "raise timeout_s")
        except httpx.TimeoutException:
            return self._failed("no connection within 10 s", "check the address and the network")
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError):
            raise TargetError(
                f"{self._host()}: cannot be asked; check the address (http:// or https://) and the headers"
            ) from None
        except httpx.RequestError as error:
            said = self._clean(str(error)) or type(error).__name__
            return self._failed(said, "is the server up, and the address right?")
        status = response.status_code
        if status in RETRIED or status >= 500:
            return self._overloaded(response, body)
        reply = Reply(status, dict(response.headers.items()), body, latency_s, number)
        if self._inspect is not None:
            try:
                self._inspect(reply)
            except TransportError as error:
                return error
        return reply

    async def _read(self, response: httpx.Response) -> bytes:
        announced = response.headers.get("content-length", "")
        if not (announced.isdigit() and int(announced) > MAX_BODY):
            chunks: list[bytes] = []
            size = 0
            async for chunk in response.aiter_bytes():
                size += len(chunk)
                if size > MAX_BODY:
                    break
                chunks.append(chunk)
            else:
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)
        raise TargetError(
            f"{self._host()} answered with more than {MAX_BODY >> 20} MiB; no output is that long"
        )

    def _overloaded(self, response: httpx.Response, body: bytes) -> TransportError:
        status = response.status_code
        said = self._clean(server_message(body))
        advice = (
            "lower the provider's concurrency or requests_per_minute, or check the account's quota"
            if status == 429
            else "the server could not answer; try later"
        )
        failure = self._failed(f"{status}" + (f": {said}" if said else ""), advice)
        failure.retry_after_s = retry_after_s(response.headers, now=datetime.now(UTC))
        return failure

    def _failed(self, what: str, advice: str) -> TransportError:
        return TransportError(f"{self._host()}: {what}; {advice}")

    def _clean(self, text: str) -> str:
        """Return `text` on one line without any value of the headers sent."""
        for value in self._headers.values():
            for word in value.split():
                if len(word) >= 8 and word in text:
                    text = text.replace(word, "[REDACTED]")
        return one_line(text.strip(), 200)

    def _host(self) -> str:
        try:
            parts = urlsplit(self._url)
            port = f":{parts.port}" if parts.port else ""
            return one_line(f"{parts.hostname or 'no host'}{port}", 100)
        except ValueError:
            return "the address"


def retry_after_s(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Return how many seconds a server asks to wait (seconds, milliseconds or an HTTP date), None if not."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        if not value:
            continue
        try:
            wait = float(value) / unit
        except ValueError:
            try:
                date = parsedate_to_datetime(value)
            except ValueError:
                continue
            wait = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
        if wait == wait and wait != float("inf"):
            return max(0.0, wait)
    return None


def _given_up(failure: TransportError, attempts: int, *, wait: float | None) -> TransportError:
    tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    why = f" (given up after {tries}"
    if wait is not None:
        why += f": the next one would have to wait {wait:.0f} s"
    head, _, advice = str(failure).rpartition("; ")
    return TransportError(f"{head}{why}); {advice}", retry_after_s=failure.retry_after_s)


class _Limits:
    """What one provider allows: requests at once, requests and tokens a minute; and its wish to wait."""

    def __init__(
        self,
        provider: Provider,
        *,
        sleep: Callable[[float], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        self._slots = asyncio.Semaphore(provider.concurrency or 4096)
        requests, tokens = provider.requests_per_minute, provider.tokens_per_minute
        self._requests = Window(requests, sleep=sleep, clock=clock) if requests else None
        self._tokens = Window(tokens, sleep=sleep, clock=clock) if tokens else None
        self._sleep, self._clock = sleep, clock
        self._paused_until = 0.0
        self._mean_out = 256.0

    async def attempt(self, request: _Request, number: int) -> Reply | TransportError:
        """Try `request` once when this provider allows."""
        async with self._slots:
            while (pause := self._paused_until - self._clock()) > 0:
                await self._sleep(pause)
            if self._requests is not None:
                await self._requests.take(1)
            booking = None
            if self._tokens is not None:
                booking = await self._tokens.take(self._estimate(request.content))
            reply = await request.attempt(number)
            self._settle(booking, reply)
            return reply

    def _settle(self, booking: list[float] | None, reply: Reply | TransportError) -> None:
        """Put the tokens really used in the place of those estimated; hold back all when told to wait."""
        if isinstance(reply, TransportError):
            if reply.retry_after_s:
                until = self._clock() + min(reply.retry_after_s, LONGEST_WAIT_S)
                self._paused_until = max(self._paused_until, until)
            return
        if booking is None or self._tokens is None:
            return
        used = _tokens_used(reply.body)
        if used is not None:
            self._tokens.settle(booking, used[0] + used[1])
            self._mean_out += 0.1 * (used[1] - self._mean_out)

    def _estimate(self, content: bytes | None) -> float:
        """Four bytes a token in; out, what similar calls gave (a `max_tokens` is seldom used up)."""
        return len(content or b"") / 4 + self._mean_out


class Window:
    """Let through no more than `per_minute` (requests, tokens) in any stretch of a minute, first come first.

    Below one a minute the stretch grows instead. An amount above the whole limit waits for an empty window.
    """

    def __init__(
        self,
        per_minute: float,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = max(1.0, float(per_minute))
        self._span_s = 60.0 * self._limit / per_minute
        self._sleep, self._clock = sleep, clock
        self._turn = asyncio.Lock()
        self._taken: deque[list[float]] = deque()
        self._sum = 0.0

    async def take(self, amount: float) -> list[float]:
        """Wait until `amount` fits, book it, and return the booking for `settle`."""
        async with self._turn:
            while True:
                now = self._clock()
                self._forget(now)
                if not self._taken or self._sum + amount <= self._limit:
                    booking = [now, amount]
                    self._taken.append(booking)
                    self._sum += amount
                    return booking
                await self._sleep(self._taken[0][0] + self._span_s - now)

    def settle(self, booking: list[float], amount: float) -> None:
        """Correct what a booking took, unless its minute is over."""
        if self._taken and booking[0] >= self._taken[0][0]:
            self._sum += amount - booking[1]
            booking[1] = amount

    def _forget(self, now: float) -> None:
        while self._taken and now - self._taken[0][0] >= self._span_s:
            self._sum -= self._taken.popleft()[1]
        if not self._taken:
            self._sum = 0.0


def _tokens_used(body: bytes) -> tuple[int, int] | None:
    try:
        usage = jsonlib.loads(body)["usage"]
        tokens_in = usage.get("prompt_tokens", usage.get("input_tokens"))
        tokens_out = usage.get("completion_tokens", usage.get("output_tokens"))
        return int(tokens_in), int(tokens_out)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
