"""Many evalsets at once are one issue: one provider, one index, one page.

A feature leaves the storm by a judged recovery of its own, when it gets an issue of its own, or when a person
takes it out (`/split NAME`), which gives it one. The umbrella closes when no feature is left in it. A feature
that falls again while it is open is a row of it again; after that it has an issue of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...model.alert import Episode, EvalsetCondition
from ...model.history import RunRef
from ...model.issue import Feature, IssueNote
from . import events
from .board import Held, episodes_of
from .incident import Opening
from .lifecycle import open_again, settle, staffed
from .people import silent_until
from .scene import Cause, Scene, fired, kept, page_of
from .steps import Comment, Open, Rewrite, Step
from .upkeep import upkeep_alerts

Key = tuple[str, str]


def umbrella(scene: Scene) -> tuple[list[Step], Held | None]:
    """Return the storm that is going on, and the steps that leave one of several.

    One that a person closed with features still in it goes on, too: the next bad run opens it again.
    """
    storms = [one for one in scene.board.of("storm") if one.state.phase == "open" and not one.is_released]
    steps, held = settle([one for one in storms if one.is_open], scene=scene)
    if held is None and storms and storms[-1].is_closed_by_hand:
        held = storms[-1]
    return steps, held


def features_in(held: Held | None, scene: Scene) -> set[Key]:
    """Return the features that are rows of the storm, and have no issue of their own for that."""
    if held is None:
        return set()
    split = split_off(held)
    inside = {one.key: one for one in held.state.features if one.status == "bad" and one.evalset not in split}
    if held.is_open:
        came_back = {one.key for one in held.state.features if one.status == "recovered"}
        return set(inside) | came_back
    # Closed by hand: it stands for what it stood for then, and for nothing that came later.
    now = {one.evalset: one.episode.key for one in scene.alerts.evalsets if one.episode is not None}
    return {key for key, one in inside.items() if one.kind == "upkeep" or now.get(one.evalset) == one.episode}


def split_off(held: Held | None) -> set[str]:
    """Return the evalsets that a person took out of a storm."""
    return {one.evalset for one in held.commands if one.verb == "split"} if held is not None else set()


def open_storm(scene: Scene, openings: Sequence[Opening]) -> Open:
    """Open one issue for all that would have been opened."""
    features = tuple(_feature(scene, opening.cause) for opening in openings)
    cause = _cause(scene, features, first=scene.run)
    state = fired(scene, cause, None).model_copy(update={"features": features})
    return Open(page_of(scene, state, None, conditions=_shown(scene, features)), assignees=state.assigned)


def update_storm(
    scene: Scene, held: Held, *, joining: Sequence[Opening], own: Mapping[Key, int]
) -> list[Step]:
    """Bring a storm up to this run: who is in it, has left, has come; close it when none is left.

    `own` holds numbers of open issues of single evalsets.
    """
    if scene.is_late_for(held):
        return []
    features = _features(scene, held, joining=joining, own=own)
    first = RunRef(run=held.state.episode, day=held.state.first_day)
    cause = _cause(scene, features, first=first)
    if all(one.status != "bad" for one in features):
        return _closed(scene, held, cause, features, own=own)
    if not held.is_open:
        is_bad = any(one.status == "bad" and _fell_now(scene, one) for one in features)
        return open_again(scene, held, cause) if is_bad else []
    state = kept(scene, cause, held).model_copy(update={"features": tuple(features)})
    note = _note(scene, "day", cause, features)
    shown = _shown(scene, features)
    return [*_daily(scene, held, note), *staffed(scene, held, state, owner="", conditions=shown)]


def _features(
    scene: Scene, held: Held, *, joining: Sequence[Opening], own: Mapping[Key, int]
) -> list[Feature]:
    conditions = {one.evalset: one for one in scene.alerts.evalsets}
    features = {f.key: _moved_on(scene, held, f, conditions.get(f.evalset), own) for f in held.state.features}
    for opening in joining:
        feature = _feature(scene, opening.cause)
        features[feature.key] = feature
    return list(features.values())


def _closed(
    scene: Scene, held: Held, cause: Cause, features: Sequence[Feature], *, own: Mapping[Key, int]
) -> list[Step]:
    event = events.closed(held.state.episode)
    told = [Comment(held.number, (event,), _note(scene, "closed", cause, features))]
    state = kept(scene, cause, held).model_copy(
        update={
            "features": tuple(features),
            "phase": "recovered",
            "recovered_day": scene.run.day,
            "recovered_run": scene.run.run,
        }
    )
    page = page_of(
        scene, state, held, conditions=_shown(scene, features), own_issues={k[1]: n for k, n in own.items()}
    )
    turn = Rewrite(held.number, page, turn="closed", reason="completed", keeps_title=True)
    still = Rewrite(held.number, page, keeps_title=True)
    return [*(told if event not in held.events else []), turn if held.is_open else still]


def _daily(scene: Scene, held: Held, note: IssueNote) -> list[Step]:
    day = scene.run.day
    if held.state.again_day == day:
        event, said = events.again(day), note.model_copy(update={"kind": "again"})
    else:
        event, said = events.day_of(day), note
        silent = silent_until(held, now=scene.rules.now) is not None
        if day <= held.state.first_day or silent or events.again(day) in held.events:
            return []
    return [] if event in held.events else [Comment(held.number, (event,), said)]


def _moved_on(
    scene: Scene, held: Held, feature: Feature, condition: EvalsetCondition | None, own: Mapping[Key, int]
) -> Feature:
    """Return how a feature stands after this run; it stays as it was where the run says nothing of it."""

    def now(status: str, **more: object) -> Feature:
        changed = {"status": status, "day": scene.run.day, **more}
        return feature.model_copy(update=changed) if status != feature.status or more else feature

    if feature.key in own and feature.status in ("bad", "split"):
        return now("own")
    if feature.status == "bad" and feature.evalset in split_off(held):
        return now("split")
    if condition is None or feature.status in ("own", "split"):
        return feature
    if feature.kind == "upkeep":
        lacks = bool(upkeep_alerts(condition)) and not condition.is_open
        judged = condition.state != "not_judged"
        return now("bad") if lacks else now("recovered") if judged or condition.is_open else feature
    episode = condition.episode
    if condition.is_open and episode is not None:
        if feature.status == "bad" or episode.key != feature.episode:
            tier = min((alert.tier for alert in condition.alerts), default=feature.tier)
            return now("bad", episode=episode.key, tier=min(tier, feature.tier))
        return feature
    ended = next((e for e in episodes_of(condition) if e.key == feature.episode), episode)
    is_over = ended is not None and ended.recovered is not None and condition.state != "not_judged"
    return now("recovered") if feature.status == "bad" and is_over else feature


def _fell_now(scene: Scene, feature: Feature) -> bool:
    """Tell whether this very run found a feature bad: what opens a storm again that a person has closed."""
    for one in scene.alerts.evalsets:
        if one.evalset == feature.evalset:
            if feature.kind == "upkeep":
                return bool(upkeep_alerts(one))
            return one.state == "bad" and one.episode is not None and one.episode.last_bad.run == one.run.run
    return False


def _feature(scene: Scene, cause: Cause) -> Feature:
    return Feature(
        evalset=cause.evalset,
        kind="upkeep" if cause.kind == "upkeep" else "incident",
        episode=cause.episode.key,
        first_day=cause.episode.first_bad.day,
        day=scene.run.day,
        tier=cause.tier or 1,
    )


def _shown(scene: Scene, features: Sequence[Feature]) -> list[EvalsetCondition]:
    names = {one.evalset for one in features}
    return [one for one in scene.alerts.evalsets if one.evalset in names]


def _cause(scene: Scene, features: Sequence[Feature], *, first: RunRef) -> Cause:
    """Return a storm as one cause: its alerts are all of those still in it."""
    bad = {one.evalset for one in features if one.status == "bad"}
    alerts = tuple(alert for one in scene.alerts.evalsets if one.evalset in bad for alert in one.alerts)
    everybody = EvalsetCondition(evalset="", run=scene.run, state="bad" if bad else "good")
    return Cause("storm", everybody, Episode(first_bad=first, last_bad=scene.run), alerts)


def _note(scene: Scene, kind: str, cause: Cause, features: Sequence[Feature]) -> IssueNote:
    return IssueNote.model_validate(
        {
            "kind": kind,
            "issue": "storm",
            "day": scene.run.day,
            "run": scene.run,
            "episode": cause.episode,
            "features": tuple(features),
        }
    )
