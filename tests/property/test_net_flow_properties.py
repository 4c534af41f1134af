"""Limits hold in every stretch of time, the allowance finds what a server bears, and nobody starves."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_aioncall.adapters.net import retry_after_s
from pytest_aioncall.adapters.net.failures import Failure
from pytest_aioncall.adapters.net.flow import Flow
from pytest_aioncall.adapters.net.windows import Window
from pytest_aioncall.adapters.net.wishes import reset_after_s
from pytest_aioncall.model.config import Provider

REFUSED = Failure("refused", "h", "429", "later", status=429)


class Simulation:
    """Virtual time for coroutines: when nobody can go on, the clock jumps to the next who wakes."""

    def __init__(self) -> None:
        self.now = 0.0
        self._waking: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._waking, (self.now + max(0.0, seconds), self._count, future))
        await future

    def run(self, main: Callable[[], Awaitable[Any]]) -> Any:
        async def driven() -> Any:
            task = asyncio.ensure_future(main())
            while not task.done():
                for _ in range(12):  # let everybody go as far as he can at this moment
                    await asyncio.sleep(0)
                if task.done():
                    break
                while self._waking and self._waking[0][2].done():
                    heapq.heappop(self._waking)
                assert self._waking, "everybody waits and nobody will ever wake: a deadlock"
                at, _, future = heapq.heappop(self._waking)
                self.now = max(self.now, at)
                future.set_result(None)
            return task.result()

        return asyncio.run(driven())


def flow(sim: Simulation, *, crowd: int, **limits: Any) -> Flow:
    return Flow(
        "p",
        Provider(**limits),
        crowd=asyncio.Semaphore(crowd),
        ceiling=crowd,
        patience_s=120.0,
        sleep=sim.sleep,
        clock=sim.clock,
        held=nullcontext,
    )


@given(
    limit=st.floats(0.5, 50),
    asks=st.lists(st.tuples(st.floats(0, 40), st.floats(0.01, 30)), min_size=1, max_size=60),
)
@settings(max_examples=150, deadline=None)
def test_no_stretch_of_a_minute_holds_more_than_the_limit(
    limit: float, asks: list[tuple[float, float]]
) -> None:
    window, now = Window(limit), 0.0
    span = 60.0 if limit >= 1 else 60.0 / limit
    went: list[tuple[float, float]] = []
    for later, amount in asks:
        now += later
        while (wait := window.wait_s(amount, now=now)) > 0:
            now += wait
        window.book(amount, now=now)
        went.append((now, amount))
    for at, amount in went:
        inside = sum(more for when, more in went if at - span < when <= at and at + 1e-6 - when < span)
        assert inside <= max(limit, 1.0, amount) + 1e-6


@given(
    seed=st.integers(0, 2**32),
    rpm=st.sampled_from([3, 20, 100]),
    tpm=st.sampled_from([None, 3000, 50_000]),
    concurrency=st.integers(1, 12),
    calls=st.integers(1, 60),
)
@settings(max_examples=60, deadline=None)
def test_limits_hold_for_what_is_sent_and_everybody_is_served_in_order(
    seed: int, rpm: int, tpm: int | None, concurrency: int, calls: int
) -> None:
    chance = random.Random(seed)
    sim = Simulation()
    sent: list[tuple[float, int]] = []
    inside = most = 0

    async def main() -> None:
        one = flow(sim, crowd=16, concurrency=concurrency, requests_per_minute=rpm, tokens_per_minute=tpm)

        async def call(number: int) -> None:
            nonlocal inside, most
            ticket = await one.enter(chance.randrange(4000))
            sent.append((sim.now, number))
            inside += 1
            most = max(most, inside)
            await sim.sleep(chance.uniform(0.01, 90))
            inside -= 1
            how = chance.random()
            if how < 0.1:
                one.abandon(ticket)
            elif how < 0.2:
                one.leave(ticket, failure=Failure("lost", "h", "reset", ""))
            else:
                one.leave(ticket, used=(chance.randrange(1000), chance.randrange(500)))

        await asyncio.gather(*(call(n) for n in range(calls)))
        assert one.allowance.under_way == 0

    sim.run(main)
    times = [at for at, _ in sent]
    assert [number for _, number in sent] == list(range(calls)), "first come, first served"
    assert most <= concurrency
    assert all(b - a >= 60 - 1e-6 for a, b in zip(times, times[rpm:], strict=False))


def served(capacity: int, *, ceiling: int, calls: int, seed: int) -> tuple[float, int]:
    """Return calls a second and refusals of a server that answers `capacity` at once, in 0.5-1.5 s each."""
    chance = random.Random(seed)
    sim = Simulation()
    inside = refusals = 0

    async def main() -> None:
        one = flow(sim, crowd=ceiling)

        async def call() -> None:
            nonlocal inside, refusals
            while True:
                ticket = await one.enter(100)
                if inside >= capacity:
                    await sim.sleep(0.05)
                    refusals += 1
                    one.leave(ticket, failure=REFUSED)
                    await sim.sleep(chance.uniform(0.25, 0.5))
                    continue
                inside += 1
                await sim.sleep(chance.uniform(0.5, 1.5))
                inside -= 1
                one.leave(ticket, used=(100, 100))
                return

        line = iter(range(calls))

        async def worker() -> None:
            for _ in line:
                await call()

        await asyncio.gather(*(worker() for _ in range(ceiling)))

    sim.run(main)
    return calls / sim.now, refusals


@given(seed=st.integers(0, 1000), capacity=st.sampled_from([2, 4, 7, 12]))
@settings(max_examples=12, deadline=None)
def test_the_allowance_finds_what_a_server_bears(seed: int, capacity: int) -> None:
    rate, refusals = served(capacity, ceiling=32, calls=40 * capacity, seed=seed)
    assert rate >= 0.6 * capacity, f"{rate:.1f} a second of {capacity} possible"
    assert refusals <= 0.5 * 40 * capacity + 40, f"{refusals} refusals for {40 * capacity} answers"


def test_with_room_for_all_nothing_is_held_back() -> None:
    rate, refusals = served(32, ceiling=32, calls=640, seed=1)
    assert refusals == 0
    assert rate >= 0.9 * 32


def test_a_pause_in_the_middle_starves_nobody_and_nobody_goes_early() -> None:
    sim = Simulation()
    went: list[float] = []

    async def main() -> None:
        one = flow(sim, crowd=4)

        async def call(number: int) -> None:
            ticket = await one.enter(10)
            went.append(sim.now)
            await sim.sleep(1.0)
            if number == 5:
                one.leave(ticket, failure=Failure("refused", "h", "429", "", status=429, asked_s=30.0))
            else:
                one.leave(ticket, used=(1, 1))

        await asyncio.gather(*(call(n) for n in range(40)))

    sim.run(main)
    assert len(went) == 40
    assert not [at for at in went if 2.0 < at < 32.0]


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms"]), st.text(max_size=80)))
def test_any_retry_after_is_a_wait_or_none(headers: dict[str, str]) -> None:
    wait = retry_after_s(headers, now=datetime(2026, 11, 22, tzinfo=UTC))
    assert wait is None or 0 <= wait < float("inf")


@given(
    st.text(max_size=80),
    st.one_of(st.just("0"), st.text(max_size=20)),
    st.sampled_from(["x-ratelimit-{}-tokens", "anthropic-ratelimit-tokens-{}", "ratelimit-{}"]),
)
def test_any_reset_is_a_wait_of_a_minute_at_most_or_none(value: str, left: str, name: str) -> None:
    headers = {name.format("reset"): value, name.format("remaining"): left}
    wait = reset_after_s(headers, now=datetime(2026, 11, 22, tzinfo=UTC))
    assert wait is None or 0 <= wait <= 60
