"""What a target may return, turned into an Output; what it may not, said in plain words."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from ...errors import TargetError
from ...model.sample import Document, Output
from ..redaction import storable
from ..text import did_you_mean, one_line

KEYS = (
    "text",
    "data",
    "retrieved",
    "tool_calls",
    "tokens_in",
    "tokens_out",
    "cost_usd",
    "model",
    "finish",
)


def to_output(value: Any, *, latency_s: float | None, who: str) -> Output:
    """Turn what `who` returned into an Output; TargetError names what came where that cannot be.

    Text, a mapping with `text` and any other of KEYS, or an Output (whose own `latency_s`, if set, is kept).
    """
    if isinstance(value, str):
        return _built({"text": storable(value), "latency_s": latency_s}, who)
    if isinstance(value, Output):
        kept = latency_s if value.latency_s is None else value.latency_s
        return value.model_copy(update={"text": storable(value.text), "latency_s": kept})
    if not isinstance(value, Mapping):
        raise TargetError(f"{who} returned {_named(value)}; return text, or a mapping with 'text'")
    unknown = [key for key in value if key not in KEYS]
    if "text" not in value:
        has = one_line(", ".join(map(str, value)), 80) or "nothing"
        raise TargetError(
            f"{who} returned a mapping without 'text' (it has {has}); "
            "return text, or {'text': ..., 'data': ...}"
        )
    if unknown:
        key = one_line(str(unknown[0]), 40)
        near = did_you_mean(key, KEYS)
        hint = (
            f"did you mean {near!r}?" if near else f"known are {', '.join(KEYS)}; put the rest under 'data'"
        )
        raise TargetError(f"{who} returned a mapping with an unknown key {key!r}; {hint}")
    fields = {**value, "latency_s": latency_s}
    if not isinstance(fields["text"], str):
        raise TargetError(f"{who} returned 'text' as {_named(fields['text'])}; it has to be a string")
    fields["text"] = storable(fields["text"])
    if fields.get("retrieved") is not None:
        fields["retrieved"] = documents(fields["retrieved"], who=who)
    if fields.get("tool_calls") is not None:
        fields["tool_calls"] = tool_calls(fields["tool_calls"], who=who)
    if fields.get("data") is not None:
        fields["data"] = _checked_json(fields["data"], who)
    return _built(fields, who)


def documents(value: Any, *, who: str) -> tuple[Document, ...]:
    """Read retrieved documents: ids, mappings with `id` and perhaps `text`, or Documents, best first."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise TargetError(f"{who} returned 'retrieved' as {_named(value)}; it has to be a list")
    return tuple(_document(one, who) for one in value)


def _document(value: Any, who: str) -> Document:
    if isinstance(value, Document):
        return value
    if isinstance(value, str):
        return Document(id=storable(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return Document(id=str(value))
    if isinstance(value, Mapping) and isinstance(value.get("id"), (str, int)):
        text = value.get("text")
        if text is None or isinstance(text, str):
            # Further keys (score, title) are the application's own.
            return Document(id=storable(str(value["id"])), text=text and storable(text))
    raise TargetError(
        f"{who} returned {_named(value)} in 'retrieved'; give ids, or mappings with 'id' and 'text'"
    )


def tool_calls(value: Any, *, who: str) -> tuple[dict[str, Any], ...]:
    """Read tool calls: mappings in JSON types, by convention {name, arguments}."""
    if isinstance(value, (list, tuple)) and all(isinstance(call, Mapping) for call in value):
        return tuple(_checked_json(dict(call), who) for call in value)
    raise TargetError(f"{who} returned 'tool_calls' as {_named(value)}; it has to be a list of mappings")


def _checked_json(value: Any, who: str) -> Any:
    """Return `value` as JSON gives it back (a tuple is a list then), every text in it storable."""
    try:
        return _storable_json(json.loads(json.dumps(value, allow_nan=False)))
    except (TypeError, ValueError, RecursionError) as error:
        raise TargetError(f"{who} returned data that JSON cannot hold: {one_line(str(error), 100)}") from None


def _storable_json(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable_json(one) for one in value]
    if isinstance(value, dict):
        return {storable(key): _storable_json(one) for key, one in value.items()}
    return value


def _built(fields: dict[str, Any], who: str) -> Output:
    try:
        return Output(**fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise TargetError(f"{who} returned {where!r} that cannot be used: {first['msg']}") from None


def _named(value: Any) -> str:
    """Name what came, with what is the likely mistake behind it."""
    if value is None:
        return "None (is a `return` missing?)"
    if isinstance(value, (bytes, bytearray)):
        return "bytes (decode them)"
    if inspect.isgenerator(value) or inspect.isasyncgen(value):
        return "a generator (join its pieces)"
    article = "an" if type(value).__name__[0] in "aeiouAEIOU" else "a"
    return f"{article} {one_line(type(value).__name__, 60)}"
