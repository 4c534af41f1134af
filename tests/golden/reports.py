"""Reports of every state a reader can meet, built from nouns; numbers are invented but fit each other."""

from __future__ import annotations

from typing import Any

from pytest_aioncall.model.baseline import BaselineHeader, ScorerInfo
from pytest_aioncall.model.report import CaseView, EpochView, EvalsetReport, Report, SubjectChange
from pytest_aioncall.model.run import Fingerprint, Run, RunEvalset, Totals
from pytest_aioncall.model.sample import Score
from pytest_aioncall.model.verdict import (
    CaseMove,
    Coverage,
    Floor,
    Judgement,
    MetricVerdict,
    Needed,
    Power,
    Rounds,
    Sight,
    Verdict,
)

GRADED = (1.0, 5.0)
SCORERS = {
    "route": ScorerInfo(kind="exact", hash="4c1e9a0b77d2f310"),
    "helpfulness": ScorerInfo(kind="judge", scale=GRADED, hash="b8f25510c9ee4a63"),
}
PROMPT_DIFF = """--- prompts/triage.md
+++ prompts/triage.md
@@ -1,7 +1,5 @@
 You route support tickets to one queue.
-Read the whole ticket before you decide.
-When a ticket names several problems, choose the queue of the one
-that the customer asks to have solved first.
-Long tickets often end with the real request.
+Decide quickly; the first sentence is usually enough.
 Answer with one word: billing, shipping, account, technical, other.
"""
TICKET = (
    "Hi, I ordered two lamps last month and the parcel came with one. Your colleague promised a call "
    "back that never came. Meanwhile my card was charged twice. Please give me back the second payment."
)
WAS = "billing\nThe customer was charged twice and asks for the second payment back."
NOW = "other\nThe customer ordered two lamps and describes a late parcel and a missed call back."


def verdict(
    scorer: str = "route",
    *,
    was: float | None = 0.922,
    now: float | None = 0.914,
    ci: tuple[float, float] | None = (-0.029, 0.012),
    status: str = "pass",
    reason: str = "within_margin",
    **more: Any,
) -> Verdict:
    """Build one row; a difference follows from its means."""
    fields: dict[str, Any] = {
        "scorer": scorer,
        "status": status,
        "reason": reason,
        "claim": "cases-like-these",
        "baseline": was,
        "candidate": now,
        "difference": None if was is None or now is None else round(now - was, 6),
        "ci": ci,
        "p": 0.22,
        "p_adjusted": 0.22,
        "margin": 0.05,
        "n_cases": 120,
        "n_clusters": 120,
        "judged": 360,
        "planned": 360,
        "mde": 0.034,
    }
    return Verdict(**{**fields, **more})


def overall(status: str = "pass", **more: Any) -> tuple[Verdict, Verdict]:
    helpful = verdict(
        "helpfulness",
        was=4.21,
        now=4.18,
        ci=(-0.10, 0.04),
        scale=GRADED,
        margin=0.16,
        mde=0.11,
        p_adjusted=0.24,
    )
    return verdict(status=status, **more), helpful


def slices(*, bad: bool) -> tuple[Verdict, ...]:
    long = (
        verdict(
            was=0.906,
            now=0.719,
            ci=(-0.294, -0.081),
            status="regressed",
            reason="dropped",
            slice={"shape": "long"},
            p=0.0011,
            p_adjusted=0.003,
            n_cases=32,
            judged=96,
            planned=96,
            mde=0.12,
        )
        if bad
        else verdict(
            was=0.906,
            now=0.917,
            ci=(-0.03, 0.05),
            slice={"shape": "long"},
            n_cases=32,
            judged=96,
            planned=96,
            mde=0.046,
        )
    )
    return (
        long,
        verdict(
            was=0.928,
            now=0.985,
            ci=(0.01, 0.10),
            slice={"shape": "short"},
            n_cases=88,
            judged=264,
            planned=264,
        ),
        verdict(
            was=0.93,
            now=0.926,
            ci=(-0.03, 0.024),
            slice={"persona": "free"},
            n_cases=64,
            judged=192,
            planned=192,
        ),
        verdict(
            was=0.92,
            now=0.93,
            ci=(-0.03, 0.05),
            slice={"persona": "paid"},
            n_cases=47,
            judged=141,
            planned=141,
        ),
        verdict(
            was=0.889,
            now=0.889,
            ci=(-0.2, 0.2),
            status="inconclusive",
            reason="no_drop_seen",
            slice={"persona": "expert"},
            claim="these-cases",
            n_cases=9,
            judged=27,
            planned=27,
            mde=0.24,
            needed=Needed(cases=140, epochs=9),
        ),
        verdict(
            was=0.75,
            now=0.75,
            ci=None,
            p=None,
            p_adjusted=None,
            status="too_small",
            gating=False,
            reason="too_few_cases",
            slice={"persona": "child"},
            claim="these-cases",
            n_cases=4,
            judged=12,
            planned=12,
            mde=None,
        ),
    )


