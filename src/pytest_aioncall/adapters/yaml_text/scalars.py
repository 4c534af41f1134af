"""What a plain scalar means: the core schema of YAML 1.2, so that `no`, `on` and `12:30` stay text."""

from __future__ import annotations

import math
import re
from typing import Final

# Only a plain scalar that starts with one of these can be anything but text.
MAYBE_NOT_TEXT: Final = frozenset("-+.0123456789tTfFnN~")
NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})

_CONSTANTS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(NULLS),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MAX_DIGITS = 400


def plain_value(text: str) -> str | int | float | bool | None:
    """Return the value of a plain scalar.

    Raises ValueError, with a message for the user, for a number that is not finite or has no end.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _DECIMAL.fullmatch(text):
        if len(text) > _MAX_DIGITS:
            raise ValueError(f"is a number of {len(text)} digits; quote it if it is text")
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise ValueError("is a number too large to hold; quote it if it is text")
        return number
    if _BASED.fullmatch(text) and len(text) <= _MAX_DIGITS:
        return int(text, 0)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError("is not a finite number; quote it if it is text")
    return text
