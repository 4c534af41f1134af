"""One step of a plan, done on the tracker: each looks first whether it is done already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from ...adapters.render.markdown.issue import Site, issue_body, issue_title, leading
from ...adapters.render.markdown.issue_notes import note_text
from ...adapters.text import log_line
from ...decide.issues import Comment, Open, Remove, Rewrite, Step, event_mark, write_marker
from ...errors import DeliveryError
from ...model.issue import IssueState
from ...model.ticket import Note, Ticket
from ...protocols import Tracker


@runtime_checkable
class Tidies(Protocol):
    """A tracker that can take a comment away. One that cannot keeps what overlapping runs said twice."""

    def remove_note(self, id: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that was done (or would be): in words, to which issue."""

    what: str
    evalset: str
    number: int | None = None
    url: str = ""

    def __str__(self) -> str:
        """Return the line that is printed."""
        which = f" #{self.number}" if self.number is not None else ""
        about = f" ({log_line(self.evalset, 80)})" if self.evalset else ""
        return f"{self.what}{which}{about}" + (f": {log_line(self.url, 200)}" if self.url else "")


@dataclass(slots=True)
class Applier:
    """Carries steps out on one tracker. `dry`: says what it would do, and does nothing.

    stranger  the account that an issue of ours was opened by, where it is another than the one we are told
    opened, said  what this process has written: lists may lag behind, and nothing is to be written twice
    """

    tracker: Tracker | None
    site: Site
    label: str
    dry: bool = False
    stranger: str = ""
    opened: dict[int, Ticket] = field(default_factory=dict)
    said: dict[int, dict[int, Note]] = field(default_factory=dict)
    _written: set[tuple[int, str]] = field(default_factory=set)

    @property
    def actor(self) -> str:
        """Return whose issues are ours: the account that we are told, or that turned out to be ours."""
        return self.stranger or (self.tracker.actor if self.tracker is not None else "")

    def apply(
        self, steps: Sequence[Step], tickets: Mapping[int, Ticket]
    ) -> tuple[list[Done], list[DeliveryError]]:
        """Do the steps in their order; return what was done, and what failed.

        After a failure no further step of the same issue is done: a closing without its comment would never
        get one.
        """
        done: list[Done] = []
        failed: list[DeliveryError] = []
        stuck: set[int] = set()
        for step in steps:
            if not isinstance(step, Open) and step.number in stuck:
                continue
            try:
                made = self._one(step, tickets)
            except DeliveryError as error:
                failed.append(error)
                if not isinstance(step, Open):
                    stuck.add(step.number)
            else:
                done += [] if made is None else [made]
        return done, failed

    def _one(self, step: Step, tickets: Mapping[int, Ticket]) -> Done | None:
        if isinstance(step, Open):
            return self._open(step)
        ticket = tickets[step.number]
        if isinstance(step, Rewrite):
            return self._rewrite(step, ticket)
        return self._comment(step, ticket) if isinstance(step, Comment) else self._remove(step, ticket)

    def _open(self, step: Open) -> Done:
        subject = step.page.state.evalset or "storm"
        if self.dry or self.tracker is None:
            return Done(f"would open '{log_line(issue_title(step.page), 120)}'", subject)
        ticket = self.tracker.open_ticket(
            title=issue_title(step.page),
            body=self._body(step.page.state, step),
            labels=(self.label,),
            assignees=step.assignees,
        )
        self.opened[ticket.number] = ticket
        if ticket.author.casefold() != self.actor.casefold():
            # Not found again under the name that we are told, it would be opened at every run.
            self.stranger = ticket.author
        return Done("opened", subject, ticket.number, ticket.url)

    def _rewrite(self, step: Rewrite, ticket: Ticket) -> Done | None:
        state = step.page.state
        body = self._body(state, step)
        title = None if step.keeps_title or not _has_alerts(step) else issue_title(step.page)
        new_title = title if title is not None and title != ticket.title else None
        new_body = body if _plain(body) != _plain(ticket.body) else None
        turn = step.turn if step.turn != ticket.state else None
        assignees = step.assignees if step.assignees is not None else None
        if new_title is None and new_body is None and turn is None and assignees is None:
            return None
        key = (step.number, f"{title}\n{body}\n{step.turn}")
        if key in self._written:
            # The tracker keeps it in another spelling: writing it again would change nothing.
            return None
        what = {"closed": "close", "open": "reopen", None: "update"}[turn]
        if turn == "closed" and state.phase == "duplicate":
            what = f"close as a duplicate of #{state.duplicate_of}"
        subject = state.evalset or "storm"
        if self.dry or self.tracker is None:
            return Done(f"would {what}", subject, step.number, ticket.url)
        self.tracker.change(
            step.number,
            title=new_title,
            body=new_body,
            state=turn,
            state_reason=step.reason if turn is not None else None,
            assignees=assignees,
        )
        self._written.add(key)
        past = {"close": "closed", "reopen": "reopened", "update": "updated"}
        return Done(past.get(what, what.replace("close", "closed", 1)), subject, step.number, ticket.url)

    def _comment(self, step: Comment, ticket: Ticket) -> Done:
        text = note_text(step.note, marks=[event_mark(event) for event in step.events])
        name = step.note.condition.evalset if step.note.condition is not None else ""
        if self.dry or self.tracker is None:
            return Done(f"would comment ({step.note.kind}) on", name, step.number, ticket.url)
        note = self.tracker.add_note(step.number, text)
        self.said.setdefault(step.number, {})[note.id] = note
        return Done(f"commented ({step.note.kind}) on", name, step.number, note.url or ticket.url)

    def _remove(self, step: Remove, ticket: Ticket) -> Done | None:
        if not isinstance(self.tracker, Tidies):
            return None
        if self.dry:
            return Done("would remove a repeated comment of", "", step.number, ticket.url)
        self.tracker.remove_note(step.note)
        self.said.get(step.number, {}).pop(step.note, None)
        return Done("removed a repeated comment of", "", step.number, ticket.url)

    def _body(self, state: IssueState, step: Open | Rewrite) -> str:
        return issue_body(step.page, marker=write_marker(state), site=self.site)


def _has_alerts(step: Rewrite) -> bool:
    """Tell whether a title can be made of what holds now; else the one that is there stays."""
    return step.page.state.kind == "storm" or leading(step.page) is not None


def _plain(text: str) -> str:
    """Return a body as it is whatever the tracker does to the ends of lines."""
    return text.replace("\r\n", "\n").strip()
