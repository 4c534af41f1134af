"""One scorer's numbers on both sides, as arrays: made once, cut by every gate row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import UsageError
from ..model.baseline import CaseRow, ScorerInfo
from ..stats.arrays import Bools, Floats, Ints
from ..stats.lattice import ScoreKind, score_kind
from .sides import Alignment, Side


@dataclass(frozen=True, slots=True)
class ScorerTable:
    """All candidate cases that a scorer applies to.

    after, before  scores, cases x epochs, each case's sorted, NaN where a sample has none (last); `before` is
                   NaN for cases not aligned
    planned        candidate samples planned, a case
    paired         the case is the same on both sides and the scorer applies there too
    identical      every output of the case is byte-identical on both sides
    place          index of the case among the candidate's rows
    judged_after, judged_before  judged samples of each case
    """

    scorer: str
    low: float
    high: float
    kind: ScoreKind
    after: Floats
    before: Floats
    planned: Ints
    paired: Bools
    identical: Bools
    clusters: Ints
    place: Ints
    judged_after: Ints
    judged_before: Ints


def scorer_table(
    scorer: str, info: ScorerInfo, *, aligned: Alignment, candidate: Side, clusters: Ints
) -> ScorerTable:
    """Gather one scorer's scores.

    Raises UsageError where a score lies outside the scale or is no number: clipping it would hide a mistake.
    """
    low, high = info.scale
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise UsageError(f"scorer {scorer!r}: scale [{low:g}, {high:g}] is no scale; give [lowest, highest]")
    place = [i for i, row in enumerate(aligned.rows) if scorer in row.scores]
    rows = [aligned.rows[i] for i in place]
    partners = [aligned.partners[i] for i in place]
    after = _matrix([row.scores[scorer] for row in rows], rows, scorer=scorer, scale=info.scale)
    before = _matrix(
        [partner.scores.get(scorer, ()) if partner else () for partner in partners],
        rows,
        scorer=scorer,
        scale=info.scale,
    )
    judged = np.concatenate([after[~np.isnan(after)], before[~np.isnan(before)]])
    return ScorerTable(
        scorer=scorer,
        low=low,
        high=high,
        kind=score_kind(judged, low=low, high=high),
        after=after,
        before=before,
        planned=np.array([candidate.planned(row) for row in rows], dtype=np.int64),
        judged_after=np.sum(~np.isnan(after), axis=1, dtype=np.int64),
        judged_before=np.sum(~np.isnan(before), axis=1, dtype=np.int64),
        paired=np.array(
            [partner is not None and scorer in partner.scores for partner in partners], dtype=np.bool_
        ),
        identical=np.array([aligned.identical[i] for i in place], dtype=np.bool_),
        clusters=clusters[place] if place else np.empty(0, dtype=np.int64),
        place=np.array(place, dtype=np.int64),
    )


def cluster_codes(aligned: Alignment) -> Ints:
    """Number the clusters; a case without one is a cluster of its own. The candidate's word counts first."""
    codes: dict[tuple[str, str], int] = {}
    found = []
    for row, partner in zip(aligned.rows, aligned.partners, strict=True):
        cluster = row.cluster if row.cluster is not None else (partner.cluster if partner else None)
        key = ("case", row.case) if cluster is None else ("cluster", cluster)
        found.append(codes.setdefault(key, len(codes)))
    return np.array(found, dtype=np.int64)


def _matrix(
    values: Sequence[tuple[float | None, ...]],
    rows: Sequence[CaseRow],
    *,
    scorer: str,
    scale: tuple[float, float],
) -> Floats:
    width = max((len(one) for one in values), default=0)
    padded = [one if len(one) == width else one + (None,) * (width - len(one)) for one in values]
    matrix: Floats = np.array(padded, dtype=np.float64).reshape(len(values), width)
    slack = 1e-9 * (scale[1] - scale[0])
    wrong = (matrix < scale[0] - slack) | (matrix > scale[1] + slack)
    missing = sum(one.count(None) for one in padded)
    if bool(wrong.any()) or missing != int(np.isnan(matrix).sum()):
        _refuse(values, rows, scorer=scorer, scale=scale, slack=slack)
    # Epochs have no order: neither a sum nor a draw may depend on which sample came first. No -0.0 either.
    ordered: Floats = np.sort(matrix, axis=1) + 0.0
    return ordered


def _refuse(
    values: Sequence[tuple[float | None, ...]],
    rows: Sequence[CaseRow],
    *,
    scorer: str,
    scale: tuple[float, float],
    slack: float,
) -> None:
    for row, scores in zip(rows, values, strict=True):
        for epoch, score in enumerate(scores):
            if score is not None and not scale[0] - slack <= score <= scale[1] + slack:
                raise UsageError(
                    f"case {row.case!r}, epoch {epoch}: {scorer} scored {score:g}, outside its scale "
                    f"[{scale[0]:g}, {scale[1]:g}]; mend the scale or the scorer (an unscored sample is null)"
                )
