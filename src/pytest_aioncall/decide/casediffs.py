"""Which single cases moved between two sides, and by how much more than their own noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from ..model.baseline import ScorerInfo
from ..stats.arrays import Floats
from .instrument import differs
from .rowtests import means_of, noise_of
from .sides import Side, align
from .table import cluster_codes, scorer_table


@dataclass(frozen=True, slots=True)
class CaseDiff:
    """One case's scores then and now.

    was, now    means over the judged epochs, in units of the scale
    was_passed  (epochs at the top of the scale, judged epochs) where the scorer is binary, else None
    ci          interval of the difference at 1 - 2 alpha from the case's own noise over epochs; None where a
                side has one judged epoch only
    """

    case: str
    scorer: str
    scale: tuple[float, float]
    was: float
    now: float
    epochs: tuple[int, int]
    was_passed: tuple[int, int] | None
    now_passed: tuple[int, int] | None
    ci: tuple[float, float] | None

    @property
    def difference(self) -> float:
        return self.now - self.was

    @property
    def could_be_noise(self) -> bool | None:
        """Tell whether repeating the same answers could have moved it so far; None where nobody can know."""
        return None if self.ci is None else self.ci[0] <= 0 <= self.ci[1]


def case_diffs(candidate: Side, baseline: Side, *, alpha: float) -> list[CaseDiff]:
    """Return every (case, scorer) whose mean moved, the largest fall (as a share of its scale) first.

    Only cases that are the same on both sides, only scorers whose instrument is. The interval is
    difference -/+ z_{1-alpha} sqrt(w_was/r_was + w_now/r_now) with the shrunk within-case variances w of the
    claim *these cases*; it speaks of one case, and is not corrected for the number of cases.
    """
    aligned = align(candidate, baseline)
    clusters = cluster_codes(aligned)
    found: list[CaseDiff] = []
    for name, info in candidate.scorers.items():
        other = baseline.scorers.get(name)
        if other is None or not _comparable(info, other):
            continue
        table = scorer_table(name, info, aligned=aligned, candidate=candidate, clusters=clusters)
        both = np.flatnonzero((table.judged_before > 0) & (table.judged_after > 0))
        if both.size == 0:
            continue
        before, after = table.before[both], table.after[both]
        was, now = means_of(before), means_of(after)
        moved = np.abs(now - was) > 1e-12
        noise = np.sqrt(sum(noise_of([before, after], table)))
        half = NormalDist().inv_cdf(1 - alpha) * noise
        counts = table.judged_before[both], table.judged_after[both]
        passed = _passed(before, table.high), _passed(after, table.high)
        binary = table.kind.kind == "binary"
        span = table.high - table.low
        for at in np.flatnonzero(moved).tolist():
            epochs = int(counts[0][at]), int(counts[1][at])
            difference = float(now[at] - was[at])
            ends = max(-span, difference - float(half[at])), min(span, difference + float(half[at]))
            found.append(
                CaseDiff(
                    case=aligned.rows[table.place[both[at]]].case,
                    scorer=name,
                    scale=(table.low, table.high),
                    was=float(was[at]),
                    now=float(now[at]),
                    epochs=epochs,
                    was_passed=(passed[0][at], epochs[0]) if binary else None,
                    now_passed=(passed[1][at], epochs[1]) if binary else None,
                    ci=ends if min(epochs) > 1 else None,
                )
            )
    found.sort(key=lambda d: (round(d.difference / (d.scale[1] - d.scale[0]), 9), d.case, d.scorer))
    return found


def _passed(scores: Floats, high: float) -> list[int]:
    return [int(n) for n in np.sum(scores >= high, axis=1)]


def _comparable(now: ScorerInfo, was: ScorerInfo) -> bool:
    untold = {"", "flat"} & {now.kind, was.kind}
    return tuple(now.scale) == tuple(was.scale) and (bool(untold) or not differs(now, was))


def falls(found: Sequence[CaseDiff]) -> int:
    """Count the scores that fell."""
    return sum(one.difference < 0 for one in found)
