"""The public door of the decisions: two sides and the rules in, one Judgement out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..model.baseline import Acceptance, ScorerInfo
from ..model.config import Defaults
from ..model.evalset import Gate
from ..model.verdict import Coverage, Floor, Judgement, RunStatus, Sight, Verdict
from . import sentences
from .exit_codes import exit_code_of
from .gaterows import SMALLEST_SLICE, GateRow, gates_or_default, rows_of
from .metrics import metric_verdicts
from .moves import case_moves
from .rowtests import absolute_row, compare_row, level_of
from .sides import Alignment, Side, align, epochs_of, judged_of
from .sight import sight_of
from .table import ScorerTable, cluster_codes, scorer_table
from .verdicts import Comparability, RowNumbers, corrected, verdict_of

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
) -> Judgement:
    """Judge one evalset.

    gates              rules; empty: one a scorer of the candidate, with the default margin
    floors             `must` and `require`, already evaluated
    max_error_rate     share of samples without a full set of scores above which nothing can be judged
    strict             inconclusive fails
    baseline_required  a baseline that is missing or not comparable is exit 8
    accepts            regressions accepted by name, in a baseline that is to replace this one
    settled            those that this baseline was accepted with: they hold for minima only
    user_errors        samples in which the user's own code raised
    Same input, same answer, bit for bit. Raises UsageError for an unknown scorer or slice in a gate, a score
    off its scale, and a case that stands twice.
    """
    rules = gates_or_default(gates, scorers=candidate.scorers)
    aligned = align(candidate, baseline)
    coverage = _coverage(candidate, aligned, floors)
    error_rate = coverage.errors / coverage.planned if coverage.planned else 0.0
    trusted = coverage.judged > 0 and error_rate <= max_error_rate
    tables = _tables(rules, candidate, aligned)
    numbers = _numbers(rules, tables, aligned, candidate=candidate, baseline=baseline, alpha=defaults.alpha)
    verdicts = [
        verdict_of(one, adjusted, alpha=defaults.alpha, accepts=accepts, settled=settled, trusted=trusted)
        for one, adjusted in zip(numbers, corrected(numbers, alpha=defaults.alpha), strict=True)
    ]
    moves = case_moves(list(tables.values()), aligned=aligned)
    facts = _Facts(
        verdicts=verdicts,
        floors=floors,
        coverage=coverage,
        trusted=trusted,
        user_errors=user_errors,
        without_baseline=baseline is None,
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
            fail_inconclusive=strict or defaults.on_inconclusive == "fail",
            baseline_missing=facts.baseline_missing,
        ),
        summary=_summary(facts, status),
        alpha=defaults.alpha,
        verdicts=tuple(verdicts),
        metrics=tuple(metric_verdicts(aligned, candidate=candidate, baseline=baseline, defaults=defaults)),
        floors=tuple(floors),
        worst=moves.worst,
        sights=tuple(_sights(verdicts, candidate, rules, defaults=defaults)),
        newly_failing=moves.newly_failing,
        newly_failing_scores=moves.newly_failing_scores,
        newly_failing_expected=moves.expected,
        coverage=coverage,
        errors_rate=error_rate,
        notes=tuple(_notes(facts, numbers)),
    )


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
    floors: Sequence[Floor]
    coverage: Coverage
    trusted: bool
    user_errors: int
    without_baseline: bool
    baseline_missing: bool
    max_error_rate: float

    @property
    def open(self) -> list[Verdict]:
        """Return the gating rows that hold the run from a pass.

        A row that has nothing to compare with holds nothing up on a first run, or for a new scorer.
        """
        return [
            v
            for v in self.verdicts
            if v.gating and v.status in ("inconclusive", "too_small") and v.reason != "nothing_to_compare"
        ]


def _coverage(candidate: Side, aligned: Alignment, floors: Sequence[Floor]) -> Coverage:
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
        planned=planned,
        judged=judged,
        errors=planned - judged,
        new=aligned.new,
        removed=aligned.removed,
        changed=aligned.changed,
    )


def _tables(rules: Sequence[Gate], candidate: Side, aligned: Alignment) -> dict[str, ScorerTable]:
    clusters = cluster_codes(aligned)
    return {
        name: scorer_table(
            name, candidate.scorers[name], aligned=aligned, candidate=candidate, clusters=clusters
        )
        for name in dict.fromkeys(gate.scorer for gate in rules)
    }


def _numbers(
    rules: Sequence[Gate],
    tables: Mapping[str, ScorerTable],
    aligned: Alignment,
    *,
    candidate: Side,
    baseline: Side | None,
    alpha: float,
) -> list[RowNumbers]:
    """Compute every row once; where two gates name the same row the first one's margin holds."""
    rows: dict[tuple[str, tuple[tuple[str, str], ...]], GateRow] = {}
    for gate in rules:
        scale = candidate.scorers[gate.scorer].scale
        for row in rows_of(gate, scale=scale, table=tables[gate.scorer], rows=aligned.rows):
            rows.setdefault((row.scorer, tuple((row.slice or {}).items())), row)
    sliced = sum(row.slice is not None and row.members.size >= SMALLEST_SLICE for row in rows.values())
    overall = len(rows) - sum(row.slice is not None for row in rows.values())
    found = []
    for row in rows.values():
        table, info = tables[row.scorer], candidate.scorers[row.scorer]
        level = level_of(alpha=alpha, overall=overall, sliced=sliced, is_slice=row.slice is not None)
        comparability = _comparability(row.scorer, info, baseline)
        found.append(
            RowNumbers(
                row=row,
                scale=info.scale,
                comparability=comparability,
                comparison=compare_row(row, table, level=level) if comparability == "yes" else None,
                absolute=absolute_row(row, table, level=level),
                size=_size(row, table, comparability),
                planned=int(table.planned[row.members].sum()),
                judged=int(np.sum(~np.isnan(table.after[row.members]))),
            )
        )
    return found


