"""From samples to rows, and the hash that says "byte-identical"."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from pytest_aioncall.decide.rows import output_hash, row_of
from pytest_aioncall.model.sample import Output, Sample, SampleError, Score


def sample(epoch: int, *, output: Output | None = None, error: bool = False, scores: Any = ()) -> Sample:
    return Sample(
        evalset="e",
        case="a",
        digest="d",
        epoch=epoch,
        slices={"p": "x"},
        cluster="doc",
        output=None if error else output or Output(text="t", latency_s=1.0 + epoch, cost_usd=0.1),
        error=SampleError(kind="transport", type="T", message="m") if error else None,
        scores=tuple(scores),
    )


def score(value: float | None, name: str = "route", **more: Any) -> Score:
    return Score(scorer=name, value=value, **more)


class TestRow:
    """One row a case."""

    def test_epochs_are_sorted_whatever_the_order_of_the_samples(self) -> None:
        samples = [sample(e, scores=[score(float(e % 2), label=f"l{e}")]) for e in (2, 0, 1)]
        row = row_of(samples, scorers=["route"])
        assert row.scores == {"route": (0.0, 1.0, 0.0)}
        assert row.labels == {"route": ("l0", "l1", "l2")}
        assert row.latency_s == (1.0, 2.0, 3.0)
        assert row.cost_usd == (0.1, 0.1, 0.1)
        assert (row.case, row.digest, row.slices, row.cluster, row.errors) == ("a", "d", {"p": "x"}, "doc", 0)

    def test_an_errored_sample_is_none_and_never_a_zero(self) -> None:
        row = row_of([sample(0, scores=[score(1.0)]), sample(1, error=True)], scorers=["route"])
        assert row.scores == {"route": (1.0, None)}
        assert (row.latency_s, row.cost_usd, row.errors) == ((1.0, None), (0.1, None), 1)

    def test_a_scorer_that_failed_is_none(self) -> None:
        failed = score(None, error="judge is down")
        row = row_of([sample(0, scores=[failed]), sample(1, scores=[score(1.0)])], scorers=["route"])
        assert row.scores == {"route": (None, 1.0)}
        assert row.errors == 0

    def test_a_scorer_that_failed_in_every_epoch_stays_planned(self) -> None:
        row = row_of([sample(0, scores=[score(None, error="down")])], scorers=["route"])
        assert row.scores == {"route": (None,)}

    def test_must_scores_and_scorers_that_do_not_apply_are_no_part_of_it(self) -> None:
        scores = [score(1.0), score(0.0, "must[0]:regex")]
        assert set(row_of([sample(0, scores=scores)], scorers=["route", "judge"]).scores) == {"route"}

    def test_where_nothing_answered_every_scorer_was_planned(self) -> None:
        row = row_of([sample(0, error=True), sample(1, error=True)], scorers=["route", "judge"])
        assert row.scores == {"route": (None, None), "judge": (None, None)}
        assert row.errors == 2

    def test_a_replayed_answer_has_neither_latency_nor_cost(self) -> None:
        recorded = Output(text="t", latency_s=9.0, cost_usd=0.5, replayed="2026-01-01")
        row = row_of([sample(0, output=recorded, scores=[score(1.0)])], scorers=["route"])
        assert (row.latency_s, row.cost_usd) == ((None,), (None,))

    def test_samples_of_two_cases_or_none_are_refused(self) -> None:
        with pytest.raises(ValueError, match="one case"):
            row_of([], scorers=[])
        other = sample(0).model_copy(update={"case": "b"})
        with pytest.raises(ValueError, match="one case"):
            row_of([sample(0), other], scorers=[])


class TestHash:
    """Two outputs are alike when text, data and tool calls are."""

    def test_it_is_the_sha256_of_the_canonical_json(self) -> None:
        text = '{"data":{"a":1,"b":"ü"},"text":"t","tool_calls":null}'
        assert (
            output_hash(Output(text="t", data={"b": "ü", "a": 1}))
            == hashlib.sha256(text.encode()).hexdigest()
        )

    def test_speed_price_and_model_do_not_count(self) -> None:
        assert output_hash(Output(text="t")) == output_hash(
            Output(text="t", latency_s=3, cost_usd=1, model="m", tokens_in=4, replayed="2026-01-01")
        )

    @pytest.mark.parametrize(
        "other", [{"text": "T"}, {"text": "t", "data": 0}, {"text": "t", "tool_calls": ({"name": "f"},)}]
    )
    def test_content_counts(self, other: dict[str, Any]) -> None:
        assert output_hash(Output(**other)) != output_hash(Output(text="t"))

    def test_half_a_surrogate_pair_does_not_stop_it(self) -> None:
        assert len(output_hash(Output(text="\ud800"))) == 64
