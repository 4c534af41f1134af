"""The target `chat`: a model asked with a prompt template of the project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import TargetError, UsageError
from ...model.evalset import Case
from ...model.frozen import digest_of
from ...model.sample import Output
from ...protocols import PieceContext, Target
from ..chat_protocol import ask, chat_request, cost_usd, find_model
from ..redaction import storable
from ..templates import Message, Template, find_text, read_prompt
from .calling import UserCode
from .outputs import documents, tool_calls


def chat(
    model: str,
    prompt: str,
    *,
    system: str | None = None,
    params: dict[str, Any] | None = None,
    variables: str | None = None,
    response_format: dict[str, Any] | None = None,
    context: PieceContext,
) -> Target:
    """Make a target that asks `provider/model-id` with a prompt: a file of the project, or inline text.

    `variables` is the import string of a function that turns the case's input into further variables of the
    prompt, retrieval for example; what it returns as `retrieved` becomes part of the output.
    """
    return ChatTarget(
        model,
        _messages(prompt, system, context),
        params={**(params or {}), **({"response_format": response_format} if response_format else {})},
        variables=UserCode(variables, what="variables", context=context) if variables else None,
        context=context,
    )


class ChatTarget:
    """Render the prompt with the case's input, ask the model, and read its answer."""

    def __init__(
        self,
        model: str,
        messages: tuple[Message, ...],
        *,
        params: Mapping[str, Any],
        variables: UserCode | None,
        context: PieceContext,
    ) -> None:
        self._model = find_model(model, context=context)
        self._messages, self._params, self._variables = messages, params, variables
        self._wire = context.wire
        if variables is None and not any(message.template.names for message in messages):
            raise UsageError("the prompt uses nothing of the case; write {{ input }} where it belongs")
        # Refuses what cannot be sent before anything is.
        chat_request(
            self._model.kind,
            base_url=self._model.base_url,
            model=self._model.model,
            messages=(),
            params=params,
            api_key=None,
        )

    async def open(self) -> None:
        if self._variables is not None:
            await self._variables.open()

    async def close(self) -> None:
        if self._variables is not None:
            await self._variables.close()

    def rehearse(self, case: Case) -> None:
        """Put a case into the prompt; UsageError where that cannot be done.

        What a function adds to the variables is known only once it is called: such a prompt is not tried.
        """
        if self._variables is None:
            self._filled(_values(case))

    def _filled(self, values: Mapping[str, Any]) -> list[dict[str, str]]:
        return [{"role": m.role, "content": m.template.render(values)} for m in self._messages]

    async def answer(self, case: Case, *, epoch: int) -> Output:
        values = _values(case)
        retrieved, spent_s = None, 0.0
        if self._variables is not None:
            found, spent_s = await self._variables.call(case.input)
            if not isinstance(found, Mapping):
                raise TargetError(
                    f"{self._variables.path} returned {type(found).__name__}; variables have to be a mapping"
                )
            values.update(found)
            if found.get("retrieved") is not None:
                retrieved = documents(found["retrieved"], who=self._variables.path)
        try:
            messages = self._filled(values)
        except UsageError as error:
            raise TargetError(str(error)) from None
        said, reply = await ask(self._wire, self._model, messages=messages, params=self._params, epoch=epoch)
        return Output(
            text=storable(said.text),
            retrieved=retrieved,
            tool_calls=said.tool_calls and tool_calls(said.tool_calls, who=self._model.name),
            latency_s=reply.latency_s + spent_s,
            tokens_in=said.tokens_in,
            tokens_out=said.tokens_out,
            cost_usd=cost_usd(self._model, said),
            model=said.model or self._model.model,
            finish=said.finish,
            replayed=reply.replayed,
        )

    def fingerprint(self) -> Mapping[str, Any]:
        prompt = [[message.role, message.template.source] for message in self._messages]
        found: dict[str, Any] = {
            "model": self._model.name,
            "params": dict(self._params),
            "prompt": digest_of(prompt),
        }
        if self._variables is not None:
            found["variables"] = self._variables.fingerprint()
        return found


def _values(case: Case) -> dict[str, Any]:
    """Return the variables that a prompt has of a case: its input, and by name where that is a mapping."""
    return {"input": case.input, **(case.input if isinstance(case.input, Mapping) else {})}


def _messages(prompt: str, system: str | None, context: PieceContext) -> tuple[Message, ...]:
    text, where = find_text(prompt, root=context.root, folder=context.folder, what="prompt")
    messages = read_prompt(text, where=where)
    if system is None:
        return messages
    if any(message.role == "system" for message in messages):
        raise UsageError("system: the prompt has a `## system` section already; keep one of the two")
    text, where = find_text(system, root=context.root, folder=context.folder, what="system")
    return (Message("system", Template(text.strip("\n"), where=where)), *messages)
