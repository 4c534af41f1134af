"""The record of one run: samples on disk as they finish, one row a case in memory."""

from __future__ import annotations

import platform
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..adapters import git
from ..adapters.render import words
from ..adapters.run_store import KeptSamples, RunStore, check_writable, prune_runs, read_samples
from ..decide.floors import case_floors
from ..decide.rows import output_hash, row_of
from ..model.baseline import CaseRow
from ..model.evalset import Case, EpochRange
from ..model.run import ChangeLimit, Fingerprint, Run, RunEvalset, Shard, Totals
from ..model.sample import Sample
from ..model.verdict import Floor
from .reasons import Reasons

_ASKED_AGAIN = ("cancelled", "cassette_miss", "transport")


def has_no_answer(sample: Sample) -> bool:
    """Tell whether a sample is asked again by a run that is resumed: no answer ever arrived.

    A wrong answer, an exception of the user's own code and a judge's error stand: asking those again would
    repeat until green.
    """
    return sample.not_recorded or (sample.error is not None and sample.error.kind in _ASKED_AGAIN)


@dataclass(slots=True)
class EvalsetRecord:
    """What a run knows of one evalset: rows, floors and output hashes by case, and counts.

    `user_errors` are samples that the user's own code ended, or a target whose answer is no output: those of
    targets stand in `refused` by their message, too.
    """

    rows: dict[str, CaseRow] = field(default_factory=dict)
    floors: dict[str, tuple[Floor, ...]] = field(default_factory=dict)
    hashes: dict[str, tuple[str | None, ...]] = field(default_factory=dict)
    reasons: Reasons = field(default_factory=Reasons)
    user_errors: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    not_recorded: int = 0
    unmeasured: Counter[str] = field(default_factory=Counter)
    cancelled: int = 0
    why_stopped: str = ""
    stopped_by_cap: bool = False

    @property
    def all_floors(self) -> tuple[Floor, ...]:
        return tuple(floor for floors in self.floors.values() for floor in floors)

    @property
    def why_failed(self) -> str:
        """Say what targets answered that is no output; empty where none did."""
        raised = self.user_errors - self.refused.total()
        return words.own_failures(raised, self.refused) if self.refused else ""

    def add(
        self,
        case: Case,
        samples: Sequence[Sample],
        scorers: Mapping[str, object],
        *,
        new: Sequence[Sample] | None = None,
    ) -> None:
        """Take in all epochs of one case, of which only the `new` ones were not counted yet (None: all)."""
        self.rows[case.id] = row_of(samples, scorers=scorers)
        self.hashes[case.id] = hashes_of(samples)
        if case.must or case.require:
            self.floors[case.id] = tuple(case_floors(case, samples))
        for sample in samples if new is None else new:
            self.note(sample)

    def note(self, sample: Sample) -> None:
        """Count a sample's error by whose it is, and keep the reasons of what failed."""
        self.reasons.note(sample)
        error = sample.error
        if error is not None:
            self.user_errors += error.kind in {"user", "target"}
            if error.kind == "target":
                self.refused[error.message] += 1
            if error.kind == "cancelled":
                self.cancelled += 1
                self.why_stopped = error.message
        self.not_recorded += sample.not_recorded
        for score in sample.scores:
            if score.not_measured:
                self.unmeasured[score.scorer.rpartition("]:")[2]] += 1


def hashes_of(samples: Sequence[Sample]) -> tuple[str | None, ...]:
    """Return one hash an epoch; equal answers share one string, as most targets answer alike each time."""
    seen: dict[str, str] = {}
    hashes = (output_hash(s.output) if s.output else None for s in samples)
    return tuple(seen.setdefault(h, h) if h is not None else None for h in hashes)


def drawn_by_case(
    samples: Iterable[Sample], evalset: str, *, plan: EpochRange | None = None
) -> dict[str, list[Sample]]:
    """Return the samples of one evalset by case, each case's by epoch. A sample kept twice counts once.

    An epoch beyond the least that adaptive epochs draw, which the cost cap cancelled, was never planned.
    """
    found: dict[str, dict[int, Sample]] = {}
    for sample in samples:
        if sample.evalset == evalset and not _not_drawn(sample, plan):
            found.setdefault(sample.case, {})[sample.epoch] = sample
    return {case: [epochs[n] for n in sorted(epochs)] for case, epochs in found.items()}


def _not_drawn(sample: Sample, plan: EpochRange | None) -> bool:
    cancelled = sample.error is not None and sample.error.kind == "cancelled"
    return cancelled and plan is not None and sample.epoch >= plan.min


