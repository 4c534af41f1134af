"""`aioncall gate`: judge baselines, run folders and anybody's flat scores by the rules of pytest's gate."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from ..decide.compare import judge
from ..decide.excused import Before
from ..decide.exit_codes import WORST_FIRST, run_exit_code, run_status
from ..decide.gatelimits import limits_wrong
from ..decide.sides import Side
from ..errors import LoadError, UsageError
from ..model.config import Defaults
from ..model.evalset import Gate
from ..model.report import AlreadyRegressed, BaseReview, ProposedBaseline
from ..model.run import Run
from ..model.verdict import Judgement, RunStatus
from ..settings import Settings
from .baserules import BaseRules, BaseVersion
from .daily import Daily
from .givens import Given, given_candidates, given_side, run_given
from .imports import ImportedSide, ImportRequest, import_sides
from .judge import find_baseline, side_of, with_cap
from .mismatch import mismatches
from .ondemand import silent_wire
from .prepare import Prepared, prepare
from .reviewed import Reviews, base_reviews
from .standing import baseline_lines
from .strictly import judged_strictly
from .wording import judgement_word


@dataclass(frozen=True, slots=True)
class GateRequest:
    """The command line of `aioncall gate`. `imported`: the sides are result files of another tool."""

    candidates: tuple[str, ...]
    baseline: str | None = None
    evalset: str | None = None
    scorer: str | None = None
    margin: float | None = None
    alpha: float | None = None
    slices: tuple[str, ...] = ()
    imported: ImportRequest | None = None
    max_error_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Gated:
    """A judgement and its two sides.

    `warnings` are what a reader has to know before the verdict; `standing` says which baseline this is, how
    old, and what is wrong with it. `already` were red on the base before; `review` is what a branch proposes.
    """

    judgement: Judgement
    candidate: Given
    baseline: Given | None
    warnings: tuple[str, ...] = ()
    standing: tuple[str, ...] = ()
    already: tuple[AlreadyRegressed, ...] = ()
    review: BaseReview | None = None


def gated_all(request: GateRequest, settings: Settings) -> tuple[Gated, ...]:
    """Judge every evalset of the candidate, or the one asked for; several candidates are parts of one run.

    The sides are returned, too, for a report. Warnings stand in the notes as well. Raises UsageError for
    parts that are not one run.
    """
    if request.imported is not None:
        # Who names both sides wants them compared: green without a comparison would be a lie.
        baseline, candidate, request, notes = _imported(request, request.imported)
        return (_judged(request, settings, candidate, _Against(baseline, required=True, notes=notes)),)
    candidates = given_candidates(request.candidates, request.evalset, settings)
    if len(candidates) > 1 and request.baseline is not None:
        names = ", ".join(one.evalset for one in candidates)
        raise UsageError(f"there are several evalsets; choose with --evalset which to compare: {names}")
    # Of a file of scores nobody knows a merge base, and who names the baseline has chosen one.
    has_base = request.baseline is None and any(one.file for one in candidates)
    base = BaseVersion.of(settings) if has_base else None
    daily = Daily.of(settings, base) if has_base else None
    found = []
    proposals: dict[str, ProposedBaseline | None] = {}
    for one in candidates:
        against = _against(request, settings, one, base)
        proposals[one.evalset] = against.proposal
        found.append(_judged(request, settings, one, against, daily))
    if base is None:
        return tuple(found)
    reviews = _reviews(candidates, settings, proposals, base=base)
    return tuple(replace(one, review=reviews.by_evalset.get(one.candidate.evalset)) for one in found)


def _reviews(
    candidates: Sequence[Given],
    settings: Settings,
    proposals: Mapping[str, ProposedBaseline | None],
    *,
    base: BaseVersion,
) -> Reviews:
    """Say what the branch proposes, of the evalsets whose files are here and load."""
    if str(settings.root) not in sys.path:
        sys.path.insert(0, str(settings.root))
    prepared = []
    for one in candidates:
        if not one.file:
            continue
        try:
            found = prepare(settings.root / one.file, settings=settings, wire=silent_wire())
        except LoadError:
            continue
        if found.name == one.evalset:
            rules = base.rules_of(found.name, found.path, settings.root)
            prepared.append(replace(_as_ran(found, one), rules=rules))
    return base_reviews(prepared, settings, baselines=proposals)


def _as_ran(prepared: Prepared, candidate: Given) -> Prepared:
    """Tell which scorers the run put back: those it has scores of and its evalset names no more."""
    names = tuple(name for name in candidate.side.scorers if name not in prepared.infos)
    return replace(prepared, restored=names)


@dataclass(frozen=True, slots=True)
class Told:
    """Several judgements as one answer: the worst status and exit code, by the one table."""

    judgements: tuple[Judgement, ...]
    already: tuple[AlreadyRegressed, ...] = ()

    @property
    def status(self) -> RunStatus | Literal["unaffected"]:
        return run_status(self.judgements) if self.judgements else "unaffected"

    @property
    def exit_code(self) -> int:
        return run_exit_code(self.judgements)

    @property
    def line(self) -> str:
        """Say in one line how many evalsets came to what, worst first."""
        worst_first = sorted(self.judgements, key=lambda one: WORST_FIRST.index(one.status))
        parts = [f"{n} {word}" for word, n in Counter(map(judgement_word, worst_first)).items()]
        return f"{len(self.judgements)} evalsets: {', '.join(parts)} (exit {self.exit_code})"

    def as_json(self) -> dict[str, Any]:
        """Return the judgement of one evalset as it is; several stand in `evalsets`."""
        found = [one.model_dump(mode="json") for one in self.judgements]
        told = {"already": [one.model_dump(mode="json") for one in self.already]} if self.already else {}
        if len(found) == 1:
            return found[0] | told
        if not found:
            return {"format": 1, "status": self.status, "exit_code": self.exit_code, "evalsets": []}
        return {"format": 1, "status": self.status, "exit_code": self.exit_code, "evalsets": found, **told}


def change_of(request: GateRequest, found: Sequence[Gated], settings: Settings) -> Run | None:
    """Return the run that is judged where it was limited to what a change can affect; None elsewhere."""
    if request.imported is not None or (found and not found[0].candidate.runs):
        return None
    run = found[0].candidate.runs[0] if found else run_given(request.candidates, settings)
    return run if run is not None and run.change is not None else None


def tell(found: Sequence[Gated]) -> Told:
    """Sum up what was judged."""
    return Told(tuple(one.judgement for one in found), tuple(row for one in found for row in one.already))


@dataclass(frozen=True, slots=True)
class _Against:
    """What a candidate is compared with, whether that has to be there, and what is to be told of it."""

    baseline: Given | None = None
    required: bool = False
    why_not: str | None = None
    notes: tuple[str, ...] = ()
    rules: BaseRules | None = None
    proposal: ProposedBaseline | None = None


def _against(
    request: GateRequest, settings: Settings, candidate: Given, base: BaseVersion | None
) -> _Against:
    """Find the baseline: the one that is named, else the committed one of the run's evalset."""
    if request.baseline is not None:
        evalset = request.evalset or (candidate.evalset if candidate.file else None)
        given = given_side(request.baseline, evalset, settings)
        return _Against(given, required=settings.require_baseline)
    if not candidate.file:
        return _Against(required=settings.require_baseline)
    file = settings.root / candidate.file
    rules = base.rules_of(candidate.evalset, file, settings.root) if base is not None else None
    found = find_baseline(
        file,
        candidate.evalset,
        settings,
        rules=rules,
        prepared=lambda: prepare(file, settings=settings, wire=silent_wire(), base=base),
    )
    baseline = None
    if found.baseline is not None:
        header = found.baseline.header
        baseline = Given(
            side_of(found.baseline),
            header.evalset,
            accepts=found.accepts,
            settled=header.accepts,
            committed=found.baseline,
        )
    # Who asks by margins and slices of the command line asks a question of his own.
    asks = request.scorer or request.slices or request.margin is not None or request.alpha is not None
    return _Against(
        baseline,
        required=found.required,
        why_not=found.why_not,
        rules=None if asks else rules,
        proposal=found.proposal,
    )


