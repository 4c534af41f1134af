"""The wire: enter the provider's flow, try once, and try again where no answer came."""

from __future__ import annotations

import asyncio
import json as jsonlib
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

from ... import __version__
from ...errors import TargetError, TransportError
from ...model.config import Config, Provider
from ...protocols import Inspect, Method, Reply
from ..chat_protocol import server_message
from ..text import one_line
from .exchange import MAX_BODY, Answer, Client, NoAnswer, TooLong, Unsendable
from .failures import PATIENCE_S, RETRIED, Failure, Retries, advice_for
from .flow import Flow
from .library import LIBRARY, ClientName, load_library
from .ways import place_of
from .wishes import reset_after_s, retry_after_s

Held = Callable[[], AbstractContextManager[object]]


def make_wire(
    config: Config,
    *,
    concurrency: int,
    on_retry: Callable[[], None] | None = None,
    held: Held = nullcontext,
    shares: int = 1,
) -> HttpWire:
    """Return a run's wire: at most `concurrency` requests at once; `on_retry` is called before each retry.

    `held` is entered while a call waits for its provider's limits; so many processes share those limits.
    """
    return HttpWire(
        concurrency=concurrency,
        providers={name: _share_of(provider, shares) for name, provider in config.providers.items()},
        on_retry=on_retry,
        held=held,
        client=config.defaults.http_client,
    )


