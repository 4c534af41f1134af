"""Corners of adaptive epochs: runs cut short, accepted regressions, and p at looks of small alpha."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pytest_aioncall.decide.compare import Side
from pytest_aioncall.decide.rounds import decide_in_rounds
from pytest_aioncall.decide.rownumbers import gate_rows, tables_of
from pytest_aioncall.decide.rowtests import Level, compare_row
from pytest_aioncall.decide.sides import align
from pytest_aioncall.engine import Job
from pytest_aioncall.flows.judge import BaselineFound, side_of_record
from pytest_aioncall.flows.record import EvalsetRecord
from pytest_aioncall.flows.rounds import next_round
from pytest_aioncall.model.baseline import Acceptance, CaseRow, ScorerInfo
from pytest_aioncall.model.config import Config, Defaults
from pytest_aioncall.model.evalset import Case, EpochRange, Gate
from pytest_aioncall.model.run import RunEvalset
from pytest_aioncall.settings import Settings

SLICED = Gate(scorer="route", slices=("part",))


def side(scores: np.ndarray) -> Side:
    rows = tuple(
        CaseRow(
            case=f"c{i:03}",
            digest="d",
            slices={"part": "a" if i < len(scores) // 2 else "b"},
            scores={"route": tuple(float(value) for value in one)},
        )
        for i, one in enumerate(scores)
    )
    return Side(rows=rows, scorers={"route": ScorerInfo(kind="exact", hash="h")})


def test_a_case_that_was_cut_short_of_min_lacks_samples() -> None:
    """Ctrl-C in the first round: what was not asked counts as missing, or half a run would pass for whole."""
    row = CaseRow(case="c", scores={"route": (1.0,)}, latency_s=(0.1,))
    planned = RunEvalset(evalset="e", cases=1, epochs=1, samples=1, plan=EpochRange(min=3, max=5))
    found = side_of_record(planned, EvalsetRecord(rows={"c": row}))
    assert found.planned(row) == 3


def test_an_accepted_regression_keeps_the_verdict_of_its_look() -> None:
    """Later epochs, drawn for another row, neither unsay it nor make it gate again."""
    rng = np.random.default_rng(5)
    before, now = np.ones((200, 5)), np.ones((200, 5))
    now[:30, 0] = 0
    before[100:] = rng.random((100, 5)) < 0.85
    now[100:] = rng.random((100, 5)) < 0.82
    ticket = {"scorer": "route", "ticket": "SUP-1"}
    accepts = [Acceptance(**ticket), Acceptance(slice={"part": "a"}, **ticket)]
    found = decide_in_rounds(
        [SLICED],
        candidate=side(now),
        baseline=side(before),
        plan=EpochRange(min=1, max=5),
        defaults=Defaults(),
        accepts=accepts,
    )
    assert found.rounds.looks > 1
    part_a = next(v for v in found.verdicts if v.slice == {"part": "a"})
    assert (part_a.status, part_a.reason, part_a.gating) == ("regressed", "accepted", False)
    assert part_a.epochs == 1


def test_p_is_exact_as_far_as_a_drop_may_spend() -> None:
    """An early look leaves a pass next to nothing, a drop more: no early end of the draws at the former."""
    rng = np.random.default_rng(11)
    before = np.clip(rng.normal(0.6, 0.1, (40, 3)), 0, 1)
    now = np.clip(before - 0.018 + rng.normal(0, 0.1, (40, 3)), 0, 1)
    candidate, baseline = side(now), side(before)
    aligned = align(candidate, baseline)
    tables = tables_of([Gate(scorer="route")], candidate, aligned)
    row = gate_rows([Gate(scorer="route")], tables, aligned, candidate=candidate, defaults=Defaults()).rows[0]
    for claim in ("these-cases", "cases-like-these"):
        one = replace(row, claim=claim)  # type: ignore[arg-type]
        plain = compare_row(one, tables["route"], level=Level(0.05, 0.0001, 0.05))
        early = compare_row(one, tables["route"], level=Level(1e-6, 0.0001, 0.05))
        assert plain is not None and early is not None and plain.p is not None
        assert 0.002 < plain.p < 0.2
        assert early.p == plain.p


@pytest.mark.parametrize("unscored", [False, True])
def test_no_round_is_drawn_through_an_outage_of_a_scorer(unscored: bool) -> None:
    """Answers without a score are errors to the gate, too: beyond the limit nothing can be judged."""
    rng = np.random.default_rng(2)
    was, now = side(rng.random((80, 5)) < 0.82), side(rng.random((80, 1)) < 0.8)
    rows = {row.case: row for row in now.rows}
    if unscored:
        for case in list(rows)[:8]:
            rows[case] = rows[case].model_copy(update={"scores": {"route": (None,)}})
    plan = EpochRange(min=1, max=5)
    cases = [Case(id=name, input="x") for name in rows]
    one: Any = SimpleNamespace(
        name="e",
        plan=plan,
        rules=None,
        jobs=[Job("e", case, None, (), 1, 1.0) for case in cases],  # type: ignore[arg-type]
        planned=lambda *_, **__: RunEvalset(
            evalset="e", cases=80, plan=plan, scorers=dict(now.scorers), gates=(Gate(scorer="route"),)
        ),
    )
    header = SimpleNamespace(scorers=was.scorers, accepts=())
    baseline: Any = SimpleNamespace(header=header, rows=was.rows, output_hashes={})
    settings = Settings(config=Config(), root=Path())
    due = next_round(one, EvalsetRecord(rows=rows), BaselineFound(baseline), settings)
    assert (due is None) == unscored
