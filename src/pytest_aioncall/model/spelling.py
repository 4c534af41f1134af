"""Numbers as people read them: one spelling for alerts, sentences, terminal, report, comment and issue.

Fractions stay fractions in the nouns; percent and "pp" are made here, for scales from 0 to 1 only. All text
made here is ASCII.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

NOTHING = "-"


def is_rate(scale: tuple[float, float]) -> bool:
    """Tell whether values on `scale` are read as percent."""
    return tuple(scale) == (0.0, 1.0)


def number(value: float, decimals: int, *, signed: bool = False) -> str:
    """Write a number with a fixed count of decimals; a rounded zero has no sign."""
    text = f"{value:.{decimals}f}"
    if float(text) == 0.0:
        return text.lstrip("-")
    return f"+{text}" if signed and value > 0 else text


def _decimals(scale: tuple[float, float]) -> int:
    span = abs(scale[1] - scale[0])
    return 2 if span <= 20 else 1 if span <= 200 else 0


def mean(value: float | None, scale: tuple[float, float]) -> str:
    """Write a mean: `91.4 %` on a rate, `4.18` on any other scale."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{number(value * 100, 1)} %" if is_rate(scale) else number(value, _decimals(scale))


def difference(value: float | None, scale: tuple[float, float], *, unit: bool = True) -> str:
    """Write a difference of means with its sign: `-0.8 pp`, `-0.03`."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if not is_rate(scale):
        return number(value, _decimals(scale), signed=True)
    return number(value * 100, 1, signed=True) + (" pp" if unit else "")


def distance(value: float | None, scale: tuple[float, float]) -> str:
    """Write a size without sign: `24 pp`, `3.2 pp`, `0.16`."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if not is_rate(scale):
        return _not_zero(abs(value), _decimals(scale))
    points = abs(value) * 100
    if points < 0.1:
        return f"{_not_zero(points, 1)} pp"
    whole = points >= 10 or abs(points - round(points)) < 0.05
    return f"{number(points, 0 if whole else 1)} pp"


def _not_zero(size: float, decimals: int) -> str:
    """Write a size; one that is not zero never reads as zero."""
    text = number(size, decimals)
    return f"<{10**-decimals:g}" if size > 0 and float(text) == 0.0 else text


def interval(ends: tuple[float, float] | None, scale: tuple[float, float]) -> str:
    """Write an interval of a difference: `-2.9 .. +1.2 pp`."""
    if ends is None or not all(map(math.isfinite, ends)):
        return NOTHING
    low, high = (difference(end, scale, unit=False) for end in ends)
    return f"{low} .. {high}" + (" pp" if is_rate(scale) else "")


def counted(n: int, noun: str) -> str:
    """Write a count with its noun: `1 case`, `2 cases`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def money(usd: float | None) -> str:
    """Write US dollars; below a cent with four decimals."""
    if usd is None or not math.isfinite(usd):
        return "cost unknown"
    if usd == 0:
        return "$0"
    return f"${usd:.4f}" if usd < 0.01 else f"${usd:,.2f}"


def seconds(value: float | None) -> str:
    """Write a duration: `3 ms`, `0.82 s`, `1.9 s`, `41 s`, `3 min 20 s`."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value < 0.0995:
        return "0 s" if value == 0 else f"{max(1, round(value * 1000))} ms"
    if value < 60:
        return f"{value:.{2 if value < 1 else 1 if value < 10 else 0}f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def slice_name(part: Mapping[str, str] | None) -> str:
    """Write a slice: `persona=free`, empty for the overall row."""
    return ", ".join(f"{key}={value}" for key, value in (part or {}).items())


def rate(value: float) -> str:
    """Write a small share: `9.2 %`, `2 %`; one that is not zero never reads as zero."""
    if 0 < value < 0.0005:
        return "<0.1 %"
    percent = value * 100
    return f"{number(percent, 0 if abs(percent - round(percent)) < 0.05 else 1)} %"
