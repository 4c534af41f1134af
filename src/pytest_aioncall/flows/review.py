"""`aioncall review`: the weekly look at what does not page, from the history and the issues."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ..adapters.render.review import review_lines, review_markdown
from ..adapters.text import log_line
from ..adapters.trackers.github import GitHubTracker
from ..decide.issues.board import read_board
from ..decide.issues.people import staffing
from ..decide.oncall import zone_of
from ..decide.review import review_of
from ..errors import DeliveryError, UsageError
from ..model.review import Review, ReviewIssue
from ..model.schedule import instant_of, parse_duration, parse_moment
from ..protocols import Tracker
from ..settings import Settings
from .evalset_files import files_there
from .history import open_history
from .rotation import owners_of

LABEL = "aioncall"
_LONGEST = timedelta(days=366)


def review(
    settings: Settings, *, since: str = "7d", where: str | None = None, tracker: Tracker | None = None
) -> Review:
    """Return the review of the time since a duration ago (`7d`) or a moment (`2026-11-15`).

    where    the history: a folder or a branch; None: the runs of this machine
    tracker  whose open issues are told; None: GitHub, where the job has a repository and a token
    Raises UsageError for a time that is none, StoreError where the history cannot be reached.
    """
    now = settings.now or datetime.now(UTC)
    begin = _since(since, now, settings)
    history = open_history(where, settings, must_be_there=True)
    entries = history.entries()
    found = review_of(
        entries,
        since=begin,
        until=now,
        monitors=settings.config.monitors,
        owners=owners_of(settings).by_evalset,
        files=files_there(entries, settings.root),
    )
    issues, note = _issues(settings, tracker, now=now)
    notes = [str(problem) for problem in history.problems]
    return found.model_copy(
        update={
            "history": history.where,
            "elsewhere": history.elsewhere,
            "issues": issues,
            "issues_note": note,
            "notes": tuple(notes),
        }
    )


def told(found: Review, *, markdown: bool) -> list[str]:
    """Return what is printed of a review: lines for a terminal, or Markdown."""
    return review_markdown(found).rstrip("\n").split("\n") if markdown else review_lines(found)


def _since(text: str, now: datetime, settings: Settings) -> datetime:
    try:
        return now - parse_duration(text.strip(), longest=_LONGEST)
    except ValueError:
        pass
    try:
        begin = instant_of(parse_moment(text.strip()), zone_of(settings.config.oncall.timezone))
    except (ValueError, OverflowError):
        raise UsageError(
            f"--since: needs a duration such as 7d or a day such as 2026-11-15, got {log_line(text, 60)!r}"
        ) from None
    if not now - _LONGEST <= begin < now:
        raise UsageError(f"--since: {text} has to lie in the 366 days before {now:%Y-%m-%d}")
    return begin


def _issues(
    settings: Settings, tracker: Tracker | None, *, now: datetime
) -> tuple[tuple[ReviewIssue, ...] | None, str]:
    """Return the open issues; None, and why, where nobody could be asked."""
    if tracker is None:
        if not settings.github.is_there:
            return None, "not asked: GITHUB_REPOSITORY and GITHUB_TOKEN are not set"
        tracker = GitHubTracker(settings.github)
    try:
        tickets = tracker.tickets(label=LABEL)
        ours = [one for one in tickets if one.author.casefold() == tracker.actor.casefold()]
        notes = {one.number: tracker.notes(one.number) for one in ours}
    except DeliveryError as error:
        return None, f"could not be read: {log_line(str(error), 200)}"
    oncall = settings.config.oncall
    board = read_board(tickets, notes, actor=tracker.actor, zone=zone_of(oncall.timezone))
    found = []
    for held in board.held:
        if held.is_open:
            staff = staffing(held.state, held, oncall=oncall, owner="", now=now)
            found.append(
                ReviewIssue(
                    number=held.number,
                    title=held.ticket.title,
                    evalset=held.state.evalset,
                    url=held.ticket.url,
                    acked_by=staff.acked_by,
                    snoozed_until=staff.snoozed_until,
                    breached=staff.breached,
                )
            )
    return tuple(found), ""
