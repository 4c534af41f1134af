"""From samples to rows: what a run observed of one case, as the gate and the baseline take it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter
from typing import Any

from ..model.baseline import CaseRow
from ..model.frozen import canonical_json
from ..model.sample import Output, Sample, Score


def row_of(samples: Sequence[Sample], *, scorers: Collection[str]) -> CaseRow:
    """Turn the samples of one case, in any order, into its row, sorted by epoch.

    scorers  names of the evalset's scorers; `must` scores are no part of a row
    A scorer applies to the case when some sample carries its score, judged or errored, and none says that
    there was nothing to measure. Where no sample has an output nothing can carry one: then all of `scorers`
    were planned. Replayed outputs have no latency, cost and tokens here: theirs are the recording's. Raises
    ValueError without a sample or with samples of two cases.
    """
    if not samples or len({sample.case for sample in samples}) != 1:
        raise ValueError("row_of takes the samples of one case, at least one")
    ordered = sorted(samples, key=_epoch) if len(samples) > 1 else samples
    first = ordered[0]
    scored = [{score.scorer: score for score in sample.scores} for sample in ordered]
    answered = any(sample.output is not None for sample in ordered)
    unmeasured = {
        score.scorer
        for sample in ordered
        for score in sample.scores
        if score.value is None and score.not_measured
    }
    names = [
        name
        for name in scorers
        if name not in unmeasured and (not answered or any(name in scores for scores in scored))
    ]
    labels = {name: tuple([_label(scores.get(name)) for scores in scored]) for name in names}
    # Built from what was validated already; 10,000 rows share their slices with the cases.
    return CaseRow.model_construct(
        _ROW_FIELDS,
        case=first.case,
        digest=first.digest,
        slices=first.slices,
        cluster=first.cluster,
        scores=_shared({name: tuple([_value(scores.get(name)) for scores in scored]) for name in names}),
        labels=_shared({name: found for name, found in labels.items() if found.count(None) < len(found)}),
        latency_s=tuple([_own(sample.output, "latency_s") for sample in ordered]),
        cost_usd=_one_of(tuple([_own(sample.output, "cost_usd") for sample in ordered])),
        tokens_in=_known(_own(sample.output, "tokens_in") for sample in ordered),
        tokens_out=_known(_own(sample.output, "tokens_out") for sample in ordered),
        retrieved=_known(_documents(sample.output) for sample in ordered),
        errors=sum(sample.output is None for sample in ordered),
    )


_ROW_FIELDS = set(CaseRow.model_fields)
_epoch = attrgetter("epoch")
_MOST_SHARED = 4096
_ByScorer = dict[str, tuple[Any, ...]]
_alike: dict[tuple[tuple[str, tuple[Any, ...]], ...], _ByScorer] = {}
_costs: dict[tuple[float | None, ...], tuple[float | None, ...]] = {}


def _shared(by_scorer: _ByScorer) -> _ByScorer:
    """Return one dict for all rows in which every scorer says the same; nobody writes into a row's.

    Most of 10,000 rows say one of a few things: sharing them saves a third of their memory.
    """
    if len(_alike) >= _MOST_SHARED:
        return by_scorer
    return _alike.setdefault(tuple(by_scorer.items()), by_scorer)


def _one_of(costs: tuple[float | None, ...]) -> tuple[float | None, ...]:
    """Return one tuple for all rows that cost the same: nothing known, most often."""
    return _costs.setdefault(costs, costs) if len(_costs) < _MOST_SHARED else costs


def output_hash(output: Output) -> str:
    """Return the SHA-256 of what the target answered: text, data and tool calls, not how fast or how dear."""
    if output.data is None and output.tool_calls is None:
        return hashlib.sha256(output.text.encode("utf-8", "surrogatepass")).hexdigest()
    content = {"text": output.text, "data": output.data, "tool_calls": output.tool_calls}
    return hashlib.sha256(canonical_json(content).encode("utf-8", "surrogatepass")).hexdigest()


def _value(score: Score | None) -> float | None:
    return None if score is None or score.error is not None else score.value


def _label(score: Score | None) -> str | None:
    return None if score is None or score.error is not None else score.label


def _own(output: Output | None, name: str) -> Any:
    return None if output is None or output.replayed is not None else getattr(output, name)


def _documents(output: Output | None) -> int | None:
    return None if output is None or output.retrieved is None else len(output.retrieved)


def _known(values: Iterable[int | None]) -> tuple[int | None, ...]:
    """Return the values, none at all where not one is known: most targets tell no tokens."""
    found = tuple(values)
    return found if found.count(None) < len(found) else ()
