"""What every decision about an issue looks at, and the pieces that all of them are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from ...model.alert import Alert, AlertsFile, Episode, EvalsetCondition
from ...model.history import RunRef
from ...model.issue import IssueKind, IssuePage, IssueState, Spot, Staffing
from ...model.oncall import Monitors, OnCall, Routes, Tier
from ..oncall import on_call_at, owner_of
from .board import Board, Held
from .commands import moment_of
from .people import ack_of, assigned_anew, staffing

GITHUB: Final = "github"
"""The route that stands for an issue."""
_AHEAD: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says, and the clock."""

    monitors: Monitors
    routes: Routes
    oncall: OnCall
    now: datetime


@dataclass(frozen=True, slots=True)
class Scene:
    """What a run's alerts say, the tracker as it stands, and the rules.

    run  the run that is spoken of: the newest one of the evalset at hand, whichever run asked
    """

    alerts: AlertsFile
    board: Board
    rules: Rules
    run: RunRef

    @classmethod
    def of(cls, alerts: AlertsFile, board: Board, rules: Rules) -> Scene:
        """Return the scene of all evalsets together, as of the newest of their runs."""
        asking = RunRef(
            run=alerts.run,
            day=alerts.day,
            commit=alerts.commit,
            url=alerts.url,
            created_at=alerts.created_at,
        )
        runs = [one.run for one in alerts.evalsets]
        return cls(alerts, board, rules, max(runs, key=_order_of, default=asking))

    def about(self, condition: EvalsetCondition) -> Scene:
        """Return the scene of one evalset, as of its own newest run."""
        return replace(self, run=condition.run)

    @property
    def spot(self) -> Spot:
        return Spot(created_at=self.run.created_at or self.run.day, run=self.run.run)

    @property
    def now_text(self) -> str:
        return self.rules.now.isoformat()

    def is_late_for(self, held: Held) -> bool:
        """Tell whether a newer run is in the issue already: then this one may only add what is missing.

        A run that is dated in the future is none: every later run would be late until then.
        """
        newest = _order(held.state.as_of)
        return _order(self.spot) < newest and newest[0] <= self.rules.now + _AHEAD


@dataclass(frozen=True, slots=True)
class Cause:
    """What an issue is about: a kind, an evalset as this run found it, and the episode that it stands for."""

    kind: IssueKind
    condition: EvalsetCondition
    episode: Episode
    alerts: tuple[Alert, ...] = ()

    @property
    def evalset(self) -> str:
        return self.condition.evalset

    @property
    def tier(self) -> Tier | None:
        """Return the worst tier of what holds now; None where nothing does."""
        return min((alert.tier for alert in self.alerts), default=None)


def _order(spot: Spot) -> tuple[datetime, str]:
    moment = moment_of(spot.created_at)
    if moment is None:
        try:
            moment = datetime.combine(date.fromisoformat(spot.created_at[:10]), time(), UTC)
        except ValueError:
            moment = datetime.min.replace(tzinfo=UTC)
    return moment, spot.run


def _order_of(run: RunRef) -> tuple[datetime, str]:
    return _order(Spot(created_at=run.created_at or run.day, run=run.run))


def days_between(first: str, last: str) -> int:
    """Return how many days lie between two days (YYYY-MM-DD); 0 where one of them is none."""
    try:
        return (date.fromisoformat(last[:10]) - date.fromisoformat(first[:10])).days
    except ValueError:
        return 0


def is_routed(alerts: Sequence[Alert], routes: Routes) -> bool:
    """Tell whether any of these alerts goes to an issue."""
    return any(GITHUB in routes.of(alert.tier) for alert in alerts)


def fired(scene: Scene, cause: Cause, held: Held | None) -> IssueState:
    """Return the state of an issue that is paged now: opened, opened again, or more urgent than it was."""
    before = held.state if held is not None else None
    oncall = scene.rules.oncall
    owner = owner_of(oncall, cause.evalset, cause.condition.owner)
    first = on_call_at(oncall, scene.rules.now).primary or owner
    tier = cause.tier or (before.tier if before else 1)
    assigned = assigned_anew(held, first if tier == 1 else None)
    base = before if before is not None else _blank(scene, cause)
    return base.model_copy(
        update={
            "phase": "open",
            "episode": cause.episode.key,
            "first_day": cause.episode.first_bad.day,
            "last_bad_day": cause.episode.last_bad.day,
            "recovered_day": None,
            "recovered_run": None,
            "as_of": scene.spot,
            "fired_at": scene.now_text,
            "tier": tier,
            "assigned": assigned,
            "asked": (),
            "ack": None,
        }
    )


def kept(scene: Scene, cause: Cause, held: Held) -> IssueState:
    """Return the state of an issue that goes on: this run is in it now."""
    tier = min(held.state.tier, cause.tier or held.state.tier)
    # Whom the tracker did not take, or a person took out, has answered when he assigns himself after all.
    there = tuple(name for name in held.state.assigned if name in held.ticket.assignees)
    return held.state.model_copy(
        update={
            "assigned": there,
            "episode": cause.episode.key,
            "first_day": cause.episode.first_bad.day,
            "last_bad_day": cause.episode.last_bad.day,
            "as_of": scene.spot,
            "tier": tier,
            "ack": ack_of(held, fired_at=held.state.fired_at, now=scene.rules.now),
        }
    )


def staffing_of(scene: Scene, state: IssueState, held: Held | None, owner: str) -> Staffing:
    """Say who is on call for an issue, and until when an answer is due."""
    return staffing(state, held, oncall=scene.rules.oncall, owner=owner, now=scene.rules.now)


def page_of(
    scene: Scene,
    state: IssueState,
    held: Held | None,
    *,
    conditions: Sequence[EvalsetCondition],
    owner: str = "",
    own_issues: dict[str, int] | None = None,
    remarks: Sequence[str] = (),
) -> IssuePage:
    """Return all that the body of an issue says."""
    return IssuePage(
        state=state,
        run=scene.run,
        conditions=tuple(conditions),
        staffing=staffing_of(scene, state, held, owner),
        number=held.number if held is not None else None,
        recovery_days=scene.rules.monitors.recovery_days,
        own_issues=own_issues or {},
        remarks=tuple(remarks),
    )


def _blank(scene: Scene, cause: Cause) -> IssueState:
    return IssueState(
        kind=cause.kind,
        evalset=cause.evalset,
        episode=cause.episode.key,
        first_day=cause.episode.first_bad.day,
        last_bad_day=cause.episode.last_bad.day,
        as_of=scene.spot,
        fired_at=scene.now_text,
        tier=cause.tier or 1,
    )
