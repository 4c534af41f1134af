"""numeric and length: numbers in an answer, and how long it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

from ...errors import ScorerError, UsageError
from ...model.evalset import Case
from ...model.sample import Output, Score
from ...protocols import ScorerTraits
from .expectation import MISSING, expecting
from .patterns import Pattern
from .rule import Rule, failed, passed, quoted

Pick = Literal["only", "first", "last", "any"]
Unit = Literal["characters", "words", "lines"]

# What binary fractions lose: 1.1 is 0.1 away from 1, though 1.1 - 1 is 0.10000000000000009.
_ROUNDING = 1e-9


def numeric(
    value: float | None = None,
    *,
    tolerance: float = 0.0,
    relative: float = 0.0,
    pick: Pick = "only",
    decimal: Literal[".", ","] = ".",
    field: str | None = None,
) -> Rule:
    """Pass when the number in the answer is the expected one.

    That is |got - expected| <= tolerance + relative x |expected|.

    The number is the output's `data` where that is one, else it is found in the text. `pick` says which
    counts when there are several: `only` fails then, `any` takes whichever fits.
    `decimal: ","` reads 1.234,50.
    """
    for name, limit in (("tolerance", tolerance), ("relative", relative)):
        if not (math.isfinite(limit) and limit >= 0):
            raise UsageError(f"{name} is {limit:g}; it is a number from 0 up")
    if value is not None and not math.isfinite(value):
        raise UsageError("value is not a finite number")
    find, needs_expected = expecting(MISSING if value is None else value, field=field)
    numbers_in = number_finder(decimal)

    def judge(case: Case, output: Output) -> Score:
        wanted = _as_number(find(case), numbers_in)
        allowed = (tolerance + relative * abs(wanted)) * (1 + _ROUNDING) + 1e-12 * abs(wanted)
        found = _number_data(output.data) or numbers_in(output.text)
        if not found:
            return failed(f"expected {wanted:g}, but there is no number in {quoted(output.text)}")
        if pick == "only" and len(found) > 1:
            shown = ", ".join(f"{n:g}" for n in found[:5]) + (", ..." if len(found) > 5 else "")
            return failed(
                f"expected {wanted:g} alone, but the answer has {len(found)} numbers ({shown}); "
                "pick: first, last or any says which counts"
            )
        candidates = {"only": found, "first": found[:1], "last": found[-1:], "any": found}[pick]
        if any(abs(number - wanted) <= allowed for number in candidates):
            return passed()
        within = f" within {allowed:g}" if allowed > 1e-9 * abs(wanted) else ""
        return failed(f"expected {wanted:g}{within}, got {', '.join(f'{n:g}' for n in candidates[:5])}")

    return Rule(judge, ScorerTraits(needs_expected=needs_expected))


def length(
    max: int | None = None,
    *,
    min: int | None = None,
    unit: Unit = "characters",
) -> Rule:
    """Pass when the answer is no longer than `max` and no shorter than `min`, blanks around it aside."""
    if max is None and min is None:
        raise UsageError("needs max or min, for example length: 500")
    for name, limit in (("max", max), ("min", min)):
        if limit is not None and limit < 0:
            raise UsageError(f"{name} is {limit}; it is a count from 0 up")
    if max is not None and min is not None and min > max:
        raise UsageError(f"min {min} is above max {max}")
    count = _COUNTS[unit]

    def judge(_case: Case, output: Output) -> Score:
        got = count(output.text)
        if max is not None and got > max:
            return failed(f"{got} {unit}, more than {max}")
        if min is not None and got < min:
            return failed(f"{got} {unit}, fewer than {min}")
        return passed(f"{got} {unit}")

    return Rule(judge, ScorerTraits())


def number_finder(decimal: str) -> Callable[[str], list[float]]:
    """Return a function that finds the numbers of a text: 3, -1.5, 1,234.50, 1e6; not those of v1.2.3.

    Numbers too large for a float come out as infinity, which equals no expected value.
    """
    point, comma = (r"\.", ",") if decimal == "." else (",", r"\.")
    pattern = Pattern(
        rf"(?<![\w.])[-+\u2212]?(?:[0-9]{{1,3}}(?:{comma}[0-9]{{3}})+|[0-9]+)(?:{point}[0-9]+)?"
        rf"(?:[eE][-+]?[0-9]+)?(?![0-9]|{point}[0-9])"
    )
    separator = "," if decimal == "." else "."

    def numbers_in(text: str) -> list[float]:
        found = []
        for match in pattern.finditer(text):
            digits = match.group().replace(separator, "").replace("\u2212", "-").replace(",", ".")
            found.append(float(digits))
        return found

    return numbers_in


def _number_data(data: Any) -> list[float]:
    if isinstance(data, int | float) and not isinstance(data, bool):
        try:
            return [float(data)]
        except OverflowError:
            return [math.inf]
    return []


def _as_number(value: Any, numbers_in: Callable[[str], list[float]]) -> float:
    found = numbers_in(value) if isinstance(value, str) else _number_data(value)
    if len(found) != 1 or not math.isfinite(found[0]):
        raise ScorerError(f"expected {quoted(value)} is not one number")
    return found[0]


_COUNTS: dict[str, Callable[[str], int]] = {
    "characters": lambda text: len(text.strip()),
    "words": lambda text: len(text.split()),
    "lines": lambda text: len(text.strip().splitlines()),
}
