"""Judge one evalset by its merge base's gates and by its own: the stricter answer of each row holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..decide.gatelimits import gates_or_default
from ..decide.sides import Side
from ..decide.stricter import asked_rules, base_side, judgeable, stricter_of, with_lost
from ..model.config import Defaults
from ..model.evalset import Gate
from ..model.verdict import Judgement
from .baserules import BaseRules

Judging = Callable[[Side, Sequence[Gate], Defaults], Judgement]


def judged_strictly(
    candidate: Side,
    rules: BaseRules | None,
    *,
    gates: Sequence[Gate],
    defaults: Defaults,
    baseline_required: bool,
    judging: Judging,
) -> Judgement:
    """Judge a candidate by `gates`, and where there is a merge base by its gates, too.

    judging  judges a side by gates and defaults; both times with the same baseline
    """
    rules_of_head = gates_or_default(gates, scorers=candidate.scorers)
    head = judging(candidate, rules_of_head, defaults)
    if rules is None or rules.evalset is None:
        return head
    scorers = candidate.scorers
    side = base_side(candidate, rules.cases)
    asked = judgeable(rules.gates, side)
    mine = asked_rules(rules_of_head, defaults, scorers=scorers)
    theirs = asked_rules(asked.gates, rules.defaults, scorers=scorers)
    found = head
    if asked.gates and (side is not candidate or mine != theirs):
        base = judging(side, asked.gates, rules.defaults)
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
