"""Latency and cost: ratios candidate/baseline on the same cases."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import Bools, Floats, Ints
from .draws import Words, chunked
from .special import stdtr, stdtrit

MOST_CELLS = 30_000_000


@dataclass(frozen=True, slots=True)
class Ratio:
    """One comparison: `before`, `after`, their `ratio`; `p` against "no rise". `ci` is two-sided, 95 %."""

    before: float
    after: float
    ratio: float
    p: float
    ci: tuple[float, float] | None
    cases: int


def p95(values: Floats) -> float:
    """Return the 95th percentile by nearest rank: a value that was observed."""
    ordered = np.sort(values)
    return float(ordered[math.ceil(0.95 * ordered.size) - 1])


def p95_ratio(before: Floats, after: Floats) -> Ratio | None:
    """Compare the p95 of all samples; the null swaps the two runs' labels within cases.

    before, after  seconds, cases x epochs, NaN or <= 0 where there is none
    Returns None with fewer than two cases that have both. Fixed-seed draws, 9,999 of them, or as few as 499
    where there are so many samples that the p95 needs no more. The interval turns the same draws around: the
    central 95 % of the null, laid around the estimate on the log scale.
    """
    before, after = np.where(before > 0, before, np.nan), np.where(after > 0, after, np.nan)
    both = ~np.isnan(before).all(axis=1) & ~np.isnan(after).all(axis=1)
    before, after = before[both], after[both]
    cases = int(both.sum())
    if cases < 2:
        return None
    times = np.concatenate([before, after], axis=1)
    is_after = np.zeros(times.shape, dtype=np.bool_)
    is_after[:, before.shape[1] :] = True
    owner = np.broadcast_to(np.arange(cases)[:, None], times.shape)
    valid = ~np.isnan(times)
    order = np.argsort(-times[valid], kind="stable")
    logs, labels, owners = np.log(times[valid][order]), is_after[valid][order], owner[valid][order]
    observed = float(_log_ratio(logs, labels[None, :])[0])
    drawn = _swapped(logs, labels, owners, cases=cases)
    gap = drawn - observed
    hits = np.count_nonzero(gap > 1e-12) + (np.count_nonzero(np.abs(gap) <= 1e-12) + 1) / 2
    reach = float(np.quantile(np.abs(drawn), 0.95))
    return Ratio(
        before=p95(before[~np.isnan(before)]),
        after=p95(after[~np.isnan(after)]),
        ratio=math.exp(observed),
        p=float(hits / (drawn.size + 1)),
        ci=(math.exp(observed - reach), math.exp(observed + reach)),
        cases=cases,
    )


def _swapped(logs: Floats, labels: Bools, owners: Ints, *, cases: int) -> Floats:
    draws = int(min(9_999, max(499, MOST_CELLS // logs.size)))
    words = Words()
    parts = []
    for rows in chunked(draws, width=logs.size):
        swap = words.coins(rows, width=cases)
        parts.append(_log_ratio(logs, labels[None, :] ^ swap[:, owners]))
    return np.concatenate(parts)


def _log_ratio(logs: Floats, labels: Bools) -> Floats:
    """Return log p95(after) - log p95(before) of each labelling; `logs` fall, labels are draws x samples."""
    counted = np.cumsum(labels, axis=1, dtype=np.int32)
    places = np.arange(1, logs.size + 1, dtype=np.int32)[None, :]
    sides = []
    for running in (counted, places - counted):
        size = running[:, -1].astype(np.int64)
        rank = size - np.ceil(0.95 * size - 1e-9).astype(np.int64) + 1
        sides.append(logs[np.argmax(running >= rank[:, None], axis=1)])
    difference: Floats = sides[0] - sides[1]
    return difference


def mean_ratio(before: Floats, after: Floats) -> Ratio | None:
    """Compare a positive quantity (cost, tokens) by a paired t test on the log ratio of each case's mean.

    before, after  cases x epochs, NaN or <= 0 where there is none
    `ratio` is the geometric mean of the cases' ratios. Returns None with fewer than two cases that have both.
    Where every case has one and the same ratio there is no variance to test with: then the sign test.
    """
    before, after = np.where(before > 0, before, np.nan), np.where(after > 0, after, np.nan)
    both = ~np.isnan(before).all(axis=1) & ~np.isnan(after).all(axis=1)
    before, after, cases = before[both], after[both], int(both.sum())
    if cases < 2:
        return None
    logs = np.log(np.nanmean(after, axis=1)) - np.log(np.nanmean(before, axis=1))
    mean, sd = float(logs.mean()), float(logs.std(ddof=1))
    if sd <= 1e-12 * max(1.0, abs(mean)):
        p = 0.5 if abs(mean) <= 1e-12 else (0.5 ** min(cases, 1000) if mean > 0 else 1.0)
        ci = (math.exp(mean), math.exp(mean))
    else:
        se = sd / math.sqrt(cases)
        p = float(stdtr(cases - 1, -mean / se))
        reach = float(stdtrit(cases - 1, 0.975)) * se
        ci = (math.exp(mean - reach), math.exp(mean + reach))
    return Ratio(float(np.nanmean(before)), float(np.nanmean(after)), math.exp(mean), p, ci, cases)
