"""Latency, cost, tokens, retrieval and errors beside the scores: they are told, and decide no exit code."""

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
from .rounding import figures
from .sides import Alignment, Side, epochs_of, judged_of

RATIO_ALPHA = 0.05
# A ratio alone calls it news when an instant function takes 60 us instead of 20, a run costs a tenth of a
# cent more, or an answer has three words instead of one. Nobody feels less than this: seconds of the p95, US
# dollars of the run, tokens of a sample.
LATENCY_RISE_S = 0.05
COST_RISE_USD = 0.01
TOKENS_RISE = 20
COUNT_ALPHA = 0.01

_Ratio = Literal["latency_p95_s", "cost_usd", "tokens_in", "tokens_out", "retrieved"]
_Tokens = Literal["tokens_in", "tokens_out"]


def metric_verdicts(
    aligned: Alignment, *, candidate: Side, baseline: Side | None, defaults: Defaults
) -> list[MetricVerdict]:
    """Compare latency p95, cost and errors with the baseline; without one say what the candidate had.

    Tokens and retrieval follow where the target tells them. None of these gates. Labels can be swapped within
    cases, but a whole run can be slow for a reason that no label shows (another machine, an hour of load),
    and the error rate has a limit of its own (`errors.max_rate`); who wants a hard limit has the scorers
    `latency_max`, `cost_max` and those of retrieval. Latency has to rise by `LATENCY_RISE_S`, a run's cost by
    `COST_RISE_USD`, a sample's tokens by `TOKENS_RISE`, beside the ratio's limit.
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
        *_tokens("tokens_in", aligned, was, now, limit=defaults.tokens_ratio),
        *_tokens("tokens_out", aligned, was, now, limit=defaults.tokens_ratio),
        *_retrieval(aligned, was, now, limit=defaults.retrieved_ratio),
    ]


_Pick = Callable[[CaseRow], Sequence[float | None]]


def _latency(row: CaseRow) -> Sequence[float | None]:
    return row.latency_s


def _cost(row: CaseRow) -> Sequence[float | None]:
    return row.cost_usd


def _retrieved(row: CaseRow) -> Sequence[float | None]:
    return row.retrieved


_TOKENS: dict[_Tokens, _Pick] = {
    "tokens_in": lambda row: row.tokens_in,
    "tokens_out": lambda row: row.tokens_out,
}


def _matrix(rows: Sequence[CaseRow], pick: _Pick) -> Floats:
    values = [tuple(pick(row)) for row in rows]
    width = max(1, max((len(one) for one in values), default=0))
    matrix: Floats = np.array([one + (None,) * (width - len(one)) for one in values], dtype=np.float64)
    return matrix.reshape(len(values), width)


def _slower(found: Ratio) -> bool:
    return found.after - found.before >= LATENCY_RISE_S


def _dearer(found: Ratio, rows: Sequence[CaseRow]) -> bool:
    """Tell whether the run as a whole costs enough more: the rise of a sample times the samples that cost."""
    samples = sum(cost is not None for row in rows for cost in row.cost_usd)
    return (found.after - found.before) * samples >= COST_RISE_USD - 1e-9


def _tokens(
    metric: _Tokens, aligned: Alignment, was: Sequence[CaseRow], now: Sequence[CaseRow], *, limit: float
) -> list[MetricVerdict]:
    pick = _TOKENS[metric]
    if not any(pick(row) for row in aligned.rows):
        return []
    found = mean_ratio(_matrix(was, pick), _matrix(now, pick))
    if found is None:
        return [_alone(metric, _matrix(aligned.rows, pick), limit=limit)]
    return [_ratio(metric, found, limit=limit, rises=found.after - found.before >= TOKENS_RISE)]


def _retrieval(
    aligned: Alignment, was: Sequence[CaseRow], now: Sequence[CaseRow], *, limit: float
) -> list[MetricVerdict]:
    """Compare how many documents came back, where fewer is the news, and how many cases came back empty.

    A case that retrieves nothing has no ratio; it counts among the empty ones.
    """
    if not any(row.retrieved for row in aligned.rows):
        return []
    before, after = _matrix(was, _retrieved), _matrix(now, _retrieved)
    fewer = mean_ratio(after, before)
    if fewer is None:
        documents = _alone("retrieved", _matrix(aligned.rows, _retrieved), limit=1 / limit)
    else:
        turned = Ratio(
            before=fewer.after,
            after=fewer.before,
            ratio=1 / fewer.ratio,
            p=fewer.p,
            ci=(1 / fewer.ci[1], 1 / fewer.ci[0]) if fewer.ci else None,
            cases=fewer.cases,
        )
        documents = _ratio("retrieved", turned, limit=1 / limit, rises=True)
    return [documents, _empty(before, after, alone=_matrix(aligned.rows, _retrieved))]


def _empty(before: Floats, after: Floats, *, alone: Floats) -> MetricVerdict:
    """Compare how many cases retrieve nothing in half of their epochs or more.

    Cases and not samples are counted: the epochs of a case mostly retrieve the same.
    """
    both = ~np.isnan(before).all(axis=1) & ~np.isnan(after).all(axis=1)
    cases = int(both.sum())
    if not cases:
        known = ~np.isnan(alone).all(axis=1)
        count, number = _empty_cases(alone), int(known.sum())
        return MetricVerdict(
            metric="empty_retrievals",
            status="not_compared",
            candidate=count / number if number else None,
            n_cases=number,
            note=f"{count} of {number} cases",
        )
    was, now = _empty_cases(before[both]), _empty_cases(after[both])
    return _counted("empty_retrievals", (was, cases), (now, cases), cases=cases, noun="cases")


def _empty_cases(documents: Floats) -> int:
    known = np.sum(~np.isnan(documents), axis=1)
    return int(np.count_nonzero((2 * np.sum(documents == 0, axis=1) >= known) & (known > 0)))


def _ratio(metric: _Ratio, found: Ratio, *, limit: float, rises: bool) -> MetricVerdict:
    beyond = found.ratio > limit if limit > 1 else found.ratio < limit
    above = found.p <= RATIO_ALPHA + P_TOLERANCE and beyond
    worse = above and rises
    return MetricVerdict(
        metric=metric,
        status="regressed" if worse else "pass",
        baseline=figures(found.before),
        candidate=figures(found.after),
        ratio=figures(found.ratio),
        ci=None if found.ci is None else (figures(found.ci[0]), figures(found.ci[1])),
        p=round(found.p, 12),
        limit=limit,
        n_cases=found.cases,
        note="above its limit, by too little to be news" if above and not rises else "",
    )


def _alone(metric: _Ratio, values: Floats, *, limit: float) -> MetricVerdict:
    """Tell the candidate's own value (over all its cases) where there is nothing to compare it with."""
    known = values[~np.isnan(values)]
    candidate = None
    if known.size:
        candidate = p95(known) if metric == "latency_p95_s" else figures(float(known.mean()))
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
    return _counted(
        "errors",
        (errors_before, planned_before),
        (errors, planned),
        cases=len(candidate.rows),
        noun="samples",
    )


def _counted(
    metric: Literal["errors", "empty_retrievals"],
    was: tuple[int, int],
    now: tuple[int, int],
    *,
    cases: int,
    noun: str,
) -> MetricVerdict:
    """Compare two counts of events, each with what it is counted on: one-sided, mid-p, alpha .01."""
    p = more_events(was[0], now[0], exposure_before=was[1], exposure_after=now[1])
    rate, rate_before = now[0] / now[1], was[0] / was[1]
    return MetricVerdict(
        metric=metric,
        status="regressed" if p <= COUNT_ALPHA + P_TOLERANCE else "pass",
        baseline=rate_before,
        candidate=rate,
        ratio=rate / rate_before if was[0] else None,
        p=round(p, 12),
        n_cases=cases,
        note=f"{now[0]} of {now[1]} {noun}, before {was[0]} of {was[1]}",
    )
