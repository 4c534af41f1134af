"""Ctrl-C ends a run at once: what was answered is kept, nothing is judged, exit 2."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from eval_project import Project

CASES = {f"case-{n:02}": (f"q{n}", f"Q{n}") for n in range(20)}


def interrupted(project: Project) -> tuple[int, str]:
    """Run pytest until a target touches `reached`, send Ctrl-C, and return exit code and output."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--aioncall", "-p", "no:cacheprovider"],
        cwd=project.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    for _ in range(600):
        if (project.path / "reached").exists():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


def test_ctrl_c_keeps_the_samples_and_judges_nothing(project: Project) -> None:
    project.app(
        "import pathlib, asyncio\n"
        "async def answer(text):\n"
        "    if text == 'q10':\n"
        "        pathlib.Path('reached').touch()\n"
        "        await asyncio.sleep(600)\n"
        "    return text.upper()\n"
    )
    project.evalset(cases=CASES, epochs=1)
    code, output = interrupted(project)
    assert code == 2, output
    run = project.last_run()
    assert run["complete"] is False
    kept = {s["case"] for s in project.last_samples()}
    assert {f"case-{n:02}" for n in range(10)} <= kept
    assert "gate[" not in output
    assert "interrupted" in output.lower()


def test_a_call_that_hangs_in_a_thread_does_not_hold_up_the_exit(project: Project) -> None:
    """Threads of `asyncio.to_thread` are joined when a process ends; ours are left."""
    project.app(
        "import asyncio, pathlib, threading\n"
        "async def answer(text):\n"
        "    pathlib.Path('reached').touch()\n"
        "    await asyncio.to_thread(threading.Event().wait, 600)\n"
    )
    project.evalset(epochs=1)
    code, _ = interrupted(project)
    assert code == 2


def test_a_keyboard_interrupt_in_a_target_ends_the_run_as_in_a_test(project: Project) -> None:
    project.app(
        "def answer(text):\n    if text == 'q5':\n        raise KeyboardInterrupt\n    return text.upper()\n"
    )
    project.evalset(cases=CASES, epochs=1)
    result = project.run_apart()
    assert result.ret == 2
    assert "EngineDied" not in result.stdout.str()
