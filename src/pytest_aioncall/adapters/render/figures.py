"""Geometry of the page's figures: pure numbers in, coordinates out; the template draws them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...model.verdict import Verdict
from . import words
from .states import row_tone

Shape = Literal["diamond", "triangle", "circle", "ring", "square", "box"]
PLOT_WIDTH = 360.0
_SIDE = 14.0
_MOST_ROWS = 30


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
    """One row of the interval plot; None where the row has no such number. `interval` names its level.

    `low_cut` and `high_cut` tell that the interval goes on beyond the axis: an arrow says so.
    """

    verdict: Verdict
    shape: Shape
    x: float | None
    low_x: float | None
    high_x: float | None
    margin_x: float | None
    label: str
    interval: str
    low_cut: bool = False
    high_cut: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one scorer, the overall row first where it is among them, then its slices, worst first."""

    scorer: str
    marks: tuple[Mark, ...]

    @property
    def has_overall(self) -> bool:
        return bool(self.marks) and self.marks[0].verdict.slice is None


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows on one scale with their common axis; `zero_x` is the line of no change.

    `compared` is False where no row has a difference, so that there is nothing to draw. `folded` are calm
    slices of a long plot, on the same axis, which a reader opens when he wants them.
    """

    scale: tuple[float, float]
    interval: str
    unit: str
    axis: Axis
    zero_x: float
    ticks: tuple[Tick, ...]
    groups: tuple[Group, ...]
    folded: tuple[Group, ...]
    compared: bool

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Every row that is shown at once."""
        return tuple(mark for group in self.groups for mark in group.marks)

    @property
    def folded_said(self) -> str:
        """Count what is folded, by its verdict: `41 more rows: 38 pass, 3 too small`."""
        rows = [mark.verdict for group in self.folded for mark in group.marks]
        alike = Counter(words.verdict_word(v) for v in rows)
        parts = ", ".join(f"{n:,} {word}" for word, n in alike.most_common())
        return f"{words.counted(len(rows), 'more row')}: {parts}"


def interval_plot(rows: Sequence[Verdict], *, alpha: float) -> list[Panel]:
    """Lay out one panel a scale, in the order in which the scales first appear in `rows`.

    `alpha` is the level of the one-sided bounds of rows without one of their own. It names the interval;
    where the rows of a panel have several levels each row's text names its own.
    Every estimate, each row's margin, zero, and every interval of a gating row lie inside their panel's axis.
    A long plot folds its calm slices; what is red or open is never folded, nor is an overall row.
    """
    panels: list[Panel] = []
    long = len(rows) > _MOST_ROWS
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
                groups=_groups([v for v in mine if not (long and _is_calm(v))], axis, alpha),
                folded=_groups([v for v in mine if long and _is_calm(v)], axis, alpha),
                compared=any(v.difference is not None for v in mine),
            )
        )
    return panels


def _is_calm(verdict: Verdict) -> bool:
    return verdict.slice is not None and row_tone(verdict) in ("good", "none")


def _groups(rows: Sequence[Verdict], axis: Axis, alpha: float) -> tuple[Group, ...]:
    """Group rows by scorer, in the order in which the scorers first appear: the worst first."""
    groups = []
    for scorer in dict.fromkeys(v.scorer for v in rows):
        mine = sorted((v for v in rows if v.scorer == scorer), key=lambda v: v.slice is not None)
        marks = tuple(_mark(v, axis, words.interval_name(words.level_of(v, alpha))) for v in mine)
        groups.append(Group(scorer, marks))
    return tuple(groups)


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
        low_cut=ends is not None and ends[0] < axis.low,
        high_cut=ends is not None and ends[1] > axis.high,
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
    compared = [v for v in rows if v.difference is not None]
    # The wide interval of a slice that decides nothing would press all others into the middle.
    deciding = [v for v in compared if v.gating] or compared
    for verdict in compared:
        values += [verdict.difference or 0.0]
        values += [] if verdict.margin is None else [-verdict.margin]
    values += [end for verdict in deciding for end in verdict.ci or ()]
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
