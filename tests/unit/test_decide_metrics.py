"""Tokens and retrieval beside the scores: compared where the target tells them, told, and never gating."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats

from pytest_aioncall.adapters.baseline_store import baseline_text, parse_baseline
from pytest_aioncall.adapters.render.asides import metric_line, metric_name, metric_sentence
from pytest_aioncall.decide.compare import Side, judge
from pytest_aioncall.decide.rows import row_of
from pytest_aioncall.flows.wording import judgement_lines
from pytest_aioncall.model.baseline import BaselineHeader, CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.sample import Document, Output, Sample, Score
from pytest_aioncall.model.verdict import Judgement, MetricVerdict

ROUTE = ScorerInfo(kind="exact", hash="h")
Numbers = Sequence[Sequence[int | None]]


def side(**numbers: Numbers) -> Side:
    """Lay numbers (cases x epochs) of a perfect suite out as one side."""
    count = len(next(iter(numbers.values())))
    rows = tuple(
        CaseRow(
            case=f"c{i:03d}",
            digest="d",
            scores={"route": (1.0, 1.0, 1.0)},
            **{name: tuple(values[i]) for name, values in numbers.items()},
        )
        for i in range(count)
    )
    return Side(rows=rows, scorers={"route": ROUTE})


def gate(now: Side, was: Side | None, **asked: Any) -> Judgement:
    rules: dict[str, Any] = {"evalset": "e", "gates": (), "defaults": Defaults(), "max_error_rate": 0.02}
    return judge(now, was, **(rules | asked))


def metric(name: str, now: Side, was: Side | None, **asked: Any) -> MetricVerdict:
    return next(m for m in gate(now, was, **asked).metrics if m.metric == name)


def test_a_target_that_tells_neither_has_neither() -> None:
    plain = Side(rows=(CaseRow(case="a", scores={"route": (1.0,)}),), scorers={"route": ROUTE})
    assert [m.metric for m in gate(plain, plain).metrics] == ["latency_p95_s", "cost_usd", "errors"]


class TestTokens:
    """The paired t test on the log ratio of each case's mean."""

    def test_p_and_ratio_are_those_of_the_paired_t_test_on_logs(self) -> None:
        rng = random.Random(5)
        was = [[rng.randint(200, 900) for _ in range(3)] for _ in range(40)]
        now = [[round(t * rng.uniform(0.8, 1.4)) for t in case] for case in was]
        found = metric("tokens_out", side(tokens_out=now), side(tokens_out=was))
        logs = [np.log(np.mean(one, axis=1)) for one in (now, was)]
        oracle = scipy.stats.ttest_rel(logs[0], logs[1], alternative="greater")
        ends = scipy.stats.ttest_rel(logs[0], logs[1]).confidence_interval(0.95)
        assert found.p == pytest.approx(oracle.pvalue, rel=1e-9)
        assert found.ratio == pytest.approx(np.exp(np.mean(logs[0] - logs[1])))
        assert found.ci == pytest.approx((np.exp(ends.low), np.exp(ends.high)))
        assert found.n_cases == 40

    @pytest.mark.parametrize(
        ("was", "now", "status"),
        [(500, 1100, "regressed"), (500, 900, "pass"), (3, 12, "pass"), (3, 24, "regressed")],
    )
    def test_more_than_twice_as_many_and_twenty_more_are_news(self, was: int, now: int, status: str) -> None:
        found = gate(side(tokens_in=[[now] * 3] * 20), side(tokens_in=[[was] * 3] * 20))
        one = next(m for m in found.metrics if m.metric == "tokens_in")
        assert (one.status, one.gating, found.exit_code) == (status, False, 0)

    def test_the_limit_is_the_configurations(self) -> None:
        now, was = side(tokens_in=[[900] * 3] * 20), side(tokens_in=[[500] * 3] * 20)
        assert metric("tokens_in", now, was, defaults=Defaults(tokens_ratio=1.5)).status == "regressed"

    def test_a_first_run_tells_its_own(self) -> None:
        found = metric("tokens_in", side(tokens_in=[[100, 200, 300]] * 2), None)
        assert (found.status, found.candidate) == ("not_compared", 200)

    def test_a_baseline_that_never_told_them_is_not_compared(self) -> None:
        was = Side(rows=side(tokens_in=[[1] * 3] * 5).rows, scorers={"route": ROUTE})
        bare = Side(rows=tuple(r.model_copy(update={"tokens_in": ()}) for r in was.rows), scorers=was.scorers)
        assert metric("tokens_in", was, bare).status == "not_compared"
        assert not [m for m in gate(bare, was).metrics if m.metric == "tokens_in"]


