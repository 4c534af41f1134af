"""A sample that `append` returned for is on disk, whatever happens to the process next."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_aioncall.adapters.run_store import RunStore, read_samples
from pytest_aioncall.model.sample import Output, Sample, SampleError
from pytest_aioncall.protocols import Store

Make = Callable[[Path], Store]


def run_store(folder: Path) -> Store:
    return RunStore.create(folder, now=datetime(2026, 11, 21, tzinfo=UTC))


MAKES: list[Make] = [run_store]


def kept(folder: Path) -> list[Sample]:
    return [sample for run in sorted(folder.iterdir()) for sample in read_samples(run)]


def sample(n: int, text: str = "x") -> Sample:
    return Sample(evalset="e", case=f"c{n}", digest="d", epoch=0, output=Output(text=text))


@pytest.mark.parametrize("make", MAKES)
def test_samples_are_readable_before_the_store_is_closed(make: Make, tmp_path: Path) -> None:
    store = make(tmp_path)
    for n in range(3):
        store.append([sample(n)])
        assert [s.case for s in kept(tmp_path)] == [f"c{m}" for m in range(n + 1)]
    store.close()


@pytest.mark.parametrize("make", MAKES)
def test_samples_keep_their_order_and_their_content(make: Make, tmp_path: Path) -> None:
    failed = Sample(
        evalset="e",
        case="bad",
        digest="d",
        epoch=1,
        error=SampleError(kind="user", type="E", message="m\n\u2028"),
    )
    samples = [sample(0, "a\nb\r\n"), failed, sample(1, "\x00\x1b[31m\u202e"), sample(2, "y" * 300_000)]
    store = make(tmp_path)
    store.append(samples[:3])
    store.append([])
    store.append(samples[3:])
    store.close()
    assert kept(tmp_path) == samples


@pytest.mark.parametrize("make", MAKES)
def test_two_stores_in_one_folder_do_not_mix(make: Make, tmp_path: Path) -> None:
    one, two = make(tmp_path), make(tmp_path)
    one.append([sample(1)])
    two.append([sample(2)])
    one.append([sample(3)])
    one.close()
    two.close()
    assert sorted([s.case for s in read_samples(run)] for run in tmp_path.iterdir()) == [["c1", "c3"], ["c2"]]


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import test_store_contract as contract
store = getattr(contract, sys.argv[2])(Path(sys.argv[3]))
store.append([contract.sample(n) for n in range(5)])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("make", MAKES)
def test_a_killed_process_loses_nothing_that_was_appended(make: Make, tmp_path: Path) -> None:
    code = [sys.executable, "-c", KILLED, str(Path(__file__).parent), make.__name__, str(tmp_path)]
    done = subprocess.run(code, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert [s.case for s in kept(tmp_path)] == [f"c{n}" for n in range(5)]
