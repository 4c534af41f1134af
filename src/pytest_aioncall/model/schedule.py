"""How `aioncall.yaml` writes time: durations, handoffs, ranges of days, moments. Text in, numbers out.

Everything here raises ValueError with what is needed ("a duration with its unit, for example 30m"), so that
the loader says it with file and line, and decisions read the same text in the same way.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final, Literal

SpanKind = Literal["weekdays", "days_of_month", "months", "years"]

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
DAY_MINUTES: Final = 24 * 60
SHORTEST: Final = timedelta(minutes=1)
LONGEST: Final = timedelta(days=14)
"""Durations that an SLA can have."""

_DURATION = re.compile(r"(?:(\d{1,3})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_HANDOFF = re.compile(r"([A-Za-z]+) +(\S+)")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?")


def parse_duration(text: str, *, longest: timedelta = LONGEST) -> timedelta:
    """Return a duration such as `30m`, `2h`, `1h30m` or `7d`."""
    found = _DURATION.fullmatch(text)
    if found is None or not text:
        raise ValueError("needs a duration with its unit, for example 30m, 2h or 1h30m")
    days, hours, minutes = (int(part or 0) for part in found.groups())
    duration = timedelta(days=days, hours=hours, minutes=minutes)
    if not SHORTEST <= duration <= longest:
        raise ValueError(f"needs a duration from 1m to {longest.days}d")
    return duration


def parse_clock(text: str) -> int:
    """Return the minutes of a day at `HH:MM`; `24:00` is its end."""
    if text == "24:00":
        return DAY_MINUTES
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ValueError("needs a time of day as HH:MM, for example 09:00 (24:00 is the end of the day)")
    return int(found[1]) * 60 + int(found[2])


def parse_handoff(text: str) -> tuple[int, time]:
    """Return weekday (Monday is 0) and local time of a handoff such as `Mon 10:00`."""
    needs = "needs a weekday and a time, for example 'Mon 10:00'"
    found = _HANDOFF.fullmatch(text)
    if found is None:
        raise ValueError(needs)
    day = _index(found[1], WEEKDAYS)
    try:
        minutes = parse_clock(found[2])
    except ValueError:
        raise ValueError(needs) from None
    if day is None or minutes == DAY_MINUTES:
        raise ValueError(needs)
    return day, time(minutes // 60, minutes % 60)


def parse_span(text: str, kind: SpanKind) -> tuple[int, int]:
    """Return first and last of a range such as `monday:friday`, `1:7`, `-3:-1`, `january:march`, `2026`.

    Both ends are included. Weekdays count from Sunday, which is 0, as in Alertmanager, months from 1;
    negative days count from the end of the month. A range never runs backwards.
    """
    first, colon, last = text.strip().partition(":")
    begin = _member(first.strip(), kind)
    end = _member(last.strip(), kind) if colon else begin
    if kind == "days_of_month":
        if begin < 0 < end:
            raise ValueError("needs a last day that is counted from the end, too, for example -3:-1")
        # February decides what can never be: -1 is its 28th at the least.
        backwards = _from_first(begin) > _from_first(end)
    else:
        backwards = begin > end
    if backwards:
        week = " (a week begins on Sunday: list the days one by one)" if kind == "weekdays" else ""
        raise ValueError(f"needs a range that runs forwards{week}")
    return begin, end


def parse_moment(text: str) -> datetime:
    """Return a moment such as `2026-12-24 10:00`: naive where it names no offset, so local to somebody.

    A day alone is its beginning.
    """
    if _MOMENT.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    raise ValueError("needs a day and time, for example 2026-12-24 10:00")


def instant_of(moment: datetime, zone: tzinfo) -> datetime:
    """Return the moment in UTC; one without an offset is local to `zone`.

    A local time that comes twice is the first one; one that a clock change skips is as long after the change
    as it was meant to be after the hour before it (PEP 495 with `fold` 0).
    """
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).astimezone(UTC)


def _from_first(day: int) -> int:
    return day if day > 0 else 29 + day


def _member(text: str, kind: SpanKind) -> int:
    if kind == "weekdays":
        day = _index(text, WEEKDAYS)
        if day is None:
            raise ValueError("needs weekdays, for example monday:friday or saturday")
        return (day + 1) % 7
    if kind == "months":
        month = _index(text, MONTHS)
        if month is not None:
            return month + 1
        if not (_is_whole(text) and 1 <= int(text) <= 12):
            raise ValueError("needs months, for example january:march, 1:3 or december")
        return int(text)
    if kind == "days_of_month":
        if not (_is_whole(text) and 1 <= abs(int(text)) <= 31):
            raise ValueError("needs days of the month, for example 1:7, 15 or -1 for the last")
        return int(text)
    if not (_is_whole(text) and 1970 <= int(text) <= 9998):
        raise ValueError("needs years, for example 2026 or 2026:2028")
    return int(text)


def _is_whole(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) <= 4


def _index(text: str, names: tuple[str, ...]) -> int | None:
    """Return the place of a name, in full or as its first three letters."""
    word = text.lower()
    return next((at for at, name in enumerate(names) if word in (name, name[:3])), None)
