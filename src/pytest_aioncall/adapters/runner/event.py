"""The event that started a workflow, as the runner wrote it down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from ...errors import UsageError

MOST_BYTES: Final = 32_000_000
"""GitHub's own limit of a payload is 25 MB."""


def read_event(path: Path | None) -> dict[str, Any]:
    """Return the event; empty where there is none. Raises UsageError where the file is no event."""
    if path is None or not path.is_file():
        return {}
    raw = path.read_bytes()[: MOST_BYTES + 1]
    if len(raw) > MOST_BYTES:
        raise UsageError(f"GITHUB_EVENT_PATH: {path} is larger than any event; is it the right file?")
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        raise UsageError(f"GITHUB_EVENT_PATH: {path} holds no JSON; is it the right file?") from None
    if not isinstance(told, dict):
        raise UsageError(f"GITHUB_EVENT_PATH: {path} holds no event; is it the right file?")
    return told
