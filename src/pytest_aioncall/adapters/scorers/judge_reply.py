"""What a judge model replied: read strictly, since some servers enforce neither schema nor range."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from ...errors import ScorerError
from ..text import one_line
from .conduct import refusal_in
from .json_text import read_json, refuse_constant
from .judge_prompt import Marks
from .rule import quoted

PARSER = 1
"""Version of these rules; part of a judge's fingerprint."""

LONGEST_REPLY = 50_000
LONGEST_REASON = 500


def read_verdict(text: str, marks: Marks) -> tuple[float, str | None, str | None]:
    """Return (value, label, reason) of a judge's reply; ScorerError where it is not one clear verdict.

    Text around the JSON object is let through once (a code fence, a line before it), two verdicts are not:
    nobody could say which one counts.
    """
    verdict = _verdict_in(text, marks.key)
    if marks.key not in verdict:
        raise ScorerError(f"the judge's reply has no {marks.key!r}: {quoted(text)}")
    given = verdict[marks.key]
    reason = verdict.get("reason")
    told = one_line(reason.strip(), LONGEST_REASON) if isinstance(reason, str) and reason.strip() else None
    if marks.labels is not None:
        label = _label(given, marks.labels)
        return marks.labels[label], label, told
    return _number(given, marks), None, told


def _verdict_in(text: str, key: str) -> Mapping[str, Any]:
    if not text.strip():
        raise ScorerError("the judge's reply is empty")
    if len(text) > LONGEST_REPLY:
        raise ScorerError(f"the judge's reply is longer than {LONGEST_REPLY} characters")
    value, problem = read_json(text, fence=True)
    if problem is None:
        if isinstance(value, Mapping):
            return value
        raise ScorerError(f"the judge replied with JSON that is no object: {quoted(text)}")
    found = [one for one in _objects_in(text) if key in one]
    if len(found) > 1:
        raise ScorerError(f"the judge's reply holds {len(found)} verdicts: {quoted(text)}")
    if found:
        return found[0]
    if refusal_in(text) is not None:
        raise ScorerError(f"the judge refused: {quoted(text)}")
    raise ScorerError(f"the judge's reply {problem}: {quoted(text)}")


def _objects_in(text: str) -> list[Mapping[str, Any]]:
    """Return the JSON objects that stand in a text, not those inside another; looks at 50 braces at most."""
    decoder = json.JSONDecoder(parse_constant=refuse_constant)
    found: list[Mapping[str, Any]] = []
    at = text.find("{")
    for _ in range(50):
        if at < 0:
            break
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            found.append(value)
        at = text.find("{", end)
    return found


def _number(given: Any, marks: Marks) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ScorerError(f"the judge's score is {quoted(given)}, not a number")
    try:
        value = float(given)
    except OverflowError:
        value = math.inf
    if not (math.isfinite(value) and marks.low <= value <= marks.high):
        raise ScorerError(
            f"the judge's score is {value:g}, outside its scale {marks.low:g} to {marks.high:g}"
        )
    steps = (value - marks.low) / marks.step
    if abs(steps - round(steps)) > 1e-6:
        raise ScorerError(
            f"the judge's score is {value:g}, not in steps of {marks.step:g} from {marks.low:g}"
        )
    return min(marks.high, marks.low + round(steps) * marks.step)


def _label(given: Any, labels: Mapping[str, float]) -> str:
    folded = {label.strip().casefold(): label for label in labels}
    found = folded.get(given.strip().casefold()) if isinstance(given, str) else None
    if found is None:
        raise ScorerError(f"the judge's label is {quoted(given)}, not one of {', '.join(labels)}")
    return found
