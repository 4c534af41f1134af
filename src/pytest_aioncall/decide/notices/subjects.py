"""What people are told about after a run, each under the key that makes all that is said of it one thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ...model.alert import Alert, AlertsFile, EvalsetCondition
from ...model.history import RunRef
from ...model.oncall import Tier
from ..oncall import EscalationStep
from .told import STORM, TOGETHER, Deliveries, Matter, incident_key, storm_key


@dataclass(frozen=True, slots=True)
class Heard:
    """What the issue of an evalset tells of it. All empty where there is none.

    is_issue   an issue stands for it now: whoever is assigned was told by it
    snoozed    people asked for silence, or let go of it: only its end is told, to who knows of it
    storm      key of the umbrella that holds it; empty where it has an issue of its own
    escalated  steps of the escalation that are due, the page itself not among them
    """

    url: str | None = None
    is_issue: bool = False
    acked_by: str | None = None
    snoozed: bool = False
    storm: str = ""
    escalated: tuple[EscalationStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing that people are told about, as it stands after this run.

    evalsets     one, or all of a storm
    first, last  first bad run, and the newest one
    """

    key: str
    evalsets: tuple[str, ...]
    tier: Tier
    alerts: tuple[Alert, ...]
    conditions: tuple[EvalsetCondition, ...]
    first: RunRef
    last: RunRef
    heard: Heard

    @property
    def evalset(self) -> str:
        return self.evalsets[0] if len(self.evalsets) == 1 and not self.is_several else "storm"

    @property
    def is_several(self) -> bool:
        """Tell whether it is about several evalsets, even where one of them is left."""
        return self.key.startswith((STORM, TOGETHER))

    @property
    def good_days(self) -> int:
        """How many good days the evalset that has the fewest of them has had since its last bad run."""
        episodes = [c.episode for c in self.conditions if c.episode is not None]
        return min((len(episode.good_days) for episode in episodes), default=0)

    @property
    def owner(self) -> str:
        return next((c.owner for c in self.conditions if c.owner), "")

    @property
    def is_judged(self) -> bool:
        """Tell whether this run could say anything of it."""
        return any(condition.state != "not_judged" for condition in self.conditions)


NOBODY: Final = Heard()


def subjects_of(
    alerts: AlertsFile,
    heard: Mapping[str, Heard],
    *,
    most: int = 3,
    sent: Deliveries | None = None,
) -> list[Subject]:
    """Return what holds after a run, worst tier first.

    An open incident takes all alerts of its evalset. Without one, each alert is a subject of its own: no
    data, a judge out of reach, a provider's change. More than `most` incidents of which nobody was told yet
    are one subject, and so is what began in one run for more than `most` evalsets: a provider that is down
    is one page. `sent` is what people were told: what was told under one key stays so, while evalsets come
    back one by one and while runs that arrive late move its beginning.
    """
    sent = sent or Deliveries()
    incidents: list[Subject] = []
    others: list[Subject] = []
    for condition in alerts.evalsets:
        for subject in _of_evalset(condition, heard.get(condition.evalset, NOBODY)):
            (incidents if condition.is_open else others).append(subject)
    matters = tuple(sent.matters.values())
    found = _others(others, most=most, matters=matters, run=alerts)
    found += _incidents(incidents, most=most, matters=matters, run=alerts)
    return sorted(found, key=lambda one: (one.tier, one.key))


def alert_key(alert: Alert, since: RunRef) -> str:
    """Return the key of an alert that is no incident: what it is, and the run since which it holds."""
    return f"{alert.evalset}/{alert.key}/{since.run}"


def _of_evalset(condition: EvalsetCondition, heard: Heard) -> Iterable[Subject]:
    episode = condition.episode
    name, where = (condition.evalset,), (condition,)
    if condition.is_open and episode is not None:
        # Without an alert it is open because it has not recovered yet, which pages nobody.
        tiers: list[Tier] = [alert.tier for alert in condition.alerts]
        key = incident_key(condition.evalset, episode.key)
        tier: Tier = min(tiers, default=3)
        first, last = episode.first_bad, episode.last_bad
        yield Subject(key, name, tier, condition.alerts, where, first, last, heard)
        return
    for alert in condition.alerts:
        since = alert.since or condition.run
        key = alert_key(alert, since)
        yield Subject(key, name, alert.tier, (alert,), where, since, condition.run, heard)


