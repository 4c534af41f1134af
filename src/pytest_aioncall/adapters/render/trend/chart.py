"""Geometry of a daily series: days in, coordinates out; the template draws them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ....model.alert import Episode, Point, Series
from .. import words

WIDTH, HEIGHT, CUSUM_HEIGHT = 920.0, 190.0, 64.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 14.0, 12.0, 24.0
_MOST_DAY_TICKS = 8


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Dot:
    """One judged day. `said` tells all of it to a reader who sees no picture."""

    x: float
    y: float
    cusum_y: float | None
    said: str
    alarmed: bool
    in_reference: bool


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `x` to `x + width`."""

    x: float
    width: float
    said: str


@dataclass(frozen=True, slots=True)
class Flag:
    """Something that changed on a day; `number` is how the list below the chart names it."""

    x: float
    number: int
    said: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One series, laid out. `line` and `cusum_line` are SVG paths with a gap where no run was judged.

    band     reference mean plus and minus two standard deviations: (y of its top, height); None while learned
    limit_y  where the CUSUM alarms, in the strip below
    """

    name: str
    said: str
    dots: tuple[Dot, ...]
    line: str
    cusum_line: str
    days: tuple[Tick, ...]
    values: tuple[Tick, ...]
    band: tuple[float, float] | None
    mu_y: float | None
    limit_y: float | None
    episodes: tuple[Span, ...]
    flags: tuple[Flag, ...]
    alarmed: bool
    rows: tuple[tuple[str, ...], ...]

    @property
    def has_cusum(self) -> bool:
        return self.limit_y is not None


@dataclass(frozen=True, slots=True)
class Days:
    """A linear map of days to x. Both ends are drawn."""

    first: date
    last: date

    def x(self, day: date) -> float:
        """Return the x of a day, held inside the plot."""
        span = max(1, (self.last - self.first).days)
        share = min(1.0, max(0.0, (day - self.first).days / span))
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 2)

    def ticks(self) -> tuple[Tick, ...]:
        """Return days with their names, at even steps of whole days or weeks."""
        span = (self.last - self.first).days
        step = next((s for s in (1, 2, 7, 14, 28, 56, 91, 182) if span / s <= _MOST_DAY_TICKS), 365)
        found = [date.fromordinal(self.last.toordinal() - k * step) for k in range(span // step + 1)]
        return tuple(Tick(self.x(day), f"{day.day} {day:%b}") for day in reversed(found))


def chart_of(
    series: Series,
    days: Days,
    *,
    episodes: Sequence[Episode] = (),
    changes: Sequence[tuple[str, int, str]] = (),
) -> Chart:
    """Lay out one series.

    changes  (day, number, text) of what changed
    """
    points = [p for p in series.points if days.first <= date.fromisoformat(p.day) <= days.last]
    low, high = _range(series, points)
    plot = HEIGHT - TOP - BOTTOM

    def y(value: float) -> float:
        share = (value - low) / (high - low)
        return round(TOP + (1 - min(1.0, max(0.0, share))) * plot, 2)

    # Far above the limit nobody compares heights; a long alarm drawn whole would press it to the floor.
    top = 2 * (series.h or 1.0)

    def cusum_y(value: float | None) -> float | None:
        if value is None or series.h is None:
            return None
        return round(CUSUM_HEIGHT - 4 - min(1.0, value / top) * (CUSUM_HEIGHT - 8), 2)

    dots = tuple(
        Dot(
            x=days.x(date.fromisoformat(p.day)),
            y=y(p.value),
            cusum_y=cusum_y(p.cusum),
            said=_said(series, p),
            alarmed=p.alarmed,
            in_reference=p.in_reference,
        )
        for p in points
        if p.value is not None
    )
    band = None
    if series.mu is not None and series.sigma:
        upper, lower = y(series.mu + 2 * series.sigma), y(series.mu - 2 * series.sigma)
        band = (upper, round(lower - upper, 2))
    return Chart(
        name=series.label,
        said=_summary(series, points),
        dots=dots,
        line=_path(days, [(p.day, None if p.value is None else y(p.value)) for p in points]),
        cusum_line=_path(days, [(p.day, cusum_y(p.cusum)) for p in points]),
        days=days.ticks(),
        values=tuple(Tick(y(v), value_text(series, v)) for v in _round_values(low, high)),
        band=band,
        mu_y=None if series.mu is None else y(series.mu),
        limit_y=cusum_y(series.h),
        episodes=tuple(_span(one, days) for one in episodes if _is_seen(one, days)),
        flags=tuple(
            Flag(days.x(date.fromisoformat(day)), number, f"{day}: {text}")
            for day, number, text in changes
            if days.first <= date.fromisoformat(day) <= days.last
        ),
        alarmed=bool(points) and points[-1].alarmed,
        rows=tuple(_row(series, p) for p in reversed(points)),
    )


def value_text(series: Series, value: float | None) -> str:
    """Write a value of the series in its unit."""
    if value is None:
        return words.NOTHING
    if series.scorer is not None:
        return words.mean(value, series.scale)
    if series.name.endswith("_s"):
        return words.seconds(value)
    if series.name.endswith("_usd"):
        return words.money(value)
    if series.name.endswith(("_rate", "_share")):
        return f"{value * 100:.1f} %"
    return words.number(value, 0 if abs(value) >= 100 else 2)


def _summary(series: Series, points: Sequence[Point]) -> str:
    """Say the chart in a sentence."""
    if not points:
        return "no judged day yet"
    last = points[-1]
    parts = [f"{value_text(series, last.value)} on {last.day}"]
    if series.mu is not None:
        parts.append(
            f"reference {value_text(series, series.mu)} over {words.counted(series.reference_days, 'day')}"
        )
    elif series.learning:
        parts.append(f"learning its reference: {words.counted(series.reference_days, 'day')} so far")
    if last.cusum is not None and series.h is not None:
        parts.append(f"CUSUM {last.cusum:.1f} of {series.h:.1f}" + (", alarm" if last.alarmed else ""))
    return ", ".join(parts)


def _said(series: Series, point: Point) -> str:
    parts = [point.day, value_text(series, point.value)]
    if point.n:
        parts.append(f"n={point.n:,}")
    if point.cusum is not None:
        parts.append(f"CUSUM {point.cusum:.1f}")
    if point.alarmed:
        parts.append("alarm")
    return ", ".join(parts)


def _row(series: Series, point: Point) -> tuple[str, ...]:
    return (
        point.day,
        value_text(series, point.value),
        f"{point.n:,}" if point.n else words.NOTHING,
        words.NOTHING if point.z is None else words.number(point.z, 1, signed=True),
        words.NOTHING if point.cusum is None else words.number(point.cusum, 1),
        "alarm" if point.alarmed else "reference" if point.in_reference else "",
    )


def _range(series: Series, points: Sequence[Point]) -> tuple[float, float]:
    values = [p.value for p in points if p.value is not None and math.isfinite(p.value)]
    if series.mu is not None and series.sigma is not None:
        values += [series.mu - 2 * series.sigma, series.mu + 2 * series.sigma]
    if not values:
        return series.scale
    low, high = min(values), max(values)
    pad = (high - low) * 0.1 or max(abs(high) * 0.05, 0.01)
    low, high = low - pad, high + pad
    if series.scorer is not None:
        # A rate of 102 % is on no scale.
        low, high = max(low, series.scale[0]), min(high, series.scale[1])
    else:
        low = max(0.0, low)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _round_values(low: float, high: float) -> list[float]:
    """Return about four round values between two bounds."""
    raw = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * k for k in (1, 2, 2.5, 5, 10) if power * k >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [n * step for n in range(first, last + 1)]


def _path(days: Days, points: Sequence[tuple[str, float | None]]) -> str:
    """Return an SVG path through the points, broken where there is no value and where days lack a run."""
    parts: list[str] = []
    before: date | None = None
    for name, y in points:
        if y is None:
            before = None
            continue
        day = date.fromisoformat(name)
        joined = before is not None and (day - before).days <= 1
        parts.append(f"{'L' if joined else 'M'}{days.x(day):g} {y:g}")
        before = day
    return "".join(parts)


def _is_seen(episode: Episode, days: Days) -> bool:
    end = episode.recovered or episode.last_bad
    return date.fromisoformat(end.day) >= days.first


def _span(episode: Episode, days: Days) -> Span:
    """Return the days of an incident; an open one goes on to the right edge."""
    start = days.x(date.fromisoformat(episode.first_bad.day))
    end = days.x(date.fromisoformat(episode.recovered.day) if episode.recovered else days.last)
    until = episode.recovered.day if episode.recovered else "now"
    return Span(start, round(max(3.0, end - start), 2), f"incident from {episode.first_bad.day} to {until}")
