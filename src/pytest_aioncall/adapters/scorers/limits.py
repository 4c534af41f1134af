"""latency_max and cost_max: what one answer may take."""

from __future__ import annotations

import math

from ...errors import ScorerError, UsageError
from ...model.evalset import Case
from ...model.sample import Output, Score
from ...protocols import ScorerTraits
from .rule import Rule, failed, passed


def latency_max(seconds: float) -> Rule:
    """Pass when the answer took at most `seconds`, measured around the last attempt.

    A replayed answer has the latency of its recording, and the reason says so.
    """
    _positive(seconds, name="seconds")

    def judge(_case: Case, output: Output) -> Score:
        if output.latency_s is None:
            raise ScorerError("the output has no latency")
        told = f"{output.latency_s:.3g} s{_recorded(output)}"
        if output.latency_s <= seconds:
            return passed(told)
        return failed(f"took {told}, more than {seconds:g} s")

    return Rule(judge, ScorerTraits())


def cost_max(usd: float) -> Rule:
    """Pass when the answer cost at most `usd` US dollars. A cost that is not known is an error, not zero."""
    if not (math.isfinite(usd) and usd >= 0):
        raise UsageError(f"usd is {usd:g}; it is a number of US dollars from 0 up")

    def judge(_case: Case, output: Output) -> Score:
        if output.cost_usd is None:
            raise ScorerError("the cost is not known; add the model under prices, or return cost_usd")
        told = f"USD {output.cost_usd:.4g}{_recorded(output)}"
        if output.cost_usd <= usd:
            return passed(told)
        return failed(f"cost {told}, more than USD {usd:g}")

    return Rule(judge, ScorerTraits())


def _positive(value: float, *, name: str) -> None:
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{name} is {value:g}; it is a number above 0")


def _recorded(output: Output) -> str:
    return f" as recorded on {output.replayed}" if output.replayed else ""
