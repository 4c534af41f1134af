"""Texts cut to a receiver's limits, secrets from variables, and the words for a refusal."""

from __future__ import annotations

import json
from typing import Any

from ...errors import DeliveryError, UsageError
from ...protocols import NotifierContext, Reply
from ..text import many_lines, one_line


def cut(text: str, limit: int) -> str:
    """Return `text` with everything unseen written as an escape, of at most `limit` characters."""
    seen = many_lines(text[: limit + 1])
    return seen if len(seen) <= limit else seen[: max(0, limit - 3)] + "..."[:limit]


def secret_of(context: NotifierContext, variable: str, *, what: str) -> str:
    """Return the value of an environment variable; UsageError names what is missing and where it goes."""
    value = context.secrets.get(variable, "").strip()
    if not value:
        raise UsageError(
            f"notifier {context.name}: {variable} is not set; put {what} into it "
            "(in a workflow: a secret of the repository, given to the step by env)"
        )
    return value


def address_of(context: NotifierContext, variable: str, *, what: str) -> str:
    """Return an address from an environment variable; it is a secret, and never shown."""
    value = secret_of(context, variable, what=what)
    if not value.startswith(("https://", "http://")):
        raise UsageError(f"notifier {context.name}: {variable} holds no address; it begins with https://")
    return value


def refuse(reply: Reply, *, context: NotifierContext, hints: dict[int, str], hidden: tuple[str, ...]) -> None:
    """Raise DeliveryError unless the answer is a success. A redirect is none: nobody was told."""
    if 200 <= reply.status < 300:
        return
    said = said_in(reply)
    for secret in hidden:
        if len(secret) >= 8:
            said = said.replace(secret, "[REDACTED]")
    hint = hints.get(reply.status) or hints.get(0, "")
    told = f"{reply.status} {one_line(said, 200)}".strip()
    raise DeliveryError(
        f"notifier {context.name}: refused with {told}" + (f"; {hint}" if hint else ""),
        status=reply.status,
        refused=True,
    )


def said_in(reply: Reply) -> str:
    """Return what a refusal says: a message and a list of errors, or its text."""
    try:
        told: Any = json.loads(reply.body)
    except (ValueError, RecursionError):
        text = reply.body[:2000].decode("utf-8", "replace").strip()
        return "" if text.startswith("<") else text
    if not isinstance(told, dict):
        return ""
    errors = told.get("errors")
    parts = [told.get("message") or told.get("error"), *(errors if isinstance(errors, list) else ())]
    return "; ".join(str(part) for part in parts if part)
