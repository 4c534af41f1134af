"""Whatever a history holds: the monitor answers, and neither order nor repetition of its files matters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from monitored import START, alerts_after, day_name, entry, evalset_day, must, red, row
from pytest_aioncall.model.alert import AlertsFile
from pytest_aioncall.model.baseline import ScorerInfo
from pytest_aioncall.model.history import Amounts, CaseDay, ErrorText, EvalsetDay, HistoryEntry
from pytest_aioncall.model.oncall import Monitors

SHORT = Monitors(reference_days_min=7, reference_days=14)
PS = st.sampled_from([None, 1e-6, 0.04])
SCORERS = st.sampled_from("ab").map(lambda h: ScorerInfo(kind="retrieval_hit", scale=(1, 5), hash=h))
MEANS = st.sampled_from([1.0, 3.0, 3.8, 4.05, 4.15, 4.2, 4.21, 4.22, 4.25, 5.0])


@st.composite
def evalset_days(draw: st.DrawFn) -> EvalsetDay:
    """Return any day of one of two evalsets."""
    judged = draw(st.sampled_from([True, True, True, True, False]))
    mean = draw(MEANS)
    told: dict[str, Any] = {
        "evalset": draw(st.sampled_from(["summarizer", "triage"])),
        "judged": judged,
        "status": "pass" if judged else "cannot_judge",
        "rows": (row(mean), row(mean - 0.1, slice={"persona": "free"})) if judged else (),
        "planned": draw(st.sampled_from([0, 1, 200])),
        "errors": draw(st.integers(0, 30)),
        "cost_usd": draw(st.sampled_from([None, 0.0, 0.4, 2.0])),
        "models": draw(st.sampled_from([{}, {"a": 1}, {"b": 2}])),
        "judge_errors": draw(st.sampled_from([None, 0.0, 0.5])),
        "baseline": draw(st.sampled_from([{}, {"commit": "a"}, {"commit": "b"}])),
        "baseline_age_days": draw(st.sampled_from([None, 3.0, 31.0])),
        "baseline_limit_days": 30,
        "amounts": Amounts(latency_p95_s=draw(st.sampled_from([None, 0.0, 1.0, 5.0])), latency_n=200),
        "scorers": {
            "helpfulness": ScorerInfo(kind="retrieval_hit", scale=(1, 5), hash=draw(st.sampled_from("ab")))
        },
        "error_texts": (ErrorText(template=draw(st.sampled_from(["boom", "bang now"])), samples=3, cases=3),),
        "cases": draw(st.lists(case_days(), max_size=4, unique_by=lambda case: case.case).map(tuple)),
    }
    if judged and draw(st.booleans()):
        told |= {
            "verdicts": (red(p_adjusted=draw(st.sampled_from([None, 1e-6, 0.04]))),),
            "status": "regressed",
        }
    if draw(st.integers(0, 5)) == 0:
        told["floors"] = (must(),)
    return evalset_day(**told)


@st.composite
def case_days(draw: st.DrawFn) -> CaseDay:
    """Return one case; any of its scores may be missing."""
    scores = draw(st.lists(st.sampled_from([None, 1.0, 4.0, 5.0]), min_size=1, max_size=3).map(tuple))
    return CaseDay(
        case=draw(st.sampled_from("abcdef")),
        digest=draw(st.sampled_from("xy")),
        scores={"helpfulness": scores},
        labels={"helpfulness": tuple(None if one is None else f"{one:g}" for one in scores)},
        features={"refusal": tuple(draw(st.sampled_from(["yes", "no", None])) for _ in scores)},
    )


@st.composite
def histories(draw: st.DrawFn) -> list[HistoryEntry]:
    """Return runs of some days, several a day perhaps, with gaps."""
    found = []
    days = draw(st.lists(st.integers(0, 45), min_size=1, max_size=16))
    for at, number in enumerate(sorted(days)):
        evalsets = draw(st.lists(evalset_days(), max_size=2, unique_by=lambda day: day.evalset))
        hour = draw(st.integers(0, 23))
        kind = draw(st.sampled_from(["daily"] * 8 + ["other"]))
        made = entry(number, hour=hour, run=f"r{at}", kind=kind)
        changed = {"evalsets": tuple(evalsets), "attempt": draw(st.integers(1, 2))}
        found.append(made.model_copy(update=changed))
    return found


def seen(history: list[HistoryEntry], *, asks: HistoryEntry | None = None) -> AlertsFile:
    now = datetime.combine(START, datetime.min.time(), UTC) + timedelta(days=47)
    return alerts_after(history, monitors=SHORT, now=now, last=asks)


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_order_and_repetition_change_nothing(history: list[HistoryEntry], chance: Any) -> None:
    expected = seen(history)
    shuffled = [*history, *chance.sample(history, len(history) // 2)]
    chance.shuffle(shuffled)
    assert seen(shuffled, asks=max(history, key=lambda one: (one.created_at, one.attempt))) == expected


@given(histories())
@settings(max_examples=15, deadline=None)
def test_whoever_asks_is_told_the_same_of_every_evalset(history: list[HistoryEntry]) -> None:
    assert len({seen(history, asks=one).model_dump_json(include={"evalsets"}) for one in history}) == 1


@given(histories())
@settings(max_examples=25, deadline=None)
def test_what_is_told_fits_together(history: list[HistoryEntry]) -> None:
    for one in seen(history).evalsets:
        looks = [
            e for e in history if e.kind == "daily" and any(d.evalset == one.evalset for d in e.evalsets)
        ]
        judged = {e.run for e in looks for d in e.evalsets if d.evalset == one.evalset and d.judged}
        runs = {e.run for e in looks}
        assert one.run.run in runs
        assert [alert.tier for alert in one.alerts] == sorted(alert.tier for alert in one.alerts)
        assert len({alert.key for alert in one.alerts}) == len(one.alerts)
        assert all(alert.title.isprintable() and alert.runbook for alert in one.alerts)
        episodes = [*([one.episode] if one.episode else []), *one.earlier]
        for episode in episodes:
            assert {episode.first_bad.run, episode.last_bad.run} <= runs
            assert {end.run for end in (episode.last_good, episode.recovered) if end is not None} <= judged
            assert len(set(episode.good_days)) == len(episode.good_days)
            assert (episode.recovered is None) == (episode is one.episode and one.is_open)
            if episode.recovered is not None:
                assert len(episode.good_days) >= SHORT.recovery_days
                assert episode.last_bad.day < episode.good_days[0]
        begun = [episode.first_bad.day for episode in episodes]
        assert begun == sorted(begun, reverse=True)
        for series in one.series:
            assert {point.run for point in series.points} <= judged
            points = [point.day for point in series.points]
            assert points == sorted(set(points)), "one point a day"
            assert series.reference_days <= SHORT.reference_days


@given(histories())
@settings(max_examples=15, deadline=None)
def test_an_outage_opens_and_closes_nothing(history: list[HistoryEntry]) -> None:
    """One more run that cannot be judged leaves every episode as it was."""
    before = {one.evalset: (one.episode, one.earlier) for one in seen(history).evalsets}
    names = ("summarizer", "triage")
    out = [evalset_day(None, evalset=one, judged=False, status="cannot_judge", rows=()) for one in names]
    after = seen([*history, entry(46, *out)])
    for one in after.evalsets:
        if one.evalset in before:
            assert (one.episode, one.earlier) == before[one.evalset]
        assert one.run.day == day_name(46) and one.state == "not_judged"
