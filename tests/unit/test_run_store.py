"""Run folders sort by time, whatever the clock: `latest` is the run that was made last."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pytest_aioncall.adapters.run_store import RunStore, find_run, list_runs
from pytest_aioncall.model.run import Run

NOON = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


def make(runs: Path, now: datetime) -> Path:
    store = RunStore.create(runs, now=now)
    store.write_run(Run(id=store.run_id, created_at=now.isoformat()))
    store.close()
    return store.folder


def test_runs_of_one_second_keep_their_order(tmp_path: Path) -> None:
    made = [make(tmp_path, NOON + timedelta(milliseconds=ms)) for ms in range(30)]
    assert list_runs(tmp_path) == made
    assert find_run(tmp_path, "latest") == made[-1]


@pytest.mark.parametrize("nth", range(5))
def test_runs_at_one_instant_go_by_their_writing(tmp_path: Path, nth: int) -> None:
    """AIONCALL_NOW stands still; the later run is the latest all the same."""
    made = [make(tmp_path, NOON) for _ in range(6)]
    for second, folder in enumerate(made):
        os.utime(folder / "run.json", (second, second))
    assert list_runs(tmp_path) == made
