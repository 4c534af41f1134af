"""The moves of one issue: open, carry on, close, open again. The same for every kind of it.

A comment always comes before the rewriting of the body that relies on it, and body and state change in one
call. Whatever is cut off in between is found missing and done by the next run, or by the same one again.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...model.alert import Episode, EvalsetCondition
from ...model.issue import IssueNote, IssueState
from . import events
from .board import Held, closed_at
from .commands import moment_of
from .people import Due, login_of, silent_until, steps_due
from .scene import Cause, Scene, days_between, fired, kept, page_of
from .steps import Comment, Open, Remove, Rewrite, Step


def open_anew(scene: Scene, cause: Cause, *, before: Sequence[int] = ()) -> Open:
    """Open an issue for a cause; `before` names older ones of the same feature."""
    state = fired(scene, cause, None).model_copy(update={"before": tuple(sorted(set(before)))})
    page = page_of(scene, state, None, conditions=[cause.condition], owner=cause.condition.owner)
    return Open(page, assignees=state.assigned)


def carry_on(scene: Scene, held: Held, cause: Cause, *, remarks: Sequence[str] = ()) -> list[Step]:
    """Bring an open issue up to this run: its daily line, a more urgent tier, who is asked next, its body."""
    steps: list[Step] = []
    worse = cause.tier is not None and cause.tier < held.state.tier
    state = fired(scene, cause, held) if worse else kept(scene, cause, held)
    if worse:
        steps += _told(
            held,
            events.worse(state.tier, state.episode),
            IssueNote(
                kind="worse", issue=cause.kind, day=scene.run.day, run=scene.run, condition=cause.condition
            ),
        )
    if state.again_day == scene.run.day:
        steps += _told(held, events.again(scene.run.day), _note(scene, "again", cause))
    else:
        steps += day_line(scene, held, cause)
    return [
        *steps,
        *staffed(
            scene, held, state, owner=cause.condition.owner, conditions=[cause.condition], remarks=remarks
        ),
    ]


def staffed(
    scene: Scene,
    held: Held,
    state: IssueState,
    *,
    owner: str,
    conditions: Sequence[EvalsetCondition],
    remarks: Sequence[str] = (),
) -> list[Step]:
    """Record who is asked because nobody acknowledged, and rewrite the body."""
    steps: list[Step] = []
    due = steps_due(state, held, oncall=scene.rules.oncall, owner=owner, now=scene.rules.now)
    new = [one for one in due if not one.is_told]
    if new:
        steps.append(Comment(held.number, tuple(one.event for one in new), _escalation(scene, new)))
    wanted = _to_assign(due, state, held)
    if wanted:
        state = state.model_copy(update={"asked": (*state.asked, *wanted)})
    before = {*held.ticket.assignees, *held.state.assigned}
    added = [*wanted, *(name for name in state.assigned if name not in before)]
    page = page_of(scene, state, held, conditions=conditions, owner=owner, remarks=remarks)
    steps.append(Rewrite(held.number, page, assignees=(*held.ticket.assignees, *added) if added else None))
    return steps


def day_line(scene: Scene, held: Held, cause: Cause) -> list[Step]:
    """Add the line of this run's day: none on the first day, which the issue tells of, nor in a snooze."""
    day = scene.run.day
    if day <= cause.episode.first_bad.day or events.again(day) in held.events:
        return []
    if silent_until(held, now=scene.rules.now) is not None:
        return []
    return _told(held, events.day_of(day), _note(scene, "day", cause))


def late_line(scene: Scene, held: Held, cause: Cause) -> list[Step]:
    """Add what an older run can add to an issue that knows a newer one: the line of its day."""
    is_current = held.state.episode == cause.episode.key and held.state.phase == "open" and held.is_open
    return day_line(scene, held, cause) if is_current else []


def close(scene: Scene, held: Held, cause: Cause) -> list[Step]:
    """Close an issue whose episode a judged run has ended; one that a person closed is closed already."""
    return [
        *_told(held, events.closed(cause.episode.key), _note(scene, "closed", cause)),
        Rewrite(
            held.number,
            page_of(
                scene,
                _ended(scene, kept(scene, cause, held), cause.episode),
                held,
                conditions=[cause.condition],
                owner=cause.condition.owner,
            ),
            turn="closed" if held.is_open else None,
            reason="completed" if held.is_open else None,
            keeps_title=True,
        ),
    ]


def _ended(scene: Scene, state: IssueState, episode: Episode) -> IssueState:
    by = episode.recovered or scene.run
    return state.model_copy(update={"phase": "recovered", "recovered_day": by.day, "recovered_run": by.run})


