"""Runs as entries of a history, and the history that is named: a folder, a branch, or this machine's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Literal

from ..adapters import git
from ..adapters.baseline_store import baseline_path, outputs_path, parse_baseline
from ..adapters.history import Author, HistoryBranch, HistoryFolder, branch_folder
from ..adapters.run_store import find_run, is_locked, list_runs
from ..adapters.text import log_line, one_line
from ..decide.daymeans import amounts_of, mean_rows
from ..decide.sides import judged_of
from ..errors import AioncallError, UsageError
from ..model.history import ErrorText, EvalsetDay, HistoryEntry
from ..model.run import Run, RunEvalset
from ..model.verdict import Judgement
from ..settings import Settings, environment
from .gathering import Gathered, gather, judges_of
from .judge import BaselineFound, find_baseline, judge_record
from .named_history import refuse_file, refuse_unknown
from .record import EvalsetRecord, age_days, rfc3339
from .runs import read_kept_run, runs_folder

Kind = Literal["daily", "other"]

# A scheduled run and one that somebody starts measure the day; these measure a change.
_OF_CHANGES = frozenset({"pull_request", "pull_request_target", "merge_group", "push", "workflow_run"})
_ACTIONS = Author("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")


def open_history(
    where: str | None,
    settings: Settings,
    *,
    fetch: bool = True,
    but: str | None = None,
    must_be_there: bool = False,
    makes: bool = False,
) -> HistoryFolder:
    """Return the history that is named.

    where  a folder that is there, or is written as a path (`./history/`); else a branch; None: the folder
           `history` of the store, fed with the runs of this machine; where none of them is a daily one and
           git knows the branch of `monitors.history`, it says so (`elsewhere`)
    fetch  a branch is fetched first, so that it can be read
    but    a run (id, folder or `latest`) that the caller enters by himself
    must_be_there  refuse a branch that is neither here nor shared, unless it is that of `monitors.history`
    makes  what is opened is written to
    Raises UsageError for a name that is neither, or is a file's; StoreError where a branch cannot be reached.
    """
    if where is None:
        local = HistoryFolder(local_folder(settings), where="this machine's runs")
        if not feed(local, settings, but=but):
            local.elsewhere = _shared_elsewhere(settings)
        return local
    if is_folder(where):
        refuse_file(where)
        path = Path(where).expanduser()
        return HistoryFolder(path, where=f"folder {log_line(where, 120)}")
    branch = open_branch(where, settings)
    # A name that nobody has configured is looked for before anything is made of it.
    looked_for = must_be_there and where != settings.config.monitors.history
    if fetch or looked_for:
        branch.fetch()
    if looked_for:
        refuse_unknown(branch, settings, makes=makes)
    return branch


def _shared_elsewhere(settings: Settings) -> str:
    """Say how the runs of the configured branch are reached, where this clone has it; nothing is fetched."""
    name = settings.config.monitors.history
    places = ("refs/remotes/origin", "refs/heads")
    if not any(git.commit_of_branch(settings.root, name, below=place) for place in places):
        return ""
    told = log_line(name, 80)
    return (
        f"this machine has no daily run; branch {told} keeps those of the workflow: "
        f"aioncall history pull brings them here, --history {told} reads them there"
    )


def open_branch(name: str, settings: Settings) -> HistoryBranch:
    """Return the history on a branch of the project's repository; nothing is fetched yet."""
    job = settings.github
    return HistoryBranch(
        branch_folder(settings.root / settings.config.store, name),
        branch=name,
        repository=settings.root,
        environ=environment(),
        token=job.token if job.repository else "",
        server_url=job.server_url,
        author=_ACTIONS if job.run_id else None,
    )


def is_folder(where: str) -> bool:
    """Tell whether a name of a history is a folder's."""
    written = where.startswith((".", "/", "~")) or where.endswith(("/", "\\")) or Path(where).is_absolute()
    return written or Path(where).is_dir()


def local_folder(settings: Settings) -> Path:
    """Return where this machine keeps the entries of its own runs."""
    return settings.root / settings.config.store / "history"


def kind_of(settings: Settings) -> Kind:
    """Return what a run of this job is, unless somebody says it: a pull request's is no daily one."""
    return "other" if settings.github.event_name in _OF_CHANGES else "daily"


