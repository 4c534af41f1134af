"""Whom to tell what after a run: decided from the conditions and the log alone, however often it is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hostile_corpus import HOSTILE
from pytest_aioncall.decide.notices import (
    Deliveries,
    Heard,
    Rules,
    over_keys,
    plan_notices,
    subjects_of,
)
from pytest_aioncall.decide.oncall import EscalationStep
from pytest_aioncall.model.alert import Alert, AlertsFile, Episode, EvalsetCondition, Evidence
from pytest_aioncall.model.history import RunRef
from pytest_aioncall.model.oncall import OnCall, Rotation, Routes
from pytest_aioncall.model.report import SubjectChange
from pytest_aioncall.model.ticket import Delivery, Notification
from pytest_aioncall.model.verdict import CaseMove

NIGHT = datetime(2026, 11, 22, 2, 17, tzinfo=UTC)  # a Sunday
ROTA = OnCall(timezone="Europe/Berlin", rotation=Rotation(people=("@ann",)))
TITLE = "triage.daily.route 24h: 92.2 % -> 84.0 % (delta -8.2 pp, n=120)"


def run_of(day: int) -> RunRef:
    return RunRef(run=f"r{day}", day=f"2026-11-{day:02d}", url=f"https://ci.example/{day}")


def alert(evalset: str = "triage", **change: Any) -> Alert:
    told = {"kind": "eval_regression", "tier": 1, "evalset": evalset, "title": TITLE}
    return Alert.model_validate({**told, **change})


def condition(evalset: str = "triage", *, day: int = 22, since: int = 22, **change: Any) -> EvalsetCondition:
    told: dict[str, Any] = {
        "evalset": evalset,
        "owner": "@support-ml",
        "run": run_of(day),
        "state": "bad",
        "alerts": (alert(evalset),),
        "episode": Episode(first_bad=run_of(since), last_bad=run_of(day)),
    }
    return EvalsetCondition.model_validate({**told, **change})


def alerts_of(*conditions: EvalsetCondition, day: int = 22) -> AlertsFile:
    return AlertsFile(
        run=f"r{day}",
        day=f"2026-11-{day:02d}",
        created_at=f"2026-11-{day:02d}T02:00:00Z",
        monitored_at=f"2026-11-{day:02d}T02:10:00Z",
        evalsets=conditions,
    )


class Story:
    """Runs one after the other, with the log that they leave."""

    def __init__(self, **routes: tuple[str, ...]) -> None:
        self.routes = Routes(**(routes or {"tier1": ("pager", "github"), "tier2": ("chat",)}))
        self.log: dict[str, Delivery] = {}
        self.receives: tuple[str, ...] = ()
        self.opens = True

    def plan(self, alerts: AlertsFile, **heard: Heard) -> list[Notification]:
        rules = Rules(self.routes, ROTA, NIGHT, opens=self.opens, receives=self.receives)
        return plan_notices(alerts, heard=heard, sent=Deliveries(self.log), rules=rules)

    def run(self, alerts: AlertsFile, **heard: Heard) -> list[tuple[str, str]]:
        planned = self.plan(alerts, **heard)
        for one in planned:
            shared = one.model_dump(include=set(Delivery.model_fields))
            self.log[one.id] = Delivery.model_validate(shared)
        assert self.plan(alerts, **heard) == [], "planned again what was sent"
        return [(one.action, one.channel) for one in planned]


def test_a_regression_pages_the_route_of_its_tier_once() -> None:
    story = Story()
    (page,) = story.plan(alerts_of(condition()))
    assert (page.action, page.channel, page.key, page.tier) == ("trigger", "pager", "triage/r22", 1)
    assert page.to == ("@ann",)
    # Outside business hours, two hours: 02:17 UTC is 03:17 in Berlin.
    assert page.due == "2026-11-22T05:17:00+01:00"
    assert page.line == f"[page] {TITLE} - primary @ann, ack by 05:17+01:00 - aioncall scores --since 24h"
    assert len(page.line) <= 160
    assert story.run(alerts_of(condition())) == [("trigger", "pager")]


def test_the_text_says_since_when_what_changed_and_which_cases() -> None:
    change = SubjectChange(name="prompts/triage.md", kind="file", added=4, removed=9)
    worst = CaseMove(scorer="route", case="q-017", was=(3, 3), now=(0, 3))
    told = alert(evidence=(Evidence(name="judged", value="360/360"),), summary="no drop seen elsewhere")
    (page,) = Story().plan(alerts_of(condition(alerts=(told,), changes=(change,), worst=(worst,))))
    assert page.text.splitlines() == [
        "since 2026-11-22, run r22",
        "on call: @ann; acknowledge by 2026-11-22 05:17+01:00",
        f"- {TITLE}",
        "  no drop seen elsewhere",
        "  judged: 360/360",
        "changed since the last good run:",
        "  file prompts/triage.md: +4 -9",
        "worst cases: q-017 3/3 -> 0/3",
        "run: https://ci.example/22",
    ]


def test_many_alerts_of_one_evalset_are_one_page() -> None:
    told = (alert(), alert(kind="latency", scorer=None, title="triage latency"), alert(kind="cost", tier=2))
    (page,) = Story().plan(alerts_of(condition(alerts=told)))
    assert page.title == f"{TITLE} (+2 more)"


def test_a_ticket_goes_to_its_own_route_and_names_its_owner() -> None:
    told = condition(alerts=(alert(kind="output_shift", tier=2, title="triage labels shifted"),))
    (ticket,) = Story().plan(alerts_of(told))
    assert (ticket.channel, ticket.tier, ticket.to) == ("chat", 2, ("@support-ml",))
    assert ticket.line.startswith(
        "[ticket] triage labels shifted - owner @support-ml, due 2026-11-23 03:17+01:00"
    )


def test_what_gets_more_urgent_pages_those_of_the_higher_tier() -> None:
    story = Story(tier1=("pager", "chat"), tier2=("chat",))
    mild = condition(alerts=(alert(tier=2),))
    assert story.run(alerts_of(mild)) == [("trigger", "chat")]
    worse = condition(day=23)
    assert story.run(alerts_of(worse, day=23)) == [("trigger", "pager"), ("trigger", "chat")]
    # Less urgent again is told in the daily line.
    milder = alerts_of(condition(day=24, alerts=(alert(tier=2),)), day=24)
    assert sorted(story.run(milder)) == [("update", "chat"), ("update", "pager")]


def test_it_goes_on_with_one_line_a_day() -> None:
    story = Story()
    story.run(alerts_of(condition()))
    assert story.run(alerts_of(condition())) == []
    assert story.run(alerts_of(condition(day=23), day=23)) == [("update", "pager")]
    (line,) = story.plan(alerts_of(condition(day=25), day=25))
    assert line.line.startswith("[still open, day 4] triage.daily.route")


def test_a_run_that_cannot_judge_is_told_and_ends_nothing() -> None:
    story = Story()
    story.run(alerts_of(condition()))
    dark = condition(day=23, state="not_judged", alerts=(), because="the judge is out of reach")
    (line,) = story.plan(alerts_of(dark, day=23))
    assert (line.action, line.line[:21]) == ("update", "[still open, day 2] t")
    assert "could not judge today" in line.line
    assert story.run(alerts_of(dark, day=23)) == [("update", "pager")]


def test_a_day_on_the_way_to_recovery_pages_nobody_anew() -> None:
    story = Story()
    good = condition(
        day=23,
        state="good",
        alerts=(),
        episode=Episode(first_bad=run_of(22), last_bad=run_of(22), good_days=("2026-11-23",)),
    )
    assert story.run(alerts_of(good, day=23)) == []
    story.run(alerts_of(condition()))
    (line,) = story.plan(alerts_of(good, day=23))
    assert (line.action, line.line) == (
        "update",
        "[still open, day 2] triage: 1 good judged day so far, not recovered yet",
    )


def recovered(day: int = 25) -> EvalsetCondition:
    episode = Episode(
        first_bad=run_of(22),
        last_bad=run_of(22),
        good_days=("2026-11-23", "2026-11-24", "2026-11-25"),
        recovered=run_of(25),
    )
    return condition(day=day, state="good", alerts=(), episode=episode)


def test_the_recovery_is_told_to_everybody_who_was_paged_and_to_nobody_else() -> None:
    story = Story(tier1=("pager", "chat"))
    story.run(alerts_of(condition()))
    (first, second) = story.plan(alerts_of(recovered(), day=25))
    assert {first.channel, second.channel} == {"pager", "chat"}
    assert first.key == "triage/r22" and first.action == "resolve"
    assert first.line == "[resolved] triage: recovered, 3 good judged days - bad 2026-11-22"
    assert Story().run(alerts_of(recovered(), day=25)) == []


def test_a_recovery_is_told_although_a_new_episode_has_begun() -> None:
    story = Story()
    story.run(alerts_of(condition()))
    again = condition(day=28, since=28, earlier=(recovered().episode,))
    assert story.run(alerts_of(again, day=28)) == [("trigger", "pager"), ("resolve", "pager")]


def test_an_acknowledgement_is_told_once_and_ends_the_escalation() -> None:
    story = Story()
    story.run(alerts_of(condition()))
    step = EscalationStep(NIGHT, "@bo", "secondary")
    late, taken = Heard(escalated=(step,)), Heard(acked_by="ann", escalated=(step,))
    assert story.run(alerts_of(condition()), triage=late) == [("update", "pager")]
    assert story.run(alerts_of(condition()), triage=taken) == [("acknowledge", "pager")]
    assert story.run(alerts_of(condition()), triage=taken) == []


def test_an_escalation_names_who_is_asked_and_reaches_the_channel() -> None:
    story = Story()
    story.run(alerts_of(condition()))
    steps = (EscalationStep(NIGHT, "@bo", "secondary"), EscalationStep(NIGHT, "chat", "channel"))
    first, second = story.plan(alerts_of(condition()), triage=Heard(escalated=steps))
    assert first.line.endswith("- due 02:17+00:00, now secondary @bo") and first.to == ("@bo",)
    assert (second.channel, second.action) == ("chat", "trigger")
    assert story.run(alerts_of(condition()), triage=Heard(escalated=steps)) == [
        ("update", "pager"),
        ("trigger", "chat"),
    ]
    assert sorted(story.run(alerts_of(recovered(), day=25))) == [("resolve", "chat"), ("resolve", "pager")]


def test_a_snoozed_issue_is_silent() -> None:
    story = Story()
    story.run(alerts_of(condition()))
    quiet = Heard(snoozed=True, escalated=(EscalationStep(NIGHT, "@bo", "secondary"),))
    assert story.run(alerts_of(condition(day=23), day=23), triage=quiet) == []
    assert Story().run(alerts_of(condition()), triage=quiet) == []
    assert story.run(alerts_of(recovered(), day=25), triage=quiet) == [("resolve", "pager")]


def test_an_old_run_that_is_published_late_pages_nobody() -> None:
    story = Story()
    story.opens = False
    assert story.run(alerts_of(condition())) == []


def test_no_data_is_paged_without_an_incident_and_ended_by_the_next_judged_run() -> None:
    story = Story()
    lost = alert(kind="no_data", quality=False, title="triage: no judged run for 3 days", since=run_of(19))
    dark = condition(state="not_judged", alerts=(lost,), episode=None)
    (page,) = story.plan(alerts_of(dark))
    assert page.key == "triage/no_data/triage///r19"
    assert "aioncall scores" not in page.line
    assert story.run(alerts_of(dark)) == [("trigger", "pager")]
    # Whoever is called is told once a day while it lasts.
    assert story.run(alerts_of(dark.model_copy(update={"run": run_of(23)}), day=23)) == [("update", "pager")]
    back = condition(day=24, state="good", alerts=(), episode=None)
    assert story.run(alerts_of(back, day=24)) == [("resolve", "pager")]


def test_an_alert_of_one_evalset_is_not_ended_by_another_one() -> None:
    story = Story()
    lost = alert(kind="no_data", quality=False, since=run_of(19))
    story.run(alerts_of(condition(state="not_judged", alerts=(lost,), episode=None)))
    other = condition("triage2", day=23, state="good", alerts=(), episode=None)
    dark = condition(day=23, state="not_judged", alerts=(), episode=None)
    assert story.run(alerts_of(other, dark, day=23)) == []


def test_a_storm_is_one_page_and_ends_when_all_have_recovered() -> None:
    story = Story()
    names = ("a", "b", "c", "d")
    heard = {name: Heard(storm="s1") for name in names}
    (page,) = story.plan(alerts_of(*(condition(name) for name in names)), **heard)
    assert (page.key, page.title, page.evalset) == ("storm/s1", "4 features at once: a, b, c, d", "storm")
    story.run(alerts_of(*(condition(name) for name in names)), **heard)

    def well(name: str, day: int) -> EvalsetCondition:
        return recovered(day).model_copy(update={"evalset": name})

    three = [well(name, 25) for name in names[:3]]
    still = condition("d", day=25, alerts=())
    assert story.run(alerts_of(*three, still, day=25), d=Heard(storm="s1")) == [("update", "pager")]
    assert story.run(alerts_of(*(well(name, 26) for name in names), day=26)) == [("resolve", "pager")]


def test_a_run_that_arrives_late_pages_nobody_twice_and_leaves_no_page_open() -> None:
    """It moves the first bad run to before that of the page; people know the incident by its page."""
    story = Story()
    assert story.run(alerts_of(condition())) == [("trigger", "pager")]
    assert story.run(alerts_of(condition(since=21))) == []
    assert story.run(alerts_of(condition(day=23, since=21), day=23)) == [("update", "pager")]
    episode = Episode(first_bad=run_of(21), last_bad=run_of(23), recovered=run_of(26))
    over = condition(day=26, state="good", alerts=(), episode=episode)
    (end,) = story.plan(alerts_of(over, day=26))
    assert (end.action, end.key) == ("resolve", "triage/r22")
    story.run(alerts_of(over, day=26))
    assert Deliveries(story.log).open_keys() == []


def test_a_run_that_arrives_late_and_undoes_a_recovery_pages_anew() -> None:
    """Whoever was told that it is over has to hear that it is not; a run older than that says nothing new."""
    story = Story()
    story.run(alerts_of(condition()))
    story.run(alerts_of(recovered(), day=25))
    assert story.run(alerts_of(condition(day=24), day=24)) == []
    assert story.run(alerts_of(condition(day=27), day=27)) == [("trigger", "pager")]
    assert story.run(alerts_of(condition(day=28), day=28)) == [("update", "pager")]
    end = Episode(first_bad=run_of(22), last_bad=run_of(28), recovered=run_of(30))
    over = condition(day=30, state="good", alerts=(), episode=end)
    assert story.run(alerts_of(over, day=30)) == [("resolve", "pager")]
    assert Deliveries(story.log).open_keys() == []


@pytest.mark.parametrize("names", [("a",), ("a", "b", "c", "d")])
def test_a_run_that_arrives_late_pages_nobody_twice_for_an_outage(names: tuple[str, ...]) -> None:
    story = Story()
    assert story.run(alerts_of(*(dark(name, day=22, since=22) for name in names))) == [("trigger", "pager")]
    assert story.run(alerts_of(*(dark(name, day=22, since=21) for name in names))) == []
    later = alerts_of(*(dark(name, day=23, since=21) for name in names), day=23)
    assert story.run(later) == [("update", "pager")]
    assert story.run(alerts_of(*(fine(name, day=24) for name in names), day=24)) == [("resolve", "pager")]
    again = alerts_of(*(dark(name, day=25, since=25) for name in names), day=25)
    assert story.run(again) == [("trigger", "pager")]


def test_a_run_older_than_a_page_ends_nothing() -> None:
    story = Story()
    lost = alert(kind="no_data", quality=False, since=run_of(19))
    story.run(alerts_of(condition(state="not_judged", alerts=(lost,), episode=None)))
    assert story.run(alerts_of(fine("triage", day=21), day=21)) == []


MANY = ("a", "b", "c", "d")


def test_many_incidents_without_an_issue_are_one_page_until_all_of_them_have_recovered() -> None:
    """One prompt, one index: a route that names a pager alone rings once, not four times."""
    story = Story(tier1=("pager",))
    (page,) = story.plan(alerts_of(*map(condition, MANY)))
    assert (page.key, page.title) == ("storm/r22", "4 features at once: a, b, c, d")
    assert story.run(alerts_of(*map(condition, MANY))) == [("trigger", "pager")]

    def after(day: int, *bad: str) -> AlertsFile:
        well = [recovered(day).model_copy(update={"evalset": name}) for name in MANY if name not in bad]
        return alerts_of(*well, *(condition(name, day=day) for name in bad), day=day)

    assert story.run(after(25, "d")) == [("update", "pager")]
    # The next one is an incident of its own.
    alone = condition("e", day=26, since=26)
    later = after(26, "d")
    later = later.model_copy(update={"evalsets": (*later.evalsets, alone)})
    assert [(one.action, one.evalset) for one in story.plan(later)] == [("trigger", "e"), ("update", "storm")]
    story.run(later)
    assert story.run(after(27)) == [("resolve", "pager")]


def test_few_incidents_without_an_issue_are_a_page_each() -> None:
    assert len(Story(tier1=("pager",)).plan(alerts_of(*map(condition, MANY[:3])))) == 3


def test_a_storm_is_paged_once_whether_its_issue_is_there_at_first_later_or_not_any_more() -> None:
    """A tracker that cannot be asked on some days changes nothing about what people were told."""
    known = {name: Heard(storm="r22", is_issue=True) for name in MANY}
    late = {name: Heard(storm="r23", is_issue=True) for name in MANY}
    for days in (({}, known, {}), (known, {}, known), ({}, late, late)):
        story, told = Story(), []
        for day, heard in zip((22, 23, 24), days, strict=True):
            told.append(story.run(alerts_of(*(condition(n, day=day) for n in MANY), day=day), **heard))
        assert told == [[("trigger", "pager")], [("update", "pager")], [("update", "pager")]]


def test_what_a_person_takes_out_of_a_storm_is_told_on_its_own() -> None:
    story = Story()
    inside = {name: Heard(storm="r22", is_issue=True) for name in MANY}
    story.run(alerts_of(*map(condition, MANY)), **inside)
    split = {**inside, "d": Heard(is_issue=True, url="https://github.com/acme/app/issues/2")}
    today = alerts_of(*(condition(name, day=23) for name in MANY), day=23)
    planned = [(one.action, one.key) for one in story.plan(today, **split)]
    assert planned == [("trigger", "d/r22"), ("update", "storm/r22")]
    story.run(today, **split)
    assert story.run(today) == [], "also where the tracker cannot be asked"


def test_changes_go_to_those_who_take_them_with_the_page() -> None:
    story = Story()
    story.receives = ("pager",)
    change = SubjectChange(name="openai/m", kind="model", was="m-1", now="m-2")
    page, told = story.plan(alerts_of(condition(changes=(change,))))
    assert (page.action, told.action) == ("trigger", "change")
    assert told.line == "[change] triage: model openai/m: m-1 -> m-2"
    story.run(alerts_of(condition(changes=(change,))))
    assert story.run(alerts_of(condition(day=23, changes=(change,)), day=23)) == [("update", "pager")]


def test_without_routes_of_notifiers_nobody_is_told_here() -> None:
    assert Story(tier1=("github",), tier2=("github",)).run(alerts_of(condition())) == []


def test_without_a_rotation_the_owner_is_named() -> None:
    rules = Rules(Routes(tier1=("pager",)), OnCall(), NIGHT)
    (page,) = plan_notices(alerts_of(condition()), heard={}, sent=Deliveries(), rules=rules)
    assert "owner @support-ml, ack by 04:17+00:00" in page.line and page.to == ()


def test_a_deadline_of_another_day_says_its_date() -> None:
    evening = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)  # 23:30 in Berlin
    rules = Rules(Routes(tier1=("pager",)), ROTA, evening)
    (page,) = plan_notices(alerts_of(condition()), heard={}, sent=Deliveries(), rules=rules)
    assert "primary @ann, ack by 2026-11-23 01:30+01:00" in page.line
    sent = Deliveries({page.id: Delivery.model_validate(page.model_dump(include=set(Delivery.model_fields)))})
    missed = EscalationStep(at=datetime.fromisoformat(page.due or ""), to="@bo", role="secondary")
    later = Rules(rules.routes, ROTA, datetime(2026, 11, 24, 2, tzinfo=UTC))
    told = plan_notices(
        alerts_of(condition()), heard={"triage": Heard(escalated=(missed,))}, sent=sent, rules=later
    )
    (late,) = [one for one in told if "[not acknowledged]" in one.line]
    assert "due 2026-11-23 01:30+01:00, now secondary @bo" in late.line


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_makes_the_first_line_longer_or_loses_who_and_until_when(name: str) -> None:
    (page,) = Story().plan(alerts_of(condition(alerts=(alert(title=HOSTILE[name]),))))
    assert len(page.line) <= 160 and "\n" not in page.line
    assert "primary @ann, ack by 05:17+01:00" in page.line


def test_what_waits_for_something_that_is_over_is_known() -> None:
    (page,) = Story().plan(alerts_of(condition()))
    sent = Deliveries(waiting=(page,))
    assert over_keys(alerts_of(recovered(), day=25), {}, sent=sent) == {"triage/r22"}
    assert over_keys(alerts_of(condition(day=23), day=23), {}, sent=sent) == frozenset()
    unknown = page.model_copy(update={"key": "triage/long ago", "day": "2026-10-01"})
    sent = Deliveries(waiting=(unknown,))
    assert over_keys(alerts_of(recovered(), day=25), {}, sent=sent) == frozenset()


def test_an_incident_takes_all_alerts_of_its_evalset() -> None:
    dark = alert(kind="judge_unavailable", quality=False, since=run_of(22))
    assert len(subjects_of(alerts_of(condition(alerts=(alert(), dark))), {})) == 1


def dark(evalset: str, *, day: int, since: int) -> EvalsetCondition:
    """An evalset that got no answers since a day, and has no incident."""
    lacking = alert(
        evalset, kind="errors", quality=False, since=run_of(since), title=f"{evalset}: no answers"
    )
    return condition(evalset, day=day, state="not_judged", alerts=(lacking,), episode=None)


def fine(evalset: str, *, day: int) -> EvalsetCondition:
    return condition(evalset, day=day, state="good", alerts=(), episode=None)


def test_an_outage_of_many_evalsets_is_one_page_until_all_of_them_are_back() -> None:
    """A provider that is down pages once; while evalsets come back one by one, nobody is paged anew."""
    story, names = Story(), ("a", "b", "c", "d")
    first = alerts_of(*(dark(name, day=22, since=22) for name in names))
    (page,) = story.plan(first)
    assert page.evalsets == names
    assert "4 features without answers: a, b, c, d" in page.line
    assert story.run(first) == [("trigger", "pager")]
    second = alerts_of(
        fine("a", day=23), fine("b", day=23), dark("c", day=23, since=22), dark("d", day=23, since=22), day=23
    )
    assert [action for action, _ in story.run(second) if action != "update"] == []
    third = alerts_of(*(fine(name, day=24) for name in names), day=24)
    assert story.run(third) == [("resolve", "pager")]


def test_an_outage_of_few_evalsets_is_a_page_each() -> None:
    story = Story()
    assert len(story.plan(alerts_of(*(dark(name, day=22, since=22) for name in "abc")))) == 3


def test_an_outage_that_grows_to_many_does_not_page_again_for_those_that_were_told() -> None:
    story = Story()
    assert len(story.run(alerts_of(*(dark(name, day=22, since=22) for name in "ab")))) == 2
    later = alerts_of(
        *(dark(name, day=23, since=22) for name in "ab"), *(dark(n, day=23, since=23) for n in "cdef"), day=23
    )
    assert [one.evalsets for one in story.plan(later) if one.action == "trigger"] == [("c", "d", "e", "f")]
