"""All scenarios by name: a world, and the procedures that judge what is drawn from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from pytest_aioncall.model.evalset import Claim

from .manyrows import ROWS, ManyRows
from .methods import EVERY, Method
from .rounds import in_rounds
from .worlds import MARGIN, Edit, Kind, World

KINDS: tuple[Kind, ...] = ("binary", "graded")
LARGE, SMALL = (50, 200, 1000), (10, 20, 40)
EPOCHS, REPEATED = (1, 3, 5), (3, 5)
EDITS: tuple[Edit, ...] = ("none", "edit", "documents")
TIMES = (0.0, 0.5, 1.0, 2.0)
DOCUMENT_SIZE = 5
MANY = {1: (1, 0), 5: (5, 0), 15: (5, 2), 45: (5, 8), 90: (10, 8)}
SLICE_DROP = 1.0
DEAR = 0.4
MOST_EPOCHS = 5


@dataclass(frozen=True, slots=True)
class Scenario:
    """One world under some procedures.

    draw     one simulated change from random numbers; what `methods` take
    effort   share of the number of changes asked for: fewer where a change is dear to judge
    """

    name: str
    draw: Callable[[np.random.Generator], Any]
    methods: tuple[Method[Any], ...]
    effort: float = 1.0

    def changes(self, asked: int) -> int:
        """Return how many changes are drawn where `asked` are asked for."""
        return max(1, round(asked * self.effort))


@cache
def scenarios() -> dict[str, Scenario]:
    """Return every scenario by its name, which is also its seed."""
    found: dict[str, Scenario] = {}
    for one in (*_large(), *_small(), *_named(), *_many_rows(), *_stopping()):
        found.setdefault(one.name, one)
    return found


def large(kind: Kind, cases: int, epochs: int, *, edit: Edit = "none", times: float = 0.0) -> str:
    """Return the name of a scenario of *cases like these*; `times` is the true drop in margins."""
    return f"like {kind} n={cases} r={epochs} {_what(edit, times)}"


def small(kind: Kind, cases: int, epochs: int, *, edit: Edit = "none", times: float = 0.0) -> str:
    """Return the name of a scenario of *these cases*."""
    return f"these {kind} n={cases} r={epochs} {_what(edit, times)}"


def broken(number: int, cases: int, epochs: int) -> str:
    """Return the name of a scenario in which some of a few cases break for good."""
    return f"these binary n={cases} r={epochs} broken={number}"


def rows(number: int, *, dropped: bool = False, claim: str = "auto", epochs: int = 3) -> str:
    """Return the name of a scenario with many rows."""
    return f"rows={number} r={epochs} {claim} {'slice dropped' if dropped else 'unchanged'}"


def stopping(kind: Kind, cases: int, least: int, *, edit: Edit = "none", times: float = 0.0) -> str:
    """Return the name of a scenario with adaptive epochs, five at most."""
    return f"rounds {kind} n={cases} r={least}..{MOST_EPOCHS} {_what(edit, times)}"


def documents(number: int, size: int) -> str:
    """Return the name of a scenario in which whole documents of another size move."""
    return f"like binary {number} documents of {size} r=3"


def _what(edit: Edit, times: float) -> str:
    if times:
        return f"drop={times:g}m"
    return {"none": "unchanged", "edit": "edited", "documents": "documents move"}[edit]


def _large() -> Iterator[Scenario]:
    for kind in KINDS:
        for cases in LARGE:
            effort = DEAR if cases >= 200 else 1.0
            for epochs in EPOCHS:
                for edit in EDITS:
                    world = World(
                        kind,
                        cases,
                        epochs,
                        edit,
                        cluster_size=DOCUMENT_SIZE if edit == "documents" else 1,
                        claim="cases-like-these",
                    )
                    yield Scenario(large(kind, cases, epochs, edit=edit), world.draw, EVERY, effort)
                for times in TIMES[1:]:
                    world = World(kind, cases, epochs, drop=times * MARGIN[kind], claim="cases-like-these")
                    yield Scenario(large(kind, cases, epochs, times=times), world.draw, EVERY, effort)


def _small() -> Iterator[Scenario]:
    for kind in KINDS:
        for cases in SMALL:
            for epochs in REPEATED:
                for edit in EDITS[:2]:
                    world = World(kind, cases, epochs, edit, claim="these-cases")
                    yield Scenario(small(kind, cases, epochs, edit=edit), world.draw, EVERY)
                for times in TIMES[1:]:
                    drop = times * MARGIN[kind]
                    world = World(kind, cases, epochs, drop=drop, given=True, claim="these-cases")
                    yield Scenario(small(kind, cases, epochs, times=times), world.draw, EVERY)


def _named() -> Iterator[Scenario]:
    """Yield scenarios that a promise or a page names by themselves."""
    for number, cases, epochs in ((2, 10, 5), (3, 10, 3), (3, 20, 3)):
        world = World("binary", cases, epochs, broken=number)
        yield Scenario(broken(number, cases, epochs), world.draw, EVERY)
    world = World("binary", 100, 3, drop=MARGIN["binary"], given=True, claim="these-cases")
    yield Scenario(small("binary", 100, 3, times=1), world.draw, EVERY)
    for number, size in ((30, 5), (20, 10)):
        world = World("binary", number * size, 3, "documents", cluster_size=size)
        yield Scenario(documents(number, size), world.draw, EVERY, DEAR)
    world = World("binary", 30, 1, claim="cases-like-these")
    yield Scenario(large("binary", 30, 1), world.draw, EVERY)


def _many_rows() -> Iterator[Scenario]:
    for number, (scorers, values) in MANY.items():
        effort = DEAR if number >= 15 else 1.0
        yield Scenario(rows(number), ManyRows(scorers, values, 3).draw, (ROWS,), effort)
        if values:
            world = ManyRows(scorers, values, 3, drop=SLICE_DROP)
            yield Scenario(rows(number, dropped=True), world.draw, (ROWS,), effort)
    for epochs in (1, 3):
        for drop in (0.0, SLICE_DROP):
            many = ManyRows(*MANY[45], epochs, drop=drop, claim="cases-like-these")
            name = rows(45, dropped=bool(drop), claim="cases-like-these", epochs=epochs)
            yield Scenario(name, many.draw, (ROWS,), DEAR)


def _stopping() -> Iterator[Scenario]:
    """Yield the scenarios of adaptive epochs; small suites begin with two, for one tells them nothing."""
    for kind in KINDS:
        for cases, least in ((50, 1), (200, 1), (20, 2), (40, 2)):
            claim: Claim = "these-cases" if least > 1 else "cases-like-these"
            for edit in EDITS[: 1 if least > 1 else 2]:
                world = World(kind, cases, MOST_EPOCHS, edit, claim=claim)
                yield Scenario(
                    stopping(kind, cases, least, edit=edit), world.draw, (in_rounds(least, MOST_EPOCHS),)
                )
            for times in TIMES[2:]:
                drop = times * MARGIN[kind]
                world = World(kind, cases, MOST_EPOCHS, drop=drop, given=least > 1, claim=claim)
                yield Scenario(
                    stopping(kind, cases, least, times=times), world.draw, (in_rounds(least, MOST_EPOCHS),)
                )
