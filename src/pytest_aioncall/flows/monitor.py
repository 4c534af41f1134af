"""`aioncall monitor`: put a run into the history, say what holds after it, and leave that in the run folder.

The entry is shared before anything is decided, so that what is published can be derived again from what
everybody has. Each step may be the last one of a killed process: the next start comes to the same end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..adapters import git
from ..adapters.history import HistoryFolder, read_alerts, write_alerts
from ..adapters.net.calls import Caller
from ..adapters.run_store import is_locked
from ..adapters.text import log_line
from ..errors import DeliveryError, UsageError
from ..model.alert import AlertsFile, EvalsetCondition, Evidence
from ..model.history import EvalsetDay, HistoryEntry, RunRef
from ..settings import Settings
from .evalset_files import files_there
from .gathering import Gathered, gather
from .history import Kind, entry_of, kind_of, local_folder
from .lost_history import lost_told
from .runbooks import with_runbooks
from .runs import load_run, runs_folder

__all__ = ["Monitored", "monitor", "monitored", "monitored_without_run", "read_alerts"]

EXIT_OK, EXIT_ALERT, EXIT_CANNOT_JUDGE = 0, 1, 7
HEARTBEAT = "AIONCALL_HEARTBEAT_URL"
_MOST_COMMITS, _MOST_PROBLEMS = 5, 5


@dataclass(frozen=True, slots=True)
class Monitored:
    """What the monitor says after a run.

    folder  of the run; `alerts.json` lies there
    notes   what a person has to know besides: of the history, of the heartbeat
    is_unfinished  the run lacks answers that can still be asked for
    is_missing  there was no run to look at: `entry` is the newest of the history, `folder` the store
    """

    alerts: AlertsFile
    entry: HistoryEntry
    folder: Path
    where: str
    notes: tuple[str, ...] = ()
    is_missing: bool = False
    is_unfinished: bool = False

    @property
    def exit_code(self) -> int:
        """1 where an alert of tier 1 says that answers are worse; 7 where it could not be judged; else 0."""
        if self.is_missing:
            return EXIT_CANNOT_JUDGE
        unjudged = not self.entry.evalsets or not all(one.judged for one in self.entry.evalsets)
        held = []
        # A run of a change, or from recordings, says nothing of how things stand today.
        if self.entry.kind == "daily" and not self.entry.replayed:
            held = [alert for one in self.alerts.evalsets for alert in one.alerts if alert.tier == 1]
            unjudged = unjudged or any(one.state == "not_judged" for one in self.alerts.evalsets)
        if any(alert.quality for alert in held):
            return EXIT_ALERT
        return EXIT_CANNOT_JUDGE if held or unjudged else EXIT_OK


def monitor(
    run: str,
    *,
    history: HistoryFolder,
    settings: Settings,
    kind: Kind | None = None,
    caller: Caller | None = None,
) -> AlertsFile:
    """Return what holds after a run (id, folder, `latest`); it stands in the folder's `alerts.json`, too."""
    return monitored(run, history=history, settings=settings, kind=kind, caller=caller).alerts


def monitored(
    run: str,
    *,
    history: HistoryFolder,
    settings: Settings,
    kind: Kind | None = None,
    caller: Caller | None = None,
) -> Monitored:
    """Enter a run into the history, share it, fold the whole history, and write `alerts.json`.

    kind    None: as the job's event says, daily outside of one
    caller  asks the heartbeat's address; None: one is made where it is needed
    Raises UsageError for a run or a history that cannot be read, StoreError where the entry is not shared:
    then nothing is said of the run.
    """
    folder, found = load_run(run, settings)
    if found.shard is not None:
        raise UsageError(
            f"run {found.id} is shard {found.shard.index} of {found.shard.count}; put the shards together "
            "first: aioncall runs merge RUN..., and monitor that run"
        )
    if is_locked(folder):
        raise UsageError(f"run {found.id} is still under way; wait for it")
    now = settings.now or datetime.now(UTC)
    seen = gather(folder, found)
    entry = entry_of(folder, settings, kind=kind or kind_of(settings), run=found, seen=seen)
    history.add(entry)
    history.sync()
    alerts = _with_reasons(_alerts(entry, history, settings, now=now), seen)
    write_alerts(folder, alerts)
    beat = _heartbeat(entry, settings, caller=caller)
    return Monitored(
        alerts,
        entry,
        folder,
        history.where,
        (*alerts.notes, *history.notes, *beat),
        is_unfinished=found.was_killed or found.unfinished > 0,
    )


