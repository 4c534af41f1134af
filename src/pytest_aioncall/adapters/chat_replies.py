"""What a chat model's HTTP reply comes to: an answer, no answer, or the server's no.

A refusal is an answer, and so are tool calls and a text that was cut at the limit of tokens. A 200 that holds
no answer (cut off, no JSON, no choices, an error in place of them) is a TransportError: nothing arrived, and
the request may be sent again. A TargetError is what the same request would get again: a 4xx, a redirect, a
stream that nobody asked for, an answer with neither text nor refusal nor tool call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import AioncallError, TargetError, TransportError
from ..protocols import Reply
from .text import one_line

Kind = Literal["openai", "anthropic"]

_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
}
REFUSED = frozenset({"refusal", "content_filter"})
"""Values of `finish` that mean that the model, or a filter before it, would not answer."""

# Errors that some gateways send with status 200: these the same request would get again.
_NOS = frozenset(
    {
        "authentication_error",
        "billing_error",
        "exceed_context_size_error",
        "invalid_request_error",
        "not_found_error",
        "not_supported_error",
        "permission_error",
    }
)
_WAITS = frozenset({408, 409, 429})
_MOST_TOKENS = 10**9


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What a model answered; `tool_calls` are {id, name, arguments}.

    `finish` is stop, length, tool_calls, content_filter, refusal, or the server's own word.
    `refusal` is set where the model refused; `text` then holds its words, which may be none.
    Token counts are None where the server tells none that can be believed.
    """

    text: str
    finish: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    model: str | None = None
    refusal: str | None = None
    tool_calls: tuple[dict[str, Any], ...] | None = None


def chat_reply(kind: Kind, reply: Reply, *, name: str = "the model", key_env: str | None = None) -> ChatReply:
    """Read a server's reply; `name` and `key_env` are for messages only."""
    if reply.status >= 400:
        raise TargetError(_refused(reply, name, key_env))
    if reply.status >= 300:
        to = one_line(reply.headers.get("location", ""), 80)
        raise TargetError(
            f"{name} answered {reply.status} and points to {to or 'another address'}; redirects are not "
            "followed, write the final address into base_url"
        )
    data = _object_in(reply, name)
    if data.get("error") and "choices" not in data and "content" not in data:
        raise _error_inside(reply, data["error"], name)
    read = _read_openai if kind == "openai" else _read_anthropic
    try:
        found = read(data)
    except (KeyError, IndexError, TypeError, AttributeError):
        raise TransportError(
            f"{name} answered {reply.status} without an answer in it (no {_holder(kind)}); "
            "the server or what stands before it is broken, or base_url leads elsewhere"
        ) from None
    if found.finish == "error":
        raise TransportError(f"{name} answered {reply.status} and then failed; the server could not answer")
    if found.text or found.tool_calls or found.refusal is not None or found.finish in REFUSED:
        return found
    if not _says_nothing(kind, data):
        return found
    advice = (
        "the limit of tokens was used up before the answer began, raise it in params"
        if found.finish == "length"
        else "if it thinks first, look for the setting that puts the answer into the reply's content"
    )
    raise TargetError(f"{name} answered with neither text nor refusal nor tool call; {advice}")


def server_message(body: bytes) -> str:
    """Return what a server says in an error body, on one line of at most 200 characters; '' when nothing."""
    text = body[:4096].decode("utf-8", "replace")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return "" if text.lstrip().startswith("<") else one_line(" ".join(text.split()), 200)
    for key in ("error", "message", "detail"):
        said = data.get(key) if isinstance(data, dict) else None
        if isinstance(said, dict):
            said = said.get("message") or said.get("type")
        if isinstance(said, str) and said:
            return one_line(" ".join(said.split()), 200)
    return one_line(" ".join(text.split()), 200)


def _object_in(reply: Reply, name: str) -> dict[str, Any]:
    """Return the JSON object of a body; what else arrives is no answer."""
    told = one_line(reply.headers.get("content-type", "").split(";")[0].strip(), 40)
    try:
        data = json.loads(reply.body)
    except (ValueError, RecursionError):
        if "event-stream" in told or reply.body.lstrip()[:6] in (b"data: ", b"event:"):
            raise TargetError(
                f"{name} answered with a stream though none was asked for; find the server's or proxy's "
                "setting that forces streams, and turn it off"
            ) from None
        if "json" in told and reply.body.strip():
            raise TransportError(
                f"{name} answered {reply.status} with cut-off or malformed JSON; "
                "the server or what stands before it is broken"
            ) from None
        what = (told or "a body without a content type") if reply.body.strip() else "an empty body"
        raise TransportError(
            f"{name} answered {reply.status} with {what} instead of JSON; "
            "check base_url, or what stands between you and the server"
        ) from None
    if not isinstance(data, dict):
        raise TransportError(f"{name} answered {reply.status} with JSON that is no object; check base_url")
    return data


