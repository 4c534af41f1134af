"""Whatever stands in the sections of being on call: it is refused with lines, or can be planned with."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from pytest_aioncall.adapters.config_file import load_config
from pytest_aioncall.decide.oncall import deadline, escalations, on_call_at, shifts
from pytest_aioncall.errors import LoadError
from pytest_aioncall.model.config import Config

odd = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["", "@", "24:00", "0", "-1", "1:", ":1", "Mon", "9999-12-31", "0001-01-01", "1d1d", "\ud800"]
    ),
    st.integers(-3, 40),
    st.sampled_from([None, True, 1e300, [], {}, ["x"], {"x": "y"}]),
)


def mostly(*good: Any) -> st.SearchStrategy[Any]:
    """Draw one of the good values, and something odd now and then."""
    return st.integers(0, 39).flatmap(lambda n: odd if n == 0 else st.sampled_from(good))


def lists(*good: Any) -> st.SearchStrategy[Any]:
    return st.one_of(st.lists(mostly(*good), min_size=1, max_size=3), st.just([]))


people = mostly("@ann", "@bo", "@acme/team", "cy@example.org")
handoffs = mostly("Mon 10:00", "sun 02:30", "Wednesday 00:00", "Fri 23:59")
starts = mostly("2026-10-24", "2026-10-25 02:30", "1970-01-01")
ends = mostly("2026-10-26T02:30+01:00", "2999-12-31", "2026-10-25 03:30")
staff = {"people": st.lists(people, min_size=1, max_size=3)}
rotations = st.one_of(
    st.fixed_dictionaries(staff, optional={"handoff": handoffs}),
    st.fixed_dictionaries(staff, optional={"start": mostly("2026-11-02", "2999-12-30", "1970-01-05")}),
)
intervals = st.fixed_dictionaries(
    {},
    optional={
        "times": st.lists(
            st.fixed_dictionaries(
                {
                    "start_time": mostly("00:00", "09:00", "02:30"),
                    "end_time": mostly("17:00", "24:00", "03:00"),
                }
            ),
            max_size=2,
        ),
        "weekdays": lists("monday:friday", "sun", "Saturday"),
        "days_of_month": lists("1:7", "-1", "-31:-29", 31, "28:-1"),
        "months": lists("january:march", "12", 2),
        "years": lists("2026", "2026:2030", 2027),
        "location": mostly("Australia/Lord_Howe", "UTC"),
    },
)
sections = st.fixed_dictionaries(
    {},
    optional={
        "timezone": mostly("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"),
        "rotation": rotations,
        "secondary": st.one_of(rotations, st.none()),
        "overrides": st.lists(
            st.fixed_dictionaries({"start": starts, "end": ends, "person": people}), max_size=2
        ),
        "owners": st.dictionaries(mostly("triage", "faq").map(str), people, max_size=2),
        "business_hours": st.lists(intervals, max_size=2),
        "holidays": lists("2026-12-25", "2026-10-25"),
        "sla": st.fixed_dictionaries(
            {}, optional={"business": mostly("30m", "14d"), "off_hours": mostly("2h", "1d2h3m")}
        ),
        "channel": mostly("slack"),
    },
)
NOW = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)


@given(sections, st.dictionaries(st.just("tier2"), lists("github", "slack"), max_size=1))
@settings(max_examples=250, deadline=None)
def test_what_loads_can_be_planned_with(oncall: dict[str, Any], routes: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "aioncall.yaml"
        path.write_text(json.dumps({"oncall": oncall, "routes": routes}), encoding="utf-8")
        try:
            config = load_config(Path(folder))
        except LoadError as error:
            assert all(problem.line >= 1 and problem.message for problem in error.problems)
            return
    assert Config.model_validate_json(config.model_dump_json()) == config
    event("loads")
    plan = config.oncall
    for moment in (NOW, datetime(2027, 2, 28, 23, 59, tzinfo=UTC)):
        shift = on_call_at(plan, moment)
        assert (shift.primary is None) == (plan.rotation is None)
        assert deadline(plan, moment).due > moment
        later = moment.replace(year=moment.year + 1)
        assert next(shifts(plan, since=moment, until=later)) == shift
        steps = escalations(plan, fired_at=moment, acked_at=None, now=later, evalset="faq", owner="@x")
        assert steps[0].at == moment
