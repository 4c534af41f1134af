"""Scores on a lattice, and exact distributions of sums on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .arrays import Floats, Ints

# Beyond this many cells a scale is called continuous for the pseudo-pair and the floor of the noise,
# though its sums may still be counted exactly.
COARSE_CELLS = 20
FINE_CELLS = 1000


@dataclass(frozen=True, slots=True)
class ScoreKind:
    """What sort of numbers a scorer gives.

    kind   binary: only the two ends of the scale; lattice: at most 20 equal steps; continuous: all else
    step   width of one step in units of the scale; None where no lattice of 1,000 cells holds all scores
    span   highest - lowest of the scale
    """

    kind: Literal["binary", "lattice", "continuous"]
    step: float | None
    span: float

    @property
    def pseudo(self) -> float:
        """Return h of the pseudo-pair: the span, one step, or a quarter of the span."""
        if self.kind == "binary":
            return self.span
        if self.kind == "lattice" and self.step is not None:
            return self.step
        return self.span / 4

    @property
    def least_noise(self) -> float:
        """Return the least within-case standard deviation to reckon with: half a step, or span/8.

        Half a step on 1-5 is span/8; scores without a lattice get the same share of their span.
        """
        return self.step / 2 if self.kind == "lattice" and self.step is not None else self.span / 8


def score_kind(values: Floats, *, low: float, high: float) -> ScoreKind:
    """Find the coarsest lattice low, low + step, ..., high that holds all `values` (no NaN among them)."""
    span = high - low
    if values.size == 0:
        return ScoreKind("continuous", None, span)
    shares = np.unique((values - low) / span)
    for cells in range(1, FINE_CELLS + 1):
        if cells > 2 * COARSE_CELLS and cells % 50 and cells != 64:
            continue
        scaled = shares * cells
        if bool(np.all(np.abs(scaled - np.rint(scaled)) < 1e-7)):
            kind: Literal["binary", "lattice", "continuous"] = "lattice"
            if cells == 1:
                kind = "binary"
            elif cells > COARSE_CELLS:
                kind = "continuous"
            return ScoreKind(kind, span / cells, span)
    return ScoreKind("continuous", None, span)


def difference_step(step: float | None, *, counts: Ints) -> float | None:
    """Return the lattice step of differences of means over `counts` (distinct) numbers of epochs."""
    if step is None or counts.size == 0:
        return None
    common = math.lcm(*(int(count) for count in np.unique(counts)))
    return step / common if common <= 27_720 else None


def whole(values: Floats, *, step: float) -> Ints | None:
    """Return `values` in whole steps, or None when one of them lies between two."""
    scaled = values / step
    rounded = np.rint(scaled)
    if not bool(np.all(np.abs(scaled - rounded) < 1e-5)):
        return None
    steps: Ints = rounded.astype(np.int64)
    return steps


def sign_sum_below(weights: Ints, *, total: int) -> float:
    """Return P(S < total) + P(S = total)/2 for S = sum of +-weights with fair signs.

    weights  positive whole numbers
    total    a sum that some pattern of signs reaches
    The sum of the weights that turn negative has the characteristic function
    prod ((1 + e^(iwt))/2) = e^(iTt/2) prod cos(wt/2); its inverse on a grid of at least T + 1 points is exact
    but for rounding (about 1e-15). This is the convolution of (z^-w + z^w)/2 over all weights.
    """
    whole_sum = int(weights.sum())
    points = 1 << whole_sum.bit_length()
    grid = np.arange(points // 2 + 1, dtype=np.int64)
    magnitude = np.ones(grid.size)
    distinct, counts = np.unique(weights, return_counts=True)
    for weight, count in zip(distinct.tolist(), counts.tolist(), strict=True):
        magnitude *= np.cos(np.pi * ((grid * weight) % (2 * points)) / points) ** count
    angle = np.pi * ((grid * whole_sum) % (2 * points)) / points
    mass = np.fft.irfft(magnitude * np.exp(-1j * angle), n=points)
    turned = (whole_sum - total) // 2
    return _clip(float(mass[turned + 1 : whole_sum + 1].sum() + mass[turned] / 2))


def sign_sum_cost(weights: Ints) -> int:
    """Return how many cosines `sign_sum_below` takes."""
    return int(np.unique(weights).size) << int(weights.sum()).bit_length()


def power_sum_below(parts: list[tuple[Floats, int]], *, total: int) -> float:
    """Return P(S < total) + P(S = total)/2 for a sum of independent non-negative whole numbers.

    parts  (mass function on 0, 1, ..., how many summands have it)
    """
    width = sum((mass.size - 1) * count for mass, count in parts)
    points = 1 << max(1, width).bit_length()
    transform = np.ones(points // 2 + 1, dtype=np.complex128)
    for mass, count in parts:
        transform *= np.fft.rfft(mass, n=points) ** count
    summed = np.fft.irfft(transform, n=points)
    return _clip(float(summed[:total].sum() + summed[total] / 2))


def _clip(p: float) -> float:
    return min(1.0, max(0.0, p))
