"""Run one command and say what it cost."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall and CPU seconds (user + system, children included), peak resident MiB, what it printed."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    output: str


class CommandFailed(Exception):
    """Tell that a measured command did not end as it should: its cost means nothing."""


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Start child processes on one core only (they inherit it), where the system can and a core is named."""
    if core is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure(
    command: Sequence[str],
    *,
    folder: Path,
    core: int | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float = 1200,
) -> Cost:
    """Run `command` in `folder`, pinned to one core where asked, and return its cost.

    Peak memory is of the largest single process, with this process's own as a lower limit: imports are few
    here for that reason. Raises CommandFailed unless the command exits 0 within `timeout_s`.
    """
    log = folder / "measured.log"
    with log.open("wb") as sink, pinned(core):
        started = time.perf_counter()
        process = subprocess.Popen(
            list(command), cwd=folder, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
        )  # fmt: skip
        timer = Timer(timeout_s, process.kill)
        timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            timer.cancel()
        wall_s = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    output = log.read_text(encoding="utf-8", errors="replace")
    if process.returncode != 0:
        raise CommandFailed(f"{' '.join(command)} exited {process.returncode}:\n{output[-3000:]}")
    return Cost(wall_s, usage.ru_utime + usage.ru_stime, peak_mib(usage), output)


def peak_mib(usage: resource.struct_rusage) -> float:
    """Return the peak resident size in MiB (the kernel counts KiB on Linux, bytes on macOS)."""
    return usage.ru_maxrss / (1024 if platform.system() != "Darwin" else 1024 * 1024)


def machine() -> str:
    """Return one line about this machine and the load on it."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line
        ]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, load {os.getloadavg()[0]:.1f}"
