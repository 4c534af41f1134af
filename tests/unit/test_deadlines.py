"""Time limits of tasks: they cancel what is late, and stand still while a task waits for a place."""

from __future__ import annotations

import asyncio

import pytest

from pytest_aioncall.deadlines import Deadline, Deadlines, standing_still


async def late(limits: Deadlines, seconds: float) -> Deadline:
    """Wait for ever under a limit; return it once it has passed."""
    with limits.for_this_task(seconds) as limit, pytest.raises(asyncio.CancelledError):
        await asyncio.Event().wait()
    return limit


def test_what_is_late_is_cancelled_and_nothing_of_it_stays() -> None:
    async def run() -> None:
        limit = await late(Deadlines(), 0.01)
        assert limit.passed
        task = asyncio.current_task()
        assert task is not None and task.cancelling() == 0

    asyncio.run(run())


def test_no_time_passes_while_a_task_stands_still() -> None:
    async def run() -> None:
        limits = Deadlines()
        short = asyncio.create_task(late(limits, 0.05))
        with limits.for_this_task(0.01) as limit, standing_still():
            with standing_still():
                await short  # longer than this task may take
            await asyncio.sleep(0)
        assert not limit.passed

    asyncio.run(run())


def test_time_goes_on_afterwards() -> None:
    async def run() -> None:
        limits = Deadlines()
        with limits.for_this_task(0.01) as limit:
            with standing_still():
                pass
            with pytest.raises(asyncio.CancelledError):
                await asyncio.Event().wait()
        assert limit.passed

    asyncio.run(run())


def test_a_limit_that_is_over_is_not_taken_up_again() -> None:
    """A child task may wait for a place longer than its parent's limited work lasted."""

    async def run() -> None:
        limits = Deadlines()
        go_on = asyncio.Event()

        async def child() -> None:
            with standing_still():
                await go_on.wait()

        with limits.for_this_task(0.01) as limit:
            task = asyncio.create_task(child())
            await asyncio.sleep(0)
        go_on.set()
        await task
        await late(limits, 0.05)
        assert not limit.passed

    asyncio.run(run())


def test_outside_of_a_limit_nothing_stands_still() -> None:
    async def run() -> None:
        with standing_still():
            await asyncio.sleep(0)

    asyncio.run(run())
