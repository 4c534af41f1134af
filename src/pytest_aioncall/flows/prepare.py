"""From an evalset file to jobs that can run: load, build the pieces, refuse everything wrong at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..adapters.baseline_store import file_facts
from ..adapters.evalset_files import line_of, load_evalset
from ..adapters.registry import BoundScorer, PieceError, build_scorer, build_target
from ..adapters.targets.secrets import named_secrets
from ..decide.gatelimits import limits_wrong
from ..engine import Job
from ..errors import LoadError, Problem, UsageError
from ..model.baseline import ScorerInfo
from ..model.evalset import Case, EpochRange, Evalset, Gate, ScorerSpec
from ..model.frozen import digest_of
from ..model.run import Fingerprint, RunEvalset
from ..model.verdict import Floor
from ..protocols import PieceContext, Rehearsing, Target, Wire
from ..settings import Settings, read_variables
from .baserules import BaseRules, BaseVersion


@dataclass(frozen=True, slots=True)
class Prepared:
    """An evalset whose every piece exists: one job a case, in the order of the file.

    Where a merge base is known, `rules` are what it asks, `evalset` is the stricter of both, and `written`
    what the file says; `restored` are scorers that the file has no more and the base gates,
    `compared_as` the base's digests of cases that differ from it in their floors alone.
    """

    evalset: Evalset
    path: Path
    target: Target
    jobs: tuple[Job, ...]
    infos: Mapping[str, ScorerInfo]
    scorers: Mapping[str, BoundScorer]
    plan: EpochRange | None = None
    written: Evalset | None = None
    rules: BaseRules | None = None
    restored: tuple[str, ...] = ()
    compared_as: Mapping[str, str] = field(default_factory=dict)

    def adaptive(self, plan: EpochRange, *, known: Mapping[str, str]) -> Prepared:
        """Return the evalset with its cases drawn `min` times at first; further rounds follow as needed.

        known  digest of each case of the baseline; a new or changed case has no verdict that could stop it,
               and is drawn `max` times
        """
        jobs = tuple(
            replace(job, epochs=plan.min)
            if known.get(job.case.id) in ("", self.compared_as.get(job.case.id, job.case.digest))
            else job
            for job in self.jobs
        )
        return replace(self, jobs=jobs, plan=plan)

    def drawn_to_the_end(self) -> Prepared:
        """Return the evalset as if no round were spared."""
        if self.plan is None:
            return self
        return replace(self, jobs=tuple(replace(job, epochs=self.plan.max) for job in self.jobs))

    @property
    def name(self) -> str:
        return self.evalset.evalset

    def planned(
        self,
        fingerprint: Fingerprint,
        *,
        complete: bool,
        root: Path,
        floors: tuple[Floor, ...] = (),
        drawn: Sequence[int] = (),
    ) -> RunEvalset:
        """Describe the evalset for `run.json`: enough to judge the folder without the YAML.

        `drawn` tells how many samples there are of each case, where adaptive epochs let that differ.
        """
        return RunEvalset(
            evalset=self.name,
            file=shown_path(self.path, root),
            owner=self.evalset.owner,
            epochs=max(drawn, default=self.jobs[0].epochs if self.jobs else 0),
            plan=self.plan,
            samples=sum(drawn) if self.plan is not None and drawn else None,
            cases=len(self.jobs),
            complete=complete,
            max_error_rate=self.evalset.errors.max_rate,
            outputs=self.evalset.outputs,
            baseline_max_age_days=self.evalset.baseline_max_age_days,
            scorers=dict(self.infos),
            gates=self.gates,
            floors=floors,
            fingerprint=fingerprint,
            restored=self.restored,
            compared_as=dict(self.compared_as),
        )

    @property
    def gates(self) -> tuple[Gate, ...]:
        """The evalset's gates; without any, one for every scorer."""
        return self.evalset.gates or tuple(
            Gate(scorer=name) for name in self.infos if name not in self.restored
        )


def prepare(path: Path, *, settings: Settings, wire: Wire, base: BaseVersion | None = None) -> Prepared:
    """Load one evalset file and build its target and scorers; with `base` what that asks more strictly, too.

    Raises LoadError with every problem of the file and of its pieces.
    """

    def refusals(draft: Evalset) -> list[Problem]:
        return _Builder(draft, path, settings, wire).refusals()

    written = load_evalset(path, root=settings.root, refusals=refusals)
    if base is None:
        return _Builder(written, path, settings, wire).build()
    rules = base.rules_of(written.evalset, path, settings.root)
    stricter = rules.stricter(written, settings)
    if stricter.restored:
        trial = _Builder(written, path, settings, wire)
        lost = [spec.name for spec in stricter.restored if not trial.can_make(spec)]
        stricter = rules.stricter(written, settings, lost=lost) if lost else stricter
    found = _Builder(stricter.evalset, path, settings, wire, restored=stricter.restored).build()
    return replace(found, written=written, rules=rules, compared_as=stricter.compared_as)


