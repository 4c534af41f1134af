"""Put partial runs together: the shards of one commit, or runs of parts that somebody selected."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ..adapters.run_store import RUN_FILE, SAMPLES_FILE, RunStore, find_run, is_locked, read_samples
from ..adapters.text import log_line
from ..decide.mergeable import Progress, choose, told, unlike
from ..errors import UsageError
from ..model.run import Fingerprint, Run, RunEvalset, Totals
from ..model.sample import Sample
from ..settings import Settings
from .record import drawn_by_case
from .runs import read_kept_run, refuse_killed, runs_folder

Drawn = Mapping[str, list[Sample]]
"""The samples of one evalset by case, each case's by epoch."""

_BATCH = 500


@dataclass(slots=True)
class Source:
    """One run folder, read once."""

    folder: Path
    run: Run
    _drawn: dict[str, Drawn] | None = field(default=None, repr=False)

    @classmethod
    def at(cls, folder: Path) -> Source:
        """Read a run folder; of its samples, only what is asked for later."""
        run = read_kept_run(folder)
        if run.shard is None:
            refuse_killed(run)
        return cls(folder, run)

    def drawn(self, evalset: str) -> Drawn:
        """Return the samples of one evalset, by case."""
        if self._drawn is None:
            every: dict[str, list[Sample]] = {}
            for sample in read_samples(self.folder):
                every.setdefault(sample.evalset, []).append(sample)
            plans = {one.evalset: one.plan for one in self.run.evalsets}
            self._drawn = {
                name: drawn_by_case(samples, name, plan=plans.get(name)) for name, samples in every.items()
            }
        return self._drawn.get(evalset, {})

    def progress(self) -> Progress:
        """Tell how many of its cases have every epoch that was asked for."""
        shard, done = self.run.shard, 0
        for one in self.run.evalsets:
            asked = one.epochs if one.plan is None else one.plan.min
            done += sum(_asked_of(samples) >= asked for samples in self.drawn(one.evalset).values())
        cases = sum(shard.cases.values()) if shard is not None else sum(e.cases for e in self.run.evalsets)
        return Progress(self.run, done, cases)


def _asked_of(samples: Sequence[Sample]) -> int:
    return sum(sample.error is None or sample.error.kind != "cancelled" for sample in samples)


@dataclass(frozen=True, slots=True)
class Merged:
    """Partial runs as the one run that they are; `notes` tell what was passed over."""

    run: Run
    sources: tuple[Source, ...]
    notes: tuple[str, ...] = ()

    def drawn(self, evalset: str) -> Drawn:
        """Return the samples of one evalset by case, from whichever part has it."""
        return {case: found for one in self.sources for case, found in one.drawn(evalset).items()}


def expanded(names: Sequence[str]) -> list[str]:
    """Return the names with patterns (`shards/*`) replaced by what they match, sorted, as a shell does it."""
    found: list[str] = []
    for name in names:
        if not glob.has_magic(name) or Path(name).exists():
            found.append(name)
            continue
        matching = sorted(glob.glob(name, recursive=True, include_hidden=True))  # noqa: PTH207 - absolute, too
        if not matching:
            raise _refused([f"{name}: nothing matches"])
        found += matching
    return found


def find_sources(names: Sequence[str], settings: Settings) -> list[Source]:
    """Return the runs that are named: ids, folders, `latest`, globs, and folders that hold run folders.

    A run that is named twice counts once. Of a folder that holds shards among other runs, the shards count.
    """
    found: dict[str, Source] = {}
    for name in expanded(names):
        for source in _named(name, settings):
            known = found.setdefault(source.run.id, source)
            same = known.folder.resolve() == source.folder.resolve() or known.run == source.run
            if not same:
                raise _refused(
                    [f"run {source.run.id} is in {known.folder} and, otherwise, in {source.folder}"]
                )
    return list(found.values())


def _named(name: str, settings: Settings) -> Iterator[Source]:
    path = Path(name)
    if path.name == RUN_FILE and path.is_file():
        yield Source.at(path.parent)
    elif path.is_dir() and not (path / RUN_FILE).is_file():
        # Other tools have a run.json, too.
        files = [file for file in sorted(path.rglob(RUN_FILE)) if (file.parent / SAMPLES_FILE).is_file()]
        inside = [Source.at(file.parent) for file in files]
        if not inside:
            # Also an id may be the name of some folder.
            yield Source.at(find_run(runs_folder(settings), name))
        shards = [one for one in inside if one.run.shard is not None]
        if not shards and len(inside) > 1:
            ids = ", ".join(one.run.id for one in inside[:5])
            raise _refused([f"{name} holds {len(inside)} runs, and none is a shard; name one: {ids}"])
        yield from shards or inside
    else:
        yield Source.at(find_run(runs_folder(settings), name))


