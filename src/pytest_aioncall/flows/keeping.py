"""`aioncall history`: entries between this machine and the branch, made again from runs, and shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ..adapters.history import HistoryFolder
from ..adapters.render import words
from ..adapters.run_store import list_runs, runs_below
from ..adapters.text import log_line
from ..errors import UsageError
from ..model.history import EvalsetDay, HistoryEntry
from ..model.run import Run
from ..settings import Settings
from .gathering import gather
from .history import Kind, entry_of, is_folder, kind_of, local_folder, open_branch, open_history
from .merging import Source, merged
from .named_history import refuse_unknown
from .runs import read_kept_run, runs_folder

_ONE_RUN = timedelta(hours=6)
"""Shards of one commit that began no further apart are of one run."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What push, pull or rebuild did: entries looked at, those that were new, what is to be known."""

    where: str
    looked_at: int
    new: int
    notes: tuple[str, ...] = ()


def push(
    settings: Settings, *, branch: str | None = None, history: str | None = None, kind: Kind | None = None
) -> Moved:
    """Put this machine's entries on the branch and share it. Raises StoreError where that fails.

    kind  daily: runs that no job made are days as they are here; other: what is pushed is no day; None:
          daily in a scheduled job, else other: what somebody ran by hand measures no day of the team
    Raises UsageError for a branch that is not there, unless it is the configured one.
    """
    here = _folder(history, settings)
    shared = open_branch(branch or settings.config.monitors.history, settings)
    shared.fetch()
    refuse_unknown(shared, settings, option="--branch", makes=True)
    known = {(entry.run, entry.attempt): entry for entry in shared.entries()}
    entries = here.entries()
    kept_out = 0
    new = 0
    for entry in entries:
        there = known.get((entry.run, entry.attempt))
        pushed = _as_pushed(entry, settings, kind=kind)
        if there is None:
            kept_out += pushed.kind != entry.kind and kind is None
            new += shared.add(pushed)
        elif kind is not None and not there.url and there.kind != pushed.kind:
            # It was pushed before, and now somebody says what it is.
            new += shared.add(there.model_copy(update={"kind": pushed.kind}))
    shared.sync()
    notes = (*_kept_out_told(kept_out), *shared.notes, *_problems(here), *_problems(shared))
    return Moved(shared.where, len(entries), new, notes)


def _as_pushed(entry: HistoryEntry, settings: Settings, *, kind: Kind | None) -> HistoryEntry:
    """Return an entry of this machine as it is shared: a run that no job made is a day if it is said."""
    in_daily_job = bool(settings.github.run_id) and kind_of(settings) == "daily"
    told = kind or ("daily" if in_daily_job or entry.url else "other")
    return entry if told == "daily" else entry.model_copy(update={"kind": "other"})


def _kept_out_told(count: int) -> list[str]:
    if not count:
        return []
    runs = words.counted(count, "run")
    return [
        f"pushed as other, so not monitored: {runs} made outside of the scheduled job; where this machine's "
        "runs are the days: aioncall history push --kind daily"
    ]


def pull(settings: Settings, *, branch: str | None = None, history: str | None = None) -> Moved:
    """Bring the entries of the branch to this machine; where both have a run, the branch's entry stays.

    Whether a run that no job made is a day of this machine, this machine says. Raises UsageError for a branch
    that is not there, unless it is the configured one.
    """
    shared = open_branch(branch or settings.config.monitors.history, settings)
    shared.fetch()
    refuse_unknown(shared, settings, option="--branch")
    here = _folder(history, settings, feed=False)
    entries = shared.entries()
    mine = {(entry.run, entry.attempt): entry.kind for entry in here.entries() if not entry.url}
    new = 0
    for entry in entries:
        kept = entry.kind if entry.url else mine.get((entry.run, entry.attempt), entry.kind)
        new += here.add(entry.model_copy(update={"kind": kept}))
    return Moved(here.where, len(entries), new, (*shared.notes, *_problems(shared)))


