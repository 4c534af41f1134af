"""Go on with a run that stopped: what it has is kept, what it lacks is asked, and nothing is asked twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..adapters.render import words
from ..adapters.run_store import (
    TORN_FILE,
    KeptSamples,
    find_run,
    index_samples,
    is_locked,
    list_runs,
    lock_folder,
    mend_samples,
    read_run,
)
from ..decide.fingerprints import changes_between
from ..engine import Job
from ..errors import UsageError
from ..model.run import Fingerprint, Run, RunEvalset
from ..model.sample import Sample
from ..settings import Settings
from .prepare import Prepared
from .record import has_no_answer
from .runs import runs_folder

_MOST_NAMED = 5


@dataclass(slots=True)
class Resumed:
    """The run that this session goes on with."""

    folder: Path
    run: Run
    kept: KeptSamples
    _evalsets: dict[str, RunEvalset] = field(default_factory=dict)

    @classmethod
    def find(cls, settings: Settings, *, is_worker: bool = False) -> Resumed:
        """Choose the run: the one that is named, else the latest unfinished one. Raises UsageError."""
        runs = runs_folder(settings)
        folder = find_run(runs, settings.run_id) if settings.run_id else _latest_unfinished(runs)
        run = read_run(folder)
        if run.rejudged_from is not None or run.merged_from:
            raise UsageError(f"run {run.id} was put together from other runs; resume one of those")
        if is_locked(folder) and not is_worker:
            raise UsageError(f"run {run.id} is still under way; wait for its end, or end it")
        kept = index_samples(folder, again=has_no_answer)
        return cls(folder, run, kept, {one.evalset: one for one in run.evalsets})

    def sample(self, job: Job, epoch: int) -> Sample | None:
        """Return what the run has of a sample; None where it is to be asked."""
        return self.kept.get((job.evalset, job.case.id, epoch))

    def count(self, jobs: Sequence[Job]) -> int:
        """Return how many samples of these jobs are there already."""
        return sum((job.evalset, job.case.id, epoch) in self.kept for job, epoch in _places(jobs))

    def to_ask(self, jobs: Sequence[Job]) -> tuple[Job, ...]:
        """Return the jobs with as many epochs as they lack, for an estimate; without those that lack none."""
        lacking = [(job, job.epochs - self.count([job])) for job in jobs]
        return tuple(replace(job, epochs=epochs) for job, epochs in lacking if epochs)

    def epochs_kept(self, job: Job) -> list[int]:
        """Return which epochs of a job are there already."""
        return [epoch for _, epoch in _places([job]) if (job.evalset, job.case.id, epoch) in self.kept]

    def line(self, jobs: Sequence[Job]) -> str:
        """Say what is there and what will be asked; the controller of xdist knows no jobs."""
        if not jobs:
            return f"going on with run {self.run.id}: {words.counted(len(self.kept), 'sample')} kept"
        there = self.count(jobs)
        asked = sum(job.epochs for job in jobs) - there
        again = self.kept.again
        told = f"going on with run {self.run.id}: {words.counted(there, 'sample')} kept, {asked} to ask"
        return f"{told} ({again} of them again, which got no answer)" if again else told

    def refuse_changes(
        self,
        prepared: Mapping[str, Prepared],
        jobs: Sequence[Job],
        *,
        fingerprint: Callable[[Prepared], Fingerprint],
        settings: Settings,
    ) -> None:
        """Raise UsageError where samples of now and of then would not be of one run, naming what differs."""
        selected = list(dict.fromkeys(job.evalset for job in jobs))
        if not selected:
            # The controller of xdist: its workers look.
            return
        if self._evalsets and not any(name in self._evalsets for name in selected):
            raise UsageError(
                f"run {self.run.id} is of {', '.join(self._evalsets)}, and selected is "
                f"{', '.join(selected)}; choose another run with --aioncall-run ID"
            )
        changed: list[str] = []
        for name in selected:
            one, then = prepared[name], self._evalsets.get(name)
            if then is not None:
                changed += [
                    f"{name}: {what}" for what in self._changes(one, then, fingerprint(one), settings)
                ]
        changed += self._changed_cases(prepared, selected)
        if changed:
            more = len(changed) - _MOST_NAMED
            told = "\n".join(f"  {line}" for line in changed[:_MOST_NAMED])
            rest = f"\n  and {more} more" if more > 0 else ""
            raise UsageError(
                f"run {self.run.id} cannot be resumed, since then these changed:\n{told}{rest}\n"
                "run anew: pytest --aioncall; or put back what changed and resume"
            )

    def _changes(self, one: Prepared, then: RunEvalset, now: Fingerprint, settings: Settings) -> list[str]:
        changed = changes_between(then.fingerprint, now)
        epochs = settings.epochs_of(one.evalset)
        planned = then.plan.max if then.plan is not None else then.epochs
        if planned and epochs.max != planned:
            changed.append(f"epochs: {planned} then, {epochs.max} now")
        if then.cases and then.cases != len(one.jobs):
            changed.append(f"cases: {then.cases} then, {len(one.jobs)} now")
        if (self.run.shard is None) != (settings.shard is None):
            changed.append("shard: one of the two is a part only")
        elif self.run.shard is not None and settings.shard is not None:
            was = (self.run.shard.index, self.run.shard.count)
            if was != settings.shard:
                changed.append(f"shard: {was[0]}/{was[1]} then, {settings.shard[0]}/{settings.shard[1]} now")
        return changed

    def _changed_cases(self, prepared: Mapping[str, Prepared], selected: Sequence[str]) -> list[str]:
        """Name the cases of which the run has samples and that are not what they were."""
        now = {(name, job.case.id): job.case.digest for name in selected for job in prepared[name].jobs}
        changed: dict[str, None] = {}
        for place, digest in self.kept.digests():
            name, case, _ = place
            if name in selected and now.get((name, case)) != digest:
                gone = " (no longer in the evalset)" if (name, case) not in now else ""
                changed[f"{name}: case {case}{gone}"] = None
        return list(changed)


def mend(name: str, settings: Settings) -> list[str]:
    """Put aside what is no sample in a run's file, as a power cut leaves it; return what to say of it."""
    folder = find_run(runs_folder(settings), name)
    lock = lock_folder(folder)
    if lock is None:
        raise UsageError(f"run {folder.name} is still under way; it is mended when somebody resumes it")
    try:
        kept = mend_samples(folder)
    finally:
        lock.release()
    there = words.counted(len(kept), "sample")
    if not kept.torn:
        return [f"{folder.name}: whole, {there}"]
    lines = words.counted(kept.torn, "line")
    return [
        f"{folder.name}: {lines} held no sample and went to {TORN_FILE}; {there} kept",
        f"ask what is missing: pytest --aioncall --aioncall-resume --aioncall-run {folder.name}",
    ]


def _places(jobs: Sequence[Job]) -> list[tuple[Job, int]]:
    return [(job, epoch) for job in jobs for epoch in range(job.first, job.first + job.epochs)]


def _latest_unfinished(runs: Path) -> Path:
    under_way: list[str] = []
    for folder in reversed(list_runs(runs)):
        try:
            run = read_run(folder)
        except UsageError:
            continue
        if run.rejudged_from or run.merged_from or not (run.was_killed or run.unfinished):
            continue
        if is_locked(folder):
            under_way.append(run.id)
            continue
        return folder
    if under_way:
        raise UsageError(f"run {under_way[0]} is still under way, and no other run is unfinished")
    raise UsageError(
        "no unfinished run to resume; run pytest --aioncall, or name a run with --aioncall-run ID to ask "
        "again what got no answer there"
    )