def feed(history: HistoryFolder, settings: Settings, *, but: str | None = None) -> bool:
    """Put the runs of this machine into a history that it does not have yet; tell whether it has a daily one.

    A run that could not be judged then is looked at again: it may have been resumed. Shards, runs under way
    and parts of a run are no runs yet. A run that is no day (`_is_day`) is kept and not monitored.
    """
    mainline = cache(partial(_mainline, settings.root))
    known = {entry.run: entry for entry in history.entries()}
    has_day = any(entry.kind == "daily" for entry in known.values())
    left_out = _folder_of(but, settings)
    for folder in list_runs(runs_folder(settings)):
        if folder == left_out:
            continue
        before = known.get(folder.name)
        if before is not None and (before.attempt > 1 or all(one.judged for one in before.evalsets)):
            continue
        try:
            run = read_kept_run(folder)
            if run.shard is not None or is_locked(folder) or (before is None and not run.complete):
                continue
            kind: Kind = before.kind if before else "daily" if _is_day(run, mainline) else "other"
            entry = entry_of(folder, settings, kind=kind, run=run, is_ours=False)
        except UsageError:
            continue
        if before is not None:
            entry = entry.model_copy(update={"url": before.url})
        history.add(entry)
        has_day = has_day or entry.kind == "daily"
    return has_day


def _is_day(run: Run, mainline: Callable[[], frozenset[str] | None]) -> bool:
    """Tell whether a run that nobody monitored measures a day.

    What somebody was in the middle of changing is none, committed or not: where git knows a default branch,
    the run has to be of one of its commits.
    """
    if run.dirty or run.commit is None:
        return not run.dirty
    commits = mainline()
    return commits is None or run.commit in commits


def _mainline(root: Path) -> frozenset[str] | None:
    """Return the commits of the default branch, here and as it was fetched; None where git knows none.

    Where no remote says which one it is, it is `main` or `master`.
    """
    default = git.default_branch(root)
    names = [default] if default else ["main", "master"]
    refs = [f"refs/{where}/{name}" for name in names for where in ("heads", "remotes/origin")]
    known = [commits for ref in refs if (commits := git.commits_of(root, ref)) is not None]
    return frozenset().union(*known) if known else None


def _folder_of(run: str | None, settings: Settings) -> Path | None:
    if run is None:
        return None
    with suppress(UsageError):
        return runs_folder(settings) / find_run(runs_folder(settings), run).name
    return None


def entry_of(
    run_folder: Path,
    settings: Settings,
    *,
    kind: Kind,
    run: Run | None = None,
    seen: Mapping[str, Gathered] | None = None,
    is_ours: bool = True,
) -> HistoryEntry:
    """Make the history's entry of a run: counts, means and categories, no answer.

    run      its `run.json`, where that was read already
    seen     its samples, where they were read already
    is_ours  this job made the run: its address and attempt are the job's, and it is judged against the
             baseline that is there; else against the one of its commit, where git knows it
    A run that is partial, was killed or could not be judged is an entry, too, that says why. Raises
    UsageError for a folder that cannot be read, and for a run that is dated in the future: in a history it
    would be the newest one until then.
    """
    run = run if run is not None else read_kept_run(run_folder)
    moment = _moment(run)
    _refuse_ahead(run, moment, now=settings.now or datetime.now(UTC))
    job = settings.github
    seen = seen if seen is not None else gather(run_folder, run)
    days = tuple(_evalset_day(run, one, settings, moment=moment, is_ours=is_ours) for one in seen.values())
    return HistoryEntry(
        run=run.id,
        attempt=job.run_attempt if is_ours else 1,
        kind=kind,
        created_at=rfc3339(moment),
        day=moment.date().isoformat(),
        commit=run.commit,
        dirty=run.dirty,
        replayed=run.rejudged_from is not None or any(one.counts().replayed for one in seen.values()),
        url=job.run_url if is_ours else None,
        versions=run.versions,
        merged_from=run.merged_from,
        evalsets=days,
    )


def _refuse_ahead(run: Run, moment: datetime, *, now: datetime) -> None:
    from ..decide.monitor.looks import is_day_ahead

    if is_day_ahead(moment.date(), now):
        raise UsageError(
            f"run {run.id} is dated {rfc3339(moment)}, and it is {rfc3339(now)} now: a clock or AIONCALL_NOW "
            "is wrong; set it right, and run again"
        )


