"""Daemon threads for sync targets: a call that hangs neither blocks the exit nor starves the rest."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from queue import SimpleQueue
from typing import Any


class _Call:
    """One call on its way through a thread. `state`: waiting, running, done or abandoned."""

    __slots__ = ("context", "error", "function", "future", "result", "state")

    def __init__(self, function: Callable[[], Any], future: asyncio.Future[Any], context: Context) -> None:
        self.function, self.future, self.context = function, future, context
        self.result: Any = None
        self.error: BaseException | None = None
        self.state = "waiting"


class DaemonPool:
    """Run functions in at most `size` threads, answers delivered on one event loop.

    Threads are made when needed. A call whose waiter was cancelled is left alone where it hangs: its thread
    stops counting and ends when the call returns. Finished calls are handed to the loop in batches: waking
    it costs more than an instant function.
    """

    def __init__(self, size: int, *, name: str = "aioncall-target") -> None:
        self._size = max(1, size)
        self._name = name
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._pending = 0
        self._finished: deque[_Call] = deque()
        self._waking = False

    async def run(self, function: Callable[[], Any]) -> Any:
        """Call `function` in a thread, in a copy of the caller's context; return or raise what it does."""
        loop = asyncio.get_running_loop()
        call = _Call(function, loop.create_future(), copy_context())
        self._pending += 1
        self._grow(loop)
        self._calls.put(call)
        try:
            return await call.future
        except asyncio.CancelledError:
            self._abandon(call)
            raise

    def close(self) -> None:
        """Let idle threads end; what hangs is left to the end of the process."""
        with self._lock:
            threads, self._threads = self._threads, 0
        for _ in range(threads):
            self._calls.put(None)

    def _grow(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            if self._threads >= min(self._size, self._pending):
                return
            self._threads += 1
            number = self._threads
        threading.Thread(target=self._work, args=(loop,), name=f"{self._name}-{number}", daemon=True).start()

    def _abandon(self, call: _Call) -> None:
        with self._lock:
            if call.state == "running":
                self._threads -= 1
            if call.state in ("waiting", "running"):
                call.state = "abandoned"
                self._pending -= 1

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while (call := self._calls.get()) is not None:
            with self._lock:
                if call.state != "waiting":
                    continue
                call.state = "running"
            try:
                call.result = call.context.run(call.function)
            except BaseException as error:  # noqa: BLE001 - carried to whoever waits for it
                call.error = error
            with self._lock:
                if call.state == "abandoned":
                    return
                call.state = "done"
                self._finished.append(call)
                wake, self._waking = not self._waking, True
            if wake:
                try:
                    loop.call_soon_threadsafe(self._deliver)
                except RuntimeError:  # the loop is closed: nobody waits any more
                    return
            del call

    def _deliver(self) -> None:
        with self._lock:
            calls, self._finished = self._finished, deque()
            self._waking = False
        for call in calls:
            self._pending -= 1
            if call.future.done():
                continue
            error = call.error
            if error is None:
                call.future.set_result(call.result)
            elif isinstance(error, StopIteration):
                # A future cannot carry it: it would end the coroutine that waits.
                call.future.set_exception(RuntimeError("the function raised StopIteration"))
            else:
                call.future.set_exception(error)
