"""similarity: the cosine of two embeddings.

It tells whether two texts speak about the same thing. It cannot check correctness: "approved" and "not
approved" come out as near twins, and a true paraphrase can come out further off than a negation.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...errors import CassetteMiss, ScorerError, TransportError, UsageError
from ...model.evalset import Case
from ...model.sample import Output, Score
from ...protocols import PieceContext, Reply, ScorerTraits, Wire
from ..chat_protocol import ChatModel, find_model, server_message
from .expectation import MISSING, as_texts, expecting
from .rule import graded, quoted, share
from .text_match import Texts


@dataclass(frozen=True, slots=True)
class Similarity:
    """Embed the answer and the expected texts in one request; the nearest counts."""

    wire: Wire
    model: ChatModel
    find: Callable[[Case], Any]
    pass_at: float | None
    traits: ScorerTraits

    async def score(self, case: Case, output: Output, *, epoch: int) -> Score:
        wanted = as_texts(self.find(case))
        if not all(text.strip() for text in wanted):
            raise ScorerError("an expected text is empty and has no embedding")
        if not output.text.strip():
            return graded(0.0, pass_at=self.pass_at, reason="the answer is empty")
        first, *others = await self._embed([output.text, *wanted], epoch)
        value, nearest = max((cosine(first, other), text) for other, text in zip(others, wanted, strict=True))
        told = f"similarity {value:.3f} to {quoted(nearest)}, got {quoted(output.text)}"
        return graded(value, pass_at=self.pass_at, reason=told)

    async def _embed(self, texts: list[str], epoch: int) -> list[list[float]]:
        # A lone surrogate has no UTF-8 form and would break the request.
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        body = {"model": self.model.model, "input": clean, "encoding_format": "float"}
        headers = {"content-type": "application/json", "accept": "application/json", **self.model.headers}
        if self.model.api_key:
            headers["authorization"] = f"Bearer {self.model.api_key}"
        try:
            reply = await self.wire.send(
                "POST",
                f"{self.model.base_url}/embeddings",
                headers=headers,
                json=body,
                asked={"provider": self.model.provider, "ask": "embeddings", **body},
                epoch=epoch,
                provider=self.model.provider,
                timeout_s=self.model.timeout_s,
                max_attempts=self.model.max_attempts,
            )
        except CassetteMiss:
            raise
        except TransportError as error:
            raise ScorerError(f"no embeddings from {self.model.name}: {error}") from error
        return _vectors(reply, self.model.name, len(texts))


def similarity(
    model: str,
    *,
    expected: Texts | None = None,
    pass_at: float | None = None,
    field: str | None = None,
    context: PieceContext,
) -> Similarity:
    """Give the cosine of the embeddings of answer and expected text, 0 for none or opposite; best of a list.

    `model` is provider/model-id of an OpenAI-compatible embeddings endpoint. Cannot check correctness.
    """
    chat_model = find_model(model, context=context)
    if chat_model.kind != "openai":
        raise UsageError(f"provider {chat_model.provider!r} has no OpenAI-compatible embeddings")
    if expected == []:
        raise UsageError("the expected list is empty")
    find, needs_expected = expecting(MISSING if expected is None else expected, field=field)
    traits = ScorerTraits(
        deterministic=False,
        needs_expected=needs_expected,
        fingerprint={"model": model},
        models=(model,),
    )
    return Similarity(context.wire, chat_model, find, share(pass_at, name="pass_at"), traits)


def cosine(left: list[float], right: list[float]) -> float:
    """Return the cosine of the angle of two vectors of one length; ScorerError where one has no direction."""
    norms = math.hypot(*left) * math.hypot(*right)
    if not (math.isfinite(norms) and norms > 0):
        raise ScorerError("an embedding has no direction (all zeros, or out of range)")
    return math.fsum(a * b for a, b in zip(left, right, strict=True)) / norms


def _vectors(reply: Reply, name: str, count: int) -> list[list[float]]:
    if reply.status >= 400:
        said = server_message(reply.body)
        raise ScorerError(f"{name} answered {reply.status}" + (f": {said}" if said else ""))
    try:
        rows = sorted(json.loads(reply.body)["data"], key=lambda row: row["index"])
        vectors = [[float(number) for number in row["embedding"]] for row in rows]
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        raise ScorerError(f"{name} answered {reply.status} without embeddings in it") from None
    if len(vectors) != count or len({len(vector) for vector in vectors}) != 1 or not vectors[0]:
        raise ScorerError(
            f"{name} answered with {len(vectors)} embeddings of unlike lengths for {count} texts"
        )
    return vectors
