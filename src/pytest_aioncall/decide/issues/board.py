"""What the tracker holds, read: which issues are ours, what they stand for, and what people did to them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from ...model.alert import Episode, EvalsetCondition
from ...model.issue import IssueKind, IssueState
from ...model.ticket import Note, Ticket
from .commands import Command, Unread, moment_of, read_commands
from .events import reopened
from .marker import DamagedMarker, events_of, read_marker, repeated

WONTFIX: Final = frozenset({"wontfix", "won't fix", "wont-fix"})
_LET_GO: Final = frozenset({"not_planned", "duplicate"})


@dataclass(frozen=True, slots=True)
class Held:
    """One issue of ours: what its marker says, what was said in it, and what it was told."""

    ticket: Ticket
    state: IssueState
    events: frozenset[str] = frozenset()
    commands: tuple[Command, ...] = ()
    unread: tuple[Unread, ...] = ()
    repeated: tuple[Note, ...] = ()

    @property
    def number(self) -> int:
        return self.ticket.number

    @property
    def is_open(self) -> bool:
        return self.ticket.state == "open"

    @property
    def has_wontfix(self) -> bool:
        return any(label.casefold() in WONTFIX for label in self.ticket.labels)

    @property
    def is_released(self) -> bool:
        """Tell whether a person has let go of what it stands for."""
        if self.state.phase == "duplicate":
            return False
        closed_so = not self.is_open and self.ticket.state_reason in _LET_GO and self.state.phase == "open"
        return self.has_wontfix or closed_so

    @property
    def is_closed_by_hand(self) -> bool:
        """Tell whether a person closed it as done: our own closing changes the phase in the same call."""
        return not self.is_open and self.state.phase == "open" and not self.is_released


@dataclass(frozen=True, slots=True)
class Unmarked:
    """An issue of ours whose marker somebody took out: released, for whatever it stood for."""

    ticket: Ticket
    events: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Board:
    """All issues of ours under the label, by number, and what was odd about others."""

    held: tuple[Held, ...] = ()
    unmarked: tuple[Unmarked, ...] = ()
    remarks: tuple[str, ...] = ()

    def of(self, kind: IssueKind, evalset: str = "") -> list[Held]:
        """Return the issues of one kind for one evalset, by number; duplicates left out."""
        return [
            one
            for one in self.held
            if one.state.kind == kind and one.state.evalset == evalset and one.state.phase != "duplicate"
        ]


def is_ours(ticket: Ticket, actor: str) -> bool:
    """Tell whether our own account wrote it: what nobody can forge."""
    return bool(actor) and ticket.author.casefold() == actor.casefold()


def read_board(
    tickets: Sequence[Ticket], notes: Mapping[int, Sequence[Note]], *, actor: str, zone: tzinfo
) -> Board:
    """Read the tickets under our label. `notes` by number, of those that are ours."""
    held: list[Held] = []
    unmarked: list[Unmarked] = []
    remarks: list[str] = []
    for ticket in sorted(tickets, key=lambda one: one.number):
        if not is_ours(ticket, actor):
            if "aioncall:issue:" in ticket.body:
                remarks.append(f"#{ticket.number} holds a marker, but {actor} did not write it; ignored")
            continue
        own = [n for n in notes.get(ticket.number, ()) if n.author.casefold() == actor.casefold()]
        events = frozenset(event for note in own for event in events_of(note))
        try:
            state = read_marker(ticket.body)
        except DamagedMarker as error:
            remarks.append(
                f"#{ticket.number}: {error}; left alone like one whose marker was removed. "
                "Close it, and the next bad run opens a new one"
            )
            state = None
        if state is None:
            unmarked.append(Unmarked(ticket, events))
            continue
        commands, unread = read_commands(notes.get(ticket.number, ()), actor=actor, zone=zone)
        held.append(Held(ticket, state, events, commands, unread, tuple(repeated(own))))
    return Board(tuple(held), tuple(unmarked), tuple(remarks))


def episodes_of(condition: EvalsetCondition) -> list[Episode]:
    """Return the episodes of an evalset, newest first."""
    return [*([condition.episode] if condition.episode else ()), *condition.earlier]


def episode_of(state: IssueState, condition: EvalsetCondition) -> Episode | None:
    """Return the episode that an issue stands for, as the history knows it now; None where it does not.

    By its key; where a run that arrived late has moved the first bad run, by days that overlap.
    """
    known = episodes_of(condition)
    for episode in known:
        if episode.key == state.episode:
            return episode
    for episode in known:
        end = episode.recovered.day if episode.recovered else "9999"
        last = state.last_bad_day if state.recovered_day is None else state.recovered_day
        if episode.first_bad.day <= last and state.first_day < end:
            return episode
    return None


def stands_for(state: IssueState, condition: EvalsetCondition) -> bool:
    """Tell whether an issue stands for the newest episode of an evalset."""
    found = episode_of(state, condition)
    return found is not None and found == condition.episode


def released_by(board: Board, condition: EvalsetCondition) -> Ticket | None:
    """Return the issue by which a person let go of the open episode of an evalset; None where nobody did."""
    for one in board.of("incident", condition.evalset):
        if one.is_released and stands_for(one.state, condition):
            return one.ticket
    for storm in board.of("storm"):
        episode = condition.episode
        of_it = [f for f in storm.state.features if f.key == ("incident", condition.evalset)]
        if storm.is_released and episode is not None and any(f.episode == episode.key for f in of_it):
            return storm.ticket
    return _unmarked_for(board, condition)


def _unmarked_for(board: Board, condition: EvalsetCondition) -> Ticket | None:
    """Find an issue without marker that stood for this episode: by its title, and when it was begun."""
    episode = condition.episode
    if episode is None:
        return None
    name = re.compile(re.escape(condition.evalset) + r"(?![\w-])")
    for one in board.unmarked:
        if not name.match(one.ticket.title):
            continue
        if one.ticket.created_at[:10] >= episode.first_bad.day or reopened(episode) in one.events:
            return one.ticket
    return None


def keys_of(storm: Held) -> set[tuple[str, str]]:
    """Return the features that a storm has or had: kind and evalset."""
    return {feature.key for feature in storm.state.features}


def closed_at(held: Held) -> datetime | None:
    """Return when the tracker says that it was closed."""
    return moment_of(held.ticket.closed_at)
