"""What an open row asks for settles it: so many cases or epochs, and no epochs where none would help."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from pytest_aioncall.adapters.render.terminal import summary_lines
from pytest_aioncall.decide.compare import Side, judge
from pytest_aioncall.flows.wording import judgement_lines
from pytest_aioncall.model.baseline import BaselineHeader, CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import Gate
from pytest_aioncall.model.report import EvalsetReport, Report
from pytest_aioncall.model.run import Run, RunEvalset, Totals
from pytest_aioncall.model.verdict import Judgement, Needed

Kind = Literal["binary", "graded"]
INFOS = {
    "binary": ScorerInfo(kind="exact", hash="h"),
    "graded": ScorerInfo(kind="judge", hash="h", scale=(1, 5)),
}
SUCH, THESE = "cases-like-these", "these-cases"


class World:
    """Flaky cases drawn anew for each run of an experiment; nothing changes between the two sides."""

    def __init__(self, kind: Kind, *, margin: float, claim: str, seed: int = 1) -> None:
        self.kind, self.claim = kind, claim
        self.gate = Gate(scorer="s", margin=margin, claim=claim)  # type: ignore[arg-type]
        self.rng = np.random.default_rng(seed)

    def cases(self, number: int) -> np.ndarray:
        if self.kind == "binary":
            return self.rng.beta(0.9, 0.1, number)
        return self.rng.normal(4.2, 0.8, number)

    def side(self, cases: np.ndarray, epochs: int) -> Side:
        shape = (cases.size, epochs)
        if self.kind == "binary":
            scores = (self.rng.random(shape) < cases[:, None]).astype(float)
        else:
            scores = np.clip(np.rint(cases[:, None] + self.rng.normal(0, 0.6, shape)), 1, 5)
        rows = tuple(
            CaseRow(case=f"c{i}", digest="d", scores={"s": tuple(map(float, one))})
            for i, one in enumerate(scores)
        )
        return Side(rows=rows, scorers={"s": INFOS[self.kind]})

    def judged(self, number: int, *, was: int, now: int) -> Judgement:
        cases = self.cases(number)
        return judge(
            self.side(cases, now),
            self.side(cases, was),
            evalset="e",
            gates=[self.gate],
            defaults=Defaults(),
            max_error_rate=0.02,
        )

    def needs(self, number: int, *, epochs: int, runs: int = 25) -> list[Needed]:
        """Return what the open ones of some runs asked for."""
        found = [self.judged(number, was=epochs, now=epochs).verdicts[0].needed for _ in range(runs)]
        return [need for need in found if need is not None]

    def passes(self, number: int, *, was: int, now: int, runs: int = 80) -> float:
        return sum(self.judged(number, was=was, now=now).status == "pass" for _ in range(runs)) / runs


def median(values: list[int | None]) -> int:
    known = sorted(value for value in values if value is not None)
    return known[len(known) // 2]


@pytest.mark.parametrize(
    ("kind", "cases", "epochs", "margin", "claim"),
    [
        ("binary", 60, 1, 0.05, SUCH),
        ("binary", 100, 2, 0.03, SUCH),
        ("graded", 60, 1, 0.16, SUCH),
        ("graded", 80, 2, 0.1, SUCH),
        ("binary", 20, 3, 0.1, THESE),
        ("graded", 20, 3, 0.16, THESE),
    ],
)
def test_with_as_many_cases_as_asked_for_unchanged_runs_pass_four_times_in_five(
    kind: Kind, cases: int, epochs: int, margin: float, claim: str
) -> None:
    world = World(kind, margin=margin, claim=claim)
    wanted = median([need.cases for need in world.needs(cases, epochs=epochs)])
    assert wanted > cases
    assert 0.65 <= world.passes(wanted, was=epochs, now=epochs) <= 0.98


@pytest.mark.parametrize(
    ("kind", "cases", "epochs", "margin", "claim"),
    [("graded", 80, 2, 0.1, SUCH), ("binary", 20, 3, 0.05, THESE), ("graded", 20, 3, 0.16, THESE)],
)
def test_with_as_many_epochs_on_both_sides_they_do_too(
    kind: Kind, cases: int, epochs: int, margin: float, claim: str
) -> None:
    world = World(kind, margin=margin, claim=claim)
    needs = world.needs(cases, epochs=epochs)
    both = [need.epochs for need in needs if need.both_sides]
    assert 2 * len(both) > len(needs)
    assert 0.65 <= world.passes(cases, was=median(both), now=median(both)) <= 0.95


def test_with_as_many_epochs_of_the_run_alone_they_do_too() -> None:
    """A baseline of many epochs has little noise of its own."""
    world = World("graded", margin=0.12, claim=THESE)
    found = [world.judged(30, was=30, now=2).verdicts[0].needed for _ in range(30)]
    alone = [need.epochs for need in found if need is not None and not need.both_sides]
    assert len(alone) > 10
    assert 0.65 <= world.passes(30, was=30, now=median(alone)) <= 0.98


class TestMoreEpochsCannotHelp:
    """Where cases themselves moved, or are too few, no number of epochs decides; people are told so."""

    def moved(self) -> Judgement:
        """Sixty steady cases of which some fell and as many rose: only the cases differ, not the epochs."""
        was = [[0.0] * 3] * 8 + [[1.0] * 3] * 52
        now = [[1.0] * 3] * 7 + [[0.0] * 3] + [[0.0] * 3] * 8 + [[1.0] * 3] * 44
        sides = [
            Side(
                rows=tuple(
                    CaseRow(case=f"c{i}", digest="d", scores={"s": tuple(one)}) for i, one in enumerate(side)
                ),
                scorers={"s": INFOS["binary"]},
            )
            for side in (now, was)
        ]
        return judge(sides[0], sides[1], evalset="e", gates=(), defaults=Defaults(), max_error_rate=0.02)

    def test_no_epochs_are_asked_for_and_many_cases(self) -> None:
        need = self.moved().verdicts[0].needed
        assert need is not None
        assert (need.epochs, need.epochs_unknown) == (None, False)
        assert need.cases is not None and need.cases > 500

    def test_twenty_perfect_cases_are_too_few_however_often_they_run(self) -> None:
        world = World("binary", margin=0.05, claim=SUCH)
        world.cases = lambda number: np.ones(number)  # type: ignore[method-assign]
        for epochs in (2, 50):
            need = world.judged(20, was=epochs, now=epochs).verdicts[0].needed
            assert need is not None
            assert need.epochs is None
            # sqrt(2) (1.67 + .85) / .05 - 2 with Student's quantiles.
            assert need.cases is not None and 66 <= need.cases <= 74

    def test_the_gate_command_says_so(self) -> None:
        found = self.moved()
        cases = found.verdicts[0].needed.cases  # type: ignore[union-attr]
        said = f"To decide: {cases:,} cases (more epochs cannot help, only more cases)."
        assert said in judgement_lines(found)[1]

    def test_the_terminal_says_so_and_suggests_no_epochs(self) -> None:
        found = self.moved()
        planned = RunEvalset(evalset="e", owner="@a", epochs=3, cases=60, scorers={"s": INFOS["binary"]})
        header = BaselineHeader(
            evalset="e", accepted_by="a", accepted_at="2026-11-01T00:00:00Z", reason="r", scorers={}
        )
        report = Report(
            run=Run(id="r", created_at="2026-11-22T00:00:00Z", totals=Totals(planned=180, judged=180)),
            status=found.status,
            exit_code=found.exit_code,
            generated_at="2026-11-22T00:00:00Z",
            evalsets=(EvalsetReport(planned=planned, judgement=found, baseline=header),),
        )
        block = summary_lines(report, width=100, ascii_only=True, report_path=None)
        lines = [line.text for line in block]
        assert any(
            line.startswith("to decide: ") and line.endswith("(more epochs cannot help, only more cases)")
            for line in lines
        ), lines
        assert not any("--aioncall-epochs" in line for line in lines)

    def test_one_epoch_leaves_it_open_whether_more_would_help(self) -> None:
        needs = World("binary", margin=0.05, claim=SUCH).needs(60, epochs=1, runs=5)
        assert needs
        assert all(need.epochs_unknown and need.epochs is None for need in needs)