MUSTS = tuple(
    Floor(kind="must", case=f"q-{n:03d}", scorer="must[0]:not_contains", ok=True, held=3, epochs=3, needed=3)
    for n in range(1, 41)
)
METRICS = (
    MetricVerdict(
        metric="latency_p95_s", status="pass", baseline=1.8, candidate=1.9, ratio=1.05, p=0.31, limit=2.0
    ),
    MetricVerdict(
        metric="cost_usd", status="pass", baseline=0.00112, candidate=0.00114, ratio=1.02, limit=2.0
    ),
)
MOVES = (
    CaseMove(
        scorer="route",
        case="q-017",
        was=(3, 3),
        now=(0, 3),
        difference=-1.0,
        newly_failing=True,
        why="expected 'billing', got 'other'",
    ),
    CaseMove(
        scorer="route",
        case="q-054",
        was=(3, 3),
        now=(1, 3),
        difference=-0.667,
        why="expected 'account', got 'other'",
    ),
    CaseMove(
        scorer="route",
        case="q-101",
        was=(2, 3),
        now=(0, 3),
        difference=-0.667,
        why="expected 'technical', got 'shipping'",
    ),
)
CHANGES = (
    SubjectChange(
        name="prompts/triage.md", kind="file", was="1f0c", now="9be2", added=1, removed=4, diff=PROMPT_DIFF
    ),
    SubjectChange(name="index", kind="label", was="kb-2026-10-12", now="kb-2026-11-01"),
)


def epoch(n: int, text: str | None, value: float | None, **more: Any) -> EpochView:
    passed = None if value is None else value >= 1
    scores = (
        (
            Score(
                scorer="route",
                value=value,
                passed=passed,
                reason=None if passed else f"expected 'billing', got {(text or '').split(chr(10))[0][:40]!r}",
            ),
            Score(
                scorer="helpfulness",
                scale=GRADED,
                value=4.0,
                label="4",
                reason="Names the refund, but no date.",
            ),
        )
        if text is not None
        else ()
    )
    fields = {"epoch": n, "text": text, "scores": scores, "latency_s": 1.2 + n / 10, "cost_usd": 0.0011}
    return EpochView(**{**fields, **more})


def case(
    name: str,
    status: str = "holding",
    *,
    was: tuple[float, ...] = (1, 1, 1),
    now: tuple[float, ...] = (1, 1, 1),
    **more: Any,
) -> CaseView:
    fields: dict[str, Any] = {
        "case": name,
        "status": status,
        "node_id": f"evalsets/ticket-triage.eval.yaml::{name}",
        "line": 31,
        "slices": {"persona": "free", "shape": "long"},
        "input": {"ticket": TICKET},
        "expected": "billing",
        "now": tuple(epoch(n, WAS if value else NOW, value) for n, value in enumerate(now)),
        "was_text": tuple(WAS if value else NOW for value in was),
        "was_scores": {"route": was, "helpfulness": (4.0, 4.0, 5.0)},
    }
    return CaseView(**{**fields, **more})


