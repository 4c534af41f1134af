"""Cases run ahead of pytest, in its order, bounded, and never past what it will ask for."""

from __future__ import annotations

import pytest

from eval_project import Project

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


@pytest.mark.parametrize(
    "skipping",
    [
        "def pytest_collection_modifyitems(items):\n"
        "    for item in items[:-1]:\n        item.add_marker(pytest.mark.skip)\n",
        "def pytest_runtest_setup(item):\n"
        "    if not item.name.endswith('19'):\n        pytest.skip('not today')\n",
    ],
)
def test_skipped_cases_do_not_hold_up_the_others(project: Project, skipping: str) -> None:
    """pytest never asks for them: counting the asked ones only, look-ahead would wait for ever."""
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset(cases=CASES, epochs=1)
    project.write("conftest.py", f"import pytest\n{skipping}")
    project.run("-x", "--aioncall-concurrency", "2").assert_outcomes(passed=1, skipped=19)


def test_a_case_marked_to_be_skipped_costs_nothing(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset(cases=CASES, epochs=1)
    project.write(
        "conftest.py",
        "import pytest\n"
        "def pytest_collection_modifyitems(items):\n    items[0].add_marker(pytest.mark.skip)\n",
    )
    project.run()
    assert "case-00" not in {s["case"] for s in project.last_samples()}
