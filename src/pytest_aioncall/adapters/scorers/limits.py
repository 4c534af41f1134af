"""latency_max and cost_max: what one answer may take."""

from __future__ import annotations

import math

from ...errors import NotMeasured, ScorerError, UsageError
from ...model.evalset import Case
from ...model.sample import Output, Score
from ...protocols import ScorerTraits
from .rule import Rule, failed, passed


def latency_max(seconds: float) -> Rule:
    """Pass when the answer took at most `seconds`, measured around the last attempt.

    A replayed answer was not waited for: it is not measured, and neither passes nor fails.
    """
    _positive(seconds, name="seconds")

    def judge(_case: Case, output: Output) -> Score:
        _refuse_recorded(output, "latency")
        if output.latency_s is None:
            raise ScorerError("the output has no latency")
        told = f"{output.latency_s:.3g} s"
        if output.latency_s <= seconds:
            return passed(told)
        return failed(f"took {told}, more than {seconds:g} s")

    return Rule(judge, ScorerTraits())


def cost_max(usd: float) -> Rule:
    """Pass when the answer cost at most `usd` US dollars. A cost that is not known is an error, not zero.

    A replayed answer cost nothing: it is not measured, and neither passes nor fails.
    """
    if not (math.isfinite(usd) and usd >= 0):
        raise UsageError(f"usd is {usd:g}; it is a number of US dollars from 0 up")

    def judge(_case: Case, output: Output) -> Score:
        _refuse_recorded(output, "cost")
        if output.cost_usd is None:
            raise ScorerError("the cost is not known; add the model under prices, or return cost_usd")
        told = f"USD {output.cost_usd:.4g}"
        if output.cost_usd <= usd:
            return passed(told)
        return failed(f"cost {told}, more than USD {usd:g}")

    return Rule(judge, ScorerTraits())


def _positive(value: float, *, name: str) -> None:
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{name} is {value:g}; it is a number above 0")


def _refuse_recorded(output: Output, what: str) -> None:
    """Raise NotMeasured for a recorded answer: what it took that day says nothing of today's system."""
    if output.replayed:
        raise NotMeasured(f"not measured: replayed, its {what} is of the recording of {output.replayed}")