def move_into(scene: Scene, held: Held, cause: Cause, *, number: int) -> list[Step]:
    """Close an issue whose alerts go on as rows of another one of the same evalset."""
    note = _note(scene, "moved", cause).model_copy(update={"number": number})
    state = _ended(scene, kept(scene, cause, held), cause.episode)
    page = page_of(scene, state, held, conditions=[cause.condition], owner=cause.condition.owner)
    return [
        *_told(held, events.moved(cause.episode.key), note),
        Rewrite(held.number, page, turn="closed", reason="completed", keeps_title=True),
    ]


def recur(scene: Scene, held: Held, cause: Cause, *, ended: Episode | None) -> list[Step]:
    """Let an issue stand for a new episode, open again where it was closed; `ended` is the one before."""
    steps: list[Step] = []
    if held.state.phase == "open" and ended is not None and ended.recovered is not None:
        before = Cause(cause.kind, cause.condition, ended)
        steps += _told(held, events.closed(ended.key), _note(scene, "closed", before))
    steps += _told(held, events.reopened(cause.episode), _note(scene, "reopened", cause))
    state = fired(scene, cause, held).model_copy(update={"nth": held.state.nth + 1})
    return [*steps, _turned_open(scene, held, state, cause)]


def open_again(scene: Scene, held: Held, cause: Cause) -> list[Step]:
    """Open what a person closed as done, and a later run finds bad still: once a day at most.

    The marker says so in the same call; the comment follows, by this run or by whichever finds it missing.
    """
    closing, made = closed_at(held), moment_of(scene.run.created_at)
    is_bad = cause.condition.state != "good" and cause.episode.last_bad.run == scene.run.run
    is_after = closing is not None and made is not None and made > closing
    if not (is_bad and is_after) or held.state.again_day == scene.run.day:
        return []
    if silent_until(held, now=scene.rules.now) is not None:
        return []
    state = fired(scene, cause, held).model_copy(update={"again_day": scene.run.day})
    return [_turned_open(scene, held, state, cause)]


def _turned_open(scene: Scene, held: Held, state: IssueState, cause: Cause) -> Rewrite:
    added = [name for name in state.assigned if name not in held.ticket.assignees]
    return Rewrite(
        held.number,
        page_of(scene, state, held, conditions=[cause.condition], owner=cause.condition.owner),
        turn=None if held.is_open else "open",
        reason=None if held.is_open else "reopened",
        assignees=(*held.ticket.assignees, *added) if added else None,
    )


def settle(found: Sequence[Held], *, scene: Scene) -> tuple[list[Step], Held | None]:
    """Of open issues of one cause keep the one with the lowest number; close the others, with a link."""
    if not found:
        return [], None
    first, *others = sorted(found, key=lambda one: one.number)
    steps: list[Step] = []
    for one in others:
        state = one.state.model_copy(update={"phase": "duplicate", "duplicate_of": first.number})
        note = IssueNote(kind="duplicate", issue=state.kind, number=first.number)
        steps += _told(one, events.duplicate(first.number), note)
        page = page_of(scene, state, one, conditions=())
        steps.append(Rewrite(one.number, page, turn="closed", reason="not_planned", keeps_title=True))
    return steps, first


def answers(held: Held) -> list[Step]:
    """Answer commands that could not be read, once each; take away what overlapping runs said twice."""
    steps: list[Step] = [Remove(held.number, note.id) for note in held.repeated]
    for one in held.unread:
        why = one.why.removeprefix(f"{one.said} ")
        note = IssueNote(kind="answer", issue=held.state.kind, people=(one.by,), said=one.said, text=why)
        steps += _told(held, events.answered(one.note), note)
    return steps


def within_reopening(scene: Scene, last: str | None, cause: Cause) -> bool:
    """Tell whether an issue that ended on the day `last` is opened again for a new episode."""
    gap = days_between(last or "", cause.episode.first_bad.day)
    return last is not None and gap <= scene.rules.monitors.reopen_days


def _note(scene: Scene, kind: str, cause: Cause) -> IssueNote:
    return IssueNote.model_validate(
        {
            "kind": kind,
            "issue": cause.kind,
            "day": scene.run.day,
            "run": scene.run,
            "condition": cause.condition,
            "episode": cause.episode,
            "recovery_days": scene.rules.monitors.recovery_days,
        }
    )


def _told(held: Held, event: str, note: IssueNote) -> list[Step]:
    return [] if event in held.events else [Comment(held.number, (event,), note)]


def _escalation(scene: Scene, due: Sequence[Due]) -> IssueNote:
    return IssueNote(
        kind="escalated",
        day=scene.run.day,
        run=scene.run,
        people=tuple(f"{one.step.role} {one.step.to}" for one in due),
        due=due[0].step.at.isoformat(),
    )


def _to_assign(due: Sequence[Due], state: IssueState, held: Held) -> list[str]:
    known = {name.casefold() for name in (*state.assigned, *state.asked, *held.ticket.assignees)}
    logins = [login_of(one.step.to) for one in due if one.step.role != "channel"]
    return [name for name in dict.fromkeys(logins) if name is not None and name.casefold() not in known]
