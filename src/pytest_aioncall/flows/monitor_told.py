"""What the monitor says on a terminal: the verdict first, then each evalset, why, and the next command."""

from __future__ import annotations

import shlex

from ..adapters.render import words
from ..adapters.text import log_line
from ..model.alert import Alert, EvalsetCondition
from ..settings import Settings
from .monitor import EXIT_ALERT, EXIT_CANNOT_JUDGE, Monitored

_MOST_ALERTS = 5
_TIERS = {1: "page", 2: "ticket", 3: "review"}


def monitor_lines(found: Monitored, settings: Settings) -> list[str]:
    """Return the lines for a person."""
    conditions = sorted(found.alerts.evalsets, key=lambda one: (_ORDER[_word(one)], one.evalset))
    name_width = max((len(log_line(one.evalset, 60)) for one in conditions), default=0)
    lines = [_headline(found)]
    for one in conditions:
        lines += _evalset_lines(one, settings, width=name_width)
    lines += [f"  note: {log_line(note, 400)}" for note in found.notes]
    if found.alerts.review:
        lines.append(
            f"  {words.counted(len(found.alerts.review), 'line')} for the weekly review: aioncall review"
        )
    lines.append(f"  history: {found.where}")
    return [*lines, "", f"next:  {_next(found)}"]


_ORDER = {"ALERT": 0, "not judged": 1, "learning": 2, "ok": 3}


def _word(one: EvalsetCondition) -> str:
    if one.is_open or one.alerts:
        return "ALERT"
    return {"bad": "ALERT", "not_judged": "not judged", "learning": "learning"}.get(one.state, "ok")


def _headline(found: Monitored) -> str:
    conditions = found.alerts.evalsets
    run = f"run {log_line(found.entry.run, 80)} of {found.entry.day}"
    if found.exit_code == EXIT_ALERT:
        bad = sum(any(alert.quality and alert.tier == 1 for alert in one.alerts) for one in conditions)
        return f"monitor ALERT   {bad} of {words.counted(len(conditions), 'evalset')}, {run}"
    if found.exit_code == EXIT_CANNOT_JUDGE:
        because = next((one.because for one in found.entry.evalsets if not one.judged), "")
        return f"monitor CANNOT JUDGE   {run}{f': {log_line(because, 200)}' if because else ''}"
    pending = sum(one.is_open for one in conditions)
    still = f", {words.counted(pending, 'incident')} not over yet" if pending else ""
    return f"monitor OK   {words.counted(len(conditions), 'evalset')}{still}, {run}"


def _evalset_lines(one: EvalsetCondition, settings: Settings, *, width: int) -> list[str]:
    name, word = log_line(one.evalset, 60).ljust(width), _word(one)
    lines = [f"  {name}  {word}{_said(one, settings)}"]
    for alert in one.alerts[:_MOST_ALERTS]:
        lines += _alert_lines(alert)
    if len(one.alerts) > _MOST_ALERTS:
        lines.append(f"      and {words.counted(len(one.alerts) - _MOST_ALERTS, 'alert')} more")
    if one.history_gap:
        lines.append(f"      no run on the {words.counted(one.history_gap, 'day')} before this one")
    return lines


def _said(one: EvalsetCondition, settings: Settings) -> str:
    if one.state == "not_judged":
        because = f": {log_line(one.because, 200)}" if one.because else ""
        if one.is_open:
            return f", not judged today{because}; {_open_told(one)}"
        return f", not judged{because}" if one.alerts else because
    if one.is_open and not one.alerts:
        return f": {_open_told(one)}"
    if one.alerts:
        return ""
    learned = [series.reference_days for series in one.series if series.learning]
    judged = f"{one.judged_samples}/{one.planned} judged"
    if not learned:
        return f": {judged}"
    days = f"{min(learned)} of {settings.config.monitors.reference_days_min} days"
    return f" {days}; {judged}" if one.state == "learning" else f": {judged}; the daily series learns, {days}"


def _open_told(one: EvalsetCondition) -> str:
    episode = one.episode
    assert episode is not None  # noqa: S101 - the caller asked whether one is open
    good = len(episode.good_days)
    return f"open since {episode.first_bad.day}" + (
        f", judged good on {words.counted(good, 'day')} since" if good else ""
    )


def _alert_lines(alert: Alert) -> list[str]:
    since = f", since {alert.since.day}" if alert.since is not None else ""
    lines = [f"      {_TIERS[alert.tier]}: {log_line(alert.title, 300)}"]
    why = log_line(alert.summary.rstrip(".\n "), 300)
    lines += [f"        why: {why}{since}"] if why else []
    lines += [f"        {log_line(one.name, 60)}: {log_line(one.value, 300)}" for one in alert.evidence]
    return lines


def _next(found: Monitored) -> str:
    run = shlex.quote(log_line(found.entry.run, 200))
    if any(one.alerts or one.is_open for one in found.alerts.evalsets):
        return f"aioncall publish issues --run {run}"
    if found.exit_code == EXIT_CANNOT_JUDGE:
        return f"mend what is named, and run again: pytest --aioncall; this run: aioncall runs show {run}"
    return "aioncall scores --since 24h --by SLICE (how the slices moved), aioncall history show"
