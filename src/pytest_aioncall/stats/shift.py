"""Has the mix of categories changed? Size by excess Kullback-Leibler divergence, chance by permutation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Floats, Ints
from .draws import Words, chunked

DRAWS = (999, 9_000)
SMOOTHING = 0.5


@dataclass(frozen=True, slots=True)
class Permutation:
    """One test: mid-p of "the day is one of the days", by so many draws."""

    p: float
    draws: int


def excess_kl(now: Ints, was: Ints) -> float:
    """Return KL(now || was) in nats, less what chance makes of it: (K - 1)/2 (1/n + 1/m).

    now, was  counts of the same K categories; each has half a count more, so that none is impossible
    Categories that neither side has do not count. 0 where a side is empty.
    """
    there = (now + was) > 0
    now, was = now[there], was[there]
    n, m = int(now.sum()), int(was.sum())
    if not n or not m:
        return 0.0
    p, q = (side + SMOOTHING for side in (now, was))
    p, q = p / p.sum(), q / q.sum()
    raw = float(np.sum(p * np.log(p / q)))
    return raw - (now.size - 1) / 2 * (1 / n + 1 / m)


def g_statistic(now: Floats, total: Floats) -> Floats:
    """Return G of each table of two rows: `now` (draws x K) and what is left of `total` (K)."""
    rest = total - now
    n, m = now.sum(axis=1, keepdims=True), rest.sum(axis=1, keepdims=True)
    grand = float(total.sum())
    found: Floats = np.zeros(now.shape[0])
    for side, size in ((now, n), (rest, m)):
        expected = total * size / grand
        ratio = np.divide(side, expected, out=np.ones_like(side), where=(side > 0) & (expected > 0))
        found = found + 2 * np.sum(side * np.log(ratio), axis=1)
    return found


def swapped_days(counts: Ints, *, days: Ints, alpha: float) -> Permutation:
    """Test "today is a day like the others" against a changed mix, label swaps within cases; mid-p.

    counts  cases x days x K: how often a case gave each category on each day; today is day 0
    days    how many days each case has, today among them; what lies beyond is zero
    alpha   the level; draws end early where p is far above it
    H0: for each case any of its days could be today's, whatever the other cases do. So every case keeps its
    own labels, hard ones and easy ones do not mix, and the epochs of a day stay together. G-test statistic;
    fixed-seed draws from raw PCG64 words, the observed arrangement counted as one.
    """
    cases, _, categories = counts.shape
    table = counts.astype(np.float64)
    total: Floats = table.sum(axis=(0, 1))
    observed = float(g_statistic(table[:, 0, :].sum(axis=0)[None, :], total)[0])
    words, places = Words(), np.arange(cases)
    slack = 1e-9 * max(1.0, observed)
    above = level = drawn = 0
    for stage in DRAWS:
        for rows in chunked(stage, width=cases * categories):
            chosen = words.below(days, rows=rows)
            today = table[places[None, :], chosen].sum(axis=1)
            gap = g_statistic(today, total) - observed
            level += int(np.count_nonzero(np.abs(gap) <= slack))
            above += int(np.count_nonzero(gap > slack))
            drawn += rows
        if (above + (level + 1) / 2) / (drawn + 1) > 4 * alpha:
            break
    return Permutation((above + (level + 1) / 2) / (drawn + 1), drawn)
