"""Episodes of the daily monitor: when one opens, what keeps it open, what ends it."""

from __future__ import annotations

import itertools

import pytest

from monitored import (
    BASELINE,
    CALM,
    GRADED,
    alerts_after,
    calm,
    day_name,
    entry,
    evalset_day,
    must,
    red,
    row,
    standing,
    unjudged,
)
from pytest_aioncall.model.baseline import ScorerInfo
from pytest_aioncall.model.history import Amounts, CaseDay, EvalsetDay, HistoryEntry
from pytest_aioncall.model.oncall import Monitors


def bad(number: int, mean: float = 3.9, **given: object) -> HistoryEntry:
    return entry(number, evalset_day(mean, verdicts=(red(candidate=mean),), **given))


def good(number: int, **given: object) -> HistoryEntry:
    return entry(number, evalset_day(4.22, **given))


def test_a_run_after_good_days_is_good_and_has_no_episode() -> None:
    after = standing(calm(20))
    assert (after.state, after.alerts, after.episode) == ("good", (), None)
    assert after.owner == "@ann" and after.run.day == day_name(19)


def test_a_red_gate_opens_an_episode_with_the_title_in_the_house_form() -> None:
    after = standing([*calm(20), entry(20, evalset_day(4.05, verdicts=(red(),)))])
    (alert,) = after.alerts
    assert (
        alert.title == "summarizer.daily.helpfulness 24h: 4.21 -> 4.05 (delta -0.16, n=200, CI -0.24..-0.08)"
    )
    assert (alert.kind, alert.tier, after.state) == ("eval_regression", 1, "bad")
    assert after.episode is not None and after.is_open
    assert after.episode.first_bad.day == day_name(20)
    assert after.episode.last_good is not None and after.episode.last_good.day == day_name(19)


def test_rates_are_told_in_percent_and_points() -> None:
    verdict = red(
        scorer="route", scale=(0.0, 1.0), baseline=0.922, candidate=0.84, ci=(-0.129, -0.035), n_cases=120
    )
    after = standing([entry(0, evalset_day(0.84, rows=(), verdicts=(verdict,)))])
    expected = "summarizer.daily.route 24h: 92.2 % -> 84.0 % (delta -8.2 pp, n=120, CI -12.9..-3.5 pp)"
    assert after.alerts[0].title == expected


def test_three_judged_good_days_end_it_and_two_do_not() -> None:
    history = [*calm(20), bad(20), good(21), good(22)]
    assert standing(history).is_open
    after = standing([*history, good(23)])
    assert not after.is_open and after.state == "good" and after.alerts == ()
    assert after.episode is not None and after.episode.recovered is not None
    assert after.episode.recovered.day == day_name(23)
    assert after.episode.good_days == (day_name(21), day_name(22), day_name(23))


def test_three_good_runs_of_one_day_are_one_good_day() -> None:
    again = [entry(21, evalset_day(4.22), hour=hour) for hour in (3, 9, 15)]
    after = standing([*calm(20), bad(20), *again])
    assert after.is_open and after.episode is not None
    assert after.episode.good_days == (day_name(21),)


def test_a_bad_day_between_begins_the_count_anew() -> None:
    history = [*calm(20), bad(20), good(21), good(22), bad(23), good(24), good(25)]
    after = standing(history)
    assert after.is_open and after.episode is not None
    assert after.episode.good_days == (day_name(24), day_name(25))
    assert after.episode.last_bad.day == day_name(23)
    assert after.episode.first_bad.day == day_name(20)


@pytest.mark.parametrize("outages", [1, 5, 20])
def test_an_outage_neither_opens_nor_closes_and_counts_for_nothing(outages: int) -> None:
    out = [entry(21 + at, unjudged()) for at in range(outages)]
    history = [*calm(20), bad(20), *out]
    after = standing(history)
    assert after.state == "not_judged" and after.because.startswith("31 %")
    assert after.is_open and after.episode is not None and after.episode.good_days == ()
    quiet = standing([*calm(20), *[entry(20 + at, unjudged()) for at in range(outages)]])
    assert quiet.episode is None and not any(alert.quality for alert in quiet.alerts)