class _Builder:
    """Builds the pieces of one evalset; keeps the problems until all are known."""

    def __init__(
        self,
        evalset: Evalset,
        path: Path,
        settings: Settings,
        wire: Wire,
        *,
        restored: tuple[ScorerSpec, ...] = (),
    ) -> None:
        self.evalset = evalset
        self.restored = restored
        self.path = path
        self.settings = settings
        self.problems: list[Problem] = []
        self.shown_path = shown_path(path, settings.root)
        self.context = PieceContext(
            root=settings.root,
            folder=path.parent,
            evalset=evalset.evalset,
            config=settings.config,
            secrets={**settings.secrets, **secrets_of(evalset)},
            wire=wire,
            concurrency=settings.concurrency_of(evalset),
            transport=evalset.errors.transport,
        )
        self.infos: dict[str, ScorerInfo] = {}
        self._built: dict[str, BoundScorer | None] = {}
        self._lists: dict[tuple[int, ...], tuple[BoundScorer, ...]] = {}

    def can_make(self, spec: ScorerSpec) -> bool:
        """Tell whether a scorer can be made today: what it names may be gone with it."""
        return self._scorer(spec) is not None

    def refusals(self) -> list[Problem]:
        """Return which pieces of a file that does not load as it is cannot be made either."""
        self._target()
        self._common()
        for case in self.evalset.cases:
            for spec in (*case.scorers, *case.must):
                self._scorer(spec, case)
        self._check_limits()
        return self.problems

    def build(self) -> Prepared:
        """Make every piece and one job a case. Raises LoadError with all that cannot be made."""
        target, common = self._target(), self._common()
        epochs = self.settings.epochs_of(self.evalset).max
        jobs: list[Job] = []
        for case in self.evalset.cases:
            scorers = self._scorers_of(case, common)
            if target is not None:
                jobs.append(Job(self.evalset.evalset, case, target, scorers, epochs, self.evalset.timeout_s))
        self._check_limits()
        if self.problems:
            raise LoadError(self.problems)
        assert target is not None  # noqa: S101 - no problem means that it was built
        by_name = {s.name: s for s in common}
        return Prepared(
            self.evalset,
            self.path,
            target,
            tuple(jobs),
            self.infos,
            by_name,
            restored=tuple(spec.name for spec in self.restored),
        )

    def _target(self) -> Target | None:
        try:
            target = build_target(self.evalset.target, self.context)
        except PieceError as error:
            self._refuse(error.where or self.evalset.target.where, error.message)
            return None
        self._check_requests(target)
        return target

    def _common(self) -> list[BoundScorer]:
        """Return the scorers of every case, and keep what the run is to say of them."""
        wanted = (*self.evalset.scorers, *self.restored)
        common = [s for spec in wanted if (s := self._scorer(spec)) is not None]
        for scorer in common:
            self.infos[scorer.name] = ScorerInfo(
                kind=scorer.kind, scale=scorer.traits.scale, hash=scorer.hash, parts=dict(scorer.parts)
            )
        return common

    def _check_requests(self, target: Target) -> None:
        """Refuse a template that cannot be filled in: once for cases whose inputs have the same keys.

        Where no case fills it in, the template is what is wrong, else each of these cases is.
        """
        if not isinstance(target, Rehearsing):
            return
        shapes = {_shape_of(case.input): case for case in reversed(self.evalset.cases)}
        wrong: list[tuple[Case, str]] = []
        for case in shapes.values():
            try:
                target.rehearse(case)
            except UsageError as error:
                wrong.append((case, str(error)))
        if wrong and len(wrong) == len(shapes):
            self._refuse(self.evalset.target.where, f"{self.evalset.target.kind}: {wrong[-1][1]}")
            return
        for case, message in wrong:
            self._refuse(f"{case.where}.input", f"cannot be asked: {message}", case)

    def _scorers_of(self, case: Case, common: list[BoundScorer]) -> tuple[BoundScorer, ...]:
        """Return what applies to a case: the evalset's scorers, its own in place of namesakes, its musts."""
        chosen = common
        if case.scorers:
            own = [s for spec in case.scorers if (s := self._scorer(spec, case)) is not None]
            names = {s.name for s in own}
            chosen = [s for s in common if s.name not in names] + own
            for scorer in own:
                self._note_own(scorer, case)
        applying = [s for s in chosen if case.expected is not None or not s.traits.needs_expected]
        for index, spec in enumerate(case.must):
            must = self._scorer(spec, case, name=f"must[{index}]:{spec.name}")
            if must is None:
                continue
            if not must.traits.deterministic:
                self._refuse(
                    spec.where,
                    f"'{spec.kind}' asks a model, and a must has to be deterministic; use require",
                    case,
                )
            applying.append(must)
        if not applying and not self.problems:
            self._refuse(
                case.where, f"no scorer applies to {case.id!r}; give it an expected, a must or a scorer", case
            )
        names = {s.name for s in applying}
        for index, rule in enumerate(case.require):
            if rule.scorer not in names:
                known = ", ".join(sorted(n for n in names if not n.startswith("must["))) or "none"
                self._refuse(
                    f"{case.where}.require[{index}].scorer",
                    f"{rule.scorer!r} does not score this case; those that do: {known}",
                    case,
                )
        # Most cases share one list; one tuple for all of them keeps 10,000 cases small.
        return self._lists.setdefault(tuple(id(s) for s in applying), tuple(applying))

    def _check_limits(self) -> None:
        """Refuse a margin or a minimum that does not fit its scorer's scale, before anything is paid for."""
        for index, gate in enumerate(self.evalset.gates):
            info = self.infos.get(gate.scorer)
            for key, message in limits_wrong(gate, scale=info.scale).items() if info else ():
                self._refuse(f"gates[{index}].{key}", message)

    def _note_own(self, scorer: BoundScorer, case: Case) -> None:
        """A scorer that cases bring themselves: its arguments are in the case digest, so not in its hash."""
        known = self.infos.get(scorer.name)
        info = ScorerInfo(
            kind=scorer.kind, scale=scorer.traits.scale, hash=digest_of([scorer.kind, "arguments by case"])
        )
        if known is None:
            self.infos[scorer.name] = info
        elif (known.kind, known.scale) != (info.kind, info.scale):
            self._refuse(
                case.where,
                f"scorer {scorer.name!r} is {info.kind} here and {known.kind} elsewhere; "
                "give one of them another name with `as`",
                case,
            )

    def _scorer(
        self, spec: ScorerSpec, case: Case | None = None, *, name: str | None = None
    ) -> BoundScorer | None:
        """Build a scorer, once for equal specs."""
        shown = name or spec.name
        key = digest_of([shown, spec.content()])
        if key not in self._built:
            try:
                wanted = spec if name is None else spec.model_copy(update={"name": name})
                self._built[key] = build_scorer(wanted, self.context)
            except PieceError as error:
                self._built[key] = None
                self._refuse(error.where or spec.where, error.message, case)
        return self._built[key]

    def _refuse(self, where: str, message: str, case: Case | None = None) -> None:
        file, line = self.shown_path, 0
        if case is not None and case.file:
            file, line = case.file, case.line
        if case is None or not case.file or case.file == self.shown_path:
            line = line_of(self.path, where) or line
        self.problems.append(Problem(file, line, where, message))


