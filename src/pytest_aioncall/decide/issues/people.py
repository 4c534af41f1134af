"""Who has an issue: on call, acknowledged, snoozed, and who is asked next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ...model.issue import Ack, IssueState, Staffing
from ...model.oncall import OnCall
from ..oncall import EscalationStep, deadline, escalations, in_zone, on_call_at, owner_of, zone_of
from . import events
from .board import Held
from .commands import last_snooze, moment_of, snoozed_until

_LOGIN: Final = re.compile(r"@?([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))")
TICKET_DUE: Final = timedelta(hours=24)
"""When a ticket of tier 2 is due. Only pages escalate."""


@dataclass(frozen=True, slots=True)
class Due:
    """A step of the escalation that has come. `is_told`: a comment of ours has recorded it."""

    step: EscalationStep
    event: str
    is_told: bool


def login_of(person: str | None) -> str | None:
    """Return the login that can be assigned: `@ann` is ann; a team or a free text is None."""
    found = _LOGIN.fullmatch(person or "")
    return found[1] if found else None


def ack_of(held: Held, *, fired_at: str, now: datetime) -> Ack | None:
    """Return who has taken this page, and since when.

    What the marker says stays. Else the first `/ack` since it fired; else somebody who was assigned since:
    the tracker does not say when, so that it is said to be now, the first time that it was seen.
    """
    state = held.state
    if state.ack is not None and state.fired_at == fired_at:
        return state.ack
    fired = moment_of(fired_at)
    for command in held.commands:
        if command.verb == "ack" and (fired is None or command.at >= fired):
            return Ack(by=command.by, at=command.at.isoformat(), how="comment")
    if state.fired_at != fired_at:
        return None
    known = {name.casefold() for name in (*state.assigned, *state.asked)}
    for login in held.ticket.assignees:
        if login.casefold() not in known:
            return Ack(by=login, at=now.isoformat(), how="assignee")
    return None


def assigned_anew(held: Held | None, primary: str | None) -> tuple[str, ...]:
    """Return who is assigned when a page fires: those who are already, and who is on call."""
    names = list(held.ticket.assignees) if held is not None else []
    login = login_of(primary)
    if login is not None and login.casefold() not in {name.casefold() for name in names}:
        names.append(login)
    return tuple(names)


def silent_until(held: Held | None, *, now: datetime) -> datetime | None:
    """Return until when an issue is snoozed; None where it is not."""
    if held is None:
        return None
    fired = moment_of(held.state.fired_at)
    return snoozed_until(held.commands, since=fired or now, now=now)


def staffing(state: IssueState, held: Held | None, *, oncall: OnCall, owner: str, now: datetime) -> Staffing:
    """Say who is on call and until when an answer is due, in the words of the rotation's time zone."""
    zone = zone_of(oncall.timezone)

    def told(moment: datetime) -> str:
        return spoken(in_zone(moment, zone))

    shift = on_call_at(oncall, now)
    clock = clock_start(state, held, now=now)
    limit = deadline(oncall, clock)
    due = limit.due if state.tier == 1 else in_zone(clock + TICKET_DUE, zone)
    snoozed = silent_until(held, now=now)
    ack = state.ack
    acked_at = moment_of(ack.at) if ack else None
    # An assignment has no time of its own: when it was first seen proves no breach.
    late = acked_at > due if acked_at and ack and ack.how == "comment" else ack is None and now > due
    return Staffing(
        primary=shift.primary,
        secondary=shift.secondary,
        until=told(shift.end) if shift.end else None,
        owner=owner_of(oncall, state.evalset, owner),
        due=told(due) if state.phase == "open" else None,
        business=limit.business,
        breached=late and state.phase == "open",
        acked_by=ack.by if ack else None,
        acked_at=told(acked_at) if acked_at else None,
        acked_how=ack.how if ack else None,
        snoozed_until=told(snoozed) if snoozed else None,
    )


def spoken(moment: datetime) -> str:
    """Write a local time with its offset: `2026-11-22 09:30 +01:00`."""
    text = moment.strftime("%Y-%m-%d %H:%M %z")
    return f"{text[:-2]}:{text[-2:]}"


def clock_start(state: IssueState, held: Held | None, *, now: datetime) -> datetime:
    """Return when the clock of the acknowledgement started: at the page, or when a snooze ended."""
    fired = moment_of(state.fired_at) or now
    ended = last_snooze(held.commands, since=fired) if held is not None else None
    return ended if ended is not None and fired < ended <= now else fired


def steps_due(state: IssueState, held: Held, *, oncall: OnCall, owner: str, now: datetime) -> list[Due]:
    """Return who is asked by now because nobody acknowledged a page in time.

    The page itself, the first step, is the issue. A snoozed issue asks nobody; one that somebody has taken
    meanwhile asks nobody either, however late that was.
    """
    if state.tier != 1 or state.phase != "open" or state.ack is not None:
        return []
    if silent_until(held, now=now) is not None:
        return []
    start = clock_start(state, held, now=now)
    steps = escalations(oncall, fired_at=start, acked_at=None, now=now, evalset=state.evalset, owner=owner)
    named = [(one, events.escalated(start.isoformat(), one.to, one.role)) for one in steps[1:]]
    return [Due(one, event, event in held.events) for one, event in named]
