"""What a model refuses, said in the user's words: no library's phrasing, no type names, no addresses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, cast, get_args, get_origin

from ..text import did_you_mean, one_line
from .positions import step
from .problems import MOST_TOLD, REQUIRED, Source, quoted

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

_MOST_UNKNOWN = 20
_LONGEST_REASON = 300
_NAME_RULE = "is no name here: A-Z a-z 0-9 _ . : @ / - and spaces only, 1 to 120 characters"
_KINDS = (
    (bool, "true or false"),
    (int, "a number"),
    (float, "a number"),
    (str, "text"),
    (list, "a list"),
    (dict, "a mapping"),
)
_NEEDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "tuple_type": "a list",
    "list_type": "a list",
    "date_type": "a date, for example 2026-11-01",
    "date_parsing": "a date, for example 2026-11-01",
    "date_from_datetime_parsing": "a date, for example 2026-11-01",
    "date_from_datetime_inexact": "a date, for example 2026-11-01",
    "finite_number": "a finite number",
}
_BOUNDS = {
    "greater_than": ("gt", "has to be above {}"),
    "greater_than_equal": ("ge", "has to be at least {}"),
    "less_than": ("lt", "has to be below {}"),
    "less_than_equal": ("le", "has to be at most {}"),
}


def kind_of(value: Any) -> str:
    """Return what a YAML value is, in a user's word."""
    if value is None:
        return "nothing"
    return next((word for kind, word in _KINDS if isinstance(value, kind)), "something else")


def note_unknown_key(source: Source, where: str, key: str, known: Collection[str]) -> None:
    """Note a key below `where` that does not exist there: with a near match, or else with what exists."""
    near = _near_key(key, frozenset(known)) if len(source.findings) < MOST_TOLD else None
    if near is not None:
        source.add(step(where, key), f"unknown key; did you mean '{near}'?", meant=step(where, near))
    else:
        source.add(step(where, key), f"unknown key; known here: {', '.join(sorted(known))}")


def note_unknown_keys(source: Source, where: str, raw: Mapping[str, Any], known: Collection[str]) -> bool:
    """Note every key of `raw` that is not in `known`; return whether there was one."""
    wrong = [key for key in raw if key not in known]
    for key in wrong[:_MOST_UNKNOWN]:
        note_unknown_key(source, where, key, known)
    if len(wrong) > _MOST_UNKNOWN:
        source.add(where, f"{len(wrong) - _MOST_UNKNOWN:,} more unknown keys")
    return bool(wrong)


@lru_cache(maxsize=1024)
def _near_key(key: str, known: frozenset[str]) -> str | None:
    """Return the known key that is near; a hundred thousand cases make the same mistake."""
    return did_you_mean(key, known)


def note_refusal(
    source: Source,
    error: ValidationError,
    where: str,
    *,
    known: Callable[[tuple[int | str, ...]], Collection[str]],
    shown: Callable[[tuple[int | str, ...]], tuple[int | str, ...]] = lambda loc: loc,
) -> None:
    """Note each error of a model under the YAML path `where`.

    `known` gives the keys that exist beside an unknown one; `shown` maps a model's path to the YAML's.
    """
    for item in error.errors(include_url=False)[:_MOST_UNKNOWN]:
        loc = shown(item["loc"])
        unknown = item["type"] == "extra_forbidden"
        path = where
        for key in loc[:-1] if unknown else loc:
            path = step(path, key)
        if unknown:
            note_unknown_key(source, path, str(loc[-1]), known(item["loc"][:-1]))
        else:
            source.add(path, _message(item))


def note_epochs(source: Source, where: str, epochs: Any) -> bool:
    """Note a number of epochs that is none, or a range that does not hold; return whether it is fine.

    A model with the choice between both would refuse it twice, once for each, in words of types.
    """
    from pydantic import ValidationError

    from ...model.evalset import EpochRange

    if isinstance(epochs, dict):
        try:
            EpochRange.model_validate(epochs)
        except ValidationError as error:
            note_refusal(source, error, where, known=lambda _loc: frozenset(EpochRange.model_fields))
            return False
    elif isinstance(epochs, bool) or not isinstance(epochs, int) or not 1 <= epochs <= 1000:
        got = quoted(epochs)
        source.add(where, f"needs a whole number from 1 to 1000, or {{min: 2, max: 5}}, got {got}")
        return False
    return True


def note_truth_values(source: Source, model: type[BaseModel], raw: Any, where: str = "") -> None:
    """Note each `true` or `false` where `model` wants a number, which it would take for 1 or 0."""
    if not isinstance(raw, Mapping):
        return
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key not in raw:
            continue
        value, place = raw[key], step(where, key)
        wanted = _flat(cast(Hashable, field.annotation))
        if isinstance(value, bool) and {int, float} & wanted and bool not in wanted:
            source.add(place, f"needs a number, got {quoted(value)}")
        inner = next((kind for kind in wanted if hasattr(kind, "model_fields")), None)
        if inner is None:
            continue
        if isinstance(value, list):
            for index, item in enumerate(value):
                note_truth_values(source, inner, item, step(place, index))
        elif get_origin(field.annotation) is dict and isinstance(value, Mapping):
            for sub, item in value.items():
                note_truth_values(source, inner, item, step(place, sub))
        else:
            note_truth_values(source, inner, value, place)


@cache
def _flat(annotation: Any) -> set[Any]:
    """Return the annotation and all that stands in its brackets."""
    return {annotation}.union(*(_flat(part) for part in get_args(annotation)))


def _message(item: Any) -> str:
    kind, value, context = item["type"], item.get("input"), item.get("ctx", {})
    if kind == "missing":
        return REQUIRED
    if kind in _NEEDS:
        got = quoted(value) if isinstance(value, str | int | float) else kind_of(value)
        return f"needs {_NEEDS[kind]}, got {got}"
    if kind in _BOUNDS:
        name, phrase = _BOUNDS[kind]
        return f"{phrase.format(format(context.get(name, 0), 'g'))}, got {quoted(value)}"
    if kind == "literal_error":
        return _not_one_of(value, str(context.get("expected", "")))
    if kind == "string_pattern_mismatch":
        return f"{quoted(value)} {_NAME_RULE}" if value else "is empty"
    if kind in {"string_too_short", "too_short"}:
        return "is empty"
    if kind == "value_error":
        return one_line(str(context.get("error", "is not valid")), _LONGEST_REASON)
    if kind == "string_unicode":
        return "holds a broken character (half of a surrogate pair)"
    return f"does not fit here, got {quoted(value)}"


def _not_one_of(value: Any, expected: str) -> str:
    words = [word.strip("'") for part in expected.split(", ") for word in part.split(" or ")]
    near = did_you_mean(str(value), words) if isinstance(value, str) else None
    hint = f"; did you mean '{near}'?" if near else ""
    return f"{quoted(value)} is not one of {', '.join(words)}{hint}"
