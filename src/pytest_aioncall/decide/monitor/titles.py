"""Titles of alerts in the house form, and the numbers in them: ASCII, percent on scales from 0 to 1 only.

summarizer.daily.helpfulness 24h: 4.21 -> 4.05 (delta -0.16, n=200, CI -0.24..-0.08)
ticket-triage.daily.route 24h: 92.2 % -> 84.0 % (delta -8.2 pp, n=120, CI -12.9..-3.5 pp)
"""

from __future__ import annotations

import math
from collections.abc import Mapping

Scale = tuple[float, float]
DAY = "24h"


def is_rate(scale: Scale) -> bool:
    """Tell whether values of a scale are read as percent."""
    return tuple(scale) == (0.0, 1.0)


def fixed(value: float, decimals: int, *, signed: bool = False) -> str:
    """Write a number with so many decimals; a rounded zero has no sign."""
    text = f"{value:.{decimals}f}"
    if float(text) == 0.0:
        return text.lstrip("-")
    return f"+{text}" if signed and value > 0 else text


def level(value: float | None, scale: Scale) -> str:
    """Write a mean: `92.2 %` or `4.21`; `?` where it is not known."""
    if value is None or not math.isfinite(value):
        return "?"
    return f"{fixed(100 * value, 1)} %" if is_rate(scale) else fixed(value, _decimals(scale))


def delta(value: float | None, scale: Scale, *, unit: bool = True) -> str:
    """Write a difference with its sign: `-8.2 pp` or `-0.16`."""
    if value is None or not math.isfinite(value):
        return "?"
    if not is_rate(scale):
        return fixed(value, _decimals(scale), signed=True)
    return fixed(100 * value, 1, signed=True) + (" pp" if unit else "")


def interval(ends: tuple[float, float] | None, scale: Scale) -> str:
    """Write an interval of a difference: `-12.9..-3.5 pp`; empty where there is none."""
    if ends is None or not all(map(math.isfinite, ends)):
        return ""
    low, high = (delta(end, scale, unit=False) for end in ends)
    return f"{low}..{high}" + (" pp" if is_rate(scale) else "")


def _decimals(scale: Scale) -> int:
    span = abs(scale[1] - scale[0])
    return 2 if span <= 20 else 1 if span <= 200 else 0


def where(slice_: Mapping[str, str] | None) -> str:
    """Write a slice with a blank before it: ` persona=free`; empty for the whole."""
    named = ", ".join(f"{name}={value}" for name, value in sorted((slice_ or {}).items()))
    return f" {named}" if named else ""


def about(evalset: str, subject: str, told: str, *, window: str = DAY) -> str:
    """Return a title of any alert: `EVALSET.daily.SUBJECT 24h: TOLD`."""
    return f"{evalset}.daily.{subject} {window}: {told}"


def moved(
    evalset: str,
    subject: str,
    *,
    was: float | None,
    now: float | None,
    scale: Scale,
    cases: int,
    ci: tuple[float, float] | None,
    window: str = DAY,
) -> str:
    """Return the title of a score that fell."""
    change = None if was is None or now is None else now - was
    told = f"delta {delta(change, scale)}, n={cases}"
    if ends := interval(ci, scale):
        told += f", CI {ends}"
    return about(evalset, subject, f"{level(was, scale)} -> {level(now, scale)} ({told})", window=window)


def percent(share: float) -> str:
    """Write a share: `5 %`, `9.2 %`; one that is not zero never reads as zero."""
    if 0 < share < 0.0005:
        return "<0.1 %"
    value = 100 * share
    return f"{fixed(value, 0 if abs(value - round(value)) < 0.05 else 1)} %"


def seconds(value: float | None) -> str:
    """Write a duration: `820 ms`, `1.9 s`, `41 s`."""
    if value is None or not math.isfinite(value):
        return "?"
    if value < 1:
        return f"{fixed(1000 * value, 0)} ms"
    return f"{fixed(value, 1 if value < 10 else 0)} s"


def money(usd: float | None) -> str:
    """Write US dollars; below a cent with four decimals."""
    if usd is None or not math.isfinite(usd):
        return "?"
    return f"${usd:.4f}" if 0 < usd < 0.01 else f"${usd:,.2f}"


def amount(value: float | None) -> str:
    """Write a count a sample: `812`, `3.4`; `unknown` where nobody told."""
    if value is None or not math.isfinite(value):
        return "unknown"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def times(ratio: float) -> str:
    """Write a ratio: `2.3 x`."""
    return f"{fixed(ratio, 1)} x"


def counted(number: int, noun: str) -> str:
    """Write a count with its noun: `1 case`, `2 cases`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def plain(text: str, limit: int = 160) -> str:
    """Put somebody's text on one line: printable characters only, cut at `limit`."""
    shown = "".join(char if char.isprintable() else " " for char in text[: 4 * limit])
    line = " ".join(shown.split())
    return line if len(line) <= limit else line[: limit - 3] + "..."
