"""The public door of the decisions: two sides and the rules in, one Judgement out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..model.baseline import Acceptance
from ..model.config import Defaults
from ..model.evalset import EpochRange, Gate
from ..model.verdict import Coverage, Floor, Judgement, RowName, RunStatus, Sight, Verdict
from . import sentences
from .exit_codes import exit_code_of
from .gatelimits import gates_or_default
from .instrument import rejudge_notes
from .metrics import metric_verdicts
from .moves import case_moves
from .powers import powers_of
from .rounds import decide_in_rounds
from .rownumbers import gate_rows, numbers_of, tables_of
from .sides import Alignment, Side, align, epochs_of, judged_of
from .sight import reconciled, sight_of
from .verdicts import RowNumbers, corrected, verdict_of

__all__ = ["Side", "judge"]


def judge(
    candidate: Side,
    baseline: Side | None,
    *,
    evalset: str,
    gates: Sequence[Gate],
    floors: Sequence[Floor] = (),
    defaults: Defaults,
    max_error_rate: float,
    strict: bool = False,
    baseline_required: bool = False,
    accepts: Sequence[Acceptance] = (),
    settled: Sequence[Acceptance] = (),
    user_errors: int = 0,
    why_failed: str = "",
    not_recorded: int = 0,
    plan: EpochRange | None = None,
    already: Collection[RowName] = (),
    failed_before: Collection[tuple[str, str]] = (),
) -> Judgement:
    """Judge one evalset.

    gates              rules; empty: one a scorer of the candidate, with the default margin
    floors             `must` and `require`, already evaluated
    max_error_rate     share of samples without a full set of scores above which nothing can be judged
    strict             inconclusive fails, whatever gates and defaults say
    baseline_required  a baseline that is missing or not comparable is exit 8
    accepts            regressions accepted by name, in a baseline that is to replace this one
    settled            those that this baseline was accepted with: they hold for minima only
    user_errors        samples in which the user's own code raised, or whose target's answer is no output
    why_failed         those in words; empty: the user's own code raised in all of them
    not_recorded       samples that replay had no recording for: no outage, which a share of could be borne,
                       but something else than what was recorded; with one of them nothing can be judged
    plan               adaptive epochs, which are judged look by look; None: all at once
    already            rows that were regressed before: they do not gate
    failed_before      (scorer, case) that failed before: they do not fail newly
    Same input, same answer, bit for bit. Raises UsageError for an unknown scorer or slice in a gate, a score
    off its scale, and a case that stands twice.
    """
    rules = gates_or_default(gates, scorers=candidate.scorers)
    # In the order of the cases: parts of a run that were put together say the same as the run.
    floors = sorted(floors, key=lambda floor: floor.case)
    aligned = align(candidate, baseline)
    coverage = _coverage(candidate, aligned, floors, with_baseline=baseline is not None)
    error_rate = coverage.errors / coverage.planned if coverage.planned else 0.0
    trusted = coverage.judged > 0 and error_rate <= max_error_rate and not not_recorded
    tables = tables_of(rules, candidate, aligned)
    rows = gate_rows(rules, tables, aligned, candidate=candidate, defaults=defaults)
    rounds = None
    if plan is not None and baseline is not None:
        decided = decide_in_rounds(
            rules,
            candidate=candidate,
            baseline=baseline,
            plan=plan,
            defaults=defaults,
            accepts=accepts,
            settled=settled,
            trusted=trusted,
        )
        numbers, verdicts, rounds = list(decided.numbers), list(decided.verdicts), decided.rounds
    else:
        numbers = [
            numbers_of(
                row, tables[row.scorer], candidate=candidate, baseline=baseline, level=rows.level_of(row)
            )
            for row in rows.rows
        ]
        verdicts = [
            verdict_of(one, adjusted, accepts=accepts, settled=settled, trusted=trusted)
            for one, adjusted in zip(numbers, corrected(numbers), strict=True)
        ]
    verdicts = [_not_blamed(one) if one.row in already else one for one in verdicts]
    powers = tuple(powers_of(rows, tables))
    moves = case_moves(list(tables.values()), aligned=aligned, before=failed_before)
    facts = _Facts(
        verdicts=verdicts,
        fail_open=[one.row.fails_open for one in numbers],
        fails_by_default=defaults.on_inconclusive == "fail",
        floors=floors,
        coverage=coverage,
        trusted=trusted,
        user_errors=user_errors,
        why_failed=why_failed,
        not_recorded=not_recorded,
        without_baseline=baseline is None,
        shares_cases=any(partner is not None for partner in aligned.partners),
        baseline_missing=baseline_required and _baseline_fails(numbers),
        max_error_rate=max_error_rate,
    )
    status = _status(facts)
    return Judgement(
        evalset=evalset,
        status=status,
        exit_code=exit_code_of(
            status=status,
            failed=status == "regressed" or user_errors > 0,
            fail_inconclusive=strict or facts.fails_inconclusive,
            baseline_missing=facts.baseline_missing,
        ),
        summary=_summary(facts, status),
        alpha=defaults.alpha,
        verdicts=tuple(verdicts),
        metrics=tuple(metric_verdicts(aligned, candidate=candidate, baseline=baseline, defaults=defaults)),
        floors=tuple(floors),
        worst=moves.worst,
        sights=tuple(reconciled(_sights(verdicts, candidate, rules, defaults=defaults), powers)),
        powers=powers,
        newly_failing=moves.newly_failing,
        newly_failing_scores=moves.newly_failing_scores,
        newly_failing_expected=moves.expected,
        coverage=coverage,
        rounds=rounds,
        errors_rate=error_rate,
        notes=(
            *rejudge_notes(
                verdicts, now=candidate.scorers, was=baseline.scorers if baseline else {}, evalset=evalset
            ),
            *_notes(facts, numbers),
        ),
    )


def _not_blamed(verdict: Verdict) -> Verdict:
    """Return a row that was regressed before as what it is, and not gating."""
    if not verdict.gating:
        return verdict
    change = {"reason": "already_on_base"} if verdict.status == "regressed" else {}
    return verdict.model_copy(update={"gating": False, **change})


def _sights(
    verdicts: Sequence[Verdict], candidate: Side, rules: Sequence[Gate], *, defaults: Defaults
) -> list[Sight]:
    """Say what the rows would see that no difference was measured in: not compared, or unchanged."""
    still = [
        (v.scorer, v.slice) for v in verdicts if v.gating and v.reason in ("unchanged", "nothing_to_compare")
    ]
    if not still:
        return []
    return [one for one in sight_of(candidate, rules, defaults) if (one.scorer, one.slice) in still]


@dataclass(frozen=True, slots=True)
class _Facts:
    verdicts: Sequence[Verdict]
    fail_open: Sequence[bool]
    fails_by_default: bool
    floors: Sequence[Floor]
    coverage: Coverage
    trusted: bool
    user_errors: int
    why_failed: str
    not_recorded: int
    without_baseline: bool
    shares_cases: bool
    baseline_missing: bool
    max_error_rate: float

    @property
    def open(self) -> list[Verdict]:
        """Return the gating rows that hold the run from a pass.

        A row that has nothing to compare with holds nothing up on a first run, or for a new scorer.
        """
        return [v for v in self.verdicts if _is_open(v)]

    @property
    def nothing_shared(self) -> str:
        """Say why there is a baseline and nothing to compare with it."""
        if self.shares_cases:
            return "the baseline has no score of any case in common"
        return "no case in common with the baseline"

    @property
    def fails_inconclusive(self) -> bool:
        """Tell whether an inconclusive run fails: its open rows' gates say so, or without any the default."""
        asked = [fails for v, fails in zip(self.verdicts, self.fail_open, strict=True) if _is_open(v)]
        if any(asked):
            return True
        undecided = any(floor.undecided for floor in self.floors)
        return self.fails_by_default and (undecided or not asked)