@dataclass(slots=True)
class Counts:
    """Sums over the samples of a run."""

    samples: int = 0
    errors: int = 0
    retries: int = 0
    replayed: int = 0
    cost_usd: float = 0.0
    cost_known: bool = True
    replayed_days: set[str] = field(default_factory=set)

    def add(self, sample: Sample) -> None:
        self.samples += 1
        self.errors += sample.error is not None or any(s.error for s in sample.scores)
        self.retries += sample.attempts - 1
        self.cost_usd += sum(score.cost_usd or 0.0 for score in sample.scores)
        output = sample.output
        if output is None:
            return
        if output.replayed:
            self.replayed += 1
            self.replayed_days.add(output.replayed)
        elif output.cost_usd is None:
            # Unknown, but only a model's answer has a price to know.
            self.cost_known = self.cost_known and output.model is None
        else:
            self.cost_usd += output.cost_usd


class RunRecord:
    """One run: made before the first sample, closed once. Safe to call from the engine's thread."""

    def __init__(
        self,
        *,
        store_folder: Path,
        root: Path,
        now: datetime,
        keep: int,
        shard: Callable[[bool], Shard | None] = lambda _complete: None,
    ) -> None:
        self._shard = shard
        self._runs = store_folder / "runs"
        self._root = root
        self._keep = keep
        self._lock = threading.Lock()
        self._store: RunStore | None = None
        self._state: tuple[str | None, bool] | None = None
        self._announced: dict[str, RunEvalset] = {}
        self._before: Run | None = None
        self._resumed_at: tuple[str, ...] = ()
        self._answered_before = 0
        self._paid_before_usd = 0.0
        self.created_at = now
        self.counts = Counts()
        self.answered: Counter[str] = Counter()
        self.evalsets: dict[str, EvalsetRecord] = {}
        self.libraries: dict[str, str] = {}
        self.change: ChangeLimit | None = None

    @property
    def folder(self) -> Path | None:
        """The run folder; None until a sample came."""
        return self._store.folder if self._store else None

    @property
    def paid_usd(self) -> float:
        """What this session paid, by its samples: what a resumed run had paid before is not part of it."""
        return self.counts.cost_usd - self._paid_before_usd

    def begin(self) -> None:
        """Look at what is slow, and refuse a folder that cannot be written, before anything is asked.

        Raises UsageError. Later, on the engine's loop, git would hold up answers whose latency is measured.
        """
        check_writable(self._runs)
        self._state = git.commit_of(self._root), git.is_dirty(self._root)

    def announce(self, planned: Sequence[RunEvalset]) -> None:
        """Tell what will be run before anything is: a run that is killed can be taken up by it."""
        with self._lock:
            self._announced.update((one.evalset, one) for one in planned)
            if self._store is not None:
                self._write_open()

    def take_up(
        self, folder: Path, run: Run, *, now: datetime, again: Callable[[Sample], bool]
    ) -> KeptSamples:
        """Go on with a run that stopped, and return the samples it has; `again` tells which it is to lack.

        Raises UsageError where another process writes it, StoreError where it cannot be written.
        """
        with self._lock:
            self._store, kept = RunStore.reopen(folder, again=again, seen=self._count)
            self._answered_before = sum(self.answered.values())
            self._paid_before_usd = self.counts.cost_usd
            self._before = run
            self.created_at = datetime.fromisoformat(run.created_at)
            self._resumed_at = (*run.resumed_at, rfc3339(now))
            self._announced = {one.evalset: one for one in run.evalsets} | self._announced
            self._write_open()
        return kept

    def _write_open(self) -> None:
        assert self._store is not None  # noqa: S101 - made by the caller
        planned = [one.model_copy(update={"complete": False}) for one in self._announced.values()]
        run = self._run(planned=tuple(planned), complete=False, wall_s=0.0)
        # No totals: that is how a run tells that nobody closed it.
        self._store.write_run(run.model_copy(update={"totals": Totals()}))

    def keep(self, samples: Sequence[Sample]) -> None:
        """Write samples to the run folder; once it returns they are the operating system's.

        Raises StoreError where they cannot be written.
        """
        with self._lock:
            if self._store is None:
                self._store = RunStore.create(self._runs, now=self.created_at)
                self._write_open()
            self._store.append(samples)
            for sample in samples:
                self._count(sample)

    def _count(self, sample: Sample) -> None:
        self.counts.add(sample)
        self.answered[sample.evalset] += not has_no_answer(sample)

    def finish_case(
        self, evalset: str, case: Case, samples: Sequence[Sample], scorers: Mapping[str, object]
    ) -> None:
        """Take all epochs of a case into the rows that the gates judge."""
        with self._lock:
            self.evalsets.setdefault(evalset, EvalsetRecord()).add(case, samples, scorers)

    def samples_of(
        self, evalset: str, cases: Collection[str], *, plan: EpochRange
    ) -> dict[str, list[Sample]]:
        """Read back what was drawn of some cases, by epoch; needs a run that has begun."""
        if self._store is None:
            return {}
        return drawn_by_case(read_samples(self._store.folder, cases=set(cases)), evalset, plan=plan)

    def draw_again(
        self,
        evalset: str,
        case: Case,
        samples: Sequence[Sample],
        *,
        new: Sequence[Sample],
        scorers: Mapping[str, object],
    ) -> None:
        """Take all epochs of a case in place of the fewer it had; only the `new` ones are counted."""
        with self._lock:
            self.evalsets.setdefault(evalset, EvalsetRecord()).add(case, samples, scorers, new=new)

    def close(
        self,
        *,
        planned: Sequence[RunEvalset],
        complete: bool,
        wall_s: float,
        ended: datetime,
        unfinished: int = 0,
    ) -> Run | None:
        """Write `run.json` for good, close the files and drop the oldest runs; None where nothing ran.

        A resumed run keeps what it knew of evalsets that were not selected now.
        """
        if self._store is None:
            return None
        now = {one.evalset for one in planned}
        before = self._before.evalsets if self._before is not None else ()
        left = [one for one in before if one.evalset not in now]
        run = self._run(
            planned=(*left, *planned),
            complete=complete and all(one.complete for one in left),
            wall_s=wall_s + (self._before.totals.wall_s if self._before is not None else 0.0),
        )
        unfinished = max(unfinished, self._still_lacking(run))
        run = run.model_copy(update={"ended_at": rfc3339(ended), "unfinished": unfinished})
        with self._lock:
            self._store.write_run(run)
            self._store.close()
        prune_runs(self._runs, keep=self._keep, but=self._store.folder)
        return run

    def _still_lacking(self, run: Run) -> int:
        """Return how many samples a stopped run lacks still, of cases left out now too."""
        before = self._before
        if before is None or not (before.was_killed or before.unfinished):
            return 0
        lacking = 0
        for one in run.evalsets:
            asked = one.planned_samples
            if run.shard is not None:
                asked = min(asked, run.shard.cases.get(one.evalset, one.cases) * one.epochs)
            lacking += 0 if one.complete else max(0, asked - self.answered[one.evalset])
        if before.was_killed:
            return lacking
        now = sum(self.answered.values()) - self._answered_before
        return min(lacking, max(0, before.unfinished - now))

    def _run(self, *, planned: tuple[RunEvalset, ...], complete: bool, wall_s: float) -> Run:
        assert self._store is not None  # noqa: S101 - made by the caller
        if self._state is None:
            self._state = git.commit_of(self._root), git.is_dirty(self._root)
        commit, dirty = self._state
        counts = self.counts
        shard = self._shard(complete)
        instrument = {one.evalset: one.fingerprint.instrument for one in planned}
        subject = {one.evalset: one.fingerprint.subject for one in planned}
        return Run(
            id=self._store.run_id,
            evalsets=planned,
            created_at=rfc3339(self.created_at),
            commit=commit,
            dirty=dirty,
            fingerprint=Fingerprint(instrument=instrument, subject=subject),
            versions={**_versions(), **self.libraries},
            complete=complete and shard is None,
            shard=shard,
            resumed_at=self._resumed_at,
            change=self.change,
            totals=Totals(
                planned=sum(one.planned_samples for one in planned),
                judged=counts.samples - counts.errors,
                errors=counts.errors,
                retries=counts.retries,
                replayed=counts.replayed,
                cost_usd=counts.cost_usd if counts.cost_known else None,
                wall_s=round(wall_s, 3),
            ),
        )


def rfc3339(moment: datetime) -> str:
    """Write a time in UTC with a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def age_days(moment: str, now: datetime) -> float | None:
    """Return how many days `moment` (RFC 3339) lies back; None where it is no time."""
    try:
        return max(0.0, (now - datetime.fromisoformat(moment)).total_seconds() / 86400)
    except (ValueError, TypeError):
        return None


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("pytest-aioncall", "pytest", "numpy", "scipy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
