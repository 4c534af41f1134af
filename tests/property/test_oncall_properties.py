"""Whatever the plan: one person at every instant, shifts that tile time, deadlines after the page.

Around the changes of the clocks of Europe/Berlin, America/New_York and Australia/Lord_Howe above all.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pytest_aioncall.decide.oncall import (
    deadline,
    escalations,
    is_business,
    next_opening,
    on_call_at,
    shifts,
)
from pytest_aioncall.model.oncall import OnCall, Override, Rotation

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
# The instants of the changes of 2026 and 2027 in these zones, to the hour.
CHANGES = (
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
minutes = st.integers(-40 * 60, 40 * 60).map(lambda n: timedelta(minutes=n))
seconds = st.integers(0, 59).map(lambda n: timedelta(seconds=n))
near_a_change = st.builds(
    lambda change, by, more: change + by + more, st.sampled_from(CHANGES), minutes, seconds
)
any_time = st.datetimes(datetime(2025, 1, 1), datetime(2028, 12, 31)).map(
    lambda moment: moment.replace(tzinfo=UTC, microsecond=0)
)
instants = st.one_of(near_a_change, any_time)
days = st.dates(date(2025, 6, 1), date(2027, 6, 1))


@st.composite
def rotations(draw: st.DrawFn, names: str = "abcde") -> Rotation:
    hour, minute = draw(st.integers(0, 23)), draw(st.sampled_from([0, 15, 30]))
    count = draw(st.integers(1, len(names)))
    return Rotation(
        start=draw(days),
        handoff=f"{draw(st.sampled_from(DAYS))} {hour:02d}:{minute:02d}",
        people=tuple(f"@{name}" for name in names[:count]),
    )


@st.composite
def overrides(draw: st.DrawFn) -> Override:
    start = draw(st.sampled_from(CHANGES)).replace(tzinfo=None) + draw(minutes)
    end = start + timedelta(minutes=draw(st.integers(181, 60 * 24 * 6)))
    return Override(
        start=f"{start:%Y-%m-%d %H:%M}",
        end=f"{end:%Y-%m-%d %H:%M}",
        person=draw(st.sampled_from(["@x", "@a"])),
    )


@st.composite
def plans(draw: st.DrawFn) -> OnCall:
    return OnCall(
        timezone=draw(st.sampled_from(ZONES)),
        rotation=draw(rotations()),
        secondary=draw(st.one_of(st.none(), rotations("edcba"))),
        overrides=tuple(draw(st.lists(overrides(), max_size=3))),
    )


@given(plans(), instants)
@settings(max_examples=150, deadline=None)
def test_exactly_one_person_is_on_call_at_every_instant_of_a_shift(oncall: OnCall, at: datetime) -> None:
    shift = on_call_at(oncall, at)
    assert shift.primary is not None and shift.primary != shift.secondary
    assert shift.start is not None and shift.end is not None
    assert shift.start <= at < shift.end
    last = shift.end - timedelta(microseconds=1)
    assert on_call_at(oncall, shift.start) == shift == on_call_at(oncall, last)
    assert on_call_at(oncall, shift.end) != shift


@given(plans(), instants, st.integers(1, 40))
@settings(max_examples=100, deadline=None)
def test_shifts_tile_time_without_gap_or_overlap(oncall: OnCall, since: datetime, length: int) -> None:
    until = since + timedelta(days=length)
    found = list(shifts(oncall, since=since, until=until))
    first, last = found[0], found[-1]
    assert first.start is not None and last.end is not None and last.start is not None
    assert first.start <= since and last.start < until <= last.end
    for before, after in pairwise(found):
        assert before.end == after.start
        assert before.end is not None and before.start is not None and before.start < before.end


@given(st.sampled_from(ZONES), rotations(), instants)
@settings(max_examples=200, deadline=None)
def test_the_week_on_the_wall_decides_but_in_the_hours_of_a_change(
    zone: str, rotation: Rotation, at: datetime
) -> None:
    """An oracle that knows no offsets: whole weeks between what two clocks show."""
    local = at.astimezone(ZoneInfo(zone))
    hour, minute = (int(part) for part in rotation.handoff[4:].split(":"))
    first = rotation.start
    while DAYS[first.weekday()] != rotation.handoff[:3]:
        first += timedelta(days=1)
    begun = datetime.combine(first, time(hour, minute))
    shown = local.replace(tzinfo=None)
    into = (shown - begun) % timedelta(days=7)
    steady = all(
        (at + timedelta(hours=by)).astimezone(ZoneInfo(zone)).utcoffset() == local.utcoffset()
        for by in (-2, 2)
    )
    assume(steady or timedelta(hours=2) < into < timedelta(days=6, hours=22))
    number = (shown - begun) // timedelta(days=7)
    found = on_call_at(OnCall(timezone=zone, rotation=rotation), at)
    assert found.primary == rotation.people[number % len(rotation.people)]


@given(plans(), instants)
@settings(max_examples=60, deadline=None)
def test_everybody_has_a_week_before_anybody_has_a_second_one(oncall: OnCall, at: datetime) -> None:
    alone = OnCall(timezone=oncall.timezone, rotation=oncall.rotation)
    assert alone.rotation is not None
    people = alone.rotation.people
    start = on_call_at(alone, at).start
    assert start is not None
    found = list(shifts(alone, since=start, until=start + timedelta(days=7 * len(people) - 1)))
    assert sorted(str(shift.primary) for shift in found) == sorted(people)
    lengths = {shift.end - shift.start for shift in found if shift.end and shift.start}
    hour = timedelta(hours=1)
    assert all(timedelta(days=7) - hour <= length <= timedelta(days=7) + hour for length in lengths)


clocks = st.tuples(st.integers(0, 23 * 4), st.integers(1, 24 * 4)).filter(lambda pair: pair[0] < pair[1])


def clock(quarter: int) -> str:
    return f"{quarter // 4:02d}:{quarter % 4 * 15:02d}"


@st.composite
def intervals(draw: st.DrawFn) -> dict[str, Any]:
    interval: dict[str, Any] = {
        "times": [
            {"start_time": clock(start), "end_time": clock(end)}
            for start, end in draw(st.lists(clocks, max_size=2))
        ],
        "weekdays": draw(st.sampled_from([[], ["monday:friday"], ["sunday", "wed:sat"]])),
        "days_of_month": draw(st.sampled_from([[], ["1:20"], ["-7:-1", "3"]])),
    }
    if draw(st.booleans()):
        interval["location"] = draw(st.sampled_from(ZONES))
    return interval


@st.composite
def hours(draw: st.DrawFn) -> OnCall:
    return OnCall.model_validate(
        {
            "timezone": draw(st.sampled_from(ZONES)),
            "business_hours": draw(st.lists(intervals(), max_size=2)),
            "holidays": draw(st.lists(st.sampled_from([date(2026, 10, 25), date(2026, 3, 8)]), max_size=1)),
            "sla": {
                "business": draw(st.sampled_from(["30m", "5m", "3h"])),
                "off_hours": draw(st.sampled_from(["2h", "26h"])),
            },
        }
    )


@given(hours(), instants)
@settings(max_examples=150, deadline=None)
def test_a_deadline_is_after_the_page_and_never_later_than_its_class_allows(
    oncall: OnCall, at: datetime
) -> None:
    found = deadline(oncall, at)
    amounts = {"5m": 5, "30m": 30, "3h": 180, "2h": 120, "26h": 26 * 60}
    business, off = (timedelta(minutes=amounts[text]) for text in (oncall.sla.business, oncall.sla.off_hours))
    assert found.business == is_business(oncall, at)
    if found.business:
        assert found.due - at == business
        return
    assert timedelta(0) < found.due - at <= off
    if found.due - at < off:
        opened = found.due - business
        assert at < opened and is_business(oncall, opened)
        assert not is_business(oncall, opened - timedelta(seconds=1))


@given(hours(), near_a_change, st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_the_next_opening_is_the_first_minute_that_is_open_after_one_that_is_not(
    oncall: OnCall, at: datetime, length: int
) -> None:
    """The oracle looks at every minute."""
    at = at.replace(second=0)
    until = at + timedelta(hours=length)
    moments = [at + timedelta(minutes=n) for n in range(length * 60)]
    is_open = [is_business(oncall, moment) for moment in moments]
    opened = [
        m for m, before, now in zip(moments[1:], is_open, is_open[1:], strict=False) if now and not before
    ]
    assert next_opening(oncall, at, until=until) == (opened[0] if opened else None)


@given(hours(), rotations(), instants, st.integers(0, 100), st.integers(0, 100))
@settings(max_examples=100, deadline=None)
def test_steps_only_grow_with_time_and_end_with_an_acknowledgement(
    times: OnCall, rotation: Rotation, fired: datetime, after: int, acked: int
) -> None:
    oncall = times.model_copy(update={"rotation": rotation, "channel": "team", "owners": {"e": "@owner"}})

    def due(hours: int, acked_at: datetime | None = None) -> tuple[Any, ...]:
        now = fired + timedelta(hours=hours)
        return escalations(oncall, fired_at=fired, acked_at=acked_at, now=now, evalset="e", owner="@x")

    now, later = due(after), due(after + 7)
    assert now == later[: len(now)]
    assert now[0].at == fired and now[0].role == "primary"
    assert [step.at for step in later] == sorted({step.at for step in later})
    assert len({step.to for step in later}) == len(later)
    moment = fired + timedelta(hours=acked)
    assert due(200, moment) == tuple(s for s in due(200) if s.at < moment or s.role == "primary")
