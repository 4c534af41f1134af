"""What a large run costs that is recorded, replayed, killed and resumed, judged again from its folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.idle import as_run
from benchmarks.items import count_right
from benchmarks.meter import CLIENT_CORE, SERVER_CORE, CommandFailed, Cost, measure
from benchmarks.project import count_passed, lay_project, plugin_command, plugin_run
from benchmarks.results import Results, Run, now
from benchmarks.serving import as_options, child_environment, mock_server

RECORD, REPLAY = "record", "replay"
RESUME, REPORT = "resume", "judge and report from the run folder"
COUNTING = """\
import asyncio
import os

from benchmarks.items import ITEM, answer_to

HELD = os.environ.get("BENCH_HELD")


async def answer(question: str) -> str:
    with open("calls.txt", "a") as file:
        file.write(".")
    if ITEM.search(question)[1] == HELD:
        await asyncio.sleep(3600)
    return answer_to(question)
"""


def keeping(*, quick: bool) -> Results:
    """Return runs that record, replay, resume and judge 10,000 cases."""
    count, repeats = (1_000, 1) if quick else (10_000, 3)
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="aioncall-bench-") as name:
        folder = Path(name)
        runs += [as_run(cost, client=what, cases=count, round=0) for what, cost in _recorded(folder, count)]
        for number in range(repeats):
            again = _checked(folder / "recorded", plugin_run(folder / "recorded", "--aioncall-replay"), count)
            runs.append(as_run(again, client=REPLAY, cases=count, round=number))
            runs.append(as_run(_judged_again(folder / "recorded"), client=REPORT, cases=count, round=number))
            project = folder / f"killed-{number}"
            kept = kill_near_the_end(project, count=count)
            run = as_run(resume(project, count=count, kept=kept), client=RESUME, cases=count, round=number)
            runs.append({**run, "kept": kept})
    return now("keeping", runs)


def _recorded(folder: Path, count: int) -> list[tuple[str, Cost]]:
    """Record answers of a server without latency, once: its cost is that of the writing."""
    project = folder / "recorded"
    with mock_server(*as_options(latency_ms=0), core=SERVER_CORE) as server:
        lay_project(project, count=count, base_url=server.base_url)
        return [(RECORD, _checked(project, plugin_run(project, "--aioncall-record"), count))]


def _judged_again(project: Path) -> Cost:
    code = "import sys; from pytest_aioncall.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "gate", "--candidate", "latest", "--report", "out"]
    return measure(command, folder=project, core=CLIENT_CORE, env=child_environment())


def kill_near_the_end(project: Path, *, count: int) -> int:
    """Run all cases with one that never answers, kill the run with SIGKILL, and return what it kept."""
    lay_project(project, count=count)
    (project / "instant.py").write_text(COUNTING, encoding="utf-8")
    held = {**child_environment(), "BENCH_HELD": str(count - 1)}
    with (project / "killed.log").open("wb") as log:
        process = subprocess.Popen(
            plugin_command(), cwd=project, env=held, stdout=log, stderr=log, start_new_session=True
        )
        try:
            deadline = time.monotonic() + 600
            while (kept := _kept(project)) < count - 1:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise CommandFailed(f"a run to be killed kept {kept} of {count - 1} samples")
                time.sleep(0.2)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    (project / "calls.txt").unlink()
    return kept


def resume(project: Path, *, count: int, kept: int) -> Cost:
    """Go on with the killed run. Raises CommandFailed where a finished sample was asked for again."""
    cost = _checked(project, plugin_run(project, "--aioncall-resume"), count)
    asked = len((project / "calls.txt").read_text(encoding="ascii"))
    if asked != count - kept:
        raise CommandFailed(f"resuming asked {asked} times, not {count - kept}")
    return cost


def _kept(project: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in project.glob(".aioncall/runs/*/samples.jsonl"))


def _checked(project: Path, cost: Cost, count: int) -> Cost:
    if (right := count_passed(project)) != count_right(count):
        raise CommandFailed(f"{right} of {count} cases passed, not {count_right(count)}")
    return cost
