"""Slack, through an incoming webhook. Whoever has its address may post: it is a secret.

Sources: Slack's pages on incoming webhooks (statuses and their words), on text objects (`verbatim`, 3,000
characters) and on formatting (`&`, `<` and `>` are written as entities, and nothing else is special).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from ...errors import UsageError
from ...model.ticket import Notification
from ...protocols import NotifierContext
from ..text import many_lines, one_line
from .saying import address_of, refuse

LONGEST_BLOCK: Final = 3000
LONGEST_LINE: Final = 600
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# With `verbatim` Slack makes no mention of these; an old client, or a bridge to elsewhere, might.
_CALLS_MANY: Final = re.compile(r"@(?=(?:channel|here|everyone|group)\b)", re.IGNORECASE)
_ID: Final = re.compile(r"[UWS][A-Z0-9]{2,20}")
_ANEW: Final = "make a new incoming webhook, and put its address into the variable"
_HINTS: Final = {
    403: "the workspace does not let this webhook post there",
    404: _ANEW,
    410: f"the channel is archived; {_ANEW}",
    0: "",
}


def slack(
    *,
    url_env: str = "SLACK_WEBHOOK_URL",
    mentions: Mapping[str, str] | None = None,
    context: NotifierContext,
) -> SlackNotifier:
    """Post to the channel of an incoming webhook.

    `mentions` names the member ids of people in the rotation, who are then mentioned when they are paged:
    `{"@ann": U024BE7LH}`; a user group's id begins with S.
    """
    for person, id in (mentions or {}).items():
        if not _ID.fullmatch(id):
            raise UsageError(
                f"notifier {context.name}: options.mentions: {one_line(str(id), 40)!r} of "
                f"{one_line(person, 40)} is no member id; Slack shows it in the person's profile (U024BE7LH)"
            )
    url = address_of(context, url_env, what="the address of the incoming webhook")
    return SlackNotifier(url, context=context, mentions=mentions or {})


class SlackNotifier:
    """Posts one message for each notification. Slack knows no key: what is sent twice appears twice."""

    def __init__(self, url: str, *, context: NotifierContext, mentions: Mapping[str, str]) -> None:
        self._url, self._context = url, context
        self._mentions = {person.casefold(): id for person, id in mentions.items()}

    def send(self, notification: Notification) -> str:
        """Post the message. An incoming webhook gives it no name."""
        hidden = (self._url, urlsplit(self._url).path)
        reply = self._context.calls.call("POST", self._url, json=self._message(notification), secrets=hidden)
        refuse(reply, context=self._context, hints=_HINTS, hidden=hidden)
        return ""

    def _message(self, notification: Notification) -> dict[str, Any]:
        told = notification.line if notification.line.strip() else notification.evalset
        line = escaped(told, LONGEST_LINE)
        called = " ".join(self._called(notification))
        blocks = [_block(f"{called} *{line}*" if called else f"*{line}*")]
        if notification.text:
            blocks.append(_block(escaped(notification.text, LONGEST_BLOCK)))
        links = " | ".join(_links(notification))
        if links:
            blocks.append(_block(links))
        # `text` is what a phone shows; unfurling would fetch what a model wrote as a link.
        return {"text": line, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}

    def _called(self, notification: Notification) -> Iterable[str]:
        if notification.action != "trigger":
            return
        for person in notification.to:
            id = self._mentions.get(person.casefold())
            if id is not None:
                yield f"<!subteam^{id}>" if id.startswith("S") else f"<@{id}>"


def escaped(text: str, limit: int) -> str:
    """Return text that Slack shows as it is, of at most `limit` characters, no entity cut in two."""
    seen = _CALLS_MANY.sub("@ ", many_lines(text[:limit]))
    room = limit - 3
    parts: list[str] = []
    for char in seen:
        shown = _ENTITIES.get(char, char)
        if len(shown) > room:
            return "".join(parts) + "..."
        room -= len(shown)
        parts.append(shown)
    return "".join(parts) + ("..." if len(text) > limit else "")


def _block(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _links(notification: Notification) -> Iterable[str]:
    for address, name in ((notification.url, "incident"), (notification.runbook, "runbook")):
        # In `<address|name>` a bar or an angle would end the address.
        if address and address.startswith(("https://", "http://")) and not re.search(r"[\s<>|]", address):
            yield f"<{address.replace('&', '&amp;')}|{name}>"
