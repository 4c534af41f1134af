"""The one comment of a pull request: edited in place, silent when all was green, resolved after red."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ...adapters.render.markdown import Marker, Place, comment, read_marker, resolved, tone_of
from ...adapters.render.story import Story, stories
from ...adapters.runner import read_event
from ...adapters.text import one_line
from ...adapters.trackers import GitHubTracker
from ...errors import DeliveryError, UsageError
from ...model.report import Report
from ...model.ticket import Note
from ...settings import Settings
from .place import place_of, refuse_other_commit, refuse_without_token
from .pull import Found, Pulls, place_of_workflow_run, pull_of_job, pull_of_workflow_run
from .reports import load_report
from .summary import append_summary

Action = Literal["created", "changed", "resolved", "kept", "silent", "fell_back", "dry_run"]
_LOUD = frozenset(
    {
        "not_recorded", "cannot_judge", "not_comparable", "suspected", "already", "not_run", "nothing_shared",
        "accepted",
    }
)  # fmt: skip
"""States that fail nothing, and that a reviewer should know of all the same."""
_NOT_JUDGED = "the run was not judged: nothing is said, nothing is taken back"


class Comments(Pulls, Protocol):
    """What is asked of the tracker."""

    actor: str

    def notes(self, number: int) -> list[Note]: ...

    def add_note(self, number: int, body: str) -> Note: ...

    def change_note(self, id: int, body: str) -> Note: ...

    def remove_note(self, id: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Commented:
    """What came of it: `note` is a line for the log, `text` the body where there is one."""

    action: Action
    note: str
    number: int | None = None
    text: str = ""
    url: str = ""


def publish_comment(
    where: str | None,
    *,
    settings: Settings,
    number: int | None = None,
    key: str = "",
    from_workflow_run: bool = False,
    tracker: Comments | None = None,
    dry_run: bool = False,
) -> Commented:
    """Write, change or resolve the comment of a pull request.

    number             of the pull request; None: of the event
    key                tells the comments of several jobs of one pull request apart
    from_workflow_run  the report was written by another workflow run, that of a fork perhaps: it is read
                       strictly, and nothing in it says where the comment goes

    Raises UsageError (no report, a forged one, no token), and DeliveryError where GitHub could not be
    reached; where it refuses (403, 404), the summary of the step has the text instead.
    """
    github = settings.github
    event = read_event(github.event_path)
    other_run = from_workflow_run or github.event_name == "workflow_run"
    if other_run and number is not None:
        raise UsageError(
            "--pr: with --from-workflow-run the pull request is found by the commit; leave it away"
        )
    report = load_report(where, settings, trusted=not other_run, event=event)
    if not other_run:
        refuse_other_commit(report.run, settings, dry_run=dry_run)
    if tracker is None and not dry_run:
        refuse_without_token(settings)
    asked = tracker if tracker is not None else GitHubTracker(github)
    try:
        if other_run:
            found = pull_of_workflow_run(settings, event, asked)
        else:
            found = pull_of_job(settings, event, report.run, number=number)
        if found.number is None and not dry_run:
            return Commented("silent", found.why_not)
        if dry_run:
            return _rehearsed(report, found, key=key)
        return _publish(report, found, asked, key=key)
    except DeliveryError as error:
        return _fall_back(report, event, error, settings=settings, other_run=other_run)


def _rehearsed(report: Report, found: Found, *, key: str) -> Commented:
    """Say what a pull request would get that has no comment of ours yet; nobody is asked whether it has."""
    marker = _marker(report, found, key, before=None)
    if marker.state == "resolved":
        judged = _was_judged(stories(report))
        why = "all is well; a red comment that is there is resolved" if judged else _NOT_JUDGED
        return Commented("dry_run", f"dry run: there is nothing to say: {why}", found.number)
    text = comment(report, found.place, marker=str(marker))
    return Commented("dry_run", "dry run: nothing was sent", found.number, text)


def _publish(report: Report, found: Found, tracker: Comments, *, key: str) -> Commented:
    number = found.number or 0
    ours = _ours(tracker.notes(number), tracker.actor, key)
    newest = max((marker for _, marker in ours), key=lambda m: (m.run, m.attempt), default=None)
    marker = _marker(report, found, key, before=newest)
    if newest is not None and newest.is_newer_than(marker):
        return Commented("kept", f"a newer run has written the comment on #{number}: left as it is", number)
    told = stories(report)
    if marker.state == "resolved" and not _was_judged(told):
        return Commented("silent", _NOT_JUDGED, number)
    if marker.state == "resolved" and marker.red:
        names = one_line(", ".join(marker.red), 200)
        return Commented(
            "kept", f"red on #{number}, and not judged in this run: {names}; left as it is", number
        )
    if newest is None:
        if marker.state == "resolved":
            return Commented("silent", f"nothing to say on #{number}: all is well, and it was before", number)
        text = comment(report, found.place, marker=str(marker))
        note = _add(tracker, number, text, key=key)
        return Commented("created", f"commented on #{number}", number, text, note.url)
    (note, before), *double = ours
    done = _change(report, number, found.place, tracker, note=note, before=before, marker=marker)
    for more, _ in double:
        # Two runs that began at once may each have written one. People may have answered the oldest.
        tracker.remove_note(more.id)
    return done


def _change(
    report: Report,
    number: int,
    place: Place,
    tracker: Comments,
    *,
    note: Note,
    before: Marker,
    marker: Marker,
) -> Commented:
    """Edit the comment that is there; one that says the same already is left alone."""
    calm = marker.state == "resolved"
    if calm and before.state == "resolved":
        return Commented("kept", f"the comment on #{number} is resolved already", number, note.body, note.url)
    text = (resolved if calm else comment)(report, place, marker=str(marker))
    if _same(note.body, text):
        return Commented("kept", f"the comment on #{number} says so already", number, text, note.url)
    changed = tracker.change_note(note.id, text)
    action: Action = "resolved" if calm else "changed"
    return Commented(action, f"{action} the comment on #{number}", number, text, changed.url)


def _add(tracker: Comments, number: int, text: str, *, key: str) -> Note:
    """Comment once: where the reply was lost, look whether it is there before trying again."""
    try:
        return tracker.add_note(number, text)
    except DeliveryError as error:
        if not error.unknown:
            raise
    there = _ours(tracker.notes(number), tracker.actor, key)
    return there[0][0] if there else tracker.add_note(number, text)


def _ours(notes: Sequence[Note], actor: str, key: str) -> list[tuple[Note, Marker]]:
    """Return our comments under this key, oldest first; in anybody else's a marker is quoted."""
    return [
        (note, marker)
        for note in notes
        if note.author == actor and (marker := read_marker(note.body)) is not None and marker.key == key
    ]


