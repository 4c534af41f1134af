"""deepeval: the test runs that it keeps, `test_run_*.json` of a results folder or `.latest_run_full.json`."""

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

# Names that deepeval makes of a position where the user gave none.
_POSITION = re.compile(r"(conversational_)?test_case_\d+\Z")
_CONVERSATION = ("scenario", "userDescription", "context")


def looks_like(opened: Opened) -> bool:
    """Tell a test run by its keys; `.latest_test_run.json` holds one below `testRunData`."""
    return "testCases" in _run(opened)


def read(opened: Opened) -> Reading:
    """Map every test case: one file is one epoch, each metric a graded scorer by its name."""
    run = _run(opened)
    reading = Reading("deepeval", title=named(run.get("identifier") or run.get("datasetAlias") or "deepeval"))
    variant = {
        named(key): named(text_of(value))[:60]
        for key, value in mapping(run.get("hyperparameters")).items()
        if isinstance(value, str | int | float | bool)
    }
    for nth, case in enumerate(needs(run.get("testCases"), list, "testCases")):
        _take(_single(needs(case, dict, f"testCases[{nth}]"), variant, reading), reading)
    for nth, case in enumerate(listed(run.get("conversationalTestCases"))):
        _take(_conversation(needs(case, dict, f"conversationalTestCases[{nth}]"), variant, reading), reading)
    return reading


def _run(opened: Opened) -> dict[str, Any]:
    found = mapping(opened.json)
    return mapping(found["testRunData"]) if "testRunData" in found else found


def _take(observed: Observed, reading: Reading) -> None:
    if observed.scores or observed.error:
        reading.observed.append(observed)
    else:
        reading.left_out["test cases without a metric, which say nothing"] += 1


def _single(case: dict[str, Any], variant: dict[str, str], reading: Reading) -> Observed:
    # What was retrieved is the system's doing; what was given to it is the question.
    given = {key: case[key] for key in ("input", "context") if case.get(key) is not None}
    expected = {key: case[key] for key in ("expectedOutput", "expectedTools") if case.get(key) is not None}
    shown = case.get("input") if len(given) == 1 else given
    name = case.get("name")
    own = isinstance(name, str) and name and not _POSITION.match(name)
    answer = text_of(case.get("actualOutput"))
    scores = tuple(_scores(case, reading))
    # Without an answer no metric has a score; then the sample as a whole has none.
    failed = answer is None and bool(scores) and all(score.value is None for score in scores)
    return Observed(
        case=named(name) if own else content_id(shown),
        digest=digest(given, expected),
        input=shown,
        expected=case.get("expectedOutput"),
        scores=() if failed else scores,
        error=scores[0].error if failed else None,
        text=answer,
        slices={**_tags(case), **slices_of(case.get("metadata"))},
        variant=variant,
        latency_s=number(case.get("completionTime")),
        cost_usd=number(case.get("tokenCost")),
        tokens_in=count(case.get("inputTokenCount")),
        tokens_out=count(case.get("outputTokenCount")),
    )


def _conversation(case: dict[str, Any], variant: dict[str, str], reading: Reading) -> Observed:
    turns = [mapping(turn) for turn in listed(case.get("turns"))]
    given = {key: case[key] for key in _CONVERSATION if case.get(key) is not None}
    if "scenario" not in given:
        given["turns"] = [turn.get("content") for turn in turns if turn.get("role") == "user"]
    name = case.get("name")
    own = isinstance(name, str) and name and not _POSITION.match(name)
    said = [f"{turn.get('role')}: {turn.get('content')}" for turn in turns]
    return Observed(
        case=named(name) if own else content_id(given),
        digest=digest(given, case.get("expectedOutcome")),
        input=given,
        expected=case.get("expectedOutcome"),
        scores=tuple(_scores(case, reading)),
        text="\n".join(said) if said else None,
        slices={**_tags(case), **slices_of(case.get("metadata"))},
        variant=variant,
    )


def _tags(case: dict[str, Any]) -> dict[str, str]:
    tags = sorted({tag for tag in listed(case.get("tags")) if isinstance(tag, str) and tag})
    return slices_of({"tags": "+".join(tags)}) if tags else {}


def _scores(case: dict[str, Any], reading: Reading) -> Iterator[Score]:
    seen: set[str] = set()
    for metric in listed(case.get("metricsData")):
        metric = mapping(metric)
        name = named(metric.get("name") or "metric")
        if name in seen:
            reading.left_out[f"second scores of the metric {name!r} on one test case"] += 1
            continue
        seen.add(name)
        reading.measured_with(name, metric.get("evaluationModel"))
        score, success = number(metric.get("score"), least=float("-inf")), metric.get("success")
        if metric.get("error") or score is None:
            yield unscored(name, metric.get("error") or "deepeval gives no score")
            continue
        _note_direction(name, metric, reading)
        label = {True: "pass", False: "fail"}.get(success) if isinstance(success, bool) else None
        found = scored(name, score, reason=metric.get("reason"), label=label)
        yield found.model_copy(update={"passed": success if isinstance(success, bool) else None})


def _note_direction(name: str, metric: dict[str, Any], reading: Reading) -> None:
    """Note which side of its threshold a metric calls a success: for some of them less is better."""
    score, threshold = number(metric.get("score"), least=float("-inf")), number(metric.get("threshold"))
    success = metric.get("success")
    if score is None or threshold is None or score == threshold or not isinstance(success, bool):
        return
    ends = reading.directions.setdefault(name, set())
    ends.add("higher" if (score > threshold) == success else "lower")
