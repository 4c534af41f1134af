"""Tell people what a run has found: plan what nobody was told yet, and deliver it."""

from __future__ import annotations

from collections.abc import Mapping

from ...decide.notices import (
    Heard,
    Rules,
    over_keys,
    plan_notices,
    subjects_of,
)
from ...model.alert import AlertsFile
from ...model.oncall import Routes, Tier
from ...protocols import Calls
from ...settings import Settings
from .channels import kind_of, notifiers_for, now_of
from .deliver import Delivered, deliver_alone
from .outbox import Outbox, Records, one_at_a_time

__all__ = ["Heard", "notify"]


def notify(
    alerts: AlertsFile,
    *,
    settings: Settings,
    history: Records,
    heard: Mapping[str, Heard] | None = None,
    opens: bool = True,
    calls: Calls | None = None,
) -> Delivered:
    """Tell the notifiers on the routes what is new: pages, daily lines, acknowledgements, recoveries.

    `heard` is what the issues of the evalsets tell, by evalset; `opens`: False for a run that is not the
    newest one. Repeating it sends nothing twice. Raises as `deliver` does.
    """
    said = dict(heard or {})
    with one_at_a_time(history):
        outbox = Outbox.of(history)
        rules = _rules(settings, opens=opens)
        sent, most = outbox.deliveries, rules.storm
        planned = plan_notices(alerts, heard=said, sent=sent, rules=rules)
        subjects = subjects_of(alerts, said, most=most, sent=sent)
        return deliver_alone(
            planned,
            settings=settings,
            history=history,
            reached={one.key for one in subjects if one.heard.is_issue},
            over=over_keys(alerts, said, sent=sent, most=most),
            calls=calls,
        )


def _rules(settings: Settings, *, opens: bool) -> Rules:
    """Return the rules with routes of notifiers alone."""
    return Rules(
        routes=Routes(
            tier1=notifiers_for(1, settings),
            tier2=notifiers_for(2, settings),
            tier3=notifiers_for(3, settings),
        ),
        oncall=settings.config.oncall,
        now=now_of(settings),
        opens=opens,
        receives=_receivers(settings),
        storm=settings.config.monitors.storm,
    )


def _receivers(settings: Settings) -> tuple[str, ...]:
    """Return the notifiers on any route that take changes as changes: those of PagerDuty's kind."""
    tiers: tuple[Tier, ...] = (1, 2, 3)
    named = dict.fromkeys(name for tier in tiers for name in notifiers_for(tier, settings))
    return tuple(name for name in named if kind_of(name, settings) == "pagerduty")
