"""An issue of ours: the state that it carries hidden, and what its body and its comments say."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from .alert import Episode, EvalsetCondition
from .frozen import Frozen
from .history import RunRef
from .oncall import Tier

IssueKind = Literal["incident", "upkeep", "storm"]
"""incident  answers of one evalset got worse; from the first bad run to the judged recovery
upkeep    one evalset has no data, or a baseline that is too old; nothing is said of its answers
storm     many evalsets at once, as one issue"""
UPKEEP: Final = frozenset({"no_data", "stale_baseline"})
"""Kinds of alerts that make an issue of their own although they say nothing of answers."""


class Spot(Frozen):
    """Where a run stands in time: what tells a newer publication from an older one."""

    created_at: str
    run: str


class Ack(Frozen):
    """Somebody took it: by a comment, or by being assigned (then `at` is when that was first seen)."""

    by: str
    at: str
    how: Literal["comment", "assignee"]


class Feature(Frozen):
    """One evalset of a storm. It has left unless `status` is bad; `day` is the run's that said so.

    own  it has an issue of its own; split  a person took it out of the storm
    """

    evalset: str
    kind: Literal["incident", "upkeep"] = "incident"
    episode: str
    first_day: str
    status: Literal["bad", "recovered", "split", "own"] = "bad"
    day: str = ""
    tier: Tier = 1

    @property
    def key(self) -> tuple[str, str]:
        """Return what it is a feature of the storm by: one evalset may have lost its data and then fall."""
        return self.kind, self.evalset


class IssueState(Frozen):
    """What the hidden marker of an issue holds.

    phase        open until a judged recovery was written into it; duplicate: another issue won a race
    episode      key of the episode it stands for now; `first_day`, `last_bad_day` of it (YYYY-MM-DD)
    nth          how many episodes it has stood for; each after the first is a recurrence
    as_of        the newest run that is in it
    fired_at     when it was paged for this episode, RFC 3339; the acknowledgement deadline starts here
    tier         the worst of this episode so far
    assigned     who was assigned when it fired, by us or before: none of them has acknowledged by that
    asked        whom the escalation assigned, or tried to: they have not acknowledged by that either
    again_day    the last day on which it was opened again although a person had closed it
    before       numbers of older issues of the same feature
    features     of a storm
    """

    v: Literal[1] = 1
    kind: IssueKind
    evalset: str = Field(default="", max_length=500)
    phase: Literal["open", "recovered", "duplicate"] = "open"
    episode: str = Field(max_length=500)
    first_day: str
    last_bad_day: str
    nth: int = Field(default=1, ge=1)
    recovered_day: str | None = None
    recovered_run: str | None = None
    as_of: Spot
    fired_at: str
    tier: Tier = 1
    assigned: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    ack: Ack | None = None
    again_day: str | None = None
    duplicate_of: int | None = None
    before: tuple[int, ...] = ()
    features: tuple[Feature, ...] = ()


class Staffing(Frozen):
    """Who is on call and until when an answer is due. Times are local with their offset, ready to be read.

    due       None where nothing is asked for any more
    breached  the deadline passed and nobody had acknowledged
    snoozed_until  None where nobody snoozed it, or the time is over
    """

    primary: str | None = None
    secondary: str | None = None
    until: str | None = None
    owner: str = ""
    due: str | None = None
    business: bool = True
    breached: bool = False
    acked_by: str | None = None
    acked_at: str | None = None
    acked_how: Literal["comment", "assignee"] | None = None
    snoozed_until: str | None = None


class IssuePage(Frozen):
    """All that a body says. `conditions` has one entry, or one for each feature of a storm in this run."""

    state: IssueState
    run: RunRef
    conditions: tuple[EvalsetCondition, ...] = ()
    staffing: Staffing = Staffing()
    number: int | None = None
    recovery_days: int = 3
    own_issues: dict[str, int] = {}
    remarks: tuple[str, ...] = ()


class IssueNote(Frozen):
    """What one comment says.

    day        what a run of a further day saw
    closed     the judged recovery
    reopened   a new episode of what was closed
    again      a person closed it and a later run is bad still
    worse      an alert of a more urgent tier has come
    escalated  nobody acknowledged in time: `people` are asked now
    answer     a command in a comment, `said`, could not be read: `text` says why
    duplicate  `number` is the same, and older
    moved      goes on as a row of issue `number`
    """

    kind: Literal["day", "closed", "reopened", "again", "worse", "escalated", "answer", "duplicate", "moved"]
    issue: IssueKind = "incident"
    day: str = ""
    run: RunRef | None = None
    condition: EvalsetCondition | None = None
    episode: Episode | None = None
    people: tuple[str, ...] = ()
    number: int | None = None
    said: str = ""
    text: str = ""
    due: str | None = None
    recovery_days: int = 3
    features: tuple[Feature, ...] = ()
