"""Moments and durations as people read them: with weekday and offset, in no locale but this one."""

from __future__ import annotations

from datetime import datetime, timedelta

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def moment(at: datetime) -> str:
    """Write a time as its own clock shows it: `Mon 2026-11-30 10:00 +01:00`."""
    return f"{_DAYS[at.weekday()]} {at:%Y-%m-%d %H:%M} {offset(at)}"


def offset(at: datetime) -> str:
    """Write the offset of a time from UTC: `+01:00`."""
    east = at.utcoffset() or timedelta(0)
    minutes = round(abs(east).total_seconds() / 60)
    return f"{'-' if east < timedelta(0) else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def length(duration: timedelta) -> str:
    """Write a duration to the minute: `30 min`, `2 h`, `1 h 30 min`, `3 days`, `1 day 2 h`."""
    minutes = round(duration.total_seconds() / 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{days} day" if days == 1 else f"{days} days"] if days else []
    parts += [f"{hours} h"] if hours else []
    parts += [f"{minutes} min"] if minutes or not parts else []
    return " ".join(parts)
