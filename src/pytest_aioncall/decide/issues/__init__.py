"""The life of an issue: what is to be opened, updated, closed, and opened again after a run. Pure.

marker     what an issue carries hidden, and the marks of its comments
commands   what people say in comments: ack, snooze, split
board      the tracker's issues, read
people     who is on call for an issue, who has taken it, who is asked next
lifecycle  the moves of one issue; incident, upkeep and storm choose among them
plan       all of it: steps from what is there to what should be
"""

from .board import Board, Held, incident_released_by, is_ours, read_board, stands_for
from .marker import event_mark, write_marker
from .people import Due, silent_until, steps_due
from .plan import look_back, needs_notes, plan_issues
from .scene import Rules
from .steps import Comment, Open, Plan, Remove, Rewrite, Step
from .upkeep import upkeep_alerts, upkeep_released_by

__all__ = [
    "Board",
    "Comment",
    "Due",
    "Held",
    "Open",
    "Plan",
    "Remove",
    "Rewrite",
    "Rules",
    "Step",
    "event_mark",
    "incident_released_by",
    "is_ours",
    "look_back",
    "needs_notes",
    "plan_issues",
    "read_board",
    "silent_until",
    "stands_for",
    "steps_due",
    "upkeep_alerts",
    "upkeep_released_by",
    "write_marker",
]
