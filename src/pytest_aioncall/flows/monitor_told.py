"""What the monitor says on a terminal: the verdict first, then each evalset, why, and the next command."""

from __future__ import annotations

import shlex

from ..adapters.render import words
from ..adapters.text import log_line
from ..model.alert import Alert, EvalsetCondition
from ..settings import Settings
from .monitor import EXIT_ALERT, EXIT_CANNOT_JUDGE, Monitored
from .named_history import history_given
from .runs import LATEST

_MOST_ALERTS = 5
_TIERS = {1: "page", 2: "ticket", 3: "review"}


def monitor_lines(found: Monitored, settings: Settings, *, history: str | None = None) -> list[str]:
    """Return the lines for a person.

    history  as it was given: every next command names it, for another one has another notification log
    """
    given = history_given(history)
    conditions = sorted(found.alerts.evalsets, key=lambda one: (_ORDER[_word(one)], one.evalset))
    name_width = max((len(log_line(one.evalset, 60)) for one in conditions), default=0)
    lines = [_headline(found)]
    for one in conditions:
        if found.is_missing and not (one.alerts or one.is_open):
            lines.append(f"  {log_line(one.evalset, 60).ljust(name_width)}  not run; newest of {one.run.day}")
            continue
        accept = _accept(one, found)
        lines += _evalset_lines(one, settings, width=name_width, accept=accept)
    lines += [f"  note: {log_line(note, 400)}" for note in found.notes]
    if found.alerts.review:
        count = words.counted(len(found.alerts.review), "line")
        lines.append(f"  {count} for the weekly review: aioncall review{given}")
    lines.append(f"  history: {found.where}")
    return [*lines, "", f"next:  {_next(found, given)}"]


_ORDER = {"ALERT": 0, "recovering": 1, "not judged": 2, "recovered": 3, "learning": 4, "ok": 5}


def _word(one: EvalsetCondition) -> str:
    if one.alerts:
        return "ALERT"
    if one.is_open:
        return "recovering"
    if _is_over(one):
        return "recovered"
    return {"bad": "ALERT", "not_judged": "not judged", "learning": "learning"}.get(one.state, "ok")


def _is_over(one: EvalsetCondition) -> bool:
    """Tell whether an incident ended on the day of this run."""
    ended = one.episode.recovered if one.episode is not None else None
    return ended is not None and ended.day == one.run.day and one.state != "not_judged"


def _headline(found: Monitored) -> str:
    conditions = found.alerts.evalsets
    run = f"run {log_line(found.entry.run, 80)} of {found.entry.day}"
    if found.is_missing:
        return f"monitor NO RUN   nothing ran here; the newest of the history is {run}"
    if found.exit_code == EXIT_ALERT:
        bad = sum(any(alert.quality and alert.tier == 1 for alert in one.alerts) for one in conditions)
        return f"monitor ALERT   {bad} of {words.counted(len(conditions), 'evalset')}, {run}"
    if found.exit_code == EXIT_CANNOT_JUDGE:
        because = next((one.because for one in found.entry.evalsets if not one.judged), "")
        return f"monitor CANNOT JUDGE   {run}{f': {log_line(because, 200)}' if because else ''}"
    pending = sum(one.is_open for one in conditions)
    still = f", {words.counted(pending, 'incident')} not over yet" if pending else ""
    ended = sum(map(_is_over, conditions))
    still += f", {words.counted(ended, 'incident')} over" if ended else ""
    bare = sum(bool(_accept(one, found)) for one in conditions)
    without = f", {bare} without a baseline" if bare else ""
    # A good run beside a bad one of its day, or one that cannot tell, is no good news yet.
    verdict = "NOT OVER" if any(one.uncounted for one in conditions) else "OK"
    return f"monitor {verdict}   {words.counted(len(conditions), 'evalset')}{still}{without}, {run}"


def _accept(one: EvalsetCondition, found: Monitored) -> str:
    """Return how an evalset that was judged without a baseline comes by one, else ""."""
    day = next((day for day in found.entry.evalsets if day.evalset == one.evalset), None)
    if day is None or not day.judged or day.baseline:
        return ""
    name, run = shlex.quote(log_line(one.evalset, 60)), shlex.quote(log_line(found.entry.run, 200))
    return f'aioncall baseline accept {name} --run {run} --reason "first baseline"'


