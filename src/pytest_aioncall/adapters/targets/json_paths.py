"""The part of JSONPath that picks an answer out of a reply: `$.a.b[0].c`, `$['a key']`, `$.items[*].id`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ...errors import TargetError, UsageError
from ..text import one_line

_STEP = re.compile(
    r"""\.?(?P<name>[^\W\d][\w-]*)|\[(?P<index>-?\d+)\]|\[(?P<every>\*)\]|\[(?P<q>['"])(?P<key>.*?)(?P=q)\]"""
)


def json_path(path: str, *, where: str) -> Callable[[Any], Any]:
    """Return a function from a JSON value to what `path` names in it.

    With `[*]` it is the list of all that match; without, a path that leads nowhere is a TargetError.
    """
    steps: list[str | int | None] = []
    rest = path.removeprefix("$")
    while rest:
        step = _STEP.match(rest)
        if step is None or (step["name"] and steps and not rest.startswith(".")):
            raise UsageError(
                f"{where}: {one_line(path, 80)!r} is no path; write it like $.answer or $.choices[0].text"
            )
        if step["every"]:
            steps.append(None)
        elif step["index"]:
            steps.append(int(step["index"]))
        else:
            steps.append(step["name"] or step["key"])
        rest = rest[step.end() :]

    def pick(value: Any) -> Any:
        found = [value]
        for number, step in enumerate(steps):
            if step is None:
                found = [item for one in found for item in _items(one)]
                continue
            taken = [one for held in found for one in _taken(held, step)]
            if not taken and None not in steps[:number]:
                raise TargetError(
                    f"{where}: the reply has nothing at {one_line(path, 80)} ({_shape(found[0])})"
                )
            found = taken
        return found if None in steps else found[0]

    return pick


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _taken(value: Any, step: str | int) -> list[Any]:
    if isinstance(step, int):
        in_range = isinstance(value, list) and -len(value) <= step < len(value)
        return [value[step]] if in_range else []
    return [value[step]] if isinstance(value, dict) and step in value else []


def _shape(value: Any) -> str:
    if isinstance(value, dict):
        return f"there is {one_line(', '.join(value), 80) or 'an empty object'}"
    return f"there is a {type(value).__name__}"
