"""What is to be done on the tracker, step by step; each may be done again: nothing is lost or doubled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ...model.issue import IssueNote, IssuePage


@dataclass(frozen=True, slots=True)
class Open:
    """Open an issue. Sent once; where it is not known to have arrived, the tracker is listed again first."""

    page: IssuePage
    assignees: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Give an issue the body, the title and the state that it should have; nothing where it has them.

    Body and state change in one call: an issue that a person closed is told from one that we closed by the
    phase in its marker.
    """

    number: int
    page: IssuePage
    turn: Literal["open", "closed"] | None = None
    reason: Literal["completed", "not_planned", "reopened"] | None = None
    assignees: tuple[str, ...] | None = None
    keeps_title: bool = False


@dataclass(frozen=True, slots=True)
class Comment:
    """Add one comment that stands for `events`, all of which are missing."""

    number: int
    events: tuple[str, ...]
    note: IssueNote


@dataclass(frozen=True, slots=True)
class Remove:
    """Take away a comment of ours that repeats an earlier one, left behind by runs that overlapped."""

    number: int
    note: int


Step = Open | Rewrite | Comment | Remove


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order in which they are to be done, and lines about what was odd or left alone."""

    steps: tuple[Step, ...] = ()
    remarks: tuple[str, ...] = field(default=())
