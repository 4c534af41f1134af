"""What the helpdesk puts before its model: the one section of the handbook that fits a question best.

A model of 135 million parameters answers from one short note, and gets lost between two; so it is given one.
"""

from __future__ import annotations

from typing import Any

from .index import handbook_index

NOTHING_FOUND = "[none] The handbook has no note about this question."


def retrieve(question: str) -> dict[str, Any]:
    """Return the variables of `prompts/answer.md`, and as `retrieved` what was found."""
    found = handbook_index().search(question, limit=1)
    if not found:
        return {"note": NOTHING_FOUND, "retrieved": []}
    section = found[0]
    return {
        "note": f"[{section.article}] {section.text}",
        "retrieved": [{"id": section.article, "text": section.text}],
    }
