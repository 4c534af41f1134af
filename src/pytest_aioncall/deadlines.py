"""Time limits for thousands of short tasks: one timer for all of them instead of one each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from types import TracebackType

FINEST_S, COARSEST_S = 0.01, 0.5


class Deadline:
    """The limit of one task: a context manager; `passed` tells that the task was cancelled for it."""

    __slots__ = ("_all", "_left", "_outer", "_seconds", "_stops", "_task", "due", "passed")

    def __init__(self, every: Deadlines, task: asyncio.Task[object], seconds: float) -> None:
        self._all = every
        self._task = task
        self._seconds = seconds
        self._left = 0.0
        self._stops = 0
        self._outer: Token[Deadline | None] | None = None
        self.due = 0.0
        self.passed = False

    def __enter__(self) -> Deadline:
        self._all.add(self, self._seconds)
        self._outer = _CURRENT.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._all.discard(self)
        if self._outer is not None:
            _CURRENT.reset(self._outer)
            self._outer = None
        if self.passed:
            self._task.uncancel()

    def pass_by(self) -> None:
        """Cancel the task: its time is up."""
        self.passed = True
        self._task.cancel()

    def stop(self) -> None:
        """Let no time pass until as many calls of `go_on` have come."""
        self._stops += 1
        if self._stops == 1:
            self._left = self.due - asyncio.get_running_loop().time()
            self._all.discard(self)

    def go_on(self) -> None:
        """Let time pass again, unless the task is through with what was limited."""
        self._stops -= 1
        if not self._stops and self._outer is not None and not self.passed:
            self._all.add(self, max(0.0, self._left))


_CURRENT: ContextVar[Deadline | None] = ContextVar("aioncall_deadline", default=None)


@contextmanager
def standing_still() -> Iterator[None]:
    """Stop the clock of the limit that this task runs under: it waits for a place, not for an answer."""
    deadline = _CURRENT.get()
    if deadline is None:
        yield
        return
    deadline.stop()
    try:
        yield
    finally:
        deadline.go_on()


class Deadlines:
    """Cancels tasks that run past their limit, at most a twentieth of the limit (10 ms to 0.5 s) late.

    `asyncio.timeout` sets and cancels a timer a call, which costs more than an instant target does.
    """

    def __init__(self) -> None:
        self._open: set[Deadline] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._step = COARSEST_S

    def for_this_task(self, seconds: float) -> Deadline:
        """Limit the current task; use it as a context manager around what may take too long."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - the engine runs every sample in a task of its own
        return Deadline(self, task, seconds)

    def add(self, deadline: Deadline, seconds: float) -> None:
        """Watch a deadline from now on."""
        loop = asyncio.get_running_loop()
        deadline.due = loop.time() + seconds
        self._open.add(deadline)
        step = min(COARSEST_S, max(FINEST_S, seconds / 20))
        if self._timer is None or step < self._step:
            if self._timer is not None:
                self._timer.cancel()
            self._step = step
            self._timer = loop.call_later(step, self._look)

    def discard(self, deadline: Deadline) -> None:
        """Watch it no longer."""
        self._open.discard(deadline)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for deadline in [d for d in self._open if d.due <= now]:
            self._open.discard(deadline)
            deadline.pass_by()
        self._timer = loop.call_later(self._step, self._look) if self._open else None
        if self._timer is None:
            self._step = COARSEST_S
