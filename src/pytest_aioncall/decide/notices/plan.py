"""What is to be sent after a run, given what was sent before. Repeating it changes nothing.

Everything follows from the conditions (which follow from the whole history) and from the log of deliveries:
what is in the log is not planned again, what is not in it is planned at every run, until it is. So nothing is
lost where a process died between two steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from ...model.alert import AlertsFile, Episode
from ...model.frozen import digest_of
from ...model.oncall import OnCall, Routes
from ...model.ticket import Notification
from ..oncall import Deadline, deadline, in_zone, on_call_at, zone_of
from . import wording
from .subjects import Heard, Subject, subjects_of
from .told import Deliveries, Matter

NO_NOTIFIERS: Final = frozenset({"github", "review"})
"""Routes that are no notifiers: the issue, and the weekly review."""
TICKET_DUE: Final = timedelta(hours=24)
ESCALATED: Final = "escalated: "


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says, and the clock.

    opens     False for a run that is not the newest one: it pages nobody anew
    receives  names of the notifiers that take changes, which are no incidents
    storm     more evalsets than this that lack something since one run are one page
    """

    routes: Routes
    oncall: OnCall
    now: datetime
    opens: bool = True
    receives: tuple[str, ...] = ()
    storm: int = 3


def plan_notices(
    alerts: AlertsFile, *, heard: Mapping[str, Heard], sent: Deliveries, rules: Rules
) -> list[Notification]:
    """Return what is to be sent, pages first. Nothing of it is in the log."""
    subjects = subjects_of(alerts, heard, most=rules.storm, sent=sent)
    planned: list[Notification] = []
    for subject in subjects:
        planned += _Telling(subject, alerts=alerts, sent=sent, rules=rules).all()
    planned += _endings(alerts, subjects, sent=sent, rules=rules)
    fresh = {one.id: one for one in planned if not sent.has(one.id)}
    return list(fresh.values())


def over_keys(
    alerts: AlertsFile, heard: Mapping[str, Heard], *, sent: Deliveries, most: int = 3
) -> frozenset[str]:
    """Return the keys whose matter is over by this run, of what waits to be sent: nobody need be paged."""
    current = {subject.key for subject in subjects_of(alerts, heard, most=most, sent=sent)}
    waiting = {one.key for one in sent.waiting} - current
    return frozenset(key for key in waiting if _end_of(sent.matter(key), alerts) is not None)


@dataclass(frozen=True, slots=True)
class _Telling:
    """What is to be said of one subject."""

    subject: Subject
    alerts: AlertsFile
    sent: Deliveries
    rules: Rules

    def all(self) -> list[Notification]:
        ended = self.sent.matter(self.subject.key).ended
        if ended is not None and ended >= self.alerts.day:
            return []  # This run is older than the end that everybody was told of.
        known = self.sent.channels(self.subject.key)
        begun = list(self._pages())
        new = {one.channel for one in begun}
        told = [name for name in known if name not in new]
        changes = self._changes() if known or begun else ()
        return [*begun, *changes, *self._answered(told), *self._escalated(told), *self._daily(told)]

    def _pages(self) -> Iterable[Notification]:
        """Page those on the route of the tier who were not, and again those who know it as less urgent."""
        subject = self.subject
        if not self.rules.opens or not subject.alerts or subject.heard.snoozed:
            return
        for name in self.rules.routes.of(subject.tier):
            told = [one.tier for one in self.sent.of(subject.key, "trigger") if one.channel == name]
            if name in NO_NOTIFIERS or (told and min(told) <= subject.tier):
                continue
            shift, due = on_call_at(self.rules.oncall, self.rules.now), self._due(self.rules.now)
            line = wording.paged(subject, primary=shift.primary, due=due.due, now=self.rules.now)
            to = [shift.primary or "", shift.secondary or ""] if subject.tier == 1 else [subject.owner]
            yield self._made("trigger", name, f"t{subject.tier}", line, to=to[:1] if to[0] else [], due=due)

    def _changes(self) -> Iterable[Notification]:
        """Tell who takes changes what differs between the last good and the first bad run."""
        changes = [(c.evalset, change) for c in self.subject.conditions for change in c.changes]
        for name in self.rules.receives:
            for evalset, change in changes:
                step = digest_of([evalset, change.kind, change.name, change.was, change.now])
                line = wording.changed(evalset, change)
                yield self._made("change", name, step, line, text="")

    def _answered(self, told: Iterable[str]) -> Iterable[Notification]:
        if self.subject.heard.acked_by:
            for name in told:
                yield self._made("acknowledge", name, "", wording.acknowledged(self.subject))

    def _escalated(self, told: Sequence[str]) -> Iterable[Notification]:
        """Tell that nobody acknowledged in time: to those who were paged, and to the channel that is last."""
        heard = self.subject.heard
        if heard.acked_by or heard.snoozed:
            return
        # Whom an escalation told was told of all there was.
        pages = [one for one in self.sent.of(self.subject.key, "trigger") if ESCALATED not in one.id]
        paged = [name for name in told if any(one.channel == name for one in pages)]
        for step in heard.escalated:
            line = wording.not_acknowledged(
                self.subject, due=step.at, to=step.to, role=step.role, now=self.rules.now
            )
            names = [step.to] if step.role == "channel" else paged
            to = [step.to] if step.role != "channel" else []
            for name in names:
                if name in NO_NOTIFIERS:
                    continue
                # The channel that is last hears of it for the first time, whether it is on the route or not.
                action = "trigger" if step.role == "channel" else "update"
                yield self._made(action, name, f"{ESCALATED}{step.role} {step.at.isoformat()}", line, to=to)

    def _daily(self, told: Iterable[str]) -> Iterable[Notification]:
        """One line a day while it lasts, not on the day of the page; it tells where nothing was judged."""
        subject, day = self.subject, self.alerts.day
        if subject.heard.snoozed:
            return
        paged = self.sent.of(subject.key, "trigger")
        for name in told:
            # A page that had to wait is news of the day on which it arrived.
            if max(max(one.day, one.at[:10]) for one in paged if one.channel == name) < day:
                line = wording.goes_on(subject, day=_days(subject.first.day, day) + 1)
                yield self._made("update", name, day, line)

    def _due(self, fired_at: datetime) -> Deadline:
        if self.subject.tier == 1:
            return deadline(self.rules.oncall, fired_at)
        zone = zone_of(self.rules.oncall.timezone)
        return Deadline(in_zone(fired_at + TICKET_DUE, zone), business=False)

    def _made(
        self,
        action: str,
        channel: str,
        step: str,
        line: str,
        *,
        to: Sequence[str] = (),
        due: Deadline | None = None,
        text: str | None = None,
    ) -> Notification:
        subject, shift = self.subject, on_call_at(self.rules.oncall, self.rules.now)
        told = (
            text
            if text is not None
            else wording.text_of(subject, due=due.due if due else None, primary=shift.primary)
        )
        runbook = next((a.runbook for a in subject.alerts if a.runbook.startswith("https://")), None)
        return Notification.model_validate(
            {
                "id": notice_id(subject.key, action, step, channel),
                "key": subject.key,
                "channel": channel,
                "action": action,
                "tier": subject.tier,
                "evalset": subject.evalset,
                "title": wording.title_of(subject),
                "line": line,
                "text": told,
                "url": subject.heard.url or subject.last.url,
                "runbook": runbook,
                "to": tuple(to),
                "due": due.due.isoformat() if due is not None and action == "trigger" else None,
                "at": self.rules.now.isoformat(),
                "day": self.alerts.day,
                "evalsets": subject.evalsets,
                "details": {
                    "run": self.alerts.run,
                    "first_bad_run": subject.first.run,
                    "owner": subject.owner,
                    "kinds": ", ".join(dict.fromkeys(alert.kind for alert in subject.alerts)),
                },
            }
        )


