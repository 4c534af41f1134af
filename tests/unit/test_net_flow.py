"""What a provider allows: how many at once, how much a minute, who is next, and when it is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from pytest_aioncall.adapters.net import Window, retry_after_s
from pytest_aioncall.adapters.net.allowance import Allowance
from pytest_aioncall.adapters.net.failures import Failure, Retries, span
from pytest_aioncall.adapters.net.flow import Flow
from pytest_aioncall.adapters.net.wishes import reset_after_s
from pytest_aioncall.errors import TransportError
from pytest_aioncall.model.config import Provider

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


def flow(clock: Clock, *, crowd: int = 64, patience_s: float = 120.0, **limits: Any) -> Flow:
    return Flow(
        "openai",
        Provider(**limits),
        crowd=asyncio.Semaphore(crowd),
        ceiling=crowd,
        patience_s=patience_s,
        sleep=clock.sleep,
        clock=clock,
        held=nullcontext,
    )


def refused(status: int = 429, asked_s: float | None = None) -> Failure:
    return Failure("refused", "api.openai.com", str(status), "try later", status=status, asked_s=asked_s)


# How many at once


def overload(allowance: Allowance, numbers: list[int]) -> None:
    for number in numbers:
        allowance.end(number, overloaded=True, answered=False)


def test_many_refusals_of_one_round_trip_halve_the_allowance_once() -> None:
    allowance = Allowance(32)
    overload(allowance, [allowance.begin() for _ in range(32)])
    assert allowance.limit == 16
    overload(allowance, [allowance.begin() for _ in range(16)])
    assert allowance.limit == 8


def test_the_allowance_never_falls_below_one_nor_rises_above_its_ceiling() -> None:
    allowance = Allowance(3)
    for _ in range(10):
        overload(allowance, [allowance.begin()])
    assert (allowance.limit, allowance.is_free) == (1, True)
    for _ in range(50):
        numbers = [allowance.begin() for _ in range(allowance.limit)]
        for number in numbers:
            allowance.end(number, overloaded=False, answered=True)
    assert allowance.limit == 3


def test_a_round_trip_of_answers_allows_about_one_more() -> None:
    allowance = Allowance(64)
    overload(allowance, [allowance.begin() for _ in range(64)])
    for rounds in range(1, 9):
        for number in [allowance.begin() for _ in range(allowance.limit)]:
            allowance.end(number, overloaded=False, answered=True)
        assert 31 + 0.9 * rounds <= allowance.limit <= 32 + rounds


def test_answers_while_there_was_room_prove_nothing() -> None:
    allowance = Allowance(64)
    overload(allowance, [allowance.begin() for _ in range(64)])
    for _ in range(500):
        allowance.end(allowance.begin(), overloaded=False, answered=True)
    assert allowance.limit == 32


@pytest.mark.parametrize(
    ("status", "fewer"), [(429, True), (503, True), (529, True), (500, False), (408, False)]
)
def test_only_overload_makes_fewer(status: int, fewer: bool) -> None:
    async def run() -> int:
        clock = Clock()
        one = flow(clock, crowd=8)
        one.leave(await one.enter(10), failure=refused(status))
        return one.allowance.limit

    assert asyncio.run(run()) == (4 if fewer else 8)


# How much a minute


def test_a_window_lets_an_amount_above_its_limit_through_alone() -> None:
    window = Window(100)
    window.book(60, now=0.0)
    assert window.wait_s(500, now=0.0) == 60.0
    assert window.wait_s(500, now=60.0) == 0.0


def test_half_a_request_a_minute_is_one_in_two() -> None:
    window = Window(0.5)
    window.book(1, now=0.0)
    assert window.wait_s(1, now=0.0) == 120.0


def test_a_window_says_when_enough_of_it_is_free() -> None:
    window = Window(100)
    for now in (0.0, 10.0, 20.0):
        window.book(30, now=now)
    assert window.wait_s(10, now=25.0) == 0.0
    assert window.wait_s(11, now=25.0) == 35.0
    assert window.wait_s(70, now=25.0) == 45.0


def test_requests_and_tokens_are_booked_at_one_moment() -> None:
    """A request that waits for tokens must not hold a place in a minute that is over when it goes."""

    async def run() -> list[float]:
        clock = Clock()
        one = flow(clock, requests_per_minute=2, tokens_per_minute=1000)
        went = []
        for size in (4 * 900, 4 * 600, 0, 0):
            one.leave(await one.enter(size), used=(size // 4, 0))
            went.append(clock.now)
        return went

    went = asyncio.run(run())
    assert all(b - a >= 60 for a, b in zip(went, went[2:], strict=False)), went


@pytest.mark.parametrize(
    ("failure", "waits"),
    [
        (Failure("unsent", "h", "refused", "a"), False),
        (refused(500), True),
        (Failure("timeout", "h", "slow", "a"), True),
        (None, True),
    ],
)
def test_what_the_server_never_saw_counts_as_no_request(failure: Failure | None, waits: bool) -> None:
    async def run() -> float:
        clock = Clock()
        one = flow(clock, requests_per_minute=1)
        one.leave(await one.enter(10), failure=failure)
        await one.enter(10)
        return clock.now

    assert asyncio.run(run()) == (1060.0 if waits else 1000.0)


@pytest.mark.parametrize(
    ("kind", "waits"), [("refused", False), ("unsent", False), ("timeout", True), ("lost", True)]
)
def test_what_was_refused_used_no_tokens_and_what_was_lost_may_have(kind: Any, waits: bool) -> None:
    async def run() -> float:
        clock = Clock()
        one = flow(clock, tokens_per_minute=1000)
        one.leave(await one.enter(2000), failure=Failure(kind, "h", "w", "a"))
        await one.enter(2000)
        return clock.now

    assert asyncio.run(run()) == (1060.0 if waits else 1000.0)


# Who is next


def test_first_come_first_served_and_a_big_one_is_not_overtaken_for_ever() -> None:
    async def run() -> list[str]:
        clock = Clock()
        one = flow(clock, tokens_per_minute=1000)
        went: list[str] = []

        async def call(name: str, size: int) -> None:
            ticket = await one.enter(size)
            went.append(name)
            one.leave(ticket, used=(size // 4, 256))

        await asyncio.gather(call("a", 2400), call("big", 3900), *(call(f"small {n}", 40) for n in range(5)))
        return went

    assert asyncio.run(run()) == ["a", "big", *(f"small {n}" for n in range(5))]


def test_a_provider_that_waits_takes_no_place_from_another() -> None:
    async def run() -> None:
        clock = Clock()
        crowd = asyncio.Semaphore(2)
        never = asyncio.Event()

        async def stuck(seconds: float) -> None:
            await never.wait()

        def made(name: str, sleep: Any, **limits: Any) -> Flow:
            return Flow(
                name,
                Provider(**limits),
                crowd=crowd,
                ceiling=2,
                patience_s=120,
                sleep=sleep,
                clock=clock,
                held=nullcontext,
            )

        slow, quick = made("slow", stuck, requests_per_minute=1), made("quick", clock.sleep)
        slow.leave(await slow.enter(1), used=(0, 0))
        waiting = [asyncio.create_task(slow.enter(1)) for _ in range(10)]
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            for _ in range(20):
                quick.leave(await quick.enter(1), used=(0, 0))
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(run())


def test_waiting_for_the_places_of_all_providers_is_ours_too() -> None:
    """Else who stands behind another provider's slow answers times out without having asked."""
    waiting: list[str] = []

    @contextmanager
    def held() -> Iterator[None]:
        waiting.append("held")
        yield
        waiting.append("let go")

    async def go() -> None:
        crowd = asyncio.Semaphore(1)
        one, other = (
            Flow(
                name,
                None,
                crowd=crowd,
                ceiling=1,
                patience_s=1.0,
                sleep=asyncio.sleep,
                clock=Clock(),
                held=held,
            )
            for name in ("one", "other")
        )
        ticket = await one.enter(1)
        behind = asyncio.create_task(other.enter(1))
        await asyncio.sleep(0)
        assert waiting == ["held"]
        one.leave(ticket)
        await behind
        assert waiting == ["held", "let go"]

    asyncio.run(go())


