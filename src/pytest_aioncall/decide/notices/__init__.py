"""Whom to tell what after a run: pure, from the conditions of all evalsets and the log of what was sent.

subjects.py  what people are told about: an incident, an alert of its own, a storm; each with its key
plan.py      what is new since the log: pages, daily lines, acknowledgements, escalations, recoveries
wording.py   the first line, as long as an SMS, and the text below it
"""

from .plan import NO_NOTIFIERS, Deliveries, Rules, over_keys, plan_notices
from .subjects import Heard, Subject, subjects_of

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
