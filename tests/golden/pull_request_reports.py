"""Reports of what only a pull request meets: no key, nothing affected, red before, proposals of its own."""

from __future__ import annotations

import reports

from pytest_aioncall.model.baseline import Acceptance
from pytest_aioncall.model.report import (
    AlreadyRegressed,
    BaseReview,
    ProposedBaseline,
    ProposedMean,
    Report,
)
from pytest_aioncall.model.run import ChangeLimit, UnaffectedEvalset
from pytest_aioncall.model.weakening import Weakening

BASE = "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678"


def not_run() -> Report:
    """A fork's pull request: no key, and nothing recorded of what it asks."""
    found = reports.not_recorded().evalsets[0]
    assert found.judgement is not None
    judgement = found.judgement.model_copy(update={"exit_code": 0})
    return reports.report(
        found.model_copy(update={"judgement": judgement, "without_key": "OPENAI_API_KEY"}),
        totals=reports.not_recorded().run.totals,
    )


def unaffected() -> Report:
    """A change of the documentation: nothing ran, nothing was spent."""
    planned = reports.planned(complete=False)
    one = reports.evalset(
        None,
        planned=planned,
        baseline=None,
        baseline_age_days=None,
        changes=(),
        cases=(),
        unaffected=True,
        not_judged_because="unaffected by this change (since origin/main@a1b2c3d), $0",
    )
    left = UnaffectedEvalset(evalset="ticket-triage", file=planned.file, owner=planned.owner, cases=120)
    report = reports.report(one, totals=reports.Totals(cost_usd=0.0))
    change = ChangeLimit(ref="origin/main", commit=BASE, files=2, unaffected=(left,))
    run = report.run.model_copy(update={"change": change, "complete": True})
    return report.model_copy(update={"status": "unaffected", "exit_code": 0, "run": run})


def partly_affected() -> Report:
    """One evalset ran and passed, another was left out."""
    ran, left = reports.passing(), unaffected()
    other = left.evalsets[0].model_copy(
        update={"planned": left.evalsets[0].planned.model_copy(update={"evalset": "summaries"})}
    )
    report = reports.report(ran.evalsets[0], other)
    assert left.run.change is not None
    change = left.run.change.model_copy(
        update={"unaffected": (left.run.change.unaffected[0].model_copy(update={"evalset": "summaries"}),)}
    )
    return report.model_copy(
        update={"status": "pass", "exit_code": 0, "run": report.run.model_copy(update={"change": change})}
    )


def already() -> Report:
    """Long tickets were red on main before this pull request, and it does not make them worse."""
    red, *rest = reports.slices(bad=True)
    rows = (red.model_copy(update={"gating": False, "reason": "already_on_base"}), *rest[:-2])
    before = AlreadyRegressed(
        scorer="route",
        slice={"shape": "long"},
        since="2026-11-18",
        day="2026-11-21",
        run="20261121-030000-11aa",
        url="https://github.com/acme/app/actions/runs/4100",
        issue=41,
        issue_url="https://github.com/acme/app/issues/41",
        daily=0.722,
        now=0.719,
    )
    judgement = reports.judged("pass", (*reports.overall(), *rows))
    return reports.report(reports.evalset(judgement, changes=(), cases=reports.CASES[8:], already=(before,)))


def proposed() -> Report:
    """A regression, its own baseline that does not name it, and a margin that was widened."""
    found = reports.regressed().evalsets[0]
    assert found.judgement is not None
    overall, *others = found.judgement.verdicts
    rows = (
        overall.model_copy(update={"rule": "base"}),
        others[0].model_copy(update={"rule": "new"}),
        *others[1:],
    )
    found = found.model_copy(
        update={
            "judgement": found.judgement.model_copy(update={"verdicts": rows}),
            "affected_by": ("prompts/triage.md is its prompt", "myapp/triage.py is its target"),
        }
    )
    review = BaseReview(
        ref="origin/main",
        commit=BASE,
        owner="@support-ml",
        proposals=(
            Weakening(
                kind="margin_up",
                evalset="ticket-triage",
                what="gate route: margin",
                was="0.05",
                now="0.2",
                excused_by="the new queue is harder, agreed with support",
            ),
            Weakening(
                kind="case_removed", evalset="ticket-triage", what="case q-012", was="there", now="gone"
            ),
        ),
        listed=("case q-012",),
        baseline=ProposedBaseline(
            file="evalsets/baselines/ticket-triage.jsonl",
            owner="@support-ml",
            accepted_by="mallory",
            accepted_at="2026-11-21T09:00:00Z",
            reason="looks fine to me",
            was_accepted_by="@ann",
            was_accepted_at="2026-11-18T09:12:00Z",
            was_reason="new refund queue, reviewed with support",
            means=(ProposedMean(scorer="route", cases=118, was=0.922, now=0.914),),
            cases=121,
            was_cases=120,
        ),
    )
    return reports.report(found.model_copy(update={"review": review}), totals=reports.regressed().run.totals)


def acceptance() -> Report:
    """The owner proposes a baseline that accepts the drop by name."""
    found = reports.accepted().evalsets[0]
    proposal = proposed().evalsets[0].review
    assert proposal is not None and proposal.baseline is not None
    baseline = proposal.baseline.model_copy(
        update={"accepted_by": "@ann", "accepts": (Acceptance(scorer="route", ticket="OPS-12"),)}
    )
    review = proposal.model_copy(update={"proposals": (), "listed": (), "baseline": baseline})
    return reports.report(found.model_copy(update={"review": review}))


STATES = {
    **reports.STATES,
    "not_run": not_run,
    "unaffected": unaffected,
    "partly_affected": partly_affected,
    "already": already,
    "proposed": proposed,
    "acceptance": acceptance,
}
