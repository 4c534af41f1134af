"""Does the instrument hold its error rate in practice? The same subject against itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from ..model.baseline import CaseRow
from ..model.config import Defaults
from ..model.evalset import Gate
from ..model.selfcheck import AaReport, AaRow
from ..model.spelling import slice_name
from ..model.verdict import Judgement, Verdict
from ..stats.arrays import Floats
from ..stats.counts import share_interval
from ..stats.draws import Words
from ..stats.permute import permute_epochs
from .compare import judge
from .gaterows import GateRow
from .rehearsal import judged_members, suite_of
from .rowtests import claim_of
from .sides import Side, epochs_of

MOST_SPLITS = 40
_LEVEL = 0.05
EXIT = {"holds": 0, "moved": 1, "unknown": 7}


@dataclass(frozen=True, slots=True)
class AaRequest:
    """What an A/A run is judged by: the evalset's own gates."""

    evalset: str
    gates: Sequence[Gate]
    defaults: Defaults
    runs: tuple[str, ...] = ()


def epochs_needed(side: Side, request: AaRequest) -> int:
    """Return how many epochs a run needs to be split: two a side where a row is about *these cases*."""
    suite = suite_of(side, request.gates, request.defaults)
    for at in suite.gating:
        row = suite.rows.rows[at]
        table = suite.tables[row.scorer]
        members = judged_members(row, table)
        clusters = int(np.unique(table.clusters[members]).size)
        if claim_of(row, cases=int(members.size), clusters=clusters) == "these-cases":
            return 4
    return 2


def split_run(side: Side, request: AaRequest) -> AaReport:
    """Split the epochs of one run into halves, every way or 40 ways, and judge each half against the other.

    The halves of all splits share their samples, so the share of red ones is no share of independent runs: e
    epochs hold e - 1 independent contrasts, and the interval is that of so many. `drift_p` is exact: it asks
    whether the first half of the epochs differs from the second by more than a permutation of the epochs
    within each case makes likely. Raises UsageError as `judge` does.
    """
    epochs = min((epochs_of(row) for row in side.rows), default=0)
    needed = epochs_needed(side, request)
    if epochs < needed:
        return AaReport(
            evalset=request.evalset,
            mode="split",
            runs=request.runs,
            verdict="unknown",
            exit_code=EXIT["unknown"],
            alpha=request.defaults.alpha,
            epochs=epochs,
            why=f"a run of {epochs} {'epoch' if epochs == 1 else 'epochs'} cannot be split: "
            f"these gates need {needed // 2} a side, better 3",
        )
    judgements = [
        _judged(_some(side, one), _some(side, other), request)
        for half in halves_of(epochs)
        for one, other in ((half, _rest(half, epochs)), (_rest(half, epochs), half))
    ]
    rows = _rows(side, judgements, request)
    red = _share([_is_red(one) for one in judgements])
    free = epochs - 1
    low, high = share_interval(round(red * free), free, alpha=_LEVEL)
    drifts = [row.drift_p for row in rows if row.drift_p is not None]
    drifted = bool(drifts) and min(drifts) * len(drifts) <= _LEVEL
    moved = drifted or low > request.defaults.alpha
    verdict: Literal["holds", "moved", "unknown"] = "moved" if moved else "holds"
    if not moved and red > request.defaults.alpha:
        # No proof of movement, and none of rest either: more red halves than alpha, of too few epochs.
        verdict = "unknown"
    return AaReport(
        evalset=request.evalset,
        mode="split",
        runs=request.runs,
        verdict=verdict,
        exit_code=EXIT[verdict],
        alpha=request.defaults.alpha,
        splits=len(judgements),
        independent=free,
        epochs=epochs,
        red_any=red,
        inconclusive_any=_share([one.status == "inconclusive" for one in judgements]),
        interval=(round(low, 4), round(high, 4)),
        rows=tuple(rows),
        why=_why(rows, drifted=drifted, verdict=verdict, red=red, epochs=epochs),
    )


