"""Which cases fell most from the last good run to the newest bad one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ...model.history import CaseDay, EvalsetDay
from ...model.verdict import CaseMove

WORST = 15
STEADY_EPOCHS = 3


def worst_cases(now: EvalsetDay, *, was: EvalsetDay | None, scorers: Collection[str]) -> tuple[CaseMove, ...]:
    """Return at most 15 moves, the newly failing first, then the largest drops as shares of their scale.

    was      the last good run; None: then the lowest cases of today
    scorers  those that the alerts are about; empty: all that gate
    An epoch passes above the middle of the scale, as everywhere. Newly failing: k/k before, 0/k now, k >= 3.
    """
    scales = {row.scorer: row.scale for row in now.rows} | {n: info.scale for n, info in now.scorers.items()}
    gating = {row.scorer for row in now.rows if row.gating}
    chosen = set(scorers) or gating
    before = {(case.case, case.digest): case for case in was.cases} if was is not None else {}
    moves: list[tuple[bool, float, str, str, CaseMove]] = []
    for case in now.cases:
        partner = before.get((case.case, case.digest))
        for scorer in sorted(chosen & case.scores.keys()):
            scale = scales.get(scorer, (0.0, 1.0))
            move = _move(case, partner, scorer, scale=scale)
            if move is None:
                continue
            drop = (move.difference or 0.0) / (scale[1] - scale[0])
            moves.append((not move.newly_failing, drop, move.case, move.scorer, move))
    return tuple(one[-1] for one in sorted(moves, key=lambda one: one[:-1])[:WORST])


def _move(
    case: CaseDay, partner: CaseDay | None, scorer: str, *, scale: tuple[float, float]
) -> CaseMove | None:
    now = _judged(case.scores.get(scorer, ()))
    was = _judged(partner.scores.get(scorer, ())) if partner is not None else []
    if not now:
        return None
    middle = (scale[0] + scale[1]) / 2
    passed = sum(score > middle for score in now)
    mean = sum(now) / len(now)
    if not was:
        # Nothing to compare with: a case that fails is worth a look, the others are not.
        if partner is not None or passed == len(now):
            return None
        below = round(mean - scale[1], 9)
        return CaseMove(scorer=scorer, case=case.case, now=(passed, len(now)), difference=below)
    difference = round(mean - sum(was) / len(was), 9)
    passed_before = sum(score > middle for score in was)
    if difference >= 0:
        return None
    steady = passed_before == len(was) >= STEADY_EPOCHS and len(now) >= STEADY_EPOCHS
    return CaseMove(
        scorer=scorer,
        case=case.case,
        was=(passed_before, len(was)),
        now=(passed, len(now)),
        difference=difference,
        newly_failing=steady and passed == 0,
        why=_label_change(case, partner, scorer),
    )


def _judged(scores: Sequence[float | None]) -> list[float]:
    return [score for score in scores if score is not None]


def _label_change(case: CaseDay, partner: CaseDay | None, scorer: str) -> str | None:
    was = _usual(partner.labels.get(scorer, ()) if partner is not None else ())
    now = _usual(case.labels.get(scorer, ()))
    return f"{was} -> {now}" if was is not None and now is not None and was != now else None


def _usual(labels: Sequence[str | None]) -> str | None:
    known = [label for label in labels if label is not None]
    return max(known, key=lambda label: (known.count(label), label), default=None)
