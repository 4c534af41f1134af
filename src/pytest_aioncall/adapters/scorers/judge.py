"""judge: a scorer that asks a model to mark an answer by a rubric.

A judge that is unreachable, refuses, or replies with anything but one clear verdict is an error on the
sample, never a score: an outage of the judge must not look like a regression, nor like a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import CassetteMiss, ScorerError, TargetError, TransportError, UsageError
from ...model.evalset import Case
from ...model.frozen import digest_of
from ...model.sample import Output, Score
from ...protocols import PieceContext, ScorerTraits, Wire
from ..chat_protocol import ChatModel, ask, chat_request, cost_usd, find_model
from ..chat_replies import REFUSED, ChatReply
from .files import read_named
from .judge_prompt import JudgePrompt, Marks, ReplyFormat, Shown, make_marks
from .judge_reply import PARSER, read_verdict
from .rule import quoted

_RUBRIC_FILES = (".md", ".txt", ".markdown", ".rst")


@dataclass(frozen=True, slots=True)
class Judge:
    """Ask `model` about each answer; `params` go into the request as they are.

    `hash` stands for all of the judge that a recorded reply depends on.
    """

    wire: Wire
    model: ChatModel
    prompt: JudgePrompt
    params: Mapping[str, Any]
    pass_at: float | None
    traits: ScorerTraits
    hash: str = ""

    async def score(self, case: Case, output: Output, *, epoch: int) -> Score:
        reply, cost = await self._ask(self.prompt.messages(case, output), epoch)
        try:
            return self._mark(reply).model_copy(update={"cost_usd": cost})
        except ScorerError as error:
            error.cost_usd = cost
            raise

    def _mark(self, reply: ChatReply) -> Score:
        """Read the verdict; raises ScorerError where there is none in the reply."""
        if reply.refusal is not None or reply.finish in REFUSED:
            said = quoted(reply.refusal or reply.text) if reply.refusal or reply.text else "it said nothing"
            raise ScorerError(
                f"the judge {self.model.name} refused: {said}; take another judge model, or say in its "
                "rubric that the material is to be judged, not to be followed"
            )
        if reply.finish == "length":
            raise ScorerError(
                f"the reply of the judge {self.model.name} was cut off; raise the limit of tokens in params"
            )
        if reply.tool_calls and not reply.text.strip():
            raise ScorerError(
                f"the judge {self.model.name} called a tool instead of judging; remove tools from its params"
            )
        try:
            value, label, reason = read_verdict(reply.text, self.prompt.marks)
        except ScorerError as error:
            raise ScorerError(f"{error}; {self._advice()}") from None
        holds = None if self.pass_at is None else value >= self.pass_at
        return Score(
            scorer="", scale=self.traits.scale, value=value, passed=holds, label=label, reason=reason
        )

    async def _ask(self, messages: list[dict[str, str]], epoch: int) -> tuple[ChatReply, float | None]:
        """Return the reply and what it cost; a recording costs nothing now."""
        try:
            reply, sent = await ask(
                self.wire,
                self.model,
                messages=messages,
                params=self.params,
                epoch=epoch,
                judge=self.hash,
            )
        except CassetteMiss:
            raise
        except (TransportError, TargetError, UsageError) as error:
            raise ScorerError(f"the judge gave no verdict: {error}{self._hint(str(error))}") from error
        return reply, None if sent.replayed else cost_usd(self.model, reply)

    def _advice(self) -> str:
        """Say what to do about a judge that replies with no verdict."""
        if "response_format" in self.params:
            return "the server did not keep to the form it was asked for; take another judge model or server"
        return "where the server can, set reply_format: json_schema, or take another judge model"

    def _hint(self, said: str) -> str:
        """Name the way out where a server does not know structured replies; some answer 500 to it."""
        suspicious = ("response_format", "json_schema", "grammar", "output_config", " 500", " 501")
        if "response_format" in self.params and any(word in said for word in suspicious):
            return "; if this server cannot reply by a schema, set reply_format: text"
        return ""


def judge(
    rubric: str,
    model: str,
    *,
    scale: list[float] | None = None,
    labels: list[str] | dict[str, float] | None = None,
    step: float = 1.0,
    pass_at: float | str | None = None,
    params: dict[str, Any] | None = None,
    show: list[Shown] | None = None,
    needs_expected: bool = False,
    reply_format: ReplyFormat = "json_schema",
    max_chars: int = 60_000,
    context: PieceContext,
) -> Judge:
    """Mark an answer by a rubric: `scale` [worst, best] in steps, or `labels` from worst to best.

    `rubric` is the text or its file (.md, .txt); `model` is provider/model-id. The judge sees the answer, and
    by `show` the case's input, its expected answer where it has one, and the retrieved documents; each cut at
    `max_chars`. A mark of `pass_at` or better passes; without it the score is a value only.
    """
    marks = make_marks(scale, labels, step=step)
    if max_chars < 1:
        raise UsageError(f"max_chars is {max_chars}; it is a count from 1 up")
    shown: tuple[Shown, ...] = ("input", "expected") if show is None else tuple(show)
    prompt = JudgePrompt(_rubric(rubric, context), marks, shown, max_chars)
    chat_model = find_model(model, context=context)
    sent = _params(params or {}, prompt, reply_format, chat_model)
    fingerprint = {
        "model": model,
        "prompt": prompt.digest,
        "params": dict(params or {}),
        "reply_format": reply_format,
        "parser": PARSER,
    }
    traits = ScorerTraits(
        scale=(marks.low, marks.high),
        deterministic=False,
        needs_expected=needs_expected,
        fingerprint=fingerprint,
        models=(model,),
        parts={"rubric text": digest_of(prompt.rubric)},
    )
    return Judge(
        context.wire,
        chat_model,
        prompt,
        sent,
        _threshold(pass_at, marks),
        traits,
        # Not `pass_at`, nor what labels are worth: these are applied to a recorded mark as to a new one.
        hash=digest_of(fingerprint),
    )


def _rubric(rubric: str, context: PieceContext) -> str:
    text = rubric
    if "\n" not in rubric and rubric.strip().lower().endswith(_RUBRIC_FILES):
        text = read_named(rubric.strip(), what="rubric", context=context)
    if not text.strip():
        raise UsageError("the rubric is empty")
    return text


def _params(
    params: dict[str, Any], prompt: JudgePrompt, reply_format: ReplyFormat, model: ChatModel
) -> dict[str, Any]:
    """Return what goes into every request besides the messages, checked once by writing one."""
    if "response_format" in params:
        raise UsageError("params: response_format is set by reply_format; remove it")
    sent = dict(params)
    if reply_format == "json_object":
        if model.kind == "anthropic":
            raise UsageError("reply_format: an anthropic model takes json_schema or text")
        sent["response_format"] = {"type": "json_object"}
    elif reply_format == "json_schema":
        schema = {"name": "verdict", "strict": True, "schema": prompt.reply_schema()}
        sent["response_format"] = {"type": "json_schema", "json_schema": schema}
    chat_request(
        model.kind, base_url=model.base_url, model=model.model, messages=(), params=sent, api_key=None
    )
    return sent


def _threshold(pass_at: float | str | None, marks: Marks) -> float | None:
    if isinstance(pass_at, str):
        if marks.labels is None or pass_at not in marks.labels:
            known = f"; the labels are {', '.join(marks.labels)}" if marks.labels else ""
            raise UsageError(f"pass_at {pass_at!r} is no label of this judge{known}")
        return marks.labels[pass_at]
    if pass_at is not None and not marks.low <= pass_at <= marks.high:
        raise UsageError(f"pass_at is {pass_at:g}, outside the scale {marks.low:g} to {marks.high:g}")
    return pass_at
