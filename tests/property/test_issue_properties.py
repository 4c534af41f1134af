"""Whatever happens on which day, and whatever is cut off: one issue a cause, and the same end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

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
    publish,
    without_marker,
)
from pytest_aioncall.decide.issues.board import read_board
from pytest_aioncall.decide.issues.marker import read_marker
from pytest_aioncall.model.alert import AlertsFile, Episode, EvalsetCondition
from pytest_aioncall.model.issue import IssueState
from pytest_aioncall.model.oncall import Monitors

NAMES = ("a", "b", "c", "d")
MONITORS = Monitors(storm=2, reopen_days=4)
quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
chances = st.randoms(use_true_random=False)
outcomes = st.sampled_from(["good", "good", "good", "bad", "bad", "none"])
weeks = st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, outcomes)), min_size=1, max_size=9)


class Killed(BaseException):
    """The process is gone."""


def told(days: list[dict[str, str]]) -> list[AlertsFile]:
    """Return the alerts of every day: as the monitor folds them, an evalset at a time."""
    return [
        alerts_of(*(_folded(name, [one[name] for one in days[: last + 1]]) for name in NAMES))
        for last in range(len(days))
    ]


def _folded(name: str, said: list[str]) -> EvalsetCondition:
    first: int | None = None
    last, good, closed, bad_now = 0, [], [], False
    for number, one in enumerate(said):
        if one == "bad":
            first, last, good, bad_now = number if first is None else first, number, [], True
        elif one == "good":
            bad_now = False
            if first is not None:
                good.append(number)
                if len(good) == 3:
                    closed.insert(0, episode(first, last, good=good, recovered=number))
                    first, good = None, []
    number = len(said) - 1
    state = {"bad": "bad", "good": "good", "none": "not_judged"}[said[-1]]
    alerts = (alert(name),) if bad_now else ()
    if first is not None:
        return condition(
            number, name, state=state, first=first, last=last, good=good, earlier=closed, alerts=alerts
        )
    made = condition(number, name, state=state, alerts=alerts)
    if not closed:
        return made
    return made.model_copy(update={"episode": closed[0], "earlier": tuple(closed[1:])})


def life(
    days: list[dict[str, str]], *, trouble: Callable[[str], str | None] | None = None
) -> tuple[MemoryTracker, list[AlertsFile]]:
    """Publish every day in its order; what is killed or fails is published again until it is done."""
    tracker = MemoryTracker()
    alerts = told(days)
    for number, one in enumerate(alerts):
        for attempt in range(60):
            tracker.trouble = trouble if trouble is not None and attempt < 50 else lambda _: None
            try:
                rounds = publish(tracker, one, now=at(number), monitors=MONITORS)
            except Killed:
                continue
            if not rounds.failed:
                break
        check(tracker, one)
    tracker.trouble = lambda _: None
    return tracker, alerts


def check(tracker: MemoryTracker, alerts: AlertsFile) -> None:
    """Hold the promises against the tracker as it stands."""
    board = read_board(list(tracker.issues.values()), tracker.comments, actor=BOT, zone=UTC)
    rows = [
        f.evalset
        for storm in board.of("storm")
        if storm.is_open
        for f in storm.state.features
        if f.status == "bad"
    ]
    assert sum(storm.is_open for storm in board.of("storm")) <= 1
    ended: dict[str, set[str]] = {}
    for one in alerts.evalsets:
        known: list[Episode] = [*([one.episode] if one.episode else []), *one.earlier]
        ended[one.evalset] = {e.key for e in known if e.recovered is not None}
        own = [held for held in board.of("incident", one.evalset) if held.is_open]
        assert len(own) + rows.count(one.evalset) <= 1, one.evalset
        if one.is_open:
            assert len(own) + rows.count(one.evalset) == 1, one.evalset
        elif one.state == "good":
            assert not own, one.evalset
            assert one.evalset not in rows
    for held in board.held:
        if not held.is_open and held.state.kind == "incident" and held.state.phase != "duplicate":
            assert held.state.episode in ended[held.state.evalset], "closed without a judged recovery"


def seen(tracker: MemoryTracker) -> list[tuple[object, ...]]:
    """Return all that people see, whatever the numbers of the issues and the order of comments."""

    def plain(text: str) -> str:
        return re.sub(r"#\d+", "#N", without_marker(text))

    return sorted(
        (
            ticket.title,
            plain(ticket.body),
            ticket.state,
            ticket.assignees,
            sorted(plain(note.body) for note in tracker.comments[number]),
        )
        for number, ticket in tracker.issues.items()
    )


@quick
@given(weeks)
def test_one_issue_a_cause_none_closed_without_a_judged_recovery_and_nothing_left_to_do(
    days: list[dict[str, str]],
) -> None:
    tracker, alerts = life(days)
    assert left_to_do(tracker, alerts[-1], now=at(len(days) - 1), monitors=MONITORS) == []
    for number in tracker.issues:
        lines = [one for one in tracker.texts(number) if one.startswith("2026-")]
        assert len({one[:10] for one in lines}) == len(lines), "more than one line a day"


@quick
@given(weeks, chances)
def test_failures_lost_replies_and_kills_change_nothing_about_the_end(
    days: list[dict[str, str]], random: Random
) -> None:
    clean, _ = life(days)

    def trouble(call: str) -> str | None:
        drawn = random.random()
        if drawn < 0.1:
            raise Killed
        if drawn < 0.2:
            return "fail"
        return "lost" if drawn < 0.3 and call not in ("list", "notes") else None

    troubled, _ = life(days, trouble=trouble)
    assert seen(troubled) == seen(clean)


@quick
@given(weeks, chances)
def test_runs_that_are_published_again_and_out_of_order_undo_nothing(
    days: list[dict[str, str]], random: Random
) -> None:
    tracker, alerts = life(days)
    before = [said[:4] for said in seen(tracker)]
    late = list(alerts)
    random.shuffle(late)
    for one in late:
        publish(tracker, one, now=at(len(days) - 1), monitors=MONITORS)
    assert [said[:4] for said in seen(tracker)] == before
    check(tracker, alerts[-1])


@quick
@given(weeks, st.integers(1, 40))
def test_a_kill_between_any_two_steps_and_a_rerun_come_to_the_same_end(
    days: list[dict[str, str]], step: int
) -> None:
    clean, _ = life(days)
    calls: Iterator[int] = iter(range(10_000))

    def trouble(_: str) -> None:
        if next(calls) == step:
            raise Killed

    killed, _ = life(days, trouble=trouble)
    assert seen(killed) == seen(clean)


@quick
@given(weeks, st.integers(2, 5), chances)
def test_publishers_that_overlap_leave_one_issue_and_one_line_a_day(
    days: list[dict[str, str]], publishers: int, random: Random
) -> None:
    """Each of them has listed the tracker before any of them writes: the worst race there is."""
    tracker = MemoryTracker()
    for number, one in enumerate(told(days)):
        lists = [list(tracker.issues.values()) for _ in range(publishers)]
        notes = [{n: list(c) for n, c in tracker.comments.items()} for _ in range(publishers)]
        for listed, said in zip(lists, notes, strict=True):
            blind = Blind(tracker, listed, said)
            publish(blind, one, now=at(number), monitors=MONITORS)
            if random.random() < 0.3:
                break
        publish(tracker, one, now=at(number), monitors=MONITORS)
        check(tracker, one)
        for issue in tracker.issues:
            lines = [text for text in tracker.texts(issue) if text.startswith(day(number))]
            assert len(lines) <= 1


acts = st.lists(
    st.tuples(
        st.integers(0, 13),
        st.integers(0, 3),
        st.sampled_from(
            ["/ack", "/snooze 2d", "/unsnooze", "/snooze x", "/split a", "wontfix", "unlabel", "completed",
             "not_planned", "open", "unmark", "retitle", "assign", "unassign"]
        ),
    ),
    max_size=8,
)  # fmt: skip


ONE_DOWN = dict.fromkeys(NAMES, "good") | {"a": "bad"}
ALL_DOWN = dict.fromkeys(NAMES, "bad")


@quick
@given(weeks, acts)
@example([ONE_DOWN] * 2, [(0, 0, "retitle"), (0, 0, "unmark")])
@example([ALL_DOWN] * 2, [(0, 0, "unmark")])
@example([ALL_DOWN] * 2, [(0, 0, "wontfix")])
def test_whatever_people_do_there_is_one_issue_a_cause_and_nothing_is_left_to_do(
    days: list[dict[str, str]], doings: list[tuple[int, int, str]]
) -> None:
    tracker = MemoryTracker()
    causes = Causes()
    for number, one in enumerate(told(days)):
        rounds = publish(tracker, one, now=at(number), monitors=MONITORS)
        assert rounds.failed == []
        assert left_to_do(tracker, one, now=at(number), monitors=MONITORS) == []
        one_each(tracker, one)
        causes.see(tracker)
        tracker.clock = lambda number=number: at(number, 3)
        for when, which, what in doings:
            if when == number and tracker.issues:
                act(tracker, 1 + which % len(tracker.issues), what)


def act(tracker: MemoryTracker, number: int, what: str) -> None:
    """Let a person do something to an issue."""
    ticket = tracker.issues[number]
    if what.startswith("/"):
        tracker.say(number, what)
    elif what == "wontfix":
        tracker.edit(number, labels=("aioncall", "wontfix"))
    elif what == "unlabel":
        tracker.edit(number, labels=("aioncall",))
    elif what in ("completed", "not_planned"):
        tracker.close(number, reason=what)
    elif what == "open":
        tracker.edit(number, state="open", state_reason="reopened", closed_at=None)
    elif what == "unmark":
        tracker.edit(number, body=without_marker(ticket.body))
    elif what == "retitle":
        tracker.edit(number, title="Investigating")
    else:
        tracker.edit(number, assignees=("cleo",) if what == "assign" else ())


class Causes:
    """Counts the issues that were created for one cause: what no marker of today can tell.

    A second one is opened only where a person has asked for it: `/split` takes a row out of a storm, and who
    closes an issue as done that has no marker any more leaves nothing that could be opened again.
    """

    def __init__(self) -> None:
        self.of: dict[int, set[tuple[str, str]]] = {}

    def see(self, tracker: MemoryTracker) -> None:
        """Take in what each issue stands for now; a new one for what another stood for is one too many."""
        for number, ticket in tracker.issues.items():
            state = read_marker(ticket.body)
            made = _causes_of(state) if state is not None else set()
            if number not in self.of:
                asked = {one for other in self.of if _makes_way(tracker, other) for one in self.of[other]}
                asked |= {(name, key) for name, key in made if _was_split(tracker, name)}
                doubled = {one for causes in self.of.values() for one in causes} & made - asked
                assert not doubled, f"#{number} is a second issue for {sorted(doubled)}"
            self.of.setdefault(number, set()).update(made)


def _causes_of(state: IssueState) -> set[tuple[str, str]]:
    """Return what an issue stands for: evalset and episode of itself, or of its rows."""
    if state.kind != "storm":
        return {(state.evalset, state.episode)}
    return {(one.evalset, one.episode) for one in state.features if one.status in ("bad", "recovered")}


def _makes_way(tracker: MemoryTracker, number: int) -> bool:
    ticket = tracker.issues[number]
    is_done = ticket.state == "closed" and ticket.state_reason == "completed"
    return is_done and read_marker(ticket.body) is None


def _was_split(tracker: MemoryTracker, evalset: str) -> bool:
    return any(note.body == f"/split {evalset}" for notes in tracker.comments.values() for note in notes)


def one_each(tracker: MemoryTracker, alerts: AlertsFile) -> None:
    """Hold what holds whatever people do: one issue a cause, and our closings are judged recoveries."""
    board = read_board(list(tracker.issues.values()), tracker.comments, actor=BOT, zone=UTC)
    going = [one for one in board.held if one.is_open and one.state.phase == "open" and not one.is_released]
    assert sum(one.state.kind == "storm" for one in going) <= 1
    for one in alerts.evalsets:
        own = [h for h in going if (h.state.kind, h.state.evalset) == ("incident", one.evalset)]
        assert len(own) <= 1
        ended = {e.key for e in (*([one.episode] if one.episode else []), *one.earlier) if e.recovered}
        for held in board.of("incident", one.evalset):
            assert held.state.phase == "open" or held.state.episode in ended
    for number in tracker.issues:
        lines = [text[:10] for text in tracker.texts(number) if text.startswith("2026-")]
        assert len(set(lines)) == len(lines)


@pytest.mark.slow
def test_failures_and_kills_in_many_more_lives() -> None:
    """`make simulate-tests` runs it."""
    at_length(test_failures_lost_replies_and_kills_change_nothing_about_the_end, weeks, chances)


@pytest.mark.slow
def test_overlapping_publishers_in_many_more_lives() -> None:
    """`make simulate-tests` runs it."""
    at_length(
        test_publishers_that_overlap_leave_one_issue_and_one_line_a_day, weeks, st.integers(2, 5), chances
    )


def at_length(promise: Any, *drawn: Any) -> None:
    settings(quick, max_examples=400)(given(*drawn)(promise.hypothesis.inner_test))()


class Blind(MemoryTracker):
    """Sees the tracker as it was, once; writes to it as it is."""

    def __init__(self, real: MemoryTracker, listed: list, said: dict) -> None:  # type: ignore[type-arg]
        super().__init__(issues=real.issues, comments=real.comments)
        self._ids = real._ids
        self._old: tuple[list, dict] | None = (listed, said)  # type: ignore[type-arg]

    def tickets(self, *, label: str, closed_since: str | None = None) -> list:  # type: ignore[type-arg]
        if self._old is None:
            return super().tickets(label=label, closed_since=closed_since)
        seen_then, self._old = self._old, None
        self._said: dict | None = seen_then[1]  # type: ignore[type-arg]
        return [
            one
            for one in seen_then[0]
            if one.state == "open" or (one.closed_at or "") >= (closed_since or "")
        ]

    def notes(self, number: int) -> list:  # type: ignore[type-arg]
        said, found = getattr(self, "_said", None), self.comments[number]
        if said is not None and number in said:
            return list(said.pop(number))
        return list(found)
