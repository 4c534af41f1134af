"""The next command runs the cases that it means and no others."""

from __future__ import annotations

import shlex

import pytest

from pytest_aioncall.adapters.render.asides import left_elsewhere
from pytest_aioncall.adapters.render.markdown.escape import inline
from pytest_aioncall.adapters.render.nextstep import next_command
from pytest_aioncall.adapters.render.story import stories
from pytest_aioncall.model.report import CaseView, EvalsetReport, Report
from pytest_aioncall.model.run import Run, RunEvalset, Shard
from pytest_aioncall.model.verdict import CaseMove, Judgement, Verdict


def evalset(
    worst: list[str],
    others: list[str],
    *,
    name: str = "triage",
    cases: int | None = None,
    slices: dict[str, str] | None = None,
) -> EvalsetReport:
    """A regressed evalset in which the cases of `worst` moved."""
    views = [
        CaseView(
            case=c,
            status="holding",
            node_id=f"evalsets/{name}.eval.yaml::{c}",
            slices=slices or {"shape": "long"},
        )
        for c in (*worst, *others)
    ]
    verdict = Verdict(scorer="route", status="regressed", claim="these-cases", reason="dropped")
    return EvalsetReport(
        planned=RunEvalset(
            evalset=name, file=f"evalsets/{name}.eval.yaml", cases=len(views) if cases is None else cases
        ),
        judgement=Judgement(
            status="regressed",
            exit_code=1,
            verdicts=(verdict,),
            worst=tuple(CaseMove(scorer="route", case=c, was=(3, 3), now=(0, 3)) for c in worst),
        ),
        cases=tuple(views),
    )


def command(*evalsets: EvalsetReport) -> str:
    run = Run(id="r", created_at="2026-11-21T03:14:07Z")
    report = Report(
        run=run, status="regressed", exit_code=1, generated_at=run.created_at, evalsets=tuple(evalsets)
    )
    return next_command(stories(report)[0])


def nodes(*ids: str) -> str:
    return f"pytest --aioncall {' '.join(f'evalsets/triage.eval.yaml::{i}' for i in ids)} -vv"


def test_ids_that_stand_in_no_other_name_are_chosen_with_k() -> None:
    assert command(evalset(["q-1", "q-2"], ["q-3"])) == 'pytest --aioncall -k "q-1 or q-2" -vv'
    assert command(evalset(["q-1"], ["q-2"])) == "pytest --aioncall -k q-1 -vv"


def test_an_id_inside_another_id_is_named_by_node() -> None:
    """-k q-1 would run q-10 to q-19 as well."""
    assert command(evalset(["q-1"], ["q-10"])) == nodes("q-1")
    assert command(evalset(["Q-1"], ["q-10"])) == nodes("Q-1")


def test_an_id_inside_another_one_that_is_wanted_too_does_no_harm() -> None:
    assert command(evalset(["q-1", "q-10"], ["q-2"])) == 'pytest --aioncall -k "q-1 or q-10" -vv'


@pytest.mark.parametrize("case", ["eval", "triage", "sets/tri", "long", "shape", "aioncall"])
def test_an_id_inside_the_file_the_evalset_a_slice_or_the_mark_is_named_by_node(case: str) -> None:
    assert command(evalset([case], ["other"])) == nodes(case)


@pytest.mark.parametrize("case", ["and", "not", "a b", "it's", "a@b", "-x"])
def test_what_k_cannot_take_as_a_word_is_named_by_node_and_quoted(case: str) -> None:
    found = command(evalset([case], ["other"]))
    assert shlex.split(found) == ["pytest", "--aioncall", f"evalsets/triage.eval.yaml::{case}", "-vv"]


def test_cases_that_the_report_leaves_out_may_hold_the_id_too() -> None:
    assert command(evalset(["q-1"], ["q-2"], cases=900)) == nodes("q-1")


def test_of_several_evalsets_only_the_one_meant_is_run() -> None:
    found = command(evalset(["q-1"], ["q-2"]), evalset(["z"], ["q-1"], name="second"))
    assert found == nodes("q-1")


def interrupted(name: str, *, unfinished: int) -> EvalsetReport:
    return EvalsetReport(
        planned=RunEvalset(evalset=name, file=f"evalsets/{name}.eval.yaml", cases=8),
        not_judged_because="interrupted",
        unfinished=unfinished,
    )


def test_a_run_of_several_evalsets_is_resumed_whole() -> None:
    both = interrupted("first", unfinished=3), interrupted("second", unfinished=24)
    assert command(*both) == "pytest --aioncall --aioncall-resume"
    assert command(both[0]) == "pytest --aioncall evalsets/first.eval.yaml --aioncall-resume"


@pytest.mark.parametrize(("shard", "part"), [(None, ""), (Shard(index=2, count=4), " --aioncall-shard 2/4")])
def test_what_a_run_lacks_beside_what_was_resumed_is_said_with_its_command(
    shard: Shard | None, part: str
) -> None:
    run = Run(id="r", created_at="2026-11-21T03:14:07Z", unfinished=21, shard=shard)
    report = Report(run=run, status="pass", exit_code=0, generated_at=run.created_at)
    told = "21 samples of cases left out now have no answer yet; go on with: "
    resume = f"pytest --aioncall{part} --aioncall-resume"
    assert left_elsewhere(report) == told + resume
    assert left_elsewhere(report, code=inline) == f"{told}`{resume}`"
    shown = report.model_copy(update={"evalsets": (interrupted("first", unfinished=21),)})
    assert left_elsewhere(shown) == "", "told by the evalset itself"


def test_three_cases_are_enough() -> None:
    assert command(evalset([f"case {n}" for n in range(9)], [])).count("::") == 3
    assert command(evalset([f"case-{n}" for n in range(9)], [])).count(" or ") == 2
