"""The issue of one evalset whose answers got worse: what is to become of it after a run."""

from __future__ import annotations

from dataclasses import dataclass

from ...model.alert import Episode, EvalsetCondition
from ...model.history import RunRef
from .board import Held, closed_at, episode_of, incident_released_by, keys_of
from .lifecycle import carry_on, close, late_line, open_again, open_anew, recur, settle, within_reopening
from .scene import Cause, Scene, is_routed
from .steps import Step


@dataclass(frozen=True, slots=True)
class Opening:
    """An issue that this run wants to open, or open again: `steps` do it, unless a storm takes it over."""

    cause: Cause
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one evalset asks for. `holder` is its issue where it has one that is open."""

    steps: tuple[Step, ...] = ()
    opening: Opening | None = None
    remarks: tuple[str, ...] = ()
    holder: int | None = None


UNKNOWN = (
    "The history does not know the episode that this issue stands for, so that no run can end it: "
    "close it by hand when it is over."
)


def plan_incident(scene: Scene, condition: EvalsetCondition) -> Outcome:
    """Decide about the incident of one evalset."""
    mine = scene.board.of("incident", condition.evalset)
    going = [one for one in mine if one.is_open and one.state.phase == "open" and not one.is_released]
    steps, held = settle(going, scene=scene)
    if held is None:
        # A person opened again what a judged run had closed: it is the issue of whatever comes next.
        held = next(
            (o for o in mine if o.is_open and not o.is_released and o.state.phase == "recovered"), None
        )
    if held is not None:
        found = _with_issue(scene, held, condition)
        return Outcome((*steps, *found.steps), found.opening, found.remarks, held.number)
    return _without_issue(scene, mine, condition)


def cause_of(condition: EvalsetCondition, episode: Episode) -> Cause:
    """Return what an incident issue is about: all alerts of the evalset are rows of it."""
    return Cause("incident", condition, episode, condition.alerts)


def _with_issue(scene: Scene, held: Held, condition: EvalsetCondition) -> Outcome:
    known = episode_of(held.state, condition)
    now = condition.episode
    if scene.is_late_for(held):
        return Outcome(tuple(late_line(scene, held, cause_of(condition, now)) if now else ()))
    if condition.is_open and now is not None:
        return _still_bad(scene, held, condition, known=known, now=now)
    if held.state.phase == "recovered":
        return Outcome(remarks=(f"#{held.number}: opened by hand after its recovery; left as it is",))
    if known is not None and known.recovered is not None and condition.state != "not_judged":
        return Outcome(tuple(close(scene, held, cause_of(condition, known))))
    remark = "" if known is not None else UNKNOWN
    stays = cause_of(condition, known or _remembered(held))
    lines = (remark,) if remark else ()
    return Outcome(
        tuple(carry_on(scene, held, stays, remarks=lines)),
        remarks=(f"#{held.number}: {remark}",) if remark else (),
    )


def _still_bad(
    scene: Scene, held: Held, condition: EvalsetCondition, *, known: Episode | None, now: Episode
) -> Outcome:
    cause = cause_of(condition, now)
    is_same = known is None or known == now
    if is_same and held.state.phase == "open":
        return Outcome(tuple(carry_on(scene, held, cause)))
    ended = None if is_same else known
    last = ended.recovered.day if ended and ended.recovered else held.state.recovered_day
    if held.state.phase == "recovered" or last is None or within_reopening(scene, last, cause):
        return Outcome(tuple(recur(scene, held, cause, ended=ended)))
    if condition.state == "not_judged":
        # A run that could not judge closes nothing, not even what an earlier one has ended.
        return Outcome()
    closing = close(scene, held, cause_of(condition, ended)) if ended is not None else []
    return Outcome(tuple(closing), _opening(scene, cause, before=held.number))


def _without_issue(scene: Scene, mine: list[Held], condition: EvalsetCondition) -> Outcome:
    """Decide where no issue is open: closed by a person, closed by us, let go of, or never there."""
    latest = max((one for one in mine if not one.has_wontfix), key=lambda one: one.number, default=None)
    now = condition.episode
    if latest is not None and latest.is_closed_by_hand and not scene.is_late_for(latest):
        ended = episode_of(latest.state, condition)
        if ended is not None and ended.recovered is not None and condition.state != "not_judged":
            closing = tuple(close(scene, latest, cause_of(condition, ended)))
            if not condition.is_open:
                return Outcome(closing)
    if not condition.is_open or now is None:
        return Outcome()
    released = incident_released_by(scene.board, condition)
    if released is not None:
        return Outcome(remarks=(f"#{released.number}: a person let go of this episode; left alone",))
    cause = cause_of(condition, now)
    if latest is None:
        return Outcome(opening=_opening(scene, cause, before=mine[-1].number if mine else None))
    if scene.is_late_for(latest):
        return Outcome(remarks=(f"#{latest.number} knows a newer run; left as it is",))
    return _after_closing(scene, latest, cause)


def _after_closing(scene: Scene, latest: Held, cause: Cause) -> Outcome:
    """Decide about an open episode whose evalset had an issue that is closed now."""
    ended = episode_of(latest.state, cause.condition)
    is_same = ended is not None and ended == cause.episode
    if latest.is_released:
        return Outcome(opening=_opening(scene, cause, before=latest.number))
    if is_same and latest.is_closed_by_hand:
        steps = tuple(open_again(scene, latest, cause))
        remark = f"#{latest.number}: closed by hand; opened again at the next bad run after that"
        return Outcome(steps, remarks=() if steps else (remark,))
    closing = closed_at(latest)
    last = latest.state.recovered_day or (closing.date().isoformat() if closing else None)
    if ended is not None and ended.recovered is not None:
        last = ended.recovered.day
    if is_same or within_reopening(scene, last, cause):
        steps = tuple(recur(scene, latest, cause, ended=None if is_same else ended))
        return Outcome(opening=_allowed(scene, cause, steps))
    return Outcome(opening=_opening(scene, cause, before=latest.number))


def _opening(scene: Scene, cause: Cause, *, before: int | None = None) -> Opening | None:
    storms = [one for one in scene.board.of("storm") if ("incident", cause.evalset) in keys_of(one)]
    if any(scene.is_late_for(one) for one in storms):
        return None
    numbers = [one.number for one in storms] + ([] if before is None else [before])
    return _allowed(scene, cause, (open_anew(scene, cause, before=numbers),))


def _allowed(scene: Scene, cause: Cause, steps: tuple[Step, ...]) -> Opening | None:
    """Return an opening, unless no route leads to an issue.

    An episode without an alert at the moment (its first publication was lost) is opened where both tiers that
    people look at lead to an issue.
    """
    routes = scene.rules.routes
    routed = (
        is_routed(cause.alerts, routes) if cause.alerts else all("github" in routes.of(t) for t in (1, 2))
    )
    return Opening(cause, steps) if routed else None


def _remembered(held: Held) -> Episode:
    """Return the episode as the marker remembers it, for an issue that the history does not know."""
    state = held.state
    return Episode(
        first_bad=RunRef(run=state.episode, day=state.first_day),
        last_bad=RunRef(run=state.episode, day=state.last_bad_day),
    )
