"""What opens an issue, what is written into it, what closes it, and what leaves it alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from issue_days import (
    BOT,
    MemoryTracker,
    alert,
    alerts_of,
    at,
    condition,
    day,
    episode,
    left_to_do,
    no_data,
    publish,
    without_marker,
)
from pytest_aioncall.decide.issues.marker import read_marker
from pytest_aioncall.model.alert import AlertsFile
from pytest_aioncall.model.oncall import Monitors, OnCall, Routes
from pytest_aioncall.model.ticket import Note, Ticket


@pytest.fixture
def tracker() -> MemoryTracker:
    return MemoryTracker()


def opened(tracker: MemoryTracker, evalset: str = "triage") -> MemoryTracker:
    publish(tracker, alerts_of(condition(1, evalset, first=1)), now=at(1))
    return tracker


def kinds(tracker: MemoryTracker, number: int) -> list[str]:
    """Return the kinds of our comments in order."""
    notes = [one.body for one in tracker.comments[number] if one.author == BOT]
    return [body.rpartition("aioncall:event:")[2].partition(":")[0] for body in notes]


def test_a_bad_run_opens_one_issue_whose_title_is_the_leading_alert(tracker: MemoryTracker) -> None:
    opened(tracker)
    (ticket,) = tracker.issues.values()
    assert ticket.title.startswith("triage.daily.route 24h: 92.2 % -> 84.0 %")
    assert ticket.labels == ("aioncall",)
    assert ticket.assignees == ("ann",)
    assert tracker.comments[1] == []


def test_a_good_run_opens_nothing(tracker: MemoryTracker) -> None:
    publish(tracker, alerts_of(condition(1, state="good")), now=at(1))
    assert tracker.issues == {}
    assert tracker.calls == ["list"]


def test_publishing_a_run_again_changes_nothing(tracker: MemoryTracker) -> None:
    alerts = alerts_of(condition(1, first=1))
    publish(tracker, alerts, now=at(1))
    before = dict(tracker.issues)
    rounds = publish(tracker, alerts, now=at(1, 0.1))
    assert rounds.done == []
    assert tracker.issues == before


def test_every_alert_is_a_row_of_the_one_issue_and_the_worst_tier_leads(tracker: MemoryTracker) -> None:
    alerts = [
        alert(tier=2, kind="output_shift", scorer="route"),
        alert(tier=1, kind="latency", scorer=None),
        alert(tier=1, scorer="helpfulness", slice={"shape": "long"}),
    ]
    publish(tracker, alerts_of(condition(1, first=1, alerts=alerts)), now=at(1))
    (ticket,) = tracker.issues.values()
    assert "latency" in ticket.title
    assert ticket.body.count("\n| 1 |") == 2
    assert ticket.body.count("\n| 2 |") == 1


def test_further_days_replace_the_body_and_add_one_line_a_day(tracker: MemoryTracker) -> None:
    opened(tracker)
    for run in (condition(2, first=1, last=2), condition(2, first=1, last=2, letter="b")):
        publish(tracker, alerts_of(run), now=at(2))
    assert kinds(tracker, 1).count("day") == 1
    assert "run `run-02b`" in tracker.issues[1].body


def test_only_a_judged_recovery_closes_it_with_how_long_it_lasted(tracker: MemoryTracker) -> None:
    opened(tracker)
    publish(tracker, alerts_of(condition(2, state="good", first=1, good=[2])), now=at(2))
    publish(tracker, alerts_of(condition(3, state="good", first=1, good=[2, 3])), now=at(3))
    assert tracker.issues[1].state == "open"
    publish(tracker, alerts_of(condition(4, state="good", first=1, good=[2, 3, 4], recovered=4)), now=at(4))
    assert (tracker.issues[1].state, tracker.issues[1].state_reason) == ("closed", "completed")
    closing = tracker.texts(1)[-1]
    assert closing.startswith("Recovered: judged good on")
    assert "lasted 4 days" in closing
    assert "run `run-04`" in closing


def test_a_run_that_could_not_judge_closes_nothing_even_where_the_recovery_is_known(
    tracker: MemoryTracker,
) -> None:
    opened(tracker)
    over = {"first": 1, "good": [2, 3, 4], "recovered": 4}
    publish(tracker, alerts_of(condition(5, state="not_judged", because="judge down", **over)), now=at(5))
    assert tracker.issues[1].state == "open"
    publish(tracker, alerts_of(condition(6, state="good", **over)), now=at(6))
    assert tracker.issues[1].state == "closed"


def test_an_outage_opens_nothing(tracker: MemoryTracker) -> None:
    down = [alert(kind="judge_unavailable", scorer=None)]
    publish(tracker, alerts_of(condition(1, state="not_judged", alerts=down)), now=at(1))
    assert tracker.issues == {}


def test_what_a_run_found_that_could_not_judge_opens_an_issue_that_names_it(tracker: MemoryTracker) -> None:
    """An answer broke a `must`, and then the run was killed."""
    for number in (2, 3):
        broke = [alert(kind="policy_floor", scorer=None, day=day(number))]
        killed = condition(number, state="not_judged", because="it was killed", first=2, alerts=broke)
        publish(tracker, alerts_of(killed), now=at(number))
    assert "policy floor broken since" in tracker.issues[1].body
    assert "could not judge (it was killed). What it found bad is bad" in tracker.issues[1].body
    assert "could not judge: it was killed; still bad: triage.daily" in tracker.texts(1)[0]


def test_an_outage_is_a_line_of_an_open_issue(tracker: MemoryTracker) -> None:
    opened(tracker)
    down = alerts_of(condition(2, state="not_judged", first=1, because="provider says 503"))
    publish(tracker, down, now=at(2))
    assert "could not judge" in tracker.issues[1].body
    assert "could not judge: provider says 503" in tracker.texts(1)[0]


def test_no_data_is_an_issue_of_its_own_that_the_next_judged_run_closes(tracker: MemoryTracker) -> None:
    lost = condition(4, state="not_judged", alerts=[no_data(since=4)])
    publish(tracker, alerts_of(lost), now=at(4))
    assert "no_data" in tracker.issues[1].title
    publish(tracker, alerts_of(condition(5, state="not_judged")), now=at(5))
    assert tracker.issues[1].state == "open"
    publish(tracker, alerts_of(condition(6, state="good")), now=at(6))
    assert tracker.issues[1].state == "closed"
    assert "was judged, and it no longer holds. It lasted 3 days" in tracker.texts(1)[-1]


def test_an_issue_about_lost_data_keeps_its_title_while_the_judge_is_down(tracker: MemoryTracker) -> None:
    publish(tracker, alerts_of(condition(4, state="not_judged", alerts=[no_data(since=4)])), now=at(4))
    title = tracker.issues[1].title
    down = alert(kind="judge_unavailable", scorer=None)
    publish(tracker, alerts_of(condition(5, state="not_judged", alerts=[down, no_data(since=4)])), now=at(5))
    publish(tracker, alerts_of(condition(6, state="not_judged", alerts=[down])), now=at(6))
    assert tracker.issues[1].title == title
    assert tracker.issues[1].state == "open"


def test_no_data_that_ends_in_a_bad_run_is_closed_and_the_regression_has_its_own(
    tracker: MemoryTracker,
) -> None:
    publish(tracker, alerts_of(condition(4, state="not_judged", alerts=[no_data(since=4)])), now=at(4))
    publish(tracker, alerts_of(condition(5, first=5)), now=at(5))
    assert [one.state for one in tracker.issues.values()] == ["closed", "open"]


def test_what_lacks_data_while_an_incident_is_open_is_a_row_of_that(tracker: MemoryTracker) -> None:
    opened(tracker)
    both = [alert(), no_data(since=2)]
    publish(tracker, alerts_of(condition(2, state="not_judged", first=1, alerts=both)), now=at(2))
    assert len(tracker.issues) == 1
    assert "no_data" in tracker.issues[1].body


def test_a_recurrence_within_the_days_opens_the_same_issue_again(tracker: MemoryTracker) -> None:
    opened(tracker)
    first = episode(1, 1, good=[2, 3, 4], recovered=4)
    publish(tracker, alerts_of(condition(4, state="good", first=1, good=[2, 3, 4], recovered=4)), now=at(4))
    publish(tracker, alerts_of(condition(18, first=18, earlier=[first])), now=at(18))
    (ticket,) = tracker.issues.values()
    assert (ticket.state, ticket.state_reason) == ("open", "reopened")
    assert kinds(tracker, 1) == ["closed", "reopened"]
    assert "episode 2 in this issue" in ticket.body


def test_a_recurrence_after_that_is_a_new_issue_that_links_the_old_one(tracker: MemoryTracker) -> None:
    opened(tracker)
    first = episode(1, 1, good=[2, 3, 4], recovered=4)
    publish(tracker, alerts_of(condition(4, state="good", first=1, good=[2, 3, 4], recovered=4)), now=at(4))
    publish(tracker, alerts_of(condition(19, first=19, earlier=[first])), now=at(19))
    assert [one.state for one in tracker.issues.values()] == ["closed", "open"]
    assert "Before: #1." in tracker.issues[2].body


def test_a_recovery_that_was_never_published_is_told_before_the_recurrence(tracker: MemoryTracker) -> None:
    opened(tracker)
    first = episode(1, 1, good=[2, 3, 4], recovered=4)
    publish(tracker, alerts_of(condition(9, first=9, earlier=[first])), now=at(9))
    assert kinds(tracker, 1) == ["closed", "reopened"]
    assert tracker.issues[1].state == "open"
    assert len(tracker.issues) == 1


def test_more_features_than_the_storm_are_one_issue_and_it_closes_when_none_is_left(
    tracker: MemoryTracker,
) -> None:
    names = "abcdef"
    publish(tracker, alerts_of(*(condition(1, name, first=1) for name in names)), now=at(1))
    (ticket,) = tracker.issues.values()
    assert ticket.title.startswith("6 features at once")
    rest = [condition(5, n, state="good", first=1, good=[3, 4, 5], recovered=5) for n in names[:5]]
    publish(tracker, alerts_of(*rest, condition(5, "f", first=1, last=5)), now=at(5))
    assert tracker.issues[1].state == "open"
    assert "5 features" not in tracker.issues[1].title
    assert "1 of 6 features are still bad" in tracker.texts(1)[-1]
    last = condition(8, "f", state="good", first=1, last=5, good=[6, 7, 8], recovered=8)
    publish(tracker, alerts_of(last), now=at(8))
    assert tracker.issues[1].state == "closed"
    assert len(tracker.issues) == 1


def test_as_many_features_as_the_storm_are_issues_of_their_own(tracker: MemoryTracker) -> None:
    publish(tracker, alerts_of(*(condition(1, name, first=1) for name in "abc")), now=at(1))
    assert len(tracker.issues) == 3


def test_a_feature_that_a_person_takes_out_of_a_storm_has_an_issue_of_its_own(tracker: MemoryTracker) -> None:
    conditions = [condition(1, name, first=1) for name in "abcd"]
    publish(tracker, alerts_of(*conditions), now=at(1))
    tracker.clock = lambda: at(1, 1)
    tracker.say(1, "/split b\nits prompt was changed")
    publish(tracker, alerts_of(*(condition(2, name, first=1, last=2) for name in "abcd")), now=at(2))
    assert [one.title.split(".")[0] for one in tracker.open_now()][1] == "b"
    assert len(tracker.issues) == 2
    assert "has left: #2" in tracker.issues[1].body or "issue of its own" in tracker.issues[1].body
    assert "Before: #1." in tracker.issues[2].body


def test_a_storm_of_lost_data_is_one_issue_too(tracker: MemoryTracker) -> None:
    lost = [condition(4, n, state="not_judged", alerts=[no_data(n, since=4)]) for n in "abcde"]
    publish(tracker, alerts_of(*lost), now=at(4))
    assert len(tracker.issues) == 1
    publish(tracker, alerts_of(*(condition(5, n, state="good") for n in "abcde")), now=at(5))
    assert tracker.open_now() == []


def fallen(number: int, names: str, *, first: int) -> AlertsFile:
    return alerts_of(*(condition(number, name, first=first, last=number) for name in names))


def lacking(number: int, names: str, *, first: int) -> AlertsFile:
    lost = {name: [no_data(name, since=first)] for name in names}
    return alerts_of(*(condition(number, n, state="not_judged", alerts=a) for n, a in lost.items()))


def let_go(tracker: MemoryTracker, how: str) -> None:
    """Let a person let go of the first issue, in one of the ways in which that is done."""
    if how == "label":
        tracker.edit(1, labels=("aioncall", "wontfix"))
    elif how == "marker":
        tracker.edit(1, body="We know about this one.")
    elif how == "marker and title":
        tracker.edit(1, title="Investigating", body=without_marker(tracker.issues[1].body))
    else:
        tracker.close(1, reason=how.replace(" ", "_"))


WAYS = ["label", "not planned", "duplicate", "marker", "marker and title"]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("names", ["a", "abcde"], ids=["one", "storm"])
@pytest.mark.parametrize("made", [fallen, lacking])
def test_a_person_lets_go_of_an_issue_of_any_kind_and_nothing_of_it_comes_back(
    tracker: MemoryTracker, made: Callable[..., AlertsFile], names: str, how: str
) -> None:
    publish(tracker, made(1, names, first=1), now=at(1))
    assert len(tracker.issues) == 1
    let_go(tracker, how)
    before = (dict(tracker.issues), dict(tracker.comments))
    rounds = publish(tracker, made(2, names, first=1), now=at(2))
    publish(tracker, made(3, names, first=1), now=at(3))
    assert (tracker.issues, tracker.comments) == before
    assert len(rounds.remarks) == 1
    assert rounds.remarks[0].startswith("#1: a person let go of ")
    publish(tracker, made(9, names, first=9), now=at(9))
    assert len(tracker.issues) == 2, "what begins after that is another cause"
    assert tracker.issues[2].state == "open"


@pytest.mark.parametrize("how", WAYS)
def test_who_let_go_of_a_storm_let_go_of_a_row_whose_first_bad_run_a_late_run_moves(
    tracker: MemoryTracker, how: str
) -> None:
    publish(tracker, fallen(2, "abcde", first=2), now=at(2))
    let_go(tracker, how)
    publish(tracker, fallen(3, "abcde", first=1), now=at(3))
    assert len(tracker.issues) == 1


@pytest.mark.parametrize("how", ["label", "not planned", "duplicate", "marker"])
def test_a_person_lets_go_of_an_episode_and_a_recurrence_is_another_issue(
    tracker: MemoryTracker, how: str
) -> None:
    opened(tracker)
    let_go(tracker, how)
    before = (dict(tracker.issues), dict(tracker.comments))
    publish(tracker, alerts_of(condition(2, first=1, last=2)), now=at(2))
    publish(tracker, alerts_of(condition(3, state="good", first=1, last=2, good=[3])), now=at(3))
    assert (tracker.issues, tracker.comments) == before
    over = episode(1, 2, good=[3, 4, 5], recovered=5)
    publish(tracker, alerts_of(condition(9, first=9, earlier=[over])), now=at(9))
    assert len(tracker.issues) == 2
    assert tracker.issues[2].state == "open"


@pytest.mark.parametrize("how", ["cut out", "damaged"])
def test_an_issue_without_its_marker_that_is_closed_as_done_makes_way_for_a_new_one(
    tracker: MemoryTracker, how: str
) -> None:
    opened(tracker)
    body = tracker.issues[1].body
    gone = body.replace(body[40:44], "AAAA", 1) if how == "damaged" else without_marker(body)
    tracker.edit(1, body=gone)
    publish(tracker, alerts_of(condition(2, first=1, last=2)), now=at(2))
    assert len(tracker.issues) == 1
    tracker.close(1)
    publish(tracker, alerts_of(condition(3, first=1, last=3)), now=at(3))
    assert [one.number for one in tracker.open_now()] == [2]
    assert tracker.issues[1].body == gone


def test_without_a_memory_an_issue_that_lost_its_marker_is_known_by_its_title(tracker: MemoryTracker) -> None:
    opened(tracker)
    tracker.edit(1, body="We know about this one.")
    tracker.history.kept.clear()
    publish(tracker, alerts_of(condition(2, first=1, last=2)), now=at(2))
    assert len(tracker.issues) == 1
    tracker.close(1)
    publish(tracker, alerts_of(condition(3, first=1, last=3)), now=at(3))
    assert [one.number for one in tracker.open_now()] == [2]


def test_what_a_person_closed_as_done_is_opened_by_the_next_bad_run_once_a_day(
    tracker: MemoryTracker,
) -> None:
    opened(tracker)
    tracker.clock = lambda: at(1, 3)
    tracker.close(1)
    publish(tracker, alerts_of(condition(1, first=1)), now=at(1, 4))
    assert tracker.issues[1].state == "closed", "the run is older than the closing"
    publish(tracker, alerts_of(condition(2, first=1, last=2)), now=at(2))
    assert tracker.issues[1].state == "open"
    assert kinds(tracker, 1) == ["again"]
    tracker.clock = lambda: at(2, 1)
    tracker.close(1)
    later = condition(2, first=1, last=2, letter="b")
    later = later.model_copy(update={"episode": later.episode.model_copy(update={"last_bad": later.run})})
    publish(tracker, alerts_of(later), now=at(2, 8))
    assert tracker.issues[1].state == "closed", "once a day is enough"
    publish(tracker, alerts_of(condition(3, first=1, last=3)), now=at(3))
    assert tracker.issues[1].state == "open"


def test_what_a_person_closed_as_done_stays_closed_where_no_run_is_bad_after_it(
    tracker: MemoryTracker,
) -> None:
    opened(tracker)
    tracker.clock = lambda: at(1, 3)
    tracker.close(1)
    for number, good in ((2, [2]), (3, [2, 3])):
        publish(tracker, alerts_of(condition(number, state="good", first=1, good=good)), now=at(number))
    over = condition(4, state="good", first=1, good=[2, 3, 4], recovered=4)
    publish(tracker, alerts_of(over), now=at(4))
    assert tracker.issues[1].state == "closed"
    assert kinds(tracker, 1) == ["closed"]


def test_what_a_person_opens_again_after_the_recovery_is_left_to_the_person(tracker: MemoryTracker) -> None:
    opened(tracker)
    over = {"first": 1, "good": [2, 3, 4], "recovered": 4}
    publish(tracker, alerts_of(condition(4, state="good", **over)), now=at(4))
    tracker.edit(1, state="open", state_reason="reopened", closed_at=None)
    publish(tracker, alerts_of(condition(5, state="good", **over)), now=at(5))
    assert tracker.issues[1].state == "open"
    first = episode(1, 1, good=[2, 3, 4], recovered=4)
    publish(tracker, alerts_of(condition(30, first=30, earlier=[first])), now=at(30))
    assert len(tracker.issues) == 1, "an open issue of the feature is its issue, however old"


def test_a_page_nobody_acknowledged_is_escalated_once_with_comment_and_assignee(
    tracker: MemoryTracker,
) -> None:
    oncall = OnCall.model_validate(
        {"rotation": {"people": ["@ann"]}, "secondary": {"people": ["@bo"]}, "owners": {"triage": "@cleo"}}
    )
    for number in (1, 2, 3):
        run = condition(number, first=1, last=number)
        publish(tracker, alerts_of(run), now=at(number), oncall=oncall)
    assert kinds(tracker, 1).count("escalated") == 1
    assert "secondary @bo, owner @cleo" in next(t for t in tracker.texts(1) if "Nobody" in t)
    assert tracker.issues[1].assignees == ("ann", "bo", "cleo")
    assert "deadline has passed" in tracker.issues[1].body


@pytest.mark.parametrize("how", ["/ack", "  /ACK I look at it", "assigned"])
def test_an_acknowledgement_stops_the_clock(tracker: MemoryTracker, how: str) -> None:
    opened(tracker)
    tracker.clock = lambda: at(1, 1)
    if how == "assigned":
        tracker.edit(1, assignees=("ann", "bo"))
    else:
        tracker.say(1, how, by="bo")
    publish(tracker, alerts_of(condition(2, first=1, last=2)), now=at(2))
    assert "escalated" not in kinds(tracker, 1)
    assert "**Acknowledged** by `bo`" in tracker.issues[1].body


@pytest.mark.parametrize(
    "said",
    [
        ("/ack", "eve", False),
        ("> /ack", "ann", True),
        ("```\n/ack\n```", "ann", True),
        ("/acknowledge", "ann", True),
    ],
    ids=["stranger", "quoted", "in a block", "another word"],
)
def test_what_is_no_acknowledgement_stops_nothing(
    tracker: MemoryTracker, said: tuple[str, str, bool]
) -> None:
    opened(tracker)
    tracker.clock = lambda: at(1, 1)
    tracker.say(1, said[0], by=said[1], trusted=said[2])
    publish(tracker, alerts_of(condition(2, first=1, last=2)), now=at(2))
    assert "escalated" in kinds(tracker, 1)


def test_being_assigned_by_us_is_no_acknowledgement(tracker: MemoryTracker) -> None:
    opened(tracker)
    assert tracker.issues[1].assignees == ("ann",)
    publish(tracker, alerts_of(condition(2, first=1, last=2)), now=at(2))
    assert "Acknowledged" not in tracker.issues[1].body


def test_who_could_not_be_assigned_and_assigns_himself_has_acknowledged(tracker: MemoryTracker) -> None:
    tracker.assignable = frozenset()
    opened(tracker)
    tracker.clock = lambda: at(1, 1)
    tracker.edit(1, assignees=("ann",))
    publish(tracker, alerts_of(condition(2, first=1, last=2)), now=at(2))
    assert "**Acknowledged** by `ann` (seen" in tracker.issues[1].body


def test_whom_the_escalation_cannot_assign_is_asked_once(tracker: MemoryTracker) -> None:
    tracker.assignable = frozenset({"ann"})
    oncall = OnCall.model_validate({"rotation": {"people": ["@ann"]}, "secondary": {"people": ["@bo"]}})
    opened(tracker)
    for number in (2, 3):
        rounds = publish(
            tracker, alerts_of(condition(number, first=1, last=number)), now=at(number), oncall=oncall
        )
        assert rounds.failed == []
    assert tracker.issues[1].assignees == ("ann",)
    assert kinds(tracker, 1).count("escalated") == 1


def test_without_a_rotation_the_owner_is_mentioned_and_assigned(tracker: MemoryTracker) -> None:
    publish(tracker, alerts_of(condition(1, first=1, owner="@cleo")), now=at(1), oncall=OnCall())
    assert "nobody by plan, so the owner: @cleo" in tracker.issues[1].body
    assert tracker.issues[1].assignees == ("cleo",)


def test_an_account_that_is_not_the_one_we_are_told_opens_one_issue_and_says_so(
    tracker: MemoryTracker,
) -> None:
    alerts = alerts_of(condition(1, first=1))
    mistaken = Mistaken(issues=tracker.issues, comments=tracker.comments, actor="acme-bot")
    rounds = publish(mistaken, alerts, now=at(1))
    assert len(tracker.issues) == 1
    assert rounds.strangers == [
        "issues are opened as acme-bot, and those of github-actions[bot] are looked for; "
        "set the variable AIONCALL_ACTOR to acme-bot"
    ]
    publish(Mistaken(issues=tracker.issues, comments=tracker.comments, actor="acme-bot"), alerts, now=at(2))
    assert [one.number for one in tracker.open_now()] == [1]


class Mistaken(MemoryTracker):
    """Writes as acme-bot, and is told to be github-actions[bot]."""

    def __getattribute__(self, name: str) -> object:
        if name == "actor" and not object.__getattribute__(self, "_writing"):
            return BOT
        return object.__getattribute__(self, name)

    _writing = False

    def _changing(self, call: str, done: object) -> object:
        self._writing = True
        try:
            return super()._changing(call, done)  # type: ignore[arg-type]
        finally:
            self._writing = False


def test_a_person_on_call_who_cannot_be_assigned_is_mentioned(tracker: MemoryTracker) -> None:
    tracker.assignable = frozenset({"zoe"})
    opened(tracker)
    assert tracker.issues[1].assignees == ()
    assert "**On call now:** @ann" in tracker.issues[1].body


def test_a_snoozed_issue_is_silent_until_then_and_loud_afterwards(tracker: MemoryTracker) -> None:
    opened(tracker)
    tracker.clock = lambda: at(1, 1)
    tracker.say(1, f"/snooze {day(4)}")
    for number in (2, 3):
        publish(tracker, alerts_of(condition(number, first=1, last=number)), now=at(number))
    assert kinds(tracker, 1) == []
    assert "**Snoozed** until" in tracker.issues[1].body
    publish(tracker, alerts_of(condition(4, first=1, last=4)), now=at(4))
    assert kinds(tracker, 1) == ["day", "escalated"]


def test_a_snooze_does_not_keep_a_recovered_issue_open(tracker: MemoryTracker) -> None:
    opened(tracker)
    tracker.clock = lambda: at(1, 1)
    tracker.say(1, "/snooze 30d")
    over = condition(4, state="good", first=1, good=[2, 3, 4], recovered=4)
    publish(tracker, alerts_of(over), now=at(4))
    assert tracker.issues[1].state == "closed"


def test_a_command_nobody_can_read_is_answered_once(tracker: MemoryTracker) -> None:
    opened(tracker)
    tracker.clock = lambda: at(1, 1)
    tracker.say(1, "/snooze tomorow")
    for _ in range(2):
        publish(tracker, alerts_of(condition(1, first=1)), now=at(1, 1.5))
    assert kinds(tracker, 1) == ["answer"]
    assert "write /snooze 2026-12-01 or /snooze 3d" in tracker.texts(1)[0].replace("`", "")
    # Only what is typed is code: the sentence is read as one.
    assert "`/snooze tomorow` is no date; write `/snooze 2026-12-01` or `/snooze 3d`." in tracker.texts(1)[0]


def test_a_more_urgent_alert_pages_anew_and_needs_an_acknowledgement_of_its_own(
    tracker: MemoryTracker,
) -> None:
    shift = [alert(tier=2, kind="output_shift")]
    publish(tracker, alerts_of(condition(1, first=1, alerts=shift)), now=at(1))
    assert tracker.issues[1].assignees == ()
    tracker.clock = lambda: at(1, 1)
    tracker.say(1, "/ack")
    publish(tracker, alerts_of(condition(2, first=1, last=2)), now=at(2))
    assert kinds(tracker, 1) == ["worse", "day"]
    assert "Acknowledged" not in tracker.issues[1].body
    assert tracker.issues[1].assignees == ("ann",)


def test_an_issue_of_somebody_else_with_our_marker_is_left_alone_and_said(tracker: MemoryTracker) -> None:
    opened(tracker)
    forged = tracker.issues[1].model_copy(update={"number": 2, "author": "eve", "title": "mine"})
    tracker.issues[2], tracker.comments[2] = forged, []
    rounds = publish(tracker, alerts_of(condition(2, first=1, last=2)), now=at(2))
    assert tracker.issues[2] == forged
    assert any("#2 holds a marker" in line for line in rounds.remarks)


def test_a_damaged_marker_is_said_and_the_issue_is_left_alone(tracker: MemoryTracker) -> None:
    opened(tracker)
    body = tracker.issues[1].body
    damaged = body.replace(body[40:44], "AAAA", 1)
    tracker.edit(1, body=damaged)
    rounds = publish(tracker, alerts_of(condition(2, first=1, last=2)), now=at(2))
    assert tracker.issues[1].body == damaged
    assert any("marker was edited" in line for line in rounds.remarks)
    assert len(tracker.issues) == 1


def test_an_older_run_never_undoes_a_newer_one(tracker: MemoryTracker) -> None:
    opened(tracker)
    over = condition(4, state="good", first=1, last=1, good=[2, 3, 4], recovered=4)
    publish(tracker, alerts_of(over), now=at(4))
    before = dict(tracker.issues)
    publish(tracker, alerts_of(condition(2, first=1, last=2)), now=at(4, 1))
    assert tracker.issues == before


def test_a_first_bad_run_that_arrives_late_moves_the_issue_and_opens_none(tracker: MemoryTracker) -> None:
    publish(tracker, alerts_of(condition(3, first=2, last=3)), now=at(3))
    publish(tracker, alerts_of(condition(3, first=1, last=3)), now=at(3, 1))
    (ticket,) = tracker.issues.values()
    assert f"since {day(1)}" in ticket.body


def test_a_history_that_lost_the_episode_leaves_the_issue_open_and_says_so(tracker: MemoryTracker) -> None:
    opened(tracker)
    publish(tracker, alerts_of(condition(5, state="good")), now=at(5))
    assert tracker.issues[1].state == "open"
    assert "close it by hand" in tracker.issues[1].body


def test_of_issues_opened_by_runs_that_overlapped_the_oldest_is_kept(tracker: MemoryTracker) -> None:
    opened(tracker)
    for number in (2, 3):
        tracker.issues[number] = tracker.issues[1].model_copy(update={"number": number})
        tracker.comments[number] = []
    publish(tracker, alerts_of(condition(1, first=1)), now=at(1, 1))
    assert [one.number for one in tracker.open_now()] == [1]
    assert tracker.issues[3].body.split("\n")[2] == "### Duplicate of #1"
    assert kinds(tracker, 3) == ["duplicate"]
    assert left_to_do(tracker, alerts_of(condition(1, first=1)), now=at(1, 1.5)) == []


def test_comments_that_overlapping_runs_said_twice_are_taken_away(tracker: MemoryTracker) -> None:
    opened(tracker)
    publish(tracker, alerts_of(condition(2, first=1, last=2)), now=at(2))
    said = tracker.comments[1][0]
    tracker.say(1, said.body, by=BOT)
    publish(tracker, alerts_of(condition(2, first=1, last=2)), now=at(2, 1))
    assert kinds(tracker, 1).count("day") == 1


def test_an_issue_that_was_opened_although_the_reply_was_lost_is_found_and_not_opened_twice() -> None:
    replies = iter(["lost"])
    tracker = MemoryTracker(trouble=lambda call: next(replies, None) if call == "open" else None)
    rounds = publish(tracker, alerts_of(condition(1, first=1)), now=at(1))
    assert len(tracker.issues) == 1
    assert rounds.failed == []


def test_a_tracker_that_never_answers_is_reported_after_some_rounds() -> None:
    tracker = MemoryTracker(trouble=lambda call: "fail" if call == "open" else None)
    rounds = publish(tracker, alerts_of(condition(1, first=1)), now=at(1))
    assert rounds.failed == ["open failed"]


@pytest.mark.parametrize("tier", [1, 2])
def test_an_alert_whose_route_leads_elsewhere_opens_no_issue(tracker: MemoryTracker, tier: int) -> None:
    routes = Routes(tier1=("pagerduty",), tier2=("review",))
    run = condition(1, first=1, alerts=[alert(tier=tier)])  # type: ignore[arg-type]
    publish(tracker, alerts_of(run), now=at(1), routes=routes)
    assert tracker.issues == {}


def test_a_page_of_which_the_first_publication_was_lost_is_opened_by_the_next_run(
    tracker: MemoryTracker,
) -> None:
    publish(tracker, alerts_of(condition(2, state="good", first=1, good=[2])), now=at(2))
    assert tracker.issues[1].title == f"triage: not recovered since {day(1)}"


def test_fewer_reopening_days_are_obeyed(tracker: MemoryTracker) -> None:
    opened(tracker)
    first = episode(1, 1, good=[2, 3, 4], recovered=4)
    publish(tracker, alerts_of(condition(4, state="good", first=1, good=[2, 3, 4], recovered=4)), now=at(4))
    again = alerts_of(condition(6, first=6, earlier=[first]))
    publish(tracker, again, now=at(6), monitors=Monitors(reopen_days=1))
    assert len(tracker.issues) == 2


def test_the_marker_survives_names_that_are_attacks(tracker: MemoryTracker) -> None:
    name = "x --> <!-- aioncall:issue:1:0000000000000000:AAAA --> @everyone \u202e"
    publish(tracker, alerts_of(condition(1, name, first=1)), now=at(1))
    state = read_marker(tracker.issues[1].body)
    assert state is not None
    assert state.evalset == name
    publish(tracker, alerts_of(condition(2, name, first=1, last=2)), now=at(2) + timedelta(hours=1))
    assert len(tracker.issues) == 1


class Lagging(MemoryTracker):
    """A tracker whose lists show a second later what was written: as replicas do."""

    def tickets(self, *, label: str, closed_since: str | None = None) -> list[Ticket]:
        return []

    def notes(self, number: int) -> list[Note]:
        return []


def test_lists_that_lag_behind_double_nothing() -> None:
    tracker = Lagging()
    rounds = publish(tracker, alerts_of(condition(2, first=1, last=2)), now=at(2))
    assert len(tracker.issues) == 1
    assert kinds(tracker, 1) == ["day"]
    assert rounds.failed == []


def test_what_commits_the_monitor_names_stand_with_what_changed(tracker: MemoryTracker) -> None:
    named = alert(
        evidence=(
            {"name": "commits", "value": "1 in 0a1b2c3..4d5e6f7 that touch the subject's files"},
            {"name": "commit", "value": "4d5e6f7 Shorter answers"},
            {"name": "gate", "value": "regressed"},
        )
    )
    publish(tracker, alerts_of(condition(1, first=1, alerts=[named])), now=at(1))
    body = tracker.issues[1].body
    assert "**What changed** between" in body
    assert "- commit `4d5e6f7 Shorter answers`" in body
    assert "| gate: regressed |" in body


def test_commits_in_between_are_named_before_anybody_looks_elsewhere(tracker: MemoryTracker) -> None:
    """A commit that touches no declared file is still what changed."""
    publish(tracker, alerts_of(condition(1, first=1)), now=at(1))
    body = tracker.issues[1].body
    assert "**What changed:** nothing" not in body
    assert "- the commits in between: `git log -p 000000000000..010101010101`" in body
    named = alert(evidence=({"name": "commits", "value": "1 in x"}, {"name": "commit", "value": "abc tidy"}))
    publish(tracker, alerts_of(condition(2, first=1, last=2, alerts=[named])), now=at(2))
    listed = tracker.issues[1].body.partition("**What changed** between")[2].splitlines()[2:6]
    assert listed[:2] == ["- commits 1 in x", "- commit abc tidy"]
    assert listed[2] == "- to read them: `git log -p 000000000000..010101010101`"
    assert listed[3].startswith("- nothing that is declared (files, labels, model ids, judge) differs")


def test_runs_of_one_commit_say_so(tracker: MemoryTracker) -> None:
    found = condition(1, first=1)
    assert found.episode is not None and found.episode.last_good is not None
    same = found.episode.last_good.model_copy(update={"commit": found.episode.first_bad.commit})
    episode_of = found.episode.model_copy(update={"last_good": same})
    publish(tracker, alerts_of(found.model_copy(update={"episode": episode_of})), now=at(1))
    assert "both runs are of the same commit. Look at what is not: the provider" in tracker.issues[1].body


def test_only_the_page_of_a_run_is_linked(tracker: MemoryTracker) -> None:
    run = condition(1, first=1)
    elsewhere = run.run.model_copy(update={"url": "https://evil.invalid/x"})
    publish(tracker, alerts_of(run.model_copy(update={"run": elsewhere})), now=at(1))
    assert "evil.invalid" not in tracker.issues[1].body
    assert "](https://github.com/acme/app/actions/runs/1)" in tracker.issues[1].body


def test_a_recovery_never_published_and_a_late_recurrence_are_a_closing_and_a_new_issue(
    tracker: MemoryTracker,
) -> None:
    opened(tracker)
    first = episode(1, 1, good=[2, 3, 4], recovered=4)
    unsure = condition(20, state="not_judged", first=19, earlier=[first])
    publish(tracker, alerts_of(unsure), now=at(20))
    assert [one.state for one in tracker.issues.values()] == ["open"], "it could not judge"
    publish(tracker, alerts_of(condition(21, first=19, last=21, earlier=[first])), now=at(21))
    assert [one.state for one in tracker.issues.values()] == ["closed", "open"]
    assert kinds(tracker, 1) == ["closed"]


def test_no_feature_leaves_a_storm_by_a_run_that_could_not_judge(tracker: MemoryTracker) -> None:
    publish(tracker, alerts_of(*(condition(1, name, first=1) for name in "abcd")), now=at(1))
    over = {"first": 1, "good": [2, 3, 4], "recovered": 4}
    publish(tracker, alerts_of(*(condition(5, n, state="not_judged", **over) for n in "abcd")), now=at(5))
    assert tracker.issues[1].state == "open"
    publish(tracker, alerts_of(*(condition(6, n, state="good", **over) for n in "abcd")), now=at(6))
    assert tracker.issues[1].state == "closed"