def test_a_retry_that_passes_does_not_erase_the_bad_run_of_the_same_day() -> None:
    retry = entry(20, evalset_day(CALM[3]), hour=6)
    after = standing([*calm(20), bad(20), retry])
    assert after.is_open and after.episode is not None and after.episode.good_days == ()
    later = standing([*calm(20), bad(20), retry, good(21), good(22)])
    assert later.is_open, "the day of the bad run is no good day, whatever the retry said"
    assert not standing([*calm(20), bad(20), retry, good(21), good(22), good(23)]).is_open


def test_a_second_attempt_is_a_run_of_its_own_of_the_same_day() -> None:
    first = bad(20)
    second = good(20).model_copy(
        update={"run": first.run, "attempt": 2, "created_at": f"{day_name(20)}T04:00:00Z"}
    )
    after = standing([*calm(20), first, second])
    assert after.is_open and after.episode is not None
    assert after.episode.first_bad.run == first.run


def test_a_second_episode_keeps_the_first_as_earlier() -> None:
    first = [bad(20), good(21), good(22), good(23)]
    after = standing([*calm(20), *first, good(24), bad(25)])
    assert after.episode is not None and after.episode.first_bad.day == day_name(25)
    assert [one.first_bad.day for one in after.earlier] == [day_name(20)]
    assert after.episode.last_good is not None and after.episode.last_good.day == day_name(24)


def test_neither_order_nor_repetition_of_the_files_matters() -> None:
    history = [*calm(16), bad(16), entry(17, unjudged()), good(18), bad(18).model_copy(update={"attempt": 2})]
    expected = standing(history)
    assert standing(list(reversed(history)), last=history[-1]) == expected
    assert standing([*history[7:], *history[:9], *history], last=history[-1]) == expected


def test_a_run_that_comes_late_says_what_the_newest_says() -> None:
    """Two jobs overlap: the one that began earlier ends later, and must not turn the clock back."""
    history = [*calm(20), bad(20), good(21), good(22), good(23)]
    late = standing(history, last=history[20])
    assert late == standing(history) and not late.is_open


def test_runs_are_sorted_by_the_moment_and_not_by_its_spelling() -> None:
    """Clocks go back in Berlin: 02:30 comes twice, and the first one is the earlier."""
    first = bad(20).model_copy(update={"created_at": f"{day_name(20)}T02:30:00+02:00", "run": "z-first"})
    second = bad(20).model_copy(update={"created_at": f"{day_name(20)}T02:30:00+01:00", "run": "a-second"})
    after = standing([*calm(20), second, first], last=second)
    assert after.episode is not None
    assert (after.episode.first_bad.run, after.episode.last_bad.run) == ("z-first", "a-second")


def test_recordings_and_runs_of_pull_requests_are_not_monitored() -> None:
    others = [
        bad(20).model_copy(update={"kind": "other", "run": "by-hand"}),
        bad(20).model_copy(update={"replayed": True, "run": "replayed"}),
    ]
    after = standing([*calm(21), *others], last=calm(21)[-1])
    assert after.episode is None and after.state == "good"


def test_a_weak_red_day_is_a_ticket_until_something_confirms_it() -> None:
    weak = red(p=0.03, p_adjusted=0.03)
    after = standing([*calm(20), entry(20, evalset_day(CALM[3], verdicts=(weak,)))])
    assert [alert.tier for alert in after.alerts] == [2] and after.is_open
    learned = [*calm(3), *(entry(at, evalset_day(4.1, verdicts=(weak,))) for at in (3, 4))]
    assert [alert.tier for alert in standing(learned[:4]).alerts] == [2]
    assert [alert.tier for alert in standing(learned).alerts] == [1], "the second red day confirms the first"


def test_a_broken_must_pages_and_a_broken_require_is_a_ticket() -> None:
    after = standing([*calm(3), entry(3, evalset_day(floors=(must(),), status="regressed"))])
    (alert,) = after.alerts
    assert (alert.kind, alert.tier, alert.quality) == ("policy_floor", 1, True)
    assert "no-legal-advice" in alert.title and after.is_open
    floor = must(kind="require", scorer="helpfulness", held=1, needed=2)
    after = standing([*calm(3), entry(3, evalset_day(floors=(floor,), status="regressed"))])
    assert [(alert.kind, alert.tier) for alert in after.alerts] == [("policy_floor", 2)]


