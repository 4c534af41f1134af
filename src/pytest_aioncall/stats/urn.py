"""A suite as an urn: what a new run of the same cases would score, and what a true drop would take from it.

Every case has its own distribution of scores, drawn from a Dirichlet process around the pool of all cases: a
new epoch repeats one of the case's own scores, or with weight `strength` takes one from the pool. On binary
scores this is the beta-binomial model of `betabinomial.fitted_rates`; on any other scale it keeps the lattice
and the range of the scores, and matches the variance within cases and between them. It never takes a case
that held in three epochs of three for a certain one. (Ferguson 1973; Blackwell and MacQueen 1973.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Bools, Floats, Ints
from .betabinomial import LEAST_STRENGTH, MOST_STRENGTH
from .draws import Words
from .lattice import ScoreKind

# How many cases the whole suite counts for where the cases of one slice are drawn towards their own.
_ALL_WEIGH = 10
MOST_POOLED = 1024
"""Distinct scores in a pool at most; more of them, as a measured score has, say nothing more."""


@dataclass(frozen=True, slots=True)
class Urn:
    """The scores of one scorer, ready to be drawn from.

    own       scores, cases x epochs, the judged ones first
    counts    how many of them are judged, a case
    pool      distinct scores of all cases, `shares` their probabilities, groups x pool
    groups    which row of `shares` a case draws from
    strength  weight of the pool, in epochs
    """

    own: Floats
    counts: Ints
    pool: Floats
    shares: Floats
    groups: Ints
    strength: float

    def part(self, members: Ints) -> Urn:
        """Return the urn of some cases only, with the pool of all."""
        # Of a slice that is a part of its own, the shares of the other parts are not needed.
        used, groups = np.unique(self.groups[members], return_inverse=True)
        shares = self.shares if used.size == self.shares.shape[0] else self.shares[used]
        return Urn(self.own[members], self.counts[members], self.pool, shares, groups, self.strength)

    @property
    def scores(self) -> Floats:
        """The judged scores, cases x epochs, NaN elsewhere."""
        found: Floats = np.where(np.arange(self.own.shape[1]) < self.counts[:, None], self.own, np.nan)
        return found

    def expected(self, values: Floats, of_pool: Floats) -> Floats:
        """Return each case's mean of a function of the next score, given by its values on `own`, `pool`."""
        held = np.where(np.arange(values.shape[1]) < self.counts[:, None], values, 0.0)
        pooled = (of_pool * self.shares).sum(axis=1)[self.groups]
        total: Floats = (held.sum(axis=1) + self.strength * pooled) / (self.counts + self.strength)
        return total

    def moments(self) -> tuple[Floats, Floats]:
        """Return mean and variance of each case's next score."""
        mean = self.expected(self.own, self.pool)
        square = self.expected(np.square(self.own), np.square(self.pool))
        return mean, np.maximum(0.0, square - np.square(mean))

    def within(self) -> Floats:
        """Return the expected variance of a case's scores around its own mean."""
        weight = self.counts + self.strength
        found: Floats = self.moments()[1] * weight / (weight + 1)
        return found

    def draw(self, words: Words, *, runs: int, epochs: int) -> Floats:
        """Draw new runs, runs x cases x epochs. Epochs of one case share its unknown distribution."""
        cases = self.counts.size
        drawn = np.empty((runs, cases, epochs))
        edges = np.cumsum(self.shares, axis=1)
        for epoch in range(epochs):
            place = words.shares(runs, width=cases) * (self.counts + epoch + self.strength)
            fresh = self._from_pool(words.shares(runs, width=cases), edges)
            slot = place.astype(np.int64)
            value = fresh
            if self.own.shape[1]:
                from_own = np.take_along_axis(
                    np.broadcast_to(self.own, (runs, *self.own.shape)),
                    np.minimum(slot, self.own.shape[1] - 1)[:, :, None],
                    axis=2,
                )[:, :, 0]
                value = np.where(slot < self.counts, from_own, fresh)
            if epoch:
                before = np.clip(slot - self.counts, 0, epoch - 1)
                again = np.take_along_axis(drawn[:, :, :epoch], before[:, :, None], axis=2)[:, :, 0]
                repeats = (slot >= self.counts) & (place < self.counts + epoch)
                value = np.where(repeats, again, value)
            drawn[:, :, epoch] = value
        return drawn

    def _from_pool(self, uniform: Floats, edges: Floats) -> Floats:
        """Take one score from each case's pool for each uniform number, runs x cases."""
        place = np.empty(uniform.shape, dtype=np.int64)
        for group in range(edges.shape[0]):
            here = self.groups == group
            place[:, here] = np.searchsorted(edges[group], uniform[:, here])
        taken: Floats = self.pool[np.minimum(place, self.pool.size - 1)]
        return taken


