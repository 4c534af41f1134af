"""The three short forms of a scorer or target, brought to one: `name | {name: arg} | {name: {k: v}}`."""

from __future__ import annotations

from typing import Any

from ..text import one_line
from ..yaml_text import Source, quoted, step
from ..yaml_text.words import kind_of

_FORMS = "name, {name: argument} or {name: {option: value}}"


def read_scorers(raw: Any, where: str, source: Source, *, named: bool = True) -> list[dict[str, Any]]:
    """Return a list of scorers in normal form, without those that are refused.

    Where they are told apart by name (`named`), names are unique; those of a `must` go by their place.
    """
    if not isinstance(raw, list):
        hint = "; start each scorer with '- '" if isinstance(raw, str | dict) else ""
        source.add(where, f"needs a list of scorers, got {kind_of(raw)}{hint}")
        return []
    specs: list[dict[str, Any]] = []
    taken: dict[str, str] = {}
    for index, item in enumerate(raw):
        place = f"{where}[{index}]"
        spec = _read_scorer(item, place, source)
        if spec is None:
            continue
        name = spec["name"]
        if named and name in taken:
            message = f"the name '{name}' is taken by {{other}}; give one of them another name with 'as'"
            source.add(place, message, other=(source, taken[name]))
            continue
        taken[name] = place
        specs.append(spec)
    return specs


def read_target(raw: Any, source: Source) -> dict[str, Any] | None:
    """Return the target in normal form, or None where it is refused."""
    return _read_piece(raw, "target", source, noun="target")


def _read_scorer(raw: Any, where: str, source: Source) -> dict[str, Any] | None:
    spec = _read_piece(raw, where, source, noun="scorer")
    if spec is None:
        return None
    name: Any = spec["kind"]
    if "options" in spec and "as" in spec["options"]:
        options = dict(spec["options"])
        name = options.pop("as")
        spec["options"] = options
    if not _is_name(name):
        place = f"{step(where, spec['kind'])}.as" if name is not spec["kind"] else where
        got = quoted(name) if isinstance(name, str) else kind_of(name)
        source.add(
            place, f"a scorer's name is text of A-Z, a-z, digits and _ . : @ / - (1 to 120), got {got}"
        )
        return None
    spec["name"] = name
    return spec


def _read_piece(raw: Any, where: str, source: Source, *, noun: str) -> dict[str, Any] | None:
    if isinstance(raw, str):
        kind, value = raw, None
    elif isinstance(raw, dict) and len(raw) == 1:
        kind, value = next(iter(raw.items()))
    else:
        source.add(where, _refusal(raw, noun))
        return None
    if not kind.strip():
        source.add(where, f"a {noun} needs a name; write {_FORMS}")
        return None
    if value is None:
        return {"kind": kind, "where": where}
    if isinstance(value, dict):
        return {"kind": kind, "options": value, "where": where}
    return {"kind": kind, "has_arg": True, "arg": value, "where": where}


def _refusal(raw: Any, noun: str) -> str:
    if isinstance(raw, dict) and len(raw) > 1:
        first, *others = raw
        inside = ", ".join(f"{key}: ..." for key in others[:3])
        example = one_line(f"{first}: {{{inside}}}", 90)
        return f"a {noun} is one name with its options inside; write {{{example}}}"
    return f"needs a {noun}: {_FORMS}, got {kind_of(raw) if raw != {} else 'an empty mapping'}"


def _is_name(name: Any) -> bool:
    return (
        isinstance(name, str)
        and 0 < len(name) <= 120
        and name.isascii()
        and all(char.isalnum() or char in "_.:@/ -" for char in name)
    )
