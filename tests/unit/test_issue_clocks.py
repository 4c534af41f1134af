"""What a wrong clock does to an issue: nothing that lasts."""

from __future__ import annotations

from issue_days import MemoryTracker, alerts_of, at, condition, publish


def test_a_run_of_the_future_in_an_issue_makes_no_later_run_late() -> None:
    """Else the issue would say nothing more, and would not close, until that day."""
    tracker = MemoryTracker()
    publish(tracker, alerts_of(condition(400, first=1)), now=at(1))
    assert [one.state for one in tracker.issues.values()] == ["open"]
    over = condition(5, state="good", first=1, good=[3, 4, 5], recovered=5)
    publish(tracker, alerts_of(over), now=at(5))
    assert [one.state for one in tracker.issues.values()] == ["closed"]


def test_a_run_that_comes_late_is_late_still() -> None:
    tracker = MemoryTracker()
    publish(tracker, alerts_of(condition(5, first=1)), now=at(5))
    over = condition(4, state="good", first=1, good=[2, 3, 4], recovered=4)
    publish(tracker, alerts_of(over), now=at(5, 1))
    assert [one.state for one in tracker.issues.values()] == ["open"]
