"""What keeps a large run quick and small, and that nobody sees a difference. Counts, not seconds."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eval_project import Project
from pytest_aioncall.decide.rows import row_of
from pytest_aioncall.engine import Engine, Job
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.model.sample import Output, Sample, Score
from pytest_aioncall.plugin import background as beside
from pytest_aioncall.plugin import garbage
from pytest_aioncall.plugin.background import Background

CASES = {f"case-{n}": (f"q{n}", f"Q{n}") for n in range(12)}
UPPER = "def answer(text):\n    return text.upper()\n"


class Quick:
    """A target that answers after one turn of the loop."""

    async def answer(self, case: Case, *, epoch: int) -> Output:
        await asyncio.sleep(0)
        return Output(text=case.id)

    def fingerprint(self) -> dict[str, Any]:
        return {}


class CountedWaits(threading.Condition):
    """Counts how often a thread went to sleep on it."""

    waits = 0

    def wait(self, timeout: float | None = None) -> bool:
        self.waits += 1
        return super().wait(timeout)


def run_beside(count: int) -> CountedWaits:
    """Run jobs beside this thread, which asks for them in order; return what it slept on."""
    target = Quick()
    jobs = [Job("demo", Case(id=f"c{n}", input=n), target, (), 1, 60.0) for n in range(count)]
    background = Background(
        lambda: Engine(concurrency=32, publish=lambda _sample: None, now=lambda: "2026-11-22T00:00:00Z")
    )
    changed = CountedWaits()
    background._changed = changed
    background.start(jobs)
    try:
        for job in jobs:
            found = background.result(job, on_wait=lambda: None)
            assert [sample.case for sample in found.samples] == [job.case.id]
    finally:
        background.stop()
    return changed


def test_pytests_thread_is_woken_for_many_cases_at_once() -> None:
    """Each wake-up costs two changes of threads: at ten thousand cases more than the judging."""
    count = 1_000
    assert run_beside(count).waits <= count // 5


def test_gathering_never_holds_up_a_case_for_which_all_is_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing more can be started, pytest's thread is woken at once."""
    monkeypatch.setattr(beside, "GATHER_S", 3600.0)
    monkeypatch.setattr(beside, "SLICE_S", 3600.0)
    run_beside(300)


@pytest.fixture
def collector_on() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.enable()
    yield
    if not was_on:
        gc.disable()


@pytest.mark.usefixtures("collector_on")
def test_the_collector_is_on_again_after_a_pause_whatever_happens() -> None:
    with pytest.raises(ZeroDivisionError), garbage.paused():
        assert not gc.isenabled()
        raise ZeroDivisionError
    assert gc.isenabled()


@pytest.mark.usefixtures("collector_on")
def test_a_pause_does_not_turn_on_a_collector_that_its_user_turned_off() -> None:
    gc.disable()
    with garbage.paused():
        pass
    assert not gc.isenabled()


def test_a_session_gives_the_collector_back_as_it_was(project: Project) -> None:
    """For programs that run pytest inside of themselves and go on."""
    project.app(UPPER)
    project.evalset(cases=CASES, epochs=1)
    before = gc.get_freeze_count(), gc.isenabled(), gc.get_threshold()
    project.run().assert_outcomes(passed=12, skipped=1)
    assert (gc.get_freeze_count(), gc.isenabled(), gc.get_threshold()) == before


def test_a_sample_is_in_the_run_folder_before_its_item_reports(project: Project) -> None:
    """However writes are gathered: what a screen shows as done, kill -9 cannot take away."""
    project.app(UPPER)
    project.evalset(cases=CASES, epochs=2)
    project.write(
        "conftest.py",
        "import json, pathlib\n"
        "def pytest_runtest_logreport(report):\n"
        "    if report.when == 'call' and '::case-' in report.nodeid:\n"
        "        file, = pathlib.Path('.aioncall/runs').glob('*/samples.jsonl')\n"
        "        lines = map(json.loads, file.read_text().splitlines())\n"
        "        case = report.nodeid.rpartition('::')[2]\n"
        "        found = sum(line.get('case') == case for line in lines)\n"
        "        print(f'KEPT {found}')\n",
    )
    result = project.run_apart("-s")
    assert result.stdout.str().count("KEPT 2") == len(CASES)