def test_a_floor_that_errors_keep_from_being_told_is_no_alert() -> None:
    after = standing([*calm(3), entry(3, evalset_day(floors=(must(undecided=True, ok=True),)))])
    assert after.alerts == ()


def test_one_evalset_does_not_speak_for_another() -> None:
    other = evalset_day(4.2, evalset="triage", owner="@bo")
    history = [
        entry(at, evalset_day(CALM[at]), other.model_copy(update={"rows": (row(CALM[at]),)}))
        for at in range(20)
    ]
    history.append(entry(20, evalset_day(3.9, verdicts=(red(),)), other))
    found = alerts_after(history, owners={"triage": "@cy"})
    assert [(one.evalset, one.is_open, one.owner) for one in found.evalsets] == [
        ("summarizer", True, "@ann"),
        ("triage", False, "@cy"),
    ]


def test_the_run_that_asks_has_to_be_in_the_history() -> None:
    with pytest.raises(ValueError, match="not in the history"):
        standing(calm(3), last=entry(9))


def test_recovery_days_is_a_knob() -> None:
    history = [*calm(20), bad(20), good(21)]
    assert not standing(history, monitors=Monitors(recovery_days=1)).is_open
    longer = list(itertools.chain(history, [good(22), good(23), good(24)]))
    assert standing(longer, monitors=Monitors(recovery_days=5)).is_open


def judged_by(digest: str) -> dict[str, ScorerInfo]:
    return {"helpfulness": ScorerInfo(kind="judge", scale=GRADED, hash=digest, parts={"model": digest})}


def asking(tag: str) -> tuple[CaseDay, ...]:
    return tuple(CaseDay(case=f"c{n}", digest=f"{n}{tag}", scores={"helpfulness": (4.2,)}) for n in range(20))


OPEN_ROW = red(status="inconclusive", reason="not_comparable", p=None, p_adjusted=None)
CHANGES = {
    "another judge": {"scorers": judged_by("b"), "verdicts": (OPEN_ROW,), "status": "inconclusive"},
    "another name": {"rows": (row(3.9, scorer="helpful"),), "scorers": {}, "status": "pass"},
    "other cases": {"cases": asking("new"), "verdicts": (OPEN_ROW,), "status": "inconclusive"},
    "no gate": {"rows": (row(3.9, gating=False),), "scorers": judged_by("a"), "status": "pass"},
}


def incident() -> list[HistoryEntry]:
    """Return thirty calm days and two red ones, by one judge and over the same cases."""
    same = {"scorers": judged_by("a"), "cases": asking("old")}
    calm_days = [entry(at, evalset_day(CALM[at], **same)) for at in range(30)]
    return [*calm_days, bad(30, **same), bad(31, **same)]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_incident_ends_by_another_instrument(change: dict[str, object]) -> None:
    """A judge, name, suite or gate that is changed in an incident measured no recovery, and says so."""
    told = {"scorers": judged_by("a"), "cases": asking("old"), **change}
    history = [*incident(), *(entry(at, evalset_day(3.9, **told)) for at in range(32, 52))]
    for days in (33, 36, 52):
        after = standing(history[:days])
        assert after.is_open and after.state == "bad"
        assert after.episode is not None and after.episode.good_days == ()
        (alert,) = after.alerts
        assert alert.title.endswith("cannot tell: the instrument changed") and alert.tier == 2
    accepted = {**told, "baseline": {**BASELINE, "run": "again"}, "verdicts": (), "status": "pass"}
    history += [entry(at, evalset_day(3.9, **accepted)) for at in range(52, 55)]
    assert standing(history[:-1]).is_open and not standing(history).is_open


