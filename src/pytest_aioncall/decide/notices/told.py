"""What people were told so far, and under which key: the log of deliveries, and what waits to be sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from ...model.alert import Alert, Episode, EvalsetCondition
from ...model.ticket import Delivery, Notification

STORM: Final = "storm/"
TOGETHER: Final = "together/"


@dataclass(frozen=True)
class Matter:
    """One thing that people were told of, or are about to be.

    since   by evalset, the day (YYYY-MM-DD) of the first run after which it was named
    ended   day of the run after which everybody was told of its end; None until then
    """

    key: str
    since: Mapping[str, str]
    ended: str | None = None

    @property
    def is_several(self) -> bool:
        """Tell whether it is of several evalsets, even where one of them is left."""
        return self.key.startswith((STORM, TOGETHER))

    @property
    def is_incident(self) -> bool:
        """Tell whether it is an incident of one evalset or of many: anything else has its kind in its key."""
        of_one = any(self.key.removeprefix(f"{name}/").count("/") == 0 for name in self.since)
        return self.key.startswith(STORM) or (of_one and not self.key.startswith(TOGETHER))

    def is_of(self, alert: Alert) -> bool:
        """Tell whether it is an alert that is no incident, of one evalset or of many, since whichever run."""
        return self.key.startswith((f"{alert.evalset}/{alert.key}/", f"{TOGETHER}{alert.kind}/"))

    def episode_of(self, condition: EvalsetCondition) -> Episode | None:
        """Return the episode of an evalset that it is about; None where this run knows of none.

        By its key; where a run that arrived late has moved the first bad run, or there are many evalsets, the
        one in which people were told.
        """
        known = [one for one in (condition.episode, *condition.earlier) if one is not None]
        for episode in known:
            if incident_key(condition.evalset, episode.key) == self.key:
                return episode
        day = self.since.get(condition.evalset, "")
        for episode in known:
            end = episode.recovered.day if episode.recovered is not None else "9999"
            if episode.first_bad.day <= day <= end:
                return episode
        return None


@dataclass(frozen=True)
class Deliveries:
    """The log, by what is asked of it, and the outbox: what waits was begun under its key already."""

    log: Mapping[str, Delivery] = field(default_factory=dict)
    waiting: tuple[Notification, ...] = ()

    def has(self, id: str) -> bool:
        return id in self.log

    def of(self, key: str, action: str) -> list[Delivery]:
        return [one for one in self.log.values() if one.key == key and one.action == action]

    def channels(self, key: str) -> dict[str, Delivery]:
        """Return who was told that it began, with the first time of each."""
        found: dict[str, Delivery] = {}
        for one in sorted(self.of(key, "trigger"), key=lambda one: one.at):
            found.setdefault(one.channel, one)
        return found

    def open_keys(self) -> list[str]:
        """Return the keys that somebody was told of, and whose end not all of those know."""
        return [key for key in self._triggered if self._ended(key) is None]

    @cached_property
    def matters(self) -> dict[str, Matter]:
        """Return all that somebody was told of or is about to be, by its key."""
        everything: list[Delivery | Notification] = [*self.log.values(), *self.waiting]
        since: dict[str, dict[str, str]] = {}
        for one in everything:
            if one.action in ("trigger", "update"):
                named = since.setdefault(one.key, {})
                for evalset in one.evalsets or (one.evalset,):
                    named[evalset] = min(_day(one), named.get(evalset, "9999"))
        begun = dict.fromkeys(one.key for one in everything if one.action == "trigger")
        return {key: Matter(key, since[key], self._ended(key)) for key in begun}

    def matter(self, key: str) -> Matter:
        """Return what was told under a key; of no evalset where that is nothing."""
        return self.matters.get(key) or Matter(key, {})

    @cached_property
    def _triggered(self) -> dict[str, dict[str, str]]:
        return _days_by_channel(self.log.values(), "trigger")

    @cached_property
    def _resolved(self) -> dict[str, dict[str, str]]:
        return _days_by_channel(self.log.values(), "resolve")

    def _ended(self, key: str) -> str | None:
        told = self._resolved.get(key, {})
        everybody = self._triggered.get(key, {})
        return max(told.values()) if told and told.keys() == everybody.keys() else None


def incident_key(evalset: str, run: str) -> str:
    """Return the key of an incident: its evalset and its first bad run, as it was known when it was told."""
    return f"{evalset}/{run}"


def storm_key(run: str) -> str:
    """Return the key of incidents that are told as one: the run that began to."""
    return f"{STORM}{run}"


def _days_by_channel(log: Iterable[Delivery], action: str) -> dict[str, dict[str, str]]:
    """Return by key who was told so, and of which day that was."""
    found: dict[str, dict[str, str]] = {}
    for one in log:
        if one.action == action:
            found.setdefault(one.key, {})[one.channel] = _day(one)
    return found


def _day(one: Delivery | Notification) -> str:
    return one.day or one.at[:10]
