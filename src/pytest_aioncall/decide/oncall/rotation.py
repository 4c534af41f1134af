"""The weekly rotation: one person at every instant, in weeks that are seven local days long.

A handoff is a local time. Two of them are 168 hours apart, or 167 or 169 where the clocks change between
them. The rotation holds before its `start`, too, counted backwards: somebody is on call at every instant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo

from ...model.oncall import OnCall, Rotation
from ...model.schedule import instant_of, parse_handoff, parse_moment
from .zones import in_zone, utc, zone_of

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Shift:
    """From `start` until `end` (not included) nobody changes. All None where nobody is on call by plan.

    instead_of  whom an override relieves; None where the rotation's own person is the primary
    """

    primary: str | None = None
    secondary: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    instead_of: str | None = None


@dataclass(frozen=True, slots=True)
class _Weeks:
    """A rotation with its text read: the local day of handoff number 0, and the time of every one."""

    people: tuple[str, ...]
    first: date
    at: time
    zone: tzinfo

    @classmethod
    def of(cls, rotation: Rotation, zone: tzinfo) -> _Weeks:
        """Read a rotation; handoff number 0 is the first one on or after `start`."""
        weekday, at = parse_handoff(rotation.handoff)
        first = rotation.start + timedelta(days=(weekday - rotation.start.weekday()) % 7)
        return cls(rotation.people, first, at, zone)

    def handoff(self, number: int) -> datetime:
        """Return the instant of a handoff in UTC."""
        return instant_of(datetime.combine(self.first + number * _WEEK, self.at), self.zone)

    def number_at(self, instant: datetime) -> int:
        """Return the number of the last handoff that is not after `instant`."""
        number = (instant.astimezone(self.zone).date() - self.first) // _WEEK
        # A local day knows its handoff but not the hour: one off at the most.
        while self.handoff(number) > instant:
            number -= 1
        while self.handoff(number + 1) <= instant:
            number += 1
        return number

    def person_at(self, instant: datetime) -> str:
        return self.people[self.number_at(instant) % len(self.people)]

    def around(self, instant: datetime) -> tuple[datetime, datetime]:
        """Return the handoffs before (or at) and after an instant."""
        number = self.number_at(instant)
        return self.handoff(number), self.handoff(number + 1)


@dataclass(frozen=True, slots=True)
class _Plan:
    """The whole plan in UTC. Of overrides that overlap, the last one in the file holds."""

    zone: tzinfo
    weeks: _Weeks | None
    secondary: _Weeks | None
    overrides: tuple[tuple[datetime, datetime, str], ...]

    @classmethod
    def of(cls, oncall: OnCall) -> _Plan:
        zone = zone_of(oncall.timezone)
        return cls(
            zone=zone,
            weeks=_Weeks.of(oncall.rotation, zone) if oncall.rotation else None,
            secondary=_Weeks.of(oncall.secondary, zone) if oncall.secondary else None,
            overrides=tuple(
                (
                    instant_of(parse_moment(one.start), zone),
                    instant_of(parse_moment(one.end), zone),
                    one.person,
                )
                for one in oncall.overrides
            ),
        )

    def people_at(self, instant: datetime) -> Shift:
        """Return who is on call, without the ends of the shift."""
        planned = self.weeks.person_at(instant) if self.weeks else None
        stands_in = [person for start, end, person in self.overrides if start <= instant < end]
        primary = stands_in[-1] if stands_in else planned
        second = self.secondary.person_at(instant) if self.secondary else None
        return Shift(
            primary=primary,
            # Nobody is asked twice: who is the primary cannot be the one who is asked next.
            secondary=None if _same(second, primary) else second,
            instead_of=None if _same(primary, planned) else planned,
        )

    def around(self, instant: datetime) -> tuple[datetime | None, datetime | None]:
        """Return the last edge that is not after `instant` and the next one; None where there is none."""
        before: list[datetime] = []
        after: list[datetime] = []
        for weeks in (self.weeks, self.secondary):
            if weeks is not None:
                last, coming = weeks.around(instant)
                before.append(last)
                after.append(coming)
        for start, end, _ in self.overrides:
            if start < end:
                before += [edge for edge in (start, end) if edge <= instant]
                after += [edge for edge in (start, end) if edge > instant]
        return max(before, default=None), min(after, default=None)

    def is_handoff(self, instant: datetime) -> bool:
        return self.weeks is not None and self.weeks.around(instant)[0] == instant

    def shift_at(self, instant: datetime) -> Shift:
        """Return the shift around an instant: from handoff to handoff, cut where somebody else takes over."""
        people = self.people_at(instant)
        start, end = self.around(instant)
        # An edge at which nobody changes (of an override under a later one) does not end a shift.
        while start is not None and not self.is_handoff(start):
            earlier = start - timedelta(microseconds=1)
            if self.people_at(earlier) != people:
                break
            start = self.around(earlier)[0]
        while end is not None and not self.is_handoff(end) and self.people_at(end) == people:
            end = self.around(end)[1]
        return replace(
            people,
            start=None if start is None else in_zone(start, self.zone),
            end=None if end is None else in_zone(end, self.zone),
        )


def on_call_at(oncall: OnCall, at: datetime) -> Shift:
    """Return who is on call at `at` (aware), and from when until when that holds."""
    return _Plan.of(oncall).shift_at(utc(at))


def shifts(oncall: OnCall, *, since: datetime, until: datetime) -> Iterator[Shift]:
    """Yield the shifts that touch the time from `since` until `until`, in their order.

    They tile it: each begins where the one before it ends. Without a rotation and overrides there is one, of
    nobody, without ends.
    """
    plan = _Plan.of(oncall)
    instant, last = utc(since), utc(until)
    while instant < last:
        shift = plan.shift_at(instant)
        yield shift
        if shift.end is None:
            return
        instant = utc(shift.end)


def _same(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one.casefold() == other.casefold()