CASES = (
    case("q-017", "newly_failing", now=(0, 0, 0), cluster="doc-17", incident="2026-10-04-1"),
    case("q-054", "worse", now=(0, 1, 0), slices={"persona": "paid", "shape": "long"}),
    case("q-101", "worse", was=(1, 0, 1), now=(0, 0, 0), slices={"persona": "expert", "shape": "long"}),
    case("q-070", "failing", was=(0, 0, 0), now=(0, 0, 0), slices={"persona": "free", "shape": "short"}),
    case("q-033", "error", now=(1, 1), slices={"persona": "free", "shape": "short"}).model_copy(
        update={
            "now": (
                epoch(0, WAS, 1.0),
                epoch(
                    1,
                    None,
                    None,
                    error="ConnectTimeout: no answer within 60 s",
                    error_kind="transport",
                    latency_s=None,
                    cost_usd=None,
                ),
                epoch(2, WAS, 1.0),
            )
        }
    ),
    case("q-088", "changed"),
    case("q-121", "new", was=(), was_text=(), was_scores={}),
    case("q-090", "better", was=(0, 0, 1), slices={"persona": "paid", "shape": "short"}),
    *(case(f"q-{n:03d}", slices={"persona": "paid", "shape": "short"}) for n in range(1, 9)),
)


def planned(name: str = "ticket-triage", **more: Any) -> RunEvalset:
    fields: dict[str, Any] = {
        "evalset": name,
        "file": f"evalsets/{name}.eval.yaml",
        "owner": "@support-ml",
        "epochs": 3,
        "cases": 120,
        "complete": True,
        "scorers": SCORERS,
        "fingerprint": Fingerprint(
            instrument={"route": "4c1e9a0b77d2f310", "helpfulness": "b8f25510c9ee4a63"},
            subject={
                "prompts/triage.md": "9be2a7c4",
                "index": "kb-2026-11-01",
                "model": "openai/m-2026-09-01",
            },
        ),
    }
    return RunEvalset(**{**fields, **more})


def header(**more: Any) -> BaselineHeader:
    fields: dict[str, Any] = {
        "evalset": "ticket-triage",
        "accepted_by": "@ann",
        "accepted_at": "2026-11-18T09:12:00Z",
        "reason": "new refund queue, reviewed with support",
        "commit": "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678",
        "run": "20261118-091100-77aa",
        "scorers": SCORERS,
    }
    return BaselineHeader(**{**fields, **more})


def judged(status: str, verdicts: tuple[Verdict, ...], **more: Any) -> Judgement:
    fields: dict[str, Any] = {
        "evalset": "ticket-triage",
        "status": status,
        "exit_code": {"pass": 0, "regressed": 1, "cannot_judge": 7, "inconclusive": 0}[status],
        "verdicts": verdicts,
        "metrics": METRICS,
        "floors": MUSTS,
        "coverage": Coverage(planned=360, judged=360),
    }
    return Judgement(**{**fields, **more})


def evalset(judgement: Judgement | None, **more: Any) -> EvalsetReport:
    fields: dict[str, Any] = {
        "planned": planned(),
        "description": "Routes a support ticket to one of five queues.",
        "judgement": judgement,
        "baseline": header(),
        "baseline_age_days": 3.2,
        "changes": CHANGES,
        "cases": tuple(c for c in CASES if c.status != "error"),
    }
    return EvalsetReport(**{**fields, **more})


def report(*evalsets: EvalsetReport, totals: Totals | None = None) -> Report:
    statuses = [e.judgement.status for e in evalsets if e.judgement]
    codes = [e.judgement.exit_code for e in evalsets if e.judgement]
    worst = next(
        (s for s in ("regressed", "cannot_judge", "inconclusive", "pass") if s in statuses), "not_judged"
    )
    return Report(
        run=Run(
            id="20261121-031407-4f2a",
            evalsets=tuple(e.planned for e in evalsets),
            created_at="2026-11-21T03:14:07Z",
            commit="9f3c2e1b0a9d8c7b6a5f4e3d2c1b0a9f8e7d6c5b",
            dirty=True,
            versions={"pytest-aioncall": "0.1.0", "python": "3.11.7"},
            complete=bool(statuses),
            totals=totals or Totals(planned=360, judged=360, retries=2, cost_usd=0.41, wall_s=41.2),
        ),
        status=worst,
        exit_code=1 if 1 in codes else max(codes, default=0),
        generated_at="2026-11-21T03:14:52Z",
        evalsets=evalsets,
    )


