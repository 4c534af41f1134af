"""python: a scorer that is one function of the user's, given by import string."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import CassetteMiss, ScorerError, TransportError, UsageError
from ...model.evalset import Case
from ...model.sample import Output, Score
from ...protocols import ScorerTraits
from ..imports import load_object, raised_at, source_digest
from ..text import did_you_mean
from .rule import quoted

GIVEN: dict[str, Callable[[Case, Output, int], Any]] = {
    "text": lambda _case, output, _epoch: output.text,
    "output": lambda _case, output, _epoch: output,
    "expected": lambda case, _output, _epoch: case.expected,
    "input": lambda case, _output, _epoch: case.input,
    "case": lambda case, _output, _epoch: case,
    "epoch": lambda _case, _output, epoch: epoch,
}
"""What a user's function may ask for, by the name of its parameter."""

RETURNS = "a scorer function returns a bool, a number, a label, (one of these, reason) or a Score"


@dataclass(frozen=True, slots=True)
class Meaning:
    """How what the function returned becomes a value: the scale, a threshold, the value of each label."""

    scale: tuple[float, float]
    pass_at: float | None
    labels: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class OwnScorer:
    """Call the user's function; a sync one runs in a thread, so that what it waits for blocks nobody else."""

    function: Callable[..., Any]
    path: str
    wanted: tuple[str, ...]
    arguments: Mapping[str, Any]
    meaning: Meaning
    traits: ScorerTraits

    async def score(self, case: Case, output: Output, *, epoch: int) -> Score:
        given = {name: GIVEN[name](case, output, epoch) for name in self.wanted}
        returned = await call_function(self.function, {**self.arguments, **given}, path=self.path)
        return as_score(returned, meaning=self.meaning)


def python(
    function: str,
    *,
    arguments: dict[str, Any] | None = None,
    scale: list[float] | None = None,
    pass_at: float | None = None,
    labels: dict[str, float] | None = None,
    deterministic: bool = True,
) -> OwnScorer:
    """Score by a function of your own, sync or async: `python: myapp.evals:is_polite`.

    Its parameters are filled by name: text, output, expected, input, case, epoch; `arguments` fills others.
    `scale` is for numbers beyond 0-1, `labels` gives each returned label its value, and with `pass_at` a
    value passes or not. Say `deterministic: false` when the same answer may score differently next time.
    """
    found = load_object(function, what="scorer")
    if not callable(found):
        raise UsageError(f"{function} is {type(found).__name__}, not a function")
    own = dict(arguments or {})
    wanted, needs_expected = _wanted(found, function, own)
    meaning = Meaning(_scale(scale, labels), pass_at, dict(labels or {}))
    _check_meaning(meaning, labels=labels)
    fingerprint: dict[str, Any] = {"function": function, "source": source_digest(found)}
    traits = ScorerTraits(
        scale=meaning.scale,
        deterministic=deterministic,
        needs_expected=needs_expected,
        fingerprint=fingerprint,
    )
    return OwnScorer(found, function, wanted, own, meaning, traits)


async def call_function(function: Callable[..., Any], given: Mapping[str, Any], *args: Any, path: str) -> Any:
    """Call a user's function, sync ones in a thread; ScorerError says what it raised and where.

    Our own errors come through as they are, so that a function may say by itself that it could not score.
    """
    if inspect.iscoroutinefunction(function):
        found, error = await _awaited(function(*args, **given))
    else:
        found, error = await asyncio.to_thread(_called, function, args, given)
        if error is None and inspect.isawaitable(found):
            found, error = await _awaited(found)
    if isinstance(error, ScorerError | TransportError | CassetteMiss):
        raise error
    if error is not None:
        raise ScorerError(f"{path} raised {raised_at(error)}") from error
    return found


def _called(
    function: Callable[..., Any], args: tuple[Any, ...], given: Mapping[str, Any]
) -> tuple[Any, BaseException | None]:
    """Call in a thread; errors are values, since a StopIteration cannot pass through a future."""
    try:
        return function(*args, **given), None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the caller raises it again
        return None, error


async def _awaited(waiting: Awaitable[Any]) -> tuple[Any, BaseException | None]:
    try:
        return await waiting, None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the caller raises it again
        return None, error


