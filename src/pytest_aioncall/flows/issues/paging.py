"""What goes out besides the issues: one page an episode, to each channel of its tier, once.

Which of them went out already is the notification log's to know: the same ones are made every time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from ...adapters.text import one_line
from ...decide.issues import Board, Held, Rules, steps_due, upkeep_alerts
from ...decide.issues.board import released_by, stands_for
from ...decide.issues.commands import moment_of
from ...decide.issues.people import silent_until
from ...decide.oncall import deadline, on_call_at, owner_of
from ...model.alert import Alert, AlertsFile, EvalsetCondition
from ...model.oncall import Tier
from ...model.ticket import Notification

_NOT_SENT: Final = frozenset({"github", "review"})
"""Routes that are no channel: the issue itself, and the line of the weekly review."""
_RESOLVED_FOR_DAYS: Final = 7
_LONGEST_TITLE: Final = 110


@dataclass(frozen=True, slots=True)
class Incident:
    """What one page is about: an evalset and its alerts, or a storm; `held` is its issue, if it has one."""

    key: str
    evalset: str
    tier: Tier
    title: str
    alerts: tuple[Alert, ...]
    owner: str
    held: Held | None
    over: bool = False


def notifications_of(
    alerts: AlertsFile, board: Board, *, rules: Rules, opened: Mapping[str, tuple[int, str]]
) -> list[Notification]:
    """Return every notification that this state of things asks for, sent already or not.

    `opened` holds number and address of issues that were opened now.
    """
    storms = [one for one in board.of("storm") if not one.is_released]
    rows = {f.key for one in storms if one.is_open for f in one.state.features if f.status == "bad"}
    found: list[Incident] = [_of_storm(one) for one in storms]
    for condition in alerts.evalsets:
        found += _of_evalset(condition, board, rows=rows, rules=rules)
    made: list[Notification] = []
    for one in found:
        made += _for(one, rules=rules, opened=opened)
    return made


def _of_storm(storm: Held) -> Incident:
    names = [f.evalset for f in storm.state.features]
    title = f"{len(names)} features at once since {storm.state.first_day}: {', '.join(names)}"
    over = storm.state.phase == "recovered"
    return Incident(f"storm/{storm.state.episode}", "", storm.state.tier, title, (), "", storm, over)


def _of_evalset(
    condition: EvalsetCondition, board: Board, *, rows: set[tuple[str, str]], rules: Rules
) -> list[Incident]:
    """Return what pages of one evalset: its incident, what it lacks, and a judge that is out of reach."""
    name = condition.evalset
    found: list[Incident] = []
    episode = condition.episode
    held = _issue_of(board, condition)
    if episode is not None and ("incident", name) not in rows and released_by(board, condition) is None:
        is_known = held is not None or bool(condition.alerts)
        ended_now = episode.recovered is not None and episode.recovered.run == condition.run.run
        ended_lately = held is not None and _is_recent(held.state.recovered_day, rules)
        if (condition.is_open and is_known) or ended_now or (episode.recovered is not None and ended_lately):
            found.append(_incident(condition, condition.alerts, held, f"{name}/{episode.key}"))
    if condition.is_open:
        return found
    for alert in condition.alerts:
        if alert.quality:
            continue
        kind = "upkeep" if alert in upkeep_alerts(condition) else "outage"
        if kind == "upkeep" and ("upkeep", name) in rows:
            continue
        since = alert.since.run if alert.since is not None else condition.run.run
        issue = _upkeep_of(board, name) if kind == "upkeep" else None
        if issue is not None and issue.is_released:
            continue
        found.append(_incident(condition, (alert,), issue, f"{name}/{alert.kind}/{since}"))
    return found


def _incident(condition: EvalsetCondition, alerts: Sequence[Alert], held: Held | None, key: str) -> Incident:
    lead = min(alerts, key=lambda one: one.tier, default=None)
    tier: Tier = lead.tier if lead is not None else held.state.tier if held is not None else 1
    if held is not None and held.state.phase == "open":
        tier = min(tier, held.state.tier)
    title = lead.title if lead is not None else held.ticket.title if held is not None else condition.evalset
    episode = condition.episode
    over = key.count("/") == 1 and episode is not None and episode.recovered is not None
    return Incident(key, condition.evalset, tier, title, tuple(alerts), condition.owner, held, over)


def _issue_of(board: Board, condition: EvalsetCondition) -> Held | None:
    found = [one for one in board.of("incident", condition.evalset) if stands_for(one.state, condition)]
    return found[-1] if found else None


def _upkeep_of(board: Board, evalset: str) -> Held | None:
    found = [one for one in board.of("upkeep", evalset) if one.state.phase == "open"]
    return found[-1] if found else None


def _is_recent(day: str | None, rules: Rules) -> bool:
    try:
        return rules.now.date() - date.fromisoformat(day or "") <= timedelta(days=_RESOLVED_FOR_DAYS)
    except ValueError:
        return False


def _for(one: Incident, *, rules: Rules, opened: Mapping[str, tuple[int, str]]) -> list[Notification]:
    channels = [name for name in rules.routes.of(one.tier) if name not in _NOT_SENT]
    if one.over:
        return [_made(one, name, "resolve", "over", rules=rules, opened=opened) for name in channels]
    held = one.held
    if silent_until(held, now=rules.now) is not None or (held is not None and held.is_closed_by_hand):
        return []
    again = f":{held.state.again_day}" if held is not None and held.state.again_day else ""
    step = f"tier{one.tier}{again}"
    made = [_made(one, name, "trigger", step, rules=rules, opened=opened) for name in channels]
    if held is None:
        return made
    if held.state.ack is not None:
        step = f"{held.state.ack.by}{again}"
        return [
            *made,
            *(_made(one, name, "acknowledge", step, rules=rules, opened=opened) for name in channels),
        ]
    due = steps_due(held.state, held, oncall=rules.oncall, owner=one.owner, now=rules.now)
    called = [due_one for due_one in due if due_one.step.role == "channel"]
    return [
        *made,
        *(_made(one, c.step.to, "trigger", c.event, rules=rules, opened=opened) for c in called),
    ]


def _made(
    one: Incident,
    channel: str,
    action: str,
    step: str,
    *,
    rules: Rules,
    opened: Mapping[str, tuple[int, str]],
) -> Notification:
    """Return one notification; whatever others wrote stands on one line, with nothing unseen in it."""
    url = one.held.ticket.url if one.held is not None else opened.get(one.evalset or "storm", (0, ""))[1]
    fired = moment_of(one.held.state.fired_at) if one.held is not None else None
    due = deadline(rules.oncall, fired or rules.now).due if one.tier == 1 else None
    primary = on_call_at(rules.oncall, rules.now).primary
    owner = owner_of(rules.oncall, one.evalset, one.owner)
    title = one_line(one.title, _LONGEST_TITLE)
    head = {"resolve": "[over]", "acknowledge": "[acknowledged]"}.get(
        action, "[page]" if one.tier == 1 else "[ticket]"
    )
    asked = f" - primary {one_line(primary, 60)}" if primary else ""
    by = f", ack by {due:%H:%M}" if due is not None and action == "trigger" else ""
    lines = [one_line(alert.title, 300) for alert in one.alerts[:10]]
    return Notification.model_validate(
        {
            "id": f"{one.key}:{action}:{channel}:{step}",
            "key": one.key,
            "channel": channel,
            "action": action,
            "tier": one.tier,
            "evalset": one.evalset,
            "title": title,
            "line": f"{head} {title}{asked}{by}",
            "text": "\n".join(lines),
            "url": url or None,
            "runbook": one.alerts[0].runbook or None if one.alerts else None,
            "to": tuple(person for person in (primary, owner) if person),
            "due": due.isoformat() if due is not None else None,
            "at": rules.now.isoformat(),
        }
    )
