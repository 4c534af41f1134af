"""Whom to tell what after a run: pure, from the conditions of all evalsets and the log of what was sent.

told.py      what people were told so far, and under which key
subjects.py  what people are told about: an incident, an alert of its own, a storm; each with its key
plan.py      what is new since the log: pages, daily lines, acknowledgements, escalations, recoveries
wording.py   the first line, as long as an SMS, and the text below it
"""

from .plan import NO_NOTIFIERS, Rules, over_keys, plan_notices
from .subjects import Heard, Subject, subjects_of
from .told import Deliveries

__all__ = [
    "NO_NOTIFIERS",
    "Deliveries",
    "Heard",
    "Rules",
    "Subject",
    "over_keys",
    "plan_notices",
    "subjects_of",
]
