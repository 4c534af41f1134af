"""Run one soak and look at it while it runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.faults import KINDS
from benchmarks.serving import as_options, child_environment, mock_server
from benchmarks.soak.checks import Check, Soaked, checks
from benchmarks.soak.shapes import CONCURRENCY, Shape, lay_soak
from benchmarks.soak.watching import watch

PYTEST = (
    *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:anyio", "-p", "no:xdist"),
    *("-p", "no:rerunfailures", "-p", "no:hypothesispytest", "--tb=no", "--no-header"),
)
FEWEST_LOOKS = 60
FASTEST = 2000.0


def pace_of(shape: Shape, *, seconds: float, faults: float, retry_after_s: int) -> float:
    """Return how many requests a second the server has to answer between the pauses that it asks for.

    A 429 stops all calls to its provider for `retry_after_s`; what is left of the time is for the answers.
    """
    a_request_s = seconds / (shape.samples * (1 + faults))
    paused_s = faults / len(KINDS) * retry_after_s
    return min(FASTEST, 1 / max(1 / FASTEST, a_request_s - paused_s))


def soak(
    folder: Path, shape: Shape, *, seconds: float, faults: float, retry_after_s: int = 1, seed: int = 1
) -> tuple[Soaked, list[Check]]:
    """Soak one shape for about so many seconds; return what is known at the end and what it means.

    The server paces itself: it answers as many requests a second as the samples and their retries need.
    """
    pace = pace_of(shape, seconds=seconds, faults=faults, retry_after_s=retry_after_s)
    settings = as_options(pace=pace, faults=faults, seed=seed, retry_after=retry_after_s)
    with mock_server(*settings) as server:
        lay_soak(folder, shape, base_url=server.base_url)
        log = folder / "pytest.log"
        command = [*PYTEST, "--aioncall", "--aioncall-concurrency", str(CONCURRENCY), "soak.eval.yaml"]
        with log.open("wb") as sink:
            process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
                env=child_environment(),
            )  # fmt: skip
            try:
                looks = watch(
                    process.pid,
                    answered=lambda: server.stats()["answered"],
                    ended=lambda: process.poll() is not None,
                    every_s=min(2.0, seconds / FEWEST_LOOKS / 4),
                )
                code = process.wait(timeout=120 + seconds)
            finally:
                if process.poll() is None:
                    process.kill()
        seen = server.stats()
    tasks_file = folder / "tasks.txt"
    tasks = [int(line) for line in tasks_file.read_text().split()] if tasks_file.exists() else []
    soaked = Soaked(shape, folder, code, looks, tasks, seen)
    return soaked, list(checks(soaked))
