"""Judge a finished run of an evalset against its baseline: the same pure function for pytest and the CLI."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from ..adapters.files import text_or_none
from ..decide.excused import Before
from ..decide.sides import Side
from ..errors import LoadError, NotComparable
from ..model.baseline import Acceptance, CaseRow
from ..model.config import Defaults
from ..model.evalset import Gate
from ..model.report import AlreadyRegressed, ProposedBaseline
from ..model.run import RunEvalset
from ..model.verdict import Judgement
from ..settings import Settings
from .baserules import BaseRules
from .bases import base_of
from .daily import Daily
from .prepare import Prepared
from .proposed import proposal_of, proposed
from .record import EvalsetRecord


@dataclass(frozen=True, slots=True)
class BaselineFound:
    """What there is to compare with: a baseline, or why there is none, and whether that is allowed.

    `accepts` are the regressions that a baseline accepts which is to replace this one, the `proposal`.
    """

    baseline: Baseline | None = None
    accepts: tuple[Acceptance, ...] = ()
    proposal: ProposedBaseline | None = None
    why_not: str | None = None
    required: bool = False
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement, the baseline that it was made against, and the rows that were red before this change."""

    judgement: Judgement
    found: BaselineFound
    already: tuple[AlreadyRegressed, ...] = ()


def find_baseline(
    evalset_file: Path,
    evalset: str,
    settings: Settings,
    *,
    rules: BaseRules | None = None,
    prepared: Callable[[], Prepared] | None = None,
) -> BaselineFound:
    """Read the baseline of an evalset: from disk, or as it was where this branch left `baseline_ref`.

    `rules` know under which name and where the base had the evalset. By what `prepared` returns, scores that
    this branch brings for the base's answers are given anew, and refused where they differ. Raises LoadError
    for a broken file and UsageError for a ref without a merge base.
    """
    path = baseline_path(evalset_file, evalset)
    required = settings.require_baseline
    try:
        if settings.baseline_ref is None:
            if path.is_file():
                return BaselineFound(read_baseline(path), required=required)
            return BaselineFound(why_not=f"{_shown(path, settings)} does not exist", required=required)
        return _found_at_base(path, evalset_file, settings, rules, prepared)
    except NotComparable as error:
        why = str(error).replace(str(path), _shown(path, settings))
        return BaselineFound(why_not=why, required=True, unreadable=True)
    except LoadError as error:
        shown = {str(p): _shown(p, settings) for p in (path, outputs_path(path))}
        raise LoadError(
            [replace(problem, file=shown.get(problem.file, problem.file)) for problem in error.problems]
        ) from None


def _found_at_base(
    path: Path,
    evalset_file: Path,
    settings: Settings,
    rules: BaseRules | None,
    prepared: Callable[[], Prepared] | None,
) -> BaselineFound:
    """Read the baseline at the merge base; a required one has to be there where the evalset is, in CI."""
    ref = settings.baseline_ref or ""
    base = rules.commit if rules else base_of(settings.root, ref, option="--aioncall-baseline-ref")
    there = (rules.baseline(settings.root) if rules else None) or path
    text = git.file_at(settings.root, base, there)
    if text is not None and text == text_or_none(path):
        # Most branches leave it alone, and a large one is read once.
        outputs = git.file_at(settings.root, base, outputs_path(there)) or ""
        baseline = parse_baseline(text, outputs=outputs, path=path)
        return BaselineFound(baseline, required=settings.require_baseline or settings.ci)
    owner = git.code_owner(settings.root, _shown(path, settings)) or ""
    if text is None:
        known = bool(rules and rules.file) or git.file_at(settings.root, base, evalset_file) is not None
        return BaselineFound(
            why_not=f"{_shown(there, settings)} does not exist at {base[:7]}",
            required=settings.require_baseline or (settings.ci and known),
            proposal=proposal_of(None, path, file=_shown(path, settings), owner=owner),
        )
    outputs = git.file_at(settings.root, base, outputs_path(there)) or ""
    was = parse_baseline(text, outputs=outputs, path=there)
    baseline, accepts = proposed(was, path)
    edited = ""
    if baseline is not was and prepared is not None:
        # Most branches bring no scores, and nothing that scores is loaded for them.
        from .rescored import edited_scores

        edited = edited_scores(was, baseline, prepared())
    return BaselineFound(
        was if edited else baseline,
        accepts,
        why_not=f"{_shown(path, settings)}: {edited}" if edited else None,
        required=settings.require_baseline or settings.ci or bool(edited),
        proposal=proposal_of(was, path, file=_shown(path, settings), owner=owner),
    )