def test_who_is_cancelled_in_line_leaves_no_hole() -> None:
    async def run() -> None:
        one = flow(Clock(), concurrency=1)
        inside = await one.enter(1)
        line = [asyncio.create_task(one.enter(1)) for _ in range(6)]
        await asyncio.sleep(0.001)
        for task in line[:5:2]:
            task.cancel()
        one.leave(inside, used=(0, 0))
        for task in (line[1], line[3], line[5]):
            async with asyncio.timeout(5):
                one.leave(await task, used=(0, 0))
        assert one.allowance.under_way == 0

    asyncio.run(run())


def test_who_is_cancelled_as_a_place_comes_free_passes_it_on() -> None:
    async def run() -> None:
        one = flow(Clock(), concurrency=1)
        inside = await one.enter(1)
        first, second = (asyncio.create_task(one.enter(1)) for _ in range(2))
        await asyncio.sleep(0.001)
        one.leave(inside, used=(0, 0))
        first.cancel()
        async with asyncio.timeout(5):
            ticket = await second
        one.abandon(ticket)
        assert one.allowance.under_way == 0

    asyncio.run(run())


# Being told to wait


def test_everybody_is_held_back_as_long_as_one_was_told() -> None:
    async def run() -> None:
        clock = Clock()
        one = flow(clock)
        first, second = await one.enter(1), await one.enter(1)
        one.leave(first, failure=refused(asked_s=12))
        assert one.waiting() == "openai 429, 12 s"
        one.leave(second, failure=refused(asked_s=5))
        assert one.waiting() == "openai 429, 12 s", "a shorter wish shortens nothing"
        await one.enter(1)
        assert (clock.now, one.waiting()) == (1012.0, None)

    asyncio.run(run())