def _judged(
    request: GateRequest,
    settings: Settings,
    candidate: Given,
    against: _Against,
    daily: Daily | None = None,
) -> Gated:
    """Judge one evalset."""
    baseline, required, why_not = against.baseline, against.required, against.why_not
    if candidate.missing:
        raise UsageError(
            f"{candidate.missing} cases of {candidate.evalset} are in no candidate; a partial run is not "
            "judged. Name every shard, or run the whole evalset"
        )
    defaults = settings.config.defaults
    if request.alpha is not None:
        # The command line is above the gates' own words, which `gates_asked` takes away.
        defaults = defaults.model_copy(update={"alpha": request.alpha})

    def judging(side: Side, gates: Sequence[Gate], defaults: Defaults, before: Before) -> Judgement:
        bearable = request.max_error_rate
        return judge(
            side,
            baseline.side if baseline else None,
            evalset=candidate.evalset,
            gates=gates,
            floors=candidate.floors,
            defaults=defaults,
            max_error_rate=candidate.max_error_rate if bearable is None else bearable,
            strict=settings.strict,
            baseline_required=required,
            accepts=baseline.accepts if baseline else (),
            settled=baseline.settled if baseline else (),
            user_errors=candidate.user_errors,
            why_failed=candidate.why_failed,
            not_recorded=candidate.not_recorded,
            plan=candidate.plan,
            already=before.rows,
            failed_before=before.cases,
        )

    strictly = judged_strictly(
        candidate.side,
        against.rules,
        evalset=candidate.evalset,
        gates=gates_asked(request, candidate),
        defaults=defaults,
        baseline_required=required,
        judging=judging,
        daily=daily if candidate.file else None,
    )
    judgement = with_cap(strictly.judgement, capped=candidate.capped)
    notes = [f"baseline: {why_not}"] if why_not and required else []
    standing: list[str] = []
    if baseline is not None and baseline.committed is not None:
        limit = candidate.max_age_days or defaults.baseline_max_age_days
        standing = baseline_lines(baseline.committed, settings.now or datetime.now(UTC), limit=limit)
    unlike = list(mismatches(candidate.side, baseline.side)) if baseline is not None else []
    warnings = (*candidate.notes, *(one.told for one in unlike))
    nothing = next((one.nothing for one in unlike if one.nothing), None)
    if nothing is not None and not any(v.baseline is not None for v in judgement.verdicts):
        judgement = judgement.model_copy(update={"summary": f"nothing was compared: {nothing}"})
    if judgement.status == "cannot_judge" and not candidate.file and judgement.coverage.planned:
        notes.append(_bearable(judgement))
    notes = [*warnings, *judgement.notes, *against.notes, *notes]
    judgement = judgement.model_copy(update={"notes": tuple(notes)})
    return Gated(judgement, candidate, baseline, warnings, tuple(standing), already=strictly.already)


