"""`aioncall gate`: judge baselines, run folders and anybody's flat scores by the rules of pytest's gate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from ..adapters.baseline_store import Baseline, is_baseline, read_baseline
from ..adapters.flat_scores import read_flat_scores
from ..adapters.run_store import RUN_FILE
from ..decide.compare import Side, judge
from ..decide.gaterows import limits_wrong
from ..errors import UsageError
from ..model.baseline import Acceptance, CaseRow, ScorerInfo
from ..model.evalset import Case, EpochRange, Gate
from ..model.run import Run
from ..model.sample import Sample
from ..model.verdict import Floor, Judgement
from ..settings import Settings
from .imports import ImportedSide, ImportRequest, import_sides
from .judge import find_baseline, side_of, side_of_record, with_cap
from .mismatch import mismatches
from .record import EvalsetRecord
from .runs import evalset_of, load_run, record_of, samples_by_case
from .standing import baseline_lines


@dataclass(frozen=True, slots=True)
class Given:
    """One side as it was given: what to compare, and for a run how to judge it."""

    side: Side
    evalset: str
    gates: tuple[Gate, ...] = ()
    floors: tuple[Floor, ...] = ()
    max_error_rate: float = 0.02
    file: str = ""
    user_errors: int = 0
    accepts: tuple[Acceptance, ...] = ()
    settled: tuple[Acceptance, ...] = ()
    missing: int = 0
    committed: Baseline | None = None
    max_age_days: int | None = None
    plan: EpochRange | None = None
    capped: bool = False
    samples: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    cases: tuple[Case, ...] = ()
    runs: tuple[Run, ...] = ()


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
    old, and what is wrong with it.
    """

    judgement: Judgement
    candidate: Given
    baseline: Given | None
    warnings: tuple[str, ...] = ()
    standing: tuple[str, ...] = ()


def gate(request: GateRequest, settings: Settings) -> Judgement:
    """Judge the candidates (several are shards of one run) against the baseline."""
    return gated(request, settings).judgement


def gated(request: GateRequest, settings: Settings) -> Gated:
    """Judge as `gate` does; return the sides, too, for a report. Warnings stand in the notes as well."""
    baseline: Given | None = None
    required, why_not = settings.require_baseline, None
    told: tuple[str, ...] = ()
    if request.imported is not None:
        # Who names both sides wants them compared: green without a comparison would be a lie.
        required = True
        baseline, candidate, request, told = _imported(request, request.imported)
    else:
        candidate = _merged([given_side(name, request.evalset, settings) for name in request.candidates])
    if baseline is not None:
        pass
    elif request.baseline is not None:
        baseline = given_side(
            request.baseline, request.evalset or (candidate.evalset if candidate.file else None), settings
        )
    elif candidate.file:
        found = find_baseline(settings.root / candidate.file, candidate.evalset, settings)
        required, why_not = found.required, found.why_not
        if found.baseline is not None:
            header = found.baseline.header
            baseline = Given(
                side_of(found.baseline),
                header.evalset,
                accepts=found.accepts,
                settled=header.accepts,
                committed=found.baseline,
            )
    if candidate.missing:
        raise UsageError(
            f"{candidate.missing} cases of {candidate.evalset} are in no candidate; a partial run is not "
            "judged. Name every shard, or run the whole evalset"
        )
    defaults = settings.config.defaults
    if request.alpha is not None:
        # The command line is above the gates' own words, which `gates_asked` takes away.
        defaults = defaults.model_copy(update={"alpha": request.alpha})
    judgement = judge(
        candidate.side,
        baseline.side if baseline else None,
        evalset=candidate.evalset,
        gates=gates_asked(request, candidate),
        floors=candidate.floors,
        defaults=defaults,
        max_error_rate=candidate.max_error_rate if request.max_error_rate is None else request.max_error_rate,
        strict=settings.strict,
        baseline_required=required,
        accepts=baseline.accepts if baseline else (),
        settled=baseline.settled if baseline else (),
        user_errors=candidate.user_errors,
        plan=candidate.plan,
    )
    judgement = with_cap(judgement, capped=candidate.capped)
    notes = [f"baseline: {why_not}"] if why_not and required else []
    standing: list[str] = []
    if baseline is not None and baseline.committed is not None:
        limit = candidate.max_age_days or defaults.baseline_max_age_days
        standing = baseline_lines(baseline.committed, settings.now or datetime.now(UTC), limit=limit)
    unlike = list(mismatches(candidate.side, baseline.side)) if baseline is not None else []
    warnings = tuple(one.told for one in unlike)
    nothing = next((one.nothing for one in unlike if one.nothing), None)
    if nothing is not None and not any(v.baseline is not None for v in judgement.verdicts):
        judgement = judgement.model_copy(update={"summary": f"nothing was compared: {nothing}"})
    if judgement.status == "cannot_judge" and not candidate.file and judgement.coverage.planned:
        notes.append(_bearable(judgement))
    notes = [*warnings, *judgement.notes, *told, *notes]
    judgement = judgement.model_copy(update={"notes": tuple(notes)})
    return Gated(judgement, candidate, baseline, warnings, tuple(standing))


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


