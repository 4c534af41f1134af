"""Why no answer came, whether to try again and after how long, and the words for giving up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from ...errors import TransportError

RETRIED: Final = frozenset({408, 409, 429})
"""Statuses below 500 that are no answer; from 500 on none is one."""
OVERLOADED: Final = frozenset({429, 503, 529})
"""Statuses that say: fewer at once. 408 and 409 tell of one request, other 5xx of something broken."""
FIRST_WAIT_S, LONGEST_WAIT_S, PATIENCE_S = 0.5, 20.0, 120.0
TIMEOUTS: Final = 2
"""Attempts of one call that may run into the time limit: a server may work, and be paid, for each."""

Kind = Literal["unsent", "refused", "garbled", "lost", "timeout"]


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt without an answer; `asked_s` is how long the server wants nobody to come back.

    `is_final`: it would be answered alike again; `for_all`: so would every other call of this provider.

    unsent   no connection: the server saw nothing
    refused  a status that is no answer
    garbled  a body that is no answer, under a status that is one
    lost     the connection broke after the request went out
    timeout  no whole answer within `timeout_s`
    """

    kind: Kind
    place: str
    what: str
    advice: str
    status: int | None = None
    asked_s: float | None = None
    is_final: bool = False
    for_all: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {self.what}" if self.place else self.what

    @property
    def is_overload(self) -> bool:
        return self.status in OVERLOADED


@dataclass(slots=True)
class Retries:
    """The attempts of one call. `jitter` draws from [0, 1); `patience_s` counts from the first failure."""

    max_attempts: int
    patience_s: float
    jitter: Callable[[], float]
    _timeouts: int = 0
    _first_failure: float | None = None

    def next_wait_s(self, failure: Failure, *, attempt: int, now: float) -> float:
        """Return how long to wait before the next attempt; raise TransportError where there is none."""
        if self._first_failure is None:
            self._first_failure = now
        if failure.kind == "timeout":
            self._timeouts += 1
            if self._timeouts >= TIMEOUTS and attempt < self.max_attempts:
                raise given_up(failure, attempt, why="a server may have to be paid for each of them")
        if failure.is_final and attempt < self.max_attempts:
            raise given_up(failure, attempt, why="the server says that another one would not help")
        if attempt >= self.max_attempts:
            raise given_up(failure, attempt)
        wait = self._wait_s(attempt, failure.asked_s)
        if now - self._first_failure + wait > self.patience_s:
            raise given_up(failure, attempt, why=_too_long(wait))
        return wait

    def _wait_s(self, attempt: int, asked_s: float | None) -> float:
        """Exponential steps, half of each by chance; what a server asks for is the least."""
        step = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (attempt - 1)) * (0.5 + self.jitter() / 2)
        return step if asked_s is None else max(step, asked_s + 0.25 * self.jitter())


def given_up(failure: Failure, attempts: int, *, why: str = "") -> TransportError:
    """Return the error that ends a call: host, what happened, how often, what to do."""
    tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    more = f": {why}" if why else ""
    advice = f"; {failure.advice}" if failure.advice else ""
    return TransportError(
        f"{failure} (given up after {tries}{more}){advice}",
        retry_after_s=failure.asked_s,
    )


def not_asked(failure: Failure, *, left_s: float, name: str) -> TransportError:
    """Return the error of a call that was not sent: its provider wants none for longer than anybody waits."""
    why = f"{name} wants to be left alone for {span(left_s)} ({failure.what})"
    if failure.for_all:
        why = f"{name} refuses every call ({failure.what})"
    return TransportError(f"{failure.place}: not asked, {why}; {failure.advice}", retry_after_s=left_s)


def span(seconds: float) -> str:
    """Return a length of time in words: `40 s`, `12 min`, `3 h`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


def _too_long(wait: float) -> str:
    words = f"{wait:.0f} s" if wait < 120 else f"{wait:.0f} s ({span(wait)})"
    return f"the next one would have to wait {words}"


def advice_for(status: int, *, is_quota: bool) -> str:
    """Return what a user can do about a status that is no answer; `is_quota`: no wait will help soon."""
    if status == 429:
        if is_quota:
            return "the quota is used up: check the account, or run again later"
        return "lower the provider's concurrency or requests_per_minute, or check the account's quota"
    if status in OVERLOADED:
        return "the server is overloaded: lower the provider's concurrency, or try later"
    return "the server could not answer; try later"