def halves_of(epochs: int) -> list[tuple[int, ...]]:
    """Return the ways to take half of the epochs, each split once: all of them, or 40 with odd/even first."""
    half = epochs // 2
    every = epochs % 2 == 1
    ways: list[tuple[int, ...]] = []
    if epochs <= 8:
        found = combinations(range(epochs), half)
        ways = [one for one in found if every or 0 in one]
        if len(ways) <= MOST_SPLITS:
            return ways
    words = Words(seed=epochs)
    seen: dict[tuple[int, ...], None] = {tuple(range(0, 2 * half, 2)): None, tuple(range(half)): None}
    while len(seen) < MOST_SPLITS:
        order = np.argsort(words.take(epochs), kind="stable")
        chosen = tuple(sorted(order[:half].tolist()))
        if every or 0 in chosen:
            seen[chosen] = None
    return list(seen)


def _rest(half: tuple[int, ...], epochs: int) -> tuple[int, ...]:
    return tuple(epoch for epoch in range(epochs) if epoch not in half)


def _some(side: Side, epochs: tuple[int, ...]) -> Side:
    """Return the side as if only these epochs had been run."""
    return Side(
        rows=tuple(_cut(row, epochs) for row in side.rows),
        scorers=side.scorers,
        output_hashes={
            case: tuple(hashes[epoch] for epoch in epochs if epoch < len(hashes))
            for case, hashes in side.output_hashes.items()
        },
    )


def _cut(row: CaseRow, epochs: tuple[int, ...]) -> CaseRow:
    def some(values: tuple[float | None, ...]) -> tuple[float | None, ...]:
        return tuple(values[epoch] for epoch in epochs if epoch < len(values))

    return CaseRow(
        case=row.case,
        digest=row.digest,
        slices=row.slices,
        cluster=row.cluster,
        scores={name: some(values) for name, values in row.scores.items()},
    )


def _judged(candidate: Side, baseline: Side, request: AaRequest) -> Judgement:
    return judge(
        candidate,
        baseline,
        evalset=request.evalset,
        gates=[gate.model_copy(update={"min": None}) for gate in request.gates],
        defaults=request.defaults.model_copy(update={"min": None}),
        max_error_rate=1.0,
    )


def _rows(side: Side, judgements: Sequence[Judgement], request: AaRequest) -> list[AaRow]:
    suite = suite_of(side, request.gates, request.defaults)
    found = []
    for at in suite.gating:
        row = suite.rows.rows[at]
        verdicts = [one.verdicts[at] for one in judgements]
        known = [verdict.p for verdict in verdicts if verdict.p is not None]
        table = suite.tables[row.scorer]
        scores = _in_order(side, row)
        drift_p, drift = _drift(scores, step=table.kind.step, alpha=request.defaults.alpha)
        found.append(
            AaRow(
                scorer=row.scorer,
                slice=row.slice,
                red=_share([v.gating and v.status == "regressed" for v in verdicts]),
                inconclusive=_share([v.status in ("inconclusive", "too_small") for v in verdicts]),
                p_small=_share([p <= row.alpha for p in known]) if known else None,
                drift_p=drift_p,
                drift=drift,
                scale=(table.low, table.high),
            )
        )
    return found


def _in_order(side: Side, row: GateRow) -> Floats:
    """Return the scores of a row, cases x epochs in the order they were run: tables may sort them."""
    part = (row.slice or {}).items()
    values = [
        one.scores[row.scorer]
        for one in side.rows
        if row.scorer in one.scores and all(one.slices.get(key) == value for key, value in part)
    ]
    width = max((len(one) for one in values), default=0)
    padded = [one + (None,) * (width - len(one)) for one in values]
    found: Floats = np.array(padded, dtype=np.float64).reshape(len(values), width)
    return found


