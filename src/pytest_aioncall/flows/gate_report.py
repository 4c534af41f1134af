"""The page of `aioncall gate --report DIR`: for any two sides the same page that a run of pytest gets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..adapters.baseline_store import Baseline, outputs_text
from ..adapters.evalset_files import load_evalset
from ..decide.exit_codes import run_exit_code, run_status
from ..errors import LoadError
from ..model.baseline import BaselineHeader, CaseRow, StoredOutput
from ..model.evalset import Case
from ..model.report import EvalsetReport, Report
from ..model.run import Run, RunEvalset, Totals
from ..model.sample import Sample, Score
from ..settings import Settings
from .gating import Gated
from .givens import Given
from .record import EvalsetRecord, age_days, rfc3339
from .report import write_report
from .report_cases import case_views, chosen_cases


def write_gate_report(
    found: Sequence[Gated],
    folder: Path,
    settings: Settings,
    *,
    compared: Sequence[tuple[str, str]],
    limited: Run | None = None,
) -> Path:
    """Write `report.json` and `report.html` of judgements, one an evalset; return the page's path.

    compared  baseline and candidate of each as the command line names them, for the page to say what it shows
    limited   the run, where it was limited to what a change can affect: what it left out is shown, too
    """
    now = settings.now or datetime.now(UTC)
    evalsets = [
        _evalset_report(one, settings, now, compared_with=names[0])
        for one, names in zip(found, compared, strict=True)
    ]
    judgements = [one.judgement for one in found]
    if limited is not None and not found:
        run = limited
    else:
        run = _run(found, [one.planned for one in evalsets], name=compared[0][1], now=rfc3339(now))
    report = Report(
        run=run,
        status=run_status(judgements) if judgements else "unaffected",
        exit_code=run_exit_code(judgements),
        generated_at=rfc3339(now),
        evalsets=(*evalsets, *_left_out(limited)),
        workflow_run=settings.github.run_id,
    )
    return write_report(report, folder)


def _left_out(limited: Run | None) -> list[EvalsetReport]:
    """Return what there is to say of the evalsets that a change cannot affect."""
    if limited is None or limited.change is None:
        return []
    since = f"since {limited.change.ref}@{limited.change.commit[:7]}"
    return [
        EvalsetReport(
            planned=RunEvalset(evalset=one.evalset, file=one.file, owner=one.owner, cases=one.cases),
            not_judged_because=f"unaffected by this change ({since}), $0",
            unaffected=True,
        )
        for one in limited.change.unaffected
    ]


def _evalset_report(gated: Gated, settings: Settings, now: datetime, *, compared_with: str) -> EvalsetReport:
    candidate, judgement = gated.candidate, gated.judgement
    baseline = _baseline(gated.baseline, compared_with) if gated.baseline is not None else None
    record = EvalsetRecord(rows={row.case: row for row in candidate.side.rows})
    for floor in candidate.floors:
        record.floors[floor.case] = (*record.floors.get(floor.case, ()), floor)
    samples = _samples_of(candidate)
    cases = candidate.cases or _cases(candidate, settings.root)
    chosen = chosen_cases(cases, record, baseline=baseline, judgement=judgement)
    planned = _planned(candidate, samples)
    header = baseline.header if baseline else None
    known = bool(header and header.accepted_at)
    return EvalsetReport(
        planned=planned,
        description=f"compared with {compared_with}" if baseline else "",
        judgement=judgement,
        baseline=header,
        baseline_age_days=age_days(header.accepted_at, now) if header and known else None,
        review=gated.review,
        already=gated.already,
        cases=case_views(chosen, record, samples=samples, baseline=baseline, file=planned.file),
    )


def _run(found: Sequence[Gated], evalsets: Sequence[RunEvalset], *, name: str, now: str) -> Run:
    """Return the run as its folder tells it, its shards as one; of a file only its name is known."""
    coverages = [one.judgement.coverage for one in found]
    totals = Totals(
        planned=sum(one.planned for one in coverages),
        judged=sum(one.judged for one in coverages),
        errors=sum(one.errors for one in coverages),
        cost_usd=_cost([_samples_of(one.candidate) for one in found]),
    )
    runs = found[0].candidate.runs
    if not runs:
        return Run(id=name, evalsets=tuple(evalsets), created_at=now, complete=True, totals=totals)
    run = runs[0]
    if len(run.evalsets) == len(evalsets):
        # The totals of a run of several evalsets tell nothing of one of them.
        known = run.totals
        totals = totals.model_copy(
            update={
                "retries": known.retries,
                "replayed": known.replayed,
                "cost_usd": known.cost_usd,
                "wall_s": known.wall_s,
            }
        )
    return run.model_copy(update={"evalsets": tuple(evalsets), "totals": totals})


def _planned(candidate: Given, samples: Mapping[str, Sequence[Sample]]) -> RunEvalset:
    """Return what was planned: as `run.json` says it, else what the scores themselves show."""
    told = [one for run in candidate.runs for one in run.evalsets if one.evalset == candidate.evalset]
    if told:
        return told[0].model_copy(
            update={"cases": len(candidate.side.rows), "floors": candidate.floors, "complete": True}
        )
    epochs = max((len(found) for found in samples.values()), default=1)
    return RunEvalset(
        evalset=candidate.evalset,
        file=candidate.file,
        epochs=max(1, epochs),
        cases=len(candidate.side.rows),
        complete=True,
        max_error_rate=candidate.max_error_rate,
        scorers=dict(candidate.side.scorers),
        floors=candidate.floors,
    )


def _cases(candidate: Given, root: Path) -> tuple[Case, ...]:
    """Return the cases with what they ask, where the evalset's file still has them as they were run."""
    known: dict[str, Case] = {}
    if candidate.runs and candidate.file:
        try:
            known = {case.id: case for case in load_evalset(root / candidate.file, root=root).cases}
        except (LoadError, OSError):
            known = {}
    rows = candidate.side.rows
    return tuple(
        known[row.case] if row.case in known and known[row.case].digest == row.digest else _case_of(row)
        for row in rows
    )


