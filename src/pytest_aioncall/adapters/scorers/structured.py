"""json_valid and json_path: the answer as JSON, and values found in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ...errors import UsageError
from ...model.evalset import Case
from ...model.sample import Output, Score
from ...protocols import ScorerTraits
from .expectation import MISSING, expecting
from .json_text import read_json, same_json, value_of
from .library import need_library
from .patterns import Pattern
from .rule import Rule, failed, passed, quoted

Top = Literal["object", "array", "any"]
_TOPS = {"object": dict, "array": list}


def json_valid(top: Top = "any", *, fence: bool = False) -> Rule:
    """Pass when the answer's text is JSON, with `top` an object or an array.

    `fence: true` lets the whole answer stand in one Markdown code fence.
    """

    def judge(_case: Case, output: Output) -> Score:
        value, problem = read_json(output.text, fence=fence)
        if problem is not None:
            return failed(f"the answer {problem}: {quoted(output.text)}")
        if top != "any" and not isinstance(value, _TOPS[top]):
            return failed(f"expected a JSON {top}, got {quoted(value)}")
        return passed()

    return Rule(judge, ScorerTraits())


def json_path(
    path: str,
    *,
    equals: Any = MISSING,
    one_of: list[Any] | None = None,
    matches: str | None = None,
    exists: bool | None = None,
    every: bool = True,
    fence: bool = True,
    field: str | None = None,
) -> Rule:
    """Pass when what a JSONPath (RFC 9535) finds in the output's `data` or JSON text is as expected.

    Say one of `equals`, `one_of`, `matches` (a pattern found in a text) and `exists`; without any, what is
    found equals the case's `expected`. Where several values are found, every one has to hold, or with
    `every: false` one of them; nothing found does not hold.
    """
    find_values = _path_finder(path)
    given = {
        "equals": equals is not MISSING,
        "one_of": one_of is not None,
        "matches": matches is not None,
        "exists": exists is not None,
    }
    said = [name for name, is_given in given.items() if is_given]
    if len(said) > 1:
        raise UsageError(f"say one of equals, one_of, matches and exists, not {' and '.join(said)}")
    if said and field is not None:
        raise UsageError(f"field names an entry of the case's expected; it has no meaning beside {said[0]}")
    wish = _wish(equals, one_of=one_of, matches=matches, field=field, always=bool(said))

    def judge(case: Case, output: Output) -> Score:
        data, problem = value_of(output, fence=fence)
        if problem is not None:
            return failed(f"the answer {problem}: {quoted(output.text)}")
        found = find_values(data)
        if exists is not None:
            told = f"{path} finds {len(found)} value{'' if len(found) == 1 else 's'}"
            return passed(told) if bool(found) == exists else failed(told)
        if not found:
            return failed(f"{path} finds nothing in {quoted(data)}")
        wrong = [value for value in found if not wish.holds(value, case)]
        if not wrong or (not every and len(wrong) < len(found)):
            return passed()
        return failed(f"{path} is {quoted(wrong[0])}, expected {wish.told(case)}")

    return Rule(judge, ScorerTraits(needs_expected=wish.needs_expected))


@dataclass(frozen=True, slots=True)
class _Wish:
    """What one value that a path finds has to be."""

    holds: Callable[[Any, Case], bool]
    told: Callable[[Case], str]
    needs_expected: bool = False


def _wish(
    equals: Any, *, one_of: list[Any] | None, matches: str | None, field: str | None, always: bool
) -> _Wish:
    if matches is not None:
        pattern = Pattern(matches)
        return _Wish(
            lambda value, _case: isinstance(value, str) and pattern.search(value) is not None,
            lambda _case: f"a match of {quoted(matches)}",
        )
    if one_of is not None:
        if not one_of:
            raise UsageError("one_of is empty, so nothing could pass")
        return _Wish(
            lambda value, _case: any(same_json(value, one) for one in one_of),
            lambda _case: f"one of {quoted(one_of)}",
        )
    find, needs_expected = expecting(equals, field=field)
    return _Wish(
        lambda value, case: same_json(value, find(case)),
        lambda case: quoted(find(case)),
        needs_expected and not always,
    )


def _path_finder(path: str) -> Callable[[Any], list[Any]]:
    """Return a function that finds the values of a JSONPath in data."""
    jsonpath = need_library("jsonpath", package="python-jsonpath")
    if "=~" in path:
        raise UsageError(f"path {quoted(path)}: write match(@.name, 'pattern') instead of =~")
    environment = jsonpath.JSONPathEnvironment()
    for name, whole in (("match", True), ("search", False)):
        environment.function_extensions[name] = _bounded_filter(
            environment.function_extensions[name], whole=whole
        )
    try:
        compiled = environment.compile(path)
    except (jsonpath.JSONPathError, RecursionError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"path {quoted(path)} is no JSONPath: {first}") from None
    return lambda data: list(compiled.findall(data))


def _bounded_filter(standard: Any, *, whole: bool) -> Any:
    """Return the library's filter function with a search that ends (see patterns.py)."""
    compiled: dict[str, Pattern | None] = {}

    class Bounded(type(standard)):  # type: ignore[misc]
        def __call__(self, value: object, pattern: object) -> bool:
            if not (isinstance(value, str) and isinstance(pattern, str)):
                return False
            if pattern not in compiled:
                try:
                    compiled[pattern] = Pattern(pattern)
                except UsageError:
                    # RFC 9535: a text that is no pattern matches nothing.
                    compiled[pattern] = None
            found = compiled[pattern]
            if found is None:
                return False
            return (found.fullmatch(value) if whole else found.search(value)) is not None

    return Bounded()
