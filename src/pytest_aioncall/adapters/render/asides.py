"""What stands beside the scores: latency, cost, tokens, retrieval and errors, in a line or a sentence."""

from __future__ import annotations

from ...model.verdict import MetricVerdict
from . import words

_METRICS = {
    "latency_p95_s": "p95 latency",
    "cost_usd": "cost",
    "errors": "errors",
    "tokens_in": "input tokens",
    "tokens_out": "output tokens",
    "retrieved": "retrieved documents",
    "empty_retrievals": "empty retrievals",
}
_OF_A_SAMPLE = ("cost_usd", "tokens_in", "tokens_out", "retrieved")


def metric_value(metric: MetricVerdict, value: float | None) -> str:
    """Write a value of a metric in its unit."""
    if metric.metric == "latency_p95_s":
        return words.seconds(value)
    if metric.metric == "cost_usd":
        return words.money(value)
    if metric.metric in ("tokens_in", "tokens_out") and value is not None:
        return f"{value:,.0f}"
    if metric.metric == "retrieved" and value is not None:
        return words.number(value, 1)
    return words.NOTHING if value is None else words.rate(value)


def metric_sentence(metric: MetricVerdict) -> str:
    """Say how a metric beside the scores moved."""
    text = (
        f"{_METRICS[metric.metric]} went from {metric_value(metric, metric.baseline)} "
        f"to {metric_value(metric, metric.candidate)}"
    )
    if metric.ratio is not None:
        text += f", {metric.ratio:.2f} times the baseline"
    return f"{text} (limit {metric.limit:g})." if metric.limit is not None else f"{text}."


def metric_line(metric: MetricVerdict) -> str:
    """Say on a short line how a metric that does not gate rose, with was and now."""
    moved = f"{metric_value(metric, metric.baseline)} -> {metric_value(metric, metric.candidate)}"
    times = f", x{metric.ratio:.2f}" if metric.ratio is not None else ""
    limit = f"limit x{metric.limit:g}, " if metric.limit is not None else ""
    return f"{metric_name(metric)} REGRESSED {moved}{times} ({limit}not gating)"


def metric_name(metric: MetricVerdict) -> str:
    """Return a metric's name as people say it, with what its value is of."""
    name = _METRICS[metric.metric]
    return f"{name} a sample" if metric.metric in _OF_A_SAMPLE else name
