"""From samples to an entry: what is counted, what is kept, and what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.adapters.run_store import SAMPLES_FILE
from pytest_aioncall.flows.gathering import Gathered, gather, judges_of
from pytest_aioncall.model.baseline import ScorerInfo
from pytest_aioncall.model.evalset import EpochRange
from pytest_aioncall.model.run import Run, RunEvalset
from pytest_aioncall.model.sample import NOT_RECORDED, Output, Sample, SampleError, Score
from pytest_aioncall.model.verdict import Floor

SCORERS = {"route": ScorerInfo(kind="exact"), "tone": ScorerInfo(kind="judge", hash="j1")}


def sample(case: str = "a", epoch: int = 0, text: str | None = "hello", **keys: Any) -> Sample:
    output = (
        None
        if text is None
        else Output(text=text, model=keys.pop("model", None), replayed=keys.pop("replayed", None))
    )
    scores = keys.pop("scores", (Score(scorer="route", value=1.0, reason=f"it said {text}"),))
    return Sample(
        evalset="e",
        case=case,
        digest="d",
        epoch=epoch,
        output=output,
        scores=scores if output else (),
        **keys,
    )


def error(kind: str, message: str = "no") -> SampleError:
    return SampleError(kind=kind, type="E", message=message)  # type: ignore[arg-type]


def seen(*samples: Sample, **keys: Any) -> Gathered:
    found = Gathered(RunEvalset(evalset="e", scorers=SCORERS, **keys))
    for one in samples:
        found.add(one)
    return found


def test_a_sample_that_was_kept_twice_counts_once_and_the_last_one_holds() -> None:
    found = seen(sample(text=None, error=error("transport")), sample(), sample(epoch=1))
    assert found.counts().samples == 2
    assert found.counts().errors == 0
    assert found.record().rows["a"].scores == {"route": (1.0, 1.0)}


def test_an_epoch_that_the_cost_cap_took_was_never_planned() -> None:
    cancelled = sample(epoch=2, text=None, error=error("cancelled"))
    assert len(list(seen(sample(), cancelled, plan=EpochRange(min=2, max=4)).samples())) == 1
    assert len(list(seen(sample(), cancelled).samples())) == 2


def test_no_text_and_no_reason_stays_in_memory_and_hash_and_features_do() -> None:
    found = seen(sample(text="I am SECRET"))
    (one,) = found.cases["a"].values()
    assert "SECRET" not in repr(one)
    assert one.hash is not None
    assert one.features
    (day,) = found.case_days(found.record())
    assert "SECRET" not in repr(day)
    assert {name: len(values) for name, values in day.features.items()} == dict.fromkeys(one.features, 1)


def test_a_label_that_is_somebodys_text_is_kept_as_a_digest() -> None:
    long = "the answer itself " * 10
    labelled = [Score(scorer="route", value=1.0, label=label) for label in ("billing", long)]
    found = seen(*(sample(epoch=n, scores=(one,)) for n, one in enumerate(labelled)))
    (day,) = found.case_days(found.record())
    assert day.labels["route"][0] == "billing"
    assert str(day.labels["route"][1]).startswith("sha256:")


def test_judge_errors_are_a_share_of_what_judges_were_asked() -> None:
    def judged(epoch: int, *, failed: bool) -> Sample:
        score = Score(scorer="tone", error="out of reach") if failed else Score(scorer="tone", value=4.0)
        return sample(epoch=epoch, scores=(Score(scorer="route", value=1.0), score))

    assert seen(judged(0, failed=True), *(judged(n, failed=False) for n in (1, 2, 3))).judge_errors() == 0.25
    assert seen(sample()).judge_errors() is None
    assert judges_of(SCORERS) == {"tone": "j1"}


def test_error_texts_leave_out_what_nobody_asked_and_what_nobody_recorded() -> None:
    found = seen(
        sample("a", text=None, error=error("transport", "503")),
        sample("b", text=None, error=error("cancelled")),
        sample("c", text=None, error=error("cassette_miss")),
        sample("d", scores=(Score(scorer="tone", error="not a number"),)),
        sample("e", scores=(Score(scorer="tone", error=f"{NOT_RECORDED}x"),)),
    )
    assert list(found.error_texts()) == [("a", "E: 503"), ("d", "tone: not a number")]


def test_models_are_counted_by_the_id_of_the_response_of_live_answers() -> None:
    found = seen(
        sample("a", model="m-1"), sample("b", model="m-2"), sample("c", model="m-2"),
        sample("d", model="m-9", replayed="2026-01-01"),
    )  # fmt: skip
    assert found.models() == {"m-1": 1, "m-2": 2}


def test_a_run_is_read_sample_by_sample_and_its_shards_as_one(tmp_path: Path) -> None:
    folders = []
    for name, cases in (("one", "ab"), ("two", "c")):
        folder = tmp_path / name
        folder.mkdir()
        lines = [sample(case).model_dump_json() + "\n" for case in cases]
        (folder / SAMPLES_FILE).write_text("".join([*lines, '{"torn']))
        folders.append(folder)
    floor = Floor(kind="must", case="c", scorer="x", ok=False, held=0, epochs=1, needed=1)
    run = Run(
        id="r",
        created_at="2026-01-01T00:00:00Z",
        evalsets=(RunEvalset(evalset="e", scorers=SCORERS, floors=(floor,)),),
    )
    together = gather(dict.fromkeys(folders, run), run)["e"].record()
    assert sorted(together.rows) == ["a", "b", "c"]
    assert together.all_floors == (floor,)
    assert sorted(gather(folders[0], run)["e"].record().rows) == ["a", "b"]


def test_an_evalset_without_a_sample_is_there_and_empty(tmp_path: Path) -> None:
    (tmp_path / SAMPLES_FILE).write_text("")
    run = Run(id="r", created_at="2026-01-01T00:00:00Z", evalsets=(RunEvalset(evalset="e", scorers=SCORERS),))
    assert gather(tmp_path, run)["e"].record().rows == {}


@pytest.mark.parametrize("kind", ["user", "target", "transport"])
def test_a_sample_without_an_answer_is_an_error_of_its_case(kind: str) -> None:
    found = seen(sample(text=None, error=error(kind)), sample(epoch=1))
    assert found.record().rows["a"].errors == 1
    assert [day.errors for day in found.case_days(found.record())] == [1]
