"""The table of alerts: each rule fires where it should, with its evidence, and not a step before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hostile_corpus import HOSTILE
from monitored import (
    CALM,
    START,
    alerts_after,
    calm,
    day_name,
    entry,
    evalset_day,
    must,
    red,
    standing,
    unjudged,
)
from pytest_aioncall.model.alert import Alert, EvalsetCondition
from pytest_aioncall.model.baseline import ScorerInfo
from pytest_aioncall.model.history import Amounts, CaseDay, ErrorText, HistoryEntry
from pytest_aioncall.model.oncall import Monitors


def only(after: EvalsetCondition, kind: str) -> Alert | None:
    found = [alert for alert in after.alerts if alert.kind == kind]
    assert len(found) <= 1
    return found[0] if found else None


def told(alert: Alert | None) -> dict[str, str]:
    assert alert is not None
    return {one.name: one.value for one in alert.evidence}


def took(p95: float = 1.9, **given: Any) -> Amounts:
    usual: dict[str, Any] = {"latency_p50_s": 0.8, "latency_p95_s": p95, "latency_n": 200}
    usual |= {"tokens_in": 800.0, "tokens_out": 120.0, "retrieved": 4.0, "attempts": 1.0}
    return Amounts(**{**usual, **given})


def timed(days: int = 20) -> list[HistoryEntry]:
    return [entry(at, evalset_day(CALM[at], amounts=took(1.9 + 0.02 * (at % 5)))) for at in range(days)]


def test_a_latency_above_its_ratio_pages_with_what_a_sample_took() -> None:
    slow = took(4.4, tokens_out=260.0, attempts=1.8)
    alert = only(standing([*timed(), entry(20, evalset_day(amounts=slow))]), "latency")
    assert alert is not None and alert.tier == 1 and alert.quality
    assert alert.title == "summarizer.daily.latency_p95 24h: 1.9 s -> 4.4 s (2.3 x, n=200)"
    evidence = told(alert)
    assert evidence["tokens out a sample"] == "120 -> 260 (2.2 x)"
    assert evidence["attempts a sample"] == "1 -> 1.8 (1.8 x)"
    assert evidence["tokens in a sample"] == "800 -> 800 (1.0 x)"
    assert evidence["retrieved a sample"] == "4 -> 4 (1.0 x)"


@pytest.mark.parametrize("p95", [3.7, 1.9, 0.2])
def test_a_latency_below_its_ratio_is_silent(p95: float) -> None:
    assert only(standing([*timed(), entry(20, evalset_day(amounts=took(p95)))]), "latency") is None


def test_a_latency_that_always_jumps_about_is_no_alert() -> None:
    """Ratio 2.3, but on the days before it was anything between 0.6 and 6 s."""
    wild = [entry(at, evalset_day(CALM[at], amounts=took(0.6 * 3.3 ** (at % 3)))) for at in range(20)]
    assert only(standing([*wild, entry(20, evalset_day(amounts=took(4.8)))]), "latency") is None


def test_milliseconds_that_double_are_no_alert() -> None:
    quick = [entry(at, evalset_day(CALM[at], amounts=took(0.004))) for at in range(20)]
    assert only(standing([*quick, entry(20, evalset_day(amounts=took(0.03)))]), "latency") is None


def test_latency_needs_days_to_compare_with_and_answers_of_its_own() -> None:
    assert only(standing([*timed(6), entry(6, evalset_day(amounts=took(9.0)))]), "latency") is None
    few = took(9.0, latency_n=3)
    assert only(standing([*timed(), entry(20, evalset_day(amounts=few))]), "latency") is None


def priced(days: int = 10, cost: float = 0.40) -> list[HistoryEntry]:
    return [entry(at, evalset_day(CALM[at], cost_usd=cost, amounts=took())) for at in range(days)]


def test_a_cost_above_its_ratio_pages_and_names_the_mean_of_seven_days() -> None:
    alert = only(standing([*priced(), entry(10, evalset_day(cost_usd=0.96, amounts=took()))]), "cost")
    assert alert is not None and alert.tier == 1
    assert alert.title == "summarizer.daily.cost 24h: $0.40 -> $0.96 (2.4 x, n=200)"
    assert "mean of 7 days without an incident" in told(alert)["cost of a run"]
    assert "tokens in a sample" in told(alert)


@pytest.mark.parametrize("cost", [0.80, 0.41, 0.0])
def test_a_cost_within_its_ratio_is_silent(cost: float) -> None:
    assert only(standing([*priced(), entry(10, evalset_day(cost_usd=cost))]), "cost") is None


def test_fractions_of_a_cent_are_no_alert() -> None:
    assert only(standing([*priced(cost=0.001), entry(10, evalset_day(cost_usd=0.009))]), "cost") is None


def test_a_dear_week_does_not_become_the_usual_price() -> None:
    """Days of the incident are none of the seven, so it still holds after two weeks of it."""
    dear = [entry(at, evalset_day(CALM[at], cost_usd=1.2)) for at in range(10, 24)]
    after = standing([*priced(), *dear])
    assert only(after, "cost") is not None and after.is_open
    assert after.episode is not None and after.episode.first_bad.day == day_name(10)


def test_more_cases_are_no_cost_spike_and_a_part_of_a_run_is_projected() -> None:
    grown = evalset_day(cost_usd=1.2, planned=600, judged_samples=600)
    assert only(standing([*priced(), entry(10, grown)]), "cost") is None
    part = evalset_day(cost_usd=0.6, planned=200, errors=100)
    alert = only(standing([*priced(), entry(10, part)]), "cost")
    assert alert is not None and "$0.40 -> $1.20" in alert.title


def test_latency_and_cost_make_one_episode_together() -> None:
    history = [entry(at, evalset_day(CALM[at], cost_usd=0.4, amounts=took())) for at in range(20)]
    both = evalset_day(4.0, verdicts=(red(),), cost_usd=2.0, amounts=took(6.0))
    after = standing([*history, entry(20, both)])
    assert [alert.kind for alert in after.alerts] == ["eval_regression", "latency", "cost"]
    assert after.episode is not None and after.earlier == ()


TIMEOUT = ErrorText(template="TimeoutError: no answer within <num> s", samples=62, cases=60)


def test_an_outage_is_an_alert_that_speaks_of_no_answer() -> None:
    out = unjudged(errors=62, error_texts=(TIMEOUT,))
    after = standing([*calm(20), entry(20, out)])
    alert = only(after, "errors")
    assert alert is not None and (alert.tier, alert.quality) == (1, False)
    assert alert.title == "summarizer.daily.errors 24h: 31 % (62 of 200 samples, limit 5 %)"
    assert told(alert)["error"].startswith("TimeoutError: no answer within <num> s (62 samples, 60 cases)")
    assert after.episode is None and after.state == "not_judged"
    assert standing([*calm(20), entry(20, out), entry(21)]).alerts == (), "the next judged run ends it"


@pytest.mark.parametrize(("errors", "fires"), [(10, False), (13, False), (17, True)])
def test_one_day_of_errors_has_to_be_beyond_chance(errors: int, fires: bool) -> None:
    after = standing([*calm(20), entry(20, evalset_day(errors=errors))])
    assert (only(after, "errors") is not None) is fires


def test_the_second_day_above_the_limit_is_evidence_by_itself() -> None:
    days = [entry(at, evalset_day(CALM[at], errors=13)) for at in (20, 21)]
    assert "second day" in told(only(standing([*calm(20), *days]), "errors"))["error rate"]
    same_day = [entry(20, evalset_day(CALM[3], errors=13), hour=hour) for hour in (3, 9)]
    assert only(standing([*calm(20), *same_day]), "errors") is None


def test_a_judge_out_of_reach_is_neither_green_nor_red() -> None:
    out = unjudged(
        because="the judge gave no scores", judge_errors=0.8, errors=160, judges={"helpfulness": "ab12"}
    )
    after = standing([*calm(20), entry(20, out)])
    alert = only(after, "judge_unavailable")
    assert alert is not None and (alert.tier, alert.quality) == (1, False)
    assert alert.title == "summarizer.daily.judge 24h: unavailable (no scores for 80 % of the judge's calls)"
    assert told(alert)["because"] == "the judge gave no scores"
    assert only(after, "errors") is None, "what the judge did not score is no error of the target"
    assert after.state == "not_judged" and after.episode is None


def test_a_judge_out_of_reach_during_an_incident_leaves_it_as_it_is() -> None:
    bad = entry(20, evalset_day(3.9, verdicts=(red(),)))
    after = standing([*calm(20), bad, entry(21, unjudged(judge_errors=0.8))])
    assert {alert.kind for alert in after.alerts} == {"judge_unavailable", "eval_regression"}
    assert after.is_open and after.episode is not None and after.episode.last_bad.day == day_name(20)


def test_a_floor_that_an_answer_broke_is_broken_whatever_else_the_run_lacks() -> None:
    after = standing(
        [*calm(20), entry(20, unjudged(because="partial: 60 of 66 cases ran", floors=(must(),)))]
    )
    alert = only(after, "policy_floor")
    assert alert is not None and (alert.tier, alert.quality) == (1, True)
    assert after.is_open and after.state == "not_judged"
    assert after.episode is not None and after.episode.first_bad.day == day_name(20)
    assert after.episode.last_good is not None and after.episode.last_good.day == day_name(19)


def test_a_floor_without_an_answer_says_nothing_of_the_answers() -> None:
    """A wrong key: each call of the target fails by its own fault, and so does every `must`."""
    cases = tuple(CaseDay(case=name, errors=3) for name in ("no-legal-advice", "b"))
    after = standing([*calm(20), entry(20, unjudged(floors=(must(held=0),), cases=cases, planned=6))])
    alert = only(after, "policy_floor")
    assert alert is not None and (alert.tier, alert.quality) == (1, False)
    assert after.episode is None


def rose(kind: str) -> dict[str, Any]:
    """Return what a run tells in which one thing is worse, and 3 % of the samples have no answer."""
    quota = ErrorText(template="401 Unauthorized: quota", samples=6, cases=6)
    given: dict[str, Any] = {"errors": 6, "cost_usd": 0.4, "amounts": took(), "error_texts": (TIMEOUT,)}
    return given | {
        "latency": {"amounts": took(9.0)},
        "cost": {"cost_usd": 5.0},
        "novel_error": {"error_texts": (quota,)},
    }.get(kind, {})


def measured(days: int = 20) -> list[HistoryEntry]:
    known = {"cost_usd": 0.4, "error_texts": (TIMEOUT,)}
    return [
        entry(at, evalset_day(CALM[at], amounts=took(1.9 + 0.02 * (at % 5)), **known)) for at in range(days)
    ]


@pytest.mark.parametrize("kind", ["latency", "cost", "novel_error"])
def test_what_a_run_measured_is_told_though_it_could_not_be_judged(kind: str) -> None:
    after = standing([*measured(), entry(20, unjudged(**rose(kind)))])
    (alert,) = after.alerts
    assert (alert.kind, alert.quality) == (kind, True)
    assert after.is_open and after.state == "not_judged"
    good = [entry(at, evalset_day(4.22, cost_usd=0.4, amounts=took())) for at in (21, 22, 23)]
    assert not standing([*measured(), entry(20, unjudged(**rose(kind))), *good]).is_open
    assert standing([*measured(), entry(20, unjudged(**rose("")))]).alerts == ()


def test_in_an_outage_late_answers_and_its_errors_are_told_as_one_thing() -> None:
    new = ErrorText(template="503 Service Unavailable", samples=62, cases=60)
    out = unjudged(errors=62, error_texts=(new,), cost_usd=0.4, amounts=took(9.0))
    after = standing([*measured(), entry(20, out)])
    assert [alert.kind for alert in after.alerts] == ["errors"]
    assert after.episode is None
    again = evalset_day(errors=4, error_texts=(new,), cost_usd=0.4, amounts=took())
    assert standing([*measured(), entry(20, out), entry(21, again)]).alerts == (), "it was told by then"


def test_a_judge_out_of_reach_hides_no_late_answer() -> None:
    out = unjudged(judge_errors=0.8, judges={"helpfulness": "ab12"}, cost_usd=0.4, amounts=took(9.0))
    after = standing([*measured(), entry(20, out)])
    assert {alert.kind for alert in after.alerts} == {"judge_unavailable", "latency"} and after.is_open


def test_a_few_answers_of_a_run_that_was_cut_short_make_no_noise() -> None:
    few = unjudged("the run was killed before its end", asked=20, cost_usd=0.4, amounts=took(9.0))
    assert standing([*measured(), entry(20, few)]).alerts == ()
    half = unjudged("the run was killed before its end", asked=100, cost_usd=0.5, amounts=took())
    assert "$0.40 -> $1.00" in standing([*measured(), entry(20, half)]).alerts[0].title


def test_an_error_text_is_news_until_it_was_told_or_a_judged_run_had_it() -> None:
    def quota(cases: int) -> tuple[ErrorText, ...]:
        return (ErrorText(template="401 Unauthorized: quota", samples=cases, cases=cases),)

    unseen = entry(20, unjudged(errors=6, error_texts=quota(2)))
    judged = entry(21, evalset_day(errors=4, error_texts=quota(4)))
    assert standing([*calm(20), unseen]).alerts == ()
    assert only(standing([*calm(20), unseen, judged]), "novel_error") is not None
    seen = entry(20, evalset_day(errors=2, error_texts=quota(2)))
    assert standing([*calm(20), seen, judged]).alerts == ()


CAPPED = "the run stopped: cost cap of $5 reached; raise it with --aioncall-max-cost"


def test_a_run_that_its_cost_cap_stopped_is_dear_and_no_outage() -> None:
    stopped = unjudged(
        CAPPED, errors=180, cancelled=180, asked=20, cost_usd=5.0, amounts=took(tokens_out=9e3)
    )
    after = standing([*measured(), entry(20, stopped)])
    (alert,) = after.alerts
    assert (alert.kind, alert.tier, alert.quality) == ("cost", 1, True) and after.is_open
    assert alert.title == "summarizer.daily.cost 24h: $0.40 -> $50.00 (125.0 x, n=200)"
    evidence = told(alert)
    assert evidence["stopped"] == CAPPED
    assert evidence["not asked"] == "180 of 200 samples"
    assert evidence["cost of a sample"] == "$0.0020 -> $0.25"
    assert evidence["tokens out a sample"] == "120 -> 9,000 (75.0 x)"


@pytest.mark.parametrize(("asked", "cost"), [(100, 0.2), (0, 0.0)])
def test_a_run_that_the_cost_of_another_stopped_is_told_and_opens_no_incident(
    asked: int, cost: float
) -> None:
    left = 200 - asked
    stopped = unjudged(CAPPED, errors=left, cancelled=left, asked=asked, cost_usd=cost)
    after = standing([*measured(), entry(20, stopped)])
    (alert,) = after.alerts
    assert (alert.kind, alert.tier, alert.quality) == ("cost", 1, False) and after.episode is None
    assert (
        alert.title
        == f"summarizer.daily.cost 24h: the cost cap stopped the run ({left} of 200 samples not asked)"
    )


def test_errors_are_those_of_the_samples_that_were_asked() -> None:
    stopped = unjudged(CAPPED, errors=190, cancelled=150, asked=50, cost_usd=0.1)
    alert = only(standing([*measured(), entry(20, stopped)]), "errors")
    assert alert is not None and "80 % (40 of 50 samples, limit 5 %)" in alert.title


def test_a_floor_that_broke_before_an_outage_and_in_it_is_told_once() -> None:
    bad = entry(20, evalset_day(floors=(must(),), status="regressed"))
    after = standing([*calm(20), bad, entry(21, unjudged(floors=(must(),)))])
    assert only(after, "policy_floor") is not None and after.is_open


def at_noon(number: int) -> datetime:
    return datetime.combine(START, datetime.min.time(), UTC) + timedelta(days=number, hours=12)


def test_a_run_that_is_missing_is_an_alert_until_the_next_one() -> None:
    assert only(standing(calm(20), now=at_noon(20)), "no_data") is None
    alert = only(standing(calm(20), now=at_noon(21)), "no_data")
    assert alert is not None and (alert.tier, alert.quality) == (1, False)
    assert alert.title == f"summarizer.daily.runs 24h: no run since {day_name(19)} (2 days)"
    later = standing([*calm(20), entry(22)], now=at_noon(22))
    assert only(later, "no_data") is None and later.history_gap == 2


def test_weekly_runs_are_not_missed_on_other_days() -> None:
    weekly = [entry(7 * at, evalset_day(CALM[at])) for at in range(8)]
    assert only(standing(weekly, now=at_noon(49 + 6)), "no_data") is None
    assert only(standing(weekly, now=at_noon(49 + 8)), "no_data") is not None


def test_days_without_a_judged_run_are_no_data() -> None:
    history = [*calm(20), *(entry(at, unjudged()) for at in (20, 21))]
    assert only(standing(history), "no_data") is None
    alert = only(standing([*history, entry(22, unjudged())]), "no_data")
    assert alert is not None and "no judged run for 3 days" in alert.title
    assert only(standing([*history, entry(22, unjudged()), entry(23)]), "no_data") is None
    assert only(standing([entry(at, unjudged()) for at in range(4)]), "no_data") is not None


def test_a_clock_that_goes_back_makes_no_alert() -> None:
    assert standing(calm(20), now=at_noon(5)).alerts == ()


def test_a_baseline_beyond_its_age_pages_and_one_that_ages_is_a_line() -> None:
    old = entry(20, evalset_day(baseline_age_days=31.2, baseline_limit_days=30))
    alert = only(standing([*calm(20), old]), "stale_baseline")
    assert alert is not None and (alert.tier, alert.quality) == (1, False)
    assert alert.title == "summarizer.daily.baseline 24h: 31 days old, limit 30"
    ageing = [*calm(20), entry(20, evalset_day(baseline_age_days=27.0, baseline_limit_days=30))]
    assert only(standing(ageing), "stale_baseline") is None
    assert any("27 days old, limit 30" in line for line in alerts_after(ageing).review)


def mixed(at: int, *, refused: float = 0.02, cases: int = 100, digest: str = "d") -> HistoryEntry:
    """Return a day on which a share of the cases is refused, in two of three epochs."""
    made = tuple(
        CaseDay(
            case=f"c{n}",
            digest=digest,
            labels={"route": ("billing",) * 3},
            features={
                "refusal": ("yes", "yes", "no") if (n * 37 + at) % 100 < 100 * refused else ("no",) * 3
            },
        )
        for n in range(cases)
    )
    return entry(at, evalset_day(CALM[at % 11], cases=made))


def test_a_mix_that_changed_is_a_ticket_that_names_what_moved() -> None:
    history = [mixed(at) for at in range(15)]
    assert standing(history).alerts == ()
    after = standing([*history, mixed(15, refused=0.5)])
    alert = only(after, "output_shift")
    assert alert is not None and (alert.tier, alert.quality, alert.scorer) == (2, True, "refusal")
    assert alert.title.startswith("summarizer.daily.refusal 24h: no 98.7 % -> 66.7 % (excess KL 0.")
    assert told(alert)["permutation G-test"].endswith("limit 0.005"), "two questions were asked"
    assert after.is_open


def labelled(at: int, *, billed: float = 0.25, scorers: dict[str, ScorerInfo] | None = None) -> HistoryEntry:
    """Return a day of 100 cases with the labels of a scorer; `billed` is the share of the first label."""
    made = tuple(
        CaseDay(
            case=f"c{n}",
            digest="d",
            labels={"route": ("billing" if (n * 37 + at % 3) % 100 < 100 * billed else "tech",) * 3},
        )
        for n in range(100)
    )
    return entry(at, evalset_day(CALM[at % 11], cases=made, scorers=scorers or {}))


def test_a_mix_of_labels_that_changed_is_a_ticket_of_its_scorer() -> None:
    history = [labelled(at) for at in range(15)]
    assert standing(history).alerts == ()
    alert = only(standing([*history, labelled(15, billed=0.6)]), "output_shift")
    assert alert is not None and (alert.tier, alert.quality, alert.scorer) == (2, True, "route")
    assert alert.title.startswith("summarizer.daily.route 24h: billing 25 % -> 60 % (excess KL 0.")
    assert told(alert)["permutation G-test"].endswith("limit 0.01"), "one question was asked"


def test_labels_are_compared_only_with_those_of_the_same_scorer() -> None:
    old, new = ({"route": ScorerInfo(kind="label_match", hash=text)} for text in ("1", "2"))
    history = [labelled(at, scorers=old) for at in range(15)]
    fallen = labelled(15, billed=0.6, scorers=old)
    assert only(standing([*history, fallen]), "output_shift") is not None
    other = labelled(15, billed=0.6, scorers=new)
    assert only(standing([*history, other]), "output_shift") is None


def test_a_mix_is_compared_over_the_cases_that_both_sides_have() -> None:
    """Another suite, in which half are refused, is no shift; neither are too few days."""
    history = [mixed(at) for at in range(15)]
    assert only(standing([*history, mixed(15, refused=0.5, digest="new")]), "output_shift") is None
    assert only(standing([*history[:6], mixed(6, refused=0.5)]), "output_shift") is None


def test_min_kl_is_a_knob() -> None:
    history = [*(mixed(at) for at in range(15)), mixed(15, refused=0.5)]
    assert only(standing(history, monitors=Monitors(min_kl=2.0)), "output_shift") is None


def found(at: int, hits: int, *, cases: int = 100) -> HistoryEntry:
    made = tuple(
        CaseDay(case=f"c{n}", digest="d", scores={"finds": (float(n < hits),) * 3}) for n in range(cases)
    )
    scorers = {"finds": ScorerInfo(kind="retrieval_hit")}
    return entry(at, evalset_day(CALM[at % 11], cases=made, scorers=scorers))


def test_a_hit_rate_that_fell_is_a_ticket() -> None:
    history = [found(at, 95) for at in range(15)]
    assert standing([*history, found(15, 90)]).alerts == ()
    alert = only(standing([*history, found(15, 80)]), "retrieval")
    assert alert is not None and (alert.tier, alert.scorer) == (2, "finds")
    assert alert.title == "summarizer.daily.finds 24h: 95.0 % -> 80.0 % (delta -15.0 pp, n=100)"
    assert told(alert)["reference"].startswith("1425 of 1500 case-days")


def erring(at: int, template: str, *, cases: int = 4) -> HistoryEntry:
    text = ErrorText(template=template, samples=cases, cases=cases)
    return entry(at, evalset_day(CALM[at % 11], errors=cases, error_texts=(text,)))


def test_an_error_that_no_run_before_had_is_a_ticket_while_it_lasts() -> None:
    history = [*calm(5), erring(5, "timeout after <num> s on host alpha"), *calm(10)[6:]]
    known = standing([*history, erring(10, "timeout after <num> s on host beta")])
    assert known.alerts == ()
    quota = "401 Unauthorized: quota of {} <text>"
    news = [erring(10, quota.format("project")), erring(11, quota.format("team"))]
    for until in (1, 2):
        after = standing([*history, *news[:until]])
        alert = only(after, "novel_error")
        assert alert is not None and alert.tier == 2 and after.is_open
    assert alert.title.startswith("summarizer.daily.error 24h: new: 401 Unauthorized")
    ended = [*history, *news, *(entry(at, evalset_day(4.22)) for at in (12, 13, 14))]
    assert not standing(ended).is_open
    assert standing([*ended, erring(15, quota.format("team"))]).alerts == ()


def test_a_new_error_in_two_cases_or_in_the_first_runs_is_none() -> None:
    assert only(standing([*calm(10), erring(10, "boom now", cases=2)]), "novel_error") is None
    assert only(standing([*calm(2), erring(2, "boom now")]), "novel_error") is None


def test_another_model_in_the_answers_is_a_line_and_stands_by_every_alert() -> None:
    history = [entry(at, evalset_day(CALM[at], models={"m-2026-08": 200})) for at in range(20)]
    changed = entry(20, evalset_day(3.9, verdicts=(red(),), models={"m-2026-08": 80, "m-2026-11": 120}))
    after = standing([*history, changed])
    alert = only(after, "provider_change")
    assert alert is not None and (alert.tier, alert.quality) == (3, False)
    assert alert.title == "summarizer.daily.model 24h: m-2026-08 -> m-2026-11 (60 % of 200 answers)"
    regression = only(after, "eval_regression")
    assert told(regression)["provider change"] == "m-2026-08 -> m-2026-08, m-2026-11"
    assert [change.name for change in after.changes] == ["response model"]
    assert alert.title in alerts_after([*history, changed]).review


def test_models_that_take_turns_are_no_change() -> None:
    turns = [
        entry(at, evalset_day(CALM[at], models={"a": 90, "b": 110} if at % 2 else {"a": 110, "b": 90}))
        for at in range(20)
    ]
    assert standing(turns).alerts == () and standing(turns[:19]).alerts == ()
    moved = [*turns, *(entry(at, evalset_day(CALM[at], models={"b": 200})) for at in range(20, 30))]
    assert standing(moved).alerts == ()
    back = standing([*moved, entry(30, evalset_day(CALM[8], models={"a": 150, "b": 50}))])
    assert only(back, "provider_change") is not None, "mostly another one, for the first time in a week"


def test_changes_between_the_last_good_and_the_first_bad_run_are_told() -> None:
    def subject(prompt: str, index: str) -> dict[str, Any]:
        files = {"prompts/a.md": {"sha256": prompt * 16, "text": "..."}}
        return {"files": files, "labels": {"index": index}, "target": {"model": "openai/m-1"}}

    history = [entry(at, evalset_day(CALM[at], subject=subject("aaaa", "kb-1"))) for at in range(20)]
    history.append(entry(20, evalset_day(3.9, verdicts=(red(),), subject=subject("bbbb", "kb-2"))))
    history.append(entry(21, evalset_day(3.9, verdicts=(red(),), subject=subject("cccc", "kb-2"))))
    changes = [(one.kind, one.name, one.was, one.now) for one in standing(history).changes]
    assert changes == [
        ("file", "prompts/a.md", "aaaaaaaaaaaa", "bbbbbbbbbbbb"),
        ("label", "index", "kb-1", "kb-2"),
    ]


def test_the_worst_cases_are_those_that_fell_most_since_the_last_good_run() -> None:
    def scored(at: int, scores: dict[str, tuple[float, ...]], **given: Any) -> HistoryEntry:
        made = tuple(
            CaseDay(
                case=name,
                digest="d",
                scores={"helpfulness": values},
                labels={"helpfulness": (f"l{values[0]:g}",)},
            )
            for name, values in scores.items()
        )
        return entry(at, evalset_day(cases=made, **given))

    good = scored(0, {"a": (5, 5, 5), "b": (5, 5, 5), "c": (4, 4, 4), "d": (2, 2, 2)})
    bad = scored(1, {"a": (1, 2, 1), "b": (3, 4, 4), "c": (4, 4, 4), "d": (3, 3, 3)}, verdicts=(red(),))
    worst = standing([good, bad]).worst
    assert [(one.case, one.was, one.now, one.newly_failing) for one in worst] == [
        ("a", (3, 3), (0, 3), True),
        ("b", (3, 3), (2, 3), False),
    ]
    assert worst[0].why == "l5 -> l1"


def test_every_alert_has_owner_runbook_and_the_run_since_when_it_holds() -> None:
    bad = [entry(at, evalset_day(3.9, verdicts=(red(),))) for at in (20, 21, 22)]
    after = alerts_after([*calm(20), *bad], owners={"summarizer": "@dee"}).evalsets[0]
    (alert,) = after.alerts
    assert (alert.owner, alert.runbook) == ("@dee", "docs/runbooks/eval_regression.md")
    assert alert.since is not None and alert.since.day == day_name(20)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_makes_one_printable_line_of_a_title(text: str) -> None:
    error = ErrorText(template=text[:300].encode("utf-8", "replace").decode(), samples=9, cases=9)
    floor = must(reason=text[:300].encode("utf-8", "replace").decode())
    after = standing(
        [*calm(9), entry(9, evalset_day(error_texts=(error,), floors=(floor,), status="regressed"))]
    )
    assert only(after, "novel_error") is not None
    for alert in after.alerts:
        assert alert.title.isprintable() and len(alert.title) < 300
        assert all(one.value.isprintable() and one.name.isprintable() for one in alert.evidence)


def test_an_evalset_that_is_no_more_is_not_waited_for() -> None:
    both = [entry(at, evalset_day(CALM[at]), evalset_day(evalset="old")) for at in range(10)]
    after = alerts_after([*both, entry(10), entry(11)])
    assert [one.evalset for one in after.evalsets] == ["summarizer"]
    assert after.notes == (f"old is in no run since {day_name(9)}; it is taken as removed",)


def test_an_evalset_with_a_run_of_its_own_is_missed() -> None:
    """Shards of a day are runs of their own: one that fails before it runs must not go unseen."""
    shards = [one for at in range(10) for one in (entry(at), entry(at, evalset_day(evalset="b"), hour=4))]
    after = alerts_after([*shards, entry(10), entry(11)], now=at_noon(11))
    missing = next(one for one in after.evalsets if one.evalset == "b")
    assert only(missing, "no_data") is not None
    assert alerts_after([*shards, *(entry(at) for at in range(10, 45))]).notes


def without_old(days: int, *, file: str = "evalsets/old.yaml", bad: bool = False) -> list[HistoryEntry]:
    """Return ten days with the evalset `old`, and so many that leave it out."""
    old = evalset_day(evalset="old", file=file)
    both = [entry(at, evalset_day(CALM[at % 11]), old) for at in range(10)]
    if bad:
        fell = evalset_day(3.9, evalset="old", file=file, verdicts=(red(),))
        both[-1] = entry(9, evalset_day(CALM[9]), fell)
    return [*both, *(entry(at, evalset_day(CALM[at % 11])) for at in range(10, 10 + days))]


def test_an_evalset_that_is_left_out_though_its_file_is_there_is_a_ticket() -> None:
    """Deselected, ignored, moved out of the folder: the runs are green, and nobody measures it."""
    for days in (2, 40):
        after = alerts_after(without_old(days), files={"evalsets/old.yaml"})
        left = next(one for one in after.evalsets if one.evalset == "old")
        alert = only(left, "no_data")
        assert alert is not None and alert.tier == 2 and not alert.quality
        assert alert.title == f"old.daily.runs 24h: left out of the runs since {day_name(9)}"
        assert after.notes == ()
    gone = alerts_after(without_old(2))
    assert [one.evalset for one in gone.evalsets] == ["summarizer"] and "taken as removed" in gone.notes[0]


def test_an_evalset_that_was_renamed_in_its_file_is_not_waited_for() -> None:
    history = [entry(at, evalset_day(evalset="old", file="a.yaml"), evalset_day(CALM[at])) for at in range(9)]
    history += [entry(at, evalset_day(file="a.yaml", evalset="new"), evalset_day()) for at in range(9, 12)]
    after = alerts_after(history, files={"a.yaml"})
    assert [one.evalset for one in after.evalsets] == ["new", "summarizer"]


def test_an_evalset_that_runs_weekly_is_not_left_out_in_between() -> None:
    weekly = evalset_day(evalset="old", file="a.yaml")
    history = [entry(at, evalset_day(CALM[at]), *([] if at % 7 else [weekly])) for at in range(34)]
    found = alerts_after(history, files={"a.yaml"}).evalsets
    assert [only(one, "no_data") for one in found] == [None, None]


def test_an_open_incident_is_not_ended_by_taking_its_evalset_out() -> None:
    """It is told for thirty days more without its file, and for ever with it."""
    for days in (2, 25):
        after = alerts_after(without_old(days, bad=True))
        left = next(one for one in after.evalsets if one.evalset == "old")
        assert left.is_open and left.state == "bad" and only(left, "eval_regression") is not None
    there = alerts_after(without_old(60, bad=True), files={"evalsets/old.yaml"})
    assert next(one for one in there.evalsets if one.evalset == "old").is_open
    (note,) = alerts_after(without_old(60, bad=True)).notes
    assert note.endswith("it is taken as removed, with an incident that no run has seen end")


def test_where_nothing_runs_no_evalset_is_taken_as_removed() -> None:
    after = alerts_after(calm(20), now=at_noon(90))
    assert only(after.evalsets[0], "no_data") is not None and after.notes == ()


def test_a_run_that_is_not_monitored_says_so() -> None:
    history = calm(5)
    replayed = entry(5, evalset_day(1.0, verdicts=(red(),)), replayed=True)
    after = alerts_after([*history, replayed])
    assert after.evalsets[0].run.day == day_name(4) and after.evalsets[0].episode is None
    assert after.notes == (
        f"{replayed.run} answered from recordings: it says nothing about today and is not monitored",
    )
    alone = alerts_after([entry(0, kind="other")])
    assert alone.evalsets == () and "is no daily run" in alone.notes[0]


@pytest.mark.parametrize("told", [{}, {"created_at": "2026-09-21T03:17:00Z"}], ids=["time", "day alone"])
def test_a_run_that_is_dated_in_the_future_hides_no_other(told: dict[str, str]) -> None:
    """A runner's clock, or an AIONCALL_NOW that was left behind: it would be the newest run for a year."""
    ahead = entry(400, run="ahead", **told)
    history = [*calm(20), ahead, entry(20, evalset_day(3.9, verdicts=(red(),)))]
    after = alerts_after(history, last=history[-1])
    (condition,) = after.evalsets
    assert condition.run.day == day_name(20) and condition.is_open
    assert only(condition, "eval_regression") is not None
    (note,) = after.notes
    assert note.startswith(f"ahead of {day_name(400)} is dated in the future and is not monitored")
    silent = alerts_after([*calm(20), ahead], last=calm(20)[-1], now=at_noon(30))
    assert only(silent.evalsets[0], "no_data") is not None


def test_a_clock_that_goes_an_hour_fast_is_no_wrong_one() -> None:
    history = [*calm(20), entry(20, hour=23)]
    after = alerts_after(history, now=at_noon(20))
    assert after.evalsets[0].run.day == day_name(20) and after.notes == ()
