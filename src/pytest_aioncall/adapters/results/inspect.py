"""inspect: `.eval` logs (a zip) and `.json` logs of `inspect eval`, one task and one model each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ...model.sample import Score
from .observed import (
    Observed,
    Reading,
    count,
    digest,
    listed,
    mapping,
    named,
    needs,
    number,
    scored,
    slices_of,
    text_of,
    unscored,
)
from .opened import Opened, read_json

HEADER = "header.json"
# What `inspect_ai.scorer.value_to_float` makes of its letters and words.
_LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
_KEPT_ARGUMENT = 60


def looks_like(opened: Opened) -> bool:
    """Tell a log by its members or its keys."""
    if opened.zip is not None:
        return any(name in opened.zip.names for name in (HEADER, "_journal/start.json"))
    return isinstance(opened.json, dict) and isinstance(opened.json.get("eval"), dict)


def read(opened: Opened) -> Reading:
    """Map every sample: its id is the case, each scorer (or key of a scorer's mapping) is a scorer."""
    if opened.zip is not None:
        finished = HEADER in opened.zip.names
        header = read_json(
            opened.zip.read(HEADER if finished else "_journal/start.json").decode("utf-8", "replace")
        )
    else:
        header = opened.json
    log = needs(header, dict, HEADER)
    spec = needs(log.get("eval"), dict, "eval")
    task = named(spec.get("task") or "task")
    reading = Reading("inspect", title=task)
    for scorer in listed(spec.get("scorers")):
        options = mapping(mapping(scorer).get("options"))
        reading.measured_with(named(mapping(scorer).get("name")), options)
    variant = _variant(spec)
    seen: set[tuple[str, int]] = set()
    for sample in _samples(opened):
        observed = _observed(sample, task=task, variant=variant)
        seen.add((observed.case, observed.epoch or 1))
        reading.observed.append(observed)
    _add_missing(reading, spec, seen, task=task, variant=variant)
    status = log.get("status", "started")
    if status != "success":
        reading.notes.append(f"the log's status is {status!r}: inspect did not finish this run")
    return reading


def _samples(opened: Opened) -> Iterator[dict[str, Any]]:
    if opened.zip is None:
        for nth, sample in enumerate(needs(opened.json.get("samples", []) or [], list, "samples")):
            yield needs(sample, dict, f"samples[{nth}]")
        return
    for name in opened.zip.names:
        if name.startswith("samples/") and name.endswith(".json"):
            yield needs(read_json(opened.zip.read(name).decode("utf-8", "replace")), dict, name)


def _variant(spec: dict[str, Any]) -> dict[str, str]:
    found = {"model": named(spec.get("model") or "model")}
    for key, value in mapping(spec.get("task_args")).items():
        found[named(key)] = named(text_of(value))[:_KEPT_ARGUMENT]
    return found


def _observed(sample: dict[str, Any], *, task: str, variant: dict[str, str]) -> Observed:
    given, expected = _question(sample.get("input")), sample.get("target")
    error = mapping(sample.get("error")).get("message") if sample.get("error") else None
    output, usage = mapping(sample.get("output")), mapping(mapping(sample.get("output")).get("usage"))
    epoch = count(sample.get("epoch"))
    scores = () if error else tuple(_scores(mapping(sample.get("scores"))))
    return Observed(
        case=named(sample.get("id", "")),
        digest=digest([given, sample.get("choices")], expected),
        epoch=epoch,
        input=given,
        expected=expected,
        scores=scores,
        error=_first_line(text_of(error) or "inspect gives no reason") if sample.get("error") else None,
        text=None if error else text_of(output.get("completion")),
        slices=slices_of(sample.get("metadata")),
        variant=variant,
        evalset=task,
        latency_s=number(output.get("time")),
        tokens_in=count(usage.get("input_tokens")),
        tokens_out=count(usage.get("output_tokens")),
        cost_usd=number(usage.get("total_cost")),
        model=variant["model"],
    )


def _first_line(message: str) -> str:
    return next((line.strip() for line in message.splitlines() if line.strip()), message)[:400]


def _question(given: Any) -> Any:
    """Return the input without the ids that inspect gives to messages, new ones in every run."""
    if not isinstance(given, list):
        return given
    kept = ("role", "content", "tool_calls", "tool_call_id")
    return [{key: mapping(m)[key] for key in kept if mapping(m).get(key)} for m in given]


def _scores(found: dict[str, Any]) -> Iterator[Score]:
    for name, score in found.items():
        score = mapping(score)
        value, why = score.get("value"), score.get("explanation")
        if isinstance(value, dict):
            for key, part in value.items():
                yield _score(f"{name}.{key}", part, why, score)
        elif isinstance(value, list):
            for nth, part in enumerate(value):
                yield _score(f"{name}.{nth}", part, why, score)
        else:
            yield _score(name, value, why, score)


def _score(name: str, value: Any, why: Any, score: dict[str, Any]) -> Score:
    """Map a value as inspect's own metrics do; what they would warn of and call 0 is unscored here."""
    if isinstance(value, str):
        known = _LETTERS.get(value, _WORDS.get(value.lower()))
        if known is not None:
            binary = value in ("C", "I") or value.lower() in _WORDS
            return scored(name, bool(known) if binary else known, reason=why, label=value)
        try:
            return scored(name, float(value), reason=why)
        except ValueError:
            return unscored(name, f"the value {json.dumps(value[:60])} is no number")
    if value is None or value != value:
        return unscored(name, score.get("reason") or why or "inspect could not score it")
    return scored(name, value, reason=why)


def _add_missing(
    reading: Reading, spec: dict[str, Any], seen: set[tuple[str, int]], *, task: str, variant: dict[str, str]
) -> None:
    """Add the samples that were planned and that no member holds: they are errors, not absent."""
    ids = [named(one) for one in listed(mapping(spec.get("dataset")).get("sample_ids"))]
    planned = mapping(spec.get("config"))
    limit = planned.get("limit")
    if limit is not None or planned.get("sample_id") is not None:
        ids = [one for one in ids if any(case == one for case, _ in seen)]
    known = {one.case: one for one in reading.observed}
    epochs = min(count(planned.get("epochs")) or 1, 1000)
    for case in ids:
        for epoch in range(1, epochs + 1):
            if (case, epoch) not in seen:
                like = known.get(case)
                reading.observed.append(
                    Observed(
                        case=case,
                        digest=like.digest if like else "",
                        epoch=epoch,
                        slices=like.slices if like else {},
                        error="planned, but the log has no such sample",
                        evalset=task,
                        variant=variant,
                    )
                )
