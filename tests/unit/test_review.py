"""The weekly review: what rang, what changed, what nobody could see; from a history made by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from hostile_corpus import HOSTILE, assert_may_stand_on_a_screen
from monitored import CALM, calm, day_name, entry, evalset_day, red, row, unjudged
from pytest_aioncall.adapters.render.review import headline, review_lines, review_markdown
from pytest_aioncall.decide.review import review_of
from pytest_aioncall.model.history import HistoryEntry
from pytest_aioncall.model.oncall import Monitors
from pytest_aioncall.model.review import Review, ReviewAlert, ReviewChange, ReviewIncident, ReviewIssue
from pytest_aioncall.model.verdict import Verdict
from rendered_markdown import HOSTILE_MARKDOWN, assert_shown_and_nothing_else

WEEK = timedelta(days=7)


def reviewed(entries: list[HistoryEntry], *, last: int, span: timedelta = WEEK, **keys: Any) -> Review:
    """Return the review at noon of day number `last`."""
    until = datetime.fromisoformat(f"{day_name(last)}T12:00:00+00:00")
    told: dict[str, Any] = {"monitors": Monitors(), "owners": {}, **keys}
    return review_of(entries, since=until - span, until=until, **told)


def test_a_quiet_week_is_one_line_of_good_news() -> None:
    found = reviewed(calm(40), last=39)
    assert (found.runs, found.judged_days, len(found.days)) == (7, 7, 7)
    assert (found.alerts, found.incidents, found.gaps, found.silent_days, found.changes) == (
        (),
        (),
        (),
        (),
        (),
    )
    first = review_lines(found)[0]
    assert first == (
        f"review {day_name(32)} .. {day_name(39)}: 0 incidents open, 0 closed; 0 pages, 0 tickets; "
        "7 of 7 days judged; cost unknown"
    )


def test_an_incident_that_began_in_the_week_is_told_with_its_alert() -> None:
    entries = [*calm(37), *(entry(n, evalset_day(4.05, verdicts=(red(),))) for n in (37, 38, 39))]
    found = reviewed(entries, last=39, owners={"summarizer": "@bo"})
    [incident] = found.incidents
    assert (incident.evalset, incident.owner, incident.first_bad.day) == ("summarizer", "@bo", day_name(37))
    assert (incident.opened, incident.closed) == (True, False)
    pages = [one for one in found.alerts if one.tier == 1]
    assert pages and pages[0].first_day == day_name(37) and pages[0].holds and pages[0].began
    assert pages[0].days == 3
    text = "\n".join(review_lines(found))
    assert "1 incident open, 0 closed" in text
    assert f"summarizer: open since {day_name(37)}, owner @bo" in text


def test_an_incident_that_was_over_in_the_week_is_closed_and_one_before_it_is_not_told() -> None:
    bad = [entry(n, evalset_day(4.05, verdicts=(red(),))) for n in (30, 31)]
    good = [entry(n, evalset_day(CALM[n])) for n in range(32, 60)]
    entries = [*calm(30), *bad, *good]
    found = reviewed(entries, last=36)
    [incident] = found.incidents
    assert incident.closed and incident.recovered is not None
    assert incident.recovered.day > day_name(31)
    assert reviewed(entries, last=59).incidents == ()


def test_an_alert_from_before_the_week_is_told_and_is_no_new_page() -> None:
    entries = [*calm(28), *(entry(n, evalset_day(4.05, verdicts=(red(),))) for n in range(28, 40))]
    found = reviewed(entries, last=39)
    assert found.alerts and not any(one.began for one in found.alerts)
    assert "0 pages" in headline(found)
    assert found.incidents[0].opened is False


def test_days_without_a_run_and_days_that_nobody_could_judge_are_named() -> None:
    entries = [*calm(35), entry(36, unjudged()), entry(38)]
    found = reviewed(entries, last=39)
    assert found.silent_days == (day_name(35), day_name(37))
    assert [(gap.evalset, gap.day) for gap in found.gaps] == [("summarizer", day_name(36))]
    lines = review_lines(found)
    assert f"  {day_name(35)}: no daily run" in lines
    assert f"  {day_name(36)}: summarizer (31 % of samples errored, limit 2 %)" in lines
    assert "3 of 6 days judged" in lines[0], "today is not over: it is no day without a run"


def test_a_second_attempt_that_was_judged_makes_the_day_judged() -> None:
    again = entry(36, run="second", hour=9)
    found = reviewed([*calm(36), entry(36, unjudged()), again, entry(37)], last=37)
    assert found.gaps == ()


def test_a_history_that_began_this_week_has_no_days_before() -> None:
    found = reviewed(calm(3), last=2)
    assert found.days == (day_name(0), day_name(1), day_name(2))
    assert found.silent_days == ()


def test_a_model_id_that_appears_is_told_with_the_first_run_that_saw_it() -> None:
    entries = [entry(n, evalset_day(models={"m-08": 200})) for n in range(36)]
    entries += [entry(n, evalset_day(models={"m-11": 200})) for n in range(36, 40)]
    found = reviewed(entries, last=39)
    assert [(one.model, one.is_new, one.is_gone, one.first.day) for one in found.models] == [
        ("m-08", False, True, day_name(0)),
        ("m-11", True, False, day_name(36)),
    ]
    text = "\n".join(review_lines(found))
    assert f"summarizer: m-08 last seen {day_name(35)}, before that since {day_name(0)}" in text
    assert f"summarizer: NEW m-11 first seen {day_name(36)} (run {entries[36].run})" in text
    quiet = reviewed(entries[:36], last=35)
    assert [(one.is_new, one.is_gone) for one in quiet.models] == [(False, False)]
    assert f"m-08 since {day_name(0)}; no change" in "\n".join(review_lines(quiet))


def test_a_run_without_an_answer_makes_no_model_go() -> None:
    entries = [entry(n, evalset_day(models={"m-08": 200})) for n in range(38)]
    entries.append(entry(38, unjudged(models={})))
    assert [one.is_gone for one in reviewed(entries, last=38).models] == [False]


def test_the_first_week_of_a_history_has_no_new_model() -> None:
    entries = [entry(n, evalset_day(models={"m-08": 200})) for n in range(3)]
    assert [one.is_new for one in reviewed(entries, last=2).models] == [False]


def test_the_cost_is_compared_with_as_long_a_time_before() -> None:
    entries = [entry(n, evalset_day(cost_usd=0.10 if n < 33 else 0.30)) for n in range(40)]
    found = reviewed(entries, last=39)
    [cost] = found.costs
    assert cost.usd == pytest.approx(2.10) and cost.before_usd == pytest.approx(0.70)
    assert (cost.runs, cost.before_runs) == (7, 7)
    assert "  summarizer: $2.10 in 7 runs, before $0.70 in 7 (+200 % a run)" in review_lines(found)


def test_a_cost_that_some_runs_do_not_know_is_said_to_be_so() -> None:
    entries = [entry(n, evalset_day(cost_usd=None if n in (36, 37) else 0.10)) for n in range(40)]
    [cost] = reviewed(entries, last=39).costs
    assert (cost.unknown, cost.runs) == (2, 7)
    line = next(one for one in review_lines(reviewed(entries, last=39)) if "in 7 runs" in one)
    assert "(2 of unknown cost)" in line and "(+0 % a run)" in line.replace("(0 %", "(+0 %")


def test_a_prompt_that_changed_is_told_by_its_day() -> None:
    changed = {"target": {"model": "openai/m-2026-08-01"}, "files": {"prompts/a.md": "new"}}
    before = {"target": {"model": "openai/m-2026-08-01"}, "files": {"prompts/a.md": "old"}}
    entries = [entry(n, evalset_day(CALM[n], subject=before)) for n in range(37)]
    entries += [entry(n, evalset_day(CALM[n], subject=changed)) for n in range(37, 40)]
    [change] = reviewed(entries, last=39).changes
    assert change.day == day_name(37) and "prompts/a.md" in change.what


def test_slices_that_cannot_see_are_named_with_the_reason() -> None:
    part = {"persona": "expert"}
    rows = (row(4.2), row(4.2, slice=part, n_cases=9), row(4.2, slice={"persona": "free"}, n_cases=80))
    gone = (*rows, row(4.1, slice={"persona": "trial"}, n_cases=20))
    weak = Verdict(
        scorer="helpfulness", slice={"persona": "free"}, status="inconclusive", reason="no_drop_seen",
        claim="cases-like-these", mde=0.4, margin=0.16, n_cases=80, scale=(1.0, 5.0),
    )  # fmt: skip
    infos = {"helpfulness": {"kind": "judge", "scale": [1, 5], "hash": "x"}}
    entries = [entry(n, evalset_day(rows=gone, scorers=infos)) for n in range(38)]
    entries.append(entry(38, evalset_day(rows=rows, scorers=infos, verdicts=(weak,), status="inconclusive")))
    lines = review_lines(reviewed(entries, last=38))
    assert "  summarizer helpfulness persona=expert: 9 cases, too few to gate" in lines
    assert "  summarizer helpfulness persona=trial: has no case any more" in lines
    assert "  summarizer helpfulness persona=free: would see a drop of 0.40, the margin is 0.16" in lines


def test_a_row_that_is_red_has_seen_enough() -> None:
    entries = [*calm(38), entry(38, evalset_day(4.05, verdicts=(red(mde=0.3),)))]
    assert reviewed(entries, last=38).slices == ()


def test_a_baseline_that_is_missing_or_old_by_now_is_named() -> None:
    young = [*calm(30), entry(38, evalset_day(baseline_age_days=29.0, baseline_limit_days=30))]
    assert reviewed(young, last=38).baselines == ()
    [old] = reviewed(young, last=40).baselines
    assert old.limit_days == 30 and old.age_days is not None and old.age_days > 30
    none = [*calm(30), entry(38, evalset_day(baseline={}))]
    assert [one.age_days for one in reviewed(none, last=38).baselines] == [None]


def test_runs_from_recordings_of_pull_requests_and_of_later_days_are_passed_over() -> None:
    entries = [*calm(38), entry(38, replayed=True), entry(39, kind="other"), entry(45)]
    found = reviewed(entries, last=39)
    assert found.runs == 5
    assert found.silent_days == (day_name(38),)


def test_without_any_run_it_says_what_to_do() -> None:
    found = reviewed([], last=39)
    assert headline(found).endswith("no daily run in the history")
    assert any("aioncall monitor" in line for line in review_lines(found))
    assert "aioncall monitor" in review_markdown(found)


def test_a_long_section_is_cut_with_a_pointer_to_the_rest() -> None:
    entries = [entry(0, *(evalset_day(evalset=f"e{n:02d}", baseline={}) for n in range(50)))]
    lines = review_lines(reviewed(entries, last=0))
    assert "  and 30 more: aioncall review --json" in lines


EVERYTHING = {**HOSTILE, **HOSTILE_MARKDOWN}


@pytest.mark.parametrize("name", EVERYTHING)
def test_other_peoples_text_does_nothing_in_text_and_in_markdown(name: str) -> None:
    text = EVERYTHING[name]
    part = (row(4.2), row(4.2, slice={text: text}, n_cases=3))
    entries = [
        entry(
            n, evalset_day(CALM[n], evalset=text, owner=text, models={text: 3}, rows=part), run=f"{text} {n}"
        )
        for n in range(3)
    ]
    entries.append(entry(3, unjudged(evalset=text, because=text)))
    issue = ReviewIssue(number=4, title=text, acked_by=text)
    alert = ReviewAlert(
        kind="cost", tier=1, evalset=text, title=text, first_day=day_name(2), last_day=day_name(3)
    )
    incident = ReviewIncident(evalset=text, owner=text, first_bad=entries[0].ref)
    found = reviewed(entries, last=3).model_copy(
        update={
            "lines": (text,),
            "notes": (text,),
            "issues": (issue,),
            "alerts": (alert,),
            "incidents": (incident,),
            "changes": (ReviewChange(evalset=text, day=day_name(3), what=text),),
        }
    )
    assert found.models and found.slices and found.gaps
    screen, page = review_lines(found), review_markdown(found)
    assert_may_stand_on_a_screen("\n".join(screen))
    assert all("\n" not in line for line in screen)
    assert_may_stand_on_a_screen(page)
    assert_shown_and_nothing_else(page, dollars=True)
    assert len(page) < 65_536
