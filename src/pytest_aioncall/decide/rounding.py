"""Numbers as they leave the decisions: the same on every machine."""

from __future__ import annotations

import math
from typing import overload

FIGURES = 12


@overload
def figures(value: float) -> float: ...
@overload
def figures(value: None) -> None: ...
def figures(value: float | None) -> float | None:
    """Round to 12 significant figures: another order of summation moves the sixteenth.

    A rounded zero has no sign; what is not finite stays as it is.
    """
    if value is None or value == 0 or not math.isfinite(value):
        return None if value is None else value + 0.0
    return float(f"{value:.{FIGURES}g}")


@overload
def on_scale(value: float, span: float) -> float: ...
@overload
def on_scale(value: None, span: float) -> None: ...
def on_scale(value: float | None, span: float) -> float | None:
    """Round a mean or a difference to 12 decimals of the scale's span, so that nothing stays of 1e-17."""
    if value is None or not math.isfinite(value):
        return value
    return figures(round(value / span, FIGURES) * span)