def _folder(history: str | None, settings: Settings, *, feed: bool = True) -> HistoryFolder:
    if history is None:
        if feed:
            return open_history(None, settings)
        return HistoryFolder(local_folder(settings), where="this machine's history")
    if not is_folder(history):
        raise UsageError(
            f"{log_line(history, 80)}: no such folder; --history is the folder here, --branch the branch"
        )
    return open_history(history, settings)


def rebuild(
    folders: Sequence[str], settings: Settings, *, history: str | None = None, kind: Kind | None = None
) -> Moved:
    """Make entries again from run folders: those of this machine, or all that lie in `folders`.

    Shards are put together. What an entry alone knows (address, attempt, kind) stays where it was there
    before; `kind` is for runs that are new to the history, daily by default. What cannot be read is told.
    """
    target = (
        HistoryFolder(local_folder(settings), where="this machine's history")
        if history is None
        else open_history(history, settings, must_be_there=True, makes=True)
    )
    known = target.entries()
    notes: list[str] = []
    found = [
        entry
        for part in _parts(_run_folders(folders, settings), notes)
        if (entry := _entry_again(part, settings, known=known, kind=kind, notes=notes)) is not None
    ]
    new = sum(target.add(entry) for entry in found)
    target.sync()
    return Moved(target.where, len(found), new, (*notes, *target.notes, *_problems(target)))


def _run_folders(folders: Sequence[str], settings: Settings) -> list[Path]:
    if not folders:
        return list_runs(runs_folder(settings))
    found: dict[Path, None] = {}
    for name in folders:
        path = Path(name)
        if not path.is_dir():
            raise UsageError(
                f"{log_line(name, 200)}: no such folder; name run folders, or a folder with some"
            )
        inside = runs_below(path)
        if not inside:
            raise UsageError(f"{log_line(name, 200)}: no run folder in it (run.json beside samples.jsonl)")
        found.update(dict.fromkeys(inside))
    return list(found)


def _parts(folders: Iterable[Path], notes: list[str]) -> list[list[Path]]:
    """Return the folders of each run: one, or those of its shards."""
    whole: list[list[Path]] = []
    shards: dict[tuple[str, str], list[tuple[datetime, Path]]] = {}
    for folder in folders:
        try:
            run = read_kept_run(folder)
            made = datetime.fromisoformat(run.created_at)
        except (UsageError, ValueError) as error:
            notes.append(f"passed over: {log_line(str(error), 300)}")
            continue
        if run.shard is None:
            whole.append([folder])
        else:
            divided = (run.commit or "", repr(sorted(run.shard.plan.items())))
            shards.setdefault(divided, []).append((made, folder))
    for alike in shards.values():
        before: datetime | None = None
        for made, folder in sorted(alike):
            if before is None or made - before > _ONE_RUN:
                whole.append([])
            whole[-1].append(folder)
            before = made
    return whole


def _entry_again(
    folders: Sequence[Path],
    settings: Settings,
    *,
    known: Sequence[HistoryEntry],
    kind: Kind | None,
    notes: list[str],
) -> HistoryEntry | None:
    try:
        run = read_kept_run(folders[0])
        parts: Mapping[Path, Run] | Path = folders[0]
        if run.shard is not None:
            together = merged([Source.at(folder) for folder in folders])
            run = together.run
            parts = {source.folder: source.run for source in together.sources}
            notes += together.notes
        parts_of = run.merged_from
        before = next((e for e in known if e.run == run.id or (parts_of and e.merged_from == parts_of)), None)
        told = before.kind if before is not None else kind or "daily"
        seen = gather(parts, run)
        entry = entry_of(folders[0], settings, kind=kind or told, run=run, seen=seen, is_ours=False)
    except UsageError as error:
        notes.append(f"passed over: {log_line(str(error), 300)}")
        return None
    if before is not None:
        entry = entry.model_copy(update={"run": before.run, "attempt": before.attempt, "url": before.url})
    return entry


