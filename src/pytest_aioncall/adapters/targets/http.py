"""The target `http`: an application behind an HTTP address."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from ...errors import TargetError, UsageError
from ...model.evalset import Case
from ...model.sample import Output
from ...protocols import Method, PieceContext, Reply, Target
from ..chat_protocol import server_message
from ..redaction import find_secrets
from ..templates import JsonTemplate, Template
from ..text import did_you_mean, one_line
from .json_paths import json_path
from .outputs import KEYS, to_output
from .secrets import header_from_env, secret

_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})
_SECRET_WORDS = ("key", "token", "secret", "password", "signature")
_INPUT = "{{ input }}"


def http(
    url: str,
    *,
    method: Method = "POST",
    headers: dict[str, str] | None = None,
    headers_env: dict[str, str] | None = None,
    base_url_env: str | None = None,
    json: Any = None,
    response: str | None = None,
    fields: dict[str, str] | None = None,
    timeout_s: float = 60.0,
    max_attempts: int = 4,
    context: PieceContext,
) -> Target:
    """Make a target that sends the case's input to `url` and reads the answer from the reply.

    `json` is the body, its texts are templates (default `{{ input }}`; GET and DELETE send none by default);
    `response` says where the answer is, `fields` where retrieved, tokens_in and the like are, as JSON paths.
    """
    if json is None and method not in ("GET", "DELETE"):
        json = _INPUT
    if base_url_env is not None:
        base = secret(base_url_env, where="base_url_env", context=context) or "http://replayed.invalid"
        full = base.rstrip("/") + "/" + url.lstrip("/")
    else:
        full = url
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
            raise UsageError(f"url: {one_line(url, 80)!r} is no address; write http://host/path")
    _refuse_secrets(url, headers or {})
    sent = dict(headers or {})
    for header, written in (headers_env or {}).items():
        sent[header] = header_from_env(header, written, context=context)
    return HttpTarget(
        method,
        Template(full, where="url", quote=_quoted),
        # What identifies a request in a cassette is what YAML says, not where it is served today.
        Template(url, where="url", quote=_quoted),
        headers=sent,
        body=None if json is None else JsonTemplate(json, where="json"),
        reader=_Reader(response, fields or {}, keys=headers_env or {}),
        timeout_s=timeout_s,
        max_attempts=max_attempts,
        context=context,
    )


class HttpTarget:
    """Fill the request with the case's input, send it, and pick the answer out of the reply."""

    def __init__(
        self,
        method: Method,
        url: Template,
        shown_url: Template,
        *,
        headers: Mapping[str, str],
        body: JsonTemplate | None,
        reader: _Reader,
        timeout_s: float,
        max_attempts: int,
        context: PieceContext,
    ) -> None:
        self._method: Method = method
        self._url, self._shown_url, self._headers = url, shown_url, headers
        self._body, self._reader = body, reader
        self._timeout_s, self._max_attempts = timeout_s, max_attempts
        self._wire = context.wire
        if not url.names and (body is None or not body.names):
            raise UsageError("neither url nor json uses the case; write {{ input }} where it belongs")

    def rehearse(self, case: Case) -> None:
        """Fill the request with a case; UsageError where that cannot be done."""
        self._filled(case, epoch=0)

    def _filled(self, case: Case, *, epoch: int) -> tuple[str, str, Any]:
        """Return the url, the url as cassettes know it, and the body."""
        values: dict[str, Any] = {"input": case.input, "case": case.id, "epoch": epoch}
        if isinstance(case.input, Mapping):
            values.update(case.input)
        body = None if self._body is None else self._body.render(values)
        return self._url.render(values), self._shown_url.render(values), body

    async def answer(self, case: Case, *, epoch: int) -> Output:
        try:
            url, shown_url, body = self._filled(case, epoch=epoch)
        except UsageError as error:
            raise TargetError(str(error)) from None
        reply = await self._wire.send(
            self._method,
            url,
            headers=self._headers,
            json=body,
            asked={"method": self._method, "url": shown_url, "json": body},
            epoch=epoch,
            timeout_s=self._timeout_s,
            max_attempts=self._max_attempts,
        )
        output = self._reader.read(reply)
        if reply.replayed is None:
            return output
        return output.model_copy(update={"replayed": reply.replayed})

    def fingerprint(self) -> Mapping[str, Any]:
        found: dict[str, Any] = {"method": self._method, "url": self._shown_url.source}
        if self._body is not None:
            found["json"] = self._body.source
        return found