def regressed() -> Report:
    return report(
        evalset(
            judged(
                "regressed",
                (overall()[0].model_copy(update={"judged": 359}), overall()[1], *slices(bad=True)),
                worst=MOVES,
                newly_failing=("q-017",),
                newly_failing_scores=1,
                newly_failing_expected=0.2,
                coverage=Coverage(
                    planned=360,
                    judged=359,
                    errors=1,
                    new=("q-121",),
                    removed=("q-012", "q-013"),
                    changed=("q-088",),
                ),
            ),
            cases=CASES,
        ),
        totals=Totals(planned=360, judged=359, errors=1, retries=5, cost_usd=0.41, wall_s=41.2),
    )


POWERS = (
    Power(
        scorer="route",
        claim="cases-like-these",
        margin=0.05,
        n_cases=120,
        epochs=3,
        alarm=0.04,
        at_margin=0.93,
        at_twice=0.998,
        inconclusive=0.11,
    ),
    Power(
        scorer="route",
        slice={"shape": "long"},
        claim="these-cases",
        margin=0.05,
        n_cases=32,
        epochs=3,
        alarm=0.03,
        at_margin=0.41,
        at_twice=0.87,
        inconclusive=0.52,
    ),
    Power(
        scorer="route",
        slice={"persona": "expert"},
        claim="these-cases",
        margin=0.05,
        n_cases=9,
        epochs=3,
        alarm=0.004,
        at_margin=0.08,
        at_twice=0.17,
        inconclusive=0.92,
    ),
)


def powered() -> Report:
    """A regression whose rows say how often they would see a drop."""
    found = regressed().evalsets[0]
    assert found.judgement is not None
    judgement = found.judgement.model_copy(update={"powers": POWERS})
    return report(found.model_copy(update={"judgement": judgement}), totals=regressed().run.totals)


def passing() -> Report:
    unchanged = verdict(was=0.922, now=0.922, ci=(-0.01, 0.01), reason="unchanged", p_adjusted=1.0)
    rows = [row for row in slices(bad=False) if row.status == "pass"]
    judgement = judged("pass", (unchanged, overall()[1], *rows), sights=SIGHTS[:1])
    return report(evalset(judgement, changes=(), cases=CASES[8:]))


def slower() -> Report:
    """A pass beside which latency and cost rose: they do not gate, and they are not overlooked."""
    metrics = (
        METRICS[0].model_copy(
            update={"status": "regressed", "candidate": 4.2, "ratio": 2.33, "p": 0.001},
        ),
        METRICS[1].model_copy(
            update={"status": "regressed", "candidate": 0.0036, "ratio": 3.21, "p": 0.001},
        ),
    )
    judgement = judged("pass", overall(), metrics=metrics)
    return report(evalset(judgement, changes=(), cases=CASES[8:]))


def no_drop_seen() -> Report:
    row = verdict(
        status="inconclusive",
        reason="no_drop_seen",
        claim="these-cases",
        ci=(-0.11, 0.09),
        n_cases=18,
        n_clusters=18,
        judged=54,
        planned=54,
        mde=0.15,
        needed=Needed(cases=151, epochs=9),
    )
    return report(
        evalset(
            judged("inconclusive", (row,), coverage=Coverage(planned=54, judged=54)),
            planned=planned(cases=18),
            changes=(),
            cases=CASES[8:],
        )
    )


def suspected() -> Report:
    row = verdict(
        was=0.9,
        now=0.82,
        ci=(-0.17, 0.01),
        p_adjusted=0.08,
        status="inconclusive",
        reason="suspected",
        needed=Needed(cases=260, epochs=5),
    )
    return report(evalset(judged("inconclusive", (row, overall()[1]), worst=MOVES[:2])))


def floor_broken() -> Report:
    broken = (
        Floor(
            kind="must",
            case="no-legal-advice",
            scorer="must[0]:not_contains",
            ok=False,
            held=1,
            epochs=3,
            needed=3,
            reason="contains 'you should sue'",
        ),
        Floor(
            kind="require",
            case="inc-0142",
            scorer="helpfulness",
            ok=False,
            held=1,
            epochs=3,
            needed=2,
            reason="3.0 is below 4",
        ),
    )
    fine = Floor(kind="require", case="inc-0150", scorer="helpfulness", ok=True, held=3, epochs=3, needed=2)
    return report(evalset(judged("regressed", overall(), floors=(*broken, *MUSTS, fine))))


