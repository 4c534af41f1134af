"""May these partial runs be put together? What keeps them apart is told by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..model.run import Run, RunEvalset
from .fingerprints import changes_between
from .shards import shards_told

_OWN = {"floors", "samples", "capped", "complete", "fingerprint", "scorers", "epochs"}
_DEFINITION = tuple(name for name in RunEvalset.model_fields if name not in _OWN)
_MOST_NAMED = 5


def told(run: Run) -> str:
    """Name a run as a reader of a refusal knows it: `shard 2 of 4 (run 20261122-...)`."""
    if run.shard is None:
        return f"run {run.id}"
    return f"shard {run.shard.index} of {run.shard.count} (run {run.id})"


def unlike(runs: Sequence[Run]) -> list[str]:
    """Return, one line each, how the runs are not parts of one run: each against the first that differs."""
    whole = next((run for run in runs if run.shard is None), None)
    part = next((run for run in runs if run.shard is not None), None)
    if whole is not None and part is not None:
        return [f"{told(part)} and {told(whole)}, which is no shard: they are not parts of one run"]
    found: list[str] = []
    first = runs[0]
    for other in runs[1:]:
        found += _unlike(first, other)
    return list(dict.fromkeys(found))


def _unlike(first: Run, other: Run) -> Iterator[str]:
    both = f"{told(first)} and {told(other)}"
    if first.shard is not None and other.shard is not None and first.shard.count != other.shard.count:
        yield f"{both} are of different divisions"
        return
    if first.commit != other.commit:
        yield f"{both} are of different commits: {_commit(first)} and {_commit(other)}"
    elif first.dirty != other.dirty:
        dirty, clean = (first, other) if first.dirty else (other, first)
        yield f"{told(dirty)} was made with uncommitted changes, {told(clean)} without"
    ours_by, theirs_by = (run.versions.get("pytest-aioncall") for run in (first, other))
    if ours_by != theirs_by:
        yield f"{both} were run by different versions of pytest-aioncall: {ours_by} and {theirs_by}"
    if first.shard is not None and other.shard is not None:
        for name in sorted({*first.shard.plan, *other.shard.plan}):
            yield from _unlike_plans(first, other, name, first.shard.plan, other.shard.plan)
    ours = {one.evalset: one for one in first.evalsets}
    for theirs in other.evalsets:
        mine = ours.get(theirs.evalset)
        if mine is not None and (differences := _definition_differs(mine, theirs)):
            shown = "; ".join(differences[:_MOST_NAMED])
            more = len(differences) - _MOST_NAMED
            yield f"{theirs.evalset} differs between {both}: {shown}" + (
                f" and {more} more" if more > 0 else ""
            )


def _unlike_plans(
    first: Run, other: Run, name: str, ours: Mapping[str, str], theirs: Mapping[str, str]
) -> Iterator[str]:
    if name not in ours or name not in theirs:
        has, lacks = (first, other) if name in ours else (other, first)
        yield f"{told(has)} ran {name}, {told(lacks)} did not: every shard runs the same evalsets"
    elif ours[name] != theirs[name]:
        yield f"{told(first)} and {told(other)} divided different cases of {name}"


def _commit(run: Run) -> str:
    return run.commit[:7] if run.commit else "none"


def _definition_differs(ours: RunEvalset, theirs: RunEvalset) -> list[str]:
    """Name what of an evalset's rules, scorers and subject differs, with both values where they are short."""
    found: list[str] = []
    if ours.plan is None and theirs.plan is None and ours.epochs != theirs.epochs and ours.cases:
        found.append(f"epochs: {ours.epochs} and {theirs.epochs}")
    mine, others = ours.model_dump(mode="json"), theirs.model_dump(mode="json")
    for name in _DEFINITION:
        found += _differences(name, mine[name], others[name])
    found += changes_between(ours.fingerprint, theirs.fingerprint)
    # A changed scorer shows in the instrument already; its parts tell which word of it.
    if ours.fingerprint.instrument == theirs.fingerprint.instrument:
        found += _differences("scorers", mine["scorers"], others["scorers"])
    return found


