"""A check of its own on the commit: the one place where GitHub shows what is neither green nor red."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ...adapters.render.markdown import Place, comment, headline, plain
from ...adapters.render.states import State
from ...adapters.render.story import Story, stories
from ...adapters.runner import read_event
from ...adapters.trackers import GitHubTracker
from ...errors import DeliveryError, UsageError
from ...model.report import Report
from ...settings import Settings
from .place import place_of, refuse_other_commit, refuse_without_token
from .pull import Pulls, place_of_workflow_run, pull_of_workflow_run
from .reports import load_report
from .summary import append_summary

Conclusion = Literal["success", "neutral", "failure"]
_GREEN: frozenset[State] = frozenset({"pass", "accepted", "no_drop_seen"})


class Checks(Pulls, Protocol):
    """What is asked of the tracker."""

    def create_check_run(
        self,
        *,
        name: str,
        head_sha: str,
        conclusion: Conclusion,
        title: str,
        summary: str,
        details_url: str | None = None,
    ) -> int: ...


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of it: `note` is a line for the log, `text` the Markdown, `id` None where none was made."""

    conclusion: Conclusion
    note: str
    text: str = ""
    id: int | None = None


def publish_check(
    where: str | None,
    *,
    settings: Settings,
    name: str = "aioncall",
    from_workflow_run: bool = False,
    tracker: Checks | None = None,
    dry_run: bool = False,
) -> Checked:
    """Report a check of the commit that ran: success, failure, or neutral.

    name               under which people see it; a later check of that name on the commit replaces it
    from_workflow_run  the report was written by another workflow run: nothing in it is trusted. It makes a
                       success only where the commit is the head of a pull request that is no fork's

    Lines are annotated by `publish summary`; a check that did so as well would double them. Raises UsageError
    (no report, a forged one, no token, no commit) and DeliveryError where GitHub could not be reached; where
    it refuses, the summary of the step has the text instead.
    """
    github = settings.github
    event = read_event(github.event_path)
    other_run = from_workflow_run or github.event_name == "workflow_run"
    report = load_report(where, settings, trusted=not other_run, event=event)
    if other_run:
        place = place_of_workflow_run(settings, event)
    else:
        place = place_of(settings, event, report.run)
        refuse_other_commit(report.run, settings, dry_run=dry_run)
    if not place.commit:
        raise UsageError("no commit to report on: GITHUB_SHA is not set, and this is no git repository")
    if tracker is None and not dry_run:
        refuse_without_token(settings)
    if tracker is None and github.is_there:
        tracker = GitHubTracker(github)
    if other_run:
        place = _verified(settings, event, tracker, place=place)
    told = stories(report)
    conclusion = conclusion_of(report, told, trusted=place.trusted)
    text = comment(report, place, marker="")
    if dry_run or tracker is None:
        return Checked(conclusion, f"dry run: {conclusion} was not sent", text)
    try:
        number = tracker.create_check_run(
            name=name,
            head_sha=place.commit,
            conclusion=conclusion,
            title=headline(report, told, quote=plain),
            summary=text,
            details_url=place.run_url,
        )
    except DeliveryError as error:
        if not error.refused:
            raise
        told_there = ""
        if github.summary is not None:
            append_summary(report, place, github.summary)
            told_there = "; the summary of this step has it instead"
        return Checked(conclusion, f"no check: {error}{told_there}", text)
    return Checked(conclusion, f"check {name}: {conclusion} on {place.commit[:7]}", text, number)


def conclusion_of(report: Report, told: Sequence[Story], *, trusted: bool = True) -> Conclusion:
    """Return how a check ends: as the run did, and neutral where nothing says that all is well.

    A report that is not `trusted` never says so: whoever sent the pull request may have written it, and the
    check would give it the word of this repository.
    """
    if report.exit_code:
        return "failure"
    green = told and all(story.state in _GREEN for story in told)
    return "success" if green and trusted else "neutral"


def _verified(settings: Settings, event: Mapping[str, Any], tracker: Pulls | None, *, place: Place) -> Place:
    """Return the place as one to be trusted where its pull request is known to be no fork's.

    A token that may not read pull requests leaves it untrusted. Raises DeliveryError where GitHub could not
    be reached.
    """
    if tracker is None:
        return place
    try:
        return pull_of_workflow_run(settings, event, tracker).place
    except DeliveryError as error:
        if not error.refused:
            raise
        return place
