"""What a run asks of its cases where a branch asks less than its merge base: the stricter of both.

Only what can be asked of the same answers is put back: a `must` or `require` of a case whose input is the
same, a scorer that was taken out, epochs, the error limit. A case that is gone or asks something else cannot
be put back; it is told of (`decide/weakenings.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..model.evalset import Case, EpochRange, Evalset, ScorerSpec
from ..model.frozen import canonical_json
from .weakercases import as_strict
from .weakerconfig import epoch_limits


@dataclass(frozen=True, slots=True)
class Stricter:
    """The evalset to run, and the scorers beside it that the branch has taken out.

    `compared_as` has the base's digests of cases that differ in their floors alone.
    """

    evalset: Evalset
    restored: tuple[ScorerSpec, ...] = ()
    compared_as: Mapping[str, str] = field(default_factory=dict)


def stricter_evalset(
    head: Evalset, base: Evalset, *, head_epochs: int | EpochRange, base_epochs: int | EpochRange
) -> Stricter:
    """Return the branch's evalset with what the base asks more strictly.

    *_epochs  how often each side draws a case, configurations included
    """
    change: dict[str, Any] = {}
    (least, most), (base_least, base_most) = epoch_limits(head_epochs), epoch_limits(base_epochs)
    if base_least > least or base_most > most:
        low, high = max(least, base_least), max(most, base_most)
        change["epochs"] = low if low == high else EpochRange(min=low, max=high)
    errors = head.errors.model_copy(
        update={
            "max_rate": min(head.errors.max_rate, base.errors.max_rate),
            "transport": tuple(one for one in head.errors.transport if one in base.errors.transport),
        }
    )
    if errors != head.errors:
        change["errors"] = errors
    days = [d for d in (head.baseline_max_age_days, base.baseline_max_age_days) if d is not None]
    if days and min(days) != head.baseline_max_age_days:
        change["baseline_max_age_days"] = min(days)
    restored = _restored(head, base)
    known = {spec.name for spec in (*head.scorers, *restored)}
    before = {case.id: case for case in base.cases}
    cases = tuple(
        _stricter_case(case, before[case.id], known=known) if case.id in before else case
        for case in head.cases
    )
    if any(new is not old for new, old in zip(cases, head.cases, strict=True)):
        change["cases"] = cases
    same = {
        case.id: before[case.id].digest
        for case in head.cases
        if case.id in before and _differs_in_floors(case, before[case.id])
    }
    return Stricter(head.model_copy(update=change) if change else head, restored, same)


def _restored(head: Evalset, base: Evalset) -> tuple[ScorerSpec, ...]:
    """Return the base's scorers that the branch has no more, and whose names it uses for nothing else."""
    taken = {spec.name for spec in head.scorers}
    taken |= {spec.name for case in head.cases for spec in case.scorers}
    gated = {gate.scorer for gate in base.gates} or {spec.name for spec in base.scorers}
    required = {rule.scorer for case in base.cases for rule in case.require}
    return tuple(spec for spec in base.scorers if spec.name not in taken and spec.name in gated | required)


def _stricter_case(head: Case, base: Case, *, known: set[str]) -> Case:
    """Return a case with the floors of its old version that it has no more; the same object without any.

    Its digest stays the one of the case as it is written: what is put back is for one run.
    """
    if head.digest == base.digest or canonical_json(head.input) != canonical_json(base.input):
        return head
    change: dict[str, Any] = {}
    contents = {canonical_json(spec.content()) for spec in head.must}
    if any(canonical_json(spec.content()) not in contents for spec in base.must):
        kept = {canonical_json(spec.content()) for spec in base.must}
        change["must"] = (*base.must, *(s for s in head.must if canonical_json(s.content()) not in kept))
    names = known | {spec.name for spec in (*head.scorers, *change.get("must", head.must))}
    lost = [
        rule
        for rule in base.require
        if rule.scorer in names and not any(as_strict(rule, new) for new in head.require)
    ]
    if lost:
        own = [rule for rule in head.require if not any(as_strict(rule, one) for one in base.require)]
        change["require"] = (*(r for r in base.require if r.scorer in names), *own)
    if not change:
        return head
    case = head.model_copy(update=change)
    vars(case)["digest"] = head.digest
    return case


def _differs_in_floors(head: Case, base: Case) -> bool:
    """Tell whether two versions of a case ask the same and have other floors.

    Floors are no part of what the scorers measure, and a floor that is added to a case that fell must not
    take it out of the comparison.
    """
    return head.digest != base.digest and _question(head) == _question(base)


def _question(case: Case) -> str:
    """Return what target and scorers see of a case, floors left out."""
    own = [[spec.name, spec.content()] for spec in case.scorers]
    return canonical_json([case.input, case.expected, own])
