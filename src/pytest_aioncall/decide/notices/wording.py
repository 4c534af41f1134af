"""The words of a notification: a first line as long as an SMS, and the text below it. All is plain text."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from ...model.alert import Alert
from ...model.report import SubjectChange
from ...model.verdict import CaseMove
from .subjects import Subject
from .told import TOGETHER

LONGEST_LINE: Final = 160
_MOST_ALERTS, _MOST_FACTS, _MOST_CHANGES, _MOST_CASES = 8, 5, 6, 5
_LEAST_TITLE: Final = 40
_LACKING: Final = {
    "errors": "without answers",
    "judge_unavailable": "without a judge",
    "no_data": "without a judged run",
    "stale_baseline": "with an old baseline",
}


def title_of(subject: Subject) -> str:
    """Return what it is about: the worst alert in the house form, and how many more there are."""
    if subject.is_several:
        names = ", ".join(subject.evalsets[:4]) + (", ..." if len(subject.evalsets) > 4 else "")
        of = _LACKING.get(subject.alerts[0].kind, "") if subject.key.startswith(TOGETHER) else ""
        many = f"{len(subject.evalsets)} feature{'s' * (len(subject.evalsets) != 1)}"
        return f"{many} {of or 'at once'}: {names}"
    if not subject.alerts:
        good = subject.good_days
        return f"{subject.evalset}: {good} good judged day{'s' * (good != 1)} so far, not recovered yet"
    more = len(subject.alerts) - 1
    return subject.alerts[0].title + (f" (+{more} more)" if more else "")


def paged(subject: Subject, *, primary: str | None, due: datetime, now: datetime) -> str:
    """`[page] title - primary @ann, ack by 03:32+01:00`; a ticket names its owner, a note nobody."""
    title = title_of(subject)
    if subject.tier == 1:
        who = f"primary {primary}, " if primary else (f"owner {subject.owner}, " if subject.owner else "")
        return _line("[page]", title, f" - {who}ack by {moment(due, now=now)}{_command(subject)}")
    if subject.tier == 2:
        who = f"owner {subject.owner}, " if subject.owner else ""
        return _line("[ticket]", title, f" - {who}due {due:%Y-%m-%d} {clock(due)}{_command(subject)}")
    return _line("[note]", title, "")


def goes_on(subject: Subject, *, day: int) -> str:
    condition = subject.conditions[0]
    if condition.is_open and not subject.is_several and not subject.is_judged:
        # The alerts are of the last run that could judge, or say why this one could not.
        blind = f"{subject.evalset}: could not judge today: {condition.because}"
        return _line(f"[still open, day {day}]", blind, "")
    return _line(f"[still open, day {day}]", title_of(subject), _command(subject))


def acknowledged(subject: Subject) -> str:
    return _line("[acknowledged]", title_of(subject), f" - by {subject.heard.acked_by}")


def not_acknowledged(subject: Subject, *, due: datetime, to: str, role: str, now: datetime) -> str:
    whom = f", now {role} {to}" if role != "channel" else ""
    return _line("[not acknowledged]", title_of(subject), f" - due {moment(due, now=now)}{whom}")


def resolved(evalset: str, *, first_day: str, last_day: str, judged: str) -> str:
    """Say that it is over, from when until when it lasted, and what says so."""
    lasted = first_day if first_day == last_day else f"{first_day} .. {last_day}"
    return _line("[resolved]", f"{evalset}: {judged}", f" - bad {lasted}" if lasted else "")


def changed(evalset: str, change: SubjectChange) -> str:
    return _line("[change]", f"{evalset}: {_change(change)}", "")


def text_of(subject: Subject, *, due: datetime | None, primary: str | None) -> str:
    """Return the text below the first line: why, since when, what changed, which cases, where to look."""
    lines = [f"since {subject.first.day}, run {subject.first.run}" + _commit(subject.first.commit)]
    if due is not None and subject.tier == 1:
        lines.append(f"on call: {primary or 'nobody'}; acknowledge by {due:%Y-%m-%d} {clock(due)}")
    for alert in subject.alerts[:_MOST_ALERTS]:
        lines += _alert(alert)
    if len(subject.alerts) > _MOST_ALERTS:
        lines.append(f"... and {len(subject.alerts) - _MOST_ALERTS} more alerts")
    changes = [change for c in subject.conditions for change in c.changes]
    if changes:
        lines.append("changed since the last good run:")
        lines += [f"  {_change(change)}" for change in changes[:_MOST_CHANGES]]
        if len(changes) > _MOST_CHANGES:
            lines.append(f"  ... and {len(changes) - _MOST_CHANGES} more")
    worst = [move for c in subject.conditions for move in c.worst]
    if worst:
        lines.append("worst cases: " + ", ".join(map(_move, worst[:_MOST_CASES])))
    lines += _where(subject)
    return "\n".join(lines)


def clock(moment: datetime) -> str:
    """Write a time of day with its offset: `03:32+01:00`."""
    return moment.isoformat(timespec="minutes").partition("T")[2]


def moment(due: datetime, *, now: datetime) -> str:
    """Write a time of day, with its date where that is not today there: `2026-11-23 07:23+01:00`."""
    is_today = due.date() == now.astimezone(due.tzinfo).date()
    return clock(due) if is_today else f"{due:%Y-%m-%d} {clock(due)}"


def _line(mark: str, title: str, end: str) -> str:
    """Join the parts on one line of at most 160 characters; what is cut is the title, then the end."""
    title, end = " ".join(title.split()), " ".join(end.split())
    end = f" {end}" if end else ""
    room = LONGEST_LINE - len(mark) - 1 - len(end)
    if len(title) > room:
        title = title[: max(room, _LEAST_TITLE) - 3].rstrip() + "..."
    return f"{mark} {title}{end}"[:LONGEST_LINE]


def _command(subject: Subject) -> str:
    """Return what is typed first; an incident of answers is looked at by its scores."""
    return " - aioncall scores --since 24h" if any(alert.quality for alert in subject.alerts) else ""


def _alert(alert: Alert) -> Iterable[str]:
    yield f"- {alert.title}"
    if alert.summary:
        yield f"  {alert.summary}"
    for fact in alert.evidence[:_MOST_FACTS]:
        yield f"  {fact.name}: {fact.value}"


def _change(change: SubjectChange) -> str:
    if change.added or change.removed:
        return f"{change.kind} {change.name}: +{change.added} -{change.removed}"
    if change.was is None or change.now is None:
        return f"{change.kind} {change.name} " + ("is new" if change.was is None else "is gone")
    return f"{change.kind} {change.name}: {change.was} -> {change.now}"


def _move(move: CaseMove) -> str:
    was = f"{move.was[0]}/{move.was[1]} -> " if move.was else ""
    return f"{move.case} {was}{move.now[0]}/{move.now[1]}"


def _where(subject: Subject) -> Iterable[str]:
    runbook = next((alert.runbook for alert in subject.alerts if alert.runbook), "")
    if runbook:
        yield f"runbook: {runbook}"
    if subject.heard.url:
        yield f"incident: {subject.heard.url}"
    if subject.last.url:
        yield f"run: {subject.last.url}"


def _commit(commit: str | None) -> str:
    return f", commit {commit[:12]}" if commit else ""
