"""asyncio's default pool, of threads that nobody has to wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_Work = Callable[[], None]


class LeavableThreads(ThreadPoolExecutor):
    """Run what `asyncio.to_thread` is given in daemon threads, a new one where none is idle.

    The pool of the standard library is joined when the process ends: one call of user code that hangs would
    hold up the exit for ever. It also has few threads, and calls that hang would starve the others.
    """

    def __init__(self) -> None:
        super().__init__(max_workers=1)
        self._calls: SimpleQueue[_Work | None] = SimpleQueue()
        self._count = threading.Lock()
        self._idle = 0
        self._made = 0

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Start a call now; the Future is of the kind that asyncio wraps."""
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - carried to whoever waits for it
                future.set_exception(error)

        with self._count:
            needed = self._idle == 0
            self._made += needed
            self._idle -= not needed
        self._calls.put(work)
        if needed:
            threading.Thread(target=self._work, name="aioncall-call", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Let idle threads end; what hangs is left to the end of the process."""
        with self._count:
            made, self._made = self._made, 0
        for _ in range(made):
            self._calls.put(None)

    def _work(self, *_: Any) -> None:
        while (call := self._calls.get()) is not None:
            call()
            del call
            with self._count:
                self._idle += 1
