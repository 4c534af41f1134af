"""promptfoo: `promptfoo eval -o results.json` (or `.jsonl`), the same that `promptfoo export eval` writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...model.sample import Score
from .observed import (
    Observed,
    Reading,
    Unreadable,
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

PASS = "pass"  # noqa: S105 - a scorer's name
# What promptfoo writes as a failed assertion with score 0 although nothing was judged.
_BROKE = re.compile(r"(Custom function threw error|Python code execution failed|Ruby code execution failed)")
_ERROR, _NO_ANSWER = 2, "promptfoo recorded an error without a text"


def looks_like(opened: Opened) -> bool:
    """Tell a result file of promptfoo by its keys."""
    if opened.kind == "lines":
        return bool(opened.lines) and _is_result(opened.lines[0])
    results = mapping(opened.json).get("results")
    return isinstance(results, dict) and isinstance(results.get("results"), list)


def read(opened: Opened) -> Reading:
    """Map every result: a test is a case, a repeat an epoch, a metric (or an assertion's type) a scorer."""
    if opened.kind == "lines":
        results, description = opened.lines, None
    else:
        results = needs(opened.json["results"].get("results"), list, "results.results")
        description = mapping(opened.json.get("config")).get("description")
    reading = Reading("promptfoo", title=description if isinstance(description, str) else "promptfoo")
    components = [_components(needs(one, dict, f"results[{n}]"), reading) for n, one in enumerate(results)]
    several = any(len(found) > 1 for found in components)
    cached = 0
    for one, found in zip(results, components, strict=True):
        cached += mapping(one.get("response")).get("cached") is True
        observed = _observed(one, found, several)
        if observed.error is None and not observed.scores:
            reading.left_out["results without an assertion, which say nothing"] += 1
        else:
            reading.observed.append(observed)
    if cached:
        reading.notes.append(
            f"{cached} of {len(results)} answers came from promptfoo's cache: repeats of a cached answer "
            "show no noise; run with --no-cache"
        )
    return reading


def _is_result(value: Any) -> bool:
    return isinstance(value, dict) and {"promptIdx", "testIdx"} <= value.keys()


def _observed(one: dict[str, Any], found: dict[str, Score], several: bool) -> Observed:
    test = mapping(one.get("testCase"))
    given = _vars(one, test)
    asserts = [mapping(assertion) for assertion in listed(test.get("assert"))]
    description = test.get("description") or one.get("description")
    error = _error(one)
    scores = [] if error else list(found.values())
    if several and scores:
        scores.append(_passed(one, scores))
    response, tokens = mapping(one.get("response")), mapping(one.get("tokenUsage"))
    fresh = response.get("cached") is not True
    return Observed(
        case=named(description) if isinstance(description, str) and description else content_id(given),
        digest=digest(given, None),
        asked=_asked(asserts),
        input=given,
        expected=[a["value"] for a in asserts if a.get("value") is not None] or None,
        scores=tuple(scores),
        error=error,
        text=None if error else text_of(response.get("output")),
        slices=slices_of(test.get("metadata")),
        variant={"provider": _provider(one), "prompt": _prompt(one)},
        latency_s=(number(one.get("latencyMs")) or 0) / 1000 or None if fresh else None,
        # promptfoo writes 0 where it knows no price.
        cost_usd=number(one.get("cost")) or None if fresh else None,
        tokens_in=count(tokens.get("prompt")),
        tokens_out=count(tokens.get("completion")),
        model=_provider(one),
    )


def _error(one: dict[str, Any]) -> str | None:
    """Return why there is no answer; a failed assertion stands in `error`, too, and is none."""
    reason, error = one.get("failureReason"), one.get("error")
    if reason == _ERROR or (reason is None and error and not one.get("gradingResult")):
        return text_of(error) or _NO_ANSWER
    return None


def _vars(one: dict[str, Any], test: dict[str, Any]) -> dict[str, Any]:
    """Return the variables that the user gave; promptfoo's own begin with an underscore."""
    given = one.get("vars") if isinstance(one.get("vars"), dict) else test.get("vars")
    return {key: value for key, value in mapping(given).items() if not key.startswith("_")}


def _asked(asserts: list[dict[str, Any]]) -> dict[str, str]:
    """Return what each scorer asks of this test: who grades it is the instrument, not the case."""
    found: dict[str, list[Any]] = {}
    for one in asserts:
        kept = [one.get(key) for key in ("type", "value", "threshold")]
        found.setdefault(named(one.get("metric") or one.get("type")), []).append(kept)
    return {name: digest(parts, None) for name, parts in found.items()}


def _provider(one: dict[str, Any]) -> str:
    provider = one.get("provider")
    if isinstance(provider, dict):
        return named(provider.get("label") or provider.get("id") or "provider")
    return named(provider or "provider")


def _prompt(one: dict[str, Any]) -> str:
    """Return the prompt's name: its label, without the text that promptfoo appends to a file's name."""
    prompt = mapping(one.get("prompt"))
    label = str(prompt.get("label") or prompt.get("raw") or "prompt")
    file = re.match(r"[\w./\\-]+\.\w+(?=: )", label)
    return named(file.group() if file else label)[:80]


def _components(one: dict[str, Any], reading: Reading) -> dict[str, Score]:
    """Return one score a scorer: components of one name are their weighted mean, as promptfoo does it."""
    parts: dict[str, list[tuple[Score, float]]] = {}
    grading = mapping(one.get("gradingResult"))
    for name, assertion, component in _named(grading):
        score = _score(name, component)
        weight = number(assertion.get("weight"))
        parts.setdefault(score.scorer, []).append((score, 1.0 if weight is None else weight))
        reading.measured_with(score.scorer, assertion.get("provider"))
    # Named scores that a function returned inside one component.
    for name, value in mapping(grading.get("namedScores")).items():
        if named(name) not in parts:
            parts[named(name)] = [(scored(name, value), 1.0)]
    return {name: _mean(name, found) for name, found in parts.items()}


def _named(grading: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for component in listed(grading.get("componentResults")):
        # A skipped component is null; the sum of a set stands beside its parts.
        if isinstance(component, dict) and isinstance(component.get("assertion"), dict):
            assertion = component["assertion"]
            if assertion.get("type") != "assert-set":
                yield (
                    str(assertion.get("metric") or assertion.get("type") or "assertion"),
                    assertion,
                    component,
                )


def _score(name: str, component: dict[str, Any]) -> Score:
    reason = component.get("reason")
    if mapping(component.get("metadata")).get("graderError") is True or _BROKE.match(str(reason)):
        return unscored(name, str(reason).split("\n", 1)[0])
    value, passed = component.get("score"), component.get("pass")
    if isinstance(passed, bool) and value in (0, 1) and bool(value) == passed:
        return scored(name, passed, reason=reason)
    return scored(name, value, reason=reason, label={True: "pass", False: "fail"}.get(passed))  # type: ignore[arg-type]


def _mean(name: str, found: list[tuple[Score, float]]) -> Score:
    if len(found) == 1:
        return found[0][0]
    broken = next((score for score, _ in found if score.value is None), None)
    if broken is not None:
        return unscored(name, broken.error)
    total = sum(weight for _, weight in found)
    weights = [weight if total else 1.0 for _, weight in found]
    mean = sum((s.value or 0.0) * w for (s, _), w in zip(found, weights, strict=True)) / sum(weights)
    why = next((score.reason for score, _ in found if not score.value), found[0][0].reason)
    whole = all(score.passed is not None for score, _ in found) and mean in (0.0, 1.0)
    return scored(name, bool(mean) if whole else mean, reason=why)


def _passed(one: dict[str, Any], scores: list[Score]) -> Score:
    """Return promptfoo's own verdict on the test; unknown where it failed for a broken assertion alone."""
    success = one.get("success")
    if not isinstance(success, bool):
        raise Unreadable("needs true or false", "results.results[].success")
    broken = [score for score in scores if score.value is None]
    if not success and broken and not any(s.passed is False or s.label == "fail" for s in scores):
        return unscored(PASS, broken[0].error)
    return scored(PASS, success)
