"""The numbers of one day: means over cases, overall and by slice, and what a sample took."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from ..model.baseline import CaseRow, ScorerInfo
from ..model.evalset import Gate
from ..model.history import Amounts, MeanRow
from ..model.sample import Sample

SMALLEST_SLICE = 10
"""Cases of a slice below which it is shown and decides nothing; the gate's own limit."""


def mean_rows(
    rows: Sequence[CaseRow], *, scorers: Mapping[str, ScorerInfo], gates: Sequence[Gate]
) -> tuple[MeanRow, ...]:
    """Return the mean of each scorer overall, and on every value of the slices that its gates name.

    A case counts by the mean of its judged epochs; one without any counts in `planned` alone.
    """
    found = []
    for name, info in scorers.items():
        own = [gate for gate in gates if gate.scorer == name]
        applies = [row for row in rows if name in row.scores]
        found.append(_row(name, None, info, applies, gating=bool(own)))
        for dimension in dict.fromkeys(slice_ for gate in own for slice_ in gate.slices):
            parts: dict[str, list[CaseRow]] = defaultdict(list)
            for row in applies:
                if dimension in row.slices:
                    parts[row.slices[dimension]].append(row)
            found += [
                _row(name, {dimension: value}, info, part, gating=len(part) >= SMALLEST_SLICE)
                for value, part in sorted(parts.items())
            ]
    return tuple(found)


def _row(
    scorer: str, slice_: dict[str, str] | None, info: ScorerInfo, rows: Sequence[CaseRow], *, gating: bool
) -> MeanRow:
    means = [mean for row in rows if (mean := case_mean(row.scores[scorer])) is not None]
    return MeanRow(
        scorer=scorer,
        slice=slice_,
        scale=info.scale,
        mean=math.fsum(means) / len(means) if means else None,
        n_cases=len(means),
        judged=sum(value is not None for row in rows for value in row.scores[scorer]),
        planned=sum(len(row.scores[scorer]) for row in rows),
        gating=gating,
    )


def case_mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the judged epochs of one case; None where there is none."""
    judged = [value for value in values if value is not None]
    return math.fsum(judged) / len(judged) if judged else None


def amounts_of(samples: Iterable[Sample]) -> Amounts:
    """Return what a sample took: latency and cost of live answers, the rest of all that tell it.

    A recording's latency, cost and tokens are of another day, and are no part of this one.
    """
    tries: list[float] = []
    known: dict[str, list[float]] = defaultdict(list)
    for sample in samples:
        tries.append(float(sample.attempts))
        output = sample.output
        if output is None or output.replayed is not None:
            continue
        for name in ("latency_s", "cost_usd", "tokens_in", "tokens_out"):
            value = getattr(output, name)
            if value is not None:
                known[name].append(float(value))
        if output.retrieved is not None:
            known["retrieved"].append(float(len(output.retrieved)))
    latency = known["latency_s"]
    return Amounts(
        latency_p50_s=nearest_rank(latency, 0.5),
        latency_p95_s=nearest_rank(latency, 0.95),
        latency_n=len(latency),
        cost_usd=_mean(known["cost_usd"]),
        tokens_in=_mean(known["tokens_in"]),
        tokens_out=_mean(known["tokens_out"]),
        retrieved=_mean(known["retrieved"]),
        attempts=_mean(tries),
    )


def nearest_rank(values: Sequence[float], share: float) -> float | None:
    """Return a percentile by nearest rank, which is a value that was observed; None of nothing."""
    return sorted(values)[max(1, math.ceil(share * len(values))) - 1] if values else None


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
