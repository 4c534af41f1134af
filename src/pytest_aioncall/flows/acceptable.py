"""May this run become the baseline? What keeps it from it is refused by name; what a reviewer has to know is
said."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..adapters import git
from ..adapters.render import words
from ..adapters.text import log_line
from ..decide.instrument import changed_parts
from ..decide.movement import at_the_floor
from ..errors import UsageError
from ..model.evalset import Case, EpochRange
from ..model.run import Run, RunEvalset
from ..model.sample import Sample
from ..settings import Settings
from .ondemand import silent_wire
from .prepare import Prepared, prepare
from .record import EvalsetRecord
from .scaffold import is_placeholder

MOST_NAMED = 5


def listed(names: Collection[str], *, most: int = MOST_NAMED) -> str:
    """Return some names and how many more there are: `a, b and 3 more`."""
    shown = [log_line(name, 80) for name in list(names)[:most]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def moved_on(record: EvalsetRecord, cases: Iterable[Case]) -> str:
    """Say how the cases of a file differ from those of a run: `1 changed (refund-late)`; empty if not."""
    then = {case: row.digest for case, row in record.rows.items()}
    now = {case.id: case.digest for case in cases}
    differences = [
        ("changed", sorted(c for c in now if c in then and then[c] != now[c])),
        ("added", sorted(now.keys() - then.keys())),
        ("removed", sorted(then.keys() - now.keys())),
    ]
    return ", ".join(f"{len(ids)} {word} ({listed(ids)})" for word, ids in differences if ids)


def whole_run(file: str, epochs: EpochRange) -> str:
    """Return the command whose run can become a baseline: adaptive epochs would stop it when it is clear."""
    command = f"pytest --aioncall {shlex.quote(file)}".rstrip() if file else "pytest --aioncall"
    return command if epochs.min == epochs.max else f"{command} --aioncall-epochs {epochs.max}"


def current_evalset(planned: RunEvalset, settings: Settings) -> Prepared:
    """Load the evalset of a run as its file is today, calling nothing; UsageError where it is gone."""
    path = settings.root / planned.file
    if not path.is_file():
        raise UsageError(
            f"{planned.evalset}: {planned.file} is not there any more; rename it back, or run "
            "the evalset that took its place: pytest --aioncall"
        )
    if str(settings.root) not in sys.path:
        sys.path.insert(0, str(settings.root))
    current = prepare(path, settings=settings, wire=silent_wire())
    if current.name != planned.evalset:
        raise UsageError(
            f"{planned.file} is now evalset {current.name!r}, the run is of {planned.evalset!r}; run it "
            f"again: {whole_run(planned.file, settings.epochs_of(current.evalset))}"
        )
    return current


@dataclass(frozen=True, slots=True)
class Checks:
    """One evalset of a run, with what it is checked against."""

    run: Run
    planned: RunEvalset
    record: EvalsetRecord
    samples: Mapping[str, Sequence[Sample]]
    current: Prepared
    settings: Settings

    @property
    def again(self) -> str:
        return whole_run(self.planned.file, self.settings.epochs_of(self.current.evalset))

    def refuse_partial(self) -> None:
        """A part of the cases is no baseline; neither are answers that nobody recorded."""
        name, planned = self.planned.evalset, self.planned
        if not planned.complete or len(self.samples) < planned.cases:
            raise UsageError(
                f"{name}: run {self.run.id} {self._how_partial()}; accept a whole run: {self.again}"
            )
        if self.record.not_recorded:
            raise UsageError(
                f"{name}: {self.record.not_recorded} samples were not recorded in the cassettes; "
                f"record them first: {self.again} --aioncall-replay --aioncall-record"
            )

    def _how_partial(self) -> str:
        planned, there = self.planned, len(self.samples)
        if there < planned.cases:
            return f"is partial ({there} of {planned.cases} cases)"
        drawn = [s for epochs in self.samples.values() for s in epochs]
        asked = sum(s.error is None or s.error.kind != "cancelled" for s in drawn)
        ended = "stopped at its cost cap" if self.record.cancelled else "was interrupted"
        return f"{ended} ({asked} of {planned.planned_samples} samples)"

    def refuse_stopped_early(self) -> None:
        """A run that stopped at a clear verdict has few epochs, and a mean that stopping bent a little."""
        plan, planned = self.planned.plan, self.planned
        if plan is not None and planned.planned_samples < planned.cases * plan.max:
            raise UsageError(
                f"{planned.evalset}: run {self.run.id} stopped early, with {planned.planned_samples} of "
                f"{planned.cases * plan.max} samples; a baseline has all epochs: "
                f"{whole_run(planned.file, plan)}"
            )

    def refuse_outdated(self) -> None:
        """A run of other cases or other scorers than the file has today would be a baseline of yesterday."""
        name = self.planned.evalset
        if said := moved_on(self.record, self.current.evalset.cases):
            raise UsageError(
                f"{name}: cases of {self.planned.file} moved on since run {self.run.id}: {said}; "
                f"run it again: {self.again}"
            )
        was, infos = self.planned.scorers, self.current.infos
        moved = [
            f"{scorer} ({'; '.join(parts)})"
            for scorer, info in infos.items()
            if scorer in was and (parts := changed_parts(info, was[scorer]))
        ]
        moved += [f"{scorer} (new)" for scorer in infos if scorer not in was]
        moved += [f"{scorer} (removed)" for scorer in was if scorer not in infos]
        if moved:
            raise UsageError(
                f"{name}: run {self.run.id} was judged by other scorers than {self.planned.file} has now: "
                f"{listed(moved)}; score its answers again, the target is not asked: aioncall rejudge "
                f"{shlex.quote(self.run.id)}, or run it again: {self.again}"
            )

    def refuse_errors(self, *, allowed: int) -> None:
        """An error is no score: the baseline would have holes, and later rows fewer epochs to stand on."""
        errored = errored_samples(self.samples)
        if len(errored) <= allowed:
            return
        reasons = "; ".join(dict.fromkeys(why for _, why in errored[:50]))
        raise UsageError(
            f"{self.planned.evalset}: {len(errored)} of run {self.run.id}'s samples errored "
            f"({listed([place for place, _ in errored])}: {log_line(reasons, 200)}); run it again: "
            f"{self.again}, or leave those samples out knowingly: --allow-errors {len(errored)}"
        )

    def warnings(self) -> list[str]:
        """Say what a reviewer of this baseline has to know, worst first."""
        cases, file = self.current.evalset.cases, self.planned.file
        blank = blank_cases(cases, file=file)
        found = [*blank, *cases_at_the_floor(self.planned, self.record), *self._about_commit()]
        errored = errored_samples(self.samples)
        if errored:
            found.append(
                f"{len(errored)} errored samples have no score in this baseline: "
                f"{listed([place for place, _ in errored])}"
            )
        return found

    def _about_commit(self) -> list[str]:
        root, run = self.settings.root, self.run
        if run.commit is None:
            return [
                "the run is of no commit, so the header names none, and nobody can check out what answered. "
                "Commit, run again, accept"
            ]
        found = []
        commit = run.commit[:7]
        facts = self.planned.fingerprint.subject.get("files") or {}
        files = [root / name for name in facts]
        there = {path for path in files if path.is_file()}
        now = _digests(self.current, root)
        edited = [str(n) for n, fact in facts.items() if now.get(n) not in (None, fact.get("sha256"))]
        edited += [n for n in facts if root / n not in there]
        uncommitted = [
            path.relative_to(root).as_posix()
            for path in git.changed_since(root, run.commit, sorted(there)) or []
            if path.relative_to(root).as_posix() not in edited
        ]
        if edited:
            found.append(f"changed after the run: {listed(edited)}; the answers are those of the older text")
        if uncommitted:
            found.append(
                f"not in commit {commit} as the run saw it: {listed(uncommitted)}; the header names "
                f"{commit}, and whoever checks it out gets another one. Commit, run again, accept"
            )
        elif run.dirty:
            found.append(
                f"the run was made with uncommitted changes on top of {commit}: the header says so, and "
                "nobody can check out what answered. Commit, run again, accept"
            )
        head = git.commit_of(root)
        if head is not None and head != run.commit:
            found.append(f"the run is of commit {commit}, this is {head[:7]}; the header names {commit}")
        return found


def nobodys_baseline(planned: RunEvalset, cases: Sequence[Case], record: EvalsetRecord) -> list[str]:
    """Say why a run should not become the first baseline, whatever it scored; nothing where it may."""
    every = bool(cases) and all(map(is_placeholder_case, cases))
    blank = blank_cases(cases, file=planned.file) if every else []
    return [*blank, *cases_at_the_floor(planned, record)]


def blank_cases(cases: Sequence[Case], *, file: str) -> list[str]:
    """Say which cases were never filled in."""
    blank = [case.id for case in cases if is_placeholder_case(case)]
    if not blank:
        return []
    every = len(blank) == len(cases)
    who = "EVERY CASE" if every else words.counted(len(blank), "case")
    asks = "asks" if every or len(blank) == 1 else "ask"
    return [
        f"{who} of {file} still {asks} what `aioncall init` wrote ({listed(blank)}): a baseline of that "
        "agrees to answers nobody needs. Write what your users really ask, and run again"
    ]


def cases_at_the_floor(planned: RunEvalset, record: EvalsetRecord) -> list[str]:
    """Say which gated scorers have nothing to lose."""
    found = []
    for scorer in dict.fromkeys(gate.scorer for gate in planned.gates):
        info = planned.scorers.get(scorer)
        cases = at_the_floor(record.rows.values(), scorer, info) if info is not None else None
        if cases:
            found.append(
                f"{scorer} is at the worst of its scale in EVERY CASE ({listed(cases)}): no drop can "
                "ever be seen from here. Is the target right, and what the cases expect?"
            )
    return found


def _digests(current: Prepared, root: Path) -> dict[str, str]:
    from .prepare import fingerprint_of

    files = fingerprint_of(current, root).subject.get("files") or {}
    return {name: fact["sha256"] for name, fact in files.items()}


def errored_samples(samples: Mapping[str, Sequence[Sample]]) -> list[tuple[str, str]]:
    """Return (case and epoch, why) of every sample without an output or without one of its scores."""
    found = []
    for case, epochs in samples.items():
        for sample in epochs:
            unscored = next((score.error for score in sample.scores if score.error), None)
            if sample.error is not None or unscored is not None:
                why = sample.error.message if sample.error else unscored
                found.append((f"{case} epoch {sample.epoch}", why or "no output"))
    return found


def is_placeholder_case(case: Case) -> bool:
    """Tell whether a case was never filled in: what `init` wrote, or a text that says so itself."""
    return any(is_placeholder(value) for value in (case.input, case.expected))
