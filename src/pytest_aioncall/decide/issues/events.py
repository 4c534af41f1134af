"""What happens in the life of an issue, by name: each is told in one comment, once."""

from __future__ import annotations

from ...model.alert import Episode
from .marker import event_id


def day_of(day: str) -> str:
    """Name the daily line: at most one a day, whatever ran on it."""
    return event_id("day", day)


def closed(episode: str) -> str:
    return event_id("closed", episode)


def reopened(episode: Episode) -> str:
    return event_id("reopened", episode.key)


def again(day: str) -> str:
    """Name reopening against a person's closing: at most once a day."""
    return event_id("again", day)


def worse(tier: int, episode: str) -> str:
    return event_id("worse", tier, episode)


def escalated(fired_at: str, to: str, role: str) -> str:
    return event_id("escalated", fired_at, role, to.casefold())


def answered(note: int) -> str:
    return event_id("answer", note)


def duplicate(number: int) -> str:
    return event_id("duplicate", number)


def moved(episode: str) -> str:
    return event_id("moved", episode)
