"""For tests of issues: a tracker in memory that can fail, and alerts of made-up days."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pytest_aioncall.adapters.render.markdown.issue import Site
from pytest_aioncall.decide.issues import Rules, plan_issues, read_board
from pytest_aioncall.errors import DeliveryError
from pytest_aioncall.flows.issues.applying import Applier
from pytest_aioncall.flows.issues.publish import _Rounds
from pytest_aioncall.flows.issues.remembering import remember_issues, remembered_markers
from pytest_aioncall.model.alert import Alert, AlertsFile, Episode, EvalsetCondition
from pytest_aioncall.model.history import RunRef
from pytest_aioncall.model.oncall import Monitors, OnCall, Rotation, Routes, Tier
from pytest_aioncall.model.ticket import Note, Ticket

BOT = "github-actions[bot]"
FELL = "92.2 % -> 84.0 % (delta -8.2 pp, n=120)"
START = datetime(2026, 11, 2, 5, 37, tzinfo=UTC)  # a Monday
ONCALL = OnCall(rotation=Rotation(people=("@ann", "@bo")))
SITE = Site(version="0.5", repository="https://github.com/acme/app")


def day(number: int) -> str:
    return (START + timedelta(days=number)).date().isoformat()


def at(number: int, hour: float = 0) -> datetime:
    """Return the moment at which the run of a day is published, or some hours later."""
    return START + timedelta(days=number, minutes=20, hours=hour)


def ref(number: int, letter: str = "") -> RunRef:
    made = START + timedelta(days=number, hours=6 * bool(letter))
    return RunRef(
        run=f"run-{number:02d}{letter}",
        day=day(number),
        commit=f"{number:02d}" * 20,
        url=f"https://github.com/acme/app/actions/runs/{number}",
        created_at=made.isoformat().replace("+00:00", "Z"),
    )


def alert(evalset: str = "triage", *, tier: Tier = 1, kind: str = "eval_regression", **more: Any) -> Alert:
    told = {"scorer": "route", "owner": "@acme/support"} | more
    return Alert.model_validate(
        {
            "kind": kind,
            "tier": tier,
            "evalset": evalset,
            "title": f"{evalset}.daily.{told['scorer'] or kind} 24h: {FELL}",
            "quality": kind not in ("no_data", "stale_baseline", "judge_unavailable"),
            "runbook": f"docs/runbooks/{kind}.md",
            **told,
        }
    )


def no_data(evalset: str = "triage", *, since: int) -> Alert:
    return alert(evalset, kind="no_data", scorer=None, since=ref(since))


def condition(
    number: int,
    evalset: str = "triage",
    *,
    state: str = "bad",
    first: int | None = None,
    last: int | None = None,
    good: Sequence[int] = (),
    recovered: int | None = None,
    earlier: Iterable[Episode] = (),
    alerts: Sequence[Alert] | None = None,
    letter: str = "",
    **more: Any,
) -> EvalsetCondition:
    """Return how an evalset stands after a run; `first` opens an episode, `recovered` closes it."""
    found = None
    if first is not None:
        found = episode(first, last if last is not None else first, good=good, recovered=recovered)
    if alerts is None:
        alerts = (alert(evalset),) if state == "bad" else ()
    return EvalsetCondition.model_validate(
        {
            "evalset": evalset,
            "file": f"evalsets/{evalset}.eval.yaml",
            "owner": "@acme/support",
            "run": ref(number, letter),
            "state": state,
            "alerts": tuple(alerts),
            "episode": found,
            "earlier": tuple(earlier),
            **more,
        }
    )


def episode(first: int, last: int, *, good: Sequence[int] = (), recovered: int | None = None) -> Episode:
    return Episode(
        first_bad=ref(first),
        last_bad=ref(last),
        last_good=ref(first - 1) if first > 0 else None,
        good_days=tuple(day(one) for one in good),
        recovered=None if recovered is None else ref(recovered),
    )


def alerts_of(*conditions: EvalsetCondition) -> AlertsFile:
    newest = max((one.run for one in conditions), key=lambda run: run.created_at or "")
    return AlertsFile(
        run=newest.run,
        day=newest.day,
        created_at=newest.created_at or "",
        monitored_at=newest.created_at or "",
        evalsets=conditions,
    )


def without_marker(body: str) -> str:
    """Return what people see of a body."""
    return re.sub(r"<!-- aioncall:issue:\S+ -->", "", body).strip()


@dataclass
class MemoryHistory:
    """The part of a history that keeps records, in memory."""

    kept: dict[str, dict[str, Any]] = field(default_factory=dict)

    def records(self, kind: str) -> dict[str, Any]:
        return dict(self.kept.get(kind, {}))

    def write_record(self, kind: str, name: str, data: Any) -> None:
        self.kept.setdefault(kind, {})[name] = json.loads(json.dumps(data))


@dataclass
class MemoryTracker:
    """A tracker in memory, and the records of the history that goes with it.

    `trouble` is asked at every call, by name. It returns "fail" (the call does nothing), "lost" (it is done,
    and the reply never comes) or None.
    """

    actor: str = BOT
    clock: Callable[[], datetime] = lambda: START
    trouble: Callable[[str], str | None] = lambda _: None
    issues: dict[int, Ticket] = field(default_factory=dict)
    comments: dict[int, list[Note]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    assignable: frozenset[str] | None = None
    history: MemoryHistory = field(default_factory=MemoryHistory)
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def tickets(self, *, label: str, closed_since: str | None = None) -> list[Ticket]:
        self._trouble("list")
        found = [one for one in self.issues.values() if label in one.labels]
        return [
            one
            for one in found
            if one.state == "open" or (closed_since is not None and (one.closed_at or "") >= closed_since)
        ]

    def notes(self, number: int) -> list[Note]:
        self._trouble("notes")
        return list(self.comments[number])

    def open_ticket(
        self, *, title: str, body: str, labels: Sequence[str], assignees: Sequence[str] = ()
    ) -> Ticket:
        def done() -> Ticket:
            number = len(self.issues) + 1
            self.comments[number] = []
            self.issues[number] = Ticket(
                number=number,
                title=title,
                body=body,
                state="open",
                author=self.actor,
                labels=tuple(labels),
                assignees=self._may(assignees),
                created_at=self._now(),
                updated_at=self._now(),
                url=f"https://github.com/acme/app/issues/{number}",
            )
            return self.issues[number]

        return self._changing("open", done)

    def add_note(self, number: int, body: str) -> Note:
        return self._changing("note", lambda: self.say(number, body, by=self.actor))

    def change(
        self,
        number: int,
        *,
        title: str | None = None,
        body: str | None = None,
        state: Literal["open", "closed"] | None = None,
        state_reason: str | None = None,
        assignees: Sequence[str] | None = None,
    ) -> Ticket:
        def done() -> Ticket:
            changed: dict[str, Any] = {}
            if title is not None:
                changed["title"] = title
            if body is not None:
                changed["body"] = body
            if assignees is not None:
                changed["assignees"] = self._may(assignees)
            if state is not None:
                changed |= {"state": state, "state_reason": state_reason}
                changed["closed_at"] = self._now() if state == "closed" else None
            return self.edit(number, **changed)

        return self._changing("change", done)

    def remove_note(self, id: int) -> None:
        def done() -> None:
            for notes in self.comments.values():
                notes[:] = [one for one in notes if one.id != id]

        self._changing("remove", done)

    # What people do.

    def edit(self, number: int, **changed: Any) -> Ticket:
        self.issues[number] = self.issues[number].model_copy(update={"updated_at": self._now(), **changed})
        return self.issues[number]

    def say(self, number: int, body: str, *, by: str = "ann", trusted: bool = True) -> Note:
        note = Note(id=next(self._ids), body=body, author=by, trusted=trusted, created_at=self._now())
        self.comments[number].append(note)
        return note

    def close(self, number: int, *, reason: str = "completed") -> None:
        self.edit(number, state="closed", state_reason=reason, closed_at=self._now())

    def open_now(self) -> list[Ticket]:
        return [one for one in self.issues.values() if one.state == "open"]

    def texts(self, number: int) -> list[str]:
        """Return what people see of our comments, first word of the kind included."""
        return [one.body.split("\n")[0] for one in self.comments[number] if one.author == self.actor]

    def _may(self, logins: Sequence[str]) -> tuple[str, ...]:
        return tuple(one for one in logins if self.assignable is None or one in self.assignable)

    def _now(self) -> str:
        return self.clock().isoformat().replace("+00:00", "Z")

    def _trouble(self, call: str) -> None:
        self.calls.append(call)
        if self.trouble(call) is not None:
            raise DeliveryError(f"{call} failed", status=502)

    def _changing(self, call: str, done: Callable[[], Any]) -> Any:
        self.calls.append(call)
        wrong = self.trouble(call)
        if wrong == "fail":
            raise DeliveryError(f"{call} failed", status=502)
        made = done()
        if wrong == "lost":
            raise DeliveryError(f"no reply to {call}", unknown=True)
        return made


def publish(
    tracker: MemoryTracker,
    alerts: AlertsFile,
    *,
    now: datetime,
    monitors: Monitors | None = None,
    routes: Routes | None = None,
    oncall: OnCall = ONCALL,
) -> _Rounds:
    """Publish as the flow does, without run folders: rounds until nothing is left to do."""
    tracker.clock = lambda: now
    rules = Rules(monitors or Monitors(), routes or Routes(), oncall, now)
    applier = Applier(tracker, SITE, "aioncall")
    markers = remembered_markers(tracker.history)
    rounds = _Rounds(alerts, rules, applier, pause=lambda _: None, markers=markers)
    remember_issues(alerts, rounds.until_done(), tracker.history)
    return rounds


def left_to_do(
    tracker: MemoryTracker, alerts: AlertsFile, *, now: datetime, monitors: Monitors | None = None
) -> list[str]:
    """Return what a further publication would do."""
    rules = Rules(monitors or Monitors(), Routes(), ONCALL, now)
    calm = MemoryTracker(
        issues=dict(tracker.issues), comments={n: list(c) for n, c in tracker.comments.items()}
    )
    markers = remembered_markers(tracker.history)
    board = read_board(list(calm.issues.values()), calm.comments, actor=BOT, zone=UTC, remembered=markers)
    steps = plan_issues(alerts, board, rules).steps
    done, _ = Applier(calm, SITE, "aioncall").apply(steps, calm.issues)
    return [str(one) for one in done]
