"""Which cases a report carries: the worst in full, of the others a line, and none goes unsaid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.adapters.baseline_store import Baseline
from pytest_aioncall.flows import report_cases
from pytest_aioncall.flows.record import EvalsetRecord
from pytest_aioncall.flows.report_cases import case_views, chosen_cases
from pytest_aioncall.model.baseline import BaselineHeader, CaseRow, ScorerInfo
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.model.sample import Output, Sample, Score


def suite(*, bad: int, holding: int) -> tuple[list[Case], EvalsetRecord]:
    """Build cases of which the last `bad` ones scored nothing, and the record of their run."""
    record = EvalsetRecord()
    cases = []
    for n in range(bad + holding):
        case = Case(
            id=f"c-{n:05d}", input={"question": f"number {n}"}, slices={"half": str(n % 2)}, line=n + 1
        )
        cases.append(case)
        value = 1.0 if n < holding else 0.0
        record.rows[case.id] = CaseRow(case=case.id, slices=case.slices, scores={"route": (value, value)})
    return cases, record


def sample(case: str) -> Sample:
    return Sample(
        evalset="e",
        digest="0",
        case=case,
        epoch=0,
        output=Output(text="an answer"),
        scores=(Score(scorer="route", value=1.0),),
    )


def shown(cases: list[Case], record: EvalsetRecord, **more: Any) -> Any:
    chosen = chosen_cases(cases, record, baseline=None, judgement=None)
    samples = {case.id: [sample(case.id)] for case, _ in chosen.full}
    return case_views(chosen, record, samples=samples, baseline=None, file="e.eval.yaml", **more)


def test_a_small_suite_is_shown_in_full() -> None:
    views = shown(*suite(bad=10, holding=490))
    assert len(views) == 500
    assert not [view for view in views if view.brief]
    assert [view.status for view in views[:11]] == ["failing"] * 10 + ["holding"]


def test_of_a_large_suite_the_bad_ones_and_a_few_that_hold_are_whole_and_all_are_listed() -> None:
    views = shown(*suite(bad=30, holding=970))
    assert len({view.case for view in views}) == 1_000
    whole = [view for view in views if not view.brief]
    assert [view.status for view in whole] == ["failing"] * 30 + ["holding"] * 100
    assert all(view.now for view in whole)
    brief = [view for view in views if view.brief]
    assert len(brief) == 870
    assert brief[0].now == ()
    assert brief[0].now_scores == {"route": (1.0, 1.0)}
    assert brief[0].node_id == f"e.eval.yaml::{brief[0].case}"


def test_where_very_many_are_bad_the_worst_first_order_holds_through_whole_and_brief() -> None:
    views = shown(*suite(bad=700, holding=300))
    assert sum(not view.brief for view in views) == 500
    assert [view.status for view in views] == ["failing"] * 700 + ["holding"] * 300


def test_the_list_of_a_huge_suite_ends_with_the_ones_that_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_cases, "LISTED_CASES", 800)
    views = shown(*suite(bad=600, holding=900))
    assert len(views) <= 800
    assert sum(view.status == "failing" for view in views) == 600


def test_a_long_input_of_a_brief_case_is_an_excerpt_and_a_short_one_is_itself() -> None:
    cases, record = suite(bad=0, holding=700)
    cases[-1] = cases[-1].model_copy(update={"input": "word " * 200})
    views = shown(cases, record)
    assert views[-1].input == ("word " * 40) + "..."
    assert views[-2].input == {"question": "number 698"}


def test_a_case_that_did_not_run_is_not_listed() -> None:
    cases, record = suite(bad=0, holding=3)
    del record.rows["c-00001"]
    assert [view.case for view in shown(cases, record)] == ["c-00000", "c-00002"]


def test_a_case_without_samples_shows_its_scores() -> None:
    """A comparison of score files has nothing else to show."""
    cases, record = suite(bad=1, holding=1)
    chosen = chosen_cases(cases, record, baseline=None, judgement=None)
    views = case_views(chosen, record, samples={}, baseline=None, file="scores.csv")
    assert [(view.status, view.now_scores) for view in views] == [
        ("failing", {"route": (0.0, 0.0)}),
        ("holding", {"route": (1.0, 1.0)}),
    ]


def test_cases_that_fell_come_by_the_fall_of_their_mean_whatever_their_epochs() -> None:
    """Not in the order of the file, not by counts: 5/5 -> 0/2 fell further than 4/5 -> 1/2."""
    one, none = 1.0, 0.0
    sides = {
        "a-little": ((one,) * 5, (one, one, one, none)),
        "b-half": ((one, one, one, one, none), (one, none)),
        "d-wholly": ((one,) * 5, (none, none)),
        "c-wholly": ((one,) * 4, (none,)),
    }
    cases = [Case(id=name, input="x", line=1) for name in sides]
    record = EvalsetRecord()
    record.rows.update({name: CaseRow(case=name, scores={"route": now}) for name, (_, now) in sides.items()})
    header = BaselineHeader(
        evalset="e", accepted_by="@ann", accepted_at="2026-11-18T09:12:00Z", reason="first",
        scorers={"route": ScorerInfo(kind="exact")},
    )  # fmt: skip
    before = tuple(CaseRow(case=name, scores={"route": was}) for name, (was, _) in sides.items())
    baseline = Baseline(header, before, {}, Path("e.jsonl"), "")
    chosen = chosen_cases(cases, record, baseline=baseline, judgement=None)
    assert [case.id for case, _ in chosen.full] == ["c-wholly", "d-wholly", "b-half", "a-little"]
