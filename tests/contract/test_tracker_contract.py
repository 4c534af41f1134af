"""Every tracker keeps the same promises: the one in memory, and GitHub's over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from fakes.github import FakeGitHub
from pytest_aioncall.adapters.net import Caller
from pytest_aioncall.adapters.trackers import GitHubTracker
from pytest_aioncall.errors import DeliveryError
from pytest_aioncall.model.ticket import Note, Ticket
from pytest_aioncall.testing import check_tracker

STAFF = {"ann"}


class MemoryTracker:
    """Tickets in a dictionary: the least that a Tracker can be."""

    def __init__(self) -> None:
        self.actor = "bot"
        self.made: dict[int, Ticket] = {}
        self.said: dict[int, list[Note]] = {}
        self._clock = datetime(2026, 11, 22, tzinfo=UTC)

    def _now(self) -> str:
        self._clock += timedelta(seconds=1)
        return self._clock.isoformat()

    def _ticket(self, number: int) -> Ticket:
        if number not in self.made:
            raise DeliveryError(f"no ticket #{number}", refused=True)
        return self.made[number]

    def tickets(self, *, label: str, closed_since: str | None = None) -> list[Ticket]:
        since = None if closed_since is None else datetime.fromisoformat(closed_since)
        return [
            t
            for t in self.made.values()
            if label in t.labels
            and (t.state == "open" or (since and datetime.fromisoformat(t.closed_at or "") >= since))
        ]

    def notes(self, number: int) -> list[Note]:
        self._ticket(number)
        return list(self.said[number])

    def open_ticket(
        self, *, title: str, body: str, labels: Sequence[str], assignees: Sequence[str] = ()
    ) -> Ticket:
        number, moment = len(self.made) + 1, self._now()
        self.said[number] = []
        self.made[number] = Ticket(
            number=number,
            title=title,
            body=body,
            state="open",
            author=self.actor,
            labels=tuple(labels),
            assignees=tuple(a.removeprefix("@") for a in assignees),
            created_at=moment,
            updated_at=moment,
        )
        return self.made[number]

    def add_note(self, number: int, body: str, *, author: str | None = None) -> Note:
        self._ticket(number)
        who = author or self.actor
        note = Note(
            id=number * 1000 + len(self.said[number]),
            body=body,
            author=who,
            trusted=who in STAFF,
            created_at=self._now(),
        )
        self.said[number].append(note)
        return note

    def change(self, number: int, **given: object) -> Ticket:
        ticket = self._ticket(number)
        change = {key: value for key, value in given.items() if value is not None}
        if "assignees" in change:
            change["assignees"] = tuple(change["assignees"])  # type: ignore[arg-type]
        if change.get("state", ticket.state) != ticket.state:
            change["closed_at"] = self._now() if change["state"] == "closed" else None
        self.made[number] = ticket.model_copy(update={**change, "updated_at": self._now()})
        return self.made[number]


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as fake:
        fake.add_user("ann")
        yield fake


@pytest.fixture
def tracker(github: FakeGitHub) -> Iterator[GitHubTracker]:
    with Caller(sleep=lambda _: None) as caller:
        yield GitHubTracker(github.as_github(), caller=caller)


def test_the_tracker_in_memory_keeps_the_contract() -> None:
    tracker = MemoryTracker()
    check_tracker(
        tracker,
        comment_as_stranger=lambda n, body: tracker.add_note(n, body, author="mallory"),
        comment_as_member=lambda n, body: tracker.add_note(n, body, author="ann"),
    )


def test_githubs_tracker_keeps_the_contract(github: FakeGitHub, tracker: GitHubTracker) -> None:
    check_tracker(
        tracker,
        comment_as_stranger=lambda n, body: github.comment(n, body, login="mallory"),
        comment_as_member=lambda n, body: github.comment(n, body, login="ann"),
    )


def test_githubs_tracker_reads_lists_to_their_last_page(github: FakeGitHub, tracker: GitHubTracker) -> None:
    """A hundred items are a page."""
    for n in range(205):
        github.add_issue(f"t{n}", labels=["aioncall"])
        github.comment(1, f"c{n}")
    assert [t.number for t in tracker.tickets(label="aioncall")] == list(range(1, 206))
    assert [note.body for note in tracker.notes(1)] == [f"c{n}" for n in range(205)]


Break = Callable[[MemoryTracker], None]


def _forgets_title(tracker: MemoryTracker) -> None:
    real = tracker.change
    tracker.change = lambda number, **given: real(number, **{"title": "", **given})  # type: ignore[method-assign]


def _lists_closed(tracker: MemoryTracker) -> None:
    tracker.tickets = lambda **_: list(tracker.made.values())  # type: ignore[method-assign, misc]


def _trusts_everybody(tracker: MemoryTracker) -> None:
    real = tracker.notes
    tracker.notes = lambda n: [x.model_copy(update={"trusted": True}) for x in real(n)]  # type: ignore[method-assign]


def _newest_first(tracker: MemoryTracker) -> None:
    real = tracker.notes
    tracker.notes = lambda n: real(n)[::-1]  # type: ignore[method-assign]


@pytest.mark.parametrize("broken", [_forgets_title, _lists_closed, _trusts_everybody, _newest_first])
def test_the_contract_finds_a_broken_tracker(broken: Break) -> None:
    tracker = MemoryTracker()
    broken(tracker)
    with pytest.raises(AssertionError):
        check_tracker(
            tracker, comment_as_stranger=lambda n, body: tracker.add_note(n, body, author="mallory")
        )
