"""Calls of the commands: one after the other, to a tracker or to what tells people.

The same connections, proxies, certificates, limits on a body and words for failures as the wire of a run has.
What differs is when a call is sent again: a call that changes something may be sent twice only where the
other side cannot have seen the first one, or where the caller says that twice is as good as once.
"""

from __future__ import annotations

import asyncio
import json as jsonlib
import random
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from ... import __version__
from ...errors import DeliveryError
from ...protocols import Method, Reply
from ..chat_replies import server_message
from ..text import one_line
from .exchange import MAX_BODY, Answer, Client, NoAnswer, TooLong, Unsendable
from .failures import FIRST_WAIT_S, LONGEST_WAIT_S, PATIENCE_S, span
from .library import LIBRARY, load_library
from .ways import place_of
from .wishes import reset_after_s, retry_after_s

# A limit of GitHub's that says nothing of how long: its documentation asks for at least a minute.
UNNAMED_WAIT_S: Final = 60.0
_REDIRECTS: Final = frozenset({301, 302, 307, 308})
_MOST_REDIRECTS: Final = 3
_SHORTEST_SECRET: Final = 8


class Caller:
    """Sends calls and waits for their answers. Used on one thread; `close` it, or let it be collected.

    `patience_s` bounds all waiting of one call, from its first failure on. `sleep` (seconds), `jitter` (from
    [0, 1)), `clock` (seconds) and `now` are arguments so that a test need not wait.
    """

    def __init__(
        self,
        *,
        library: str = LIBRARY,
        transport: Any = None,
        patience_s: float = PATIENCE_S,
        sleep: Callable[[float], None] | None = None,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._library, self._transport, self._patience_s = library, transport, patience_s
        # Looked up when it is called, so that a test of a whole command can do without waiting.
        self._sleep = sleep or (lambda seconds: time.sleep(seconds))
        self._jitter, self._clock, self._now = jitter, clock, now
        self._open: _Open | None = None
        self._finalizer: Any = None

    def __enter__(self) -> Caller:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def call(
        self,
        method: Method,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        secrets: Iterable[str] = (),
        repeatable: bool | None = None,
        timeout_s: float = 20.0,
        tries: int = 4,
    ) -> Reply:
        """Return the answer: any status but those that say "not now" and those of a broken server.

        `json` is encoded, `content` is sent as it is. `repeatable`: sent twice, the call does what it does
        sent once; unless told, all but POST are. `secrets`, and every value of the headers, are never in a
        message. A redirect is followed within the same scheme, host and port only.

        Raises DeliveryError: `unknown` where the call may have been done, `refused` where it cannot be sent.
        """
        sent = _Sent(
            method,
            url,
            headers=dict(headers or {}),
            content=_encoded(json) if content is None else content,
            hidden=tuple(secrets),
            repeatable=method != "POST" if repeatable is None else repeatable,
            timeout_s=timeout_s,
        )
        if sent.content is not None:
            sent.headers.setdefault("content-type", "application/json")
        for _ in range(_MOST_REDIRECTS):
            reply = self._answered(sent, tries=max(1, tries))
            target = _redirect_of(reply, sent)
            if target is None:
                return reply
            sent.url = target
        return reply

    def close(self) -> None:
        """Close the connections; a later call would open them anew."""
        if self._open is not None:
            self._finalizer()
            self._open = None

    def _answered(self, sent: _Sent, *, tries: int) -> Reply:
        """Try until there is an answer, a reason to stop, or no patience left."""
        first_failure: float | None = None
        was_seen = False
        for attempt in range(1, tries + 1):
            started = self._clock()
            outcome = self._attempt(sent)
            if isinstance(outcome, Answer):
                failure = self._not_now(outcome, sent)
                if failure is None:
                    took = self._clock() - started
                    return Reply(outcome.status, outcome.headers, outcome.body, took, attempt)
            else:
                failure = outcome
            was_seen = was_seen or failure.may_be_done
            first_failure = self._clock() if first_failure is None else first_failure
            wait = self._wait_s(attempt, failure)
            waited = self._clock() - first_failure
            if failure.may_be_done and not sent.repeatable:
                raise self._given_up(failure, sent, attempt, may_be_done=True)
            if attempt == tries or waited + wait > self._patience_s:
                why = f": the next one would have to wait {span(wait)}" if attempt < tries else ""
                raise self._given_up(failure, sent, attempt, may_be_done=was_seen, why=why)
            self._sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, sent: _Sent) -> Answer | _Failure:
        """Try once."""
        opened = self._opened()

        async def once() -> Answer:
            async with asyncio.timeout(sent.timeout_s):
                return await opened.client.exchange(
                    sent.method, sent.url, headers=sent.headers, content=sent.content
                )

        try:
            return opened.runner.run(once())
        except TimeoutError:
            return _Failure(f"no answer within {sent.timeout_s:g} s", may_be_done=True)
        except NoAnswer as error:
            return _Failure(sent.clean(error.said), may_be_done=error.was_sent)
        except Unsendable as error:
            raise DeliveryError(
                f"{sent.place}: {error}; check the address and the variables that it and the key are in "
                "(a line break at the end?); an address begins with https://",
                refused=True,
            ) from None
        except TooLong:
            raise DeliveryError(
                f"{sent.place} answered with more than {MAX_BODY >> 20} MiB; is that the right address?",
                unknown=not sent.repeatable,
                refused=sent.repeatable,
            ) from None

    def _not_now(self, answer: Answer, sent: _Sent) -> _Failure | None:
        """Return why an answer is none: the other side is busy, limits us, or is broken."""
        status, now = answer.status, self._now()
        is_limit = status == 429 or (status == 403 and _is_rate_limit(answer))
        if not (is_limit or status == 408 or status >= 500):
            return None
        asked = retry_after_s(answer.headers, now=now)
        if asked is None and is_limit:
            asked = reset_after_s(answer.headers, now=now)
            asked = UNNAMED_WAIT_S if asked is None and status == 403 else asked
        said = sent.clean(server_message(answer.body))
        what = f"{status}: {said}" if said else str(status)
        # A limit and 408 are told before anything is done. A gateway's 5xx does not know what was done.
        return _Failure(what, may_be_done=status >= 500, status=status, asked_s=asked)

    def _wait_s(self, attempt: int, failure: _Failure) -> float:
        """Exponential steps, half of each by chance; what the other side asks for is the least."""
        step = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (attempt - 1)) * (0.5 + self._jitter() / 2)
        return step if failure.asked_s is None else max(step, failure.asked_s + 0.25 * self._jitter())

    def _given_up(
        self, failure: _Failure, sent: _Sent, attempts: int, *, may_be_done: bool, why: str = ""
    ) -> DeliveryError:
        tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        unknown = may_be_done and sent.method != "GET"
        advice = "it may have been done all the same" if unknown else "try again later"
        return DeliveryError(
            f"{sent.place}: {failure.what} (given up after {tries}{why}); {advice}",
            status=failure.status,
            unknown=unknown,
            retry_after_s=failure.asked_s,
        )

    def _opened(self) -> _Open:
        if self._open is None:
            # aiohttp pays off over thousands of calls; here it would only have to be imported.
            client = Client(
                load_library("httpx", library=self._library),
                user_agent=f"pytest-aioncall/{__version__}",
                transport=self._transport,
            )
            self._open = _Open(asyncio.Runner(), client)
            self._finalizer = weakref.finalize(self, _shut, self._open)
        return self._open