def monitored_without_run(*, history: HistoryFolder, settings: Settings) -> Monitored:
    """Say what holds now by the history alone, where there is no run, and write `alerts.json` into the store.

    The daily job has begun and made no run: a file has a mistake, a key is not set. Nobody else would say so.
    Raises UsageError where the history has no daily run either.
    """
    from ..decide.monitor.looks import daily_entries

    now = settings.now or datetime.now(UTC)
    daily = daily_entries(history.entries(), now=now)
    if not daily:
        raise UsageError(
            f"{runs_folder(settings)}: no run yet, and {history.where} has no daily one; run pytest "
            "--aioncall first"
        )
    newest, store = daily[-1], settings.root / settings.config.store
    why = "nothing ran here: pytest says why; what holds is told by the history alone"
    alerts = _alerts(newest, history, settings, now=now, notes=[why])
    store.mkdir(parents=True, exist_ok=True)
    write_alerts(store, alerts)
    return Monitored(alerts, newest, store, history.where, (*alerts.notes, *history.notes), is_missing=True)


def _alerts(
    entry: HistoryEntry,
    history: HistoryFolder,
    settings: Settings,
    *,
    now: datetime,
    notes: Sequence[str] = (),
) -> AlertsFile:
    """Fold the history as of one of its entries; `notes` go before those that the fold has."""
    from ..decide.monitor import conditions

    entries = history.entries()
    alerts = conditions(
        entries,
        run=entry.run,
        attempt=entry.attempt,
        monitors=settings.config.monitors,
        now=now,
        owners=settings.config.oncall.owners,
        files=files_there(entries, settings.root),
    )
    alerts = with_runbooks(_with_commits(alerts, entries, settings), settings)
    # What happened on the way is told, and not written: a start after a kill ends with the same file.
    told = [*_problems_told(history), *_place_told(history, settings), *lost_told(entries, settings, now=now)]
    return alerts.model_copy(update={"notes": tuple(dict.fromkeys([*notes, *alerts.notes, *told]))})


def _with_reasons(alerts: AlertsFile, seen: Mapping[str, Gathered]) -> AlertsFile:
    """Return the worst cases with what their scorers said; the history has no such text, the run has."""
    told = [
        one.model_copy(update={"worst": seen[one.evalset].reasons.beside(one.worst)})
        if one.run.run == alerts.run and one.evalset in seen
        else one
        for one in alerts.evalsets
    ]
    return alerts.model_copy(update={"evalsets": tuple(told)})


def _place_told(history: HistoryFolder, settings: Settings) -> list[str]:
    """Say that a history which stays on a runner goes with it."""
    if not settings.github.run_id or history.path != local_folder(settings):
        return []
    branch = log_line(settings.config.monitors.history, 80)
    return [f"this history is on the runner, and goes with it; keep it on a branch: --history {branch}"]


def _problems_told(history: HistoryFolder) -> list[str]:
    """Say which files of the history were passed over."""
    problems = history.problems
    told = [f"passed over in the history: {log_line(str(one), 300)}" for one in problems[:_MOST_PROBLEMS]]
    more = len(problems) - len(told)
    return [*told, *([f"and {more} more files of the history that cannot be read"] if more > 0 else [])]


def _with_commits(alerts: AlertsFile, entries: Sequence[HistoryEntry], settings: Settings) -> AlertsFile:
    """Name the commits between the last good run and the first bad one that touch what is declared."""
    by_run = {entry.run: entry for entry in entries}
    told = tuple(_evalset_with_commits(one, by_run, settings) for one in alerts.evalsets)
    return alerts.model_copy(update={"evalsets": told})


