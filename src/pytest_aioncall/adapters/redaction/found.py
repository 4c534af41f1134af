"""What was found in a text, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST_FOUND = 200
"""Findings in one text; who has that many needs no more."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something in a text that should not be there: its kind ("email", "api-key") and where it stands."""

    kind: str
    start: int
    end: int

    def __str__(self) -> str:
        article = "an" if self.kind[0] in "aeiouAEIOU" else "a"
        return f"{article} {self.kind} at character {self.start}"


def apart(found: Iterable[Found]) -> list[Found]:
    """Return what was found in the order of the text; of two that overlap, the one found first."""
    kept: list[Found] = []
    for one in found:
        if len(kept) == MOST_FOUND:
            break
        if not any(one.start < other.end and other.start < one.end for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)
