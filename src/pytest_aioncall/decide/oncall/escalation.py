"""Who is asked next when nobody acknowledges: primary, secondary, model owner, channel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ...model.oncall import OnCall
from .rotation import on_call_at
from .sla import deadline
from .zones import in_zone, utc, zone_of

Role = Literal["primary", "secondary", "owner", "channel"]


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """At `at` it is up to `to`: a person or team, or, for the channel, the name of a notifier."""

    at: datetime
    to: str
    role: Role


def owner_of(oncall: OnCall, evalset: str, default: str) -> str:
    """Return the model owner of an evalset: by `oncall.owners`, else its own `owner`."""
    return oncall.owners.get(evalset, default)


def escalations(
    oncall: OnCall,
    *,
    fired_at: datetime,
    acked_at: datetime | None,
    now: datetime,
    evalset: str,
    owner: str,
) -> tuple[EscalationStep, ...]:
    """Return the steps of a page that are due by `now`, the first of which is the page itself, at `fired_at`.

    Each step has the time that an SLA leaves at its moment; when nobody acknowledged by then, the next one is
    due. An acknowledgement at a step's moment is in time, and stops all that would come. Who was asked
    already is not asked again; the secondary is whoever has that shift when the step is due. Without a
    rotation the owner is asked first. `owner` is the evalset's own.
    """
    zone = zone_of(oncall.timezone)
    at, last = utc(fired_at), utc(now)
    acked = None if acked_at is None else utc(acked_at)
    steps: list[EscalationStep] = []
    roles: tuple[Role, ...] = ("primary", "secondary", "owner", "channel")
    for role in roles:
        to = _asked(oncall, role, at, evalset=evalset, owner=owner)
        if not to or any(to.casefold() == step.to.casefold() for step in steps):
            continue
        if at > last or (steps and acked is not None and acked <= at):
            break
        steps.append(EscalationStep(in_zone(at, zone), to, role))
        at = utc(deadline(oncall, at).due)
    return tuple(steps)


def _asked(oncall: OnCall, role: Role, at: datetime, *, evalset: str, owner: str) -> str | None:
    if role == "owner":
        return owner_of(oncall, evalset, owner)
    if role == "channel":
        return oncall.channel
    shift = on_call_at(oncall, at)
    return shift.primary if role == "primary" else shift.secondary
