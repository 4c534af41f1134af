"""Procedures: each takes one change and says which words are true of its answer.

The gate goes through its public door; the others are what people use instead, all one-sided at .05 where they
have a level, so that nothing but the procedure differs. None of them knows of clusters, as in practice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from scipy import stats
from scipy.special import ndtr, ndtri

from pytest_aioncall.decide.compare import Side, judge
from pytest_aioncall.model.baseline import CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import Gate
from pytest_aioncall.model.verdict import Judgement

from .worlds import SCALE, Change, Floats

ALPHA = 0.05
FIXED_SHARE = 0.03
GOOD_GRADE = 4.0
RESAMPLES = 2_000
SIGMAS = 2.0
# Said for every row: pydantic would copy its default deeply, at a third of the cost of a simulation.
NONE: dict[str, Any] = {}

Drawn = TypeVar("Drawn")


@dataclass(frozen=True, slots=True)
class Method(Generic[Drawn]):
    """A procedure.

    decide   what is true of its answer on one change: label -> 1 (or another number, such as calls made);
             labels left out count 0
    labels   all that it may say
    A procedure that draws its samples in rounds is one more of these: it may read `Change.after` by columns.
    """

    name: str
    decide: Callable[[Drawn], Mapping[str, float]]
    labels: tuple[str, ...] = ("red", "pass")


# --- the gate ---


def sides(change: Change) -> tuple[Side, Side]:
    """Return (baseline, candidate) as the gate takes them."""
    info = {"score": ScorerInfo(kind="exact", scale=SCALE[change.kind])}
    size = change.cluster_size
    found = []
    for scores in (change.before, change.after):
        rows = tuple(
            CaseRow(
                case=f"case-{i}",
                digest="d",
                slices=NONE,
                cluster=f"doc-{i // size}" if size > 1 else None,
                scores={"score": tuple(values)},
                labels=NONE,
            )
            for i, values in enumerate(scores.tolist())
        )
        found.append(Side(rows=rows, scorers=info))
    return found[0], found[1]


def judged(change: Change) -> Judgement:
    """Judge one change through the gate's public door, with its default settings."""
    baseline, candidate = sides(change)
    gate = Gate(scorer="score", margin=change.margin, claim=change.claim)
    return judge(
        candidate, baseline, evalset="simulated", gates=(gate,), defaults=Defaults(), max_error_rate=0.02
    )


def said(found: Judgement) -> dict[str, float]:
    """Return what is true of a judgement with one row.

    noticed   a drop was significant: red, or green with the note that a small drop is within the margin
    p > .05   what a gate would pass that takes a missing proof of a drop for the proof of none
    """
    p = found.verdicts[0].p_adjusted
    significant = p is not None and p <= ALPHA
    words = {"noticed" if significant else "p > .05": 1.0}
    words["red" if found.exit_code == 1 else "pass" if found.status == "pass" else "inconclusive"] = 1.0
    return words


GATE: Method[Change] = Method(
    "gate", lambda change: said(judged(change)), ("red", "pass", "inconclusive", "noticed", "p > .05")
)


# --- what people use instead ---


def verdict(red: object) -> dict[str, float]:
    """Return the answer of a procedure that knows two."""
    return {"red" if red else "pass": 1.0}


def fixed_threshold(change: Change) -> dict[str, float]:
    """Fail when the mean of all samples fell by 3 % of the scale or more: 3 points, or .12 on 1-5."""
    low, high = SCALE[change.kind]
    fell = float(change.before.mean() - change.after.mean())
    return verdict(fell >= FIXED_SHARE * (high - low) - 1e-9)


def unpaired(change: Change) -> dict[str, float]:
    """Test all samples of one run against all of the other: two proportions z (pooled), or Welch's t."""
    was, now = change.before.ravel(), change.after.ravel()
    if change.kind == "binary":
        share = (was.sum() + now.sum()) / (was.size + now.size)
        se = float(np.sqrt(share * (1 - share) * (1 / was.size + 1 / now.size)))
        return verdict(se > 0 and ndtr((now.mean() - was.mean()) / se) <= ALPHA)
    return verdict(stats.ttest_ind(now, was, equal_var=False, alternative="less").pvalue <= ALPHA)


def majority_mcnemar(change: Change) -> dict[str, float]:
    """Take a majority vote a case (mean grade 4 or better on 1-5), then McNemar's exact test."""
    limit = 0.5 + 1e-9 if change.kind == "binary" else GOOD_GRADE - 1e-9
    was, now = change.before.mean(axis=1) > limit, change.after.mean(axis=1) > limit
    lost, won = int(np.sum(was & ~now)), int(np.sum(~was & now))
    return verdict(lost + won > 0 and stats.binom.sf(lost - 1, lost + won, 0.5) <= ALPHA)


def bca_upper(differences: Floats, *, alpha: float, seed: int) -> float:
    """Return the upper BCa bound of a mean (Efron 1987), 2,000 resamples.

    Cases with equal differences are interchangeable, so a resample is a multinomial draw of how often each
    distinct difference comes: the same law as drawing cases, and quicker.
    """
    values, counts = np.unique(differences, return_counts=True)
    if values.size == 1:
        return float(values[0])
    rng = np.random.default_rng(seed)
    means = rng.multinomial(differences.size, counts / differences.size, RESAMPLES) @ values
    means /= differences.size
    mean = float(differences.mean())
    below = float(np.mean(means < mean - 1e-12) + np.mean(means <= mean + 1e-12)) / 2
    centred = differences - mean
    acceleration = float((centred**3).sum() / (6 * (centred**2).sum() ** 1.5))
    bias, z = float(ndtri(below)), float(ndtri(1 - alpha))
    level = ndtr(bias + (bias + z) / (1 - acceleration * (bias + z)))
    return float(np.quantile(means, level))


def bca(change: Change) -> dict[str, float]:
    """Fail when the 90 % BCa interval of the mean difference over cases lies below zero."""
    differences = change.after.mean(axis=1) - change.before.mean(axis=1)
    return verdict(bca_upper(differences, alpha=ALPHA, seed=change.seed) < 0)


def rolling_mean(change: Change) -> dict[str, float]:
    """Fail when the run lies more than 2 standard deviations under the mean of the last seven runs."""
    low = change.earlier.mean() - SIGMAS * change.earlier.std(ddof=1)
    return verdict(change.after.mean() < low - 1e-12)


COMMON: tuple[Method[Change], ...] = (
    Method("3-point threshold", fixed_threshold),
    Method("unpaired test", unpaired),
    Method("McNemar, majority", majority_mcnemar),
    Method("BCa bootstrap", bca),
    Method("rolling mean - 2 sd", rolling_mean),
)
EVERY: tuple[Method[Change], ...] = (GATE, *COMMON)
