"""What a scorer compares with: its own argument, or the case's `expected`, or one field of that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...errors import ScorerError, UsageError
from ...model.evalset import Case


class Missing:
    """Stands for an argument that was not given, where None (YAML's null) is a value."""

    def __repr__(self) -> str:
        return "(not given)"


MISSING = Missing()


def expecting(given: Any, *, field: str | None) -> tuple[Callable[[Case], Any], bool]:
    """Return a function that finds the expected value of a case, and whether it needs the case's `expected`.

    `given` is the scorer's own argument, MISSING where YAML has none. `field` names one entry of an
    `expected` that is a mapping, for evalsets whose scorers look at different things.
    """
    if given is not MISSING:
        if field is not None:
            raise UsageError(
                "field names an entry of the case's expected; it has no meaning beside an argument"
            )
        return lambda _case: given, False
    if field is None:
        return lambda case: case.expected, True

    def pick(case: Case) -> Any:
        if isinstance(case.expected, Mapping) and field in case.expected:
            return case.expected[field]
        raise ScorerError(f"expected of case {case.id!r} has no field {field!r}")

    return pick, True


def as_texts(value: Any) -> list[str]:
    """Return the text or list of texts that a scorer looks for; whole numbers count as their digits.

    ScorerError for anything else: the text of a fraction, a yes or a date depends on who writes it.
    """
    many = value if isinstance(value, list | tuple) else [value]
    texts = [_as_text(one) for one in many]
    if not texts:
        raise ScorerError("the expected list is empty, so there is nothing to look for")
    return texts


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    kind = "nothing" if value is None else type(value).__name__
    raise ScorerError(f"expected is {kind}, not text or a list of texts; put it in quotes")
