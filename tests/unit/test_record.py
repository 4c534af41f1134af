"""The record of a run: on disk before it counts, closed once, nothing invented."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.adapters.run_store import list_runs, read_run, read_samples
from pytest_aioncall.errors import StoreError, UsageError
from pytest_aioncall.flows.record import RunRecord, age_days, rfc3339
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.model.run import RunEvalset
from pytest_aioncall.model.sample import ErrorKind, Output, Sample, SampleError, Score

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def record(tmp_path: Path, *, keep: int = 20, now: datetime = NOON) -> RunRecord:
    return RunRecord(store_folder=tmp_path / "store", root=tmp_path, now=now, keep=keep)


def sample(
    epoch: int = 0, *, error: ErrorKind | None = None, score_error: str | None = None, **output: Any
) -> Sample:
    scores = (Score(scorer="exact", value=None if score_error else 1.0, error=score_error),)
    return Sample(
        evalset="e",
        case="c",
        digest="d",
        epoch=epoch,
        output=None if error else Output(text="x", **output),
        scores=() if error else scores,
        error=SampleError(kind=error, type="Odd", message="no") if error else None,
    )


def planned(**keys: Any) -> RunEvalset:
    return RunEvalset(evalset="e", cases=1, epochs=3, **keys)


def test_nothing_is_written_before_the_first_sample(tmp_path: Path) -> None:
    one = record(tmp_path)
    one.begin()
    assert one.folder is None
    assert one.close(planned=[], complete=False, wall_s=0.0, ended=NOON) is None
    assert list_runs(tmp_path / "store" / "runs") == []


def test_a_run_that_is_killed_is_there_and_says_that_it_is_partial(tmp_path: Path) -> None:
    one = record(tmp_path)
    one.keep([sample()])
    assert one.folder is not None
    assert read_run(one.folder).complete is False
    assert [s.epoch for s in read_samples(one.folder)] == [0]


def test_a_closed_run_has_its_totals(tmp_path: Path) -> None:
    one = record(tmp_path)
    one.keep(
        [sample(0, cost_usd=0.25), sample(1, error="transport"), sample(2, score_error="down", cost_usd=0.5)]
    )
    run = one.close(planned=[planned()], complete=True, wall_s=1.23456, ended=NOON)
    assert run is not None
    assert one.folder is not None
    assert read_run(one.folder) == run
    totals = run.totals
    assert (totals.planned, totals.judged, totals.errors, totals.cost_usd, totals.wall_s) == (
        3,
        1,
        2,
        0.75,
        1.235,
    )
    assert run.created_at == "2026-11-21T12:00:00.000Z"


@pytest.mark.parametrize(
    ("outputs", "cost"),
    [
        ([{"cost_usd": 0.5}, {}], 0.5),
        ([{"cost_usd": 0.5}, {"model": "m"}], None),
        ([{"cost_usd": 0.5}, {"model": "m", "replayed": "2026-01-01"}], 0.5),
    ],
)
def test_a_cost_is_unknown_as_soon_as_one_model_has_no_price(
    tmp_path: Path, outputs: list[dict[str, Any]], cost: float | None
) -> None:
    one = record(tmp_path)
    one.keep([sample(n, **output) for n, output in enumerate(outputs)])
    run = one.close(planned=[planned()], complete=True, wall_s=0.0, ended=NOON)
    assert run is not None
    assert run.totals.cost_usd == cost


def test_errors_are_counted_by_whose_they_are(tmp_path: Path) -> None:
    one = record(tmp_path)
    kinds: list[ErrorKind] = ["user", "target", "cassette_miss", "cancelled", "transport"]
    one.finish_case(
        "e", Case(id="c", input="q"), [sample(n, error=k) for n, k in enumerate(kinds)], {"exact": None}
    )
    found = one.evalsets["e"]
    assert (found.user_errors, found.not_recorded, found.cancelled) == (2, 1, 1)
    assert found.rows["c"].errors == 5
    assert found.rows["c"].scores == {"exact": (None,) * 5}
    assert found.reasons.of("c", "exact") == "Odd: no"


def test_samples_of_many_threads_are_whole_lines(tmp_path: Path) -> None:
    one = record(tmp_path)

    def write(n: int) -> None:
        for epoch in range(20):
            one.keep([sample(100 * n + epoch)])

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert one.folder is not None
    assert len(list(read_samples(one.folder))) == 160
    assert one.counts.samples == 160


def test_only_the_newest_runs_are_kept_and_never_less_than_this_one(tmp_path: Path) -> None:
    for minute in (5, 4, 3):  # a clock that was set: each run is older than the one before
        one = record(tmp_path, keep=1, now=NOON + timedelta(minutes=minute))
        one.keep([sample()])
        one.close(planned=[planned()], complete=True, wall_s=0.0, ended=NOON)
        assert one.folder is not None
        assert one.folder.is_dir()


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    with pytest.raises(UsageError, match="cannot be written"):
        record(tmp_path).begin()


def test_a_folder_that_goes_away_later_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    with pytest.raises(StoreError, match="cannot be written"):
        record(tmp_path).keep([sample()])


def test_a_run_names_the_versions_it_was_made_with(tmp_path: Path) -> None:
    one = record(tmp_path)
    one.keep([sample()])
    assert one.folder is not None
    versions = json.loads((one.folder / "run.json").read_text())["versions"]
    assert {"python", "pytest", "pytest-aioncall", "numpy"} <= set(versions)


def test_times_are_written_in_utc() -> None:
    there = datetime(2026, 11, 21, 13, tzinfo=timezone(timedelta(hours=1)))
    assert rfc3339(there) == rfc3339(NOON) == "2026-11-21T12:00:00.000Z"


@pytest.mark.parametrize(
    ("moment", "days"),
    [("2026-11-20T12:00:00Z", 1.0), ("2026-12-01T00:00:00Z", 0.0), ("yesterday", None), ("2026-11-20", None)],
)
def test_an_age_is_days_or_unknown(moment: str, days: float | None) -> None:
    assert age_days(moment, NOON) == days