def urn_of(scores: Floats, *, kind: ScoreKind, low: float, high: float, groups: Ints | None = None) -> Urn:
    """Fit the urn to scores, cases x epochs, NaN where a sample has none.

    groups  code of each case's part of the suite: cases of a slice that is better than the others are drawn
            towards their own slice, the whole suite counting for ten cases of it
    The pool is smoothed by half a score one step above its median and half a score one step below, so that a
    perfect suite is not taken for a certain one. `strength` follows from the share of the variance that is
    within cases, as in `fitted_rates`; without repeats it is 1.
    """
    known = ~np.isnan(scores)
    counts: Ints = np.sum(known, axis=1).astype(np.int64)
    order = np.argsort(~known, axis=1, kind="stable")
    own = np.nan_to_num(np.take_along_axis(scores, order, axis=1))
    judged = scores[known]
    middle = float(np.sort(judged)[judged.size // 2]) if judged.size else low
    ends = np.clip(np.array([middle - kind.pseudo, middle + kind.pseudo]), low, high)
    pool, codes = np.unique(np.concatenate([judged, ends]), return_inverse=True)
    weights = np.concatenate([np.ones(judged.size), [0.5, 0.5]])
    if pool.size > MOST_POOLED:
        pool, codes = _condensed(pool, codes, weights)
    everyone: Floats = np.bincount(codes, weights=weights) / weights.sum()
    parts: Ints = np.zeros(scores.shape[0], dtype=np.int64) if groups is None else groups
    shares = everyone[None, :]
    if int(parts.max(initial=0)) > 0:
        counted = np.zeros((int(parts.max()) + 1, pool.size))
        of = np.broadcast_to(parts[:, None], scores.shape)[known]
        np.add.at(counted, (of, codes[: judged.size]), 1.0)
        mixed = counted + _ALL_WEIGH * float(counts.mean()) * everyone
        shares = mixed / mixed.sum(axis=1)[:, None]
    spreads = (shares * np.square(pool)).sum(axis=1) - np.square((shares * pool).sum(axis=1))
    spread = float(spreads[parts].mean()) if parts.size else 0.0
    return Urn(own, counts, pool, shares, parts, _strength(scores, counts, spread))


def _condensed(pool: Floats, codes: Ints, weights: Floats) -> tuple[Floats, Ints]:
    """Put neighbours of a long pool together, each group of about the same weight and standing for its mean.

    The mean stays as it is, and the variance loses what lies within a group: one part in a million
    of it for a uniform pool.
    """
    mass = np.bincount(codes, weights=weights)
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    _, group = np.unique(
        np.minimum((middle * MOST_POOLED).astype(np.int64), MOST_POOLED - 1), return_inverse=True
    )
    means: Floats = np.bincount(group, weights=mass * pool) / np.bincount(group, weights=mass)
    places: Ints = group[codes]
    return means, places


def _strength(scores: Floats, counts: Ints, spread: float) -> float:
    repeated = scores[counts >= 2]
    if repeated.shape[0] < 2 or spread <= 0:
        return 1.0
    share = float(np.nanvar(repeated, axis=1, ddof=1).mean()) / spread
    if share <= 0:
        return 1.0
    found = share / (1 - share) if share < 1 else MOST_STRENGTH
    return min(MOST_STRENGTH, max(LEAST_STRENGTH, found))


def fallen_epochs(
    words: Words, *, runs: int, cases: int, epochs: int, share: float, strength: float
) -> Bools:
    """Draw which epochs a drop takes, runs x cases x epochs, each with chance `share`.

    A drop hits cases as unevenly as the suite's own cases differ: within a case the epochs fall together as a
    Polya urn of the same strength has it. Strength 0 would fell whole cases, a large one single epochs.
    """
    found = np.zeros((runs, cases, epochs), dtype=np.bool_)
    before = np.zeros((runs, cases))
    for epoch in range(epochs):
        chance = (strength * share + before) / (strength + epoch)
        found[:, :, epoch] = words.shares(runs, width=cases) < chance
        before += found[:, :, epoch]
    return found


@dataclass(frozen=True, slots=True)
class Fall:
    """A drop: each epoch falls by `depth`, at most to the floor, with chance `share`."""

    depth: float
    share: float

    def of(self, values: Floats, *, low: float) -> Floats:
        """Return how far each score falls when it does."""
        fallen: Floats = np.minimum(self.depth, np.maximum(0.0, values - low))
        return fallen


def fall_of(urn: Urn, *, delta: float, kind: ScoreKind, low: float) -> Fall | None:
    """Return the shallowest fall that costs the mean of all cases `delta`; None without room for it."""
    step = kind.pseudo
    if kind.kind == "continuous" and kind.step is not None:
        step = max(1, round(step / kind.step)) * kind.step
    for times in range(1, max(1, round(kind.span / step)) + 2):
        whole = Fall(times * step, 1.0)
        cost = urn.expected(whole.of(urn.own, low=low), whole.of(urn.pool, low=low))
        most = float(cost.mean()) if cost.size else 0.0
        if most >= delta - 1e-12 and most > 0:
            return Fall(whole.depth, min(1.0, delta / most))
    return None
