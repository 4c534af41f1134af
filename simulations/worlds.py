"""Worlds: what a change does to a suite of cases, and the two runs that somebody sees of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from pytest_aioncall.model.evalset import Claim

Floats: TypeAlias = NDArray[np.float64]
Rising: TypeAlias = Callable[[float], float]
Kind = Literal["binary", "graded"]
Edit = Literal["none", "edit", "documents"]

SCALE = {"binary": (0.0, 1.0), "graded": (1.0, 5.0)}
MARGIN = {"binary": 0.05, "graded": 0.16}
PASS_RATE, GRADED_MEAN = 0.9, 4.21
CASE_SD, RUN_SD, DOCUMENT_SD = 0.8, 0.6, 0.5
EDITED_SHARE, KEPT = 0.1, 0.8
DOCUMENT_PUSH = 0.3
EARLIER_RUNS = 7
STEPS = np.array([1.5, 2.5, 3.5, 4.5])


@dataclass(frozen=True, slots=True)
class Change:
    """One simulated change as a tool sees it.

    before, after  scores of the two runs, cases x epochs
    earlier        means of the seven runs before the baseline run, the same cases and epochs
    cluster_size   cases of one document, which stand beside each other; 1: every case by itself
    seed           for a procedure that draws random numbers of its own
    """

    before: Floats
    after: Floats
    earlier: Floats
    kind: Kind
    claim: Claim
    cluster_size: int
    seed: int

    @property
    def margin(self) -> float:
        """Return the default margin of the scale."""
        return MARGIN[self.kind]


@dataclass(frozen=True, slots=True)
class World:
    """How to draw a change.

    edit          none; edit: single cases become easier or harder and the mean stays; documents: all cases of
                  a document move together and the mean stays
    drop          true drop of the mean, in units of the scale; `given`: of the mean of the very cases drawn,
                  else of the mean over all cases of the kind
    broken        cases that fail for good (binary)
    """

    kind: Kind
    cases: int
    epochs: int
    edit: Edit = "none"
    drop: float = 0.0
    given: bool = False
    broken: int = 0
    cluster_size: int = 1
    claim: Claim = "auto"

    def draw(self, rng: np.random.Generator) -> Change:
        """Draw one change: first what is true of the cases, then what two runs show of it."""
        was, now = self._binary(rng) if self.kind == "binary" else self._graded(rng)
        return Change(
            before=sampled(rng, was, kind=self.kind, epochs=self.epochs),
            after=sampled(rng, now, kind=self.kind, epochs=self.epochs),
            earlier=_earlier(rng, was, kind=self.kind, epochs=self.epochs),
            kind=self.kind,
            claim=self.claim,
            cluster_size=self.cluster_size,
            seed=int(rng.integers(1 << 62)),
        )

    def _binary(self, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return each case's pass rate before and after."""
        if self.edit == "documents":
            documents = -(-self.cases // self.cluster_size)
            push = rng.choice([-DOCUMENT_PUSH, 0.0, DOCUMENT_PUSH], documents)
            middling = rng.uniform(DOCUMENT_PUSH, 1 - DOCUMENT_PUSH, self.cases)
            return middling, middling + np.repeat(push, self.cluster_size)[: self.cases]
        was = flaky(rng, self.cases)
        now = was.copy()
        if self.edit == "edit":
            now = np.where(rng.random(self.cases) < EDITED_SHARE, flaky(rng, self.cases), was)
        if self.drop:
            mean = float(was.mean()) if self.given else PASS_RATE
            now = now * max(0.0, 1 - self.drop / mean)
        now[: self.broken] = 0.0
        return was, now

    def _graded(self, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return each case's level before and after; a score is the level with noise, rounded and cut."""
        centre = level_of_mean(GRADED_MEAN)
        if self.edit == "documents":
            documents = -(-self.cases // self.cluster_size)
            own = rng.normal(centre, math.sqrt(CASE_SD**2 - DOCUMENT_SD**2), self.cases)
            effects = rng.normal(0, DOCUMENT_SD, (2, documents))
            was, now = own + np.repeat(effects, self.cluster_size, axis=1)[:, : self.cases]
            return was, now
        was = rng.normal(centre, CASE_SD, self.cases)
        now = was
        if self.edit == "edit":
            fresh = rng.normal(0, CASE_SD, self.cases)
            now = centre + KEPT * (was - centre) + math.sqrt(1 - KEPT**2) * fresh
        if self.drop:
            shift = _given_shift(was, self.drop) if self.given else graded_shift(self.drop)
            now = now - shift
        return was, now


def flaky(rng: np.random.Generator, cases: int) -> Floats:
    """Return pass rates of a suite with few flaky cases, mean .9: Beta(.9, .1)."""
    return rng.beta(PASS_RATE, 1 - PASS_RATE, cases)


def sampled(rng: np.random.Generator, truth: Floats, *, kind: Kind, epochs: int) -> Floats:
    """Return the scores of one run, cases x epochs."""
    shape = (truth.size, epochs)
    if kind == "binary":
        return (rng.random(shape) < truth[:, None]).astype(np.float64)
    return rounded(truth[:, None] + rng.normal(0, RUN_SD, shape))


def rounded(latent: Floats) -> Floats:
    """Return grades of 1 to 5."""
    grades: Floats = np.clip(np.rint(latent), 1, 5)
    return grades


def _earlier(rng: np.random.Generator, truth: Floats, *, kind: Kind, epochs: int) -> Floats:
    if kind == "binary":
        passed = rng.binomial(epochs, truth, (EARLIER_RUNS, truth.size))
        rates: Floats = passed.mean(axis=1) / epochs
        return rates
    noise = rng.normal(0, RUN_SD, (EARLIER_RUNS, truth.size, epochs))
    means: Floats = rounded(truth[None, :, None] + noise).mean(axis=(1, 2))
    return means


def expected_grade(levels: Floats, *, noise: float) -> Floats:
    """Return the mean grade of each level: 1 + sum over k of P(level + noise > k + .5)."""
    means: Floats = 1 + ndtr((levels[:, None] - STEPS) / noise).sum(axis=1)
    return means


@lru_cache
def level_of_mean(mean: float) -> float:
    """Return the mean level of all cases whose grades have the mean `mean`."""
    spread = math.hypot(CASE_SD, RUN_SD)
    return _solved(lambda level: float(expected_grade(np.array([level]), noise=spread)[0]) - mean, 0.0, 8.0)


@lru_cache
def graded_shift(drop: float) -> float:
    """Return the shift of every level that lowers the mean grade of 4.21 over all cases by `drop`."""
    return level_of_mean(GRADED_MEAN) - level_of_mean(GRADED_MEAN - drop)


def _given_shift(levels: Floats, drop: float) -> float:
    """Return the shift that lowers the mean expected grade of these very cases by `drop`."""
    start = float(expected_grade(levels, noise=RUN_SD).mean())
    return _solved(
        lambda shift: start - float(expected_grade(levels - shift, noise=RUN_SD).mean()) - drop, 0.0, 8.0
    )


def _solved(rising: Rising, low: float, high: float) -> float:
    """Return where a rising function crosses zero, by bisection."""
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return low
