"""tool_calls: which tools the target called, and with what."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...errors import ScorerError, UsageError
from ...model.evalset import Case
from ...model.sample import Output, Score
from ...protocols import ScorerTraits
from .expectation import MISSING, expecting
from .json_text import same_json
from .rule import Rule, failed, passed, quoted

MOST_CALLS = 200


@dataclass(frozen=True, slots=True)
class _Call:
    name: str
    arguments: Any = None

    def __str__(self) -> str:
        return self.name if self.arguments is None else f"{self.name}({quoted(self.arguments)})"


def tool_calls(
    calls: list[Any] | str | None = None,
    *,
    order: Literal["any", "same"] = "any",
    extra: bool = False,
    arguments: Literal["subset", "same"] = "subset",
    field: str | None = None,
) -> Rule:
    """Pass when the target called exactly these tools: names, or {name, arguments}; an empty list means none.

    `extra: true` lets it call others besides, `order: same` wants them in this order. Arguments that are
    given have to be among those of the call (`subset`), or be all of them (`same`).
    """
    if calls is not None:
        try:
            _wanted(calls)
        except ScorerError as error:
            raise UsageError(str(error)) from None
        if calls == [] and extra:
            raise UsageError("no calls wanted and extra ones allowed would pass everything")
    find, needs_expected = expecting(MISSING if calls is None else calls, field=field)

    def fits(wanted: _Call, made: _Call) -> bool:
        if wanted.name != made.name:
            return False
        if wanted.arguments is None:
            return True
        if arguments == "same" or not isinstance(made.arguments, Mapping):
            return same_json(made.arguments, wanted.arguments)
        own = made.arguments
        return all(key in own and same_json(own[key], value) for key, value in wanted.arguments.items())

    def judge(case: Case, output: Output) -> Score:
        wanted, made = _wanted(find(case)), _made(output)
        matched = _in_order(wanted, made, fits) if order == "same" else _in_any_order(wanted, made, fits)
        told = f"called {_shown(made)}"
        if matched < len(wanted):
            sequence = " in this order" if order == "same" and len(wanted) > 1 else ""
            return failed(f"{told}, expected {_shown(wanted)}{sequence}")
        if not extra and len(made) > len(wanted):
            return failed(f"{told}, expected {_shown(wanted)} and no other")
        return passed(told)

    return Rule(judge, ScorerTraits(needs_expected=needs_expected))


def _wanted(value: Any) -> list[_Call]:
    many = value if isinstance(value, list | tuple) else [value]
    calls = []
    for one in many:
        if isinstance(one, str):
            calls.append(_Call(one))
            continue
        if not (isinstance(one, Mapping) and isinstance(one.get("name"), str)):
            raise ScorerError(f"expected call {quoted(one)} is neither a name nor {{name, arguments}}")
        beyond = sorted(set(one) - {"name", "arguments"})
        if beyond or not isinstance(one.get("arguments", {}), Mapping):
            raise ScorerError(f"expected call {quoted(one)}: write name, and arguments as a mapping")
        calls.append(_Call(one["name"], one.get("arguments")))
    return calls


def _made(output: Output) -> list[_Call]:
    if output.tool_calls is None:
        raise ScorerError("the target tells no tool calls; return `tool_calls` (an empty list if none)")
    if len(output.tool_calls) > MOST_CALLS:
        raise ScorerError(
            f"the target made {len(output.tool_calls)} calls, more than {MOST_CALLS} to compare"
        )
    return [_made_call(call) for call in output.tool_calls]


def _made_call(call: Mapping[str, Any]) -> _Call:
    """Read {name, arguments} or OpenAI's {function: {name, arguments}}; arguments may be JSON text."""
    inner = call.get("function") if isinstance(call.get("function"), Mapping) else call
    name = inner.get("name") if inner is not None else None
    if not isinstance(name, str) or inner is None:
        raise ScorerError(f"the tool call {quoted(dict(call))} has no name")
    arguments = inner.get("arguments", inner.get("input"))
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments) if arguments.strip() else {}
        except (ValueError, RecursionError):
            return _Call(name, {"(no JSON)": arguments})
    return _Call(name, {} if arguments is None else arguments)


def _in_order(wanted: Sequence[_Call], made: Sequence[_Call], fits: Any) -> int:
    """Return how many of `wanted`, from the first on, stand in `made` one after another."""
    found = 0
    for call in made:
        if found < len(wanted) and fits(wanted[found], call):
            found += 1
    return found


def _in_any_order(wanted: Sequence[_Call], made: Sequence[_Call], fits: Any) -> int:
    """Return how many of `wanted` can have a call each: a maximum bipartite matching (Kuhn 1955)."""
    taken_by: dict[int, int] = {}

    def place(w: int, tried: set[int]) -> bool:
        for m, call in enumerate(made):
            if m in tried or not fits(wanted[w], call):
                continue
            tried.add(m)
            if m not in taken_by or place(taken_by[m], tried):
                taken_by[m] = w
                return True
        return False

    return sum(place(w, set()) for w in range(len(wanted)))


def _shown(calls: Sequence[_Call]) -> str:
    if not calls:
        return "no tool"
    shown = ", ".join(map(str, calls[:4]))
    return f"{shown} and {len(calls) - 4} more" if len(calls) > 4 else shown
