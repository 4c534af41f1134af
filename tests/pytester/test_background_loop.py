"""pytest stays in charge: look-ahead, -x, Ctrl-C, xdist, prints and reruns behave as they do for tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from conftest import Project

CASES = {f"case-{n:02}": (f"q{n}", f"Q{n}") for n in range(20)}

MEETING = """
import asyncio
waiting = 0
most = 0
async def answer(text):
    global waiting, most
    waiting += 1
    most = max(most, waiting)
    for _ in range(200):
        if most >= 8:
            break
        await asyncio.sleep(0.01)
    waiting -= 1
    return text.upper() + str(most >= 8)
"""


def test_cases_run_ahead_of_pytest_up_to_the_concurrency(project: Project) -> None:
    """Eight answers wait for one another: only a run that has eight in flight can pass."""
    project.app(MEETING)
    project.evalset(cases={k: (i, e + "True") for k, (i, e) in CASES.items()}, epochs=1)
    result = project.run("--aioncall-concurrency", "8", "-v")
    result.assert_outcomes(passed=20, skipped=1)
    order = [line.split("::")[1].split()[0] for line in result.outlines if "::case-" in line]
    assert order == sorted(order)


def test_a_concurrency_of_one_keeps_unsafe_code_alone(project: Project) -> None:
    project.app(
        "import threading\nbusy = threading.Lock()\n"
        "def answer(text):\n"
        "    assert busy.acquire(blocking=False)\n"
        "    threading.Event().wait(0.005)\n"
        "    busy.release()\n    return text.upper()\n"
    )
    project.evalset(cases=CASES, concurrency=1, epochs=2)
    assert project.run().ret == 0


def test_maxfail_stops_and_bounds_what_was_asked(project: Project) -> None:
    project.app(
        "import pathlib\n"
        "def answer(text):\n"
        "    with open('asked.txt', 'a') as f:\n        f.write(text + '\\n')\n"
        "    raise ValueError(text)\n"
    )
    project.evalset(cases={f"c{n}": (f"q{n}", "x") for n in range(200)}, epochs=1)
    result = project.run("-x", "--aioncall-concurrency", "4")
    assert result.ret == 1
    result.assert_outcomes(failed=1)
    asked = (project.path / "asked.txt").read_text().splitlines()
    assert len(asked) <= 12
    assert project.last_run()["complete"] is False


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
    assert process.returncode == 2, output
    run = project.last_run()
    assert run["complete"] is False
    kept = {s["case"] for s in project.last_samples()}
    assert {f"case-{n:02}" for n in range(10)} <= kept
    assert "gate[" not in output
    assert "interrupted" in output.lower()


def test_xdist_gives_the_same_records_and_the_same_verdict(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset(cases=CASES)
    project.run()
    project.accept()
    project.app("def answer(text):\n    return 'no' if text in ('q1', 'q2', 'q3', 'q4') else text.upper()\n")
    alone = project.run()
    alone_verdicts = project.report()["evalsets"][0]["judgement"]["verdicts"]
    shared = project.run_apart("-n", "2")
    assert (alone.ret, shared.ret) == (1, 1), shared.stdout.str()
    assert project.report()["evalsets"][0]["judgement"]["verdicts"] == alone_verdicts
    key = [(s["case"], s["epoch"], s["output"]["text"], s["scores"]) for s in project.last_samples()]
    assert len(key) == 60
    assert "--aioncall-concurrency" in shared.stdout.str()
    shared.stdout.fnmatch_lines(["*gate[[]exact[]]*"])


@pytest.mark.parametrize("capture", ["fd", "sys", "no"])
def test_prints_go_to_the_sample_that_printed(project: Project, capture: str) -> None:
    project.app(
        "import asyncio\n"
        "async def answer(text):\n"
        "    print('thinking about', text)\n"
        "    await asyncio.sleep(0.01)\n"
        "    if text == 'q3':\n        raise ValueError('broke')\n"
        "    return text.upper()\n"
    )
    project.evalset(cases=CASES, epochs=1)
    result = project.run(f"--capture={capture}")
    result.stdout.fnmatch_lines(["*printed by the target*", "thinking about q3"])
    assert "thinking about q4" not in result.stdout.str()


def test_prints_of_a_sync_target_are_routed_too(project: Project) -> None:
    project.app(
        "def answer(text):\n    print('thinking about', text)\n"
        "    if text == 'q3':\n        raise ValueError('broke')\n    return text.upper()\n"
    )
    project.evalset(cases=CASES, epochs=1)
    result = project.run()
    assert "thinking about q3" in result.stdout.str()
    assert "thinking about q4" not in result.stdout.str()


def test_a_rerun_plugin_never_repeats_until_green(project: Project) -> None:
    project.app(
        "import itertools\ncount = itertools.count()\n"
        "def answer(text):\n    if next(count) == 0:\n        raise ValueError('once')\n"
        "    return text.upper()\n"
    )
    project.evalset(cases={"a": ("a", "A")}, epochs=1)
    result = project.run("--reruns", "3")
    assert result.ret == 1
    assert len(project.last_samples()) == 1
    assert "--reruns is off" in result.stdout.str()


def test_a_shared_async_client_lives_for_the_whole_run(project: Project) -> None:
    """An event loop per test would close it; a context manager target is entered once."""
    project.app(
        "import asyncio\n"
        "class answer:\n"
        "    entered = 0\n"
        "    async def __aenter__(self):\n"
        "        answer.entered += 1\n        self.loop = asyncio.get_running_loop()\n        return self\n"
        "    async def __aexit__(self, *error):\n        open('closed.txt', 'w').close()\n"
        "    async def __call__(self, text):\n"
        "        assert asyncio.get_running_loop() is self.loop\n"
        "        assert answer.entered == 1\n        return text.upper()\n"
    )
    project.evalset(cases=CASES)
    assert project.run().ret == 0
    assert (project.path / "closed.txt").exists()


def test_a_conftest_takes_part_through_hooks(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset(epochs=1)
    project.write(
        "conftest.py",
        """
        import dataclasses
        def pytest_aioncall_settings(settings):
            return dataclasses.replace(settings, epochs=2)
        def pytest_aioncall_case_finished(case, samples, outcome):
            print(f"\\nfinished {case.id} {len(samples)} {outcome.kind}")
        def pytest_aioncall_run_finished(report):
            print(f"\\nrun {report.status}")
        """,
    )
    result = project.run("-s")
    result.stdout.fnmatch_lines(["*finished a 2 held*", "*run pass*"])