class TestRetrieval:
    """Fewer documents are the news, and cases that retrieve nothing."""

    def test_half_as_many_documents_are_the_limit(self) -> None:
        was = side(retrieved=[[5, 5, 4]] * 20)
        fewer = metric("retrieved", side(retrieved=[[2, 2, 1]] * 20), was)
        assert (fewer.status, fewer.limit) == ("regressed", 0.5)
        assert fewer.ratio == pytest.approx(5 / 14)
        assert fewer.ci is not None and fewer.ci[0] <= fewer.ratio <= fewer.ci[1]
        assert metric("retrieved", side(retrieved=[[3, 3, 3]] * 20), was).status == "pass"
        more = metric("retrieved", side(retrieved=[[15, 15, 15]] * 20), was)
        assert (more.status, more.p) == ("pass", 1.0)

    def test_a_drop_that_chance_can_make_is_no_news(self) -> None:
        was = side(retrieved=[[9, 9, 9], [1, 1, 1]])
        found = metric("retrieved", side(retrieved=[[1, 1, 1], [2, 2, 2]]), was)
        assert found.ratio is not None and found.ratio < 0.5
        assert found.status == "pass"

    @pytest.mark.parametrize(("empty", "status"), [(2, "pass"), (8, "regressed")])
    def test_empty_retrievals_are_the_conditional_binomial_over_cases(self, empty: int, status: str) -> None:
        was = side(retrieved=[[0, 0, 0]] + [[4, 4, 4]] * 39)
        now = side(retrieved=[[0, 0, 0]] * (1 + empty) + [[4, 4, 4]] * (39 - empty))
        found = metric("empty_retrievals", now, was)
        law = scipy.stats.binom(2 + empty, 0.5)
        assert found.p == pytest.approx(law.sf(1 + empty) + law.pmf(1 + empty) / 2)
        assert (found.status, found.note) == (status, f"{1 + empty} of 40 cases, before 1 of 40")

    def test_three_empty_epochs_of_a_case_are_one_empty_case(self) -> None:
        was = side(retrieved=[[4, 4, 4]] * 30)
        now = side(retrieved=[[0, 0, 0]] * 3 + [[0, 4, 4]] * 4 + [[4, 4, 4]] * 23)
        assert metric("empty_retrievals", now, was).note == "3 of 30 cases, before 0 of 30"

    def test_where_nothing_was_retrieved_at_all_there_is_no_ratio(self) -> None:
        nothing = side(retrieved=[[0, 0, 0]] * 12)
        found = {m.metric: m for m in gate(nothing, side(retrieved=[[3, 3, 3]] * 12)).metrics}
        assert found["retrieved"].status == "not_compared"
        assert found["empty_retrievals"].status == "regressed"

    def test_a_first_run_tells_its_own(self) -> None:
        found = {m.metric: m for m in gate(side(retrieved=[[0, 0], [3, 5], [None, None]]), None).metrics}
        assert (found["retrieved"].candidate, found["retrieved"].n_cases) == (2, 2)
        assert (found["empty_retrievals"].candidate, found["empty_retrievals"].n_cases) == (0.5, 2)


class TestRows:
    """Where the numbers come from, and what a baseline file keeps."""

    def sample(self, epoch: int, **output: Any) -> Sample:
        made = Output(text="x", **output) if output else None
        scores = (Score(scorer="route", value=1.0),)
        return Sample(evalset="e", case="a", digest="d", epoch=epoch, output=made, scores=scores)

    def test_a_row_has_one_number_an_epoch(self) -> None:
        documents = (Document(id="1"), Document(id="2"))
        samples = [
            self.sample(0, tokens_in=10, tokens_out=3, retrieved=documents),
            self.sample(1, tokens_in=None, tokens_out=4, retrieved=()),
            self.sample(2),
        ]
        row = row_of(samples, scorers=["route"])
        assert (row.tokens_in, row.tokens_out, row.retrieved) == (
            (10, None, None),
            (3, 4, None),
            (2, 0, None),
        )

    def test_a_recordings_tokens_are_not_this_runs_and_its_documents_are(self) -> None:
        samples = [self.sample(0, tokens_in=10, retrieved=(Document(id="1"),), replayed="2026-11-01")]
        row = row_of(samples, scorers=["route"])
        assert (row.tokens_in, row.retrieved) == ((), (1,))

    def test_a_baseline_keeps_them_and_reads_them_back(self, tmp_path: Path) -> None:
        row = CaseRow(case="a", tokens_in=(10, None), tokens_out=(1, 2), retrieved=(0, 3))
        text = baseline_text(self.header, [row])
        assert parse_baseline(text, outputs="", path=tmp_path / "e.jsonl").rows == (row,)

    def test_a_row_without_them_is_written_as_it_always_was(self) -> None:
        line = baseline_text(self.header, [CaseRow(case="a")]).splitlines()[1]
        assert list(json.loads(line)) == [
            "case", "digest", "slices", "cluster", "scores", "labels", "latency_s", "cost_usd", "errors",
        ]  # fmt: skip

    header = BaselineHeader(
        evalset="e", accepted_by="ann", accepted_at="2026-11-01T00:00:00Z", reason="first", scorers={}
    )


class TestWords:
    """What people read."""

    def test_every_metric_has_a_name_a_line_and_a_sentence(self) -> None:
        numbers: dict[str, Numbers] = {
            "tokens_in": [[2400] * 3] * 30,
            "tokens_out": [[100] * 3] * 30,
            "retrieved": [[0] * 3] * 12 + [[1] * 3] * 18,
        }
        was: dict[str, Numbers] = {
            "tokens_in": [[1000] * 3] * 30,
            "tokens_out": [[10] * 3] * 30,
            "retrieved": [[4] * 3] * 30,
        }
        found = gate(side(**numbers), side(**was))
        lines = [metric_line(m) for m in found.metrics if m.status == "regressed"]
        assert lines == [
            "input tokens a sample REGRESSED 1,000 -> 2,400, x2.40 (limit x2, not gating)",
            "output tokens a sample REGRESSED 10 -> 100, x10.0 (limit x2, not gating)",
            "retrieved documents a sample REGRESSED 4.0 -> 1.0, x0.25 (limit x0.5, not gating)",
            "empty retrievals REGRESSED 0 % -> 40 % (not gating)",
        ]
        said = judgement_lines(found)
        assert all(f"  {line}" in said for line in lines)
        assert "  empty retrievals: 12 of 30 cases, before 0 of 30" in said
        assert all(metric_name(m) and metric_sentence(m).endswith(".") for m in found.metrics)
