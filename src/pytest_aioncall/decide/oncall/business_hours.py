"""Business hours, as Alertmanager's `time_intervals` say them: by the clocks on the wall.

A moment is in an interval when each field that is not empty holds one range that fits; it is in business
hours when it is in one of the intervals, on a day that is no holiday. Source of the rules: Alertmanager's
documentation of `time_interval`. Ranges of times exclude their end, all others include both; days of the
month are clamped to it. Two things differ: without a `location` the section's time zone holds, not UTC,
and holidays are taken out.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from ...model.oncall import OnCall, TimeInterval
from ...model.schedule import DAY_MINUTES, SpanKind, parse_clock, parse_span
from .zones import in_zone, utc, zone_of

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


def is_business(oncall: OnCall, at: datetime) -> bool:
    """Tell whether `at` (aware) is in business hours."""
    instant = utc(at)
    return any(_holds(one, instant, oncall) for one in oncall.business_hours)


def next_opening(oncall: OnCall, at: datetime, *, until: datetime) -> datetime | None:
    """Return when business hours begin next, after `at` and before `until`; None where they do not.

    At `at` they may be open: then the opening after their next closing counts.
    """
    start, end = utc(at), utc(until)
    edges = {edge for one in oncall.business_hours for edge in _edges(one, start, end, oncall)}
    for edge in sorted(edge for edge in edges if start < edge < end):
        if is_business(oncall, edge) and not is_business(oncall, edge - timedelta(microseconds=1)):
            return in_zone(edge, zone_of(oncall.timezone))
    return None


def _zone(interval: TimeInterval, oncall: OnCall) -> tzinfo:
    return zone_of(interval.location or oncall.timezone)


def _holds(interval: TimeInterval, instant: datetime, oncall: OnCall) -> bool:
    """Tell whether clocks that stand where the interval is say that it holds."""
    local = instant.astimezone(_zone(interval, oncall))
    minute = local.hour * 60 + local.minute
    return _holds_on(interval, local.date(), oncall.holidays) and (
        not interval.times or any(start <= minute < end for start, end in _times(interval))
    )


def _times(interval: TimeInterval) -> list[tuple[int, int]]:
    return [(parse_clock(one.start_time), parse_clock(one.end_time)) for one in interval.times]


def _holds_on(interval: TimeInterval, day: date, holidays: Sequence[date]) -> bool:
    """Tell whether the interval holds at some time of a day."""
    if day in holidays:
        return False
    return (
        _fits(interval.weekdays, "weekdays", day.isoweekday() % 7)
        and _fits_day(interval.days_of_month, day)
        and _fits(interval.months, "months", day.month)
        and _fits(interval.years, "years", day.year)
    )


def _fits(ranges: Sequence[str], kind: SpanKind, value: int) -> bool:
    spans = [parse_span(text, kind) for text in ranges]
    return not spans or any(first <= value <= last for first, last in spans)


def _fits_day(ranges: Sequence[str], day: date) -> bool:
    days = calendar.monthrange(day.year, day.month)[1]
    for text in ranges:
        first, last = (
            number if number > 0 else days + number + 1 for number in parse_span(text, "days_of_month")
        )
        if first <= day.day <= last:
            return True
    return not ranges


def _edges(interval: TimeInterval, start: datetime, end: datetime, oncall: OnCall) -> Iterator[datetime]:
    """Yield every instant from `start` to `end` at which the interval can begin, in UTC, and some more."""
    zone = _zone(interval, oncall)
    day = start.astimezone(zone).date() - _DAY
    # A day late: what an interval of another zone calls tomorrow may begin today.
    while day <= end.astimezone(zone).date() + _DAY:
        if _holds_on(interval, day, oncall.holidays):
            yield from _edges_of(interval, day, zone)
        day += _DAY


def _edges_of(interval: TimeInterval, day: date, zone: tzinfo) -> Iterator[datetime]:
    midnight = datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
    after = datetime.combine(day + _DAY, time(), tzinfo=zone).astimezone(UTC)
    if after - midnight == _DAY:
        for minute, _ in _times(interval) or [(0, DAY_MINUTES)]:
            yield midnight + minute * _MINUTE
        return
    # The clocks change on this day: what they show comes twice or never, so every minute is looked at.
    instant = midnight
    while instant < after:
        yield instant
        instant += _MINUTE