def cannot_judge() -> Report:
    lost = tuple(
        case(f"q-{n:03d}", "error").model_copy(
            update={
                "now": tuple(
                    epoch(
                        e,
                        None,
                        None,
                        error="ConnectError: connection refused by api.example.com",
                        error_kind="transport",
                        latency_s=None,
                        cost_usd=None,
                    )
                    for e in range(3)
                )
            }
        )
        for n in range(200, 211)
    )
    rows = tuple(
        row.model_copy(update={"status": "inconclusive", "reason": "errors_at_floor", "judged": 327})
        for row in overall()
    )
    return report(
        evalset(
            judged(
                "cannot_judge",
                rows,
                coverage=Coverage(planned=360, judged=327, errors=33),
                errors_rate=33 / 360,
                floors=(
                    *MUSTS,
                    Floor(
                        kind="must",
                        case="q-200",
                        scorer="must[0]:not_contains",
                        ok=False,
                        undecided=True,
                        held=0,
                        epochs=3,
                        needed=3,
                    ),
                ),
            ),
            cases=(*lost, *CASES[8:]),
            changes=(),
        ),
        totals=Totals(planned=360, judged=327, errors=33, retries=99, cost_usd=0.37, wall_s=200),
    )


def not_recorded() -> Report:
    """A replay after the prompt changed: nobody recorded what is asked now."""
    missing = tuple(
        case(f"q-{n:03d}", "error").model_copy(
            update={
                "now": tuple(
                    epoch(
                        e,
                        None,
                        None,
                        error=f"CassetteMiss: no recording of request {n}",
                        error_kind="cassette_miss",
                        latency_s=None,
                        cost_usd=None,
                    )
                    for e in range(3)
                )
            }
        )
        for n in range(1, 19)
    )
    row = verdict(
        was=0.922,
        now=None,
        ci=None,
        p=None,
        p_adjusted=None,
        mde=None,
        status="inconclusive",
        reason="errors_at_floor",
        judged=0,
        planned=54,
        n_cases=18,
    )
    return report(
        evalset(
            judged(
                "cannot_judge",
                (row,),
                coverage=Coverage(planned=54, judged=0, errors=54),
                errors_rate=1.0,
                metrics=(),
                floors=(),
            ),
            planned=planned(cases=18),
            cases=missing,
            not_recorded=54,
        ),
        totals=Totals(planned=54, judged=0, errors=54, cost_usd=0.0, wall_s=0.4),
    )


def partial() -> Report:
    return report(
        evalset(None, not_judged_because="partial run: 3 of 120 cases were selected", cases=CASES[:3]),
        totals=Totals(planned=9, judged=9, cost_usd=0.01, wall_s=1.4),
    )


def capped() -> Report:
    because = "the cost cap was reached, 148 samples were not asked"
    return report(
        evalset(None, not_judged_because=because, planned=planned(complete=False)),
        totals=Totals(planned=360, judged=212, cost_usd=5.01, wall_s=28),
    )


def interrupted() -> Report:
    return report(
        evalset(
            None, not_judged_because="interrupted after 212 of 360 samples", planned=planned(complete=False)
        ),
        totals=Totals(planned=360, judged=212, cost_usd=0.24, wall_s=28),
    )


SIGHTS = (
    Sight(scorer="route", claim="cases-like-these", mde=0.052, n_cases=120, epochs=3),
    Sight(
        scorer="route",
        slice={"shape": "long"},
        claim="these-cases",
        mde=0.183,
        n_cases=32,
        epochs=3,
    ),
    Sight(
        scorer="route",
        slice={"persona": "new"},
        claim="these-cases",
        why_not="too_few_cases",
        n_cases=10,
        epochs=3,
    ),
    Sight(scorer="helpfulness", claim="cases-like-these", mde=0.17, scale=GRADED, n_cases=120, epochs=3),
)


