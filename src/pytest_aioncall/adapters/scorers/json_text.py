"""Model output read as JSON: hostile nesting, NaN and endless numbers end in a plain sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from ...model.sample import Output

_FENCE = re.compile(r"\A\s*```[A-Za-z0-9_-]*[ \t]*\r?\n(.*?)\r?\n?[ \t]*```\s*\Z", re.DOTALL)
DEEPEST = 200


def read_json(text: str, *, fence: bool = False) -> tuple[Any, str | None]:
    """Return (value, None), or (None, what is wrong) in words that follow "the answer ...".

    With `fence`, one Markdown code fence around the whole text is taken off first. Stricter than Python:
    NaN and Infinity are no JSON. Deeper than 200 levels counts as wrong, so that nothing that walks the value
    runs out of stack.
    """
    if fence and (fenced := _FENCE.match(text)):
        text = fenced.group(1)
    if not text or text.isspace():
        return None, "is empty"
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        return None, f"is not JSON ({error.msg} at line {error.lineno}, column {error.colno})"
    except RecursionError:
        return None, "is JSON nested too deep to read"
    except ValueError as error:
        return None, f"is not JSON ({error})"
    if _is_deeper(value, DEEPEST):
        return None, f"is JSON nested deeper than {DEEPEST} levels"
    return value, None


def value_of(output: Output, *, fence: bool = True) -> tuple[Any, str | None]:
    """Return the output's `data` where the target gave it, else its text read as JSON (see `read_json`)."""
    if output.data is None:
        return read_json(output.text, fence=fence)
    if _is_deeper(output.data, DEEPEST):
        return None, f"has data nested deeper than {DEEPEST} levels"
    return output.data, None


def same_json(left: Any, right: Any) -> bool:
    """Tell whether two JSON values are equal as JSON: 1 and 1.0 are, 1 and true are not."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left == right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same_json(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same_json, left, right))
    return type(left) is type(right) and bool(left == right)


def refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python would read as JSON."""
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=refuse_constant)


def _is_deeper(value: Any, deepest: int) -> bool:
    """Tell whether a value nests deeper than `deepest` levels, without recursion."""
    level: list[Any] = [value]
    for _ in range(deepest + 1):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, Mapping):
                inner += [v for v in one.values() if isinstance(v, Mapping | list | tuple)]
            elif isinstance(one, Sequence) and not isinstance(one, str | bytes):
                inner += [v for v in one if isinstance(v, Mapping | list | tuple)]
        if not inner:
            return False
        level = inner
    return True
