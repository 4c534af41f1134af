"""What has to hold for every input of every reader."""

from __future__ import annotations

import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from pytest_aioncall.errors import AioncallError, LoadError

CPU_S = 0.5
"""CPU seconds that one input of a few kilobytes may take."""

MEMORY_BYTES = 768 * 1024 * 1024
"""Address space that a fuzzed process may take beyond what it starts with."""

LONGEST_MESSAGE = 1_000
"""Characters of one problem, its place included."""

MOST_PROBLEMS = 200
"""Problems that one load may tell."""


class BrokenPromise(AssertionError):
    """Say which promise an input breaks."""


class OutOfTime(BaseException):
    """End a reader that does not end by itself; no `except Exception` of a reader holds it up."""


def promise(kept: object, what: str) -> None:
    """Raise BrokenPromise unless `kept`."""
    if not kept:
        raise BrokenPromise(what)


def one_printable_line(text: str) -> None:
    """Demand a message that a terminal shows as it is: one line, nothing unseen, not endless."""
    promise(text, "a message is empty")
    promise(text.isprintable(), f"a message holds what nobody sees: {text[:200]!r}")
    promise(len(text) <= LONGEST_MESSAGE, f"a message has {len(text)} characters: {text[:200]!r}")


@contextmanager
def refusals(*, files: tuple[str, ...] = (), also: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Let our own errors pass if they are told well; everything else goes on up.

    files  what the messages of a reader of files may start with
    also   types of a reader's own that stand outside of AioncallError
    """
    ours: tuple[type[Exception], ...] = (AioncallError, *also)
    try:
        yield
    except LoadError as error:
        promise(error.problems, "a LoadError without a problem")
        promise(len(error.problems) <= MOST_PROBLEMS, f"{len(error.problems)} problems in one load")
        for problem in error.problems:
            one_printable_line(str(problem))
            promise(problem.message.strip(), "a problem says nothing")
            promise(problem.line >= 0, "a line below zero")
            promise(not files or problem.file.endswith(files), f"a problem of no file: {problem}")
    except ours as error:
        one_printable_line(str(error))
        promise(
            not files or any(file in str(error) for file in files), f"a message that names no file: {error}"
        )


def limit_memory(limit: int = MEMORY_BYTES) -> None:
    """Make the process raise MemoryError above what it has now and `limit` bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit += pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def run_within(run: Callable[[bytes], None], raw: bytes, *, cpu_s: float = CPU_S) -> None:
    """Run one input; BrokenPromise where it takes more than `cpu_s` CPU seconds.

    A timer of the process's own CPU time ends what would take ten times as long; wall time says nothing on a
    busy machine.
    """

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, 10 * cpu_s)
    start = time.process_time()
    try:
        run(raw)
    except OutOfTime:
        raise BrokenPromise(f"took more than {10 * cpu_s:g} s of CPU and was stopped") from None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    spent = time.process_time() - start
    promise(spent <= cpu_s, f"took {spent:.2f} s of CPU for {len(raw)} bytes")
