"""What is sent to a chat model and what is made of its reply, for both protocols."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from pytest_aioncall.adapters.chat_protocol import (
    ChatReply,
    ask,
    chat_reply,
    chat_request,
    cost_usd,
    find_model,
    is_loopback,
    server_message,
)
from pytest_aioncall.errors import TargetError, TransportError, UsageError
from pytest_aioncall.model.config import Config
from pytest_aioncall.protocols import Reply
from pytest_aioncall.testing import ReplayWire, chat_answer, piece_context

MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
]
KEY = "sk-0123456789"


def request(kind: Any, **options: Any) -> Any:
    options = {"base_url": "https://h/v1", "model": "m", "messages": MESSAGES, "params": {}, **options}
    return chat_request(kind, **{"api_key": KEY, **options})


def reply(body: Any, status: int = 200, content_type: str = "application/json") -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, {"content-type": content_type}, raw, 0.1)


def test_an_openai_request_has_its_messages_as_they_are_and_the_key_in_a_header_alone() -> None:
    made = request("openai", params={"temperature": 0.2})
    assert made.url == "https://h/v1/chat/completions"
    assert made.headers["authorization"] == f"Bearer {KEY}"
    assert made.body == {"model": "m", "messages": MESSAGES, "temperature": 0.2}
    assert KEY not in repr(made)


def test_an_anthropic_request_moves_system_messages_and_bounds_the_answer() -> None:
    made = request("anthropic", base_url="https://h")
    assert made.url == "https://h/v1/messages"
    assert made.headers["x-api-key"] == KEY
    assert "anthropic-version" in made.headers
    assert made.body == {
        "model": "m",
        "max_tokens": 4096,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Hi"}],
    }


def test_an_anthropic_base_url_may_end_in_v1() -> None:
    assert request("anthropic", base_url="https://h/v1/").url == "https://h/v1/messages"


def test_own_max_tokens_win() -> None:
    assert request("anthropic", params={"max_tokens": 5}).body["max_tokens"] == 5


def test_without_a_key_no_header_pretends_one() -> None:
    for kind in ("openai", "anthropic"):
        made = request(kind, api_key=None)
        assert not {"authorization", "x-api-key"} & set(made.headers)


def test_a_json_schema_becomes_anthropics_output_config() -> None:
    schema = {"type": "object"}
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    body = request("anthropic", params={"response_format": wanted}).body
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": schema}}
    assert "response_format" not in body
    assert request("openai", params={"response_format": wanted}).body["response_format"] == wanted


def test_a_response_format_that_anthropic_does_not_have_is_refused() -> None:
    with pytest.raises(UsageError, match="json_schema"):
        request("anthropic", params={"response_format": {"type": "json_object"}})


@pytest.mark.parametrize("name", ["stream", "n", "messages", "model", "system"])
def test_parameters_that_are_ours_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        request("openai", params={name: True})


def test_an_openai_answer() -> None:
    answer = {
        "model": "m-2026-01-01",
        "choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 2},
    }
    assert chat_reply("openai", reply(answer)) == ChatReply(
        text="hello", finish="stop", tokens_in=7, tokens_out=2, model="m-2026-01-01"
    )


def test_an_anthropic_answer_counts_cached_input_as_input() -> None:
    answer = {
        "model": "c-2026-01-01",
        "content": [{"type": "thinking", "thinking": "..."}, {"type": "text", "text": "hello"}],
        "stop_reason": "max_tokens",
        "usage": {"input_tokens": 3, "cache_read_input_tokens": 100, "output_tokens": 2},
    }
    assert chat_reply("anthropic", reply(answer)) == ChatReply(
        text="hello", finish="length", tokens_in=103, tokens_out=2, model="c-2026-01-01"
    )


def test_tool_calls_are_told_alike_by_both() -> None:
    openai = {
        "choices": [
            {
                "message": {
                    "content": None,
                    "tool_calls": [
                        {"id": "1", "function": {"name": "refund", "arguments": '{"amount": 5}'}},
                        {"id": "2", "function": {"name": "broken", "arguments": "{"}},
                    ],
                },
                "finish_reason": "tool_calls",
            }
        ]
    }
    found = chat_reply("openai", reply(openai))
    assert found.tool_calls is not None
    assert found.text == ""
    assert found.tool_calls[0] == {"id": "1", "name": "refund", "arguments": {"amount": 5}}
    assert found.tool_calls[1]["arguments"] == "{"
    anthropic = {
        "content": [{"type": "tool_use", "id": "1", "name": "refund", "input": {"amount": 5}}],
        "stop_reason": "tool_use",
    }
    same = chat_reply("anthropic", reply(anthropic))
    assert (same.tool_calls, same.finish) == (found.tool_calls[:1], "tool_calls")


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_a_refusal_is_an_answer(kind: Any) -> None:
    found = chat_reply(kind, reply(chat_answer("", kind=kind, refusal="I cannot help with that.")))
    assert (found.text, found.refusal, found.finish) == (
        "I cannot help with that.",
        "I cannot help with that.",
        "refusal",
    )


def test_an_empty_answer_is_an_answer() -> None:
    found = chat_reply("openai", reply(chat_answer("", finish="length")))
    assert (found.text, found.finish) == ("", "length")


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
@pytest.mark.parametrize(
    "body",
    [
        b'{"choices": [{"mess',
        b"",
        [],
        {},
        {"choices": []},
        {"choices": [{}]},
        {"content": None},
        {"choices": 3},
    ],
)
def test_a_200_without_an_answer_in_it_is_no_answer(kind: Any, body: Any) -> None:
    with pytest.raises(TransportError):
        chat_reply(kind, reply(body))


def test_a_page_instead_of_json_hints_at_the_address() -> None:
    with pytest.raises(TransportError, match="text/html instead of JSON; check base_url"):
        chat_reply("openai", reply(b"<html>", content_type="text/html; charset=utf-8"))


def test_an_error_in_a_200_is_told() -> None:
    with pytest.raises(TransportError, match="model overloaded"):
        chat_reply("openai", reply({"error": {"message": "model\n overloaded"}}))


@pytest.mark.parametrize(
    ("status", "advice"),
    [(400, "bad things"), (401, "check the key in MY_KEY"), (404, "check the model's name")],
)
def test_a_4xx_is_the_servers_answer_on_one_line(status: int, advice: str) -> None:
    said = reply({"error": {"message": "bad things\nhappen"}}, status)
    with pytest.raises(TargetError, match=advice) as raised:
        chat_reply("openai", said, name="p/m", key_env="MY_KEY")
    assert str(raised.value).startswith(f"p/m answered {status}: bad things")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "m"}}', "m"),
        (b'{"error": "m"}', "m"),
        (b'{"message": "m"}', "m"),
        (b'{"detail": "m"}', "m"),
        (b"plain", "plain"),
        (b"<html>long page</html>", ""),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_what_a_server_says_is_found_in_the_usual_places(body: bytes, said: str) -> None:
    assert server_message(body) == said


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8080/v1", True),
        ("http://127.5.5.5", True),
        ("http://localhost/v1", True),
        ("http://[::1]:80", True),
        ("http://a.localhost", True),
        ("https://api.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
        ("http://[bad", False),
        ("", False),
    ],
)
def test_this_machine_is_told_from_others(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


CONFIG = Config.model_validate(
    {
        "providers": {
            "openai": {"api_key_env": "OPENAI_API_KEY"},
            "local": {"base_url": "http://127.0.0.1:1/v1"},
            "gate": {"kind": "openai", "base_url": "https://gate", "headers_env": {"x-team": "TEAM"}},
        },
        "prices": {"openai/m": {"input": 1, "output": 10}},
    }
)


class LiveWire(ReplayWire):
    mode: Any = "live"


def live(**secrets: str) -> Any:
    return piece_context(wire=LiveWire(chat_answer("hi")), config=CONFIG, secrets=secrets)


def test_a_missing_key_is_refused_by_name_before_anything_is_sent() -> None:
    with pytest.raises(UsageError, match=r"OPENAI_API_KEY is not set; .*--aioncall-replay"):
        find_model("openai/m", context=live())
    with pytest.raises(UsageError, match="TEAM is not set"):
        find_model("gate/m", context=live())


@pytest.mark.parametrize("mode", ["replay", "check"])
def test_no_key_is_needed_where_nothing_is_called(mode: str) -> None:
    wire = ReplayWire()
    wire.mode = mode  # type: ignore[assignment]
    assert find_model("openai/m", context=piece_context(wire=wire, config=CONFIG)).api_key is None


def test_a_model_id_may_hold_slashes() -> None:
    found = find_model("local/meta/llama", context=live())
    assert (found.provider, found.model, found.name) == ("local", "meta/llama", "local/meta/llama")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gpt", "write provider/model-id"),
        ("/m", "write provider/model-id"),
        ("opnai/m", "did you mean 'openai'"),
        ("zzz/m", "aioncall.yaml has gate, local, openai"),
    ],
)
def test_a_wrong_provider_is_refused_with_a_near_match(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        find_model(name, context=live())


def test_without_providers_the_message_shows_the_line_to_add() -> None:
    context = piece_context(wire=LiveWire(), config=Config())
    with pytest.raises(
        UsageError, match=r"providers: \{openai: \{kind: openai, api_key_env: OPENAI_API_KEY\}\}"
    ):
        find_model("openai/m", context=context)


def test_cost_is_tokens_times_price_zero_at_home_and_unknown_without_a_price() -> None:
    said = ChatReply("x", tokens_in=1_000_000, tokens_out=100_000)
    context = live(OPENAI_API_KEY=KEY)
    assert cost_usd(find_model("openai/m", context=context), said) == 2.0
    assert cost_usd(find_model("openai/m", context=context), ChatReply("x")) is None
    assert cost_usd(find_model("openai/other", context=context), said) is None
    assert cost_usd(find_model("local/m", context=context), ChatReply("x")) == 0.0


def test_what_identifies_a_call_has_provider_model_and_parameters_and_no_key() -> None:
    wire = LiveWire(chat_answer("hi"))
    context = piece_context(wire=wire, config=CONFIG, secrets={"OPENAI_API_KEY": KEY})
    model = find_model("openai/m", context=context)
    found, _ = asyncio.run(ask(wire, model, messages=MESSAGES, params={"temperature": 0}, epoch=3))
    (sent,) = wire.sent
    assert found.text == "hi"
    assert sent.asked == {"provider": "openai", "model": "m", "messages": MESSAGES, "temperature": 0}
    assert (sent.epoch, sent.provider) == (3, "openai")
    assert KEY not in json.dumps(sent.asked)
    assert KEY not in repr(model)


# --- what is no answer, and what is a no --------------------------------------------------------------------


def openai_answer(**choice: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": "hello"}, "finish_reason": "stop", **choice}]}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("openai", openai_answer(message={"content": None})),
        ("openai", openai_answer(message={})),
        ("openai", openai_answer(message={"content": None, "reasoning_content": "hm"})),
        ("anthropic", {"content": [], "stop_reason": "end_turn"}),
        ("anthropic", {"content": [{"type": "thinking", "thinking": "hm"}], "stop_reason": "end_turn"}),
    ],
)
def test_an_answer_with_nothing_in_it_is_no_output(kind: Any, body: Any) -> None:
    """`not_contains` would pass on it, and asking until there is text measures another system."""
    with pytest.raises(TargetError, match="neither text nor refusal nor tool call; if it thinks first"):
        chat_reply(kind, reply(body))


@pytest.mark.parametrize("finish", ["content_filter", "refusal"])
def test_a_filter_that_says_nothing_is_an_answer(finish: str) -> None:
    found = chat_reply("openai", reply(openai_answer(message={"content": None}, finish_reason=finish)))
    assert (found.text, found.finish) == ("", finish)


def test_an_empty_text_is_an_answer_that_a_model_gave() -> None:
    assert chat_reply("openai", reply(openai_answer(message={"content": ""}))).text == ""
    body = {"content": [{"type": "text", "text": ""}], "stop_reason": "end_turn"}
    assert chat_reply("anthropic", reply(body)).text == ""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": 429, "message": "wait"}, TransportError),
        ({"code": 503}, TransportError),
        ({"type": "overloaded_error"}, TransportError),
        ({"type": "rate_limit_error", "message": "wait"}, TransportError),
        ("something went wrong", TransportError),
        ({"code": 400, "message": "bad"}, TargetError),
        ({"code": 401}, TargetError),
        ({"type": "authentication_error"}, TargetError),
        ({"type": "invalid_request_error", "code": 429}, TransportError),
    ],
)
def test_an_error_with_status_200_is_told_by_its_code(error: Any, expected: type[Exception]) -> None:
    with pytest.raises(expected, match="answered 200 with an error"):
        chat_reply("openai", reply({"error": error}))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_says_where_it_leads(status: int) -> None:
    moved = Reply(status, {"location": "https://other/\x1b[31m"}, b"", 0.1)
    with pytest.raises(TargetError, match=r"points to https://other/\\x1b\[31m; redirects are not followed"):
        chat_reply("openai", moved)


@pytest.mark.parametrize("content_type", ["text/event-stream", "application/json", ""])
def test_a_stream_that_nobody_asked_for_is_refused_at_once(content_type: str) -> None:
    with pytest.raises(TargetError, match="a stream though none was asked for"):
        chat_reply("openai", reply(b'data: {"choices": []}\n\n', content_type=content_type))


@pytest.mark.parametrize("count", [-1, 1.5, "7", True, None, 10**10, 1e300, [1], {}])
def test_token_counts_that_cannot_be_are_unknown_and_break_no_sum(count: Any) -> None:
    usage = {"prompt_tokens": count, "completion_tokens": 5}
    found = chat_reply("openai", reply({**openai_answer(), "usage": usage}))
    assert (found.text, found.tokens_in, found.tokens_out) == ("hello", None, 5)
    assert chat_reply("openai", reply({**openai_answer(), "usage": [count]})).tokens_out is None


def test_names_that_a_server_makes_up_are_words_or_nothing() -> None:
    body = {**openai_answer(finish_reason=["x"]), "model": {"name": "m"}}
    assert chat_reply("openai", reply(body)) == ChatReply(text="hello")
    hostile = chat_reply("openai", reply({**openai_answer(finish_reason="a\x1b[2J"), "model": "m" * 999}))
    assert hostile.finish == "a\\x1b[2J"
    assert hostile.model is not None
    assert len(hostile.model) == 200


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_deep_json_is_malformed_in_answers_and_in_errors(depth: int) -> None:
    deep = b"[" * depth
    with pytest.raises(TransportError, match="malformed JSON"):
        chat_reply("openai", reply(deep))
    assert server_message(deep).startswith("[[[")


def test_a_reply_is_read_once_where_the_wire_inspects_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_aioncall.adapters import chat_protocol

    read: list[Reply] = []

    def counted(kind: Any, given: Reply, **names: Any) -> ChatReply:
        read.append(given)
        return chat_reply(kind, given, **names)

    monkeypatch.setattr(chat_protocol, "chat_reply", counted)
    wire = ReplayWire(chat_answer("hello"))
    model = find_model("local/m", context=piece_context(wire=wire))
    said, _ = asyncio.run(ask(wire, model, messages=MESSAGES, params={}, epoch=0))
    assert said.text == "hello"
    assert len(read) == 1
