"""Adaptive epochs as one more procedure: samples are drawn round by round until the gate stops asking."""

from __future__ import annotations

from pytest_aioncall.decide.compare import Side
from pytest_aioncall.decide.rounds import decide_in_rounds
from pytest_aioncall.decide.sides import first_epochs
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import EpochRange, Gate

from .methods import Method, judged, said, sides
from .worlds import Change


def drawn_in_rounds(change: Change, plan: EpochRange) -> dict[str, float]:
    """Judge a change round by round, and beside it with all epochs at once.

    calls  samples drawn as a share of those at `max`
    lost   red with all epochs and not red in rounds, less the other way round
    """
    baseline, world = sides(change)
    gate = Gate(scorer="score", margin=change.margin, claim=change.claim)
    epochs = plan.min
    while True:
        now = Side(rows=first_epochs(world, epochs).rows, scorers=world.scorers)
        found = decide_in_rounds((gate,), candidate=now, baseline=baseline, plan=plan, defaults=Defaults())
        if not found.wanted:
            break
        epochs = found.next_epochs
    status = found.verdicts[0].status
    at_once = said(judged(change)).get("red", 0.0)
    red = float(status == "regressed")
    return {
        "red": red,
        "pass": float(status == "pass"),
        "calls": found.rounds.samples / found.rounds.samples_at_max,
        "lost": at_once - red,
    }


def in_rounds(least: int, most: int) -> Method[Change]:
    """Return the procedure `epochs: {min: least, max: most}`."""
    plan = EpochRange(min=least, max=most)
    return Method("rounds", lambda change: drawn_in_rounds(change, plan), ("red", "pass", "calls", "lost"))
