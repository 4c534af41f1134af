"""Titles of alerts in the house form, and what only they spell: ratios, amounts a sample, texts of others.

summarizer.daily.helpfulness 24h: 4.21 -> 4.05 (delta -0.16, n=200, CI -0.24..-0.08)
ticket-triage.daily.route 24h: 92.2 % -> 84.0 % (delta -8.2 pp, n=120, CI -12.9..-3.5 pp)
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ...model.spelling import difference, interval, mean, number, slice_name

Scale = tuple[float, float]
DAY = "24h"


def where(slice_: Mapping[str, str] | None) -> str:
    """Write a slice with a blank before it: ` persona=free`; empty for the whole."""
    named = slice_name(dict(sorted((slice_ or {}).items())))
    return f" {named}" if named else ""


def series(key: tuple[str, tuple[tuple[str, str], ...]]) -> str:
    """Name a series: `route`, `route shape=long`."""
    scorer, part = key
    return plain(scorer + where(dict(part)), 80)


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
    told = f"delta {difference(change, scale)}, n={cases}"
    if ci is not None and all(map(math.isfinite, ci)):
        told += f", CI {interval(ci, scale).replace(' .. ', '..')}"
    return about(evalset, subject, f"{mean(was, scale)} -> {mean(now, scale)} ({told})", window=window)


def amount(value: float | None) -> str:
    """Write a count a sample: `812`, `3.4`; `unknown` where nobody told."""
    if value is None or not math.isfinite(value):
        return "unknown"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def times(ratio: float) -> str:
    """Write a ratio: `2.3 x`."""
    return f"{number(ratio, 1)} x"


def plain(text: str, limit: int = 160) -> str:
    """Put somebody's text on one line: printable characters only, cut at `limit`."""
    shown = "".join(char if char.isprintable() else " " for char in text[: 4 * limit])
    line = " ".join(shown.split())
    return line if len(line) <= limit else line[: limit - 3] + "..."
