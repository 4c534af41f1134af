"""The comments of an issue: one line each, with hidden marks that say which event they stand for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ....model.alert import Alert, EvalsetCondition
from ....model.issue import IssueNote
from . import escape
from .issue_words import days_told, mention, run_link, run_of_day

NOTE_LIMIT = 4_000
_COMMAND: Final = re.compile(r"(/[a-z]+(?: \d[\w-]*)?)")


def note_text(note: IssueNote, *, marks: Sequence[str] = ()) -> str:
    """Return a comment: one line, and the marks after it."""
    line = _LINES[note.kind](note)
    return escape.capped([line, "\n".join(marks)], limit=NOTE_LIMIT)


def _day(note: IssueNote) -> str:
    head = f"{escape.prose(note.day)}: "
    if note.issue == "storm":
        left = [one for one in note.features if one.status == "bad"]
        gone = [one for one in note.features if one.status == "recovered" and one.day == note.day]
        told = f"{len(left)} of {len(note.features)} features are still bad"
        if gone:
            told += f"; recovered now: {', '.join(escape.inline(one.evalset, 60) for one in gone[:10])}"
        return f"{head}{told} ({run_link(note.run)})."
    condition = note.condition
    if condition is None:
        return f"{head}{run_link(note.run)}."
    return f"{head}{_state(note, condition)} ({run_link(note.run)})."


def _state(note: IssueNote, condition: EvalsetCondition) -> str:
    if condition.state == "not_judged":
        why = f": {escape.prose(condition.because, 200)}" if condition.because else ""
        found = _alerts(condition.found)
        return f"could not judge{why}; {f'still bad: {found}' if found else 'what was before holds on'}"
    if note.issue == "upkeep":
        return _alerts(condition.alerts) or "still so"
    episode = condition.episode
    good = len(episode.good_days) if episode is not None else 0
    if condition.uncounted and not condition.alerts:
        why = escape.prose(condition.uncounted, 300)
        told = f"{good} of {note.recovery_days} days that end it"
        return f"nothing is red in this run, but it makes no good day ({why}); {told}"
    if condition.state != "bad" or good:
        return f"judged good, {good} of {note.recovery_days} days that end it"
    return f"still bad: {_alerts(condition.alerts) or 'not recovered yet'}"


def _alerts(alerts: Sequence[Alert]) -> str:
    """Return the leading alert, and how many more there are."""
    if not alerts:
        return ""
    lead = min(alerts, key=lambda one: one.tier)
    more = len(alerts) - 1
    return escape.prose(lead.title, 240) + (f" and {more} more" if more else "")


def _closed(note: IssueNote) -> str:
    episode = note.episode
    if note.issue == "storm":
        lasted = days_told(episode.first_bad.day if episode else "", note.day)
        judged = run_of_day(note.run)
        return f"Over: no feature is left in this storm. It lasted {lasted}; last judged by {judged}."
    if episode is None:
        return f"Over: judged by {run_of_day(note.run)}."
    by = episode.recovered or note.run
    lasted = days_told(episode.first_bad.day, by.day if by else None)
    if note.issue == "upkeep":
        return f"Over: {run_of_day(by)} was judged, and it no longer holds. It lasted {lasted}."
    days = f" on {', '.join(escape.prose(day) for day in episode.good_days)}" if episode.good_days else ""
    return f"Recovered: judged good{days}, the last time by {run_link(by)}. It lasted {lasted}."


def _reopened(note: IssueNote) -> str:
    alerts = _alerts(note.condition.alerts) if note.condition is not None else ""
    first = note.episode.first_bad if note.episode is not None else note.run
    return f"It is back since {run_of_day(first)}{f': {alerts}' if alerts else ''}."


def _again(note: IssueNote) -> str:
    alerts = _alerts(note.condition.alerts) if note.condition is not None else ""
    bad = f"still bad{f': {alerts}' if alerts else ''}"
    return (
        f"{escape.prose(note.day)}: opened again. It was closed by hand, and {run_link(note.run)} after "
        f"that is {bad}. To let go of it, close it as *not planned*."
    )


def _worse(note: IssueNote) -> str:
    alerts = _alerts(note.condition.alerts) if note.condition is not None else ""
    return (
        f"More urgent since {run_of_day(note.run)}{f': {alerts}' if alerts else ''}. The clock starts anew."
    )


def _escalated(note: IssueNote) -> str:
    people: list[str] = []
    channels: list[str] = []
    for one in note.people[:6]:
        role, _, name = one.partition(" ")
        # The comment asks a person. A channel is told after it, by what sends the pages.
        (channels if role == "channel" else people).append(f"{escape.prose(role)} {mention(name)}")
    asked = [f"asked now: {', '.join(people)}"] if people else []
    asked += [f"to be told: {', '.join(channels)}"] if channels else []
    return f"Nobody has acknowledged in time; {'; '.join(asked)}. `/ack` stops this."


def _answer(note: IssueNote) -> str:
    to = mention(f"@{note.people[0]}") if note.people else ""
    said = f"{escape.inline(note.said, 120)} " if note.said else ""
    parts = _COMMAND.split(note.text)
    why = "".join(escape.inline(one) if n % 2 else _words(one) for n, one in enumerate(parts))
    return f"{to} {said}{why}.".lstrip()


def _words(text: str) -> str:
    """Return what stands between two commands, with the spaces around it."""
    inner = text.strip(" ")
    return text.replace(inner, escape.prose(inner, 300)) if inner else text


def _duplicate(note: IssueNote) -> str:
    return f"Duplicate of #{note.number}: runs that overlapped opened both. The older one is kept."


def _moved(note: IssueNote) -> str:
    return f"Goes on as a row of #{note.number}: one feature has one issue."


_LINES = {
    "day": _day,
    "closed": _closed,
    "reopened": _reopened,
    "again": _again,
    "worse": _worse,
    "escalated": _escalated,
    "answer": _answer,
    "duplicate": _duplicate,
    "moved": _moved,
}
