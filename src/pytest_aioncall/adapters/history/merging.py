"""Two versions of one record as one: for records that two jobs changed at the same time."""

from __future__ import annotations

from typing import Any

from ...model.frozen import canonical_json


def merged_record(base: Any, ours: Any, theirs: Any) -> Any:
    """Return what both sides made of `base` (None: not known); the order of the sides does not matter.

    A key that one side alone changed is as that side has it. Where both did: mappings are merged key by key,
    lists are joined without repeats, and of two plain values the larger one stays (the later time, the higher
    count), so that all machines come to the same, whoever is first.
    """
    if ours == theirs:
        return ours
    if base is not None and ours == base:
        return theirs
    if base is not None and theirs == base:
        return ours
    if isinstance(ours, dict) and isinstance(theirs, dict):
        was = base if isinstance(base, dict) else {}
        return {
            key: _of_key(key, was, ours, theirs)
            for key in sorted({*ours, *theirs})
            if _stays(key, was, ours, theirs)
        }
    if isinstance(ours, list) and isinstance(theirs, list):
        return _joined(base if isinstance(base, list) else [], ours, theirs)
    return max((ours, theirs), key=_rank)


def _stays(key: str, was: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Tell whether a key is kept: one that a side took away goes, unless the other side changed it."""
    if key in ours and key in theirs:
        return True
    there = ours if key in ours else theirs
    return key not in was or there[key] != was[key]


def _of_key(key: str, was: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> Any:
    if key not in ours or key not in theirs:
        return (ours if key in ours else theirs)[key]
    return merged_record(was.get(key), ours[key], theirs[key])


def _joined(base: list[Any], ours: list[Any], theirs: list[Any]) -> list[Any]:
    """Join two lists: what was there before, then what is new on either side, in one order."""
    known = {canonical_json(one) for one in base}
    kept = [one for one in base if one in ours and one in theirs]
    new = {canonical_json(one): one for one in (*ours, *theirs) if canonical_json(one) not in known}
    return [*kept, *(new[text] for text in sorted(new))]


def _rank(value: Any) -> tuple[int, float, str]:
    """Order plain values: nothing, then truth values, numbers, text, and what has parts."""
    if value is None:
        return (0, 0.0, "")
    if isinstance(value, bool):
        return (1, float(value), "")
    if isinstance(value, int | float):
        return (2, value, "")
    if isinstance(value, str):
        return (3, 0.0, value)
    return (4, 0.0, canonical_json(value))
