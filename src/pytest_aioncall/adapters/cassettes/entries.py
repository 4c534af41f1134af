"""One recording: the key it is found by, the line it is kept as, and the reply it gives back."""

from __future__ import annotations

import base64
import hashlib
import json as jsonlib
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from ...model.frozen import canonical_json
from ...protocols import Reply
from ..redaction import WITHHELD
from ..text import one_line

KEPT_HEADERS = ("content-type",)
# A number of fewer digits is no secret that anybody configured.
_FEW_DIGITS = 6
# What differs between two replies of a chat server that say the same: ids, times, and what was cached there.
_NOISE = frozenset(
    {
        "id",
        "created",
        "created_at",
        "system_fingerprint",
        "service_tier",
        "request_id",
        "timings",
        "usage",
        "latency_s",
    }
)


class Redacts(Protocol):
    """What takes secrets out of what is stored."""

    def text(self, text: str) -> str: ...

    def json(self, value: Any) -> Any: ...


def key_of(asked: Mapping[str, Any], epoch: int) -> str:
    """Return what a recording is found by: 24 hex digits of what was asked, and of the epoch."""
    text = canonical_json({"asked": asked, "epoch": epoch})
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def question_of(asked: Mapping[str, Any], *, limit: int) -> str:
    """Return a short line by which a person finds a request again: the last message, or the input."""
    messages = asked.get("messages")
    said: Any = asked
    if isinstance(messages, list) and messages and isinstance(messages[-1], Mapping):
        said = messages[-1].get("content")
    else:
        for name in ("input", "json", "question"):
            if asked.get(name):
                said = asked[name]
                break
    return one_line(said if isinstance(said, str) else canonical_json(said), limit)


def entry_of(
    asked: Mapping[str, Any], *, epoch: int, reply: Reply, redact: Redacts, day: str
) -> dict[str, Any]:
    """Return the recording of a reply, without secrets; `day` is the UTC day it was given on."""
    digest = hashlib.sha256(canonical_json(asked).encode("utf-8", "surrogatepass")).hexdigest()
    headers = {k: redact.text(reply.headers[k]) for k in KEPT_HEADERS if k in reply.headers}
    return {
        "format": 1,
        "key": key_of(asked, epoch),
        "epoch": epoch,
        **({"by": "judge"} if "judge" in asked else {}),
        # Shortened last: what is cut in the middle of a secret is harder to see.
        "question": one_line(redact.text(question_of(asked, limit=20_000)), 160),
        "asked_sha256": digest,
        "status": reply.status,
        "headers": headers,
        **_body_of(reply.body, redact),
        "latency_s": round(reply.latency_s, 4),
        "recorded_at": day,
    }


def line_of(entry: Mapping[str, Any]) -> str:
    """Return an entry as its line. ASCII: an answer may hold what splits lines in an editor."""
    return jsonlib.dumps(entry, separators=(", ", ": ")) + "\n"


def reply_in(entry: Mapping[str, Any]) -> Reply:
    """Return the reply that was recorded; ValueError, KeyError or TypeError where it is none."""
    if "json" in entry:
        body = jsonlib.dumps(entry["json"], ensure_ascii=False).encode("utf-8", "surrogatepass")
    elif "text" in entry:
        body = str(entry["text"]).encode("utf-8", "surrogatepass")
    else:
        body = base64.b64decode(entry["base64"], validate=True)
    try:
        latency_s = float(entry.get("latency_s") or 0.0)
    except OverflowError:  # a whole number of hundreds of digits
        latency_s = math.inf
    if not 0 <= latency_s < math.inf:
        raise ValueError("a latency that no answer has")
    return Reply(
        status=int(entry["status"]),
        headers={str(name): str(value) for name, value in dict(entry.get("headers") or {}).items()},
        body=body,
        latency_s=latency_s,
        replayed=str(entry["recorded_at"]),
    )


def says_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two recordings of one question hold one answer: times and ids of chat replies aside."""
    return _answer_in(one) == _answer_in(other)


def is_withheld(entry: Mapping[str, Any]) -> bool:
    """Tell whether a pattern of the project was too slow for a part of the reply, which is not there."""
    body = {part: entry[part] for part in ("json", "text") if part in entry}
    return WITHHELD in jsonlib.dumps(body, ensure_ascii=False)


def is_worth_keeping(reply: Reply) -> bool:
    """Tell whether a reply may be an answer: no refusal of the server, and whole where it is JSON.

    A recording of what was cut off would fail in every replay, and take the place of one that does not.
    """
    if reply.status >= 400:
        return False
    if "json" not in reply.headers.get("content-type", ""):
        return True
    try:
        jsonlib.loads(reply.body)
    except (ValueError, RecursionError):
        return False
    return True


def _answer_in(entry: Mapping[str, Any]) -> dict[str, Any]:
    answer = {name: value for name, value in entry.items() if name not in ("latency_s", "recorded_at", "by")}
    body = answer.get("json")
    if isinstance(body, dict) and _is_chat(body):
        answer["json"] = _without_call_ids({k: v for k, v in body.items() if k not in _NOISE})
    elif isinstance(body, dict) and "latency_s" in body and "text" in body:
        # A whole output of a target, as earlier versions wrote it.
        answer["json"] = {k: v for k, v in body.items() if k != "latency_s"}
    return answer


def _is_chat(body: Mapping[str, Any]) -> bool:
    """Tell a chat server's reply; in any other body an `id` may be the answer itself."""
    return isinstance(body.get("choices"), list) or (
        body.get("type") == "message" and isinstance(body.get("content"), list)
    )


def _without_call_ids(value: Any) -> Any:
    """Return a chat reply without the ids of tool calls, which are drawn anew for every answer."""
    if isinstance(value, list):
        return [_without_call_ids(one) for one in value]
    if not isinstance(value, dict):
        return value
    is_call = isinstance(value.get("function"), dict) or value.get("type") == "tool_use"
    return {k: _without_call_ids(v) for k, v in value.items() if not (is_call and k == "id")}


def _body_of(body: bytes, redact: Redacts) -> dict[str, Any]:
    """Return the body in the form that reads best, and that holds no secret any more."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return _binary(body, redact)
    try:
        data = _numbers_too(redact.json(jsonlib.loads(text)), redact)
        written = jsonlib.dumps(data, ensure_ascii=False)
    except (ValueError, RecursionError):
        return {"text": redact.text(text)}
    clean = redact.text(written)
    if clean != written:
        # A field and its value together say what neither says alone.
        with suppress(ValueError):
            data = jsonlib.loads(clean)
    return {"json": data}


def _numbers_too(value: Any, redact: Redacts) -> Any:
    """Return JSON without numbers that are a secret written in digits."""
    if isinstance(value, dict):
        return {name: _numbers_too(one, redact) for name, one in value.items()}
    if isinstance(value, list):
        return [_numbers_too(one, redact) for one in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        written = jsonlib.dumps(value)
        return (
            value if len(written) < _FEW_DIGITS or redact.text(written) == written else redact.text(written)
        )
    return value


def _binary(body: bytes, redact: Redacts) -> dict[str, Any]:
    """Return a body that is no UTF-8, secrets in it replaced byte by byte.

    One that still shows a secret in another encoding is kept as text, which has lost what is no text.
    """
    plain = body.decode("latin-1")
    clean = redact.text(plain)
    if clean != plain:
        body = clean.encode("latin-1", "replace")
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        shown = body.decode(encoding, "replace")
        if (clean := redact.text(shown)) != shown:
            return {"text": clean}
    return {"base64": base64.b64encode(body).decode("ascii")}
