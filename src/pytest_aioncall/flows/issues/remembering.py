"""What the history keeps of the issues, as records: which stands for an evalset, and what each stands for.

A pull request reads the first with no API. The second is what a marker said that somebody takes out later.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from pydantic import ValidationError

from ...decide.issues import Board
from ...model.alert import AlertsFile
from ...model.issue import IssueState
from ..daily import ISSUES

MARKERS: Final = "markers"


class Records(Protocol):
    """The part of a history that keeps small records."""

    def records(self, kind: str) -> dict[str, Any]: ...

    def write_record(self, kind: str, name: str, data: Any) -> None: ...


def remembered_markers(history: Records) -> dict[int, IssueState]:
    """Return by number what the markers of our issues said when they were last seen.

    A record that is none is passed over. Raises StoreError where the history cannot be read.
    """
    found: dict[int, IssueState] = {}
    for name, data in history.records(MARKERS).items():
        try:
            found[int(name)] = IssueState.model_validate(data)
        except (ValidationError, ValueError):
            continue
    return found


def remember_issues(alerts: AlertsFile, board: Board, history: Records) -> None:
    """Write `markers/<number>.json` of each issue, and `issues/<evalset>.json` of each evalset of a run.

    The one is the state that the marker holds, the other `{evalset, number, url, state}`. Nothing is written
    where it says so already, or where there never was an issue. Raises StoreError.
    """
    markers = remembered_markers(history)
    for held in board.held:
        if held.is_marked and markers.get(held.number) != held.state:
            history.write_record(MARKERS, str(held.number), held.state.model_dump(mode="json"))
    known = history.records(ISSUES)
    for condition in alerts.evalsets:
        name = condition.evalset
        said = _issue_of(name, board) or _closed(known.get(name))
        if said is not None and said != known.get(name):
            history.write_record(ISSUES, name, said)


def _issue_of(evalset: str, board: Board) -> dict[str, Any] | None:
    """Return the open issue of an incident: its own, else the one that it is in with others."""
    own = [held for held in board.of("incident", evalset) if held.is_open]
    shared = [
        held
        for held in board.of("storm")
        if held.is_open and any(f.evalset == evalset and f.status == "bad" for f in held.state.features)
    ]
    for held in (own or shared)[-1:]:
        return {"evalset": evalset, "number": held.number, "url": held.ticket.url, "state": "open"}
    return None


def _closed(known: Any) -> dict[str, Any] | None:
    return {**known, "state": "closed"} if isinstance(known, dict) else None
