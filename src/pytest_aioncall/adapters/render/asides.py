"""What stands beside the scores: latency, cost, tokens, retrieval and errors, in a line or a sentence."""

from __future__ import annotations

from collections.abc import Callable

from ...model.report import Report
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


def left_elsewhere(report: Report, *, code: Callable[[str], str] = str) -> str:
    """Say that the run lacks answers of cases that this session left out; empty where it lacks none.

    `code` is put around the command that asks for them.
    """
    left = report.run.unfinished - sum(one.unfinished for one in report.evalsets)
    if left <= 0:
        return ""
    verb = "has" if left == 1 else "have"
    shard = report.run.shard
    part = f" --aioncall-shard {shard.index}/{shard.count}" if shard is not None else ""
    command = code(f"pytest --aioncall{part} --aioncall-resume")
    samples = words.counted(left, "sample")
    return f"{samples} of cases left out now {verb} no answer yet; go on with: {command}"


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


def _exact(metric: MetricVerdict, value: float | None) -> str:
    """Write a value beside its ratio: milliseconds with three figures, so that the ratio can be reckoned."""
    if metric.metric == "latency_p95_s" and metric.ratio is not None and value and value < 0.0995:
        milliseconds = value * 1000
        return f"{milliseconds:.{1 if milliseconds >= 10 else 2}f} ms"
    return metric_value(metric, value)


def _times(ratio: float) -> str:
    """Write a ratio with as many figures as the values beside it bear: `1.72`, `12.3`, `186`."""
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}" if ratio < 100 else f"{ratio:,.0f}"


def metric_sentence(metric: MetricVerdict) -> str:
    """Say how a metric beside the scores moved."""
    text = (
        f"{_METRICS[metric.metric]} went from {_exact(metric, metric.baseline)} "
        f"to {_exact(metric, metric.candidate)}"
    )
    if metric.ratio is not None:
        text += f", {_times(metric.ratio)} times the baseline"
    return f"{text} (limit {metric.limit:g})." if metric.limit is not None else f"{text}."


def metric_line(metric: MetricVerdict) -> str:
    """Say on a short line how a metric that does not gate rose, with was and now."""
    moved = f"{_exact(metric, metric.baseline)} -> {_exact(metric, metric.candidate)}"
    times = f", x{_times(metric.ratio)}" if metric.ratio is not None else ""
    limit = f"limit x{metric.limit:g}, " if metric.limit is not None else ""
    return f"{metric_name(metric)} REGRESSED {moved}{times} ({limit}not gating)"


def metric_name(metric: MetricVerdict) -> str:
    """Return a metric's name as people say it, with what its value is of."""
    name = _METRICS[metric.metric]
    return f"{name} a sample" if metric.metric in _OF_A_SAMPLE else name