def judge_record(
    planned: RunEvalset,
    record: EvalsetRecord,
    found: BaselineFound,
    settings: Settings,
    *,
    gates: Sequence[Gate] | None = None,
    rules: BaseRules | None = None,
    daily: Daily | None = None,
) -> Judged:
    """Judge all rows of a complete evalset; with `rules` by those of the merge base, too.

    Rows that are red in the base's `daily` runs already do not gate.
    """
    # Needed when all has run, so it is not loaded before anything was asked.
    from ..decide.compare import judge
    from .strictly import judged_strictly

    def judging(side: Side, gates: Sequence[Gate], defaults: Defaults, before: Before) -> Judgement:
        return judge(
            side,
            side_of(found.baseline) if found.baseline else None,
            evalset=planned.evalset,
            gates=gates,
            floors=record.all_floors,
            defaults=defaults,
            max_error_rate=planned.max_error_rate,
            strict=settings.strict,
            baseline_required=found.required,
            accepts=found.accepts,
            settled=found.baseline.header.accepts if found.baseline else (),
            user_errors=record.user_errors,
            why_failed=record.why_failed,
            not_recorded=record.not_recorded,
            plan=planned.plan,
            already=before.rows,
            failed_before=before.cases,
        )

    strictly = judged_strictly(
        side_of_record(planned, record),
        rules,
        evalset=planned.evalset,
        gates=tuple(gates if gates is not None else planned.gates),
        defaults=settings.config.defaults,
        baseline_required=found.required,
        judging=judging,
        daily=daily,
    )
    judgement = with_cap(strictly.judgement, capped=planned.capped)
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
    return Judged(judgement, found, strictly.already)


def with_cap(judgement: Judgement, *, capped: bool) -> Judgement:
    """Name the cost cap where it ended the rounds: the samples alone do not tell."""
    if judgement.rounds is None or not capped or judgement.rounds.stopped != "open":
        return judgement
    rounds = judgement.rounds.model_copy(update={"stopped": "cost_cap"})
    return judgement.model_copy(update={"rounds": rounds})


def side_of_record(planned: RunEvalset, record: EvalsetRecord) -> Side:
    """Take what a run observed as one side of a comparison."""
    return Side(
        rows=tuple(rows_compared(planned, record).values()),
        scorers=planned.scorers,
        output_hashes=record.hashes,
        # With adaptive epochs a case was asked for as often as it was drawn, and `min` times at least.
        planned_epochs=planned.epochs if planned.plan is None else planned.plan.min,
    )


def rows_compared(planned: RunEvalset, record: EvalsetRecord) -> Mapping[str, CaseRow]:
    """Return the rows by case, under the digests that they are compared by."""
    if not planned.compared_as:
        return record.rows
    digests = planned.compared_as
    return {
        case: row.model_copy(update={"digest": digests[case]}) if case in digests else row
        for case, row in record.rows.items()
    }


def side_of(baseline: Baseline) -> Side:
    """Take a baseline as one side of a comparison."""
    return Side(
        rows=baseline.rows,
        scorers=baseline.header.scorers,
        output_hashes=baseline.output_hashes,
        planned_epochs=None,
    )


def _shown(path: Path, settings: Settings) -> str:
    # As it is written: a link's own name is what a change has, and what has an owner.
    for shown, root in ((path, settings.root), (path.parent.resolve() / path.name, settings.root.resolve())):
        if shown.is_relative_to(root):
            return shown.relative_to(root).as_posix()
    return str(path)
