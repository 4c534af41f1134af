"""What the gate promises of its error rates: a share of a scenario, and the bound that it has to keep."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from .scenarios import (
    EDITS,
    EPOCHS,
    KINDS,
    LARGE,
    MANY,
    REPEATED,
    SMALL,
    broken,
    documents,
    large,
    rows,
    small,
    stopping,
)

FALSE_ALARMS = "No false alarms"
WRONG_PASSES = "No wrong passes"
FOUND = "Drops are found"
STOPPING = "Stopping early costs little"


@dataclass(frozen=True, slots=True)
class Promise:
    """One cell. `method` and `label` choose the share; `family` is the heading that it stands under."""

    family: str
    scenario: str
    label: str
    side: Literal["at most", "at least"]
    bound: float
    method: str = "gate"

    @property
    def name(self) -> str:
        """Return what names the cell."""
        return f"{self.scenario} | {self.method}: {self.label}"

    def counted(self, sums: Mapping[str, float]) -> float:
        """Return in how many changes of a tally this was so."""
        return sums.get(f"{self.method}: {self.label}", 0.0)

    def keeps(self, share: float, *, changes: int, slack: float) -> bool:
        """Tell whether a simulated share keeps the bound within `slack` standard errors of it."""
        room = slack * math.sqrt(self.bound * (1 - self.bound) / changes)
        if self.side == "at most":
            return share <= self.bound + room + 1e-12
        return share >= self.bound - room - 1e-12


@cache
def promises() -> tuple[Promise, ...]:
    """Return every cell."""
    return (*_false_alarms(), *_wrong_passes(), *_found(), *_stopping())


def _at_most(family: str, scenario: str, label: str, *, method: str = "gate", bound: float = 0.05) -> Promise:
    return Promise(family, scenario, label, "at most", bound, method)


def _false_alarms() -> Iterator[Promise]:
    for kind in KINDS:
        for edit in EDITS:
            for cases in LARGE:
                for epochs in EPOCHS:
                    yield _at_most(FALSE_ALARMS, large(kind, cases, epochs, edit=edit), "red")
    for number, size in ((30, 5), (20, 10)):
        yield _at_most(FALSE_ALARMS, documents(number, size), "red")
    for kind in KINDS:
        for cases in SMALL:
            for epochs in REPEATED:
                yield _at_most(FALSE_ALARMS, small(kind, cases, epochs), "red")
    for number in MANY:
        yield _at_most(FALSE_ALARMS, rows(number), "gate: red", method="rows")
    for epochs in (1, 3):
        name = rows(45, claim="cases-like-these", epochs=epochs)
        yield _at_most(FALSE_ALARMS, name, "gate: red", method="rows")


def _wrong_passes() -> Iterator[Promise]:
    """Yield a cell for a true drop of exactly the margin, in every world."""
    for kind in KINDS:
        for cases in LARGE:
            for epochs in EPOCHS:
                yield _at_most(WRONG_PASSES, large(kind, cases, epochs, times=1), "pass")
    for kind in KINDS:
        for cases in SMALL:
            for epochs in REPEATED:
                yield _at_most(WRONG_PASSES, small(kind, cases, epochs, times=1), "pass")
    yield _at_most(WRONG_PASSES, small("binary", 100, 3, times=1), "pass")


def _found() -> Iterator[Promise]:
    for number, cases, epochs, bound in ((2, 10, 5, 0.89), (3, 10, 3, 0.94), (3, 20, 3, 0.84)):
        yield Promise(FOUND, broken(number, cases, epochs), "red", "at least", bound)
    yield Promise(FOUND, large("binary", 200, 3, times=1), "red", "at least", 0.94)
    yield Promise(FOUND, large("graded", 200, 1, times=1), "red", "at least", 0.87)
    # The drop is the margin itself: up to 5 % of such runs pass, so "red" could not reach .99 by any rule.
    yield Promise(FOUND, large("graded", 200, 3, times=1), "noticed", "at least", 0.99)
    for claim in ("auto", "cases-like-these"):
        name = rows(45, dropped=True, claim=claim)
        yield Promise(FOUND, name, "gate: found", "at least", 0.98, "rows")
        yield _at_most(FOUND, name, "gate: wrong", method="rows", bound=0.06)
    # With one epoch and 20 cases no rule that keeps its word over 45 rows finds it so often.
    name = rows(45, dropped=True, claim="cases-like-these", epochs=1)
    yield _at_most(FOUND, name, "gate: wrong", method="rows", bound=0.06)


def _stopping() -> Iterator[Promise]:
    for kind in KINDS:
        for cases, least in ((50, 1), (200, 1), (20, 2), (40, 2)):
            for edit in EDITS[: 1 if least > 1 else 2]:
                yield _at_most(STOPPING, stopping(kind, cases, least, edit=edit), "red", method="rounds")
            yield _at_most(STOPPING, stopping(kind, cases, least, times=1), "pass", method="rounds")
        # Calls drawn of those at the fixed maximum, and the power that is lost against it.
        yield _at_most(STOPPING, stopping(kind, 200, 1), "calls", method="rounds", bound=0.4)
        yield _at_most(STOPPING, stopping(kind, 200, 1, times=1), "lost", method="rounds", bound=0.03)
