"""What the tracker holds, read: which issues are ours, what they stand for, and what people did to them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Final, Literal

from ...model.alert import Episode, EvalsetCondition
from ...model.issue import Feature, IssueKind, IssueState
from ...model.ticket import Note, Ticket
from .commands import Command, Unread, moment_of, read_commands
from .events import reopened
from .marker import DamagedMarker, events_of, read_marker, repeated

WONTFIX: Final = frozenset({"wontfix", "won't fix", "wont-fix"})
_LET_GO: Final = frozenset({"not_planned", "duplicate"})
FeatureKind = Literal["incident", "upkeep"]


@dataclass(frozen=True, slots=True)
class Held:
    """One issue of ours: what its marker says, what was said in it, and what it was told.

    is_marked  False where somebody took the marker out: `state` is what it said when it was last seen
    """

    ticket: Ticket
    state: IssueState
    events: frozenset[str] = frozenset()
    commands: tuple[Command, ...] = ()
    unread: tuple[Unread, ...] = ()
    repeated: tuple[Note, ...] = ()
    is_marked: bool = True

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
        """Tell whether a person has let go of what it stands for.

        Without its marker it is, as long as it is open, whatever else was changed in it.
        """
        if self.state.phase == "duplicate":
            return False
        if not self.is_marked and self.is_open:
            return True
        closed_so = not self.is_open and self.ticket.state_reason in _LET_GO and self.state.phase == "open"
        return self.has_wontfix or closed_so

    @property
    def is_closed_by_hand(self) -> bool:
        """Tell whether a person closed it as done: our own closing changes the phase in the same call."""
        return not self.is_open and self.state.phase == "open" and not self.is_released


@dataclass(frozen=True, slots=True)
class Unmarked:
    """An issue of ours without a marker, of which nobody remembers what it stood for."""

    ticket: Ticket
    events: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Board:
    """All issues of ours under the label, by number, and what was odd about others."""

    held: tuple[Held, ...] = ()
    unmarked: tuple[Unmarked, ...] = ()
    remarks: tuple[str, ...] = ()

    def of(self, kind: IssueKind, evalset: str = "") -> list[Held]:
        """Return the issues of one kind for one evalset, by number; duplicates left out.

        One whose marker was taken out is not ours to write into any more: `released_by` alone finds it.
        """
        mine = [one for one in self.held if one.is_marked and one.state.phase != "duplicate"]
        return [one for one in mine if one.state.kind == kind and one.state.evalset == evalset]


def is_ours(ticket: Ticket, actor: str) -> bool:
    """Tell whether our own account wrote it: what nobody can forge."""
    return bool(actor) and ticket.author.casefold() == actor.casefold()


def read_board(
    tickets: Sequence[Ticket],
    notes: Mapping[int, Sequence[Note]],
    *,
    actor: str,
    zone: tzinfo,
    remembered: Mapping[int, IssueState] = MappingProxyType({}),
) -> Board:
    """Read the tickets under our label. `notes` by number, of those that are ours.

    `remembered` is what their markers said when they were last seen: an issue is matched by its number where
    its marker has gone, since its title and its body are anybody's to edit.
    """
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
            before = remembered.get(ticket.number)
            if before is None:
                unmarked.append(Unmarked(ticket, events))
            else:
                held.append(Held(ticket, before, events, is_marked=False))
            continue
        commands, unread = read_commands(notes.get(ticket.number, ()), actor=actor, zone=zone)
        held.append(Held(ticket, state, events, commands, unread, tuple(repeated(own))))
    return Board(tuple(held), tuple(unmarked), tuple(remarks))


def episodes_of(condition: EvalsetCondition) -> list[Episode]:
    """Return the episodes of an evalset, newest first."""
    return [*([condition.episode] if condition.episode else ()), *condition.earlier]


def episode_of(state: IssueState, condition: EvalsetCondition) -> Episode | None:
    """Return the episode that an issue stands for, as the history knows it now; None where it does not."""
    return _spell_of(state).among(episodes_of(condition))


@dataclass(frozen=True, slots=True)
class _Spell:
    """An episode as a marker remembers it: its key, and the days from `first` to `last` (YYYY-MM-DD)."""

    key: str
    first: str
    last: str

    def among(self, known: Sequence[Episode]) -> Episode | None:
        """Return which of these it is: by its key; where a late run moved that, by days that overlap."""
        for episode in known:
            if episode.key == self.key:
                return episode
        for episode in known:
            end = episode.recovered.day if episode.recovered else "9999"
            if episode.first_bad.day <= self.last and self.first < end:
                return episode
        return None


def _spell_of(state: IssueState) -> _Spell:
    return _Spell(state.episode, state.first_day, state.recovered_day or state.last_bad_day)


def _spells_of(state: IssueState, kind: FeatureKind, evalset: str) -> list[_Spell]:
    """Return what an issue stands for, or stood for, of one evalset: as its own, or as rows of a storm."""
    if state.kind == "storm":
        rows: list[Feature] = [one for one in state.features if one.key == (kind, evalset)]
        return [_Spell(one.episode, one.first_day, max(one.first_day, one.day)) for one in rows]
    return [_spell_of(state)] if (state.kind, state.evalset) == (kind, evalset) else []


def stands_for(state: IssueState, condition: EvalsetCondition) -> bool:
    """Tell whether an issue stands for the newest episode of an evalset."""
    found = episode_of(state, condition)
    return found is not None and found == condition.episode


def released_by(
    board: Board, kind: FeatureKind, evalset: str, *, episodes: Sequence[Episode]
) -> Ticket | None:
    """Return the issue by which a person let go of the first of these episodes; None where nobody did.

    One rule for every kind: an issue of its own or a row of a storm, released by a label, by how it was
    closed, or by taking its marker out. The other episodes are told from it by their keys.
    """
    if not episodes:
        return None
    for one in board.held:
        if one.is_released:
            spells = _spells_of(one.state, kind, evalset)
            if any(spell.among(episodes) == episodes[0] for spell in spells):
                return one.ticket
    return _by_title(board, evalset, episodes[0]) if kind == "incident" else None


def incident_released_by(board: Board, condition: EvalsetCondition) -> Ticket | None:
    """Return the issue by which a person let go of the open episode of an evalset; None where nobody did."""
    episodes = episodes_of(condition) if condition.is_open else ()
    return released_by(board, "incident", condition.evalset, episodes=episodes)


def _by_title(board: Board, evalset: str, episode: Episode) -> Ticket | None:
    """Find an open issue that nobody remembers: by how its title begins, and when it was begun."""
    name = re.compile(re.escape(evalset) + r"(?![\w-])")
    for one in board.unmarked:
        if one.ticket.state != "open" or not name.match(one.ticket.title):
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
