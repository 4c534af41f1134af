"""Run folders keep what was observed: sorted by time, whole lines, readable after any crash."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pytest_aioncall.adapters.run_store import (
    RunStore,
    check_writable,
    find_run,
    list_runs,
    mend_samples,
    prune_runs,
    read_run,
    read_samples,
)
from pytest_aioncall.errors import StoreError, UsageError
from pytest_aioncall.model.run import Run
from pytest_aioncall.model.sample import Output, Sample

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


def sample(case: str = "a", epoch: int = 0, text: str = "x") -> Sample:
    return Sample(evalset="e", case=case, digest="d", epoch=epoch, output=Output(text=text))


def written(runs: Path, samples: list[Sample]) -> Path:
    store = RunStore.create(runs, now=NOON)
    store.write_run(Run(id=store.run_id, created_at=NOON.isoformat()))
    store.append(samples)
    store.close()
    return store.folder


def test_samples_come_back_as_they_were_written(tmp_path: Path) -> None:
    samples = [sample("a", n, text) for n, text in enumerate(("", "line\nline", "caf\u00e9 \u202e", "\0"))]
    assert list(read_samples(written(tmp_path, samples))) == samples


@pytest.mark.parametrize("cut", [1, 2, 40, 10_000])
def test_a_torn_last_line_is_passed_over(tmp_path: Path, cut: int) -> None:
    folder = written(tmp_path, [sample("a"), sample("b")])
    path = folder / "samples.jsonl"
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    path.write_bytes(whole[: max(first, len(whole) - cut)])
    assert [s.case for s in read_samples(folder)] == ["a"]


def test_a_line_that_is_no_sample_is_named_with_its_number(tmp_path: Path) -> None:
    folder = written(tmp_path, [sample("a")])
    with (folder / "samples.jsonl").open("a") as file:
        file.write('{"format": 1}\n')
    with pytest.raises(UsageError, match=r"samples\.jsonl:2: not a sample"):
        list(read_samples(folder))


def test_a_write_that_takes_a_part_only_is_carried_on(tmp_path: Path) -> None:
    """A disk that fills up takes what fits: lines must not be torn in the middle of the file."""
    store = RunStore.create(tmp_path, now=NOON)
    whole = store._samples

    class Sparing:
        def write(self, data: memoryview) -> int:
            return whole.write(data[:7])

    store._samples = Sparing()  # type: ignore[assignment]
    store.append([sample("a"), sample("b")])
    whole.close()
    assert [s.case for s in read_samples(store.folder)] == ["a", "b"]


def test_a_full_disk_is_a_store_error_that_names_the_file(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path, now=NOON)
    store.close()
    store._samples = Path("/dev/full").open("ab", buffering=0)  # noqa: SIM115 - closed by the store
    with pytest.raises(StoreError, match=r"samples\.jsonl: cannot be written: No space left"):
        store.append([sample()])
    store.close()


def test_what_is_kept_after_a_full_disk_does_not_hang_on_half_a_line(tmp_path: Path) -> None:
    """Others are in flight when the disk refuses; there may be room again when they are done."""
    store = RunStore.create(tmp_path, now=NOON)
    whole = store._samples

    class Full:
        writes = 0

        def write(self, data: memoryview) -> int:
            self.writes += 1
            if self.writes == 2:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return whole.write(data[:30] if self.writes == 1 else data)

    store._samples = Full()  # type: ignore[assignment]
    with pytest.raises(StoreError):
        store.append([sample("a")])
    store.append([sample("b")])
    store.append([sample("c")])
    store._samples = whole
    store.close()
    kept = mend_samples(store.folder)
    assert ([s.case for s in read_samples(store.folder)], kept.torn) == (["b", "c"], 1)


def test_run_folders_are_never_shared(tmp_path: Path) -> None:
    assert len({RunStore.create(tmp_path, now=NOON).folder for _ in range(50)}) == 50


def test_pruning_deletes_the_oldest_and_never_the_run_that_just_ended(tmp_path: Path) -> None:
    made = [make(tmp_path, NOON + timedelta(minutes=n)) for n in range(5)]
    assert prune_runs(tmp_path, keep=2, but=made[0]) == made[1:3]
    assert list_runs(tmp_path) == [made[0], *made[3:]]


def test_a_run_is_found_by_id_folder_and_latest(tmp_path: Path) -> None:
    made = [make(tmp_path / "runs", NOON + timedelta(minutes=n)) for n in range(2)]
    runs = tmp_path / "runs"
    assert find_run(runs, made[0].name) == made[0]
    assert find_run(runs, str(made[0])) == made[0]
    assert find_run(runs, "latest") == made[1]
    for name in ("nope", "../runs", ""):
        with pytest.raises(UsageError, match="no such file, run folder or run"):
            find_run(runs, name)


def test_without_any_run_latest_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="run pytest --aioncall first"):
        find_run(tmp_path / "runs", "latest")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"format": 2}', "format 2; this version reads format 1"),
        ("{torn", "cannot be read"),
        ('{"format": 1}', "was not written by this tool"),
        ("[]", "was not written by this tool"),
    ],
)
def test_a_run_file_that_cannot_be_read_says_why(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(UsageError, match=told):
        read_run(tmp_path)


def test_a_folder_that_cannot_be_written_is_refused_with_the_setting_to_change(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="store: DIR"):
        check_writable(tmp_path / "file" / "runs")
    check_writable(tmp_path / "new" / "runs")
    assert (tmp_path / "new" / "runs").is_dir()