def _size(row: GateRow, table: ScorerTable, comparability: Comparability) -> int:
    """Count the cases that a row could speak from if no candidate sample had errored."""
    if comparability != "yes":
        return int(row.members.size)
    return int(np.count_nonzero(table.judged_before[row.members]))


def _comparability(scorer: str, info: ScorerInfo, baseline: Side | None) -> Comparability:
    """Tell whether both sides were measured with the same instrument.

    Two known hashes have to agree; where one is unknown (flat scores) kind and scale have to, and a kind that
    nobody told ("" or "flat") is taken on trust. Scales have to agree always.
    """
    if baseline is None:
        return "no_baseline"
    other = baseline.scorers.get(scorer)
    if other is None:
        return "new_scorer"
    if tuple(info.scale) != tuple(other.scale):
        return "not_comparable"
    if info.hash and other.hash:
        return "yes" if info.hash == other.hash else "not_comparable"
    untold = {"", "flat"}
    return "yes" if info.kind == other.kind or untold & {info.kind, other.kind} else "not_comparable"


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
        return f"cannot judge: the user's own code raised in {facts.user_errors} {times}"
    if status == "cannot_judge":
        if not coverage.planned:
            return "cannot judge: there is no case"
        return (
            f"cannot judge: {coverage.errors} of {coverage.planned} samples errored "
            f"(limit {100 * facts.max_error_rate:g} %)"
        )
    if status == "regressed":
        return sentences.regressed([v for v in facts.verdicts if v.gating and v.status == "regressed"])
    if facts.baseline_missing and not any(v.reason == "not_comparable" for v in facts.open):
        return "no baseline to compare with, and one is required"
    if facts.open:
        return sentences.undecided(facts.open)
    if any(floor.undecided for floor in facts.floors):
        count = sum(floor.undecided for floor in facts.floors)
        return f"{count} floor{'s' if count > 1 else ''} could not be decided: samples errored"
    if status == "inconclusive":
        return "no case in common with the baseline"
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
