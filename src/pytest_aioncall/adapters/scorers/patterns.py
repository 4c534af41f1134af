"""regex and not_regex, and the search in bounded time that every scorer with a pattern uses.

Python's own `re` cannot be stopped once it backtracks, and what it searches here was written by a model:
`(a|aa)+$` on fifty letters would hang a run. The `regex` library reads the same patterns and takes a
time-out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import regex as bounded_regex  # type: ignore[import-untyped]

from ...errors import ScorerError, UsageError
from ...model.evalset import Case
from ...model.sample import Output, Score
from ...protocols import ScorerTraits
from .expectation import MISSING, as_texts, expecting
from .rule import Rule, failed, passed, quoted

SEARCH_S = 1.0
"""Seconds that one search may take before it is an error."""


class Pattern:
    """A compiled pattern whose searches end: after SEARCH_S seconds with a ScorerError."""

    __slots__ = ("_compiled", "text")

    def __init__(self, text: str, *, ignore_case: bool = False) -> None:
        self.text = text
        flags = bounded_regex.IGNORECASE if ignore_case else 0
        try:
            self._compiled = bounded_regex.compile(text, flags)
        except bounded_regex.error as error:
            raise UsageError(f"{quoted(text)} is no regular expression: {error}") from None
        except RecursionError:
            raise UsageError(f"{quoted(text)} is nested too deep for a regular expression") from None

    @property
    def groups(self) -> int:
        """Number of capturing groups."""
        return int(self._compiled.groups)

    def search(self, text: str) -> Any:
        """Return the first match in `text`, or None."""
        try:
            return self._compiled.search(text, timeout=SEARCH_S)
        except TimeoutError:
            raise self._too_slow(text) from None

    def fullmatch(self, text: str) -> Any:
        """Return the match of the whole of `text`, or None."""
        try:
            return self._compiled.fullmatch(text, timeout=SEARCH_S)
        except TimeoutError:
            raise self._too_slow(text) from None

    def finditer(self, text: str) -> Iterator[Any]:
        """Yield all matches in `text`; the time-out is for all of them together."""
        try:
            yield from self._compiled.finditer(text, timeout=SEARCH_S)
        except TimeoutError:
            raise self._too_slow(text) from None

    def _too_slow(self, text: str) -> ScorerError:
        return ScorerError(
            f"the pattern {quoted(self.text)} ran longer than {SEARCH_S:g} s on {len(text)} characters; "
            "it backtracks: make its repeats unambiguous, or possessive as in (?:...)++"
        )


def regex(
    pattern: str | list[str] | None = None,
    *,
    ignore_case: bool = False,
    full: bool = False,
    field: str | None = None,
) -> Rule:
    """Pass when the pattern is found in the answer (with `full`: matches all of it), each one of a list."""
    find, needs_expected = _patterns(pattern, ignore_case=ignore_case, field=field)

    def judge(case: Case, output: Output) -> Score:
        for one in find(case):
            found = one.fullmatch(output.text) if full else one.search(output.text)
            if found is None:
                verb = "match all of" if full else "occur in"
                return failed(f"{quoted(one.text)} does not {verb} {quoted(output.text)}")
        return passed()

    return Rule(judge, ScorerTraits(needs_expected=needs_expected))


def not_regex(
    pattern: str | list[str] | None = None, *, ignore_case: bool = False, field: str | None = None
) -> Rule:
    """Pass when the pattern, and each one of a list, is not found in the answer."""
    find, needs_expected = _patterns(pattern, ignore_case=ignore_case, field=field)

    def judge(case: Case, output: Output) -> Score:
        for one in find(case):
            found = one.search(output.text)
            if found is not None:
                return failed(f"{quoted(one.text)} matches {quoted(found.group())} in the answer")
        return passed()

    return Rule(judge, ScorerTraits(needs_expected=needs_expected))


def _patterns(given: str | list[str] | None, *, ignore_case: bool, field: str | None) -> tuple[Any, bool]:
    """Return a function from a case to its compiled patterns, and whether it needs `expected`."""
    if given is not None:
        if given in ("", []):
            raise UsageError("the pattern is empty and would be found in every answer")
        expecting(given, field=field)
        texts = given if isinstance(given, list) else [given]
        compiled = [Pattern(text, ignore_case=ignore_case) for text in texts]
        return (lambda _case: compiled), False
    find, needs_expected = expecting(MISSING, field=field)

    def of_case(case: Case) -> list[Pattern]:
        try:
            return [Pattern(text, ignore_case=ignore_case) for text in as_texts(find(case))]
        except UsageError as error:
            raise ScorerError(f"expected of case {case.id!r}: {error}") from None

    return of_case, needs_expected
