"""Until when a page has to be acknowledged, what business hours are, and who is asked next."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from pytest_aioncall.decide.oncall import (
    deadline,
    escalations,
    is_business,
    next_opening,
    owner_of,
)
from pytest_aioncall.model.oncall import OnCall, Rotation

WEEK = {"times": [{"start_time": "09:00", "end_time": "17:00"}], "weekdays": ["monday:friday"]}


def berlin(**keys: Any) -> OnCall:
    return OnCall.model_validate({"timezone": "Europe/Berlin", **keys})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("fired", "due", "business"),
    [
        ("2026-11-24T10:00:00+01:00", "2026-11-24T10:30:00+01:00", True),
        ("2026-11-24T09:00:00+01:00", "2026-11-24T09:30:00+01:00", True),
        # The class is fixed when the page fires: hours that close give nobody more time.
        ("2026-11-24T16:50:00+01:00", "2026-11-24T17:20:00+01:00", True),
        ("2026-11-24T17:00:00+01:00", "2026-11-24T19:00:00+01:00", False),
        # Hours open meanwhile: half an hour from the opening on, and never later than without them.
        ("2026-11-24T08:59:59+01:00", "2026-11-24T09:30:00+01:00", False),
        ("2026-11-24T08:00:00+01:00", "2026-11-24T09:30:00+01:00", False),
        ("2026-11-24T07:15:00+01:00", "2026-11-24T09:15:00+01:00", False),
        ("2026-11-24T07:00:00+01:00", "2026-11-24T09:00:00+01:00", False),
        ("2026-11-24T06:30:00+01:00", "2026-11-24T08:30:00+01:00", False),
        ("2026-11-28T10:00:00+01:00", "2026-11-28T12:00:00+01:00", False),
        # In another offset than the section's.
        ("2026-11-24T09:00:00Z", "2026-11-24T10:30:00+01:00", True),
        # Across a change of the clocks two hours are two hours.
        ("2027-03-28T01:30:00+01:00", "2027-03-28T04:30:00+02:00", False),
        ("2026-10-25T02:30:00+02:00", "2026-10-25T03:30:00+01:00", False),
    ],
)
def test_half_an_hour_in_business_hours_and_two_hours_outside(fired: str, due: str, business: bool) -> None:
    found = deadline(berlin(), at(fired))
    assert (found.due.isoformat(), found.business) == (due, business)


def test_a_holiday_has_no_business_hours() -> None:
    oncall = berlin(holidays=["2026-12-25"])
    assert deadline(oncall, at("2026-12-25T10:00:00+01:00")).due == at("2026-12-25T12:00:00+01:00")
    assert not is_business(oncall, at("2026-12-25T10:00:00+01:00"))
    assert is_business(berlin(), at("2026-12-25T10:00:00+01:00"))


def test_a_long_sla_ends_soon_after_the_next_opening() -> None:
    oncall = berlin(sla={"business": "1h30m", "off_hours": "3d"}, holidays=["2026-11-30"])
    # Friday evening; Monday is a holiday, so hours open on Tuesday, after the three days.
    assert deadline(oncall, at("2026-11-27T20:00:00+01:00")).due == at("2026-11-30T20:00:00+01:00")
    assert deadline(oncall, at("2026-11-29T08:00:00+01:00")).due == at("2026-12-01T10:30:00+01:00")


def test_without_business_hours_it_is_always_off_hours_and_with_all_of_them_never() -> None:
    never, always = berlin(business_hours=[]), berlin(business_hours=[{}])
    for moment in ("2026-11-24T10:00:00+01:00", "2026-11-28T03:00:00+01:00"):
        assert not deadline(never, at(moment)).business
        assert deadline(always, at(moment)).business


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        (
            {"weekdays": ["monday:friday", "sunday"]},
            ["2026-11-22T12:00", "2026-11-27T23:59"],
            ["2026-11-28T12:00"],
        ),
        ({"weekdays": ["Sat"]}, ["2026-11-28T00:00"], ["2026-11-29T00:00", "2026-11-27T23:59"]),
        ({"days_of_month": ["1:7"]}, ["2026-11-01T00:00", "2026-11-07T23:59"], ["2026-11-08T00:00"]),
        ({"days_of_month": ["-1"]}, ["2026-11-30T12:00", "2028-02-29T12:00"], ["2028-02-28T12:00"]),
        ({"days_of_month": ["-3:-1"]}, ["2026-02-26T12:00"], ["2026-02-25T12:00"]),
        ({"days_of_month": ["28:-1"]}, ["2026-02-28T12:00", "2026-01-31T12:00"], ["2026-02-27T12:00"]),
        ({"days_of_month": ["1:31"]}, ["2026-02-28T12:00"], []),
        ({"days_of_month": ["29:31"]}, ["2026-01-29T12:00"], ["2026-02-28T12:00", "2026-02-01T12:00"]),
        ({"days_of_month": ["-31:-29"]}, ["2026-01-01T12:00"], ["2026-02-01T12:00"]),
        ({"months": ["may:august", "12"]}, ["2026-05-01T00:00", "2026-12-31T23:59"], ["2026-09-01T00:00"]),
        ({"years": ["2026:2027"]}, ["2026-01-01T00:00", "2027-12-31T23:59"], ["2028-01-01T00:00"]),
        (
            {
                "times": [
                    {"start_time": "17:00", "end_time": "24:00"},
                    {"start_time": "00:00", "end_time": "02:00"},
                ]
            },
            ["2026-11-24T23:59", "2026-11-24T01:59", "2026-11-24T17:00"],
            ["2026-11-24T02:00", "2026-11-24T16:59"],
        ),
        # Every field that is there has to fit.
        ({**WEEK, "months": ["november"]}, ["2026-11-24T10:00"], ["2026-12-01T10:00", "2026-11-24T18:00"]),
    ],
)
def test_an_interval_means_what_alertmanager_means_by_it(
    interval: dict[str, Any], inside: list[str], outside: list[str]
) -> None:
    oncall = OnCall.model_validate({"timezone": "UTC", "business_hours": [interval]})
    for moment in inside:
        assert is_business(oncall, at(f"{moment}:59+00:00")), moment
    for moment in outside:
        assert not is_business(oncall, at(f"{moment}:00+00:00")), moment


def test_an_interval_may_be_somewhere_else() -> None:
    oncall = berlin(business_hours=[WEEK, {**WEEK, "location": "America/New_York"}])
    assert is_business(oncall, at("2026-11-24T22:30:00+01:00"))  # 16:30 in New York
    assert not is_business(oncall, at("2026-11-24T23:00:00+01:00"))
    # New York opens at 15:00 in Berlin, inside Berlin's hours.
    assert next_opening(oncall, at("2026-11-24T08:00:00+01:00"), until=at("2026-11-25T08:00:00+01:00")) == at(
        "2026-11-24T09:00:00+01:00"
    )
    assert (
        next_opening(oncall, at("2026-11-24T10:00:00+01:00"), until=at("2026-11-25T08:00:00+01:00")) is None
    )


def test_hours_that_begin_in_an_hour_that_is_skipped_begin_when_the_clocks_jump() -> None:
    oncall = berlin(business_hours=[{"times": [{"start_time": "02:30", "end_time": "05:00"}]}])
    opening = next_opening(oncall, at("2027-03-28T01:00:00+01:00"), until=at("2027-03-28T12:00:00+02:00"))
    assert opening == at("2027-03-28T03:00:00+02:00")


def test_hours_that_begin_in_an_hour_that_comes_twice_open_twice() -> None:
    oncall = berlin(business_hours=[{"times": [{"start_time": "02:30", "end_time": "03:00"}]}])
    end = at("2026-10-25T12:00:00+01:00")
    first = next_opening(oncall, at("2026-10-25T01:00:00+02:00"), until=end)
    assert first is not None and first == at("2026-10-25T02:30:00+02:00")
    assert next_opening(oncall, first, until=end) == at("2026-10-25T02:30:00+01:00")


# Who is asked next.

TEAM = berlin(
    rotation=Rotation(start=date(2026, 11, 2), people=("@ann", "@bo")),
    owners={"triage": "@owner"},
    channel="team-channel",
)


def steps(oncall: OnCall, fired: str, now: str, acked: str | None = None) -> list[tuple[str, str, str]]:
    found = escalations(
        oncall,
        fired_at=at(fired),
        acked_at=at(acked) if acked else None,
        now=at(now),
        evalset="triage",
        owner="@default",
    )
    return [(step.at.strftime("%a %H:%M"), step.to, step.role) for step in found]


NIGHT = "2026-11-04T03:00:00+01:00"


@pytest.mark.parametrize(
    ("now", "roles"),
    [
        ("2026-11-04T02:59:59+01:00", []),
        ("2026-11-04T03:00:00+01:00", ["primary"]),
        ("2026-11-04T04:59:59+01:00", ["primary"]),
        ("2026-11-04T05:00:00+01:00", ["primary", "owner"]),
        ("2026-11-04T07:00:00+01:00", ["primary", "owner", "channel"]),
        ("2026-11-09T07:00:00+01:00", ["primary", "owner", "channel"]),
    ],
)
def test_each_step_is_due_when_the_time_of_the_one_before_is_over(now: str, roles: list[str]) -> None:
    assert [role for _, _, role in steps(TEAM, NIGHT, now)] == roles


def test_a_page_at_night_goes_to_the_primary_then_the_owner_then_the_channel() -> None:
    assert steps(TEAM, NIGHT, "2026-11-05T00:00:00+01:00") == [
        ("Wed 03:00", "@ann", "primary"),
        ("Wed 05:00", "@owner", "owner"),
        ("Wed 07:00", "team-channel", "channel"),
    ]


def test_every_step_has_the_time_of_its_own_hour() -> None:
    """From 16:50 the primary has half an hour; who is asked at 17:20 is asked outside business hours."""
    assert steps(TEAM, "2026-11-04T16:50:00+01:00", "2026-11-05T00:00:00+01:00") == [
        ("Wed 16:50", "@ann", "primary"),
        ("Wed 17:20", "@owner", "owner"),
        ("Wed 19:20", "team-channel", "channel"),
    ]


def test_the_secondary_is_asked_before_the_owner() -> None:
    oncall = TEAM.model_copy(update={"secondary": Rotation(start=date(2026, 11, 2), people=("@cy",))})
    assert [to for _, to, _ in steps(oncall, NIGHT, "2026-11-05T00:00:00+01:00")] == [
        "@ann",
        "@cy",
        "@owner",
        "team-channel",
    ]


@pytest.mark.parametrize(
    ("acked", "asked"),
    [
        ("2026-11-04T02:00:00+01:00", ["@ann"]),
        ("2026-11-04T03:10:00+01:00", ["@ann"]),
        ("2026-11-04T05:00:00+01:00", ["@ann"]),
        ("2026-11-04T05:00:01+01:00", ["@ann", "@owner"]),
        ("2026-11-04T08:00:00+01:00", ["@ann", "@owner", "team-channel"]),
    ],
)
def test_an_acknowledgement_stops_the_clock(acked: str, asked: list[str]) -> None:
    assert [to for _, to, _ in steps(TEAM, NIGHT, "2026-11-06T00:00:00+01:00", acked)] == asked


def test_nobody_is_asked_twice() -> None:
    oncall = TEAM.model_copy(update={"owners": {"triage": "@Ann"}})
    assert [(to, role) for _, to, role in steps(oncall, NIGHT, "2026-11-05T00:00:00+01:00")] == [
        ("@ann", "primary"),
        ("team-channel", "channel"),
    ]


def test_without_a_rotation_the_owner_is_asked_first_and_without_a_channel_it_ends_there() -> None:
    assert steps(berlin(), NIGHT, "2026-11-05T00:00:00+01:00") == [("Wed 03:00", "@default", "owner")]


def test_the_owner_of_the_section_wins_over_the_evalsets_own() -> None:
    assert owner_of(TEAM, "triage", "@default") == "@owner"
    assert owner_of(TEAM, "other", "@default") == "@default"
