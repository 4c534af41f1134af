"""Judge one evalset by its merge base's gates and by its own, and blame a change for its own doing only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..decide.gatelimits import gates_or_default
from ..decide.sides import Side
from ..decide.stricter import asked_rules, base_side, judgeable, stricter_of, with_lost
from ..model.config import Defaults
from ..model.evalset import Gate
from ..model.report import AlreadyRegressed
from ..model.verdict import Judgement, RowName
from .baserules import BaseRules
from .daily import Daily


class Judging(Protocol):
    """Judges a side by gates and defaults, with one and the same baseline; rows in `already` do not gate."""

    def __call__(
        self, side: Side, gates: Sequence[Gate], defaults: Defaults, already: Collection[RowName], /
    ) -> Judgement: ...


@dataclass(frozen=True, slots=True)
class Strictly:
    """A judgement, and the rows that were red before this change."""

    judgement: Judgement
    already: tuple[AlreadyRegressed, ...] = ()


def judged_strictly(
    candidate: Side,
    rules: BaseRules | None,
    *,
    evalset: str,
    gates: Sequence[Gate],
    defaults: Defaults,
    baseline_required: bool,
    judging: Judging,
    daily: Daily | None = None,
) -> Strictly:
    """Judge a candidate by `gates`; where there is a merge base by its gates, too: the stricter holds.

    Where the base's daily runs are known, rows that were red there already stop gating.
    """

    def judged(already: Collection[RowName]) -> Judgement:
        return _by_both(
            candidate,
            rules,
            gates=gates,
            defaults=defaults,
            baseline_required=baseline_required,
            judging=judging,
            already=already,
        )

    judgement = judged(())
    if daily is None or not any(v.gating and v.status == "regressed" for v in judgement.verdicts):
        return Strictly(judgement)
    blame = daily.blame(judgement, candidate, evalset=evalset, defaults=defaults)
    if blame.already:
        judgement = judged(blame.rows)
    if blame.notes:
        judgement = judgement.model_copy(update={"notes": (*judgement.notes, *blame.notes)})
    return Strictly(judgement, blame.already)


def _by_both(
    candidate: Side,
    rules: BaseRules | None,
    *,
    gates: Sequence[Gate],
    defaults: Defaults,
    baseline_required: bool,
    judging: Judging,
    already: Collection[RowName],
) -> Judgement:
    rules_of_head = gates_or_default(gates, scorers=candidate.scorers)
    head = judging(candidate, rules_of_head, defaults, already)
    if rules is None or rules.evalset is None:
        return head
    scorers = candidate.scorers
    side = base_side(candidate, rules.cases)
    asked = judgeable(rules.gates, side)
    mine = asked_rules(rules_of_head, defaults, scorers=scorers)
    theirs = asked_rules(asked.gates, rules.defaults, scorers=scorers)
    found = head
    if asked.gates and (side is not candidate or mine != theirs):
        base = judging(side, asked.gates, rules.defaults, already)
        found = stricter_of(head, base, head_rules=mine, base_rules=theirs)
    if asked.notes:
        found = found.model_copy(update={"notes": (*found.notes, *asked.notes)})
    return with_lost(found, asked.lost, baseline_required=baseline_required)


def rounds_asked(candidate: Side, rules: BaseRules | None) -> list[tuple[Side, Sequence[Gate], Defaults]]:
    """Return by what else than the branch's gates further epochs are asked for: the base's gates."""
    if rules is None or rules.evalset is None:
        return []
    side = base_side(candidate, rules.cases)
    asked = judgeable(rules.gates, side)
    return [(side, asked.gates, rules.defaults)] if asked.gates else []
