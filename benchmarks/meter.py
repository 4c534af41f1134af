"""Run one command and say what it cost, and what else ran on its core meanwhile."""

from __future__ import annotations

import os
import platform
import resource
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

CORES: list[int | None] = [*sorted(os.sched_getaffinity(0))] if hasattr(os, "sched_getaffinity") else [None]
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[-1]
"""The model server has the first core of this machine for itself, whatever is measured has the last one."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall and CPU seconds (user + system, children included), peak resident MiB, what it printed.

    `peak_mib` is None where the system cannot tell it from the memory of the process that measured.
    `other_s` is the CPU time that everything else took on the same core meanwhile: near 0 is a clean run.
    """

    wall_s: float
    cpu_s: float
    peak_mib: float | None
    output: str
    other_s: float = 0.0


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
    exits: Sequence[int] = (0,),
) -> Cost:
    """Run `command` in `folder`, pinned to one core where asked, and return its cost.

    Peak memory is of the largest single process. A child begins as a copy of this process, which is why
    imports are few here: no peak below this process's own is known. Raises CommandFailed unless it ends
    within `timeout_s`, with a code of `exits`.
    """
    log = folder / "measured.log"
    with log.open("wb") as sink, pinned(core):
        busy = busy_s(core)
        started = time.perf_counter()
        process = subprocess.Popen(
            list(command), cwd=folder, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})}, start_new_session=True,
        )  # fmt: skip
        timer = Timer(timeout_s, os.killpg, (process.pid, signal.SIGKILL))
        timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            timer.cancel()
        wall_s = time.perf_counter() - started
        busy = busy_s(core) - busy
    process.returncode = os.waitstatus_to_exitcode(status)
    output = log.read_text(encoding="utf-8", errors="replace")
    if process.returncode not in exits:
        raise CommandFailed(f"{' '.join(command)} exited {process.returncode}:\n{output[-3000:]}")
    cpu_s = usage.ru_utime + usage.ru_stime
    peak, own = peak_mib(usage), peak_mib(resource.getrusage(resource.RUSAGE_SELF))
    known = round(peak, 1) if peak > own else None
    return Cost(wall_s, cpu_s, known, output, other_s=max(0.0, busy - cpu_s))


def peak_mib(usage: resource.struct_rusage) -> float:
    """Return the peak resident size in MiB (the kernel counts KiB on Linux, bytes on macOS)."""
    return usage.ru_maxrss / (1024 if platform.system() != "Darwin" else 1024 * 1024)


def busy_s(core: int | None) -> float:
    """Return the seconds that a core has worked so far, for any process; 0 where the system does not say."""
    stat = Path("/proc/stat")
    if core is None or not stat.is_file():
        return 0.0
    fields = next(
        line.split()[1:] for line in stat.read_text().splitlines() if line.startswith(f"cpu{core} ")
    )
    user, nice, system, _idle, _waiting, hard, soft, stolen = map(int, fields[:8])
    ticks: int = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + hard + soft + stolen) / ticks


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