def no_baseline() -> Report:
    parts = (
        verdict(slice={"shape": "long"}, claim="these-cases", n_cases=32, judged=96, planned=96),
        verdict(slice={"persona": "new"}, claim="these-cases", n_cases=10, judged=30, planned=30),
    )
    rows = tuple(
        row.model_copy(
            update={
                "status": "inconclusive",
                "reason": "nothing_to_compare",
                "baseline": None,
                "difference": None,
                "ci": None,
                "p": None,
                "p_adjusted": None,
                "mde": None,
            }
        )
        for row in (*overall(), *parts)
    )
    return report(
        evalset(
            judged("inconclusive", rows, metrics=(), sights=SIGHTS),
            baseline=None,
            baseline_age_days=None,
            changes=(),
            cases=tuple(
                c.model_copy(update={"status": "new", "was_text": (), "was_scores": {}}) for c in CASES[8:]
            ),
        )
    )


def not_comparable() -> Report:
    rows = tuple(
        row.model_copy(
            update={
                "status": "inconclusive",
                "reason": "not_comparable",
                "difference": None,
                "ci": None,
                "p": None,
                "p_adjusted": None,
            }
        )
        for row in overall()
    )
    change = SubjectChange(name="helpfulness", kind="instrument", was="judge b8f2", now="judge 77c0")
    return report(evalset(judged("inconclusive", rows, exit_code=8), changes=(change,)))


def user_error() -> Report:
    crashed = case("q-017", "error").model_copy(
        update={"now": (epoch(0, None, None, error="KeyError: 'queue'", error_kind="user", latency_s=None),)}
    )
    return report(evalset(judged("pass", overall()), changes=(), cases=(crashed, *CASES[8:])))


def replayed() -> Report:
    cases = tuple(
        c.model_copy(update={"now": tuple(v.model_copy(update={"replayed": "2026-11-01"}) for v in c.now)})
        for c in CASES[8:]
    )
    return report(
        evalset(judged("pass", overall(), metrics=()), changes=(), cases=cases),
        totals=Totals(planned=360, judged=360, replayed=360, cost_usd=0.0, wall_s=0.8),
    )


def accepted() -> Report:
    row = verdict(was=0.92, now=0.81, ci=(-0.17, -0.05), reason="accepted", ticket="OPS-12", p_adjusted=0.001)
    return report(evalset(judged("pass", (row, overall()[1])), changes=()))


def several() -> Report:
    bad = regressed().evalsets[0]
    names = ["summaries", "search", "greeting", "refunds"]
    others = [passing(), cannot_judge(), no_drop_seen(), suspected()]
    rest = [
        o.evalsets[0].model_copy(
            update={"planned": o.evalsets[0].planned.model_copy(update={"evalset": name})}
        )
        for o, name in zip(others, names, strict=True)
    ]
    return report(*rest[:2], bad, *rest[2:], totals=Totals(planned=1494, judged=1461, errors=33, wall_s=260))


HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "</script><script>document.title='owned'</script><!--<script>",
    "\x1b[31mred\x1b]0;owned\x07\x9b2J",
    "::error file=app.py::owned\r\n::set-output name=x::y",
    "\u202egnp.exe\u2066\u200b\u200d\ufeff\u2028\u2029",
    "`code` ``` ~~~ {{ 7*7 }} {% raw %} ${7*7} <%= 7 %> #{7}",
    "javascript:document.title='owned' \" onmouseover=\"document.title='owned' ' autofocus",
    "\x00\x08\ud800 lone surrogate, \U000e0041 tag",
    "x" * 200_000,
)