@dataclass(slots=True)
class _Open:
    """An event loop and the connections that live on it."""

    runner: asyncio.Runner
    client: Client


def _shut(opened: _Open) -> None:
    """Close the connections on their own loop, from wherever the collector happens to be."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        _close(opened)
        return
    # A thread runs one loop at a time, and this one is in the middle of another.
    closing = threading.Thread(target=_close, args=(opened,))
    closing.start()
    closing.join()


def _close(opened: _Open) -> None:
    opened.runner.run(opened.client.close())
    opened.runner.close()


@dataclass(frozen=True, slots=True)
class _Failure:
    """One attempt without an answer; `asked_s` is how long the other side wants nobody to come back."""

    what: str
    may_be_done: bool
    status: int | None = None
    asked_s: float | None = None


@dataclass(slots=True)
class _Sent:
    """What is sent; `url` changes with a redirect."""

    method: Method
    url: str
    headers: dict[str, str]
    content: bytes | None
    hidden: tuple[str, ...]
    repeatable: bool
    timeout_s: float

    @property
    def place(self) -> str:
        return one_line(place_of(self.url), 100)

    def clean(self, text: str) -> str:
        """Return `text` on one line without secrets and without any value of the headers."""
        words = [word for value in self.headers.values() for word in value.split()]
        for word in sorted((*self.hidden, *words), key=len, reverse=True):
            if len(word) >= _SHORTEST_SECRET and word in text:
                text = text.replace(word, "[REDACTED]")
        return one_line(text.strip(), 200)


def said_by(reply: Reply) -> str:
    """Return what the body of a refusal says, on one line."""
    return server_message(reply.body)


def _encoded(json: Any) -> bytes | None:
    if json is None:
        return None
    return jsonlib.dumps(json, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _is_rate_limit(answer: Answer) -> bool:
    """Tell a limit from a lack of permission: both are 403 at GitHub."""
    headers = answer.headers
    if "retry-after" in headers or headers.get("x-ratelimit-remaining", "").strip() == "0":
        return True
    return b"rate limit" in answer.body[:4096].lower()


def _redirect_of(reply: Reply, sent: _Sent) -> str | None:
    """Return where a redirect leads, None where it is none or leads to somebody else."""
    target = reply.headers.get("location")
    if reply.status not in _REDIRECTS or not target:
        return None
    if sent.method != "GET" and reply.status in (301, 302):
        return None
    try:
        leads_to = urljoin(sent.url, target)
        old, new = urlsplit(sent.url), urlsplit(leads_to)
        same = (old.scheme, old.hostname, old.port) == (new.scheme, new.hostname, new.port)
    except ValueError:
        return None
    return leads_to if same else None