def _evalset_with_commits(
    one: EvalsetCondition, by_run: dict[str, HistoryEntry], settings: Settings
) -> EvalsetCondition:
    episode = one.episode
    first = next((number for number, alert in enumerate(one.alerts) if alert.quality), None)
    if episode is None or not one.is_open or first is None or episode.last_good is None:
        return one
    said = _commits_told(
        episode.last_good,
        episode.first_bad,
        files=_subject_files(one.evalset, (episode.last_good, episode.first_bad), by_run),
        root=settings.root,
    )
    alert = one.alerts[first]
    alert = alert.model_copy(update={"evidence": (*alert.evidence, *said)})
    return one.model_copy(update={"alerts": (*one.alerts[:first], alert, *one.alerts[first + 1 :])})


def _subject_files(evalset: str, refs: Sequence[RunRef], by_run: dict[str, HistoryEntry]) -> list[str]:
    """Return the declared files of an evalset in some runs, from the project's root."""
    days: list[EvalsetDay] = [
        day for ref in refs if ref.run in by_run for day in by_run[ref.run].evalsets if day.evalset == evalset
    ]
    named = [day.subject.get("files") for day in days]
    return sorted({str(name) for files in named if isinstance(files, dict) for name in files})


def _commits_told(good: RunRef, bad: RunRef, *, files: Sequence[str], root: Path) -> list[Evidence]:
    if good.commit is None or bad.commit is None:
        return []
    span = f"{good.commit[:7]}..{bad.commit[:7]}"
    if good.commit == bad.commit:
        return [Evidence(name="commits", value=f"none: both runs are of {good.commit[:7]}")]
    found = git.commits_between(root, good.commit, bad.commit, paths=files, most=_MOST_COMMITS + 1)
    if found is None:
        return [
            Evidence(
                name="commits",
                value=f"{span} is not known in this clone (checkout with fetch-depth: 0 to see them)",
            )
        ]
    where = "that touch the subject's files" if files else "(declare subject.files to see which matter)"
    if not found and files:
        # What changed may be declared nowhere: a commit that touches no such file is still the first suspect.
        found = git.commits_between(root, good.commit, bad.commit, most=_MOST_COMMITS + 1)
        where = "and none touches the subject's files"
    if not found:
        return [Evidence(name="commits", value=f"none in {span}")]
    shown = [
        Evidence(name="commit", value=f"{commit[:7]} {log_line(subject, 120)}")
        for commit, subject in found[:_MOST_COMMITS]
    ]
    count = f"{_MOST_COMMITS} of more" if len(found) > _MOST_COMMITS else str(len(found))
    return [Evidence(name="commits", value=f"{count} in {span} {where}"), *shown]


def _heartbeat(entry: HistoryEntry, settings: Settings, *, caller: Caller | None) -> list[str]:
    """Ask the heartbeat's address after a judged daily run, and after no other: silence is the alarm.

    A listener that cannot be reached fails nothing here; it will ring by itself.
    """
    named = settings.config.monitors.heartbeat_url_env
    url = settings.secrets.get(named or HEARTBEAT)
    if url is None:
        return [f"no heartbeat: {named} is not set"] if named else []
    judged = bool(entry.evalsets) and all(one.judged for one in entry.evalsets)
    if entry.kind != "daily" or entry.replayed or not judged:
        return ["no heartbeat: only a judged daily run sends one"]
    calling = caller or Caller()
    try:
        reply = calling.call("GET", url, secrets=(url,), timeout_s=10.0, tries=3)
        return [] if reply.status < 400 else [f"heartbeat: the listener answered with status {reply.status}"]
    except DeliveryError as error:
        return [f"heartbeat: not delivered: {log_line(str(error).replace(url, '***'), 200)}"]
    finally:
        if caller is None:
            calling.close()
