"""Who is called, until when an answer is due, and who is called next. Pure: every time is an argument.

Moments that are returned carry the offset that holds at that moment in the section's time zone, as a fixed
one: differences and comparisons of them are of real time, across a clock change too.
"""

from .business_hours import is_business, next_opening
from .escalation import EscalationStep, escalations, owner_of
from .rotation import Shift, on_call_at, shifts
from .sla import Deadline, deadline
from .zones import in_zone, zone_of

__all__ = [
    "Deadline",
    "EscalationStep",
    "Shift",
    "deadline",
    "escalations",
    "in_zone",
    "is_business",
    "next_opening",
    "on_call_at",
    "owner_of",
    "shifts",
    "zone_of",
]
