"""What a target may return, turned into an Output; what it may not, said in plain words."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from ...errors import TargetError
from ...model.sample import Document, Output
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
        return _built({"text": value, "latency_s": latency_s}, who)
    if isinstance(value, Output):
        return value if value.latency_s is not None else value.model_copy(update={"latency_s": latency_s})
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
    if fields.get("retrieved") is not None:
        fields["retrieved"] = documents(fields["retrieved"], who=who)
    if fields.get("tool_calls") is not None:
        fields["tool_calls"] = _tool_calls(fields["tool_calls"], who)
    if fields.get("data") is not None:
        _check_json(fields["data"], who)
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
        return Document(id=value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Document(id=str(value))
    if isinstance(value, Mapping) and isinstance(value.get("id"), (str, int)):
        text = value.get("text")
        if text is None or isinstance(text, str):
            # Further keys (score, title) are the application's own.
            return Document(id=str(value["id"]), text=text)
    raise TargetError(
        f"{who} returned {_named(value)} in 'retrieved'; give ids, or mappings with 'id' and 'text'"
    )


def _tool_calls(value: Any, who: str) -> tuple[dict[str, Any], ...]:
    if isinstance(value, (list, tuple)) and all(isinstance(call, Mapping) for call in value):
        calls = tuple(dict(call) for call in value)
        _check_json(calls, who)
        return calls
    raise TargetError(f"{who} returned 'tool_calls' as {_named(value)}; it has to be a list of mappings")


def _check_json(value: Any, who: str) -> None:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise TargetError(f"{who} returned data that JSON cannot hold: {one_line(str(error), 100)}") from None


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
