"""Why GitHub said no, in one line that names what to change."""

from __future__ import annotations

import json
from typing import Any

from ...errors import DeliveryError
from ...protocols import Reply
from ..text import one_line

_MOST_ERRORS = 3


def refusal(reply: Reply, *, doing: str, repository: str, permission: str) -> DeliveryError:
    """Return the error for an answer that is no success.

    `doing` completes "GitHub does not let this job ..."; `permission` is what `permissions:` of the job has
    to give where the answer does not name it itself.
    """
    where, said = one_line(repository, 140), said_in(reply)
    told = f" ({said})" if said else ""
    status = reply.status
    if status == 401:
        message = (
            f"GitHub does not know the token{told}; give the step env: GITHUB_TOKEN: ${{{{ github.token }}}}"
        )
    elif status == 403:
        message = (
            f"GitHub does not let this job {doing} in {where}{told}; the job needs "
            f"permissions: {needed(reply, permission)} (a run for a fork's pull request never has it)"
        )
    elif status == 404:
        message = (
            f"GitHub cannot {doing} in {where}: no such thing, or this token may not see it{told}; check "
            f"GITHUB_REPOSITORY and permissions: {needed(reply, permission)}"
        )
    elif status == 410:
        message = (
            f"GitHub cannot {doing} in {where}{told}; turn issues on in the repository's settings "
            "(General, Features), or the issue was deleted"
        )
    elif status in (301, 302, 307, 308):
        message = f"{where} has moved{told}; set GITHUB_REPOSITORY to its new name"
    else:
        message = f"GitHub refuses to {doing} in {where}: {status}{told}"
    return DeliveryError(message, status=status, refused=True)


def needed(reply: Reply, permission: str) -> str:
    """Return the permission as a workflow spells it; GitHub's own header knows best.

    The header has alternatives apart by `;`, each a list apart by `,`: `issues=write; pull_requests=write`.
    """
    header = reply.headers.get("x-accepted-github-permissions", "").split(";")[0]
    pairs = [part.strip().partition("=") for part in header.split(",") if "=" in part]
    named = ", ".join(f"{area.replace('_', '-')}: {level}" for area, _, level in pairs)
    return one_line(named, 120) if named else permission


def said_in(reply: Reply) -> str:
    """Return GitHub's own words: the message, and the first errors of a validation."""
    told = json_of(reply)
    if not isinstance(told, dict):
        return ""
    parts = [str(told.get("message", ""))]
    errors = told.get("errors")
    for error in errors[:_MOST_ERRORS] if isinstance(errors, list) else ():
        if isinstance(error, dict):
            words = error.get("message") or f"{error.get('field', '')} {error.get('code', '')}".strip()
            parts.append(str(words))
        else:
            parts.append(str(error))
    return one_line("; ".join(part for part in parts if part), 200)


def invalid_assignees(reply: Reply) -> set[str] | None:
    """Return the logins that a 422 refuses as assignees; None where it is about something else.

    An empty set: it is about assignees, and does not say which.
    """
    told = json_of(reply) if reply.status == 422 else None
    errors = told.get("errors") if isinstance(told, dict) else None
    about = [e for e in errors or () if isinstance(e, dict) and e.get("field") in ("assignees", "assignee")]
    if not about or len(about) < len(errors or ()):
        return None
    values = [e.get("value") for e in about]
    return {str(v) for value in values for v in (value if isinstance(value, list) else [value]) if v}


def json_of(reply: Reply) -> Any:
    """Return the body as JSON, None where it is none."""
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        return None
