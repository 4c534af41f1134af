"""Ctrl-C ends a run at once: what was answered is kept, nothing is judged, exit 2."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

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


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_ctrl_c_before_the_first_case_says_so(project: Project, workers: tuple[str, ...]) -> None:
    """Not that there is no case: the user knows better."""
    # No answer may come between the start of the engine and the key.
    project.app("import threading\ndef answer(text):\n    threading.Event().wait(60)\n")
    project.evalset(cases=CASES, epochs=1)
    project.write(
        "conftest.py",
        "import pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_runtestloop(session):\n"
        "    if not hasattr(session.config, 'workerinput'):\n"
        "        raise KeyboardInterrupt\n",
    )
    result = project.run_apart(*workers)
    assert result.ret == 2
    assert "interrupted before the first case" in result.stdout.str()
    assert "no case was selected" not in result.stdout.str()


def test_a_run_killed_before_its_end_tells_what_it_kept(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after a second Ctrl-C: samples are there, and run.json says what was to be run."""
    project.app("import os\ndef answer(text):\n    if text == 'q10':\n        os._exit(9)\n    return text\n")
    project.evalset(cases=CASES, epochs=1, concurrency=1)
    project.run_apart()
    assert [one["evalset"] for one in project.last_run()["evalsets"]] == ["demo"]
    assert project.last_run()["ended_at"] is None
    kept = len(project.last_samples())
    assert kept
    root = ("--root", str(project.path))
    for action in ("list", "show"):
        capsys.readouterr()
        assert project.command("runs", action, *root) == 0
        assert f"killed before its end, {kept} samples kept" in capsys.readouterr().out
    assert project.command("gate", "--candidate", "latest", *root) == 4
    said = capsys.readouterr().err
    assert f"was killed before its end; {kept} samples kept, but a part is not judged" in said
    assert f"Finish it: pytest --aioncall --aioncall-resume --aioncall-run {project.last_run()['id']}" in said
