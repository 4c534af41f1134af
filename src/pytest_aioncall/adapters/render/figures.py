"""Geometry of the page's figures: pure numbers in, coordinates out; the template draws them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...model.verdict import Verdict
from . import words

Shape = Literal["diamond", "triangle", "circle", "ring", "square", "box"]
PLOT_WIDTH = 360.0
ROW_HEIGHT = 44.0
_SIDE = 14.0
_HEAT_STEPS = 5


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear map of differences (units of the scale) to x in pixels; x grows with the difference."""

    low: float
    high: float

    def x(self, value: float) -> float:
        """Return the x of `value`, held inside the plot."""
        share = (value - self.low) / (self.high - self.low)
        return round(_SIDE + min(1.0, max(0.0, share)) * (PLOT_WIDTH - 2 * _SIDE), 2)


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One row of the interval plot; None where the row has no such number. `interval` names its level."""

    verdict: Verdict
    shape: Shape
    x: float | None
    low_x: float | None
    high_x: float | None
    margin_x: float | None
    label: str
    interval: str


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows on one scale with their common axis; `zero_x` is the line of no change.

    `compared` is False where no row has a difference, so that there is nothing to draw.
    """

    scale: tuple[float, float]
    interval: str
    unit: str
    axis: Axis
    zero_x: float
    ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    compared: bool


def interval_plot(rows: Sequence[Verdict], *, alpha: float) -> list[Panel]:
    """Lay out one panel a scale, in the order in which the scales first appear in `rows`.

    `alpha` is the level of the one-sided bounds of rows without one of their own. It names the interval;
    where the rows of a panel have several levels each row's text names its own.
    Every interval, every estimate, each row's margin and zero lie inside their panel's axis.
    """
    panels: list[Panel] = []
    for scale in dict.fromkeys(v.scale for v in rows):
        mine = [v for v in rows if v.scale == scale]
        axis = _axis(mine)
        level = words.common_level(mine, alpha)
        panels.append(
            Panel(
                scale=scale,
                interval="interval" if level is None else words.interval_name(level),
                unit="percentage points"
                if words.is_rate(scale)
                else f"points on {scale[0]:g} to {scale[1]:g}",
                axis=axis,
                zero_x=axis.x(0.0),
                ticks=tuple(Tick(axis.x(at), _tick_text(at, scale, step)) for at, step in _ticks(axis)),
                marks=tuple(_mark(v, axis, words.interval_name(words.level_of(v, alpha))) for v in mine),
                compared=any(v.difference is not None for v in mine),
            )
        )
    return panels


def shape_of(verdict: Verdict) -> Shape:
    """Return the shape that says the verdict without colour."""
    if verdict.status == "regressed":
        return "diamond"
    if verdict.status == "pass":
        return "square" if verdict.reason == "accepted" else "circle"
    if verdict.status == "too_small":
        return "box"
    return "triangle" if verdict.reason in ("suspected", "min_undecided", "errors_at_floor") else "ring"


def _mark(verdict: Verdict, axis: Axis, interval: str) -> Mark:
    ends = verdict.ci
    margin = verdict.margin
    return Mark(
        verdict=verdict,
        shape=shape_of(verdict),
        x=None if verdict.difference is None else axis.x(verdict.difference),
        low_x=None if ends is None else axis.x(ends[0]),
        high_x=None if ends is None else axis.x(ends[1]),
        margin_x=None if margin is None or verdict.difference is None else axis.x(-margin),
        label=_label(verdict, interval),
        interval=interval,
    )


def _label(verdict: Verdict, interval: str) -> str:
    """Say the whole row for a reader who sees no picture."""
    name = f"{verdict.scorer} {words.slice_name(verdict.slice)}".rstrip()
    if verdict.difference is None:
        return f"{name}: {words.verdict_word(verdict)}, not compared"
    parts = [f"{name}: {words.verdict_word(verdict)}", words.difference(verdict.difference, verdict.scale)]
    if verdict.ci is not None:
        parts.append(f"{interval} {words.interval(verdict.ci, verdict.scale).replace('..', 'to')}")
    if verdict.margin is not None:
        parts.append(f"margin {words.distance(verdict.margin, verdict.scale)}")
    return ", ".join(parts)


def _axis(rows: Sequence[Verdict]) -> Axis:
    values = [0.0]
    for verdict in rows:
        if verdict.difference is None:
            continue
        values += [verdict.difference, *(verdict.ci or ())]
        values += [] if verdict.margin is None else [-verdict.margin]
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite), max(finite)
    if high == low:
        span = (rows[0].scale[1] - rows[0].scale[0]) or 1.0
        return Axis(-span / 10, span / 10)
    pad = (high - low) * 0.06
    return Axis(low - pad, high + pad)


def _ticks(axis: Axis, most: int = 6) -> list[tuple[float, float]]:
    """Return (value, step) at round steps of 1, 2 or 5 times a power of ten, zero among them."""
    raw = (axis.high - axis.low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= raw * 0.999)
    first, last = math.ceil(axis.low / step - 1e-9), math.floor(axis.high / step + 1e-9)
    return [(n * step, step) for n in range(first, last + 1)]


def _tick_text(value: float, scale: tuple[float, float], step: float) -> str:
    factor = 100 if words.is_rate(scale) else 1
    decimals = max(0, -math.floor(math.log10(step * factor) + 1e-9))
    return words.number(value * factor, decimals, signed=True)


def heat(value: float, column: Sequence[float], scale: tuple[float, float]) -> int:
    """Return 0 (as good as the column's best) to 5: how far `value` lies below the best.

    The steps span at least a quarter of the scale, so that a column of small differences stays calm.
    """
    best = max(column)
    span = max(best - min(column), 0.25 * (scale[1] - scale[0]))
    return min(_HEAT_STEPS, int((best - value) / span * _HEAT_STEPS + 0.5)) if span > 0 else 0
