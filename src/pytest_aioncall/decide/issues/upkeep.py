"""The issue of an evalset that has no data, or too old a baseline: nothing is said of its answers.

It is a kind of its own. The next judged run without the alert closes it; while an incident of the same
evalset is open, its alerts are rows there.
"""

from __future__ import annotations

from ...model.alert import Alert, Episode, EvalsetCondition
from ...model.history import RunRef
from ...model.issue import UPKEEP
from ...model.ticket import Ticket
from .board import Board, Held, released_by
from .incident import Opening, Outcome
from .lifecycle import carry_on, close, move_into, open_again, open_anew, recur, settle, within_reopening
from .scene import Cause, Scene, is_routed
from .steps import Step


def upkeep_alerts(condition: EvalsetCondition) -> tuple[Alert, ...]:
    """Return the alerts that make an issue although they say nothing of answers."""
    return tuple(alert for alert in condition.alerts if alert.kind in UPKEEP and not alert.quality)


def upkeep_released_by(board: Board, condition: EvalsetCondition) -> Ticket | None:
    """Return the issue by which a person let go of what an evalset lacks now; None where nobody did."""
    alerts = upkeep_alerts(condition)
    if not alerts:
        return None
    since = Episode(first_bad=alerts[0].since or condition.run, last_bad=condition.run)
    return released_by(board, "upkeep", condition.evalset, episodes=(since,))


def plan_upkeep(scene: Scene, condition: EvalsetCondition, *, incident: int | None, bad: bool) -> Outcome:
    """Decide about the upkeep of one evalset.

    `bad`: an incident of it is open, or is being opened; `incident` is the number of its issue, once known.
    """
    alerts = upkeep_alerts(condition)
    mine = scene.board.of("upkeep", condition.evalset)
    going = [one for one in mine if one.is_open and not one.is_released and one.state.phase == "open"]
    steps, held = settle(going, scene=scene)
    cause = _cause(scene, condition, alerts, held)
    if held is not None:
        return Outcome(
            (*steps, *_with_issue(scene, held, cause, incident=incident, bad=bad)), holder=held.number
        )
    if not alerts or bad:
        return Outcome()
    return _without_issue(scene, mine, cause)


def _with_issue(scene: Scene, held: Held, cause: Cause, *, incident: int | None, bad: bool) -> list[Step]:
    if scene.is_late_for(held):
        return []
    is_over = not cause.alerts and cause.condition.state != "not_judged"
    if is_over:
        return close(scene, held, cause)
    if bad:
        return move_into(scene, held, cause, number=incident) if incident is not None else []
    return carry_on(scene, held, cause)


def _without_issue(scene: Scene, mine: list[Held], cause: Cause) -> Outcome:
    latest = max((one for one in mine if not one.has_wontfix), key=lambda one: one.number, default=None)
    let_go = upkeep_released_by(scene.board, cause.condition)
    if let_go is not None:
        return Outcome(remarks=(f"#{let_go.number}: a person let go of it; left alone",))
    if not is_routed(cause.alerts, scene.rules.routes):
        return Outcome()
    if latest is None or latest.is_released:
        return _opened(cause, open_anew(scene, cause))
    if scene.is_late_for(latest):
        return Outcome()
    if latest.is_closed_by_hand and latest.state.episode == cause.episode.key:
        return Outcome(tuple(open_again(scene, latest, cause)))
    if not latest.is_closed_by_hand and within_reopening(scene, latest.state.recovered_day, cause):
        return _opened(cause, *recur(scene, latest, cause, ended=None))
    return _opened(cause, open_anew(scene, cause, before=(latest.number,)))


def _opened(cause: Cause, *steps: Step) -> Outcome:
    return Outcome(opening=Opening(cause, steps))


def _cause(scene: Scene, condition: EvalsetCondition, alerts: tuple[Alert, ...], held: Held | None) -> Cause:
    """Return what the issue is about: from the run since which the alert holds, as the marker has it."""
    first = alerts[0].since if alerts and alerts[0].since is not None else scene.run
    last = scene.run
    if held is not None:
        first = RunRef(run=held.state.episode, day=held.state.first_day)
        if not alerts:
            last = RunRef(run=held.state.episode, day=held.state.last_bad_day)
    return Cause("upkeep", condition, Episode(first_bad=first, last_bad=last), alerts)
