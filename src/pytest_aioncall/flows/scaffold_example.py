"""What `aioncall init` writes where there is neither a function to evaluate nor an evalset yet."""

from __future__ import annotations

import json
from typing import Final

MODULE: Final = "support_answers"
TARGET: Final = f"{MODULE}:answer"
NAME: Final = "support-answers"

SOURCE: Final = '''\
"""A feature to try the gate with: answers customers. Replace it by yours, and the cases with it."""

ANSWERS = {
    "refund": "A refund takes five working days.",
    "invoice": "Your invoices are under Account, Billing.",
    "password": "Choose 'Forgot password' on the page where you log in.",
    "parcel": "Your parcel can be tracked with the number in our mail.",
    "cancel": "You can cancel under Account, Plan. It ends with the month.",
}


def answer(question: str) -> str:
    for word, text in ANSWERS.items():
        if word in question.lower():
            return text
    return "I do not know. Please write to support@example.org."
'''


def example_evalset(owner: str) -> str:
    """Return an evalset of the example: six cases that it answers well."""
    return f"""\
# yaml-language-server: $schema=.schema/evalset.json
evalset: {NAME}
owner: {json.dumps(owner, ensure_ascii=False)}
target: {{python: "{TARGET}"}}   # called with each case's input
scorers:
  - contains                     # also: exact, regex, one_of, numeric, json_schema, judge, ...
cases:                           # replace them by what your users really ask
  - {{id: refund, input: {{question: "Where is my refund?"}}, expected: "five working days"}}
  - {{id: invoice, input: {{question: "I need an invoice"}}, expected: "Billing"}}
  - {{id: password, input: {{question: "I lost my password"}}, expected: "Forgot password"}}
  - {{id: parcel, input: {{question: "My parcel never came"}}, expected: "tracked"}}
  - {{id: cancel, input: {{question: "How do I cancel?"}}, expected: "ends with the month"}}
  - id: unknown
    input: {{question: "Will it rain?"}}
    expected: "I do not know"
    must: [{{not_contains: "guarantee"}}]   # has to hold every time, whatever the rest does
"""