def _is_open(verdict: Verdict) -> bool:
    undecided = verdict.status in ("inconclusive", "too_small")
    return verdict.gating and undecided and verdict.reason != "nothing_to_compare"


def _coverage(
    candidate: Side, aligned: Alignment, floors: Sequence[Floor], *, with_baseline: bool
) -> Coverage:
    """Count samples: judged ones have an output and every score that they should have, `must` included."""
    unknown: dict[str, int] = {}
    for floor in floors:
        if floor.kind == "must" and floor.undecided:
            unknown[floor.case] = max(unknown.get(floor.case, 0), floor.epochs - floor.held)
    planned = judged = 0
    for row in candidate.rows:
        planned += candidate.planned(row)
        judged += min(judged_of(row), epochs_of(row) - unknown.get(row.case, 0))
    return Coverage(
        cases=len(candidate.rows),
        compared=sum(one is not None for one in aligned.partners) if with_baseline else None,
        planned=planned,
        judged=judged,
        errors=planned - judged,
        new=aligned.new,
        removed=aligned.removed,
        changed=aligned.changed,
    )


def _baseline_fails(numbers: Sequence[RowNumbers]) -> bool:
    """Tell whether a required baseline fails its purpose: a row not comparable, or none compared at all."""
    if any(one.comparability == "not_comparable" for one in numbers):
        return True
    return bool(numbers) and not any(one.comparison for one in numbers)


