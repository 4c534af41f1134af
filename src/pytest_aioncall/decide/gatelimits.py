"""What a gate says by itself, before there is any number: its defaults and its limits. Imports no numpy."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from ..errors import UsageError
from ..model.baseline import ScorerInfo
from ..model.config import Defaults
from ..model.evalset import Gate


def default_margin(scale: tuple[float, float], defaults: Defaults | None = None) -> float:
    """Return the margin of a gate that names none.

    `defaults.margin` is a share of the span; without it .05 on 0-1, else 4 % of the span (.16 on 1-5).
    """
    span = scale[1] - scale[0]
    if defaults is not None and defaults.margin is not None:
        return defaults.margin * span
    return 0.05 if tuple(scale) == (0.0, 1.0) else 0.04 * span


def default_min(scale: tuple[float, float], defaults: Defaults) -> float | None:
    """Return the minimum of a gate that names none: `defaults.min` of the way from lowest to highest."""
    return None if defaults.min is None else scale[0] + defaults.min * (scale[1] - scale[0])


def gates_or_default(gates: Sequence[Gate], *, scorers: Mapping[str, ScorerInfo]) -> list[Gate]:
    """Return the gates, one per scorer where none is given.

    Raises UsageError for a gate on a scorer that the candidate does not have.
    """
    for gate in gates:
        if gate.scorer not in scorers:
            near = difflib.get_close_matches(gate.scorer, list(scorers), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there is {listed(scorers)}"
            raise UsageError(f"gates: unknown scorer {gate.scorer!r}{hint}")
    return list(gates) or [Gate(scorer=name) for name in scorers]


def limits_wrong(gate: Gate, *, scale: tuple[float, float]) -> dict[str, str]:
    """Return what is wrong with the numbers of a gate on this scale: the key, and what to say of it."""
    low, high = scale
    wrong = {}
    if gate.min is not None and not low <= gate.min <= high:
        wrong["min"] = f"min {gate.min:g} of {gate.scorer!r} is off its scale [{low:g}, {high:g}]"
    # Not so for NaN either: no comparison with it holds.
    if gate.margin is not None and not 0 <= gate.margin <= high - low:
        wrong["margin"] = (
            f"margin {gate.margin:g} of {gate.scorer!r} is more than its scale [{low:g}, {high:g}] is wide; "
            "it is in units of the scale, where 5 points of a rate are 0.05"
        )
    return wrong


def listed(names: Sequence[str] | Mapping[str, object]) -> str:
    return ", ".join(repr(name) for name in names) if names else "none"