def _moment(run: Run) -> datetime:
    try:
        moment = datetime.fromisoformat(run.created_at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UsageError(f"run {run.id}: created_at {one_line(run.created_at, 40)!a} is no time (RFC 3339)")
    return moment.astimezone(UTC)


def _evalset_day(
    run: Run, seen: Gathered, settings: Settings, *, moment: datetime, is_ours: bool
) -> EvalsetDay:
    planned, record, counts = seen.planned, seen.record(), seen.counts()
    found, judgement, because = _judged(run, planned, record, settings, is_ours=is_ours)
    header = found.baseline.header if found.baseline is not None else None
    rows = tuple(record.rows[case] for case in sorted(record.rows))
    return EvalsetDay(
        evalset=planned.evalset,
        owner=planned.owner,
        file=planned.file,
        judged=not because,
        because=one_line(because, 300),
        status=judgement.status if judgement is not None and not because else "not_judged",
        baseline={"commit": header.commit, "accepted_at": header.accepted_at, "run": header.run}
        if header
        else {},
        baseline_age_days=_rounded(age_days(header.accepted_at, moment)) if header else None,
        baseline_limit_days=planned.baseline_max_age_days or settings.config.defaults.baseline_max_age_days,
        scorers=planned.scorers,
        verdicts=tuple(v for v in judgement.verdicts if v.status != "pass") if judgement else (),
        # What a scorer says of an answer may quote it.
        floors=tuple(
            floor.model_copy(update={"reason": None}) for floor in record.all_floors if not floor.ok
        ),
        rows=mean_rows(rows, scorers=planned.scorers, gates=planned.gates),
        cases=seen.case_days(record),
        planned=planned.planned_samples,
        judged_samples=sum(judged_of(row) for row in rows),
        errors=sum(row.errors for row in rows),
        asked=counts.samples - record.cancelled,
        cancelled=record.cancelled,
        error_texts=_templates(seen),
        judge_errors=seen.judge_errors(),
        amounts=amounts_of(seen.samples()),
        cost_usd=counts.cost_usd if counts.cost_known else None,
        models=seen.models(),
        judges=judges_of(planned.scorers),
        subject=planned.fingerprint.subject,
        instrument=planned.fingerprint.instrument,
    )


def _templates(seen: Gathered) -> tuple[ErrorText, ...]:
    from ..decide.monitor.error_texts import templates_of

    return templates_of(seen.error_texts())


def _judged(
    run: Run, planned: RunEvalset, record: EvalsetRecord, settings: Settings, *, is_ours: bool
) -> tuple[BaselineFound, Judgement | None, str]:
    """Judge an evalset by the gate's own rules; return why not where it cannot be, else "" for that."""
    try:
        found = _baseline(run, planned, settings, is_ours=is_ours)
    except AioncallError as error:
        return BaselineFound(), None, f"the baseline cannot be read: {str(error).splitlines()[0]}"
    because = _why_not_judged(run, planned, record)
    if because:
        return found, None, because
    try:
        judgement = judge_record(planned, record, found, settings).judgement
    except AioncallError as error:
        return found, None, f"it cannot be judged: {str(error).splitlines()[0]}"
    if judgement.status != "cannot_judge":
        return found, judgement, ""
    # Every sentence it stands in says that already.
    return found, judgement, judgement.summary.removeprefix("cannot judge: ")


def _why_not_judged(run: Run, planned: RunEvalset, record: EvalsetRecord) -> str:
    there = len(record.rows)
    if run.was_killed:
        return f"the run was killed before its end: {there} of {planned.cases} cases"
    if run.shard is not None:
        return f"shard {run.shard.index} of {run.shard.count}: judged when all shards are there"
    if there < planned.cases:
        return f"partial: {there} of {planned.cases} cases ran"
    if not planned.complete:
        return f"the run stopped: {record.why_stopped}" if record.cancelled else "the run was interrupted"
    return ""


def _baseline(run: Run, planned: RunEvalset, settings: Settings, *, is_ours: bool) -> BaselineFound:
    """Return the committed baseline: as it is; for an older run, as it was at the commit of that."""
    if not planned.file:
        return BaselineFound()
    file = settings.root / planned.file
    found = find_baseline(file, planned.evalset, replace(settings, baseline_ref=None))
    accepted = found.baseline.header.accepted_at if found.baseline is not None else ""
    if is_ours or found.baseline is None or (age_days(accepted, _moment(run)) or 0.0) > 0.0:
        return found
    # It was accepted after the run, perhaps because of it: then another one held.
    path = baseline_path(file, planned.evalset)
    text = git.file_at(settings.root, run.commit, path) if run.commit is not None else None
    if text is None:
        return BaselineFound()
    outputs = git.file_at(settings.root, run.commit or "", outputs_path(path)) or ""
    return BaselineFound(parse_baseline(text, outputs=outputs, path=path))


def _rounded(days: float | None) -> float | None:
    return None if days is None else round(days, 3)
