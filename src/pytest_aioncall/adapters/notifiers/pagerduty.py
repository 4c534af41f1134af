"""PagerDuty, through its Events API v2: alerts are triggered, acknowledged and resolved by their key.

Source: PagerDuty's description of the Events API v2 (fields, limits, 202 for what was taken) and of change
events. Escalation to the minute is PagerDuty's: a scheduled run sees a deadline only at the next run.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from ...errors import UsageError
from ...model.ticket import Notification
from ...protocols import NotifierContext
from .saying import address_of, cut, refuse, secret_of

HOSTS: Final = {"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"}
SEVERITIES: Final = {1: "critical", 2: "warning", 3: "info"}
LONGEST_SUMMARY, LONGEST_KEY, LONGEST_DETAIL = 1024, 255, 8000
_ACTIONS: Final = {
    "trigger": "trigger",
    "update": "trigger",
    "acknowledge": "acknowledge",
    "resolve": "resolve",
}
_HINTS: Final = {
    400: "is the variable's value the integration key of an Events API v2 integration?",
    403: "is the variable's value the integration key of an Events API v2 integration?",
}


def pagerduty(
    *,
    key_env: str = "PAGERDUTY_ROUTING_KEY",
    url_env: str | None = None,
    region: str = "us",
    context: NotifierContext,
) -> PagerDutyNotifier:
    """Send events to the service of an integration key.

    `region` is `us` or `eu`, where the account is; `url_env` names a variable with another address, that of
    a relay.
    """
    if region not in HOSTS:
        raise UsageError(f"notifier {context.name}: options.region is us or eu")
    home = HOSTS[region]
    if url_env is not None:
        home = address_of(context, url_env, what="the address that stands in for PagerDuty's").rstrip("/")
    key = secret_of(context, key_env, what="the integration key of an Events API v2 integration")
    return PagerDutyNotifier(home, key=key, context=context)


class PagerDutyNotifier:
    """Sends one event for each notification. The key of the incident makes what is sent twice one alert."""

    def __init__(self, home: str, *, key: str, context: NotifierContext) -> None:
        self._home, self._key, self._context = home, key, context

    def send(self, notification: Notification) -> str:
        """Send the event; return the key that PagerDuty knows the alert by."""
        is_change = notification.action == "change"
        event = self._change(notification) if is_change else self._event(notification)
        path = "/v2/change/enqueue" if is_change else "/v2/enqueue"
        reply = self._context.calls.call(
            "POST", f"{self._home}{path}", json=event, secrets=(self._key,), repeatable=True
        )
        refuse(reply, context=self._context, hints=_HINTS, hidden=(self._key,))
        return "" if is_change else _told_key(reply.body) or event["dedup_key"]

    def _event(self, notification: Notification) -> dict[str, Any]:
        action = _ACTIONS[notification.action]
        event: dict[str, Any] = {
            "routing_key": self._key,
            "event_action": action,
            "dedup_key": dedup_key(notification, self._context.project),
        }
        if action != "trigger":
            return event
        details: dict[str, Any] = {
            name: cut(value, LONGEST_DETAIL) for name, value in notification.details.items()
        }
        details |= {
            "title": cut(notification.title, LONGEST_DETAIL),
            "text": cut(notification.text, LONGEST_DETAIL),
            "tier": str(notification.tier),
        }
        if notification.to:
            details["on_call"] = ", ".join(cut(person, 100) for person in notification.to)
        if notification.due is not None:
            details["acknowledge_by"] = notification.due
        event |= {
            "payload": {
                "summary": _summary(notification),
                "source": self._context.project,
                "severity": SEVERITIES[notification.tier],
                "timestamp": notification.at,
                "component": cut(notification.evalset, LONGEST_SUMMARY),
                "group": self._context.project,
                "class": "aioncall",
                "custom_details": details,
            },
            "client": "aioncall",
            "links": _links(notification),
        }
        if notification.url is not None:
            event["client_url"] = notification.url
        return event

    def _change(self, notification: Notification) -> dict[str, Any]:
        details = {name: cut(value, LONGEST_DETAIL) for name, value in notification.details.items()}
        return {
            "routing_key": self._key,
            "payload": {
                "summary": _summary(notification),
                "source": self._context.project,
                "timestamp": notification.at,
                "custom_details": {**details, "text": cut(notification.text, LONGEST_DETAIL)},
            },
            "links": _links(notification),
        }


def dedup_key(notification: Notification, project: str) -> str:
    """Return the key of an alert: of one project and one incident, of at most 255 characters."""
    key = f"aioncall/{project}/{notification.key}"
    if len(key) <= LONGEST_KEY and key.isascii() and key.isprintable():
        return key
    return f"aioncall/{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()}"


def _summary(notification: Notification) -> str:
    told = notification.line if notification.line.strip() else notification.evalset
    return cut(told, LONGEST_SUMMARY)


def _links(notification: Notification) -> list[dict[str, str]]:
    named = ((notification.url, "Incident"), (notification.runbook, "Runbook"))
    return [
        {"href": address, "text": text}
        for address, text in named
        if address and address.startswith(("https://", "http://"))
    ]


def _told_key(body: bytes) -> str:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    key = told.get("dedup_key") if isinstance(told, dict) else None
    return cut(key, LONGEST_KEY) if isinstance(key, str) else ""
