"""`aioncall drill`: one labelled incident that is none, through tracker and notifiers, end to end.

It bears a label of its own, so that nothing that looks after real incidents sees it, and writes neither
outbox nor log. Whatever was begun is ended, also where a step in between failed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from ..adapters.redaction import Redactor
from ..adapters.text import did_you_mean, log_line, one_line
from ..adapters.trackers import GitHubTracker
from ..decide.oncall import deadline, in_zone, on_call_at, zone_of
from ..errors import AioncallError, DeliveryError, UsageError
from ..model.ticket import Notification
from ..protocols import Calls, Tracker
from ..settings import Settings
from .delivering.channels import BUILT_IN, Channels, calls_somebody, kind_of, now_of

LABEL: Final = "aioncall-drill"
TITLE: Final = "[drill] nothing is broken: this is a rehearsal of a page"
EXIT_OK, EXIT_NOT_ARRIVED = 0, 7
_BODY: Final = """This is a **drill** of `aioncall drill`: nothing is broken, and nobody has to do anything.

It goes the way of a page of tier 1: this issue, and the notifiers on the route. On call now: {people}; a real
page of this minute would have to be acknowledged by {due}.

{mark}
"""


@dataclass(frozen=True, slots=True)
class DrillStep:
    """One thing that was tried: by whom, what came of it, and how long the other side took to accept it."""

    name: str
    what: str
    state: Literal["ok", "failed", "would"]
    took_s: float | None = None

    def __str__(self) -> str:
        took = f"  ({self.took_s:.2f} s)" if self.took_s is not None else ""
        return f"{self.state:<6}  {self.name}: {self.what}{took}"


@dataclass(slots=True)
class Drill:
    """What a drill did, in order. `calls` tells whether any of the channels calls a person by itself."""

    id: str
    calls: bool = True
    steps: list[DrillStep] = field(default_factory=list)
    kept: str = ""

    @property
    def exit_code(self) -> int:
        """0, or 7 where a real page would not have arrived somewhere."""
        return EXIT_NOT_ARRIVED if any(step.state == "failed" for step in self.steps) else EXIT_OK

    @property
    def lines(self) -> tuple[str, ...]:
        """Return what to print."""
        failed = sum(step.state == "failed" for step in self.steps)
        last = f"{failed} of {len(self.steps)} steps failed: a real page would not have arrived there"
        told = [str(step) for step in self.steps]
        if failed:
            told.append(last)
        elif all(step.state == "would" for step in self.steps):
            told.append("dry run: nothing was sent")
        else:
            rings = "did the phone ring?" if self.calls else "none of it makes a phone ring"
            told.append(f"everything was accepted; {rings}")
        return (*told, *([self.kept] if self.kept else ()))

    def as_json(self) -> dict[str, Any]:
        """Return the same as data."""
        steps = [{"name": s.name, "what": s.what, "state": s.state, "took_s": s.took_s} for s in self.steps]
        return {"format": 1, "drill": self.id, "steps": steps, "exit_code": self.exit_code}


def drill(
    settings: Settings,
    *,
    channel: str | None = None,
    dry_run: bool = False,
    keep: bool = False,
    tracker: Tracker | None = None,
    calls: Calls | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Drill:
    """Fire one drill on the route of tier 1, or on one channel; end it again unless `keep`.

    Raises UsageError for a channel that nobody configured.
    """
    names = _names(settings, channel)
    now = now_of(settings)
    calling = any(calls_somebody(name, settings) for name in names)
    told = Drill(id=now.strftime("%Y%m%dT%H%M%SZ"), calls=calling)
    channels = Channels(settings, calls=calls)
    tracker = tracker or GitHubTracker(settings.github, caller=calls)
    rehearsal = _Rehearsal(settings, told, tracker, channels, now, clock)
    try:
        if dry_run:
            rehearsal.check(names)
        else:
            rehearsal.fire(names, keep=keep)
    finally:
        channels.close()
    return told


@dataclass(slots=True)
class _Rehearsal:
    settings: Settings
    told: Drill
    tracker: Tracker
    channels: Channels
    now: datetime
    clock: Callable[[], float]
    opened: int | None = None
    url: str | None = None
    paged: list[str] = field(default_factory=list)

    def check(self, names: list[str]) -> None:
        """Say what would be done, and what is missing for it; ask nobody."""
        for name in names:
            with self._step(name) as step:
                if name == "github":
                    if not self.settings.github.is_there:
                        raise DeliveryError("GITHUB_REPOSITORY and GITHUB_TOKEN are not set")
                    step.would(f"open and close an issue in {self.settings.github.repository}")
                else:
                    self.channels.check(name)
                    step.would(f"send a page and its end ({kind_of(name, self.settings)})")

    def fire(self, names: list[str], *, keep: bool) -> None:
        """Open, page, and end it all again."""
        try:
            if "github" in names:
                self._open()
            for name in names:
                if name != "github" and self._send(name, "trigger"):
                    self.paged.append(name)
        finally:
            if not keep:
                for name in self.paged:
                    self._send(name, "resolve")
                self._close()
        if keep:
            left = [*([f"issue #{self.opened}"] if self.opened is not None else []), *self.paged]
            self.told.kept = f"kept open, as asked: {', '.join(left)}; end it by hand" if left else ""

    def _open(self) -> None:
        with self._step("github") as step:
            mark = f"<!-- {LABEL} {self.told.id} -->"
            primary = self._people()
            body = _BODY.format(people=primary or "nobody", due=self._due(), mark=mark)
            people = [primary] if primary else []
            try:
                ticket = self.tracker.open_ticket(title=TITLE, body=body, labels=[LABEL], assignees=people)
            except DeliveryError as error:
                found = self._found(mark) if error.unknown else None
                if found is None:
                    raise
                ticket = found
            self.opened, self.url = ticket.number, ticket.url
            assigned = f", assigned to {', '.join(ticket.assignees)}" if ticket.assignees else ""
            if people and not ticket.assignees:
                assigned = f"; {people[0]} cannot be assigned there"
            step.did(f"opened #{ticket.number}{assigned}: {ticket.url}")

    def _found(self, mark: str) -> Any:
        """Look whether an issue was opened whose reply was lost."""
        mine = [t for t in self.tracker.tickets(label=LABEL) if mark in t.body]
        return mine[0] if mine else None

    def _close(self) -> None:
        if self.opened is None:
            return
        with self._step("github") as step:
            closed = self.tracker.change(self.opened, state="closed", state_reason="completed")
            step.did(f"closed #{closed.number}")

    def _send(self, name: str, action: Literal["trigger", "resolve"]) -> bool:
        with self._step(name) as step:
            reference = self.channels.send(self._notification(name, action))
            called = f", as {one_line(reference, 80)}" if reference else ""
            step.did(("page accepted" if action == "trigger" else "end accepted") + called)
        return self.told.steps[-1].state == "ok"

    def _notification(self, name: str, action: Literal["trigger", "resolve"]) -> Notification:
        primary, key = self._people(), f"drill/{self.told.id}"
        mark = "[drill] [page]" if action == "trigger" else "[drill] [resolved]"
        who = f" - primary {primary}, would have to ack by {self._due()}" if primary else ""
        return Notification(
            id=f"{key}|{action}|{name}",
            key=key,
            channel=name,
            action=action,
            tier=1,
            evalset="drill",
            title=TITLE,
            line=f"{mark} nothing is broken, this is a rehearsal{who if action == 'trigger' else ''}",
            text="Sent by aioncall drill. Nobody has to do anything." if action == "trigger" else "",
            url=self.url,
            to=(primary,) if primary else (),
            at=self.now.isoformat(),
            details={"drill": self.told.id},
        )

    def _people(self) -> str | None:
        return on_call_at(self.settings.config.oncall, self.now).primary

    def _due(self) -> str:
        oncall = self.settings.config.oncall
        due = in_zone(deadline(oncall, self.now).due, zone_of(oncall.timezone))
        return due.isoformat(timespec="minutes").replace("T", " ")

    @contextmanager
    def _step(self, name: str) -> Iterator[_Step]:
        """Take the time of a step, and keep what came of it; a failure ends the step and nothing else."""
        step, started = _Step(), self.clock()
        try:
            yield step
        except AioncallError as error:
            clean = Redactor(self.settings.secrets.values(), self.settings.config.redact).text(str(error))
            self._keep(name, log_line(clean, 300), "failed", None)
        else:
            took = self.clock() - started
            state: Literal["ok", "would"] = "would" if step.is_dry else "ok"
            self._keep(name, log_line(step.said, 300), state, None if step.is_dry else took)

    def _keep(
        self, name: str, what: str, state: Literal["ok", "failed", "would"], took_s: float | None
    ) -> None:
        self.told.steps.append(DrillStep(name, what, state, took_s))


@dataclass(slots=True)
class _Step:
    said: str = ""
    is_dry: bool = False

    def did(self, said: str) -> None:
        self.said = said

    def would(self, said: str) -> None:
        self.said, self.is_dry = said, True


def _names(settings: Settings, channel: str | None) -> list[str]:
    """Return the channels to be tried; the weekly review calls nobody."""
    config = settings.config
    known = list(dict.fromkeys(["github", *config.notifiers, *BUILT_IN]))
    if channel is None or channel in known:
        names = config.routes.tier1 if channel is None else (channel,)
        kinds = {name: kind_of(name, settings) for name in names}
        return list(
            dict.fromkeys("github" if k == "github" else n for n, k in kinds.items() if k != "review")
        )
    near = did_you_mean(channel, known)
    hint = f"did you mean {near!r}?" if near else f"there are: {', '.join(known)}"
    raise UsageError(f"--channel: no notifier {one_line(channel, 60)!r}; {hint}")
