"""How chat models are asked over HTTP: OpenAI-compatible and Anthropic, without an SDK.

A model is named `provider/model-id`; `find_model` resolves the name, `ask` sends one request through a Wire
and has each reply read (`chat_replies`) before the wire takes it for an answer.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ..errors import UsageError
from ..model.config import Price
from ..protocols import KEYLESS_MODES, PieceContext, Reply, Wire
from .chat_replies import ChatReply, Kind, chat_reply, server_message
from .text import did_you_mean, one_line

__all__ = [
    "ChatModel",
    "ChatReply",
    "ChatRequest",
    "ask",
    "chat_reply",
    "chat_request",
    "cost_usd",
    "find_model",
    "is_loopback",
    "server_message",
]

BASE_URLS: Mapping[str, str] = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
}
ANTHROPIC_VERSION = "2023-06-01"
ANTHROPIC_MAX_TOKENS = 4096
# What we set ourselves, or what changes the shape of the reply.
_RESERVED = ("model", "messages", "system", "stream", "stream_options", "n")


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One HTTP request to a chat model; `body` holds no key."""

    url: str
    headers: dict[str, str] = field(repr=False)
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ChatModel:
    """A model that can be asked: where, with which key, under which limits and at which price."""

    provider: str
    model: str
    kind: Kind
    base_url: str
    api_key: str | None = field(default=None, repr=False)
    key_env: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    price: Price | None = None
    timeout_s: float = 60.0
    max_attempts: int = 4

    @property
    def name(self) -> str:
        """`provider/model-id`."""
        return f"{self.provider}/{self.model}"


def find_model(name: str, *, context: PieceContext) -> ChatModel:
    """Resolve `provider/model-id` by the configuration.

    A key that is named there but not set is a UsageError, unless the wire's `mode` says that nothing is
    called (replay, check): a missing key never switches to anything else.
    """
    provider_name, slash, model = name.partition("/")
    if not (slash and provider_name and model):
        raise UsageError(
            f"model {name!r} names no provider; write provider/model-id, for example openai/{name}"
        )
    providers = context.config.providers
    provider = providers.get(provider_name)
    if provider is None:
        raise UsageError(_unknown_provider(provider_name, tuple(providers)))
    silent = getattr(context.wire, "mode", "live") in KEYLESS_MODES
    key_env = provider.api_key_env
    wanted = {**({"the key": key_env} if key_env else {}), **provider.headers_env}
    missing = [env for env in wanted.values() if not context.secrets.get(env)]
    if missing and not silent:
        raise UsageError(
            f"provider {provider_name!r}: environment variable {missing[0]} is not set; "
            "set it, or replay recorded answers with --aioncall-replay"
        )
    base_url = (provider.base_url or BASE_URLS[provider.kind]).rstrip("/")
    price = context.config.prices.models.get(name)
    return ChatModel(
        provider=provider_name,
        model=model,
        kind=provider.kind,
        base_url=base_url,
        api_key=context.secrets.get(key_env) if key_env else None,
        key_env=key_env,
        headers={k: context.secrets.get(env, "") for k, env in provider.headers_env.items()},
        price=Price(input=0, output=0) if price is None and is_loopback(base_url) else price,
        timeout_s=provider.timeout_s,
        max_attempts=provider.max_attempts,
    )