def _marker(report: Report, found: Found, key: str, *, before: Marker | None) -> Marker:
    told = stories(report)
    state: Literal["red", "open", "resolved"] = "resolved"
    if tone_of(told) == "bad" or report.exit_code == 1:
        state = "red"
    elif _is_loud(report, told):
        state = "red" if before is not None and before.state == "red" else "open"
    return Marker(key, state, found.run, found.attempt, _red(told, before))


def _red(told: Sequence[Story], before: Marker | None) -> tuple[str, ...]:
    """Name the evalsets that are red, and those that were and that this run says nothing of."""
    now = [story.name for story in told if tone_of([story]) == "bad"]
    settled = {story.name for story in told if story.report.unaffected or _is_settled(story)}
    left = before.red if before is not None else ()
    return tuple(dict.fromkeys([*now, *(name for name in left if name not in settled)]))


def _is_settled(story: Story) -> bool:
    judgement = story.report.judgement
    return judgement is not None and judgement.status != "cannot_judge"


def _is_loud(report: Report, told: Sequence[Story]) -> bool:
    """Tell whether somebody should look although nothing regressed."""
    proposed = [story.report.review for story in told] + [report.review]
    return (
        report.exit_code != 0
        or any(story.state in _LOUD or story.hit_the_cap for story in told)
        or any(one is not None and (one.proposals or one.baseline is not None) for one in proposed)
        or any(
            story.report.baseline is not None
            and story.report.judgement is not None
            and story.report.judgement.coverage.removed
            for story in told
        )
    )


def _was_judged(told: Sequence[Story]) -> bool:
    """Tell whether all of it was: a part that somebody chose, or that was stopped, takes nothing back."""
    return not any(story.state in ("interrupted", "partial") for story in told)


def _same(one: str, other: str) -> bool:
    """Tell whether two bodies differ in nothing but the moment at which they were written."""

    def without_footer(body: str) -> list[str]:
        return body.replace("\r\n", "\n").rstrip().split("\n")[:-1]

    return without_footer(one) == without_footer(other)


def _fall_back(
    report: Report, event: Mapping[str, Any], error: DeliveryError, *, settings: Settings, other_run: bool
) -> Commented:
    """Write the text to the summary instead; where trying again may help, the error stays one."""
    github = settings.github
    told = ""
    if github.summary is not None:
        place = place_of_workflow_run(settings, event) if other_run else place_of(settings, event, report.run)
        append_summary(report, place, github.summary)
        told = "; the summary of this step has it instead"
    if not error.refused:
        raise DeliveryError(f"{error}{told}", status=error.status, unknown=error.unknown) from None
    enough = "; for a comment pull-requests: write is enough" if error.status == 403 else ""
    return Commented("fell_back", f"no comment: {error}{enough}{told}")
