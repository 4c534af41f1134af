"""What a change is not blamed for, by each of the rules that it is judged by, and by all of them together.

Apart from `notblamed.py`, which computes: who only judges does not load that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..model.report import AlreadyRegressed
from ..model.verdict import Judgement, RowName


@dataclass(frozen=True, slots=True)
class Blame:
    """Rows that are not this change's doing, and what is to be said of the others that were red before."""

    already: tuple[AlreadyRegressed, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> frozenset[RowName]:
        return frozenset(one.row for one in self.already)


@dataclass(frozen=True, slots=True)
class Excused:
    """What a change judged by several rules is not blamed for: `rows` one set for each of the rules."""

    already: tuple[AlreadyRegressed, ...] = ()
    rows: tuple[frozenset[RowName], ...] = ()
    notes: tuple[str, ...] = ()


def excused_by_all(judgements: Sequence[Judgement], blames: Sequence[Blame]) -> Excused:
    """Put together what each rule says of the same change: the branch's first, then its merge base's.

    A row is excused only where every rule by which it is red finds it no worse than the daily run: a branch
    chooses its own margin, alpha and claim, and could have nothing count as worse. A row that is excused by
    the base's rule gates by no other; one that only the branch's rule finds red gates on as the base has it.
    """
    blamed = {
        v.row
        for judgement, blame in zip(judgements, blames, strict=True)
        for v in judgement.verdicts
        if v.gating and v.status == "regressed" and v.row not in blame.rows
    }
    found = {one.row: one for blame in blames for one in blame.already if one.row not in blamed}
    by_base = blames[-1].rows - blamed
    return Excused(
        tuple(found.values()),
        tuple((blame.rows - blamed) | by_base for blame in blames),
        tuple(dict.fromkeys(note for blame in blames for note in blame.notes)),
    )