async def ask(
    wire: Wire,
    model: ChatModel,
    *,
    messages: Sequence[Mapping[str, Any]],
    params: Mapping[str, Any],
    epoch: int,
    judge: str = "",
) -> tuple[ChatReply, Reply]:
    """Ask `model` through `wire`; return what it said and the HTTP reply (latency, attempts, replayed).

    A reply that holds no answer is asked for again, within `max_attempts`, as after a broken connection.
    `judge` is the hash of the judge that asks: another judge finds no recording of this one's replies.
    """
    read: tuple[Reply, ChatReply] | None = None

    def inspect(reply: Reply) -> None:
        nonlocal read
        read = reply, chat_reply(model.kind, reply, name=model.name, key_env=model.key_env)

    request = chat_request(
        model.kind,
        base_url=model.base_url,
        model=model.model,
        messages=messages,
        params=params,
        api_key=model.api_key,
    )
    reply = await wire.send(
        "POST",
        request.url,
        headers={**request.headers, **model.headers} if model.headers else request.headers,
        json=request.body,
        asked={"provider": model.provider, **request.body, **({"judge": judge} if judge else {})},
        epoch=epoch,
        provider=model.provider,
        timeout_s=model.timeout_s,
        max_attempts=model.max_attempts,
        inspect=inspect,
    )
    if read is None or read[0] is not reply:  # a recording, or a wire that does not inspect
        inspect(reply)
    assert read is not None  # noqa: S101 - inspect has set it, or raised
    return read[1], reply


def cost_usd(model: ChatModel, reply: ChatReply) -> float | None:
    """Return the price of one reply in US dollars, None where price or token counts are unknown."""
    price = model.price
    if price is None:
        return None
    if price.input == 0 and price.output == 0:
        return 0.0
    if reply.tokens_in is None or reply.tokens_out is None:
        return None
    return (reply.tokens_in * price.input + reply.tokens_out * price.output) / 1e6


def chat_request(
    kind: Kind,
    *,
    base_url: str,
    model: str,
    messages: Sequence[Mapping[str, Any]],
    params: Mapping[str, Any],
    api_key: str | None,
) -> ChatRequest:
    """Write the request that asks `model`; `params` go into the body as they are.

    For Anthropic, system messages move to `system`, `max_tokens` defaults to 4096, and an OpenAI-style
    `response_format` with a JSON schema becomes `output_config`.
    """
    for reserved in _RESERVED:
        if reserved in params:
            raise UsageError(f"params: {reserved!r} is set by aioncall itself; remove it")
    headers = {"content-type": "application/json", "accept": "application/json"}
    base_url = base_url.rstrip("/")
    if kind == "openai":
        if api_key:
            headers["authorization"] = f"Bearer {api_key}"
        body = {"model": model, "messages": [dict(m) for m in messages], **params}
        return ChatRequest(f"{base_url}/chat/completions", headers, body)
    if api_key:
        headers["x-api-key"] = api_key
    headers["anthropic-version"] = ANTHROPIC_VERSION
    body = {"model": model, "max_tokens": ANTHROPIC_MAX_TOKENS, **_anthropic_params(params)}
    body["messages"] = [dict(m) for m in messages if m.get("role") != "system"]
    system = "\n\n".join(str(m.get("content", "")) for m in messages if m.get("role") == "system")
    if system:
        body["system"] = system
    return ChatRequest(f"{base_url.removesuffix('/v1')}/v1/messages", headers, body)


def is_loopback(url: str) -> bool:
    """Tell whether `url` points at this machine."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _anthropic_params(params: Mapping[str, Any]) -> dict[str, Any]:
    own = dict(params)
    wanted = own.pop("response_format", None)
    if wanted is None:
        return own
    schema = wanted.get("json_schema", {}).get("schema") if isinstance(wanted, Mapping) else None
    if not isinstance(schema, Mapping):
        raise UsageError(
            "response_format: an anthropic model takes {type: json_schema, json_schema: {schema: ...}}"
        )
    own["output_config"] = {
        **own.get("output_config", {}),
        "format": {"type": "json_schema", "schema": schema},
    }
    return own


def _unknown_provider(name: str, known: tuple[str, ...]) -> str:
    near = did_you_mean(name, known)
    if near:
        return f"unknown provider {name!r} (did you mean {near!r}?)"
    if known:
        return f"unknown provider {name!r}; aioncall.yaml has {', '.join(sorted(known))}"
    kind = "anthropic" if name == "anthropic" else "openai"
    line = f"providers: {{{name}: {{kind: {kind}, api_key_env: {name.upper()}_API_KEY}}}}"
    return f"unknown provider {name!r}; aioncall.yaml names no providers, add `{one_line(line, 120)}`"
