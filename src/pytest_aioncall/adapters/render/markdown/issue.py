"""The issue of an incident: title and body. Comments are in `issue_notes`, sections in `issue_parts`.

Whatever others wrote (cases, slices, answers, errors, owners, models) passes through `escape` once. The only
mentions are of the people on call, whose names have the shape of a login or a team.
"""

from __future__ import annotations

from dataclasses import dataclass

from ....model.alert import Alert, EvalsetCondition
from ....model.issue import UPKEEP, IssuePage, IssueState
from . import escape
from . import issue_parts as parts
from .issue_words import days_told, run_of_day, tier_word

TITLE_LIMIT = 240


@dataclass(frozen=True, slots=True)
class Site:
    """Where an issue is shown. `repository` is its address on its server; None outside of GitHub."""

    version: str
    repository: str | None = None


def issue_title(page: IssuePage) -> str:
    """Return the title: the leading alert in the house form; of a storm, how many features and which."""
    state = page.state
    if state.kind == "storm":
        bad = [one.evalset for one in state.features]
        named = ", ".join(bad[:4]) + (", ..." if len(bad) > 4 else "")
        return _title(f"{len(bad)} features at once since {state.first_day}: {named}")
    lead = leading(page)
    if lead is not None:
        return _title(lead.title)
    name = state.evalset or "aioncall"
    return _title(f"{name}: not recovered since {state.first_day}")


def leading(page: IssuePage) -> Alert | None:
    """Return the alert that leads: the worst tier, as they come."""
    alerts = [alert for condition in page.conditions for alert in shown_alerts(page.state, condition)]
    if page.state.kind == "upkeep":
        alerts = [alert for alert in alerts if alert.kind in UPKEEP]
    return min(alerts, key=lambda one: one.tier, default=None)


def shown_alerts(state: IssueState, condition: EvalsetCondition) -> tuple[Alert, ...]:
    """Return the alerts of an evalset that an issue is about: for upkeep those that are not of quality."""
    if state.kind != "upkeep":
        return condition.alerts
    return tuple(one for one in condition.alerts if not one.quality)


def issue_body(page: IssuePage, *, marker: str, site: Site) -> str:
    """Return the body: marker and verdict first, footer last; both survive whatever has to be cut."""
    head = f"{marker}\n\n### {headline(page)}\n\n{_verdict(page)}"
    if page.state.phase == "duplicate":
        return escape.capped([head, _footer(page, site)])
    sections: list[str] = [head, parts.on_call(page)]
    if page.state.kind == "storm":
        sections += [parts.features(page), *parts.changes_of(page.conditions)]
    else:
        for condition in page.conditions:
            sections += _of_one(page, condition, site)
    sections += [parts.older(page), *(escape.prose(one, 300) for one in page.remarks), parts.help_text(page)]
    pointer = "Cut here: the rest stands in the report of the run."
    return escape.capped([*sections, _footer(page, site)], pointer=pointer)


def headline(page: IssuePage) -> str:
    """Return the verdict in one line: words carry it."""
    state = page.state
    name = escape.inline(state.evalset, 120)
    if state.phase == "duplicate":
        return f"Duplicate of #{state.duplicate_of}"
    if state.kind == "storm":
        left = sum(one.status == "bad" for one in state.features)
        told = f"{left} still bad" if left else "all have left"
        return f"{len(state.features)} features at once since {escape.prose(state.first_day)}: {told}"
    if state.phase == "recovered":
        return f"{name}: recovered on {escape.prose(state.recovered_day or '?')}"
    lead = leading(page)
    if state.kind == "upkeep":
        words = {"no_data": "no data", "stale_baseline": "baseline too old"}
        return f"{name}: {words.get(lead.kind if lead else '', 'nothing to judge by')}"
    condition = page.conditions[0] if page.conditions else None
    since = f"since {escape.prose(state.first_day)}"
    if condition is not None and condition.state == "not_judged" and not condition.found:
        return f"{name}: bad {since}; the newest run could not judge"
    if lead is None:
        return f"{name}: not recovered yet, bad {since}"
    where = f"{escape.inline(lead.scorer, 80)} " if lead.scorer else ""
    return f"{name}: {where}{_KINDS.get(lead.kind, 'bad')} {since}"