def _problems(history: HistoryFolder) -> list[str]:
    return [f"passed over: {log_line(str(one), 300)}" for one in history.problems]


@dataclass(frozen=True, slots=True)
class Shown:
    """The newest entries of a history, oldest first; `left` counts the older ones."""

    where: str
    entries: tuple[HistoryEntry, ...]
    left: int = 0
    notes: tuple[str, ...] = ()
    elsewhere: str = ""

    def lines(self) -> list[str]:
        """Return a table of days: a line an evalset."""
        if not self.entries:
            todo = self.elsewhere or "run: aioncall monitor"
            return [f"no entry in {self.where}; {todo}", *self.notes]
        cells = [line for entry in self.entries for line in _cells(entry)]
        widths = [max(len(line[i]) for line in (_HEAD, *cells)) for i in range(len(_HEAD) - 1)]
        shown = [
            "  ".join([*(c.ljust(w) for c, w in zip(line[:-1], widths, strict=True)), line[-1]]).rstrip()
            for line in (_HEAD, *cells)
        ]
        older = [f"and {self.left} older (--last N shows more)"] if self.left else []
        return [*shown, *older, f"history: {self.where}", *self.notes]

    def as_json(self) -> dict[str, Any]:
        """Return the entries without their cases."""
        return {
            "format": 1,
            "history": self.where,
            "older": self.left,
            "entries": [_entry_json(entry) for entry in self.entries],
            "notes": list(self.notes),
        }


_HEAD = ("day", "run", "kind", "evalset", "status", "means (judged/planned)")


def show(
    settings: Settings, *, history: str | None = None, evalset: str | None = None, last: int = 30
) -> Shown:
    """Return the newest `last` entries, of one evalset where it is named."""
    found = open_history(history, settings, must_be_there=True)
    entries = found.entries()
    if evalset is not None:
        names = sorted({one.evalset for entry in entries for one in entry.evalsets})
        if evalset not in names:
            known = ", ".join(log_line(name, 60) for name in names) or "none"
            raise UsageError(f"no evalset {log_line(evalset, 80)!r} in {found.where}; there are: {known}")
        entries = [
            entry.model_copy(update={"evalsets": tuple(e for e in entry.evalsets if e.evalset == evalset)})
            for entry in entries
            if any(one.evalset == evalset for one in entry.evalsets)
        ]
    shown = entries[-last:]
    notes = (*found.notes, *_problems(found))
    return Shown(found.where, tuple(shown), len(entries) - len(shown), notes, found.elsewhere)


def _cells(entry: HistoryEntry) -> list[tuple[str, ...]]:
    run = log_line(entry.run, 40) + (f" #{entry.attempt}" if entry.attempt > 1 else "")
    kind = "recorded" if entry.replayed else entry.kind
    if not entry.evalsets:
        return [(entry.day, run, kind, "-", "not judged", "no evalset")]
    return [
        (entry.day, run, kind, log_line(one.evalset, 40), _status(one), _means(one)) for one in entry.evalsets
    ]


def _status(one: EvalsetDay) -> str:
    return one.status.replace("_", " ") if one.judged else "not judged"


def _means(one: EvalsetDay) -> str:
    if not one.judged:
        return log_line(one.because, 120)
    means = [
        f"{log_line(row.scorer, 40)} {words.mean(row.mean, row.scale)} ({row.judged}/{row.planned})"
        for row in one.rows
        if row.slice is None
    ]
    return ", ".join(means) or "no scorer"


def _entry_json(entry: HistoryEntry) -> dict[str, Any]:
    told = entry.model_dump(mode="json", exclude={"evalsets"})
    kept = {"evalset", "owner", "judged", "because", "status", "rows", "planned", "judged_samples", "errors"}
    return {**told, "evalsets": [one.model_dump(mode="json", include=kept) for one in entry.evalsets]}