def test_a_limit_of_our_own_is_named_while_somebody_waits_for_it() -> None:
    async def run() -> None:
        clock = Clock()
        said: list[str | None] = []

        async def sleep(seconds: float) -> None:
            said.append(one.waiting())
            await clock.sleep(seconds)

        one = flow(clock, requests_per_minute=1)
        one._sleep = sleep
        for _ in range(2):
            one.leave(await one.enter(1), used=(0, 0))
        assert said == ["openai requests_per_minute, 60 s"]

    asyncio.run(run())


def test_a_wish_beyond_all_patience_is_believed_for_a_while_without_asking_again() -> None:
    async def run() -> None:
        clock = Clock()
        one = flow(clock)
        one.leave(await one.enter(1), failure=refused(asked_s=7200))
        for _ in range(3):
            with pytest.raises(TransportError, match=r"not asked, openai wants .* for 2 h \(429\)"):
                await one.enter(1)
        clock.now += 20
        one.leave(await one.enter(1), used=(0, 0))
        await one.enter(1)

    asyncio.run(run())


def test_who_stands_in_line_when_the_door_shuts_is_refused_too() -> None:
    async def run() -> None:
        one = flow(Clock(), concurrency=1)
        inside = await one.enter(1)
        line = [asyncio.create_task(one.enter(1)) for _ in range(3)]
        await asyncio.sleep(0.001)
        one.leave(inside, failure=refused(asked_s=9999))
        ended = await asyncio.gather(*line, return_exceptions=True)
        assert all(isinstance(error, TransportError) for error in ended)

    asyncio.run(run())


# How long to wait for another attempt


def test_a_call_may_run_out_of_time_twice_and_no_more() -> None:
    slow = Failure("timeout", "h", "no answer within 60 s", "raise timeout_s")
    retries = Retries(9, 120.0, lambda: 0.5)
    assert retries.next_wait_s(slow, attempt=1, now=0.0) > 0
    with pytest.raises(TransportError, match=r"given up after 2 attempts: .*paid for each.*raise timeout_s"):
        retries.next_wait_s(slow, attempt=2, now=60.0)


def test_time_spent_asking_counts_against_patience() -> None:
    retries = Retries(9, 120.0, lambda: 0.5)
    lost = Failure("lost", "h", "reset", "")
    retries.next_wait_s(lost, attempt=1, now=1000.0)
    with pytest.raises(TransportError, match="given up after 2 attempts"):
        retries.next_wait_s(lost, attempt=2, now=1119.9)


@pytest.mark.parametrize(("seconds", "words"), [(12, "12 s"), (119, "119 s"), (600, "10 min"), (7200, "2 h")])
def test_spans_of_time_in_words(seconds: float, words: str) -> None:
    assert span(seconds) == words


# What headers ask for


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "9" * 5000}, None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "?", "retry-after": "9"}, 9.0),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=30), usegmt=True)}, 30.0),
        ({"retry-after": format_datetime(NOW - timedelta(seconds=30), usegmt=True)}, 0.0),
        ({"retry-after": "2026-11-22T12:00:07Z"}, 7.0),
    ],
)
def test_retry_after(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after_s(headers, now=NOW) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"x-ratelimit-reset-requests": "1s"}, None),
        ({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "1s"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20ms"}, 0.02),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, 60.0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1m2.5s?"}, None),
        (
            {
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2026-11-22T12:00:09Z",
                "anthropic-ratelimit-input-tokens-remaining": "0",
                "anthropic-ratelimit-input-tokens-reset": "2026-11-22T12:00:21Z",
                "anthropic-ratelimit-output-tokens-remaining": "8000",
                "anthropic-ratelimit-output-tokens-reset": "2026-11-22T12:00:50Z",
            },
            21.0,
        ),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "4"}, 4.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOW.timestamp() + 3)}, 3.0),
    ],
)
def test_what_is_used_up_is_waited_for(headers: dict[str, str], expected: float | None) -> None:
    found = reset_after_s(headers, now=NOW)
    assert found == (None if expected is None else pytest.approx(expected))