def _cost(sides: Sequence[Mapping[str, Sequence[Sample]]]) -> float | None:
    """Return what all samples cost; None where the price of one is unknown."""
    samples = [s for side in sides for found in side.values() for s in found]
    costs = [s.output.cost_usd if s.output else None for s in samples]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known and len(known) == len(costs) else None


def _samples_of(side: Given) -> Mapping[str, Sequence[Sample]]:
    """Return the samples of a side; of flat scores and baselines the scores alone are known."""
    return side.samples or {row.case: _samples_of_row(row, side) for row in side.side.rows}


def _samples_of_row(row: CaseRow, side: Given) -> list[Sample]:
    epochs = max((len(values) for values in row.scores.values()), default=0)
    return [
        Sample(
            evalset=side.evalset,
            case=row.case,
            digest=row.digest,
            epoch=epoch,
            scores=tuple(
                _score(name, values[epoch], side)
                for name, values in row.scores.items()
                if epoch < len(values)
            ),
        )
        for epoch in range(epochs)
    ]


def _score(name: str, value: float | None, side: Given) -> Score:
    scale = side.side.scorers[name].scale
    if value is None:
        return Score(scorer=name, scale=scale, error="no score in the file")
    return Score(scorer=name, scale=scale, value=value)


def _case_of(row: CaseRow) -> Case:
    return Case.model_construct(id=row.case, input=None, slices=row.slices, cluster=row.cluster)


def _baseline(side: Given, name: str) -> Baseline:
    """Return the baseline side as the page's cases are made from it: rows, and the outputs that are known."""
    if side.committed is not None:
        return side.committed
    texts = [
        StoredOutput(
            case=sample.case,
            epoch=sample.epoch,
            text=sample.output.text,
            sha256=hashlib.sha256(sample.output.text.encode("utf-8", "surrogatepass")).hexdigest(),
        )
        for found in side.samples.values()
        for sample in found
        if sample.output is not None
    ]
    header = BaselineHeader(
        evalset=side.evalset,
        accepted_by="nobody: a file, as it is",
        accepted_at="",
        reason="",
        run=name,
        scorers=dict(side.side.scorers),
    )
    return Baseline(header, side.side.rows, side.side.output_hashes, Path(name), outputs_text(texts))
