"""List, plan, do, and again until there is nothing left to do.

Between the rounds only what was written is remembered, for lists that lag behind. So a reply that was lost, a
call that failed, a process that was killed and five runs at once are the same: whoever looks next does the
rest.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from ...adapters.history import HistoryFolder, read_alerts
from ...adapters.render.markdown.issue import Site
from ...adapters.text import log_line
from ...decide.issues import Board, Rules, look_back, needs_notes, plan_issues, read_board
from ...decide.oncall import zone_of
from ...errors import AioncallError, DeliveryError, StoreError, UsageError
from ...model.alert import AlertKind, AlertsFile
from ...model.github import GitHub
from ...model.issue import UPKEEP, IssueState
from ...model.oncall import Tier
from ...model.ticket import Note, Ticket
from ...protocols import Tracker
from ...settings import Settings
from ..named_history import history_given
from ..runs import folder_of_alerts, has_no_run
from .applying import Applier, Done
from .hearing import heard_of
from .remembering import remember_issues, remembered_markers

LABEL: Final = "aioncall"
GITHUB: Final = "github"
_ROUNDS: Final = 10
_MOST_UNHEARD: Final = 3
"""So often in a row a tracker that cannot be listed is tried: pages by other ways wait behind it."""
_LONGEST_PAUSE_S: Final = 60.0
EXIT_OK, EXIT_NOT_ARRIVED = 0, 7


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication did.

    done      what was done, in order (`dry_run`: what would be)
    unheard   alerts that open no issue and have no notifier: nobody is told of them here
    is_lost   a page is among those: it reached nobody
    remarks   what was odd, or left alone, and why
    failed    what did not arrive, each with what to do; running it again finishes it
    history   as it was given: running it again with another one, and another log, would page twice
    """

    run: str
    done: tuple[Done, ...] = ()
    unheard: tuple[str, ...] = ()
    is_lost: bool = False
    remarks: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    notified: tuple[str, ...] = ()
    dry_run: bool = False
    history: str | None = None

    @property
    def exit_code(self) -> int:
        """0, or 7 where something did not arrive, and where a page has nobody to go to."""
        is_lost = self.is_lost and not self.dry_run
        return EXIT_NOT_ARRIVED if self.failed or is_lost else EXIT_OK

    @property
    def lines(self) -> tuple[str, ...]:
        """Return what to print: one line a step, what was odd, what failed."""
        told = [str(one) for one in self.done]
        told += [log_line(f"note: {one}", 400) for one in (*self.unheard, *self.remarks)]
        told += list(self.notified)
        told += [log_line(f"did not arrive: {one}", 500) for one in self.failed]
        if self.failed:
            run = f"{shlex.quote(log_line(self.run, 80))}{history_given(self.history)}"
            told.append(f"run it again to finish it: aioncall publish issues --run {run}")
        elif not (self.done or self.notified or self.unheard):
            told.append("nothing to do: this run changes nothing about the issues")
        return tuple(told)

    def as_json(self) -> dict[str, Any]:
        """Return the same as data."""
        steps = [
            {"what": one.what, "evalset": one.evalset, "issue": one.number, "url": one.url or None}
            for one in self.done
        ]
        return {
            "format": 1,
            "run": self.run,
            "dry_run": self.dry_run,
            "steps": steps,
            "unheard": list(self.unheard),
            "remarks": list(self.remarks),
            "notified": list(self.notified),
            "failed": list(self.failed),
            "exit_code": self.exit_code,
        }


