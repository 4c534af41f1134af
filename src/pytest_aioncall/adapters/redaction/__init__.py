"""Secrets taken out of what is stored, and personal data found before it is committed.

`patterns` knows keys by their shape, `known` those that the configuration names by their value, `personal`
somebody's data, `own` the project's own patterns; `redactor` lets a text through all of them.
"""

from __future__ import annotations

from .found import Found
from .patterns import SECRET_KINDS, find_secrets
from .personal import PERSONAL_KINDS, find_personal_data
from .redactor import WITHHELD, Redactor
from .rules import Rule, problem_of
from .storing import storable

__all__ = [
    "PERSONAL_KINDS",
    "SECRET_KINDS",
    "WITHHELD",
    "Found",
    "Redactor",
    "Rule",
    "find_personal_data",
    "find_secrets",
    "problem_of",
    "storable",
]
