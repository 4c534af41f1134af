"""What a change is not blamed for, by each of the rules that it is judged by, and by all of them together.

Apart from `notblamed.py`, which computes: who only judges does not load that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..model.report import AlreadyRegressed
from ..model.verdict import Judgement, RowName


@dataclass(frozen=True, slots=True)
class Blame:
    """Rows that are not this change's doing, and what is to be said of the others that were red before.

    `failed` names of each of these rows the cases that failed in the daily run, too.
    """

    already: tuple[AlreadyRegressed, ...] = ()
    notes: tuple[str, ...] = ()
    failed: Mapping[RowName, frozenset[str]] = field(default_factory=dict)

    @property
    def rows(self) -> frozenset[RowName]:
        return frozenset(one.row for one in self.already)


@dataclass(frozen=True, slots=True)
class Before:
    """What was so before a change: rows that were regressed, and (scorer, case) that failed."""

    rows: frozenset[RowName] = frozenset()
    cases: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Excused:
    """What a change judged by several rules is not blamed for; `before` has one entry for each rule."""

    already: tuple[AlreadyRegressed, ...] = ()
    before: tuple[Before, ...] = ()
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
    cases = frozenset(
        (row[0], case)
        for blame in blames
        for row, failed in blame.failed.items()
        if row in found
        for case in failed
    )
    return Excused(
        tuple(found.values()),
        tuple(Before((blame.rows - blamed) | by_base, cases) for blame in blames),
        tuple(dict.fromkeys(note for blame in blames for note in blame.notes)),
    )