def given_side(name: str, evalset: str | None, settings: Settings) -> Given:
    path = Path(name)
    if path.is_file() and path.name != RUN_FILE:
        return _given_file(path, evalset)
    folder, run = load_run(str(path.parent) if path.name == RUN_FILE else name, settings)
    planned = evalset_of(run, evalset)
    samples = samples_by_case(folder, planned)
    record: EvalsetRecord = record_of(planned, samples)
    return Given(
        side_of_record(planned, record),
        planned.evalset,
        gates=planned.gates,
        floors=planned.floors,
        max_error_rate=planned.max_error_rate,
        file=planned.file,
        user_errors=record.user_errors,
        missing=planned.cases - len(record.rows),
        max_age_days=planned.baseline_max_age_days,
        plan=planned.plan,
        capped=planned.capped,
        samples=samples,
        runs=(run,),
    )


def _given_file(path: Path, evalset: str | None) -> Given:
    if is_baseline(path):
        baseline = read_baseline(path)
        header = baseline.header
        return Given(side_of(baseline), header.evalset, settled=header.accepts, committed=baseline)
    scorers, rows = read_flat_scores(path, evalset=evalset)
    return Given(Side(rows=rows, scorers=scorers, output_hashes={}), evalset or path.stem)


def _merged(shards: Sequence[Given]) -> Given:
    """Join shards of one run; a case that stands in two of them is refused by name."""
    if len(shards) == 1:
        return shards[0]
    first = shards[0]
    rows: dict[str, CaseRow] = {}
    scorers: dict[str, ScorerInfo] = {}
    for shard in shards:
        if shard.evalset != first.evalset and first.file:
            raise UsageError(f"shards of {first.evalset} and {shard.evalset}: judge one evalset at a time")
        for row in shard.side.rows:
            if row.case in rows:
                raise UsageError(f"case {row.case!r} stands in two candidates; shards do not overlap")
            rows[row.case] = row
        for name, info in shard.side.scorers.items():
            if scorers.setdefault(name, info) != info:
                raise UsageError(f"scorer {name!r} differs between candidates; they are not one run")
    hashes = {case: h for shard in shards for case, h in shard.side.output_hashes.items()}
    planned = max(shard.missing + len(shard.side.rows) for shard in shards)
    return Given(
        Side(tuple(rows.values()), scorers, hashes, first.side.planned_epochs),
        first.evalset,
        gates=first.gates,
        floors=tuple(floor for shard in shards for floor in shard.floors),
        max_error_rate=first.max_error_rate,
        file=first.file,
        user_errors=sum(shard.user_errors for shard in shards),
        missing=max(0, planned - len(rows)),
        plan=first.plan,
        capped=any(shard.capped for shard in shards),
        samples={case: found for shard in shards for case, found in shard.samples.items()},
        runs=tuple(run for shard in shards for run in shard.runs),
    )
