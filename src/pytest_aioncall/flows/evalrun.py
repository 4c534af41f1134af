"""One `pytest --aioncall`: what to run, how to run it, and what it came to. Knows no pytest."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..adapters.config_file import find_root, load_config
from ..adapters.files import replace_all
from ..adapters.net import refuse_missing
from ..adapters.net import versions as http_versions
from ..adapters.redaction import Redactor
from ..budget import Budget
from ..engine import Engine, Job, retried, standing_still
from ..errors import LoadError, UsageError
from ..model.report import Report
from ..model.run import Fingerprint, Shard
from ..model.sample import Sample
from ..protocols import Wire
from ..settings import Mode, Settings, merge_settings
from .beside import Beside
from .cassettes import RunCassettes
from .cost import Estimate, cap_of, estimate
from .guarding import Guard, guard_loop
from .judge import BaselineFound, find_baseline
from .keyless import lacking_key, may_go_without
from .ondemand import WireOnDemand
from .prepare import Prepared, fingerprint_of, prepare, secrets_of
from .record import RunRecord, has_no_answer, rfc3339
from .redacting import redacted
from .report import write_report
from .resume import Resumed
from .rounds import ExtraRounds, may_stop_early
from .sharded import Part


def settings_for(start: Path, flags: Mapping[str, Any]) -> Settings:
    """Find the project root from `start`, read its configuration, and merge environment and flags over it."""
    root = find_root(start)
    return merge_settings(load_config(root), root=root, flags=flags)


@dataclass(slots=True)
class EvalRun:
    """Everything of one run that outlives a single case."""

    settings: Settings
    prepared: dict[str, Prepared] = field(default_factory=dict)
    baselines: dict[str, BaselineFound] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    expected: Estimate = field(default_factory=Estimate)
    retries: int = 0
    _net: WireOnDemand | None = None
    _shares: int = 1
    _cassettes: RunCassettes | None = None
    _started: float = field(default_factory=time.monotonic)
    _record: RunRecord | None = None
    _redactor: Redactor | None = None
    _rounds: ExtraRounds | None = None
    _part: Part | None = None
    _prints: dict[str, Fingerprint] = field(default_factory=dict)
    _beside: Beside | None = None
    resumed: Resumed | None = None
    keyless: dict[str, str] = field(default_factory=dict)
    """By evalset, the key that is not set: it is answered from its recordings, and only from these."""

    @property
    def concurrency(self) -> int:
        return self.settings.concurrency or self.settings.config.defaults.concurrency

    @property
    def part(self) -> Part | None:
        """The shard that this session runs; None: everything."""
        if self._part is None:
            self._part = Part.of(self.settings.shard)
        return self._part

    @property
    def record(self) -> RunRecord:
        if self._record is None:
            keep = self.settings.config.defaults.keep_runs
            self._record = RunRecord(
                store_folder=self.settings.root / self.settings.config.store,
                root=self.settings.root,
                now=self.now(),
                # On one machine, no shard may be pruned before the last one is there.
                keep=keep if self.part is None else keep + self.part.count,
                shard=self._shard_told,
            )
        return self._record

    def _shard_told(self, complete: bool) -> Shard | None:
        if self.part is None:
            return None
        return self.part.described(self.prepared.values(), complete=complete)

    @property
    def beside(self) -> Beside:
        """What this session looks at beside the working tree: its merge base, a change, daily runs."""
        if self._beside is None:
            self._beside = Beside(self.settings)
        return self._beside

    def now(self) -> datetime:
        """Return the time: `AIONCALL_NOW` where it is set."""
        return self.settings.now or datetime.now(UTC)

    def load(self, path: Path) -> Prepared:
        """Load an evalset file with all its pieces and its baseline; raises LoadError or UsageError."""
        if str(self.settings.root) not in sys.path:
            sys.path.insert(0, str(self.settings.root))
        for known in self.prepared.values():
            if known.path == path:
                return known
        one = self._prepared(path)
        taken = self.prepared.get(one.name)
        if taken is not None and taken.path != path:
            raise UsageError(f"{path}: evalset {one.name!r} is also the name of {taken.path}; rename one")
        self.beside.look_ahead(one)
        # A shard is not judged: it needs neither a baseline nor the history that holds one.
        found = BaselineFound()
        if self.part is None:
            now = one
            found = find_baseline(path, one.name, self.settings, rules=one.rules, prepared=lambda: now)
        self.baselines[one.name] = found
        plan = self.settings.epochs_of(one.evalset)
        if found.baseline is not None and may_stop_early(plan, one, found.baseline, self.settings):
            one = one.adaptive(plan, known={row.case: row.digest for row in found.baseline.rows})
        self.prepared[one.name] = one
        self._redactor = None
        return one

    def _prepared(self, path: Path) -> Prepared:
        """Load an evalset; one whose key is not there from its recordings, where this session may do that."""
        lenient = self.settings.mode in ("live", "fallback", "extend") and may_go_without(self.settings)

        def made(mode: Mode | None) -> Prepared:
            wire = self._wire_for(path, mode=mode)
            return prepare(path, settings=self.settings, wire=wire, base=self.beside.base)

        try:
            one = made(None)
        except LoadError:
            replayed = made("replay") if lenient else None
            key = lacking_key(replayed, self.settings) if replayed is not None else ""
            if replayed is None or not key:
                raise
            self.keyless[replayed.name] = key
            return replayed
        if lenient and (key := lacking_key(one, self.settings)):
            self.keyless[one.name] = key
            return made("replay")
        return one

    def _wire_for(self, path: Path, *, mode: Mode | None = None) -> Wire:
        if self._net is None:
            if self.settings.mode != "replay":
                refuse_missing(self.settings.config)
            self._net = WireOnDemand(self._make_wire)
        return self.cassettes.wire_for(path, self._net, mode=mode)

    @property
    def cassettes(self) -> RunCassettes:
        """The recordings that this run is answered from, or that it makes."""
        if self._cassettes is None:
            self._cassettes = RunCassettes(self.settings, self.prepared, lambda: self.redactor)
        return self._cassettes

    def _make_wire(self) -> Wire:
        from ..adapters.net import make_wire

        return make_wire(
            self.settings.config,
            concurrency=self.concurrency,
            on_retry=self._count_retry,
            held=standing_still,
            shares=self._shares,
        )

    @property
    def waiting(self) -> str | None:
        """Which provider makes everybody wait, for the live line: `openai 429, 12 s`."""
        return self._net.waiting() if self._net is not None else None

    def _count_retry(self) -> None:
        """Count one more network try: of the run for the live line, and of the sample that asked."""
        self.retries += 1
        again = retried.get()
        if again is not None:
            again[0] += 1

    @property
    def guard(self) -> Guard:
        """What makes texts fit to be shown; what evalsets name is known to it as they are loaded."""
        return Guard(lambda: self.redactor)

    @property
    def redactor(self) -> Redactor:
        if self._redactor is None:
            secrets = set(self.settings.secrets.values())
            for one in self.prepared.values():
                secrets.update(secrets_of(one.evalset).values())
            self._redactor = Redactor(secrets, self.settings.config.redact)
        return self._redactor

    def budgeted(self, jobs: Sequence[Job], *, shares: int = 1) -> Estimate:
        """Estimate the cost of `jobs` and set the cap; it and limits are divided among `shares` processes.

        Raises UsageError where the estimate is above it.
        """
        self._shares = shares
        chosen: dict[str, list[Job]] = {}
        for job in jobs:
            chosen.setdefault(job.evalset, []).append(job)
        parts = [
            replace(self.prepared[name], jobs=self._to_ask(tuple(some))) for name, some in chosen.items()
        ]
        missing = self.cassettes.missing_in
        self.expected = estimate(parts, self.settings, missing=missing)
        if any(one.plan is not None for one in parts):
            most = estimate([one.drawn_to_the_end() for one in parts], self.settings, missing=missing)
            self.expected = self.expected.up_to(most)
        cap = cap_of(self.expected, self.settings)
        if shares > 1:
            self.cassettes.refuse_sharing()
        self.budget.limit_usd = cap / shares if cap is not None else None
        samples = sum(job.epochs for one in parts for job in one.jobs)
        # Of code of the user's that tells a cost, nothing is known before the first answer.
        known = self.expected.calls and samples
        self.budget.expected_usd = self.expected.cost_usd / samples if known else None
        return self.expected

    def _to_ask(self, jobs: tuple[Job, ...]) -> tuple[Job, ...]:
        return jobs if self.resumed is None else self.resumed.to_ask(jobs)

    def resume(self, jobs: Sequence[Job] = (), *, is_worker: bool = False) -> None:
        """Find the run to go on with, where that was asked for, and refuse what changed since.

        Raises UsageError. Nothing is written yet.
        """
        if not self.settings.resume:
            return
        if self.resumed is None:
            self.resumed = Resumed.find(self.settings, is_worker=is_worker)
        self.resumed.refuse_changes(self.prepared, jobs, fingerprint=self.fingerprint, settings=self.settings)

    def begin(self, jobs: Sequence[Job]) -> str:
        """Begin the record, or take up that of the run to go on with; return what to say of that.

        Raises UsageError and StoreError before anything is asked.
        """
        self.record.begin()
        self.announce(dict.fromkeys(job.evalset for job in jobs))
        if self.resumed is None:
            return ""
        run = self.resumed
        run.kept = self.record.take_up(run.folder, run.run, now=self.now(), again=has_no_answer)
        return run.line(jobs)

    def finish_case(self, job: Job, samples: Sequence[Sample], *, kept: Sequence[int] = ()) -> None:
        """Take all epochs of a case into the record: `samples`, and those that a resumed run had already."""
        every = list(samples)
        if kept and self.resumed is not None:
            every += [s for epoch in kept if (s := self.resumed.sample(job, epoch)) is not None]
            every.sort(key=lambda sample: sample.epoch)
        self.record.finish_case(job.evalset, job.case, every, self.prepared[job.evalset].infos)

    def announce(self, names: Iterable[str]) -> None:
        """Put evalsets into `run.json` before they run, so that a run that is killed can be taken up."""
        self.record.announce(
            [
                one.planned(self.fingerprint(one), complete=False, root=self.settings.root)
                for one in map(self.prepared.__getitem__, names)
            ]
        )

    def fingerprint(self, one: Prepared) -> Fingerprint:
        """Return how an evalset measures and what, as it was when this session first looked."""
        if one.name not in self._prints:
            self._prints[one.name] = fingerprint_of(one, self.settings.root)
        return self._prints[one.name]

    def make_engine(self, publish: Callable[[Sample], None]) -> Engine:
        """Make the engine; call it on the loop that is to run it."""
        guard_loop(asyncio.get_running_loop(), self.guard)
        return Engine(
            concurrency=self.concurrency,
            publish=publish,
            now=lambda: rfc3339(self.now()),
            redact=self.redact,
            budget=self.budget,
            recall=self.resumed.sample if self.resumed is not None else None,
            own_limits={
                name: one.evalset.concurrency
                for name, one in self.prepared.items()
                if one.evalset.concurrency is not None
            },
        )

    def redact(self, sample: Sample) -> Sample:
        """Take secrets out of everything of a sample that a model, a server or user code wrote."""
        return redacted(sample, self.redactor)

    def shown(self, printed: str) -> str:
        """Return the end of what user code printed, for a log: no secret, nothing unseen, no command."""
        return self.guard.shown(printed)

    async def close_wires(self) -> None:
        """Close the network and write the cassettes; awaited on the engine's loop."""
        try:
            await self.cassettes.close()
        finally:
            if self._net is not None:
                await self._net.close()

    @property
    def rounds(self) -> ExtraRounds:
        """What adaptive epochs still ask for, once the first round is in."""
        if self._rounds is None:
            self._rounds = ExtraRounds(
                prepared=self.prepared,
                baselines=self.baselines,
                record=self.record,
                budget=self.budget,
                settings=self.settings,
            )
        return self._rounds

    def hints(self, complete: Mapping[str, bool]) -> list[str]:
        """Return what else to say at the end: recordings that a whole run without errors did not ask for."""
        if self.resumed is not None or self.record.counts.errors:
            return []
        return self.cassettes.hints(name for name, whole in complete.items() if whole)

    def write(self, report: Report) -> Path:
        """Write `report.json` and `report.html`; return the page's path."""
        by = self.settings.github.run_id
        return write_report(report.model_copy(update={"workflow_run": by}), self._report_folder)

    def withdraw(self) -> None:
        """Take away the report of an earlier run: where this one writes none, nobody takes that for it."""
        replace_all({self._report_folder / name: None for name in ("report.json", "report.html")})

    @property
    def _report_folder(self) -> Path:
        return self.settings.report_dir or self.settings.root / self.settings.config.store

    def told(self) -> None:
        """Say in the record what the network and the price table know of this run."""
        if self.expected.unpriced:
            self.record.counts.cost_known = False
        if self._net is not None and self._net.was_used:
            self.record.libraries.update(http_versions(self.settings.config))

    @property
    def wall_s(self) -> float:
        """Return how long this session runs, in seconds."""
        return time.monotonic() - self._started

    def asked_of(self, one: Prepared) -> int:
        """Return how many cases of an evalset this session is to run: all, or those of its shard."""
        return len(one.jobs) if self.part is None else len(self.part.cases_of(one))
