"""Which issue stands for an evalset now, as records of the history: a pull request reads them with no API."""

from __future__ import annotations

from typing import Any

from ...adapters.history import HistoryFolder
from ...decide.issues import Board
from ...model.alert import AlertsFile
from ..daily import ISSUES


def remember_issues(alerts: AlertsFile, board: Board, history: HistoryFolder) -> None:
    """Write `issues/<evalset>.json` of each evalset of a run: `{evalset, number, url, state}`.

    Nothing is written where it says so already, or where there never was an issue. Raises StoreError.
    """
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