@pytest.mark.parametrize("name", ["another judge", "other cases"])
def test_what_the_gate_measured_and_passed_ends_an_incident_by_another_instrument(name: str) -> None:
    """The baseline was judged anew, or has the new cases: then the gate can tell what no reference can."""
    told = {"scorers": judged_by("a"), "cases": asking("old"), **CHANGES[name]}
    unclear = [entry(at, evalset_day(3.9, **told)) for at in (32, 33)]
    passed = [
        entry(at, evalset_day(4.22, **{**told, "verdicts": (), "status": "pass"})) for at in (34, 35, 36)
    ]
    assert standing([*incident(), *unclear, *passed[:2]]).is_open
    assert not standing([*incident(), *unclear, *passed]).is_open


def test_a_scorer_that_is_gone_for_some_days_comes_back_as_what_it_is() -> None:
    """Away and back with another judge: its old reference says nothing of it."""
    away: EvalsetDay = evalset_day(3.9, rows=(row(4.2, scorer="other"),), scorers={})
    back = evalset_day(4.22, scorers=judged_by("b"), cases=asking("old"), verdicts=(OPEN_ROW,))
    back = back.model_copy(update={"status": "inconclusive"})
    history = [*incident(), entry(32, away), *(entry(at, back) for at in range(33, 39))]
    assert standing(history).is_open


FLOOR = "must[0]:not_contains"
HOLDS = (CaseDay(case="no-legal-advice", digest="d", held=(FLOOR,)),)
NO_ANSWER = (CaseDay(case="no-legal-advice", digest="d", errors=3),)
UNDECIDED = (must(undecided=True, ok=True, held=0),)


def finding(share: float) -> dict[str, object]:
    """Return cases of which a share finds its document."""
    cases = tuple(
        CaseDay(case=f"c{n}", digest="d", scores={"finds": (float(n < share * 100),)}) for n in range(100)
    )
    return {"cases": cases, "scorers": {"finds": ScorerInfo(kind="retrieval_hit")}}


def saying(label: str) -> dict[str, object]:
    """Return cases that are labelled by `tone`."""
    mixed = tuple(
        CaseDay(case=f"c{n}", digest="d", labels={"tone": (label if n % 2 else "kind",)}) for n in range(60)
    )
    return {"cases": mixed}


FAST, SLOW = ({"amounts": Amounts(latency_p50_s=0.8, latency_p95_s=p95, latency_n=200)} for p95 in (1.9, 6.0))
# What is usual, what is bad, and a day that does not tell of it.
MEASURED: dict[str, tuple[dict[str, object], dict[str, object], dict[str, object]]] = {
    "a must whose case has no answer": (
        {"cases": HOLDS},
        {"cases": (CaseDay(case="no-legal-advice", digest="d"),), "floors": (must(),), "status": "regressed"},
        {"cases": NO_ANSWER, "floors": UNDECIDED},
    ),
    "a must whose case is deleted": (
        {"cases": HOLDS},
        {"cases": (CaseDay(case="no-legal-advice", digest="d"),), "floors": (must(),), "status": "regressed"},
        {"cases": (CaseDay(case="another", digest="d"),)},
    ),
    "a must that is asked no more": (
        {"cases": HOLDS},
        {"cases": (CaseDay(case="no-legal-advice", digest="d"),), "floors": (must(),), "status": "regressed"},
        {"cases": (CaseDay(case="no-legal-advice", digest="e"),)},
    ),
    "latency": (FAST, SLOW, {}),
    "cost": ({"cost_usd": 0.4}, {"cost_usd": 2.0}, {}),
    "retrieval": (finding(0.95), finding(0.7), {"cases": finding(0.7)["cases"]}),
    "the mix of labels": (saying("kind"), saying("rude"), {"cases": (CaseDay(case="c0", digest="d"),)}),
}


