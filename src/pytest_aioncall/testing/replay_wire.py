"""A Wire of canned replies: pieces that talk to a network, tested without one."""

from __future__ import annotations

import json as json_text
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import CassetteMiss
from ..protocols import Reply

Canned = Reply | Exception | Mapping[str, Any] | str


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as a piece sent it."""

    method: str
    url: str
    headers: Mapping[str, str]
    json: Any
    asked: Mapping[str, Any]
    epoch: int
    provider: str


class ReplayWire:
    """Answer each request with the next canned reply, and keep what was sent in `sent`.

    A reply is a mapping (sent as JSON with status 200), a text, a whole `Reply`, an exception to raise, or a
    function from `Sent` to one of these; a function answers every request from there on. Beyond the last one
    a request is a CassetteMiss. Since nothing leaves the process, no key is needed (`mode` is "replay").

        wire = ReplayWire(chat_answer('{"reason": "polite", "score": 5}'))
        scorer = build_scorer(spec, piece_context(wire=wire)).scorer
    """

    mode: Literal["replay"] = "replay"

    def __init__(self, *replies: Canned | Callable[[Sent], Canned]) -> None:
        self._replies = list(replies)
        self.sent: list[Sent] = []
        self.closed = False

    async def send(
        self,
        method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"],
        url: str,
        *,
        headers: Mapping[str, str],
        json: Any,
        asked: Mapping[str, Any],
        epoch: int,
        provider: str = "",
        timeout_s: float = 60.0,  # noqa: ARG002
        max_attempts: int = 4,  # noqa: ARG002
        inspect: Callable[[Reply], object] | None = None,
    ) -> Reply:
        sent = Sent(method, url, dict(headers), json, dict(asked), epoch, provider)
        self.sent.append(sent)
        if not self._replies:
            raise CassetteMiss(f"request {len(self.sent)} to {url} has no canned reply")
        canned = self._replies[0] if callable(self._replies[0]) else self._replies.pop(0)
        found = canned(sent) if callable(canned) else canned
        if isinstance(found, Exception):
            raise found
        reply = found if isinstance(found, Reply) else reply_of(found)
        if inspect is not None:
            inspect(reply)
        return reply

    async def close(self) -> None:
        self.closed = True


def reply_of(body: Mapping[str, Any] | str, *, status: int = 200) -> Reply:
    """Return an HTTP reply with this body: a mapping as JSON, a text as it is."""
    as_json = not isinstance(body, str)
    text = json_text.dumps(body) if as_json else str(body)
    kind = "application/json" if as_json else "text/plain; charset=utf-8"
    return Reply(
        status=status,
        headers={"content-type": kind},
        body=text.encode("utf-8", "surrogatepass"),
        latency_s=0.01,
    )


def chat_answer(
    text: str,
    *,
    kind: Literal["openai", "anthropic"] = "openai",
    finish: str = "stop",
    refusal: str | None = None,
    model: str = "canned-2026-01-01",
) -> dict[str, Any]:
    """Return what a chat server answers when the model says `text`.

    `finish` in OpenAI's words ("stop", "length"); `refusal` is the model's refusal in its own field.
    """
    if kind == "anthropic":
        reasons = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
        return {
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [{"type": "text", "text": refusal or text}],
            "stop_reason": "refusal" if refusal else reasons.get(finish, finish),
            "usage": {"input_tokens": 20, "output_tokens": 5},
        }
    message = {"role": "assistant", "content": None if refusal else text, "refusal": refusal}
    return {
        "object": "chat.completion",
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25},
    }


def embedding_answer(*vectors: list[float], model: str = "canned-embedding") -> dict[str, Any]:
    """Return what an embeddings server answers: one vector for each text, in order."""
    return {
        "object": "list",
        "model": model,
        "data": [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(vectors)],
        "usage": {"prompt_tokens": 8, "total_tokens": 8},
    }