class HttpWire:
    """A Wire over HTTP. Made anywhere, used on one event loop: the client is made there by the first call.

    `patience_s` bounds the waiting for one answer, counted from its first failure; `sleep`, `jitter` (from
    [0, 1)) and `clock` (seconds) are arguments so that a test need not wait, `library` and `transport` so
    that it can choose what carries the requests.
    """

    mode = "live"

    def __init__(
        self,
        *,
        concurrency: int,
        providers: Mapping[str, Provider] | None = None,
        on_retry: Callable[[], None] | None = None,
        held: Held = nullcontext,
        client: ClientName = "auto",
        library: str = LIBRARY,
        transport: Any = None,
        patience_s: float = PATIENCE_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._concurrency = max(1, concurrency)
        self._crowd = asyncio.Semaphore(self._concurrency)
        self._providers = dict(providers or {})
        self._flows: dict[str, Flow] = {}
        self._on_retry, self._held = on_retry, held
        self._chosen, self._library, self._transport = client, library, transport
        self._patience_s = patience_s
        self._sleep, self._jitter, self._clock = sleep, jitter, clock
        self._client: Client | None = None

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
        flow = self._flow(provider, url)
        call = _Call(self.client(), method, url, headers=headers, json=json, timeout_s=timeout_s)
        call.http2, call.patience_s, call.inspect = flow.http2, self._patience_s, inspect
        size = len(call.content or b"")
        retries: Retries | None = None
        attempt = 0
        while True:
            attempt += 1
            ticket = await flow.enter(size)
            try:
                reply = await call.attempt(attempt)
            except BaseException:
                flow.abandon(ticket)
                raise
            if isinstance(reply, Reply):
                flow.leave(ticket, used=_tokens_used(reply.body) if ticket.tokens is not None else None)
                return reply
            flow.leave(ticket, failure=reply)
            if retries is None:
                retries = Retries(max_attempts, self._patience_s, self._jitter)
            wait = retries.next_wait_s(reply, attempt=attempt, now=self._clock())
            if self._on_retry is not None:
                self._on_retry()
            await self._sleep(wait)

    async def close(self) -> None:
        """Close the connections; a later call would open them anew."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def waiting(self) -> str | None:
        """Say which provider makes everybody wait and for how long, None while none does."""
        return next((said for flow in list(self._flows.values()) if (said := flow.waiting())), None)

    def client(self) -> Client:
        """Return the one client, made on first use."""
        if self._client is None:
            self._client = Client(
                load_library(self._chosen, library=self._library),
                user_agent=f"pytest-aioncall/{__version__}",
                transport=self._transport,
            )
        return self._client

    def _flow(self, provider: str, url: str) -> Flow:
        """Return the flow of a provider; what has none goes by its host."""
        name = provider or place_of(url)
        flow = self._flows.get(name)
        if flow is None:
            flow = self._flows[name] = Flow(
                name,
                self._providers.get(provider),
                crowd=self._crowd,
                ceiling=self._concurrency,
                patience_s=self._patience_s,
                sleep=self._sleep,
                clock=self._clock,
                held=self._held,
            )
        return flow


def _share_of(provider: Provider, shares: int) -> Provider:
    """Return what one of so many processes may do, so that all of them together keep the limits."""
    if shares <= 1:
        return provider
    change: dict[str, Any] = {}
    if provider.concurrency is not None:
        change["concurrency"] = max(1, provider.concurrency // shares)
    for limit in ("requests_per_minute", "tokens_per_minute"):
        value = getattr(provider, limit)
        if value is not None:
            change[limit] = value / shares
    return provider.model_copy(update=change)


class _Call:
    """One call, encoded once for all its attempts."""

    __slots__ = (
        "_client",
        "_headers",
        "_method",
        "_timeout_s",
        "_url",
        "content",
        "http2",
        "inspect",
        "patience_s",
    )

    def __init__(
        self,
        client: Client,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        json: Any,
        timeout_s: float,
    ) -> None:
        self._client, self._method, self._url, self._timeout_s = client, method, url, timeout_s
        self._headers = headers
        self.http2, self.patience_s = False, PATIENCE_S
        self.inspect: Inspect | None = None
        self.content: bytes | None = None
        if json is not None:
            text = jsonlib.dumps(json, ensure_ascii=False, separators=(",", ":"))
            self.content = text.encode("utf-8", "replace")
            if "content-type" not in {name.lower() for name in headers}:
                self._headers = {**headers, "content-type": "application/json"}

    async def attempt(self, number: int) -> Reply | Failure:
        """Try once; return the answer, or why none came."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._client.exchange(
                    self._method, self._url, headers=self._headers, content=self.content, http2=self.http2
                )
        except TimeoutError:
            return self._failure(
                "timeout", f"no answer within {self._timeout_s:g} s", "raise timeout_s, or ask for less"
            )
        except NoAnswer as error:
            said = self._clean(error.said)
            return self._failure(
                "lost" if error.was_sent else "unsent", said, "is the server up, and the address right?"
            )
        except Unsendable as error:
            raise TargetError(
                f"{self._place()}: {error}; check url, headers and the key's variable "
                "(a line break at its end?); an address begins with http:// or https://"
            ) from None
        except TooLong:
            raise TargetError(
                f"{self._place()} answered with more than {MAX_BODY >> 20} MiB; no output is that long"
            ) from None
        latency_s = time.perf_counter() - started
        if answer.status in RETRIED or answer.status >= 500:
            return self._refused(answer)
        reply = Reply(answer.status, answer.headers, answer.body, latency_s, number)
        if self.inspect is not None:
            try:
                self.inspect(reply)
            except TransportError as error:
                what, _, advice = str(error).partition("; ")
                return Failure("garbled", "", what, advice, asked_s=error.retry_after_s)
        return reply

    def _refused(self, answer: Answer) -> Failure:
        status, now = answer.status, datetime.now(UTC)
        asked_s = retry_after_s(answer.headers, now=now)
        if asked_s is None and status == 429:
            asked_s = reset_after_s(answer.headers, now=now)
        # OpenAI's words for an account without money, which no waiting fills.
        is_empty = status == 429 and b"insufficient_quota" in answer.body[:4096]
        is_final = is_empty or answer.headers.get("x-should-retry", "").strip().lower() == "false"
        is_quota = is_empty or (asked_s is not None and asked_s > self.patience_s)
        said = self._clean(server_message(answer.body))
        return Failure(
            "refused",
            self._place(),
            f"{status}: {said}" if said else f"{status}",
            advice_for(status, is_quota=is_quota),
            status=status,
            asked_s=asked_s,
            is_final=is_final,
            for_all=is_empty,
        )

    def _failure(self, kind: Any, what: str, advice: str) -> Failure:
        return Failure(kind, self._place(), what, advice)

    def _clean(self, text: str) -> str:
        """Return `text` on one line without any value of the headers sent."""
        for value in self._headers.values():
            for word in value.split():
                if len(word) >= 8 and word in text:
                    text = text.replace(word, "[REDACTED]")
        return one_line(text.strip(), 200)

    def _place(self) -> str:
        return one_line(place_of(self._url), 100)


def _tokens_used(body: bytes) -> tuple[int, int] | None:
    try:
        usage = jsonlib.loads(body)["usage"]
        tokens_in = usage.get("prompt_tokens", usage.get("input_tokens"))
        tokens_out = usage.get("completion_tokens", usage.get("output_tokens"))
        return max(0, int(tokens_in)), max(0, int(tokens_out))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
