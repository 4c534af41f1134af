"""Which cases moved: the worst first, the newly failing by rule, and how many of those chance would make."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from ..model.baseline import CaseRow
from ..model.verdict import CaseMove
from ..stats.arrays import Ints
from ..stats.betabinomial import all_fail_after, fitted_rates
from .rounding import figures
from .sides import Alignment
from .table import ScorerTable

WORST = 15
STEADY_EPOCHS = 3


@dataclass(frozen=True, slots=True)
class Moves:
    """The worst moves (at most 15), and of all moves: which cases newly fail, in how many (case, scorer)
    scores, and how many such scores chance would make."""

    worst: tuple[CaseMove, ...]
    newly_failing: tuple[str, ...]
    newly_failing_scores: int
    expected: float | None


def case_moves(
    tables: Sequence[ScorerTable], *, aligned: Alignment, before: Collection[tuple[str, str]] = ()
) -> Moves:
    """Find the moves of all cases on all scorers.

    before  (scorer, case) that failed before this change: marked as such, listed last, never newly failing
    An epoch passes above the middle of the scale: 1 on 0-1, 4 and 5 on 1-5. Newly failing: k/k -> 0/k with at
    least three judged epochs on both sides. Newly failing cases come first, then the largest drops as shares
    of their scale. The expected number is None where no case was steady enough to be newly failing.
    """
    moves: list[tuple[float, CaseMove]] = []
    expected: float | None = None
    newly: list[str] = []
    for table in tables:
        found, fresh, chance = _moves_of(table, aligned, before)
        moves += found
        newly += fresh
        if chance is not None:
            expected = (expected or 0.0) + chance
    moves.sort(
        key=lambda pair: (pair[1].already, not pair[1].newly_failing, pair[0], pair[1].case, pair[1].scorer)
    )
    worst = tuple(move for _, move in moves[:WORST])
    return Moves(worst, tuple(sorted(set(newly))), len(newly), figures(expected))


def _moves_of(
    table: ScorerTable, aligned: Alignment, before: Collection[tuple[str, str]]
) -> tuple[list[tuple[float, CaseMove]], list[str], float | None]:
    was_judged, now_judged = table.judged_before, table.judged_after
    middle = (table.low + table.high) / 2
    was, now = _count_above(table.before, middle), _count_above(table.after, middle)
    both = (was_judged > 0) & (now_judged > 0)
    steady = (was == was_judged) & (was_judged >= STEADY_EPOCHS) & (now_judged >= STEADY_EPOCHS)
    already = np.array([(table.scorer, aligned.rows[at].case) in before for at in table.place], dtype=bool)
    newly = steady & (now == 0) & ~already
    expected = None
    if bool(steady.any()):
        prior = fitted_rates(was[was_judged > 0], epochs=was_judged[was_judged > 0])
        chances = all_fail_after(
            was[steady], failed=np.zeros_like(was[steady]), epochs=now_judged[steady], prior=prior
        )
        expected = float(chances.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.nansum(table.after, axis=1) / now_judged - np.nansum(table.before, axis=1) / was_judged
    # Rounded, so that equal drops stay equal and cases keep their order.
    change = np.round(change, 9)
    worse = np.flatnonzero(both & ((change < -1e-12) | newly))
    order = worse[np.lexsort((change[worse], ~newly[worse], already[worse]))][:WORST]
    span = table.high - table.low
    moves = []
    for at in order.tolist():
        row, partner = aligned.rows[table.place[at]], aligned.partners[table.place[at]]
        move = CaseMove(
            scorer=table.scorer,
            case=row.case,
            was=(int(was[at]), int(was_judged[at])),
            now=(int(now[at]), int(now_judged[at])),
            difference=float(change[at]),
            newly_failing=bool(newly[at]),
            already=bool(already[at]),
            why=_label_change(row, partner, table.scorer),
        )
        moves.append((float(change[at]) / span, move))
    fresh = [aligned.rows[table.place[at]].case for at in np.flatnonzero(newly & both).tolist()]
    return moves, fresh, expected


def _count_above(scores: np.ndarray[tuple[int, ...], np.dtype[np.float64]], middle: float) -> Ints:
    counts: Ints = np.sum(scores > middle, axis=1).astype(np.int64)
    return counts


def _label_change(row: CaseRow, partner: CaseRow | None, scorer: str) -> str | None:
    """Return `billing -> other` where both sides have labels and the most frequent one changed."""
    was = _most_frequent(partner.labels.get(scorer, ()) if partner else ())
    now = _most_frequent(row.labels.get(scorer, ()))
    return f"{was} -> {now}" if was is not None and now is not None and was != now else None


def _most_frequent(labels: Sequence[str | None]) -> str | None:
    known = [label for label in labels if label is not None]
    return max(known, key=lambda label: (known.count(label), label), default=None)