def _error_inside(reply: Reply, error: Any, name: str) -> AioncallError:
    """Return what an error in a body with status 200 comes to: some gateways answer like that."""
    what = f"{name} answered {reply.status} with an error: {server_message(reply.body)}"
    told = error if isinstance(error, Mapping) else {}
    code, kind = told.get("code"), told.get("type")
    if isinstance(code, int) and 400 <= code < 500 and code not in _WAITS:
        return TargetError(f"{what}; see what it says of the request, the model's name or the key")
    if isinstance(kind, str) and kind in _NOS and not (isinstance(code, int) and code in _WAITS):
        return TargetError(f"{what}; see what it says of the request, the model's name or the key")
    return TransportError(f"{what}; the server could not answer, try later")


def _read_openai(data: dict[str, Any]) -> ChatReply:
    choice = data["choices"][0]
    message = choice["message"]
    refusal = _words(message.get("refusal"))
    text = _text_of(message.get("content"))
    calls = message.get("tool_calls") or ()
    usage = _mapping(data.get("usage"))
    finish = "error" if choice.get("error") else _word(choice.get("finish_reason"), 40)
    return ChatReply(
        text=text or refusal or "",
        finish="refusal" if refusal else finish,
        tokens_in=_count(usage.get("prompt_tokens")),
        tokens_out=_count(usage.get("completion_tokens")),
        model=_word(data.get("model"), 200),
        refusal=refusal,
        tool_calls=tuple(
            {
                "id": _word(call.get("id"), 200),
                "name": str(call["function"]["name"]),
                "arguments": _arguments(call["function"].get("arguments")),
            }
            for call in calls
        )
        or None,
    )


def _read_anthropic(data: dict[str, Any]) -> ChatReply:
    blocks = data["content"]
    text = "".join([block["text"] for block in blocks if block.get("type") == "text"])
    calls = tuple(
        {"id": _word(block.get("id"), 200), "name": str(block["name"]), "arguments": block.get("input")}
        for block in blocks
        if block.get("type") == "tool_use"
    )
    reason = _word(data.get("stop_reason"), 40)
    usage = _mapping(data.get("usage"))
    # Cached input is counted apart by this server, and is input all the same.
    parts = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    counts = [_count(usage.get(part)) for part in parts]
    return ChatReply(
        text=text,
        finish=_FINISH.get(reason, reason) if reason else None,
        tokens_in=None if counts[0] is None else sum(n for n in counts if n is not None),
        tokens_out=_count(usage.get("output_tokens")),
        model=_word(data.get("model"), 200),
        refusal=(text or "the model refused") if reason == "refusal" else None,
        tool_calls=calls or None,
    )


def _says_nothing(kind: Kind, data: dict[str, Any]) -> bool:
    """Tell an answer that is missing from one that is an empty text: that one a model did give."""
    if kind == "openai":
        return not isinstance(data["choices"][0]["message"].get("content"), str)
    return not any(block.get("type") == "text" for block in data["content"])


def _text_of(content: Any) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return "".join([part.get("text") or "" for part in content])


def _arguments(raw: Any) -> Any:
    if not isinstance(raw, str):
        return raw
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw


def _count(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value <= _MOST_TOKENS else None


def _word(value: Any, limit: int) -> str | None:
    if not isinstance(value, str):
        return None
    return value if len(value) <= limit and value.isprintable() else one_line(value, limit)


def _words(value: Any) -> str | None:
    if not value:
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _holder(kind: Kind) -> str:
    return "choices" if kind == "openai" else "content"


def _refused(reply: Reply, name: str, key_env: str | None) -> str:
    said = server_message(reply.body)
    what = f"{name} answered {reply.status}" + (f": {said}" if said else "")
    if reply.status in (401, 403):
        return f"{what}; check the key in {key_env}" if key_env else f"{what}; name its key with api_key_env"
    if reply.status == 402:
        return f"{what}; check the account's credit"
    if reply.status == 404:
        return f"{what}; check the model's name and base_url"
    if reply.status == 413:
        return f"{what}; send less: shorten the prompt or what is retrieved"
    return f"{what}; see what it says of the request, its params for one"
