"""Who is on call: by hand-made cases, in local time, across both changes of the clocks, with stand-ins."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from pytest_aioncall.decide.oncall import in_zone, on_call_at, shifts, zone_of
from pytest_aioncall.model.oncall import OnCall, Override, Rotation

ANN, BO, CY = "@ann", "@bo", "@cy"
TWO = Rotation(start=date(2026, 11, 2), people=(ANN, BO))


def berlin(rotation: Rotation | None = TWO, **keys: object) -> OnCall:
    return OnCall.model_validate({"timezone": "Europe/Berlin", "rotation": rotation, **keys})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("moment", "person"),
    [
        ("2026-11-02T10:00:00+01:00", ANN),
        ("2026-11-02T09:59:59+01:00", BO),
        ("2026-11-08T23:00:00+01:00", ANN),
        ("2026-11-09T09:59:59+01:00", ANN),
        ("2026-11-09T10:00:00+01:00", BO),
        ("2026-11-09T09:00:00Z", BO),
        ("2026-11-16T10:00:00+01:00", ANN),
        # Before the first handoff the plan is counted backwards: somebody is on call at every instant.
        ("2026-10-19T12:00:00+02:00", ANN),
        ("2020-01-06T12:00:00+01:00", ANN),
        ("2020-01-13T12:00:00+01:00", BO),
    ],
)
def test_the_week_decides_from_handoff_to_handoff(moment: str, person: str) -> None:
    shift = on_call_at(berlin(), at(moment))
    assert shift.primary == person
    assert shift.start is not None and shift.end is not None
    assert shift.start <= at(moment) < shift.end


@pytest.mark.parametrize(
    ("moment", "start", "end", "hours"),
    [
        ("2026-11-05T00:00:00Z", "2026-11-02T10:00:00+01:00", "2026-11-09T10:00:00+01:00", 168),
        ("2026-10-25T01:30:00Z", "2026-10-19T10:00:00+02:00", "2026-10-26T10:00:00+01:00", 169),
        ("2027-03-28T01:30:00Z", "2027-03-22T10:00:00+01:00", "2027-03-29T10:00:00+02:00", 167),
    ],
)
def test_a_week_in_which_the_clocks_change_is_an_hour_longer_or_shorter(
    moment: str, start: str, end: str, hours: int
) -> None:
    shift = on_call_at(berlin(), at(moment))
    assert shift.start is not None and shift.end is not None
    assert (shift.start.isoformat(), shift.end.isoformat()) == (start, end)
    assert shift.end - shift.start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("handoff", "moment", "start"),
    [
        # 02:30 comes twice on 25 October 2026; the first one counts.
        ("Sun 02:30", "2026-10-25T00:30:00Z", "2026-10-25T02:30:00+02:00"),
        ("Sun 02:30", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00+02:00"),
        # It never comes on 28 March 2027: half an hour after the clocks went from two to three.
        ("Sun 02:30", "2027-03-28T01:30:00Z", "2027-03-28T03:30:00+02:00"),
        ("Sun 02:30", "2027-03-28T01:29:59Z", "2027-03-21T02:30:00+01:00"),
    ],
)
def test_a_handoff_in_the_hour_that_changes_happens_once(handoff: str, moment: str, start: str) -> None:
    rotation = Rotation(start=date(2026, 10, 4), handoff=handoff, people=(ANN, BO))
    shift = on_call_at(berlin(rotation), at(moment))
    assert shift.start is not None
    assert shift.start.isoformat() == start


def test_half_an_hour_of_summer_time_is_half_an_hour() -> None:
    oncall = OnCall(timezone="Australia/Lord_Howe", rotation=TWO)
    spring = on_call_at(oncall, at("2026-10-03T16:00:00Z"))
    assert spring.start is not None and spring.end is not None
    assert (spring.start.isoformat(), spring.end.isoformat()) == (
        "2026-09-28T10:00:00+10:30",
        "2026-10-05T10:00:00+11:00",
    )
    assert spring.end - spring.start == timedelta(hours=167, minutes=30)


def test_a_start_on_another_day_begins_with_the_first_handoff_after_it() -> None:
    oncall = berlin(Rotation(start=date(2026, 11, 4), handoff="Fri 09:00", people=(ANN, BO)))
    assert on_call_at(oncall, at("2026-11-06T09:00:00+01:00")).primary == ANN
    assert on_call_at(oncall, at("2026-11-06T08:59:00+01:00")).primary == BO


def test_the_default_rotation_begins_on_the_monday_of_the_first_week_of_2026() -> None:
    oncall = OnCall(rotation=Rotation(people=(ANN, BO, CY)))
    assert on_call_at(oncall, at("2025-12-29T10:00:00Z")).primary == ANN
    assert on_call_at(oncall, at("2026-01-12T10:00:00Z")).primary == CY


def test_one_person_is_on_call_every_week_and_each_week_is_a_shift() -> None:
    oncall = berlin(Rotation(start=date(2026, 11, 2), people=(ANN,)))
    found = list(shifts(oncall, since=at("2026-11-02T10:00:00+01:00"), until=at("2026-11-23T10:00:00+01:00")))
    assert [shift.primary for shift in found] == [ANN, ANN, ANN]
    assert all(
        s.end is not None and s.start is not None and s.end - s.start == timedelta(days=7) for s in found
    )


HOLIDAY = Override(start="2026-11-04 18:00", end="2026-11-06", person=CY)


@pytest.mark.parametrize(
    ("moment", "person", "instead_of"),
    [
        ("2026-11-04T17:59:59+01:00", ANN, None),
        ("2026-11-04T18:00:00+01:00", CY, ANN),
        ("2026-11-05T23:59:59+01:00", CY, ANN),
        ("2026-11-06T00:00:00+01:00", ANN, None),
    ],
)
def test_an_override_holds_from_its_start_until_its_end(
    moment: str, person: str, instead_of: str | None
) -> None:
    shift = on_call_at(berlin(overrides=[HOLIDAY]), at(moment))
    assert (shift.primary, shift.instead_of) == (person, instead_of)


def test_an_override_cuts_a_week_into_three_shifts() -> None:
    found = list(
        shifts(
            berlin(overrides=[HOLIDAY]),
            since=at("2026-11-02T09:00:00Z"),
            until=at("2026-11-09T09:00:00Z"),
        )
    )
    assert [shift.primary for shift in found] == [ANN, CY, ANN]
    assert [shift.end.isoformat() for shift in found if shift.end] == [
        "2026-11-04T18:00:00+01:00",
        "2026-11-06T00:00:00+01:00",
        "2026-11-09T10:00:00+01:00",
    ]


def test_of_overlapping_overrides_the_last_in_the_file_holds() -> None:
    long = Override(start="2026-11-03 00:00", end="2026-11-08 00:00", person=BO)
    short = Override(start="2026-11-05 00:00", end="2026-11-06 00:00", person=CY)
    oncall = berlin(overrides=[long, short])
    assert on_call_at(oncall, at("2026-11-05T12:00:00+01:00")).primary == CY
    assert on_call_at(oncall, at("2026-11-06T12:00:00+01:00")).primary == BO
    hidden = on_call_at(berlin(overrides=[short, long]), at("2026-11-05T12:00:00+01:00"))
    # The edges of an override that another one hides end no shift.
    assert (hidden.primary, hidden.start, hidden.end) == (
        BO,
        at("2026-11-03T00:00:00+01:00"),
        at("2026-11-08T00:00:00+01:00"),
    )


def test_an_override_over_a_handoff_leaves_one_person_on_both_sides() -> None:
    swap = Override(start="2026-11-07", end="2026-11-11T12:00+01:00", person=CY)
    found = list(
        shifts(berlin(overrides=[swap]), since=at("2026-11-08T00:00:00Z"), until=at("2026-11-12T00:00:00Z"))
    )
    assert [(shift.primary, shift.instead_of) for shift in found] == [(CY, ANN), (CY, BO), (BO, None)]


def test_an_override_by_whoever_is_on_call_anyway_changes_nothing() -> None:
    oncall = berlin(overrides=[Override(start="2026-11-03", end="2026-11-04", person="@Ann")])
    shift = on_call_at(oncall, at("2026-11-03T12:00:00+01:00"))
    assert shift.instead_of is None
    assert shift.primary is not None and shift.primary.casefold() == ANN


def test_the_secondary_rotates_on_its_own() -> None:
    second = Rotation(start=date(2026, 11, 4), handoff="Wed 12:00", people=(CY, ANN))
    oncall = berlin(secondary=second)
    assert on_call_at(oncall, at("2026-11-05T12:00:00+01:00")).secondary == CY
    found = list(shifts(oncall, since=at("2026-11-05T00:00:00Z"), until=at("2026-11-12T00:00:00Z")))
    assert [(shift.primary, shift.secondary) for shift in found] == [(ANN, CY), (BO, CY), (BO, ANN)]


def test_who_is_the_primary_is_no_secondary() -> None:
    oncall = berlin(secondary=TWO)
    assert on_call_at(oncall, at("2026-11-05T12:00:00+01:00")).secondary is None


def test_without_a_rotation_nobody_is_on_call() -> None:
    shift = on_call_at(OnCall(), at("2026-11-05T12:00:00+01:00"))
    assert (shift.primary, shift.secondary, shift.start, shift.end) == (None, None, None, None)
    assert (
        len(list(shifts(OnCall(), since=at("2026-11-05T12:00:00Z"), until=at("2026-12-05T12:00:00Z")))) == 1
    )


def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="has no offset"):
        on_call_at(berlin(), datetime(2026, 11, 5))


def test_what_is_returned_is_subtracted_in_real_time() -> None:
    """Two times of one ZoneInfo would be subtracted by what the clocks show: an hour wrong."""
    before = in_zone(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), zone_of("Europe/Berlin"))
    after = in_zone(datetime(2026, 10, 25, 2, 30, tzinfo=UTC), zone_of("Europe/Berlin"))
    assert after - before == timedelta(hours=2)
    assert (before.hour, after.hour) == (2, 3)