def _evalset_lines(one: EvalsetCondition, settings: Settings, *, width: int, accept: str) -> list[str]:
    name, word = log_line(one.evalset, 60).ljust(width), _word(one)
    bare = f"; no baseline: {accept}" if accept else ""
    lines = [f"  {name}  {word}{_said(one, settings)}{bare}"]
    for alert in one.alerts[:_MOST_ALERTS]:
        lines += _alert_lines(alert, day=one.run.day)
    if len(one.alerts) > _MOST_ALERTS:
        lines.append(f"      and {words.counted(len(one.alerts) - _MOST_ALERTS, 'alert')} more")
    if one.history_gap:
        lines.append(f"      no run on the {words.counted(one.history_gap, 'day')} before this one")
    return lines


def _said(one: EvalsetCondition, settings: Settings) -> str:
    if one.state == "not_judged":
        because = f": {log_line(one.because, 200)}" if one.because else ""
        if one.is_open:
            return f", not judged today{because}; {_open_told(one, settings)}"
        return f", not judged{because}" if one.alerts else because
    if one.is_open and not one.alerts:
        return f": {_open_told(one, settings)}"
    ended = ""
    if _is_over(one) and one.episode is not None:
        days = words.counted(len(one.episode.good_days), "day")
        ended = f": the incident of {one.episode.first_bad.day} ended, judged good on {days}"
    if one.alerts:
        return ended
    learned = [series.reference_days for series in one.series if series.learning]
    judged = f"{one.judged_samples}/{one.planned} judged"
    if ended:
        return f"{ended}; {judged}"
    if not learned:
        return f": {judged}"
    days = f"{min(learned)} of {settings.config.monitors.reference_days_min} days"
    return f" {days}; {judged}" if one.state == "learning" else f": {judged}; the daily series learns, {days}"


def _open_told(one: EvalsetCondition, settings: Settings) -> str:
    episode = one.episode
    assert episode is not None  # noqa: S101 - the caller asked whether one is open
    good, needed = len(episode.good_days), settings.config.monitors.recovery_days
    since = f"open since {episode.first_bad.day}"
    if one.uncounted:
        why = log_line(one.uncounted, 300)
        since = f"{since}; this run has no alert and makes no good day: {why}"
    if good < needed:
        return f"{since}, judged good on {good} of {words.counted(needed, 'day')}"
    return f"{since}, judged good on {words.counted(good, 'day')}; its series is not back yet"


def _alert_lines(alert: Alert, *, day: str) -> list[str]:
    since = f", since {alert.since.day}" if alert.since is not None else ""
    as_of = f" (as of {alert.day})" if alert.is_held(day) else ""
    lines = [f"      {_TIERS[alert.tier]}: {log_line(alert.title, 300)}{as_of}"]
    why = log_line(alert.summary.rstrip(".\n "), 300)
    lines += [f"        why: {why}{since}"] if why else []
    lines += [f"        {log_line(one.name, 60)}: {log_line(one.value, 300)}" for one in alert.evidence]
    return lines


def _next(found: Monitored, given: str) -> str:
    run = LATEST if found.is_missing else shlex.quote(log_line(found.entry.run, 200))
    if any(one.alerts or one.is_open or _is_over(one) for one in found.alerts.evalsets):
        return f"aioncall publish issues --run {run}{given}"
    if found.is_missing:
        return "mend what keeps it from running, and run: pytest --aioncall"
    if found.exit_code == EXIT_CANNOT_JUDGE:
        again = "run again: pytest --aioncall"
        if found.is_unfinished:
            again = f"ask the rest: pytest --aioncall --aioncall-resume --aioncall-run {run}"
        return f"mend what is named, and {again}; this run: aioncall runs show {run}"
    scores = f"aioncall scores --since 24h --by SLICE{given} (how the slices moved)"
    return f"{scores}, aioncall history show{given}"
