"""One provider's door: who may go out now, first come, first served; and what the answers teach.

Waiting here is our own doing: it counts neither as latency nor against the time limit of an attempt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager

from ...model.config import Provider
from .allowance import Allowance
from .failures import LONGEST_WAIT_S, Failure, not_asked, span
from .windows import Booking, Window

MEAN_OUT = 256.0
"""Tokens that an answer is taken to have before the first one is in."""


class Ticket:
    """Leave to send one request: what `Flow.leave` has to give back or correct."""

    __slots__ = ("number", "requests", "tokens")

    def __init__(self, number: int, requests: Booking | None, tokens: Booking | None) -> None:
        self.number, self.requests, self.tokens = number, requests, tokens


class Flow:
    """What one provider allows: requests at once, requests and tokens a minute; and its wish to wait.

    `crowd` bounds the requests of all providers together. Head of the line is who came first: it alone
    waits, for a place (`_freed`) or for a time; a request of many tokens is not overtaken for ever.
    """

    def __init__(
        self,
        name: str,
        provider: Provider | None,
        *,
        crowd: asyncio.Semaphore,
        ceiling: int,
        patience_s: float,
        sleep: Callable[[float], Awaitable[None]],
        clock: Callable[[], float],
        held: Callable[[], AbstractContextManager[object]],
    ) -> None:
        provider = provider or Provider()
        requests, tokens = provider.requests_per_minute, provider.tokens_per_minute
        self.name = name
        self.http2 = provider.http2
        self.allowance = Allowance(min(ceiling, provider.concurrency or ceiling))
        self._requests = Window(requests) if requests else None
        self._tokens = Window(tokens) if tokens else None
        self._crowd = crowd
        self._patience_s = patience_s
        self._sleep, self._clock, self._held = sleep, clock, held
        self._turn = asyncio.Lock()
        self._in_line = 0
        self._freed: asyncio.Future[None] | None = None
        self._waits_for: tuple[str, float] | None = None
        self._pause: tuple[float, Failure] | None = None
        self._shut: tuple[float, float, Failure] | None = None
        self._mean_out = MEAN_OUT

    async def enter(self, size: int) -> Ticket:
        """Wait for leave to send a request of `size` bytes.

        Raises TransportError where the provider asked not to be called for longer than anybody waits.
        """
        tokens = 0.0 if self._tokens is None else size / 4 + self._mean_out
        self._refuse_if_shut()
        if not (self._in_line or self._crowd.locked()) and self._blocked_s(tokens) == 0:
            await self._crowd.acquire()  # does not wait: there is a place
            return self._admitted(tokens)
        self._in_line += 1
        try:
            with self._held():
                async with self._turn:
                    return await self._at_the_head(tokens)
        finally:
            self._in_line -= 1

    def leave(
        self, ticket: Ticket, *, failure: Failure | None = None, used: tuple[int, int] | None = None
    ) -> None:
        """Take note of how a request ended: with an answer that used (tokens in, out), or a failure.

        A request that the server never saw, or refused, used no tokens; a refused one counts as a request.
        """
        overloaded = failure is not None and failure.is_overload
        self.allowance.end(ticket.number, overloaded=overloaded, answered=failure is None)
        self._settle(ticket, failure, used)
        if failure is not None and failure.for_all:
            now = self._clock()
            self._shut = (now + LONGEST_WAIT_S, now + LONGEST_WAIT_S, failure)
        elif failure is not None and failure.asked_s:
            self._wait_as_asked(failure, failure.asked_s)
        self._gone()

    def abandon(self, ticket: Ticket) -> None:
        """Take note that a request was cancelled: what it may have used stays booked."""
        self.allowance.end(ticket.number, overloaded=False, answered=False)
        self._gone()

    def waiting(self) -> str | None:
        """Say what everybody waits for, for the live line: `openai 429, 12 s`."""
        # Asked from another thread: what is looked at twice is taken once.
        now, pause, limit = self._clock(), self._pause, self._waits_for
        if pause is not None and pause[0] > now:
            until, failure = pause
            return f"{self.name} {failure.status or 'asks to wait'}, {span(until - now)}"
        if self._in_line and limit is not None and limit[1] > now:
            what, until = limit
            return f"{self.name} {what}, {span(until - now)}"
        return None

    async def _at_the_head(self, tokens: float) -> Ticket:
        while True:
            self._refuse_if_shut()
            wait = self._blocked_s(tokens)
            if wait is None:
                self._freed = asyncio.get_running_loop().create_future()
                try:
                    await self._freed
                finally:
                    self._freed = None
            elif wait > 0:
                await self._sleep(wait)
            else:
                await self._crowd.acquire()
                if self._blocked_s(tokens) == 0:
                    return self._admitted(tokens)
                self._crowd.release()

    def _blocked_s(self, tokens: float) -> float | None:
        """Return how long nothing may go out, 0 for now, None for until a request ends."""
        now = self._clock()
        if self._pause is not None:
            if self._pause[0] > now:
                return self._pause[0] - now
            self._pause = None
        wait, what = 0.0, ""
        if self._requests is not None:
            wait, what = self._requests.wait_s(1, now=now), "requests_per_minute"
        if self._tokens is not None:
            longer = self._tokens.wait_s(tokens, now=now)
            if longer > wait:
                wait, what = longer, "tokens_per_minute"
        if wait > 0:
            self._waits_for = (what, now + wait)
            return wait
        return 0.0 if self.allowance.is_free else None

    def _admitted(self, tokens: float) -> Ticket:
        now = self._clock()
        return Ticket(
            self.allowance.begin(),
            None if self._requests is None else self._requests.book(1, now=now),
            None if self._tokens is None else self._tokens.book(tokens, now=now),
        )

    def _gone(self) -> None:
        self._crowd.release()
        if self._freed is not None and not self._freed.done():
            self._freed.set_result(None)

    def _settle(self, ticket: Ticket, failure: Failure | None, used: tuple[int, int] | None) -> None:
        unsent = failure is not None and failure.kind == "unsent"
        if unsent and ticket.requests is not None and self._requests is not None:
            self._requests.settle(ticket.requests, 0)
        if ticket.tokens is None or self._tokens is None:
            return
        if failure is not None and failure.kind in ("unsent", "refused"):
            self._tokens.settle(ticket.tokens, 0)
        elif used is not None:
            self._tokens.settle(ticket.tokens, used[0] + used[1])
            self._mean_out += 0.1 * (used[1] - self._mean_out)

    def _wait_as_asked(self, failure: Failure, asked_s: float) -> None:
        """Hold everybody back as one was told to; after a wish beyond all patience, refuse for a while.

        Refused calls cost nothing, while each would be answered alike; now and then one asks again.
        """
        now = self._clock()
        if asked_s > self._patience_s:
            self._shut = (now + min(asked_s, LONGEST_WAIT_S), now + asked_s, failure)
        elif self._pause is None or self._pause[0] < now + asked_s:
            self._pause = (now + asked_s, failure)

    def _refuse_if_shut(self) -> None:
        if self._shut is None:
            return
        until, wish, failure = self._shut
        now = self._clock()
        if now >= until:
            self._shut = None
        else:
            raise not_asked(failure, left_s=wish - now, name=self.name)