def merged(sources: Sequence[Source]) -> Merged:
    """Put partial runs together; raises UsageError that names whatever keeps them from being one run."""
    runs = [source.run for source in sources]
    by_run = {source.run.id: source for source in sources}
    if differences := unlike(runs):
        raise _refused(
            [
                "not judged: these are not parts of one run",
                *(f"  {line}" for line in differences),
                "name the runs of one commit and one division only",
            ]
        )
    _refuse_under_way(sources)
    notes: tuple[str, ...] = ()
    if runs[0].shard is not None:
        chosen, problems = choose([source.progress() for source in sources])
        if problems:
            raise _refused(problems)
        sources = [by_run[run.id] for run in chosen.runs]
        notes = chosen.passed_over
    _refuse_overlaps(sources)
    return Merged(_as_one(sources), tuple(sources), tuple(log_line(note, 300) for note in notes))


def _refuse_under_way(sources: Sequence[Source]) -> None:
    busy = [source for source in sources if is_locked(source.folder)]
    if busy:
        raise _refused([f"{told(source.run)} is still under way; wait for it" for source in busy])


def _refuse_overlaps(sources: Sequence[Source]) -> None:
    for name in _evalset_names(sources):
        where: dict[str, Source] = {}
        for source in sources:
            for case in source.drawn(name):
                first = where.setdefault(case, source)
                if first is not source:
                    raise _refused(
                        [f"case {case!r} of {name} is in {told(first.run)} and in {told(source.run)}"]
                    )


def _refused(lines: Sequence[str]) -> UsageError:
    return UsageError("\n".join(log_line(line, 600) for line in lines))


def _evalset_names(sources: Sequence[Source]) -> list[str]:
    return list(dict.fromkeys(one.evalset for source in sources for one in source.run.evalsets))


def _as_one(sources: Sequence[Source]) -> Run:
    """Return `run.json` of the whole: evalsets complete where no case lacks, floors and totals of all."""
    runs = [source.run for source in sources]
    first = runs[0]
    evalsets = tuple(_evalset_as_one(name, sources) for name in _evalset_names(sources))
    earliest = min(runs, key=lambda run: run.created_at)
    return Run(
        id=" + ".join(run.id for run in runs),
        evalsets=evalsets,
        created_at=earliest.created_at,
        commit=first.commit,
        dirty=first.dirty,
        fingerprint=Fingerprint(
            instrument={one.evalset: one.fingerprint.instrument for one in evalsets},
            subject={one.evalset: one.fingerprint.subject for one in evalsets},
        ),
        versions=first.versions,
        complete=bool(evalsets) and all(one.complete for one in evalsets),
        totals=_totals(runs, planned=sum(one.planned_samples for one in evalsets)),
        rejudged_from=" + ".join(dict.fromkeys(run.rejudged_from for run in runs if run.rejudged_from))
        or None,
        merged_from=tuple(run.id for run in runs),
        ended_at=max((run.ended_at for run in runs if run.ended_at), default=None),
        resumed_at=tuple(sorted(moment for run in runs for moment in run.resumed_at)),
        change=first.change,
    )


def _evalset_as_one(name: str, sources: Sequence[Source]) -> RunEvalset:
    parts = [one for source in sources for one in source.run.evalsets if one.evalset == name]
    first = parts[0]
    drawn = {case: found for source in sources for case, found in source.drawn(name).items()}
    floors = sorted((floor for part in parts for floor in part.floors), key=lambda floor: floor.case)
    return first.model_copy(
        update={
            "epochs": max(part.epochs for part in parts),
            "samples": sum(map(len, drawn.values())) if first.plan is not None else None,
            "capped": any(part.capped for part in parts),
            "complete": len(drawn) == first.cases,
            "floors": tuple(floors),
        }
    )


def _totals(runs: Sequence[Run], *, planned: int) -> Totals:
    """Add up what was asked and paid; the machines worked side by side, so time is that of the slowest."""
    totals = [run.totals for run in runs]
    costs = [one.cost_usd for one in totals]
    known = [cost for cost in costs if cost is not None]
    return Totals(
        planned=planned,
        judged=sum(one.judged for one in totals),
        errors=sum(one.errors for one in totals),
        retries=sum(one.retries for one in totals),
        replayed=sum(one.replayed for one in totals),
        cost_usd=sum(known) if len(known) == len(costs) else None,
        wall_s=max(one.wall_s for one in totals),
    )


def write_merged(names: Sequence[str], settings: Settings) -> tuple[Merged, Path]:
    """Write the run that partial runs are together as a run folder of its own; return it with its folder.

    Raises UsageError where they are no whole run.
    """
    found = merged(find_sources(names, settings))
    for one in found.run.evalsets:
        lacking = one.cases - len(found.drawn(one.evalset))
        if lacking:
            raise _refused([f"{lacking} cases of {one.evalset} are in none of these runs"])
    store = RunStore.create(runs_folder(settings), now=settings.now or datetime.now(UTC))
    run = found.run.model_copy(update={"id": store.run_id})
    try:
        store.write_run(run.model_copy(update={"complete": False}))
        batch: list[Sample] = []
        for sample in (s for one in run.evalsets for case in found.drawn(one.evalset).values() for s in case):
            batch.append(sample)
            if len(batch) == _BATCH:
                store.append(batch)
                batch.clear()
        store.append(batch)
        store.write_run(run)
    finally:
        store.close()
    return Merged(run, found.sources, found.notes), store.folder
