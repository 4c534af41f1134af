"""A scorer made of one plain function, and the two ways it may end: passed or not, or a value on 0-1."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...errors import ScorerError, UsageError
from ...model.evalset import Case
from ...model.frozen import canonical_json
from ...model.sample import Output, Score
from ...protocols import ScorerTraits
from ..text import one_line

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Rule:
    """Score by a pure function of the case and the output: no network, no clock, no state."""

    judge: Callable[[Case, Output], Score]
    traits: ScorerTraits

    async def score(self, case: Case, output: Output, *, epoch: int) -> Score:  # noqa: ARG002
        return self.judge(case, output)


def passed(reason: str | None = None) -> Score:
    """Return the score of an output that holds: 1.0, passed."""
    return Score(scorer="", value=1.0, passed=True, reason=reason)


def failed(reason: str) -> Score:
    """Return the score of an output that does not hold: 0.0, not passed."""
    return Score(scorer="", value=0.0, passed=False, reason=reason)


def graded(value: float, *, pass_at: float | None, reason: str) -> Score:
    """Return a score with a value on 0-1; it passes at `pass_at` or above, and without one takes no side."""
    if not math.isfinite(value):
        raise ScorerError(f"the value came out as {value}, which is not a number between 0 and 1")
    value = min(1.0, max(0.0, value))
    holds = None if pass_at is None else value >= pass_at
    if holds is False:
        reason = f"{value:.3f} is below {pass_at:g}: {reason}"
    return Score(scorer="", value=value, passed=holds, reason=reason)


def share(value: float | None, *, name: str) -> float | None:
    """Return `value` if it is None or lies on 0-1; UsageError otherwise."""
    if value is not None and not 0 <= value <= 1:
        raise UsageError(f"{name} is {value:g}; it is a share between 0 and 1")
    return value


def quoted(value: Any) -> str:
    """Show a value in a reason: text in quotes, the rest as JSON, on one line and cut."""
    text = value if isinstance(value, str) else as_json(value)
    if len(text) > SHOWN or not (text.isascii() and text.isprintable()):
        text = one_line(text, SHOWN)
    return f"'{text}'" if isinstance(value, str) else text


def as_json(value: Any) -> str:
    """Write a value as JSON, or as Python shows it where JSON cannot."""
    try:
        return canonical_json(value)
    except (TypeError, ValueError, RecursionError):
        try:
            return repr(value)
        except RecursionError:
            return f"<{type(value).__name__}, nested too deep to show>"
