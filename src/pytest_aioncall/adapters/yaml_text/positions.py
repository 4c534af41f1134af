"""On which line something stands: read again from the file, and only when there is something to say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..text import one_line

MAX_DEPTH = 64
MAX_KEYS = 50_000
"""Keys of one mapping."""


def step(where: str, key: str | int) -> str:
    """Return the YAML path of `key` (text: a mapping's key, number: a list's index) below `where`."""
    if isinstance(key, int):
        return f"{where}[{key}]"
    key = one_line(key, 80)
    return f"{where}.{key}" if where else key


@dataclass(frozen=True, slots=True)
class Lines:
    """Line numbers (from 1) by YAML path, of the paths asked for and of all that they stand in."""

    by_path: dict[str, int]

    def line(self, where: str) -> int:
        """Return the line of `where`, or of the nearest thing around it that has one (at least 1)."""
        for path in (where, *reversed(_around(where))):
            if path in self.by_path:
                return self.by_path[path]
        return self.by_path.get("", 1)


def lines_in(raw: bytes, wanted: Iterable[str]) -> Lines:
    """Return the lines of the YAML paths `wanted`; a broken file yields what stands before the break.

    A mapping's entry stands on the line of its key, a list's item on the line it starts.
    """
    import yaml

    needed = {path for where in wanted for path in (where, *_around(where))} | {""}
    found: dict[str, int] = {}
    parser = yaml.CSafeLoader(raw)
    try:
        _walk(parser, needed, found)
    except yaml.YAMLError:
        pass
    finally:
        parser.dispose()
    return Lines(found)


def _walk(parser: object, needed: set[str], found: dict[str, int]) -> None:
    """Note the line of each path in `needed`; the first of two equal keys counts.

    `path` is None inside what nobody asked for; `key` is the key that waits for its value.
    """
    from yaml import (
        AliasEvent,
        MappingEndEvent,
        MappingStartEvent,
        ScalarEvent,
        SequenceEndEvent,
        SequenceStartEvent,
        StreamEndEvent,
    )

    get_event = parser.get_event  # type: ignore[attr-defined]
    stack: list[tuple[str | None, bool, str | None, int]] = []
    path: str | None = None
    in_map, key, index, root_seen = False, None, 0, False
    while True:
        event = get_event()
        kind = type(event)
        if kind is StreamEndEvent:
            return
        if kind is MappingEndEvent or kind is SequenceEndEvent:
            path, in_map, key, index = stack.pop()
        elif (
            kind is ScalarEvent
            or kind is AliasEvent
            or kind is MappingStartEvent
            or kind is SequenceStartEvent
        ):
            line = event.start_mark.line + 1
            if in_map and key is None:
                key = event.value if kind is ScalarEvent else ""
                if path is not None:
                    found_at = step(path, key)
                    if found_at in needed:
                        found.setdefault(found_at, line)
                        if len(found) == len(needed):
                            return
                if kind is ScalarEvent or kind is AliasEvent:
                    continue
                return  # a key that is no scalar: the file is refused, nothing after it is asked for
            child = _child(path, key if in_map else index, root_seen=root_seen)
            if child is not None and child in needed:
                found.setdefault(child, line)
            else:
                child = None
            root_seen = True
            key, index = None, index + 1
            if kind is MappingStartEvent or kind is SequenceStartEvent:
                if len(stack) > MAX_DEPTH:
                    return
                stack.append((path, in_map, key, index))
                path, in_map, key, index = child, kind is MappingStartEvent, None, 0


def _child(path: str | None, key: str | int | None, *, root_seen: bool) -> str | None:
    if not root_seen:
        return ""
    return None if path is None or key is None else step(path, key)


def _around(where: str) -> list[str]:
    """Return the paths that `where` stands in, outermost first; a dot inside a key adds harmless extras."""
    return [where[:at] for at, char in enumerate(where) if char in ".[" and at]
