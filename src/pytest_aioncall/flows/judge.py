"""Judge a finished run of an evalset against its baseline: the same pure function for pytest and the CLI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..adapters import git
from ..adapters.baseline_store import (
    Baseline,
    baseline_path,
    outputs_path,
    parse_baseline,
    read_baseline,
)
from ..decide.sides import Side
from ..errors import LoadError, NotComparable, UsageError
from ..model.baseline import Acceptance
from ..model.evalset import Gate
from ..model.run import RunEvalset
from ..model.verdict import Judgement
from ..settings import Settings
from .proposed import proposed
from .record import EvalsetRecord


@dataclass(frozen=True, slots=True)
class BaselineFound:
    """What there is to compare with: a baseline, or why there is none, and whether that is allowed.

    `accepts` are the regressions that a baseline accepts which is to replace this one.
    """

    baseline: Baseline | None = None
    accepts: tuple[Acceptance, ...] = ()
    why_not: str | None = None
    required: bool = False
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement and the baseline that it was made against."""

    judgement: Judgement
    found: BaselineFound


def find_baseline(evalset_file: Path, evalset: str, settings: Settings) -> BaselineFound:
    """Read the baseline of an evalset: from disk, or as it was where this branch left `baseline_ref`.

    Raises LoadError for a broken file and UsageError for a ref without a merge base.
    """
    path = baseline_path(evalset_file, evalset)
    required = settings.require_baseline
    try:
        if settings.baseline_ref is None:
            if path.is_file():
                return BaselineFound(read_baseline(path), required=required)
            return BaselineFound(why_not=f"{_shown(path, settings)} does not exist", required=required)
        base = git.merge_base(settings.root, settings.baseline_ref)
        if base is None:
            raise UsageError(
                f"no merge base with {settings.baseline_ref!r}: fetch the full history "
                "(actions/checkout with fetch-depth: 0), or name another --aioncall-baseline-ref"
            )
        text = git.file_at(settings.root, base, path)
        if text is None:
            known = git.file_at(settings.root, base, evalset_file) is not None
            return BaselineFound(
                why_not=f"{_shown(path, settings)} does not exist at {base[:7]}",
                required=required or (settings.ci and known),
            )
        outputs = git.file_at(settings.root, base, outputs_path(path)) or ""
        baseline = parse_baseline(text, outputs=outputs, path=path)
        baseline, accepts = proposed(baseline, path)
        return BaselineFound(baseline, accepts, required=required)
    except NotComparable as error:
        why = str(error).replace(str(path), _shown(path, settings))
        return BaselineFound(why_not=why, required=True, unreadable=True)
    except LoadError as error:
        shown = {str(p): _shown(p, settings) for p in (path, outputs_path(path))}
        raise LoadError(
            [replace(problem, file=shown.get(problem.file, problem.file)) for problem in error.problems]
        ) from None


def judge_record(
    planned: RunEvalset,
    record: EvalsetRecord,
    found: BaselineFound,
    settings: Settings,
    *,
    gates: Sequence[Gate] | None = None,
) -> Judged:
    """Judge all rows of a complete evalset."""
    # Needed when all has run, so it is not loaded before anything was asked.
    from ..decide.compare import judge

    judgement = judge(
        side_of_record(planned, record),
        side_of(found.baseline) if found.baseline else None,
        evalset=planned.evalset,
        gates=tuple(gates if gates is not None else planned.gates),
        floors=record.all_floors,
        defaults=settings.config.defaults,
        max_error_rate=planned.max_error_rate,
        strict=settings.strict,
        baseline_required=found.required,
        accepts=found.accepts,
        settled=found.baseline.header.accepts if found.baseline else (),
        user_errors=record.user_errors,
        not_recorded=record.not_recorded,
        plan=planned.plan,
    )
    judgement = with_cap(judgement, capped=planned.capped)
    if record.unmeasured:
        told = tuple(
            f"{name}: not measured in {answers} replayed answers; "
            "a recording has no latency and cost of its own"
            for name, answers in record.unmeasured.items()
        )
        judgement = judgement.model_copy(update={"notes": (*judgement.notes, *told)})
    if found.why_not and (found.required or found.unreadable):
        change: dict[str, Any] = {"notes": (*judgement.notes, found.why_not)}
        if found.unreadable:
            change["verdicts"] = tuple(
                v.model_copy(update={"reason": "not_comparable"}) for v in judgement.verdicts
            )
        judgement = judgement.model_copy(update=change)
    return Judged(judgement, found)


def with_cap(judgement: Judgement, *, capped: bool) -> Judgement:
    """Name the cost cap where it ended the rounds: the samples alone do not tell."""
    if judgement.rounds is None or not capped or judgement.rounds.stopped != "open":
        return judgement
    rounds = judgement.rounds.model_copy(update={"stopped": "cost_cap"})
    return judgement.model_copy(update={"rounds": rounds})


def side_of_record(planned: RunEvalset, record: EvalsetRecord) -> Side:
    """Take what a run observed as one side of a comparison."""
    return Side(
        rows=tuple(record.rows.values()),
        scorers=planned.scorers,
        output_hashes=record.hashes,
        # With adaptive epochs a case was asked for as often as it was drawn, and `min` times at least.
        planned_epochs=planned.epochs if planned.plan is None else planned.plan.min,
    )


def side_of(baseline: Baseline) -> Side:
    """Take a baseline as one side of a comparison."""
    return Side(
        rows=baseline.rows,
        scorers=baseline.header.scorers,
        output_hashes=baseline.output_hashes,
        planned_epochs=None,
    )


def _shown(path: Path, settings: Settings) -> str:
    try:
        return path.resolve().relative_to(settings.root.resolve()).as_posix()
    except ValueError:
        return str(path)