def _incidents(
    incidents: Sequence[Subject], *, most: int, matters: Sequence[Matter], run: AlertsFile
) -> list[Subject]:
    """Give each open incident the key under which people know it; join those that have one key.

    Those of which nobody was told yet and that have no issue are one where they are many, as their issue
    would be. What a person took out of a storm's issue is told on its own.
    """
    has_umbrella = any(one.heard.storm for one in incidents)
    by_key: dict[str, list[Subject]] = {}
    new: list[Subject] = []
    for one in incidents:
        alone = has_umbrella and one.heard.is_issue and not one.heard.storm
        (condition,) = one.conditions
        mine = [m for m in matters if m.is_incident and not (alone and m.is_several)]
        mine = [m for m in mine if m.episode_of(condition) == condition.episode]
        key = _newest(mine, one.evalset, day=run.day)
        if key is None and one.heard.storm:
            key = storm_key(one.heard.storm)
        is_page = one.alerts and one.heard == NOBODY
        if key is None and is_page:
            new.append(one)
        else:
            by_key.setdefault(key or _own_key(one, matters, run=run), []).append(one)
    for one in new:
        key = storm_key(run.run) if len(new) > most else _own_key(one, matters, run=run)
        by_key.setdefault(key, []).append(one)
    return _subjects(by_key)


def _newest(matters: Iterable[Matter], evalset: str, *, day: str) -> str | None:
    """Return the key of what an evalset was named in last; None where that is nothing.

    One whose end people were told stands for nothing more, unless this run is no newer than that.
    """
    mine = [one for one in matters if evalset in one.since and (one.ended is None or one.ended >= day)]
    return max(((m.since[evalset], not m.is_several, m.key) for m in mine), default=("", True, None))[2]


def _own_key(incident: Subject, matters: Iterable[Matter], *, run: AlertsFile) -> str:
    """Return a key of its own: by its first bad run, or by this one where people heard that it is over."""
    over = {one.key for one in matters if one.ended is not None and one.ended < run.day}
    return incident_key(incident.evalset, run.run) if incident.key in over else incident.key


def _others(
    subjects: Iterable[Subject], *, most: int, matters: Sequence[Matter], run: AlertsFile
) -> list[Subject]:
    """Give what is no incident the key under which people know it.

    Pages of one kind that began with one run, and that nobody was told of yet, are one where they are many.
    """
    by_key: dict[str, list[Subject]] = {}
    new: dict[str, list[Subject]] = {}
    for one in subjects:
        alert, since = one.alerts[0], one.first.day
        mine = [m for m in matters if m.is_of(alert) and m.since.get(one.evalset, "") >= since]
        key = _newest(mine, one.evalset, day=run.day)
        if key is None and one.tier == 1 and not alert.quality:
            new.setdefault(f"{TOGETHER}{alert.kind}/{one.first.run}", []).append(one)
        else:
            by_key.setdefault(key or one.key, []).append(one)
    for group, members in new.items():
        for one in members:
            by_key.setdefault(group if len(members) > most else one.key, []).append(one)
    return _subjects(by_key)


def _subjects(by_key: Mapping[str, Sequence[Subject]]) -> list[Subject]:
    return [
        _joined(key, members) if key.startswith((STORM, TOGETHER)) else replace(members[0], key=key)
        for key, members in by_key.items()
    ]


def _joined(key: str, members: Sequence[Subject]) -> Subject:
    first = min((one.first for one in members), key=lambda run: (run.day, run.run))
    last = max((one.last for one in members), key=lambda run: (run.day, run.run))
    alerts = sorted((a for one in members for a in one.alerts), key=lambda alert: (alert.tier, alert.key))
    return Subject(
        key=key,
        evalsets=tuple(one.evalset for one in members),
        tier=min(one.tier for one in members),
        alerts=tuple(alerts),
        conditions=tuple(c for one in members for c in one.conditions),
        first=first,
        last=last,
        heard=_heard_of([one.heard for one in members]),
    )


def _heard_of(all_heard: Sequence[Heard]) -> Heard:
    """Return what the issue of many says; where they have several, what all of them say."""
    umbrella = next((one for one in all_heard if one.storm), None)
    if umbrella is not None:
        return umbrella
    acked = [one.acked_by for one in all_heard if one.acked_by]
    return Heard(
        url=next((one.url for one in all_heard if one.url), None),
        is_issue=all(one.is_issue for one in all_heard),
        acked_by=acked[0] if len(acked) == len(all_heard) else None,
        snoozed=all(one.snoozed for one in all_heard),
        escalated=tuple(dict.fromkeys(s for one in all_heard if not one.acked_by for s in one.escalated)),
    )