def _shape_of(given: Any) -> frozenset[str] | None:
    """Return what tells inputs apart for a template: the keys of a mapping."""
    return frozenset(given) if isinstance(given, Mapping) else None


def secrets_of(evalset: Evalset) -> dict[str, str]:
    """Return the values of the variables that an evalset's target names."""
    return read_variables(named_secrets(evalset.target))


def fingerprint_of(prepared: Prepared, root: Path) -> Fingerprint:
    """Say how a run measured and what it measured, in JSON types."""
    evalset = prepared.evalset
    files: dict[str, Any] = {}
    for path in subject_files(prepared, root):
        files[shown_path(path, root)] = file_facts(path)
    subject: dict[str, Any] = {"target": {"kind": evalset.target.kind, **prepared.target.fingerprint()}}
    if files:
        subject["files"] = files
    if evalset.subject.labels:
        subject["labels"] = dict(evalset.subject.labels)
    return Fingerprint(instrument={name: info.hash for name, info in prepared.infos.items()}, subject=subject)


def subject_files(prepared: Prepared, root: Path) -> list[Path]:
    """Return the declared subject files (globs from the project root), and a chat target's prompt file."""
    found: dict[Path, None] = {}
    for pattern in prepared.evalset.subject.files:
        for path in sorted(root.glob(pattern)):
            if path.is_file():
                found[path] = None
    for name in ("prompt", "system"):
        value = prepared.evalset.target.options.get(name)
        if isinstance(value, str) and "\n" not in value and len(value) < 200 and (root / value).is_file():
            found[root / value] = None
    return list(found)


def shown_path(path: Path, root: Path) -> str:
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return str(path)