PHASES = (
    "def pytest_terminal_summary(terminalreporter):\n"
    "    kept = terminalreporter.stats.get('', [])\n"
    "    told = sorted(r.when for r in kept if '::case-' in r.nodeid)\n"
    "    plain = [r for r in kept if 'test_plain' in r.nodeid]\n"
    "    terminalreporter.write_line(f'PHASES {len(told)} PLAIN {len(plain)}')\n"
)


def test_set_up_and_teardown_of_cases_are_not_kept_and_those_of_tests_are(project: Project) -> None:
    """pytest keeps three reports an item until the end; of 10,000 cases they would be 10 MiB."""
    project.app(UPPER)
    project.evalset(cases=CASES, epochs=1)
    project.write("conftest.py", PHASES)
    project.write("evalsets/test_plain.py", "def test_plain():\n    pass\n")
    result = project.run_apart()
    result.stdout.fnmatch_lines(["PHASES 0 PLAIN 2"])
    result.assert_outcomes(passed=13, skipped=1)


def test_durations_still_tells_of_every_phase(project: Project) -> None:
    project.app(UPPER)
    project.evalset(cases=CASES, epochs=1)
    project.write("conftest.py", PHASES)
    result = project.run_apart("--durations=0", "-vv")
    result.stdout.fnmatch_lines([f"PHASES {2 * len(CASES)} PLAIN 0"])
    assert "setup" in result.stdout.str()


def test_words_that_a_conftest_adds_to_a_case_select_it(project: Project) -> None:
    project.app(UPPER)
    project.evalset(cases=CASES, epochs=1)
    project.write(
        "conftest.py",
        "import pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_collection_modifyitems(items):\n"
        "    items[3].extra_keyword_matches.add('chosen')\n",
    )
    project.run_apart("-k", "chosen").assert_outcomes(passed=1, deselected=11)


def test_a_first_run_loads_no_scipy(project: Project) -> None:
    """It asks for two quantiles; scipy would cost it 25 MiB and a quarter of a second."""
    project.app(UPPER)
    project.evalset(cases=CASES, epochs=1)
    project.write(
        "conftest.py",
        "import sys\n"
        "def pytest_unconfigure():\n"
        "    decided = 'pytest_aioncall.decide.compare' in sys.modules\n"
        "    print('SCIPY', 'scipy' in sys.modules, 'DECIDED', decided)\n",
    )
    assert "SCIPY False DECIDED True" in project.run_apart("-s").stdout.str()


def test_rows_that_say_the_same_share_what_they_say() -> None:
    def row(case: str, value: float) -> Any:
        scores = (Score(scorer="exact", value=value, passed=value == 1.0),)
        sample = Sample(
            evalset="demo", case=case, digest="d", epoch=0, output=Output(text=case), scores=scores
        )
        return row_of([sample], scorers=["exact"])

    assert row("a", 1.0).scores is row("b", 1.0).scores
    assert row("a", 1.0).scores == {"exact": (1.0,)}
    assert row("c", 0.0).scores == {"exact": (0.0,)}


def peak_kib(folder: Path, count: int) -> int:
    """Run an evalset of `count` cases in a process of its own; return its peak memory in KiB."""
    with (folder / "cases.jsonl").open("w", encoding="utf-8") as file:
        for n in range(count):
            case = {"id": f"case-{n}", "input": f"q{n}", "expected": f"Q{n}", "slices": {"part": f"p{n % 7}"}}
            file.write(json.dumps(case) + "\n")
    child = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--aioncall", "big.eval.yaml"],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, str(folder / "out.txt"), os.O_WRONLY | os.O_CREAT, 0o600)],
    )
    _, status, usage = os.wait4(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, (folder / "out.txt").read_text(encoding="utf-8")
    return int(usage.ru_maxrss)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory is counted in KiB on Linux")
def test_a_further_case_takes_few_kib(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """6 KiB are aimed at (make bench measures them); twice that is a leak of samples, answers or reports."""
    project.app("def answer(text):\n    return text.upper() + ' ' * 8000\n")
    project.write(
        "big.eval.yaml",
        'evalset: big\nowner: "@ann"\ntarget: {python: "app:answer"}\nepochs: 1\nscorers: [contains]\n'
        "include: [cases.jsonl]\n",
    )
    monkeypatch.chdir(project.path)
    few, many = 500, 4_500
    assert (peak_kib(project.path, many) - peak_kib(project.path, few)) / (many - few) <= 12