def _differences(where: str, ours: Any, theirs: Any) -> list[str]:
    """Return the deepest places at which two values of JSON types differ."""
    if ours == theirs:
        return []
    if isinstance(ours, dict) and isinstance(theirs, dict):
        names = sorted({*ours, *theirs})
        found = []
        for name in names:
            found += _differences(f"{where}.{name}", ours.get(name), theirs.get(name))
        return found
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [
            line
            for number, (mine, other) in enumerate(zip(ours, theirs, strict=True))
            for line in _differences(f"{where}[{number}]", mine, other)
        ]
    shown = [str(value) for value in (ours, theirs)]
    return [where if max(map(len, shown)) > 40 else f"{where}: {shown[0]} and {shown[1]}"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one partial run came: `done` of `cases` cases have every epoch that was asked for."""

    run: Run
    done: int
    cases: int

    @property
    def is_complete(self) -> bool:
        return self.done >= self.cases and self.run.is_finished

    @property
    def line(self) -> str:
        if self.done >= self.cases:
            return f"{told(self.run)} was ended before it was closed, after all of its {self.cases} cases"
        return f"{told(self.run)} is incomplete: {self.done} of {self.cases} cases"


@dataclass(frozen=True, slots=True)
class Chosen:
    """One run a shard, by index; `passed_over` says which others there were, and why they do not count."""

    runs: tuple[Run, ...]
    passed_over: tuple[str, ...] = ()


def choose(found: Sequence[Progress]) -> tuple[Chosen, list[str]]:
    """Return one run of every shard, and what is wrong: shards that are missing, incomplete, there twice.

    Two complete runs of one shard are refused: whoever chooses between two answers has seen both. A complete
    one beside incomplete ones counts, and the others are named.
    """
    by_index: dict[int, list[Progress]] = {}
    count = 0
    for one in found:
        if one.run.shard is not None:
            count = one.run.shard.count
            by_index.setdefault(one.run.shard.index, []).append(one)
    chosen: list[Run] = []
    problems: list[str] = []
    passed_over: list[str] = []
    for index, runs in sorted(by_index.items()):
        complete = [one for one in runs if one.is_complete]
        if len(complete) > 1:
            ids = " and ".join(one.run.id for one in complete)
            problems.append(
                f"shard {index} of {count} is there {len(complete)} times, complete: runs {ids}; name the "
                "one that counts by itself. The one that ran first is the one nobody chose"
            )
        elif not complete:
            problems += [f"{one.line}; {_finish(one.run)}" for one in runs]
        else:
            chosen.append(complete[0].run)
            passed_over += [_passed(one, complete[0].run) for one in runs if one is not complete[0]]
    missing = sorted(set(range(1, count + 1)) - set(by_index))
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        them = "it" if len(missing) == 1 else "them"
        problems.insert(
            0,
            f"{shards_told(missing, count=count)} {verb} missing; name {them}, or run {them}: "
            f"pytest --aioncall --aioncall-shard {missing[0]}/{count}",
        )
    return Chosen(tuple(chosen), tuple(passed_over)), problems


def _finish(run: Run) -> str:
    """Say how the rest of an incomplete shard is drawn."""
    part = f" --aioncall-shard {run.shard.index}/{run.shard.count}" if run.shard is not None else ""
    return f"finish it with: pytest --aioncall{part} --aioncall-resume --aioncall-run {run.id}"


def _passed(one: Progress, chosen: Run) -> str:
    broken = sum(not floor.ok for evalset in one.run.evalsets for floor in evalset.floors)
    bad = f", {broken} floor{'s' if broken > 1 else ''} broken" if broken else ""
    return (
        f"{told(one.run)} does not count: it ended after {one.done} of {one.cases} cases{bad}; run "
        f"{chosen.id} of the same shard is complete"
    )
