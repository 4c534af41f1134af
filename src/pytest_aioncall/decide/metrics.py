"""Latency, cost and errors beside the scores. They are reported; they decide no exit code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from ..model.baseline import CaseRow
from ..model.config import Defaults
from ..model.verdict import MetricVerdict
from ..stats.arrays import P_TOLERANCE, Floats
from ..stats.counts import more_events
from ..stats.ratios import Ratio, mean_ratio, p95, p95_ratio
from .sides import Alignment, Side, epochs_of, judged_of

RATIO_ALPHA = 0.05
# A ratio alone calls it news when an instant function takes 60 us instead of 20, or a run costs a tenth of a
# cent more. Nobody feels less than this: seconds of the p95, US dollars of the run.
LATENCY_RISE_S = 0.05
COST_RISE_USD = 0.01
COUNT_ALPHA = 0.01


def metric_verdicts(
    aligned: Alignment, *, candidate: Side, baseline: Side | None, defaults: Defaults
) -> list[MetricVerdict]:
    """Compare latency p95, cost and errors with the baseline; without one say what the candidate had.

    None of the three gates. Labels can be swapped within cases, but a whole run can be slow for a reason that
    no label shows (another machine, an hour of load), and the error rate has a limit of its own
    (`errors.max_rate`); who wants a hard limit has the scorers `latency_max` and `cost_max`.
    Latency has to rise by `LATENCY_RISE_S`, a run's cost by `COST_RISE_USD`, beside the ratio's limit.
    """
    pairs = [(row, was) for row, was in zip(aligned.rows, aligned.partners, strict=True) if was is not None]
    now, was = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    latency = p95_ratio(_matrix(was, _latency), _matrix(now, _latency))
    cost = mean_ratio(_matrix(was, _cost), _matrix(now, _cost))
    return [
        _ratio("latency_p95_s", latency, limit=defaults.latency_p95_ratio, rises=_slower(latency))
        if latency
        else _alone("latency_p95_s", _matrix(aligned.rows, _latency), limit=defaults.latency_p95_ratio),
        _ratio("cost_usd", cost, limit=defaults.cost_ratio, rises=_dearer(cost, now))
        if cost
        else _alone("cost_usd", _matrix(aligned.rows, _cost), limit=defaults.cost_ratio),
        _errors(candidate, baseline),
    ]


def _latency(row: CaseRow) -> tuple[float | None, ...]:
    return row.latency_s


def _cost(row: CaseRow) -> tuple[float | None, ...]:
    return row.cost_usd


def _matrix(rows: Sequence[CaseRow], pick: Callable[[CaseRow], tuple[float | None, ...]]) -> Floats:
    values = [pick(row) for row in rows]
    width = max(1, max((len(one) for one in values), default=0))
    matrix: Floats = np.array([one + (None,) * (width - len(one)) for one in values], dtype=np.float64)
    return matrix.reshape(len(values), width)


def _slower(found: Ratio) -> bool:
    return found.after - found.before >= LATENCY_RISE_S


def _dearer(found: Ratio, rows: Sequence[CaseRow]) -> bool:
    """Tell whether the run as a whole costs enough more: the rise of a sample times the samples that cost."""
    samples = sum(cost is not None for row in rows for cost in row.cost_usd)
    return (found.after - found.before) * samples >= COST_RISE_USD - 1e-9


def _ratio(
    metric: Literal["latency_p95_s", "cost_usd"], found: Ratio, *, limit: float, rises: bool
) -> MetricVerdict:
    above = found.p <= RATIO_ALPHA + P_TOLERANCE and found.ratio > limit
    worse = above and rises
    return MetricVerdict(
        metric=metric,
        status="regressed" if worse else "pass",
        baseline=found.before,
        candidate=found.after,
        ratio=found.ratio,
        ci=found.ci,
        p=round(found.p, 12),
        limit=limit,
        n_cases=found.cases,
        note="above its limit, by too little to be news" if above and not rises else "",
    )


def _alone(metric: Literal["latency_p95_s", "cost_usd"], values: Floats, *, limit: float) -> MetricVerdict:
    """Tell the candidate's own value (over all its cases) where there is nothing to compare it with."""
    known = values[~np.isnan(values)]
    candidate = None
    if known.size:
        candidate = p95(known) if metric == "latency_p95_s" else float(known.mean())
    return MetricVerdict(
        metric=metric,
        status="not_compared",
        candidate=candidate,
        limit=limit,
        n_cases=int(np.count_nonzero(~np.isnan(values).all(axis=1))),
        note="fewer than two cases have one of their own on both sides",
    )


def _errors(candidate: Side, baseline: Side | None) -> MetricVerdict:
    """Compare the shares of samples without a full set of scores: conditional binomial, alpha .01."""
    planned = sum(candidate.planned(row) for row in candidate.rows)
    errors = planned - sum(judged_of(row) for row in candidate.rows)
    before = baseline.rows if baseline else ()
    planned_before = sum(epochs_of(row) for row in before)
    errors_before = planned_before - sum(judged_of(row) for row in before)
    rate = errors / planned if planned else None
    if rate is None or not planned_before:
        note = f"{errors} of {planned} samples"
        return MetricVerdict(
            metric="errors", status="not_compared", candidate=rate, n_cases=len(candidate.rows), note=note
        )
    p = more_events(errors_before, errors, exposure_before=planned_before, exposure_after=planned)
    rate_before = errors_before / planned_before
    return MetricVerdict(
        metric="errors",
        status="regressed" if p <= COUNT_ALPHA + P_TOLERANCE else "pass",
        baseline=rate_before,
        candidate=rate,
        ratio=rate / rate_before if errors_before else None,
        p=round(p, 12),
        n_cases=len(candidate.rows),
        note=f"{errors} of {planned} samples, before {errors_before} of {planned_before}",
    )
