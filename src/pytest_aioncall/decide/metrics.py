"""Latency, cost and errors beside the scores. They are reported; they decide no exit code."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..model.baseline import CaseRow
from ..model.config import Defaults
from ..model.verdict import MetricVerdict
from ..stats.arrays import P_TOLERANCE, Floats
from ..stats.counts import more_events
from ..stats.ratios import Ratio, mean_ratio, p95_ratio
from .sides import Alignment, Side, epochs_of, judged_of

RATIO_ALPHA = 0.05
COUNT_ALPHA = 0.01


def metric_verdicts(
    aligned: Alignment, *, candidate: Side, baseline: Side, defaults: Defaults
) -> list[MetricVerdict]:
    """Compare latency p95, cost and errors with the baseline.

    None of the three gates. Labels can be swapped within cases, but a whole run can be slow for a reason that
    no label shows (another machine, an hour of load), and the error rate has a limit of its own
    (`errors.max_rate`); who wants a hard limit has the scorers `latency_max` and `cost_max`.
    """
    pairs = [(row, was) for row, was in zip(aligned.rows, aligned.partners, strict=True) if was is not None]
    now, was = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    latency = p95_ratio(_matrix(was, lambda row: row.latency_s), _matrix(now, lambda row: row.latency_s))
    cost = mean_ratio(_matrix(was, lambda row: row.cost_usd), _matrix(now, lambda row: row.cost_usd))
    return [
        _ratio("latency_p95_s", latency, limit=defaults.latency_p95_ratio, what="latency"),
        _ratio("cost_usd", cost, limit=defaults.cost_ratio, what="cost"),
        _errors(candidate, baseline),
    ]


def _matrix(rows: Sequence[CaseRow], pick: Callable[[CaseRow], tuple[float | None, ...]]) -> Floats:
    values = [pick(row) for row in rows]
    width = max(1, max((len(one) for one in values), default=0))
    matrix: Floats = np.array([one + (None,) * (width - len(one)) for one in values], dtype=np.float64)
    return matrix.reshape(len(values), width)


def _ratio(metric: str, found: Ratio | None, *, limit: float, what: str) -> MetricVerdict:
    if found is None:
        note = f"fewer than two cases have a {what} of their own on both sides"
        return MetricVerdict.model_validate(
            {"metric": metric, "status": "not_compared", "limit": limit, "note": note}
        )
    slower = found.p <= RATIO_ALPHA + P_TOLERANCE and found.ratio > limit
    return MetricVerdict.model_validate(
        {
            "metric": metric,
            "status": "regressed" if slower else "pass",
            "baseline": found.before,
            "candidate": found.after,
            "ratio": found.ratio,
            "ci": found.ci,
            "p": round(found.p, 12),
            "limit": limit,
            "n_cases": found.cases,
        }
    )


def _errors(candidate: Side, baseline: Side) -> MetricVerdict:
    """Compare the shares of samples without a full set of scores: conditional binomial, alpha .01."""
    planned = sum(candidate.planned(row) for row in candidate.rows)
    errors = planned - sum(judged_of(row) for row in candidate.rows)
    planned_before = sum(epochs_of(row) for row in baseline.rows)
    errors_before = planned_before - sum(judged_of(row) for row in baseline.rows)
    if not planned or not planned_before:
        return MetricVerdict(metric="errors", status="not_compared", note="no samples on one side")
    p = more_events(errors_before, errors, exposure_before=planned_before, exposure_after=planned)
    rate, rate_before = errors / planned, errors_before / planned_before
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
