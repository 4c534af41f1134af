"""What the tracker should hold after a run, as steps from what it holds now. Pure: the clock is an argument.

The plan is made from the tracker alone, never from what an earlier plan meant to do. Carried out in part and
made again, it asks for the rest; carried out in whole and made again, it asks for nothing new.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from ...model.alert import AlertsFile, EvalsetCondition
from ...model.oncall import Monitors
from ...model.ticket import Ticket
from .board import Board, is_ours
from .incident import Opening, Outcome, plan_incident
from .lifecycle import answers
from .marker import DamagedMarker, read_marker
from .scene import Rules, Scene
from .steps import Plan, Step
from .storm import features_in, open_storm, split_off, umbrella, update_storm
from .upkeep import plan_upkeep

LOOK_BACK_DAYS: Final = 400
"""No issue that was closed longer ago is looked for."""


def plan_issues(alerts: AlertsFile, board: Board, rules: Rules) -> Plan:
    """Return the steps, in order, that make the tracker say what a run found.

    More new issues than `monitors.storm` become one. Issues of evalsets of which nothing is said stay as they
    are.
    """
    scene = Scene.of(alerts, board, rules)
    steps, storm = umbrella(scene)
    inside = features_in(storm, scene)
    openings: list[Opening] = []
    remarks = list(board.remarks)
    own: dict[tuple[str, str], int] = {}
    for condition in sorted(alerts.evalsets, key=lambda one: one.evalset):
        for kind, outcome in _both(
            scene.about(condition), condition, inside, storm.number if storm else None
        ):
            steps += outcome.steps
            remarks += outcome.remarks
            if outcome.holder is not None:
                own[kind, condition.evalset] = outcome.holder
            if outcome.opening is not None and (kind, condition.evalset) not in inside:
                openings.append(outcome.opening)
    apart = split_off(storm)
    together = [one for one in openings if one.cause.evalset not in apart]
    alone = [one for one in openings if one.cause.evalset in apart]
    joining: list[Opening] = []
    if len(together) <= rules.monitors.storm:
        alone += together
    elif storm is not None and storm.is_open:
        joining = together
    else:
        steps.append(open_storm(scene, together))
    steps += [step for one in alone for step in one.steps]
    if storm is not None:
        steps += update_storm(scene, storm, joining=joining, own=own)
    return Plan(tuple(_with_answers(steps, board)), tuple(dict.fromkeys(remarks)))


def _both(
    scene: Scene, condition: EvalsetCondition, inside: set[tuple[str, str]], storm: int | None
) -> list[tuple[str, Outcome]]:
    """Decide about the incident of one evalset, and then about its upkeep, which may be a row of it."""
    incident = plan_incident(scene, condition)
    is_row = ("incident", condition.evalset) in inside
    tracked = incident.holder is not None or incident.opening is not None or is_row
    number = incident.holder if incident.holder is not None else storm if is_row else None
    upkeep = plan_upkeep(scene, condition, incident=number, bad=condition.is_open and tracked)
    return [("incident", incident), ("upkeep", upkeep)]


def _with_answers(steps: list[Step], board: Board) -> list[Step]:
    """Answer what was asked in every open issue before anything else happens to it, and tidy it up."""
    mine = [one for one in board.held if one.is_open and not one.is_released]
    asked = [step for one in mine for step in answers(one)]
    return [*asked, *steps]


def look_back(alerts: AlertsFile, *, monitors: Monitors, now: datetime) -> str:
    """Return since when closed issues are of interest: may be opened again, were let go of, are linked.

    RFC 3339, UTC; never more than LOOK_BACK_DAYS ago.
    """
    today = now.astimezone(UTC).date()
    days = [today]
    for condition in alerts.evalsets:
        if condition.is_open and condition.episode is not None:
            days.append(_day(condition.episode.first_bad.day, today))
            days += [_day(one.recovered.day, today) for one in condition.earlier[:1] if one.recovered]
        days += [_day(alert.since.day, today) for alert in condition.alerts if alert.since is not None]
    first = min(days) - timedelta(days=monitors.reopen_days + 2)
    first = max(first, today - timedelta(days=LOOK_BACK_DAYS))
    return f"{first.isoformat()}T00:00:00Z"


def needs_notes(tickets: Sequence[Ticket], alerts: AlertsFile, *, actor: str) -> list[int]:
    """Return the tickets whose comments a plan needs: ours that are open, or may not stay closed."""
    stirred = {one.evalset for one in alerts.evalsets if one.is_open or one.alerts}
    found = []
    for ticket in tickets:
        if not is_ours(ticket, actor):
            continue
        try:
            state = read_marker(ticket.body)
        except DamagedMarker:
            state = None
        if (
            ticket.state == "open"
            or state is None
            or state.phase == "open"
            or (state.phase == "recovered" and (state.evalset in stirred or state.kind == "storm"))
        ):
            found.append(ticket.number)
    return found


def _day(text: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return otherwise
