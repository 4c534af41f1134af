"""Until when a page has to be acknowledged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ...model.oncall import OnCall
from ...model.schedule import parse_duration
from .business_hours import is_business, next_opening
from .zones import in_zone, utc, zone_of


@dataclass(frozen=True, slots=True)
class Deadline:
    """`due` is the last moment to acknowledge; `business` tells whether the page fired in business hours."""

    due: datetime
    business: bool


def deadline(oncall: OnCall, fired_at: datetime) -> Deadline:
    """Return until when a page of `fired_at` (aware) has to be acknowledged.

    In business hours within `sla.business`, outside within `sla.off_hours`: the class is fixed when the page
    fires, hours that close meanwhile give nobody more time. Hours that open meanwhile leave `sla.business`
    from their opening, and never more than there was.
    """
    fired, zone = utc(fired_at), zone_of(oncall.timezone)
    within = parse_duration(oncall.sla.business)
    if is_business(oncall, fired):
        return Deadline(in_zone(fired + within, zone), business=True)
    due = fired + parse_duration(oncall.sla.off_hours)
    opening = next_opening(oncall, fired, until=due)
    if opening is not None:
        due = min(due, utc(opening) + within)
    return Deadline(in_zone(due, zone), business=False)
