"""kill -9 at random moments of a paid run: nothing that was finished is lost, nothing of it is paid again.

A real pytest asks a real HTTP server; it is killed at random, resumed, killed again, until the run is done.
The server counts what it was asked. What was in flight at a kill (asked, and not on disk) is paid twice, and
there is never more of that than the concurrency.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from model_server import Asked, ModelServer, model_server

from eval_project import QUIET, Project

KILLS = 25
"""For each of two seeds: 50 in all."""
CASES, CONCURRENCY = 400, 6


class Assassin:
    """Kills a process some moments after it has asked so many questions."""

    def __init__(self, server: ModelServer, rng: random.Random) -> None:
        self.rng = rng
        self.asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._left = 0
        self._due = threading.Event()
        server.answer = self._answer

    def _answer(self, asked: Asked) -> str:
        with self._lock:
            self.asked[asked.question] += 1
            self._left -= 1
            if self._left == 0:
                self._due.set()
            wait = self.rng.uniform(0.001, 0.02)
        time.sleep(wait)
        return asked.question.upper()

    def kill(self, process: subprocess.Popen[bytes], *, after: int, wait_s: float) -> bool:
        """Kill once so many further questions came and some more time is over; False where it ended first."""
        with self._lock:
            self._left = after
            self._due.clear()
        while not self._due.wait(0.01):
            if process.poll() is not None:
                return False
        time.sleep(wait_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        return process.returncode == -signal.SIGKILL


def started(project: Project, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", "--aioncall", "-q", *QUIET, *arguments]
    env = {
        k: v
        for k, v in os.environ.items()
        if k not in ("CI", "PYTEST_XDIST_WORKER", "PYTHONDONTWRITEBYTECODE")
    }
    log = (project.path / "log.txt").open("ab")
    return subprocess.Popen(command, cwd=project.path, stdout=log, stderr=log, env=env)


def samples(runs: Path) -> dict[str, str]:
    """Return the whole lines of the one run, by case."""
    found: dict[str, str] = {}
    for file in runs.glob("*/samples.jsonl"):
        for line in file.read_text().split("\n")[:-1]:
            found[json.loads(line)["case"]] = line
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_killed_at_25_random_moments_loses_nothing_and_pays_twice_only_for_what_was_in_flight(
    project: Project, seed: int
) -> None:
    rng = random.Random(seed)
    runs = project.path / ".aioncall" / "runs"
    with model_server() as server:
        assassin = Assassin(server, rng)
        project.config(
            providers={"main": {"kind": "openai", "base_url": f"{server.url}/v1"}},
            defaults={"concurrency": CONCURRENCY},
        )
        project.evalset(
            target={"chat": {"model": "main/m-1", "prompt": "{{ input }}"}},
            epochs=1,
            cases={f"c{n:03}": (f"q{n:03}", f"Q{n:03}") for n in range(CASES)},
        )
        in_flight: Counter[str] = Counter()
        before: dict[str, str] = {}
        for kill in range(KILLS):
            asked_before = assassin.asked.copy()
            process = started(project, *(("--aioncall-resume",) if any(runs.glob("*/run.json")) else ()))
            # A share of what is left, so that the run outlives all kills but hardly the last one.
            left = CASES - len(before)
            most = (left - 4 * CONCURRENCY) // (KILLS - kill)
            after = rng.randint(1, max(1, min(2 * most - 1, left - 4 * CONCURRENCY)))
            assert assassin.kill(process, after=after, wait_s=rng.uniform(0, 0.02)), (
                project.path / "log.txt"
            ).read_text()
            time.sleep(0.05)  # what the server was still reading when its client died
            kept = samples(runs)
            assert {case: kept.get(case) for case in before} == before, "a finished sample is gone or changed"
            asked_now = assassin.asked - asked_before
            unpaid = {q for q in asked_now if f"c{q[1:]}" not in kept}
            assert len(unpaid) <= CONCURRENCY
            in_flight.update(unpaid)
            before = kept
        process = started(project, "--aioncall-resume")
        assert process.wait(120) == 0, (project.path / "log.txt").read_text()[-3000:]
        whole = samples(runs)
    # A run that was killed before it wrote anything leaves an empty folder, and is none.
    assert len(list(runs.glob("*/run.json"))) == 1
    assert {case: whole[case] for case in before} == before
    assert len(whole) == CASES
    assert assassin.asked == Counter({f"q{n:03}": 1 for n in range(CASES)}) + in_flight
    assert all(json.loads(line)["output"]["text"] == f"Q{case[1:]}" for case, line in whole.items())