def _bearable(judgement: Judgement) -> str:
    """Say the way out where no evalset of ours tells how many errors are bearable."""
    share = math.ceil(100 * judgement.errors_rate) / 100
    return f"mend the errors and run again; if they are known and bearable: --max-error-rate {share:g}"


def _imported(
    request: GateRequest, source: ImportRequest
) -> tuple[Given, Given, GateRequest, tuple[str, ...]]:
    """Return both sides; what ran side by side in one file is a slice that gates, unless slices are named."""
    found = import_sides(source)
    if found.variants and not request.slices:
        request = replace(request, slices=found.variants)
    return _given_import(found.baseline), _given_import(found.candidate), request, found.notes


def _given_import(one: ImportedSide) -> Given:
    return Given(one.side, one.title, samples=one.samples, cases=one.cases)


def gates_asked(request: GateRequest, candidate: Given) -> tuple[Gate, ...]:
    """Return the run's own gates, narrowed and changed by what the command line says."""
    gates = candidate.gates or tuple(_plain_gate(name) for name in candidate.side.scorers)
    if request.scorer is not None:
        if request.scorer not in candidate.side.scorers:
            known = ", ".join(sorted(candidate.side.scorers)) or "none"
            raise UsageError(f"no scorer {request.scorer!r} in the candidate; it has: {known}")
        gates = tuple(g for g in gates if g.scorer == request.scorer) or (_plain_gate(request.scorer),)
    if request.slices:
        known_dimensions = {name for row in candidate.side.rows for name in row.slices}
        unknown = [name for name in request.slices if name not in known_dimensions]
        if unknown:
            known = ", ".join(sorted(known_dimensions)) or "none"
            raise UsageError(f"no case has a slice {unknown[0]!r}; the slices are: {known}")
        gates = tuple(g.model_copy(update={"slices": request.slices}) for g in gates)
    if request.alpha is not None:
        gates = tuple(g.model_copy(update={"alpha": None}) for g in gates)
    if request.margin is not None:
        gates = tuple(g.model_copy(update={"margin": request.margin}) for g in gates)
        for one in gates:
            for message in limits_wrong(one, scale=candidate.side.scorers[one.scorer].scale).values():
                raise UsageError(f"--{message}" if message.startswith("margin") else message)
    return gates


def _plain_gate(scorer: str) -> Gate:
    """Return a gate with the default rules; other tools' scorers are not bound to our pattern of names."""
    return Gate.model_construct(scorer=scorer)
