"""What people are told about after a run, each under the key that makes all that is said of it one thing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ...model.alert import Alert, AlertsFile, EvalsetCondition
from ...model.history import RunRef
from ...model.oncall import Tier
from ..oncall import EscalationStep


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
STORM: Final = "storm/"
TOGETHER: Final = "together/"


def subjects_of(
    alerts: AlertsFile,
    heard: Mapping[str, Heard],
    *,
    most: int = 3,
    known: Collection[str] = (),
) -> list[Subject]:
    """Return what holds after a run, worst tier first.

    An open incident takes all alerts of its evalset. Without one, each alert is a subject of its own: no
    data, a judge out of reach, a provider's change. Incidents in a storm are one subject, and so is what
    began in one run for more than `most` evalsets: a provider that is down is one page. `known` are the keys
    that people were told: what was told together stays so while the evalsets come back one by one.
    """
    found: list[Subject] = []
    storms: dict[str, list[Subject]] = {}
    for condition in alerts.evalsets:
        said = heard.get(condition.evalset, NOBODY)
        for subject in _of_evalset(condition, said):
            if said.storm and condition.is_open:
                storms.setdefault(said.storm, []).append(subject)
            else:
                found.append(subject)
    found = _together(found, most=most, known=known)
    found += [_joined(storm_key(name), members) for name, members in storms.items()]
    return sorted(found, key=lambda one: (one.tier, one.key))


def incident_key(evalset: str, episode: str) -> str:
    """Return the key of an incident: its evalset and its first bad run."""
    return f"{evalset}/{episode}"


def alert_key(alert: Alert, since: RunRef) -> str:
    """Return the key of an alert that is no incident: what it is, and the run since which it holds."""
    return f"{alert.evalset}/{alert.key}/{since.run}"


def storm_key(storm: str) -> str:
    return f"{STORM}{storm}"


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


def _together(subjects: Iterable[Subject], *, most: int, known: Collection[str]) -> list[Subject]:
    """Join pages that are no incidents and began with one run, by their kind, where they are many."""
    found: list[Subject] = []
    groups: dict[str, list[Subject]] = {}
    for one in subjects:
        apart = len(one.alerts) != 1 or one.alerts[0].quality or one.tier != 1 or one.key in known
        if apart or any(condition.is_open for condition in one.conditions):
            found.append(one)
        else:
            groups.setdefault(f"{TOGETHER}{one.alerts[0].kind}/{one.first.run}", []).append(one)
    for key, members in groups.items():
        found += [_joined(key, members)] if len(members) > most or key in known else members
    return found


def _joined(key: str, members: list[Subject]) -> Subject:
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
        heard=members[0].heard,
    )