def as_score(returned: Any, *, meaning: Meaning) -> Score:
    """Turn what a function returned into a Score; ScorerError where it says nothing that can be trusted."""
    if isinstance(returned, Score):
        return _checked(returned, meaning.scale)
    reason: str | None = None
    if isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[1], str | None):
        returned, reason = returned
    if type(returned).__module__ == "numpy" and getattr(returned, "ndim", None) == 0:
        returned = returned.item()
    low, high = meaning.scale
    if isinstance(returned, bool):
        return Score(
            scorer="", scale=meaning.scale, value=high if returned else low, passed=returned, reason=reason
        )
    if isinstance(returned, str):
        return _labelled(returned, reason, meaning)
    if not isinstance(returned, int | float):
        raise ScorerError(f"returned {_described(returned)}; {RETURNS}")
    value = float(returned)
    holds = None if meaning.pass_at is None else value >= meaning.pass_at
    score = Score(scorer="", scale=meaning.scale, value=value, passed=holds, reason=reason)
    return _checked(score, meaning.scale)


def _labelled(label: str, reason: str | None, meaning: Meaning) -> Score:
    if not meaning.labels:
        raise ScorerError(
            f"returned the text {quoted(label)}; give each label its value: labels: {{good: 1}}"
        )
    if label not in meaning.labels:
        raise ScorerError(f"returned the label {quoted(label)}, not one of {quoted(sorted(meaning.labels))}")
    value = meaning.labels[label]
    holds = None if meaning.pass_at is None else value >= meaning.pass_at
    return Score(
        scorer="", scale=meaning.scale, value=value, passed=holds, label=label, reason=reason or label
    )


def _checked(score: Score, scale: tuple[float, float]) -> Score:
    if score.error is not None:
        raise ScorerError(score.error)
    if score.value is None:
        raise ScorerError("returned a Score without a value; raise ScorerError where it cannot score")
    if not math.isfinite(score.value):
        raise ScorerError(f"returned {score.value}, which is not a number on its scale")
    if not scale[0] <= score.value <= scale[1]:
        raise ScorerError(f"returned {score.value:g}, outside its scale {scale[0]:g} to {scale[1]:g}")
    return score


def _wanted(found: Callable[..., Any], path: str, own: Mapping[str, Any]) -> tuple[tuple[str, ...], bool]:
    """Return which of GIVEN the function asks for, and whether it cannot do without `expected`."""
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):
        raise UsageError(f"{path} has no signature that Python can read; wrap it in a function") from None
    by_name = {
        name: parameter
        for name, parameter in signature.parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    takes_more = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    for name in own:
        if name in GIVEN:
            raise UsageError(f"arguments: {name!r} is filled in from the sample and cannot be set")
        if name not in by_name and not takes_more:
            raise UsageError(f"arguments: {path} takes no {name!r}{_hint(name, by_name)}")
    for name, parameter in signature.parameters.items():
        if (name in GIVEN and name in by_name) or name in own:
            continue
        if parameter.default is parameter.empty and parameter.kind not in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        ):
            raise UsageError(
                f"{path} asks for {name!r}; "
                f"a scorer function is given {', '.join(GIVEN)}, and what `arguments` names"
            )
    wanted = tuple(name for name in by_name if name in GIVEN)
    needs = "expected" in wanted and by_name["expected"].default is inspect.Parameter.empty
    return wanted, needs


def _hint(name: str, known: Any) -> str:
    near = did_you_mean(name, known)
    return f" (did you mean {near!r}?)" if near else ""


def _scale(scale: list[float] | None, labels: dict[str, float] | None) -> tuple[float, float]:
    if scale is None:
        if labels:
            return (min(0.0, *labels.values()), max(1.0, *labels.values()))
        return (0.0, 1.0)
    if len(scale) != 2 or not all(map(math.isfinite, scale)) or scale[0] >= scale[1]:
        raise UsageError(f"scale is {scale}; write [lowest, highest]")
    return (float(scale[0]), float(scale[1]))


def _check_meaning(meaning: Meaning, *, labels: dict[str, float] | None) -> None:
    low, high = meaning.scale
    if labels is not None and not labels:
        raise UsageError("labels is empty; give each label its value, or leave it out")
    for label, value in meaning.labels.items():
        if not (math.isfinite(value) and low <= value <= high):
            raise UsageError(f"labels: {label!r} is {value:g}, outside the scale {low:g} to {high:g}")
    if meaning.pass_at is not None and not low <= meaning.pass_at <= high:
        raise UsageError(f"pass_at is {meaning.pass_at:g}, outside the scale {low:g} to {high:g}")


def _described(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {quoted(repr(value))}"