def hostile() -> Report:
    """A report in which every text that others write is an attack."""
    cases = tuple(
        case(
            f"h-{n}",
            "newly_failing",
            now=(0,),
            slices={text[:60]: text[:200]},
            cluster=text[:300],
            incident=text[:100],
            input={text[:100]: text},
            expected=text,
            node_id=f"evalsets/x.eval.yaml::{text[:100]}",
        ).model_copy(
            update={
                "now": (
                    EpochView(
                        epoch=0,
                        text=text,
                        data={text[:50]: [text]},
                        retrieved=(text,),
                        scores=(Score(scorer="route", value=0.0, passed=False, label=text, reason=text),),
                        error=text if n % 2 else None,
                        error_kind="transport" if n % 2 else None,
                        replayed=text[:20],
                    ),
                ),
                "was_text": (text[::-1],),
            }
        )
        for n, text in enumerate(HOSTILE)
    )
    nasty = HOSTILE[0]
    moves = tuple(
        CaseMove(scorer="route", case=f"h-{n}", was=(3, 3), now=(0, 3), why=t) for n, t in enumerate(HOSTILE)
    )
    changes = tuple(
        SubjectChange(
            name=t[:300],
            kind="file",
            was=t[:300],
            now=t[:300],
            added=1,
            removed=1,
            diff=f"--- a\n+++ b\n-{t}\n+{t}\n",
        )
        for t in HOSTILE
    )
    floors = tuple(
        Floor(
            kind="must",
            case=f"h-{n}",
            scorer=f"must[0]:{t[:200]}",
            ok=False,
            held=0,
            epochs=1,
            needed=1,
            reason=t,
        )
        for n, t in enumerate(HOSTILE)
    )
    rows = tuple(
        verdict(
            was=0.9, now=0.4, ci=(-0.6, -0.4), status="regressed", reason="dropped", slice={t[:100]: t[:500]}
        )
        for t in HOSTILE
    )
    return report(
        evalset(
            judged(
                "regressed",
                (*overall(), *rows),
                worst=moves,
                floors=floors,
                notes=HOSTILE,
                coverage=Coverage(planned=8, judged=8, new=HOSTILE, removed=HOSTILE, changed=HOSTILE),
            ),
            planned=planned(
                owner=nasty, fingerprint=Fingerprint(instrument={nasty: nasty}, subject={nasty: [nasty]})
            ),
            description=nasty,
            baseline=header(accepted_by=nasty, reason=nasty, commit=nasty),
            changes=changes,
            cases=cases,
        )
    )


def nothing_shared() -> Report:
    found = no_baseline().evalsets[0]
    assert found.judgement is not None
    judgement = found.judgement.model_copy(update={"exit_code": 8})
    return report(evalset(judgement, changes=()))


def strict() -> Report:
    """An inconclusive gate where the run was asked to fail on one."""
    found = no_drop_seen().evalsets[0]
    assert found.judgement is not None
    return report(found.model_copy(update={"judgement": found.judgement.model_copy(update={"exit_code": 7})}))


def rounds() -> Report:
    """Adaptive epochs that the cost cap ended: each row was last tested at a level of its own."""
    route = verdict(
        was=0.82,
        now=0.8,
        ci=(-0.075, 0.036),
        margin=0.1,
        p=0.41,
        p_adjusted=1.0,
        status="inconclusive",
        reason="no_drop_seen",
        alpha=0.0316,
        mde=0.12,
    )
    fine = verdict("helpfulness", was=4.21, now=4.2, ci=(-0.1, 0.08), scale=GRADED, margin=0.16, alpha=0.05)
    part = verdict(
        was=0.84,
        now=0.83,
        ci=(-0.06, 0.05),
        slice={"shape": "long"},
        margin=0.1,
        p_adjusted=1.0,
        alpha=0.0158,
    )
    drawn = Rounds(min=2, max=5, epochs=3, looks=2, samples=312, samples_at_max=600, stopped="cost_cap")
    return report(
        evalset(
            judged(
                "inconclusive",
                (route, part, fine),
                rounds=drawn,
                coverage=Coverage(cases=120, compared=120, planned=312, judged=312),
            ),
            changes=(),
            cases=CASES[8:],
        )
    )


STATES = {
    "regressed": regressed,
    "powered": powered,
    "pass": passing,
    "slower": slower,
    "no_drop_seen": no_drop_seen,
    "suspected": suspected,
    "floor_broken": floor_broken,
    "cannot_judge": cannot_judge,
    "not_recorded": not_recorded,
    "partial": partial,
    "interrupted": interrupted,
    "capped": capped,
    "no_baseline": no_baseline,
    "not_comparable": not_comparable,
    "user_error": user_error,
    "replayed": replayed,
    "accepted": accepted,
    "nothing_shared": nothing_shared,
    "strict": strict,
    "rounds": rounds,
    "several": several,
}
