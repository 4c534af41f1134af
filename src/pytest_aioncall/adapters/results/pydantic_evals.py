"""pydantic-evals: an `EvaluationReport`, saved as JSON by `EvaluationReportAdapter.dump_json(report)`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...model.sample import Score
from .observed import (
    Observed,
    Reading,
    content_id,
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
from .opened import Opened

_REPEAT = re.compile(r"(?s)(.*) \[(\d{1,6})/(\d{1,6})\]\Z")
# The name that pydantic-evals makes of a position where the user gave none.
_POSITION = re.compile(r"Case \d+\Z")


def looks_like(opened: Opened) -> bool:
    """Tell a report by the keys of its cases."""
    found = mapping(opened.json)
    cases = listed(found.get("cases")) + listed(found.get("failures"))
    return "name" in found and bool(cases) and {"name", "inputs"} <= mapping(cases[0]).keys()


def read(opened: Opened) -> Reading:
    """Map every run of a case: assertions are pass or fail, scores are graded, labels cannot be gated."""
    report = opened.json
    reading = Reading("pydantic-evals", title=named(report.get("dataset_name") or "pydantic-evals"))
    about = mapping(report.get("experiment_metadata"))
    variant = {key: named(about[key])[:60] for key in ("model", "prompt") if isinstance(about.get(key), str)}
    cases = [needs(one, dict, f"cases[{n}]") for n, one in enumerate(listed(report.get("cases")))]
    makes = _makes(cases)
    for case in cases:
        observed = _observed(case, variant, tuple(_scores(case, makes, reading)), error=None)
        if observed.scores:
            reading.observed.append(observed)
        else:
            reading.left_out["cases without a score or an assertion, which say nothing"] += 1
    for nth, failure in enumerate(listed(report.get("failures"))):
        needs(failure, dict, f"failures[{nth}]")
        why = text_of(failure.get("error_message")) or "the task raised"
        reading.observed.append(_observed(failure, variant, (), error=why.split("\n", 1)[0][:400]))
    return reading


def _makes(cases: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Return which scores each evaluator makes: one that failed names itself only."""
    found: dict[str, set[str]] = {}
    for case in cases:
        for kind in ("assertions", "scores"):
            for name, result in mapping(case.get(kind)).items():
                evaluator = mapping(mapping(result).get("source")).get("name")
                if isinstance(evaluator, str):
                    found.setdefault(evaluator, set()).add(name)
    return found


def _observed(
    case: dict[str, Any], variant: dict[str, str], scores: tuple[Score, ...], *, error: str | None
) -> Observed:
    given, expected = case.get("inputs"), case.get("expected_output")
    name, epoch = str(case.get("name", "")), None
    if repeat := _REPEAT.match(name):
        name, epoch = repeat[1], int(repeat[2])
    name = str(case.get("source_case_name") or name)
    metrics = mapping(case.get("metrics"))
    return Observed(
        case=content_id(given) if not name or _POSITION.match(name) else named(name),
        digest=digest(given, expected),
        epoch=epoch,
        input=given,
        expected=expected,
        scores=scores,
        error=error,
        text=text_of(case.get("output")),
        slices=slices_of(case.get("metadata")),
        variant=variant,
        latency_s=number(case.get("task_duration")),
        cost_usd=number(metrics.get("cost")),
        tokens_in=count(metrics.get("input_tokens")),
        tokens_out=count(metrics.get("output_tokens")),
    )


def _scores(case: dict[str, Any], makes: dict[str, set[str]], reading: Reading) -> Iterator[Score]:
    seen: set[str] = set()
    for kind in ("assertions", "scores"):
        for name, result in mapping(case.get(kind)).items():
            result = mapping(result)
            seen.add(name)
            made_by = mapping(result.get("source"))
            if made_by.get("name") == "LLMJudge":
                reading.measured_with(named(name), {"arguments": made_by.get("arguments")})
            yield scored(name, result.get("value"), reason=result.get("reason"))
    if case.get("labels"):
        reading.left_out["labels, which have no better and worse"] += len(mapping(case["labels"]))
    for failure in listed(case.get("evaluator_failures")):
        failure = mapping(failure)
        evaluator = str(failure.get("name") or mapping(failure.get("source")).get("name") or "evaluator")
        source = mapping(failure.get("source")).get("name")
        for name in sorted(makes.get(str(source), set()) | makes.get(evaluator, set()) or {evaluator}):
            if name not in seen:
                seen.add(name)
                yield unscored(name, failure.get("error_message"))