def publish_issues(
    run: str,
    *,
    settings: Settings,
    history: HistoryFolder | None = None,
    where: str | None = None,
    tracker: Tracker | None = None,
    dry_run: bool = False,
    label: str = LABEL,
    pause: Callable[[float], None] = time.sleep,
) -> Published:
    """Bring the issues to what `alerts.json` of a run says, and hand the pages over to be delivered.

    run      id, folder or `latest`
    history  keeps the notification log; shared at the end. None: nothing but issues is done
    where    what the history was called, for the next command; None where nobody named it
    tracker  None: GitHub's, as the job has it
    dry_run  ask the tracker, where there is one, change nothing, and say what would be done
    label    what our issues are found by
    pause    waits between two rounds of which the first one failed
    Raises UsageError where the run has no alerts, or no tracker can be asked.
    """
    folder = folder_of_alerts(run, settings)
    alerts = read_alerts(folder, given=history_given(where))
    now = settings.now or datetime.now(UTC)
    remarks: list[str] = []
    if tracker is None:
        tracker = _tracker(settings, alerts, dry_run=dry_run, remarks=remarks)
    config = settings.config
    rules = Rules(config.monitors, config.routes, config.oncall, now)
    applier = Applier(tracker, _site(settings.github), label, dry=dry_run)
    rounds = _Rounds(alerts, rules, applier, pause=pause, markers=_markers(history))
    board = rounds.until_done()
    failed = [*rounds.failed, *rounds.strangers]
    notified: list[str] = []
    if history is not None and not dry_run:
        notified, lost = _notify(alerts, board, settings=settings, history=history, rules=rules)
        failed += lost
    unheard = _unheard(alerts, settings)
    return Published(
        run=run if has_no_run(run, settings) else alerts.run,
        done=tuple(rounds.done),
        unheard=tuple(told for _, told in unheard),
        is_lost=any(tier == 1 for tier, _ in unheard),
        remarks=tuple(dict.fromkeys([*remarks, *rounds.remarks])),
        failed=tuple(failed),
        notified=tuple(notified),
        dry_run=dry_run,
        history=where,
    )


def publish_run(run: str, *, settings: Settings, where: str | None, dry_run: bool = False) -> Published:
    """Publish with the history that is named; one that cannot be reached keeps no page from going out.

    Then the notification log is kept on this machine, the failure is told, and the exit code is 7.
    Raises UsageError as `publish_issues` does, and for a history that is not there.
    """
    from ..history import local_folder, open_history

    try:
        history = open_history(where, settings, must_be_there=True)
    except StoreError as error:
        here = HistoryFolder(local_folder(settings), where="this machine's runs")
        found = publish_issues(run, settings=settings, history=here, where=where, dry_run=dry_run)
        return replace(found, failed=(*found.failed, str(error)))
    return publish_issues(run, settings=settings, history=history, where=where, dry_run=dry_run)


@dataclass(slots=True)
class _Rounds:
    """Rounds of listing, planning and doing, with what came of them.

    markers  what those of our issues said when they were last seen, by number
    """

    alerts: AlertsFile
    rules: Rules
    applier: Applier
    pause: Callable[[float], None]
    markers: Mapping[int, IssueState] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)
    remarks: tuple[str, ...] = ()
    failed: list[str] = field(default_factory=list)

    @property
    def strangers(self) -> list[str]:
        """Say that issues are opened by another account than the one whose issues are looked for."""
        stranger = self.applier.stranger
        if not stranger or self.applier.tracker is None:
            return []
        name, told = log_line(stranger, 80), log_line(self.applier.tracker.actor, 80)
        return [
            f"issues are opened as {name}, and those of {told} are looked for; "
            f"set the variable AIONCALL_ACTOR to {name}"
        ]

    def until_done(self) -> Board:
        """Go on until a round has nothing to do; return the tracker as it stood then."""
        board = Board()
        unheard = 0
        for number in range(_ROUNDS):
            try:
                board, tickets = self._listed()
            except DeliveryError as error:
                self.failed = [str(error)]
                unheard += 1
                if error.refused or unheard == _MOST_UNHEARD:
                    return board
                self._wait(number, [error])
                continue
            unheard = 0
            plan = plan_issues(self.alerts, board, self.rules)
            self.remarks = plan.remarks
            done, errors = self.applier.apply(plan.steps, {one.number: one for one in tickets})
            self.done += [one for one in done if not self._belongs_to_opening(one)]
            self.failed = list(dict.fromkeys(map(str, errors)))
            if self.applier.dry or not (done or errors):
                return board
            if errors and not done and all(error.refused for error in errors):
                return board
            if errors:
                self._wait(number, errors)
        if not self.failed:
            self.failed = ["the issues change while they are written; another run will settle them"]
        return board

    def _belongs_to_opening(self, step: Done) -> bool:
        """Tell whether a step only writes into a new issue what has its number: it is told as opened."""
        opened = {one.number for one in self.done if one.what == "opened"}
        return step.what == "updated" and step.number in opened

    def _wait(self, number: int, errors: Sequence[DeliveryError]) -> None:
        if number + 1 < _ROUNDS:
            wishes = [error.retry_after_s for error in errors if error.retry_after_s is not None]
            self.pause(min(max(wishes, default=min(2.0**number, 8.0)), _LONGEST_PAUSE_S))

    def _listed(self) -> tuple[Board, list[Ticket]]:
        tracker = self.applier.tracker
        if tracker is None:
            return Board(), []
        since = look_back(self.alerts, monitors=self.rules.monitors, now=self.rules.now)
        actor = self.applier.actor
        listed = {one.number: one for one in tracker.tickets(label=self.applier.label, closed_since=since)}
        tickets = list({**self.applier.opened, **listed}.values())
        notes: dict[int, list[Note]] = {}
        for number in needs_notes(tickets, self.alerts, actor=actor):
            found = {one.id: one for one in tracker.notes(number)}
            notes[number] = list({**self.applier.said.get(number, {}), **found}.values())
        zone = zone_of(self.rules.oncall.timezone)
        return read_board(tickets, notes, actor=actor, zone=zone, remembered=self.markers), tickets


