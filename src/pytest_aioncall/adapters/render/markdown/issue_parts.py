"""The sections of an issue's body: Markdown that is safe already, empty where there is nothing to say."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from ....model.alert import Alert, EvalsetCondition, Series
from ....model.history import RunRef
from ....model.issue import Feature, IssuePage, Staffing
from ....model.report import SubjectChange
from .. import words
from ..runbooks import Known, chosen_by, fetch_of, page_of, steps_of
from ..trend.chart import value_text
from . import escape
from .issue_words import commit_of, mention, run_of_day, spark

_MOST_ALERTS, _MOST_CASES, _MOST_CHANGES, _MOST_FEATURES, _MOST_SERIES = 30, 15, 20, 150, 6
_MOST_EVIDENCE: Final = 10
_COMMITS: Final = frozenset({"commit", "commits"})
_DAYS: Final = 30


def on_call(page: IssuePage) -> str:
    """Say who is on call now, until when an answer is due, and who has taken it."""
    if page.state.phase != "open":
        return ""
    staff = page.staffing
    # Without a rotation the owner is asked first, and is therefore the one to be mentioned.
    nobody = f"nobody by plan, so the owner: {mention(staff.owner)}" if staff.owner else "nobody by plan"
    who = mention(staff.primary) if staff.primary else nobody
    until = f" until {escape.prose(staff.until)}" if staff.primary and staff.until else ""
    lines = [f"**On call now:** {who}{until}"]
    if staff.secondary:
        lines.append(f"**After that:** {mention(staff.secondary)}")
    lines.append(_answer(page, staff))
    if staff.snoozed_until:
        lines.append(
            f"**Snoozed** until {escape.prose(staff.snoozed_until)}: no comment and no call before that"
        )
    if staff.primary and staff.owner:
        lines.append(f"**Owner:** {_owner(staff)}")
    return "\n".join(f"- {line}" for line in lines)


def _answer(page: IssuePage, staff: Staffing) -> str:
    if staff.acked_by:
        seen = "seen" if staff.acked_how == "assignee" else "at"
        late = ", after the deadline" if staff.breached else ""
        at = escape.prose(staff.acked_at or "?")
        return f"**Acknowledged** by {escape.inline(staff.acked_by)} ({seen} {at}{late})"
    if page.state.tier != 1:
        return f"**Due** {escape.prose(staff.due or '?')} (a ticket: a day)"
    hours = "business hours" if staff.business else "outside of business hours"
    passed = " **The deadline has passed.**" if staff.breached else ""
    due = escape.prose(staff.due or "?")
    return f"**Acknowledge by {due}** ({hours}): assign somebody, or comment `/ack`.{passed}"


def _owner(staff: Staffing) -> str:
    return escape.inline(staff.owner, 80) if staff.owner else "unknown"


def episode(condition: EvalsetCondition, repository: str | None) -> str:
    """Name the first bad run and the last good one, and the commits between them."""
    found = condition.episode
    if found is None:
        return ""
    lines = [f"- **First bad run:** {run_of_day(found.first_bad)}{_at(found.first_bad.commit)}"]
    if found.last_good is not None:
        lines.append(f"- **Last good run:** {run_of_day(found.last_good)}{_at(found.last_good.commit)}")
    else:
        lines.append("- **Last good run:** none is known")
    good, bad = commit_of(found.last_good), commit_of(found.first_bad)
    if good and bad and repository:
        address = f"{repository}/compare/{good}...{bad}"
        lines.append(f"- **Commits between them:** {escape.link(f'`{good[:7]}...{bad[:7]}`', address)}")
        if good == bad:
            lines[-1] = "- **Commits between them:** none; both ran the same commit"
    elif good and bad:
        lines.append(f"- **Commits between them:** `git log {good[:12]}..{bad[:12]}`")
    if condition.history_gap:
        lines.append(f"- No run on {words.counted(condition.history_gap, 'day')} before this one")
    return "\n".join(lines)


def _at(commit: str | None) -> str:
    return f" at {escape.inline(commit[:12])}" if commit else ""


def alert_table(alerts: Sequence[Alert], *, day: str) -> str:
    """Return every alert as a row, the worst tier first; one that holds on since before `day` says so."""
    if not alerts:
        return ""
    ordered = sorted(alerts, key=lambda one: one.tier)
    rows = [
        [
            str(alert.tier),
            escape.cell(alert.title, 240) + _as_of(alert, day),
            escape.cell(alert.since.day, 20) if alert.since else "-",
            _evidence(alert),
        ]
        for alert in ordered[:_MOST_ALERTS]
    ]
    table = escape.table(["tier", "alert", "since", "evidence"], rows)
    left = len(ordered) - len(rows)
    return table + (f"\n\n{left} more alerts stand in the report." if left > 0 else "")


def _as_of(alert: Alert, day: str) -> str:
    return f" (as of {escape.cell(alert.day, 20)})" if alert.is_held(day) else ""


def _evidence(alert: Alert) -> str:
    shown = [one for one in alert.evidence if one.name not in _COMMITS][:_MOST_EVIDENCE]
    told = [f"{escape.cell(one.name, 60)}: {escape.cell(one.value, 160)}" for one in shown]
    if not told and alert.summary:
        told = [escape.cell(alert.summary, 240)]
    return "<br>".join(told) or "-"


def changes_of(conditions: Sequence[EvalsetCondition]) -> list[str]:
    """Say what differs between the last good run and the first bad one."""
    seen: dict[tuple[str, str, str | None, str | None], tuple[SubjectChange, int]] = {}
    for condition in conditions:
        for change in condition.changes:
            key = (change.kind, change.name, change.was, change.now)
            seen[key] = (change, seen.get(key, (change, 0))[1] + 1)
    told = _commits_told(conditions)
    if not seen:
        return _nothing_declared(conditions, told)
    ranked = sorted(seen.values(), key=lambda one: -one[1])[:_MOST_CHANGES]
    lines = [_change(change) + (f" ({count} features)" if count > 1 else "") for change, count in ranked]
    left = len(seen) - len(ranked)
    more = [f"and {left} more"] if left > 0 else []
    listed = _listed([*lines, *more, *dict.fromkeys(told)])
    return [f"**What changed** between the last good run and the first bad one:\n\n{listed}"]


def _commits_told(conditions: Sequence[EvalsetCondition]) -> list[str]:
    """Return what the monitor said of the commits in between, of the first evalset of which it did."""
    for condition in conditions:
        told = [
            f"{escape.prose(one.name)} {escape.prose(one.value, 200)}"
            for alert in condition.alerts
            for one in alert.evidence
            if one.name in _COMMITS
        ]
        if told:
            return told
    return []


def _nothing_declared(conditions: Sequence[EvalsetCondition], told: Sequence[str]) -> list[str]:
    """Name the commits in between, if any, before anybody looks at what no commit shows."""
    nothing = "nothing that is declared (files, labels, model ids, judge)"
    elsewhere = "Look at what is not: the provider, the data, the traffic."
    sides = [commits_of(one) for one in conditions]
    spans = list(dict.fromkeys(span for one in conditions if (span := span_of(one))))[:3]
    if spans:
        shown = ", ".join(escape.inline(f"git log -p {span}") for span in spans)
        last = f"{nothing} differs. Where the commits do not explain it: the provider, the data, the traffic"
        read = f"to read them: {shown}" if told else f"the commits in between: {shown}"
        listed = _listed([*dict.fromkeys(told), read, last])
        return [f"**What changed** between the last good run and the first bad one:\n\n{listed}"]
    if any(good for good, _ in sides):
        return [f"**What changed:** {nothing}, and both runs are of the same commit. {elsewhere}"]
    known = [one for one in conditions if one.episode is not None and one.episode.last_good is not None]
    return [f"**What changed:** {nothing}. {elsewhere}"] if known else []


def commits_of(condition: EvalsetCondition) -> tuple[str | None, str | None]:
    """Return the commits of the last good and the first bad run; both None where one is not known."""
    found = condition.episode
    good = commit_of(found.last_good) if found is not None else None
    bad = commit_of(found.first_bad) if found is not None else None
    return (good, bad) if good and bad else (None, None)


def span_of(condition: EvalsetCondition) -> str:
    """Return what git calls the commits in between: `0a1b2c3d4e5f..6a7b8c9d0e1f`; "" where there are none."""
    good, bad = commits_of(condition)
    return f"{good[:12]}..{bad[:12]}" if good and bad and good != bad else ""


def _change(change: SubjectChange) -> str:
    what = {"instrument": "judge or scorer"}.get(change.kind, change.kind)
    line = f"{what} {escape.inline(change.name, 160)}"
    if change.added or change.removed:
        return f"{line} (+{change.added} -{change.removed})"
    if change.was is not None or change.now is not None:
        return (
            f"{line}: {escape.inline(change.was or 'none', 80)} -> {escape.inline(change.now or 'none', 80)}"
        )
    return line


def sparklines(condition: EvalsetCondition, alerts: Sequence[Alert], *, day: str) -> str:
    """Return thirty days of the series that the alerts are about; a dot is a day without a value."""
    chosen = _series_of(condition.series, alerts)
    rows = [row for one in chosen[:_MOST_SERIES] if (row := _spark_row(one, day=day))]
    if not rows:
        return ""
    old = any(one.points and one.points[-1].day != day for one in chosen[:_MOST_SERIES])
    last = "newest:" if old else "now:"
    heads = ["series", f"{_DAYS} days to {escape.cell(day, 20)}", "lowest:", "highest:", "reference:", last]
    return escape.table(heads, rows)


def _series_of(series: Sequence[Series], alerts: Sequence[Alert]) -> list[Series]:
    named = {(a.scorer, tuple(sorted((a.slice or {}).items()))) for a in alerts}
    amounts = {"latency": "latency_p95_s", "cost": "cost_usd", "errors": "error_rate"}
    wanted = {amounts[a.kind] for a in alerts if a.kind in amounts}
    chosen = [
        one
        for one in series
        if (one.scorer is not None and (one.scorer, tuple(sorted((one.slice or {}).items()))) in named)
        or one.name in wanted
    ]
    return chosen or [one for one in series if one.scorer is not None and not one.slice]


def _spark_row(series: Series, *, day: str) -> list[str]:
    try:
        last = date.fromisoformat(day)
    except ValueError:
        return []
    by_day = {point.day: point.value for point in series.points}
    days = [(last - timedelta(days=back)).isoformat() for back in reversed(range(_DAYS))]
    values = [by_day.get(one) for one in days]
    known = [value for value in values if value is not None]
    if not known:
        return []
    newest = max(one for one in days if by_day.get(one) is not None)
    of_day = "" if newest == day else f" of {newest}"
    low, high = min(known), max(known)
    if series.mu is not None:
        low, high = min(low, series.mu), max(high, series.mu)
    return [
        escape.cell(series.label, 120),
        f"`{spark(values, low=low, high=high)}`",
        escape.cell(value_text(series, min(known)), 30),
        escape.cell(value_text(series, max(known)), 30),
        escape.cell(value_text(series, series.mu), 30) if series.mu is not None else "learning",
        escape.cell(value_text(series, known[-1]) + of_day, 50),
    ]


def worst_cases(condition: EvalsetCondition) -> str:
    """Return the cases that moved furthest."""
    moves = condition.worst[:_MOST_CASES]
    if not moves:
        return ""
    rows = [
        [
            escape.cell(move.case, 120),
            escape.cell(move.scorer, 60),
            f"{move.was[0]}/{move.was[1]}" if move.was else "-",
            f"{move.now[0]}/{move.now[1]}",
            escape.cell(move.why, 200) if move.why else "-",
        ]
        for move in moves
    ]
    held = [alert.day for alert in condition.alerts if alert.quality and alert.is_held(condition.run.day)]
    of_day = f" of {escape.prose(max(held))}" if held and condition.state == "not_judged" else ""
    return f"**Worst cases**{of_day}\n\n" + escape.table(["case", "scorer", "was", "now", "why"], rows)


def runbook(alerts: Sequence[Alert], condition: EvalsetCondition, run: RunRef) -> str:
    """Return the diagnostic loop of the leading alert, and name the pages of the others."""
    if not alerts:
        return ""
    ordered = sorted(alerts, key=lambda one: one.tier)
    lead = ordered[0]
    known = Known(
        file=condition.file,
        slices=tuple(dict.fromkeys(name for one in condition.series for name in sorted(one.slice or {}))),
        cases=tuple(move.case for move in condition.worst),
        span=span_of(condition),
        url=run.url,
    )
    steps = steps_of(lead.kind, evalset=condition.evalset, run=run.run, known=known)
    pages = dict.fromkeys(one.runbook or page_of(one.kind) for one in ordered)
    named = ", ".join(escape.inline(page, 160) for page in list(pages)[:6])
    return f"**Runbook** ({named})\n\n" + "\n".join(f"{n}. {step}" for n, step in enumerate(steps, 1))


def commands(page: IssuePage, condition: EvalsetCondition) -> str:
    """Return what to type: to see it again, and, for the owner, to accept it."""
    if page.state.phase != "open" or page.state.kind == "upkeep":
        return ""
    moved = [move.case for move in condition.worst]
    again = f"pytest --aioncall{chosen_by(moved, evalset=condition.evalset, file=condition.file)} -vv"
    ticket = f"#{page.number}" if page.number is not None else "TICKET"
    accept = (
        f"aioncall baseline accept {shlex.quote(condition.evalset)} --run {shlex.quote(page.run.run)} "
        f"--reason '...' --accept-regression {shlex.quote(ticket)}"
    )
    fetch = fetch_of(page.run.url)
    accept = f"{fetch}\n{accept}" if fetch else accept
    see = f"**See it again**\n\n{_typed(again)}"
    return f"{see}\n\n" + escape.folded("To accept it on purpose (for the owner)", _typed(accept))


def _typed(command: str) -> str:
    return escape.fenced(command, 1000)


def features(page: IssuePage) -> str:
    """Return the features of a storm: those still in it first."""
    order = {"bad": 0, "split": 1, "own": 2, "recovered": 3}
    found = sorted(page.state.features, key=lambda one: (order[one.status], one.tier, one.evalset))
    rows = [_feature(page, one) for one in found[:_MOST_FEATURES]]
    table = escape.table(["feature", "state", "tier", "since", "leading alert"], rows)
    left = len(found) - len(rows)
    return table + (f"\n\nand {left} more" if left > 0 else "")


def _feature(page: IssuePage, feature: Feature) -> list[str]:
    condition = next((one for one in page.conditions if one.evalset == feature.evalset), None)
    alerts = condition.alerts if condition is not None else ()
    lead = min(alerts, key=lambda one: one.tier, default=None)
    number = page.own_issues.get(feature.evalset)
    words_of = {
        "bad": "**bad**",
        "recovered": f"recovered {escape.cell(feature.day, 20)}",
        "split": "has left: an issue of its own",
        "own": f"has left: #{number}" if number is not None else "has left: an issue of its own",
    }
    state = words_of[feature.status]
    if feature.status == "bad" and condition is not None and condition.state == "not_judged":
        state = "**bad**, this run could not judge"
    shown = escape.cell(lead.title, 240) if lead is not None and feature.status == "bad" else "-"
    return [
        escape.cell(feature.evalset, 120),
        state,
        str(feature.tier),
        escape.cell(feature.first_day, 20),
        shown,
    ]


def older(page: IssuePage) -> str:
    """Link older issues of the same feature, and say how often it has come back."""
    lines = []
    if page.state.nth > 1:
        lines.append(f"This is episode {page.state.nth} in this issue.")
    if page.state.before:
        numbers = ", ".join(f"#{number}" for number in page.state.before[-10:])
        lines.append(f"Before: {numbers}.")
    return " ".join(lines)


def help_text(page: IssuePage) -> str:
    """Say what people can do to this issue."""
    if page.state.phase != "open":
        return ""
    lines = [
        "`/ack`, or assigning somebody: I have it. Nobody else is called.",
        "`/snooze 2026-12-01`, `/snooze 3d`: no comments, no calls until then; `/unsnooze` takes it back.",
        "Label `wontfix`, or closing as *not planned*: lets go of this episode; the next opens a new issue.",
        "Closing it as *completed*: it is opened again if a later run is still bad.",
    ]
    if page.state.kind == "storm":
        lines.insert(2, "`/split NAME`: this feature has another cause; give it an issue of its own.")
    return escape.folded("What you can do here", _listed(lines))


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
