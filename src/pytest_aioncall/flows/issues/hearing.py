"""What the issues tell of the evalsets, for those who are told by other ways than an issue."""

from __future__ import annotations

from ...decide.issues import (
    Board,
    Held,
    Rules,
    incident_released_by,
    silent_until,
    stands_for,
    steps_due,
    upkeep_alerts,
    upkeep_released_by,
)
from ...model.alert import AlertsFile, EvalsetCondition
from ...model.ticket import Ticket
from ..delivering import Heard


def heard_of(alerts: AlertsFile, board: Board, *, rules: Rules) -> dict[str, Heard]:
    """Return by evalset where its issue is, who has taken it, whether it is silent, and who is asked now.

    What a person let go of is silent for good.
    """
    storm = next((s for s in board.of("storm") if s.is_open and not s.is_released), None)
    found: dict[str, Heard] = {}
    for condition in alerts.evalsets:
        heard = _of(condition, board, storm=storm, rules=rules)
        if heard is not None:
            found[condition.evalset] = heard
    return found


def _of(condition: EvalsetCondition, board: Board, *, storm: Held | None, rules: Rules) -> Heard | None:
    released = _released(condition, board)
    if released is not None:
        return Heard(url=released.url or None, snoozed=True)
    held = _issue_of(condition, board)
    kind = "incident" if condition.is_open else "upkeep"
    is_row = storm is not None and any(
        f.key == (kind, condition.evalset) and f.status == "bad" for f in storm.state.features
    )
    if held is None and storm is not None and is_row:
        # A storm is nobody's: its people are those of the rotation, not the owner of one feature.
        return _heard(storm, owner="", storm=storm.state.episode, rules=rules)
    return _heard(held, owner=condition.owner, storm="", rules=rules) if held is not None else None


def _released(condition: EvalsetCondition, board: Board) -> Ticket | None:
    """Return by which issue a person let go of all that holds now; an outage is never let go of."""
    if condition.is_open:
        return incident_released_by(board, condition)
    is_all = upkeep_alerts(condition) == condition.alerts
    return upkeep_released_by(board, condition) if is_all else None


def _issue_of(condition: EvalsetCondition, board: Board) -> Held | None:
    """Return the issue that stands for what holds now; one that a person closed as done counts, too."""
    if condition.is_open:
        mine = [h for h in board.of("incident", condition.evalset) if stands_for(h.state, condition)]
    else:
        mine = [h for h in board.of("upkeep", condition.evalset) if h.state.phase == "open"]
    kept = [held for held in mine if not held.is_released]
    return kept[-1] if kept else None


def _heard(held: Held, *, owner: str, storm: str, rules: Rules) -> Heard:
    due = steps_due(held.state, held, oncall=rules.oncall, owner=owner, now=rules.now)
    ack = held.state.ack
    return Heard(
        url=held.ticket.url or None,
        is_issue=held.is_open,
        acked_by=ack.by if ack is not None else None,
        snoozed=silent_until(held, now=rules.now) is not None or not held.is_open,
        storm=storm,
        escalated=tuple(one.step for one in due) if held.is_open else (),
    )
