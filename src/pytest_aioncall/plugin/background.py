"""The engine beside pytest's loop: one thread, one event loop, look-ahead in the order of the items."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from ..engine import Engine, Job
from ..model.sample import Sample
from .threads import LeavableThreads

SLICE_S = 0.1
"""How long a wait lasts at most before Ctrl-C and the progress line get their turn."""
WINDOW = 128
"""Jobs taken ahead of pytest at most, so that finished samples do not pile up in memory."""
GATHER_S = 0.02
"""How long finished jobs are gathered before pytest's thread is woken: each wake-up costs two changes
of threads."""
CLOSING_S = 15.0
"""How long closing may take before the thread is left behind (it is a daemon)."""


@dataclass(slots=True)
class Finished:
    """The samples of a job by epoch, and what user code printed meanwhile."""

    samples: list[Sample]
    said: str


class EngineDied(RuntimeError):
    """Tell that the engine's thread ended with work left; its cause says why."""


class Background:
    """Runs jobs on an event loop of its own while pytest's loop stays in charge.

    `make_engine` is called on the loop (semaphores belong to it); `closing` are awaited on it at the end.
    """

    def __init__(
        self,
        make_engine: Callable[[], Engine],
        *,
        closing: Sequence[Callable[[], Awaitable[None]]] = (),
        window: int = WINDOW,
    ) -> None:
        self._make_engine = make_engine
        self._closing = tuple(closing)
        self._window = window
        self._ahead: deque[Job] = deque()
        self._demanded: deque[Job] = deque()
        self._place: dict[Job, int] = {}
        self._done: dict[Job, Finished] = {}
        self._changed = threading.Condition()
        self._awaited: Job | None = None
        self._telling: asyncio.TimerHandle | None = None
        self._lined_up = 0
        self._taken = 0
        self._reached = 0
        self._starving = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._hungry: asyncio.Event | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="aioncall-engine", daemon=True)
        self.died: BaseException | None = None
        self.engine: Engine | None = None

    def start(self, jobs: Sequence[Job]) -> None:
        """Start the thread; `jobs` are looked ahead in order (none under xdist: cases come on demand)."""
        self._line_up(jobs)
        self._thread.start()
        self._started.wait()

    def more(self, jobs: Sequence[Job]) -> None:
        """Line up further jobs behind those of `start`; they begin at once."""
        self._line_up(jobs)
        self._wake()

    def _line_up(self, jobs: Sequence[Job]) -> None:
        self._place.update((job, place) for place, job in enumerate(jobs, start=self._lined_up + 1))
        self._lined_up += len(jobs)
        self._ahead.extend(jobs)

    def result(self, job: Job, *, on_wait: Callable[[], None]) -> Finished:
        """Return the samples of a job, waiting in short slices. Without look-ahead it starts now.

        Raises EngineDied where the engine cannot go on, KeyboardInterrupt where user code raised that.
        """
        place = self._place.pop(job, None)
        if place is None:
            self._demanded.append(job)
            self._wake()
        else:
            # The place counts, not how many were waited for: pytest may skip items, and never ask for them.
            self._reached = max(self._reached, place)
            if self._starving and self._taken - self._reached <= self._window // 2:
                self._wake()
        with self._changed:
            self._awaited = job
            while job not in self._done:
                if not self._thread.is_alive() and job not in self._done:
                    if isinstance(self.died, KeyboardInterrupt):
                        raise KeyboardInterrupt from self.died
                    raise EngineDied(f"the engine stopped before {job.case.id}") from self.died
                if not self._changed.wait(SLICE_S):
                    on_wait()
            self._awaited = None
            return self._done.pop(job)

    def stop(self) -> None:
        """Cancel what is left, close what was opened, end the thread."""
        loop, main = self._loop, self._main
        if loop is not None and main is not None and self._thread.is_alive():
            try:
                loop.call_soon_threadsafe(main.cancel)
            except RuntimeError:
                return
            self._thread.join(CLOSING_S)

    def _wake(self) -> None:
        loop, hungry = self._loop, self._hungry
        if loop is not None and hungry is not None:
            try:
                loop.call_soon_threadsafe(hungry.set)
            except RuntimeError:  # the loop is closed: `result` sees that the thread has ended
                return

    def _run(self) -> None:
        try:
            with asyncio.Runner() as runner:
                loop = runner.get_loop()
                loop.set_default_executor(LeavableThreads())
                main = self._main = loop.create_task(self._serve())
                while not main.done():
                    try:
                        loop.run_until_complete(main)
                    except (SystemExit, KeyboardInterrupt):
                        # Raised in a task that user code made it ends run_forever: only that task is to end.
                        if main.done():
                            raise
        except BaseException as error:  # noqa: BLE001 - kept for the thread that waits
            self.died = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._hungry = asyncio.Event()
        engine = self.engine = self._make_engine()
        self._started.set()
        try:
            await engine.feed(self._jobs(), self._finished)
        except asyncio.CancelledError:
            pass
        finally:
            await engine.close()
            for close in self._closing:
                await close()

    async def _jobs(self) -> AsyncIterator[Job]:
        """Yield jobs in order, at most the window ahead of where pytest is; never end."""
        assert self._hungry is not None  # noqa: S101 - set before the engine feeds
        while True:
            while not self._may_take():
                self._hungry.clear()
                self._starving = True
                # Until pytest goes on there is nothing more to start: it is not to wait for us as well.
                self._tell()
                # Asked again: pytest may have moved on before it could see that we starve.
                if self._may_take():
                    break
                await self._hungry.wait()
            self._starving = False
            if self._demanded:
                yield self._demanded.popleft()
            else:
                self._taken += 1
                yield self._ahead.popleft()

    def _may_take(self) -> bool:
        return bool(self._demanded or (self._ahead and self._taken - self._reached < self._window))

    def _finished(self, job: Job, samples: list[Sample], said: str) -> None:
        # One store into a dict: pytest's thread sees all of it or nothing, without a lock.
        self._done[job] = Finished(samples, said)
        if self._awaited is not job:
            return
        if self._starving or self._loop is None:
            self._tell()
        elif self._telling is None:
            self._telling = self._loop.call_later(GATHER_S, self._tell)

    def _tell(self) -> None:
        """Wake pytest's thread where what it waits for is there."""
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        with self._changed:
            if self._awaited in self._done:
                self._changed.notify()