def notice_id(key: str, action: str, step: str, channel: str) -> str:
    """Return what makes two deliveries the same one."""
    return "|".join((key, action, step, channel))


def _endings(
    alerts: AlertsFile, subjects: Sequence[Subject], *, sent: Deliveries, rules: Rules
) -> Iterable[Notification]:
    """Tell everybody who was told of a beginning that it is over."""
    current = {subject.key for subject in subjects}
    for key in sent.open_keys():
        told = sent.channels(key)
        end = None if key in current else _end_of(sent.matter(key), alerts)
        if end is None:
            continue
        for channel, first in told.items():
            line = wording.resolved(
                first.evalset, first_day=end.first_day, last_day=end.last_day, judged=end.why
            )
            yield Notification(
                id=notice_id(key, "resolve", "", channel),
                key=key,
                channel=channel,
                action="resolve",
                tier=first.tier,
                evalset=first.evalset,
                title=first.title,
                line=line,
                text="",
                url=end.url,
                at=rules.now.isoformat(),
                day=alerts.day,
                evalsets=first.evalsets,
                details={"run": alerts.run},
            )


@dataclass(frozen=True, slots=True)
class _End:
    first_day: str
    last_day: str
    why: str
    url: str | None


def _end_of(matter: Matter, alerts: AlertsFile) -> _End | None:
    """Return how a matter ended, None where this run does not say that it did.

    An incident ends by its judged recovery, that of many by the last of them. Anything else ends with a
    judged run in which it is not there, of all its evalsets where it is about several. A run that is older
    than what was told ends nothing.
    """
    mine = [one for one in alerts.evalsets if one.evalset in matter.since]
    is_old = any(alerts.day < day for day in matter.since.values())
    if is_old or not mine or len(mine) < len(matter.since):
        return None
    if not matter.is_incident:
        judged = all(one.state != "not_judged" for one in mine)
        return _End("", "", "not there in this run any more", alerts.url) if judged else None
    ends = [_recovery(matter.episode_of(one)) for one in mine]
    if not matter.is_several:
        return ends[0]
    return _End("", "", "every feature has recovered", alerts.url) if all(ends) else None


def _recovery(episode: Episode | None) -> _End | None:
    if episode is None or episode.recovered is None:
        return None
    days = len(episode.good_days)
    why = f"recovered, {days} good judged day{'s' if days != 1 else ''}"
    return _End(episode.first_bad.day, episode.last_bad.day, why, episode.recovered.url)


def _days(first: str, last: str) -> int:
    try:
        return max(0, (date.fromisoformat(last) - date.fromisoformat(first)).days)
    except ValueError:
        return 0