_KINDS = {
    "eval_regression": "regressed",
    "policy_floor": "policy floor broken",
    "latency": "slower",
    "errors": "errors above the limit",
    "cost": "cost above the limit",
    "output_shift": "answers shifted",
    "novel_error": "new kind of error",
    "retrieval": "retrieval finds less",
    "provider_change": "provider changed",
    "judge_unavailable": "judge out of reach",
    "no_data": "no data",
    "stale_baseline": "baseline too old",
    "drill": "drill, nothing is broken",
}


def _verdict(page: IssuePage) -> str:
    """Return a sentence or two: what this run saw, and what would end it."""
    state = page.state
    if state.phase == "duplicate":
        return (
            f"Two runs that overlapped opened one issue each. The older one, #{state.duplicate_of}, is kept; "
            "this one is closed and says nothing more."
        )
    run = run_of_day(page.run)
    if state.phase == "recovered":
        by = escape.inline(state.recovered_run or "?", 80)
        lasted = days_told(state.first_day, state.recovered_day)
        return (
            f"Ended by a judged run ({by}, {escape.prose(state.recovered_day or '?')}). It lasted {lasted}."
        )
    if state.kind == "storm":
        return (
            f"As of {run}. More features than `monitors.storm` fell at once, so they are one issue and one "
            "page: look first for what they share (provider, model, index, judge). A feature leaves by its "
            "own judged recovery; `/split NAME` gives one an issue of its own."
        )
    return f"As of {run}. {_what_ends_it(page)}"


def _what_ends_it(page: IssuePage) -> str:
    condition = page.conditions[0] if page.conditions else None
    if page.state.kind == "upkeep":
        return "The next judged run in which it no longer holds closes this issue."
    if condition is None:
        return ""
    if condition.state == "not_judged":
        why = f" ({escape.prose(condition.because, 300)})" if condition.because else ""
        if condition.found:
            return f"This run could not judge{why}. What it found bad is bad; nothing is closed by it."
        return f"This run could not judge{why}: what was before holds on, and nothing is closed by it."
    episode = condition.episode
    good = len(episode.good_days) if episode is not None else 0
    needed = page.recovery_days
    none = (
        f" This run makes no good day: {escape.prose(condition.uncounted, 300)}."
        if condition.uncounted
        else ""
    )
    if good:
        days = escape.prose(", ".join(episode.good_days[-needed:]) if episode else "", 200)
        return f"Judged good on {good} of {needed} days that end it ({days}).{none}"
    return (
        f"{needed} judged good runs on days of their own end it; a run that cannot judge ends nothing.{none}"
    )


def _of_one(page: IssuePage, condition: EvalsetCondition, site: Site) -> list[str]:
    alerts = shown_alerts(page.state, condition)
    return [
        parts.episode(condition, site.repository) if page.state.kind == "incident" else "",
        parts.alert_table(alerts, day=condition.run.day),
        *parts.changes_of([condition]),
        parts.sparklines(condition, alerts, day=page.run.day),
        parts.worst_cases(condition),
        parts.runbook(alerts, condition, page.run),
        parts.commands(page, condition),
    ]


def _footer(page: IssuePage, site: Site) -> str:
    as_of = page.state.as_of
    told = [f"run {escape.inline(as_of.run, 80)}"]
    if page.run.commit:
        told.append(f"commit {escape.inline(page.run.commit[:12])}")
    told.append(f"aioncall {escape.prose(site.version, 40)}")
    told.append(f"of {escape.prose(as_of.created_at[:16].replace('T', ' '), 40)} UTC")
    return f"*{', '.join(told)}. {tier_word(page.state.tier).capitalize()}.*"


def _title(text: str) -> str:
    return escape.plain(text, TITLE_LIMIT) or "aioncall"