def _status(facts: _Facts) -> RunStatus:
    """Return the status: broken floors first, then the error limit, then the gating rows."""
    if any(not floor.ok for floor in facts.floors):
        return "regressed"
    if not facts.trusted:
        return "cannot_judge"
    if any(v.gating and v.status == "regressed" for v in facts.verdicts):
        return "regressed"
    if facts.user_errors:
        return "cannot_judge"
    if facts.open or facts.baseline_missing or any(floor.undecided for floor in facts.floors):
        return "inconclusive"
    if not facts.without_baseline and _lost_everything(facts):
        return "inconclusive"
    return "pass"


def _lost_everything(facts: _Facts) -> bool:
    """Tell whether there is a baseline and yet no row at all could be compared with it."""
    gating = [v for v in facts.verdicts if v.gating]
    return bool(gating) and all(v.reason == "nothing_to_compare" for v in gating)


def _summary(facts: _Facts, status: RunStatus) -> str:
    coverage = facts.coverage
    broken = [floor for floor in facts.floors if not floor.ok]
    if broken:
        return sentences.broken(broken)
    if facts.user_errors and status != "regressed":
        times = "sample" if facts.user_errors == 1 else "samples"
        why = facts.why_failed or f"the user's own code raised in {facts.user_errors} {times}"
        return f"cannot judge: {why}"
    if status == "cannot_judge":
        if not coverage.planned:
            return "cannot judge: there is no case"
        if facts.not_recorded:
            return f"cannot judge: {facts.not_recorded} of {coverage.planned} samples are not recorded"
        return (
            f"cannot judge: {coverage.errors} of {coverage.planned} samples errored "
            f"(limit {100 * facts.max_error_rate:g} %)"
        )
    if status == "regressed":
        return sentences.regressed([v for v in facts.verdicts if v.gating and v.status == "regressed"])
    if facts.baseline_missing and not any(v.reason == "not_comparable" for v in facts.open):
        if facts.without_baseline:
            return "no baseline to compare with, and one is required"
        return f"{facts.nothing_shared}, and a baseline to compare with is required"
    if facts.open:
        return sentences.undecided(facts.open)
    if any(floor.undecided for floor in facts.floors):
        count = sum(floor.undecided for floor in facts.floors)
        return f"{count} floor{'s' if count > 1 else ''} could not be decided: samples errored"
    if status == "inconclusive":
        return facts.nothing_shared
    if facts.without_baseline and all(v.reason == "nothing_to_compare" for v in facts.verdicts):
        return sentences.nothing_to_compare(facts.verdicts, coverage=coverage)
    return sentences.passed(facts.verdicts, floors=facts.floors)


def _notes(facts: _Facts, numbers: Sequence[RowNumbers]) -> list[str]:
    """Say what a reader has to know besides the rows."""
    notes = []
    for one in numbers:
        if one.comparability == "new_scorer" and one.row.slice is None:
            notes.append(f"{one.row.scorer}: new, the baseline has no scores of it")
        found = one.comparison
        if found and found.unchanged and one.row.slice is None and abs(found.difference) > 1e-12:
            moved = sentences.size(found.difference, scale=one.scale)
            notes.append(
                f"{one.row.scorer}: every output is byte-identical, yet the scores moved by {moved}: "
                "the instrument moved, not the system"
            )
    for floor in facts.floors:
        if floor.undecided:
            why = f": {floor.reason}" if floor.reason else ""
            notes.append(
                f"{floor.kind} {floor.scorer} of {floor.case} is undecided, held in {floor.held} of "
                f"{floor.epochs} epochs{why}"
            )
    if facts.coverage.errors and facts.trusted:
        notes.append(
            f"{facts.coverage.errors} of {facts.coverage.planned} samples errored; they are no scores"
        )
    return notes