@pytest.mark.parametrize("thing", MEASURED)
def test_an_incident_ends_only_where_its_own_thing_was_measured_and_good(thing: str) -> None:
    usual, wrong, silent = MEASURED[thing]
    history = [entry(at, evalset_day(CALM[at], **usual)) for at in range(20)]
    history.append(entry(20, evalset_day(CALM[3], **wrong)))
    assert standing(history).is_open
    unsaid = [*history, *(entry(at, evalset_day(CALM[at], **silent)) for at in range(21, 31))]
    after = standing(unsaid)
    assert after.is_open and after.state == "bad" and after.episode is not None
    assert after.episode.good_days == ()
    (alert,) = after.alerts
    assert alert.tier == 2 and "recovery" in alert.title
    assert "aioncall baseline accept summarizer" in alert.evidence[-1].value
    good_days = [entry(at, evalset_day(CALM[at], **usual)) for at in (31, 32, 33)]
    assert standing([*unsaid, *good_days[:2]]).is_open
    assert not standing([*unsaid, *good_days]).is_open
    accepted = {**silent, "baseline": {**BASELINE, "run": "again"}}
    agreed = [entry(at, evalset_day(CALM[at], **accepted)) for at in (31, 32, 33)]
    assert not standing([*unsaid, *agreed]).is_open, "what is gone for good is agreed on"


def test_a_scorer_that_names_no_fault_any_more_is_measured() -> None:
    """A label is there for a fault only: none is good news, as long as the scorer scored."""

    def naming(fault: str | None) -> dict[str, object]:
        labels: dict[str, tuple[str | None, ...]] = {"tone": (fault,)} if fault else {}
        cases = tuple(
            CaseDay(case=f"c{n}", digest="d", scores={"tone": (1.0,)}, labels=labels) for n in range(60)
        )
        return {"cases": cases, "scorers": {"tone": ScorerInfo(kind="python")}}

    history = [entry(at, evalset_day(CALM[at], **naming("dull"))) for at in range(20)]
    history.append(entry(20, evalset_day(CALM[3], **naming("rude"))))
    assert standing(history).is_open
    history += [entry(at, evalset_day(CALM[at], **naming(None))) for at in (21, 22, 23)]
    assert standing(history[:-1]).is_open and not standing(history).is_open


def test_a_day_that_does_not_tell_is_passed_over_like_one_that_could_not_be_judged() -> None:
    usual, wrong, silent = MEASURED["latency"]
    history = [entry(at, evalset_day(CALM[at], **usual)) for at in range(20)]
    history.append(entry(20, evalset_day(CALM[3], **wrong)))
    mixed = [usual, silent, usual, silent, usual]
    history += [entry(21 + at, evalset_day(CALM[at], **one)) for at, one in enumerate(mixed)]
    assert standing(history[:-1]).is_open and not standing(history).is_open


def suspected(number: int, **given: object) -> HistoryEntry:
    told = red(status="inconclusive", reason="suspected", p=0.2, p_adjusted=0.2, **given)
    return entry(number, evalset_day(4.22, status="inconclusive", verdicts=(told,)))


def test_a_row_of_the_incident_that_is_suspected_makes_neither_a_good_day_nor_a_bad_one() -> None:
    history = [*calm(20), bad(20), good(21), *(suspected(at) for at in range(22, 30))]
    after = standing(history)
    assert after.is_open and after.alerts == () and after.episode is not None
    assert after.episode.good_days == (day_name(21),) and after.episode.last_bad.day == day_name(20)
    assert "suspected" in after.uncounted and "helpfulness" in after.uncounted
    assert standing([*history, good(30)]).is_open
    assert not standing([*history, good(30), good(31)]).is_open


def test_a_row_that_is_none_of_the_incident_may_be_suspected() -> None:
    others = [suspected(at, slice={"persona": "free"}) for at in (21, 22, 23)]
    assert not standing([*calm(20), bad(20), *others]).is_open


def test_a_suspected_run_spoils_the_day_of_a_good_one_before_it() -> None:
    second = suspected(21).model_copy(update={"run": "z", "created_at": f"{day_name(21)}T09:00:00Z"})
    after = standing([*calm(20), bad(20), good(21), second, good(22), good(23)])
    assert after.is_open and after.episode is not None
    assert after.episode.good_days == (day_name(22), day_name(23))


def test_a_good_run_on_the_day_of_a_bad_one_says_why_the_day_does_not_count() -> None:
    retry = entry(20, evalset_day(CALM[3]), hour=6)
    after = standing([*calm(20), bad(20, 4.2), retry])
    assert after.alerts == () and after.uncounted == f"an earlier run of {day_name(20)} was bad"
    assert standing([*calm(20), bad(20, 4.2), retry, good(21)]).uncounted == ""