def _markers(history: HistoryFolder | None) -> dict[int, IssueState]:
    """Return what the history remembers of our issues; one that cannot be read holds no issue back.

    Whoever writes to it afterwards says so.
    """
    try:
        return remembered_markers(history) if history is not None else {}
    except StoreError:
        return {}


def _unheard(alerts: AlertsFile, settings: Settings) -> list[tuple[Tier, str]]:
    """Name the outages that nobody is told of, by tier: no issue is opened, no notifier is on the route."""
    from ..delivering import notifiers_for

    found: dict[tuple[AlertKind, Tier], list[str]] = {}
    for one in alerts.evalsets:
        for alert in one.alerts:
            # A line of tier 3 is for the weekly review, which reads the history.
            is_outage = not alert.quality and alert.kind not in UPKEEP and alert.tier < 3
            # In an open incident, the issue says that the run could not judge.
            if is_outage and not one.is_open and not notifiers_for(alert.tier, settings):
                found.setdefault((alert.kind, alert.tier), []).append(one.evalset)
    return [
        (
            tier,
            f"{kind} ({', '.join(log_line(name, 60) for name in names[:4])}{', ...' if names[4:] else ''}): "
            "an outage opens no issue; the red workflow run is the signal; add a notifier to "
            f"routes.tier{tier} to be paged",
        )
        for (kind, tier), names in found.items()
    ]


def _tracker(settings: Settings, alerts: AlertsFile, *, dry_run: bool, remarks: list[str]) -> Tracker | None:
    """Return GitHub as the job has it; None where no route leads there, or nothing is to be changed."""
    from ...adapters.trackers import GitHubTracker

    if settings.github.is_there:
        return GitHubTracker(settings.github)
    routes = settings.config.routes
    if not any(GITHUB in routes.of(tier) for tier in (1, 2, 3)):
        remarks.append("no route leads to github, so no issue is kept")
        return None
    missing, how = settings.github.lacks
    if dry_run:
        remarks.append(f"{missing} is not set: shown as if there were no issue yet")
        return None
    raise UsageError(
        f"{missing} is not set, so the issues of run {log_line(alerts.run, 80)} cannot be written; "
        f"{how}. The job needs permissions: issues: write. --dry-run shows what would be done"
    )


def _site(github: GitHub) -> Site:
    from ... import __version__

    address = f"{github.server_url}/{github.repository}" if github.repository else None
    return Site(version=__version__, repository=address)


def _notify(
    alerts: AlertsFile, board: Board, *, settings: Settings, history: HistoryFolder, rules: Rules
) -> tuple[list[str], list[str]]:
    """Tell the notifiers what is new, and share their log; return what was told and what was not."""
    from ..delivering import NobodyReached, notify

    heard = heard_of(alerts, board, rules=rules)
    try:
        remember_issues(alerts, board, history)
        told = notify(alerts, settings=settings, history=history, heard=heard)
        return [log_line(line, 300) for line in told.lines], told.missed
    except NobodyReached as error:
        told = error.delivered
        return [log_line(line, 300) for line in told.lines], [str(error), *told.missed]
    except AioncallError as error:
        return [], [str(error)]