def _drift(scores: Floats, *, step: float | None, alpha: float) -> tuple[float | None, float | None]:
    """Compare the later half of the epochs with the earlier one: two-sided exact p, and the difference."""
    half = scores.shape[1] // 2
    before, after = scores[:, :half], scores[:, half:]
    both = (~np.isnan(before)).any(axis=1) & (~np.isnan(after)).any(axis=1)
    if half < 1 or not both.any():
        return None, None
    before, after = before[both], after[both]
    found = permute_epochs(before, after, step=step, alpha=0.5, resolution=alpha / 20)
    drift = float((np.nanmean(after, axis=1) - np.nanmean(before, axis=1)).mean())
    return round(min(1.0, 2 * min(found.p, 1 - found.p)), 6), round(drift, 6)


def compare_runs(one: Side, other: Side, request: AaRequest) -> AaReport:
    """Judge two runs of one subject against each other, both ways round.

    The instrument moved when either is red, or when a row differs two-sided at .05 divided by the rows.
    """
    judgements = (_judged(other, one, request), _judged(one, other, request))
    rows, moved, tested = [], [], 0
    gating = [at for at, verdict in enumerate(judgements[0].verdicts) if verdict.gating]
    for at in gating:
        there, back = judgements[0].verdicts[at], judgements[1].verdicts[at]
        p = None if there.p is None or back.p is None else min(1.0, 2 * min(there.p, back.p))
        same = there.reason == "unchanged"
        tested += p is not None or same
        red = _share([there.status == "regressed", back.status == "regressed"])
        if red or (p is not None and not same and p * len(gating) <= _LEVEL):
            moved.append(there)
        rows.append(
            AaRow(
                scorer=there.scorer,
                slice=there.slice,
                red=red,
                inconclusive=_share([v.status in ("inconclusive", "too_small") for v in (there, back)]),
                drift_p=None if p is None else round(p, 6),
                drift=there.difference,
                scale=there.scale,
            )
        )
    verdict: Literal["holds", "moved", "unknown"] = (
        "moved" if moved else "holds" if tested and tested == len(gating) else "unknown"
    )
    return AaReport(
        evalset=request.evalset,
        mode="pair",
        runs=request.runs,
        verdict=verdict,
        exit_code=EXIT[verdict],
        alpha=request.defaults.alpha,
        splits=2,
        independent=1,
        epochs=max((epochs_of(row) for row in one.rows), default=0),
        red_any=_share([_is_red(found) for found in judgements]),
        inconclusive_any=_share([found.status == "inconclusive" for found in judgements]),
        rows=tuple(rows),
        judgements=judgements,
        why=_why_pair(moved, verdict),
    )


def _why(rows: Sequence[AaRow], *, drifted: bool, verdict: str, red: float, epochs: int) -> str:
    if drifted:
        first = min(rows, key=lambda row: 1.0 if row.drift_p is None else row.drift_p)
        return f"the later epochs of {_name(first.scorer, first.slice)} differ from the earlier ones"
    if verdict == "moved":
        return "the halves of one run differ more often than chance explains"
    if verdict == "unknown":
        return f"{red:.0%} of the halves are red, and {epochs} epochs cannot tell that from chance"
    return "the halves of one run differ by no more than chance explains"


def _why_pair(moved: Sequence[Verdict], verdict: str) -> str:
    if moved:
        names = [_name(one.scorer, one.slice) for one in moved]
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return f"{names[0]}{more} moved between two runs of the same subject"
    if verdict == "unknown":
        return "one epoch cannot tell noise from change"
    return "no row moved between the two runs by more than chance explains"


def _name(scorer: str, part: dict[str, str] | None) -> str:
    return f"{scorer} {slice_name(part)}".rstrip()


def _is_red(judgement: Judgement) -> bool:
    return any(v.gating and v.status == "regressed" for v in judgement.verdicts)


def _share(hits: Sequence[bool]) -> float:
    return round(sum(hits) / len(hits), 4) if hits else 0.0
