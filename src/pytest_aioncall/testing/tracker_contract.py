"""What every issue tracker has to keep to, ours and yours."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import DeliveryError
from ..model.ticket import Ticket
from ..protocols import Tracker
from .promises import demand

LABEL = "aioncall"
HOSTILE_BODY = (
    "@channel <!channel> &#64;ann <script>alert(1)</script> ![x](http://127.0.0.1/x) "
    "<!-- aioncall --> \u202e\u200b"
)


def check_tracker(
    tracker: Tracker | Callable[[], Tracker],
    *,
    comment_as_stranger: Callable[[int, str], object] | None = None,
    comment_as_member: Callable[[int, str], object] | None = None,
    size: int = 3,
) -> None:
    """Hold an empty tracker, or a factory of one, to the contract. AssertionError says what is broken.

    `size` tickets and notes are made: give more than a page of the tracker has. The functions comment on a
    ticket as somebody who may not, and who may, write to the project.

        check_tracker(MyTracker(url="http://127.0.0.1:8080"), size=120)
    """
    made = tracker() if callable(tracker) else tracker
    demand(bool(made.actor), "a tracker needs an actor: whom it writes as")
    demand(made.tickets(label=LABEL) == [], "give an empty tracker")
    first = _opening(made)
    _changing(made, first)
    _notes(made, first, size=size)
    if comment_as_stranger is not None:
        comment_as_stranger(first.number, "who am I?")
        demand(not made.notes(first.number)[-1].trusted, "a stranger's note is trusted")
    if comment_as_member is not None:
        comment_as_member(first.number, "/ack")
        last = made.notes(first.number)[-1]
        demand(last.trusted, "a member's note is not trusted")
        demand(last.author != made.actor, "a member's note bears our own name")
    _listing(made, size=size)
    _missing(made)


def _opening(tracker: Tracker) -> Ticket:
    ticket = tracker.open_ticket(
        title="first", body=HOSTILE_BODY, labels=[LABEL, "other"], assignees=["@ann"]
    )
    demand(ticket.state == "open", "a new ticket is not open")
    demand(ticket.body == HOSTILE_BODY, f"the body came back changed: {ticket.body!r}")
    demand(set(ticket.labels) == {LABEL, "other"}, f"labels came back as {ticket.labels}")
    demand(ticket.assignees == ("ann",), f"assignees came back as {ticket.assignees}")
    demand(ticket.author == tracker.actor, f"written by {ticket.author!r}, not by {tracker.actor!r}")
    demand(bool(ticket.created_at), "a ticket without the time of its making")
    demand(
        tracker.tickets(label=LABEL) == [ticket], "the listing does not have the ticket as it was answered"
    )
    demand(tracker.tickets(label="unheard-of") == [], "a listing by label has tickets without it")
    return ticket


def _changing(tracker: Tracker, ticket: Ticket) -> None:
    changed = tracker.change(ticket.number, body="new body")
    demand(changed.body == "new body", "change left the body")
    demand(
        (changed.title, changed.labels, changed.assignees, changed.state)
        == (ticket.title, ticket.labels, ticket.assignees, "open"),
        "change touched what was not given",
    )
    closed = tracker.change(ticket.number, state="closed", state_reason="completed")
    demand((closed.state, closed.state_reason) == ("closed", "completed"), "change did not close the ticket")
    demand(closed.closed_at is not None, "a closed ticket has no time of its closing")
    demand(tracker.tickets(label=LABEL) == [], "the listing of open tickets has a closed one")
    demand(
        [t.number for t in tracker.tickets(label=LABEL, closed_since="2000-01-01T00:00:00Z")]
        == [ticket.number],
        "closed_since does not list what was closed since",
    )
    demand(
        tracker.tickets(label=LABEL, closed_since="2999-01-01T00:00:00Z") == [],
        "closed_since lists what was closed before",
    )
    again = tracker.change(ticket.number, state="open", title="second", assignees=[])
    demand((again.state, again.title, again.assignees) == ("open", "second", ()), "change did not reopen it")
    demand(again.closed_at is None, "a reopened ticket has a time of closing")
    same = tracker.change(ticket.number, state="open", title="second", assignees=[])
    demand(
        same.model_dump(exclude={"updated_at"}) == again.model_dump(exclude={"updated_at"}),
        "twice is not once",
    )


def _notes(tracker: Tracker, ticket: Ticket, *, size: int) -> None:
    demand(tracker.notes(ticket.number) == [], "a new ticket has notes")
    written = [tracker.add_note(ticket.number, f"note {n} {HOSTILE_BODY}") for n in range(size)]
    demand(tracker.notes(ticket.number) == written, "notes are not all there, once each, oldest first")
    demand(all(note.author == tracker.actor for note in written), "our notes do not bear our name")
    demand(len({note.id for note in written}) == size, "two notes have one id")


def _listing(tracker: Tracker, *, size: int) -> None:
    made = {tracker.open_ticket(title=f"t{n}", body="", labels=[LABEL]).number for n in range(size)}
    found = [ticket.number for ticket in tracker.tickets(label=LABEL)]
    demand(len(found) == len(set(found)), "a listing names a ticket twice")
    demand(made <= set(found), f"a listing of {size} and more lacks {len(made - set(found))}")


def _missing(tracker: Tracker) -> None:
    for what, call in (
        ("change", lambda: tracker.change(999_999, body="x")),
        ("add_note", lambda: tracker.add_note(999_999, "x")),
        ("notes", lambda: tracker.notes(999_999)),
    ):
        try:
            call()
        except DeliveryError as error:
            demand(error.refused, f"{what} of a ticket that is not there: trying again would not help")
            demand("\n" not in str(error), f"{what}: the error is more than a line")
        else:
            demand(False, f"{what} of a ticket that is not there raises nothing")
