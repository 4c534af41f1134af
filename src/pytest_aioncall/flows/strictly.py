"""Judge one evalset by its merge base's gates and by its own, and blame a change for its own doing only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..decide.excused import Before, Excused, excused_by_all
from ..decide.gatelimits import gates_or_default
from ..decide.sides import Side
from ..decide.stricter import asked_rules, base_side, judgeable, stricter_of, with_lost
from ..model.config import Defaults
from ..model.evalset import Gate
from ..model.report import AlreadyRegressed
from ..model.verdict import Judgement
from .baserules import BaseRules
from .daily import Daily


class Judging(Protocol):
    """Judges a side by gates and defaults, with one and the same baseline; rows in `before` do not gate."""

    def __call__(
        self, side: Side, gates: Sequence[Gate], defaults: Defaults, before: Before, /
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
    asked = _asked(candidate, rules, gates=gates, defaults=defaults)
    found = [judging(one.side, one.gates, one.defaults, Before()) for one in asked.sides]
    excused = Excused()
    if daily is not None and any(v.gating and v.status == "regressed" for one in found for v in one.verdicts):
        blames = [
            daily.blame(judgement, one.side, evalset=evalset, defaults=one.defaults)
            for judgement, one in zip(found, asked.sides, strict=True)
        ]
        excused = excused_by_all(found, blames)
        if excused.already:
            found = [
                judging(one.side, one.gates, one.defaults, before)
                for one, before in zip(asked.sides, excused.before, strict=True)
            ]
    judgement = found[0]
    if len(found) > 1:
        mine, theirs = (asked_rules(s.gates, s.defaults, scorers=candidate.scorers) for s in asked.sides)
        judgement = stricter_of(*found, head_rules=mine, base_rules=theirs)
    if notes := (*asked.notes, *excused.notes):
        judgement = judgement.model_copy(update={"notes": (*judgement.notes, *notes)})
    judgement = with_lost(judgement, asked.lost, baseline_required=baseline_required)
    return Strictly(judgement, excused.already)


@dataclass(frozen=True, slots=True)
class _SideAsked:
    """What is judged, and by whose gates: the branch's, or its merge base's."""

    side: Side
    gates: Sequence[Gate]
    defaults: Defaults


@dataclass(frozen=True, slots=True)
class _Asked:
    """By what a candidate is judged: the branch's gates first, then the base's where they ask otherwise."""

    sides: tuple[_SideAsked, ...]
    lost: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _asked(candidate: Side, rules: BaseRules | None, *, gates: Sequence[Gate], defaults: Defaults) -> _Asked:
    head = _SideAsked(candidate, gates_or_default(gates, scorers=candidate.scorers), defaults)
    if rules is None or rules.evalset is None:
        return _Asked((head,))
    side = base_side(candidate, rules.cases)
    asked = judgeable(rules.gates, side)
    mine = asked_rules(head.gates, defaults, scorers=candidate.scorers)
    theirs = asked_rules(asked.gates, rules.defaults, scorers=candidate.scorers)
    if not asked.gates or (side is candidate and mine == theirs):
        return _Asked((head,), asked.lost, asked.notes)
    return _Asked((head, _SideAsked(side, asked.gates, rules.defaults)), asked.lost, asked.notes)


def rounds_asked(candidate: Side, rules: BaseRules | None) -> list[tuple[Side, Sequence[Gate], Defaults]]:
    """Return by what else than the branch's gates further epochs are asked for: the base's gates."""
    if rules is None or rules.evalset is None:
        return []
    side = base_side(candidate, rules.cases)
    asked = judgeable(rules.gates, side)
    return [(side, asked.gates, rules.defaults)] if asked.gates else []