class _Reader:
    """Where the parts of an output are in a reply; `keys` are the headers with a variable, for messages."""

    def __init__(self, response: str | None, fields: Mapping[str, str], *, keys: Mapping[str, str]) -> None:
        self._keys = keys
        self._response = None if response is None else json_path(response, where="response")
        self._fields = {}
        for name, path in fields.items():
            if name not in KEYS or name == "text":
                near = did_you_mean(name, KEYS)
                hint = (
                    f"did you mean {near!r}?"
                    if near and near != "text"
                    else f"known are {', '.join(KEYS[1:])}"
                )
                raise UsageError(f"fields: unknown {one_line(name, 40)!r}; {hint}")
            self._fields[name] = json_path(path, where=f"fields.{name}")

    def read(self, reply: Reply) -> Output:
        if reply.status >= 300:
            raise TargetError(_refused(reply, self._keys))
        is_json = "json" in reply.headers.get("content-type", "")
        if self._response is None and not self._fields and not is_json:
            return to_output(self._text(reply), latency_s=reply.latency_s, who="the server")
        try:
            data = jsonlib.loads(reply.body)
        except (ValueError, RecursionError):
            raise TargetError(
                f"the server answered {reply.status} with something that is no JSON: "
                f"{one_line(reply.body[:200].decode('utf-8', 'replace'), 80)!r}"
            ) from None
        return to_output(self._value(data), latency_s=reply.latency_s, who="the server")

    def _value(self, data: Any) -> Any:
        """Return what `to_output` takes: text, or a mapping in its keys."""
        if self._response is not None:
            answer = self._response(data)
        elif isinstance(data, dict) and "text" in data and not self._fields:
            # The server speaks our own form; further keys of it are its own business.
            return {key: value for key, value in data.items() if key in KEYS}
        elif isinstance(data, dict) and "text" in data:
            answer = data["text"]
        elif isinstance(data, str):
            answer = data
        else:
            raise TargetError(
                "the reply is JSON without 'text'; say where the answer is, for example response: $.answer"
            )
        value: dict[str, Any] = {name: pick(data) for name, pick in self._fields.items()}
        if isinstance(answer, str):
            return {"text": answer, **value}
        return {"text": jsonlib.dumps(answer, ensure_ascii=False), "data": answer, **value}

    @staticmethod
    def _text(reply: Reply) -> str:
        try:
            return reply.body.decode("utf-8")
        except UnicodeDecodeError:
            raise TargetError("the server answered with bytes that are no UTF-8 text") from None


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _refuse_secrets(url: str, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        low = name.lower()
        if low in _SECRET_HEADERS or any(word in low for word in _SECRET_WORDS) or find_secrets(value):
            raise UsageError(
                f"headers.{name}: secrets do not belong in YAML; "
                f"write headers_env: {{{name}: NAME_OF_THE_VARIABLE}}"
            )
    parts = urlsplit(url)
    named = [
        name for name, _ in parse_qsl(parts.query) if any(word in name.lower() for word in _SECRET_WORDS)
    ]
    if parts.password or named or find_secrets(url):
        raise UsageError("url: holds a key or password; send it in a header, by headers_env")


def _refused(reply: Reply, keys: Mapping[str, str]) -> str:
    said = server_message(reply.body)
    what = f"the server answered {reply.status}" + (f": {said}" if said else "")
    if reply.status < 400:
        to = one_line(reply.headers.get("location", ""), 80)
        return (
            f"{what} and points to {to or 'another address'}; redirects are not followed, write the final url"
        )
    if reply.status in (401, 403):
        named = ", ".join(f"{header}: {written}" for header, written in keys.items())
        return f"{what}; check the variables of headers_env" + (f" ({named})" if named else "")
    if reply.status in (404, 405):
        return f"{what}; check url and method"
    return what
