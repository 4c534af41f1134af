"""Every built-in target keeps the contract of targets; each says plainly what it cannot take."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import json
import os
import sys
import threading
import time
import types
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall import Output, TransportError
from pytest_aioncall.adapters.cassettes import open_cassettes
from pytest_aioncall.adapters.redaction import Redactor
from pytest_aioncall.adapters.registry import piece_names
from pytest_aioncall.adapters.targets.json_paths import json_path
from pytest_aioncall.adapters.targets.secrets import named_secrets
from pytest_aioncall.adapters.targets.threads import DaemonPool
from pytest_aioncall.adapters.targets.transport import is_transport, load_transport_types
from pytest_aioncall.errors import CassetteMiss, TargetError, UsageError
from pytest_aioncall.model.config import Config
from pytest_aioncall.model.evalset import Case, TargetSpec
from pytest_aioncall.model.sample import Document
from pytest_aioncall.protocols import PieceContext, Reply, Target
from pytest_aioncall.testing import (
    ReplayWire,
    chat_answer,
    check_target,
    make_target,
    piece_context,
    reply_of,
)

HERE = __name__


def case(given: Any = None, *, id: str = "c") -> Case:
    return Case(id=id, input={"q": "hello"} if given is None else given)


def answer(target: Target, given: Any = None, *, epoch: int = 0) -> Output:
    """Ask once, opening and closing around it where the target has that."""

    async def run() -> Output:
        opened: Any = target if hasattr(target, "open") else None
        if opened:
            await opened.open()
        try:
            return await target.answer(case(given), epoch=epoch)
        finally:
            if opened:
                await opened.close()

    return asyncio.run(run())


def python(name: str, context: PieceContext | None = None, **options: Any) -> Target:
    return make_target({"python": {"path": f"{HERE}:{name}", **options}}, context)


# ---------------------------------------------------------------- all of them

ECHO = ["python", "-c", "import sys, json; print(json.load(sys.stdin)['q'].upper())"]
ECHO[0] = sys.executable


def shout(q: str) -> str:
    return q.upper()


def targets(folder: Path) -> dict[str, tuple[Any, PieceContext]]:
    """Each kind as YAML has it, with what it needs: it answers HELLO to the case."""
    (folder / "rows.jsonl").write_text(
        "".join(json.dumps({"case": "c", "epoch": n, "text": "HELLO"}) + "\n" for n in range(2))
    )
    chat_wire = ReplayWire(lambda sent: chat_answer(sent.json["messages"][-1]["content"].upper()))
    http_wire = ReplayWire(lambda sent: {"answer": sent.json["q"].upper()})
    return {
        "python": ({"python": f"{HERE}:shout"}, piece_context(folder)),
        "chat": ({"chat": {"model": "local/m", "prompt": "{{ q }}"}}, piece_context(folder, wire=chat_wire)),
        "http": (
            {"http": {"url": "http://h/x", "response": "$.answer"}},
            piece_context(folder, wire=http_wire),
        ),
        "command": ({"command": ECHO}, piece_context(folder)),
        "replay": ({"replay": "rows.jsonl"}, piece_context(folder)),
    }


def test_every_built_in_target_is_held_to_the_contract(tmp_path: Path) -> None:
    assert sorted(targets(tmp_path)) == piece_names("targets")


@pytest.mark.parametrize("kind", ["python", "chat", "http", "command", "replay"])
def test_a_target_answers_in_every_epoch_and_leaves_the_case_alone(tmp_path: Path, kind: str) -> None:
    written, context = targets(tmp_path)[kind]
    (output,) = check_target(make_target(written, context), answers=case())
    assert output.text == "HELLO"
    if kind != "replay":
        assert output.latency_s is not None
        assert 0 <= output.latency_s < 30


# --------------------------------------------------------------------- python


def two(q: str, lang: str = "en") -> str:
    return f"{q}/{lang}"


def whole(given: Any) -> str:
    return json.dumps(given)


def anything(**given: Any) -> str:
    return json.dumps(given)


def needs_two(a: str, b: str) -> str:
    return a + b


def nothing_taken(*, a: str) -> str:
    return a


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("two", {"q": "a"}, "a/en"),
        ("two", {"q": "a", "lang": "de"}, "a/de"),
        ("two", "a", "a/en"),
        ("whole", {"q": "a"}, '{"q": "a"}'),
        ("whole", {1: "a"}, '{"1": "a"}'),
        ("whole", ["a", 1], '["a", 1]'),
        ("whole", None, '{"q": "hello"}'),
        ("anything", {"x": 1, "y": 2}, '{"x": 1, "y": 2}'),
    ],
)
def test_a_mapping_becomes_keywords_where_the_signature_takes_them(
    name: str, given: Any, expected: str
) -> None:
    assert answer(python(name), given).text == expected


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("needs_two", {"a": "x"}, r"needs_two\(a.*b.*\) .* does not take the input's keys \(a\)"),
        ("needs_two", "x", "does not take one value"),
        ("nothing_taken", "x", "does not take one value"),
    ],
)
def test_an_input_that_does_not_fit_is_told_with_the_signature(name: str, given: Any, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        answer(python(name), given)


def spoil(items: list[str], more: dict[str, Any]) -> str:
    text = ",".join(items) + str(more)
    items.append("spoiled")
    more["x"] = {"spoiled": True}
    return text


def test_a_target_that_changes_its_input_does_not_change_the_next_epochs() -> None:
    given = {"items": ["a"], "more": {"x": {}}}
    check_target(python("spoil"), answers=Case(id="c", input=given))
    assert given == {"items": ["a"], "more": {"x": {}}}


RETURNS: dict[str, Any] = {}


def returns(what: str) -> Any:
    value = RETURNS[what]
    return value() if callable(value) else value


RETURNS["mapping"] = {
    "text": "t",
    "data": {"a": [1]},
    "retrieved": ["d1", {"id": 2, "text": "x", "score": 0.5}, Document(id="d3")],
    "tool_calls": [{"name": "refund"}],
    "tokens_in": 1,
    "tokens_out": 2,
    "cost_usd": 0.5,
    "model": "m",
}
RETURNS["output"] = Output(text="t", latency_s=7.0)
RETURNS["none"] = None
RETURNS["bytes"] = b"x"
RETURNS["number"] = 5
RETURNS["tuple"] = ("a", 1)
RETURNS["generator"] = lambda: (c for c in "abc")
RETURNS["no text"] = {"queue": "billing", "sure": True}
RETURNS["text is a number"] = {"text": 5}
RETURNS["near key"] = {"text": "t", "retreived": []}
RETURNS["far key"] = {"text": "t", "zzz": 1}
RETURNS["no JSON"] = {"text": "t", "data": object()}
RETURNS["NaN"] = {"text": "t", "data": float("nan")}
RETURNS["retrieved is text"] = {"text": "t", "retrieved": "d1"}
RETURNS["retrieved is odd"] = {"text": "t", "retrieved": [1.5]}
RETURNS["calls are odd"] = {"text": "t", "tool_calls": ["refund"]}
RETURNS["tokens are odd"] = {"text": "t", "tokens_in": "many"}
RETURNS["halves"] = {"text": "a\ud800b\ud83d\ude00", "data": ["\ud800"], "retrieved": ["\ud800"]}


def test_a_mapping_may_say_all_that_is_known() -> None:
    output = answer(python("returns"), "mapping")
    assert output.retrieved == (Document(id="d1"), Document(id="2", text="x"), Document(id="d3"))
    assert (output.data, output.tool_calls) == ({"a": [1]}, ({"name": "refund"},))
    assert (output.tokens_in, output.tokens_out, output.cost_usd, output.model) == (1, 2, 0.5, "m")


def test_an_output_keeps_the_latency_it_brings() -> None:
    assert answer(python("returns"), "output").latency_s == 7.0


def test_halves_of_characters_are_made_storable() -> None:
    """JSON can carry a lone surrogate, and no file can."""
    (output,) = check_target(python("returns"), answers=case("halves"))
    assert (output.text, output.data) == ("a\ufffdb\U0001f600", ["\ufffd"])
    reply = Reply(200, {}, b'{"choices": [{"message": {"content": "a\\ud800"}}]}', 0.1)
    (said,) = check_target(chat(ReplayWire(lambda sent: reply)), answers=case())
    assert said.text == "a\ufffd"


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("none", r"returned None \(is a `return` missing\?\)"),
        ("bytes", "returned bytes"),
        ("number", "returned an int; return text, or a mapping"),
        ("tuple", "returned a tuple"),
        ("generator", "a generator"),
        ("no text", r"without 'text' \(it has queue, sure\)"),
        ("text is a number", "'text' as an int"),
        ("near key", "'retreived'; did you mean 'retrieved'"),
        ("far key", "unknown key 'zzz'; .*put the rest under 'data'"),
        ("no JSON", "JSON cannot hold"),
        ("NaN", "JSON cannot hold"),
        ("retrieved is text", "'retrieved' as a str; it has to be a list"),
        ("retrieved is odd", "a float in 'retrieved'"),
        ("calls are odd", "'tool_calls'"),
        ("tokens are odd", "'tokens_in'"),
    ],
)
def test_what_is_no_output_is_said_in_plain_words(what: str, message: str) -> None:
    with pytest.raises(TargetError, match=message) as raised:
        answer(python("returns"), what)
    assert "\n" not in str(raised.value)


async def async_shout(q: str) -> str:
    await asyncio.sleep(0)
    return q.upper()


class Shouter:
    async def __call__(self, q: str) -> str:
        return q.upper()


class Polite:
    def __call__(self, q: str) -> str:
        return q.upper()


shouter = Shouter()
partial = functools.partial(async_shout)


def gives_coroutine(q: str) -> Any:
    return async_shout(q)


@pytest.mark.parametrize(
    "name", ["shout", "async_shout", "shouter", "partial", "gives_coroutine", "Shouter", "Polite"]
)
def test_sync_and_async_callables_of_every_kind_are_called(name: str) -> None:
    assert answer(python(name)).text == "HELLO"


EVENTS: list[str] = []


class Session:
    async def __aenter__(self) -> Callable[[str], str]:
        EVENTS.append("enter")
        return lambda q: q.upper()

    async def __aexit__(self, *_: object) -> None:
        EVENTS.append("exit")


class SelfCalling:
    async def __aenter__(self) -> SelfCalling:
        EVENTS.append("enter")
        return self

    async def __aexit__(self, *_: object) -> None:
        EVENTS.append("exit")

    async def __call__(self, q: str) -> str:
        return q.upper()


@asynccontextmanager
async def managed() -> AsyncIterator[Callable[[str], str]]:
    EVENTS.append("enter")
    try:
        yield lambda q: q.upper()
    finally:
        EVENTS.append("exit")


def factory() -> SelfCalling:
    return SelfCalling()


async def async_factory() -> SelfCalling:
    return SelfCalling()


session = SelfCalling()


@pytest.mark.parametrize("name", ["Session", "SelfCalling", "managed", "factory", "async_factory", "session"])
def test_a_context_manager_is_entered_once_and_left_once(name: str) -> None:
    EVENTS.clear()
    outputs = check_target(python(name), answers=[case(id=str(n)) for n in range(5)])
    assert [output.text for output in outputs] == ["HELLO"] * 5
    assert EVENTS == ["enter", "exit"]


def stream(q: str) -> Iterator[str]:
    yield q


async def async_stream(q: str) -> AsyncIterator[str]:
    yield q


class Plain:
    pass


class NeedsArguments:
    def __init__(self, key: str) -> None:
        self.key = key

    def __call__(self, q: str) -> str:
        return q


CONSTANT = "text"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("stream", "a generator cannot be the target"),
        ("async_stream", "asynccontextmanager"),
        ("Plain", "a class can be the target with __call__ or __aenter__"),
        ("NeedsArguments", "the class needs arguments"),
        ("CONSTANT", "is str, not a function"),
        ("shuot", "did you mean 'shout'"),
    ],
)
def test_what_cannot_be_a_target_is_refused_when_it_is_made(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        python(name)


@asynccontextmanager
async def cannot_open() -> AsyncIterator[Any]:
    raise RuntimeError("no database")
    yield


def gives_text() -> str:
    return "text"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cannot_open", "could not be opened: RuntimeError: no database"),
        ("gives_text", "which cannot be called"),
    ],
)
def test_what_does_not_open_is_said_before_the_first_case(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        answer(python(name))


class Mine(Exception):
    pass


RAISED: dict[str, Callable[[], BaseException]] = {
    "mine": lambda: Mine("x"),
    "value": lambda: ValueError("x"),
    "stop": lambda: StopIteration(),
    "exit": lambda: SystemExit(3),
    "os": lambda: ConnectionResetError("reset"),
    "timeout": lambda: TimeoutError(),
    "ours": lambda: TransportError("quota", retry_after_s=5),
    "target": lambda: TargetError("odd"),
}


def raises(what: str) -> str:
    raise RAISED[what]()


async def async_raises(what: str) -> str:
    raise RAISED[what]()


@pytest.mark.parametrize("name", ["raises", "async_raises"])
@pytest.mark.parametrize(
    ("what", "expected"),
    [("mine", Mine), ("value", ValueError), ("stop", RuntimeError), ("target", TargetError)],
)
def test_the_users_own_exception_comes_through_unchanged(name: str, what: str, expected: type) -> None:
    with pytest.raises(expected) as raised:
        answer(python(name), what)
    assert not isinstance(raised.value, TransportError)


def test_sys_exit_in_a_thread_comes_through_and_the_pool_lives_on() -> None:
    async def run() -> str:
        target = python("raises")
        for _ in range(40):
            with suppress(SystemExit):
                await target.answer(case("exit"), epoch=0)
        with pytest.raises(Mine):
            await target.answer(case("mine"), epoch=0)
        return "lives"

    assert asyncio.run(run()) == "lives"


@pytest.mark.parametrize("name", ["raises", "async_raises"])
@pytest.mark.parametrize(
    ("what", "message"),
    [("os", "ConnectionResetError: reset"), ("timeout", "TimeoutError"), ("ours", "quota")],
)
def test_what_brought_no_answer_is_transport_and_keeps_its_cause(name: str, what: str, message: str) -> None:
    with pytest.raises(TransportError) as raised:
        answer(python(name), what)
    assert str(raised.value) == message
    if what == "ours":
        assert raised.value.retry_after_s == 5
    else:
        assert type(raised.value.__cause__) is type(RAISED[what]())


def test_own_exception_types_can_be_named_as_transport() -> None:
    context = piece_context()
    context = PieceContext(
        **{f: getattr(context, f) for f in context.__slots__} | {"transport": (f"{HERE}:Mine",)}
    )
    with pytest.raises(TransportError, match="Mine: x"):
        answer(python("raises", context), "mine")
    with pytest.raises(UsageError, match="is no exception class"):
        load_transport_types([f"{HERE}:shout"])


def library(module: str, name: str, *bases: type, **attributes: Any) -> BaseException:
    """An exception as a library that is not installed here would raise it."""
    made: Any = types.new_class(name, bases or (Exception,))
    made.__module__ = module
    error: BaseException = made("x")
    for attribute, value in attributes.items():
        setattr(error, attribute, value)
    return error


def aws(status: int) -> Any:
    return {"ResponseMetadata": {"HTTPStatusCode": status}}


def with_status(status: int) -> Any:
    return types.SimpleNamespace(status_code=status)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(), True),
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (concurrent.futures.TimeoutError(), True),
        (library("httpx", "ConnectError", type(library("httpx", "TransportError"))), True),
        (library("httpx", "UnsupportedProtocol", type(library("httpx", "TransportError"))), False),
        (library("httpx", "HTTPStatusError", response=with_status(503)), True),
        (library("httpx", "HTTPStatusError", response=with_status(404)), False),
        (library("aiohttp.client_exceptions", "ClientPayloadError"), True),
        (library("aiohttp.client_exceptions", "ClientResponseError", status=429), True),
        (library("aiohttp.client_exceptions", "ClientResponseError", status=400), False),
        (library("requests.exceptions", "ConnectionError", OSError), True),
        (library("requests.exceptions", "HTTPError", OSError, response=with_status(500)), True),
        (library("requests.exceptions", "HTTPError", OSError, response=with_status(404)), False),
        (library("requests.exceptions", "MissingSchema", OSError, ValueError), False),
        (library("urllib.error", "HTTPError", OSError, code=404), False),
        (library("urllib.error", "HTTPError", OSError, code=502), True),
        (library("openai", "RateLimitError", status_code=429), True),
        (library("openai", "ConflictError", status_code=409), True),
        (library("openai", "BadRequestError", status_code=400), False),
        (library("openai", "APIConnectionError"), True),
        (library("anthropic", "OverloadedError", status_code=529), True),
        (library("botocore.exceptions", "ClientError", response=aws(503)), True),
        (library("botocore.exceptions", "ClientError", response=aws(403)), False),
        (library("google.api_core.exceptions", "ServiceUnavailable", code=503), True),
        (library("grpc", "RpcError", code=lambda: types.SimpleNamespace(name="UNAVAILABLE")), True),
        (library("grpc", "RpcError", code=lambda: types.SimpleNamespace(name="NOT_FOUND")), False),
        (library("myapp", "Failed", code=503), False),
        (library("myapp", "Failed", status_code=503), True),
        (library("myapp", "Failed", status_code=True), False),
        (ValueError(), False),
        (TransportError("x"), True),
        (TargetError("x"), False),
        (ExceptionGroup("g", [OSError(), TimeoutError()]), True),
        (ExceptionGroup("g", [OSError(), ValueError()]), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_transport_is_told_from_the_users_own_without_importing_a_library(
    error: BaseException, expected: bool
) -> None:
    assert is_transport(error) is expected


SAMPLE: ContextVar[str] = ContextVar("sample", default="none")


def which_sample(q: str) -> str:
    return SAMPLE.get()


def test_a_thread_sees_the_context_of_its_sample() -> None:
    async def one(target: Target, name: str) -> str:
        SAMPLE.set(name)
        return (await target.answer(case(), epoch=0)).text

    async def run() -> list[str]:
        target = python("which_sample")
        return await asyncio.gather(*(one(target, str(n)) for n in range(20)))

    assert asyncio.run(run()) == [str(n) for n in range(20)]


def test_latency_is_of_the_call_and_not_of_the_wait_for_a_thread() -> None:
    async def run() -> list[float]:
        pool_of_one = piece_context()
        pool_of_one = PieceContext(
            **{f: getattr(pool_of_one, f) for f in pool_of_one.__slots__} | {"concurrency": 1}
        )
        target = python("slow", pool_of_one)
        outputs = await asyncio.gather(*(target.answer(case(), epoch=n) for n in range(6)))
        return [output.latency_s or 0 for output in outputs]

    started = time.perf_counter()
    latencies = asyncio.run(run())
    wall = time.perf_counter() - started
    assert sum(latencies) <= wall, "calls that ran one after another cannot have overlapped"
    assert min(latencies) >= 0.02


def slow(q: str) -> str:
    time.sleep(0.02)
    return q


def test_a_pool_uses_no_more_threads_than_it_may_and_they_are_daemons() -> None:
    inside, most, names = 0, 0, set()
    lock = threading.Lock()

    def work() -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
            names.add(threading.current_thread().name)
        assert threading.current_thread().daemon
        time.sleep(0.002)
        with lock:
            inside -= 1

    async def run() -> None:
        pool = DaemonPool(3)
        await asyncio.gather(*(pool.run(work) for _ in range(30)))
        pool.close()

    asyncio.run(run())
    assert (most, len(names)) == (3, 3)


def test_calls_that_hang_do_not_starve_the_rest() -> None:
    release = threading.Event()

    async def run() -> list[int]:
        pool = DaemonPool(2)
        for _ in range(4):
            with suppress(TimeoutError):
                async with asyncio.timeout(0.02):
                    await pool.run(release.wait)
        return await asyncio.gather(*(pool.run(lambda n=n: n) for n in range(5)))

    try:
        assert asyncio.run(run()) == [0, 1, 2, 3, 4]
    finally:
        release.set()


def test_a_call_that_was_cancelled_before_its_turn_is_never_made() -> None:
    made: list[str] = []
    release = threading.Event()

    async def run() -> None:
        pool = DaemonPool(1)
        first = asyncio.ensure_future(pool.run(release.wait))
        waiting = asyncio.ensure_future(pool.run(lambda: made.append("waiting")))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        release.set()
        await first
        await pool.run(lambda: made.append("last"))

    asyncio.run(run())
    assert made == ["last"]


def test_whole_answers_are_recorded_only_when_asked_for(tmp_path: Path) -> None:
    def wire(mode: Any) -> Any:
        return open_cassettes(ReplayWire(), mode=mode, folder=tmp_path, evalset="e", redact=Redactor())

    recording = wire("record")
    live = answer(python("counted", piece_context(wire=recording), cassette=True))
    answer(python("counted", piece_context(wire=recording), cassette=True), epoch=1)
    asyncio.run(recording.close())
    before = len(COUNTED)
    for epoch in (0, 1):
        again = answer(python("counted", piece_context(wire=wire("replay")), cassette=True), epoch=epoch)
        assert again.text == f"{int(live.text) + epoch}"
        assert again.replayed is not None
        assert again.latency_s == pytest.approx(live.latency_s, abs=1e-4) or epoch == 1
    assert len(COUNTED) == before, "under replay the code is not run"
    with pytest.raises(CassetteMiss, match="hi"):
        answer(python("counted", piece_context(wire=wire("replay")), cassette=True), "hi")
    assert answer(python("counted", piece_context(wire=wire("replay")))).replayed is None
    assert len(COUNTED) == before + 1, "without `cassette` the code is run under replay too"


COUNTED: list[str] = []


def counted(q: str) -> str:
    COUNTED.append(q)
    return str(len(COUNTED))


# ----------------------------------------------------------------------- chat


def chat(wire: Any, *, prompt: str = "{{ q }}", root: Path | None = None, **options: Any) -> Target:
    context = piece_context(root, wire=wire, secrets={"OPENAI_API_KEY": "k" * 20})
    return make_target({"chat": {"model": "openai/m", "prompt": prompt, **options}}, context)


def looked_up(q: str) -> dict[str, Any]:
    return {"passages": ["p1", "p2"], "retrieved": [{"id": "d1", "text": "p1"}, "d2"]}


async def async_looked_up(q: str) -> dict[str, Any]:
    return {"passages": [q]}


def not_a_mapping(q: str) -> Any:
    return [q]


def test_a_chat_target_sends_its_prompt_file_and_parameters(tmp_path: Path) -> None:
    (tmp_path / "p.md").write_text("## system\nBe {{ input.tone }}.\n## user\n{{ q }}")
    wire = ReplayWire(chat_answer("hi", finish="length"))
    output = answer(
        chat(wire, prompt="p.md", root=tmp_path, params={"temperature": 0}), {"q": "Q", "tone": "brief"}
    )
    assert wire.sent[0].json["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Q"},
    ]
    assert wire.sent[0].json["temperature"] == 0
    assert (output.text, output.finish, output.tokens_in) == ("hi", "length", 20)


def test_a_scalar_input_is_the_variable_input() -> None:
    wire = ReplayWire(chat_answer("hi"))
    answer(chat(wire, prompt="Say {{ input }}"), "this")
    assert wire.sent[0].json["messages"] == [{"role": "user", "content": "Say this"}]


@pytest.mark.parametrize("name", ["looked_up", "async_looked_up"])
def test_variables_come_from_a_function_and_may_bring_what_was_retrieved(name: str) -> None:
    wire = ReplayWire(chat_answer("hi"))
    target = chat(wire, prompt="{{ passages | join(' ') }}: {{ q }}", variables=f"{HERE}:{name}")
    output = answer(target)
    content = wire.sent[0].json["messages"][0]["content"]
    if name == "looked_up":
        assert content == "p1 p2: hello"
        assert output.retrieved == (Document(id="d1", text="p1"), Document(id="d2"))
    else:
        assert content == "hello: hello"
        assert output.retrieved is None


def test_variables_that_fail_are_the_users_own_and_variables_that_are_none_are_told() -> None:
    with pytest.raises(TargetError, match="returned list; variables have to be a mapping"):
        answer(chat(ReplayWire(), variables=f"{HERE}:not_a_mapping"))
    with pytest.raises(Mine):
        answer(chat(ReplayWire(), prompt="{{ input }}", variables=f"{HERE}:raises"), "mine")
    with pytest.raises(TransportError):
        answer(chat(ReplayWire(), prompt="{{ input }}", variables=f"{HERE}:raises"), "os")


def test_a_case_without_a_variable_of_the_prompt_is_told_by_name() -> None:
    with pytest.raises(TargetError, match="'q' is undefined; there is input, ticket"):
        answer(chat(ReplayWire()), {"ticket": "x"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prompt": "Say something nice."}, "uses nothing of the case"),
        ({"prompt": "missing.md"}, "no file missing.md"),
        ({"params": {"stream": True}}, "'stream' is set by aioncall itself"),
        ({"prompt": "## system\nx\n## user\n{{ q }}", "system": "Be brief."}, "keep one of the two"),
        ({"variables": f"{HERE}:nope"}, "nope"),
        ({"model": "m"}, "write provider/model-id"),
        ({"model": "opnai/m"}, "did you mean 'openai'"),
        ({"temperature": 0}, "temperature"),
    ],
)
def test_a_chat_target_that_cannot_work_is_refused_when_it_is_made(options: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        chat(ReplayWire(), **options)


def test_a_missing_key_never_switches_to_anything_else() -> None:
    wire = ReplayWire(chat_answer("hi"))
    wire.mode = "live"  # type: ignore[assignment]
    with pytest.raises(UsageError, match="OPENAI_API_KEY is not set"):
        make_target({"chat": {"model": "openai/m", "prompt": "{{ q }}"}}, piece_context(wire=wire))


def test_the_fingerprint_of_a_chat_changes_with_all_that_decides_its_answers(tmp_path: Path) -> None:
    def fingerprint(**options: Any) -> str:
        return json.dumps(chat(ReplayWire(), root=tmp_path, **options).fingerprint(), sort_keys=True)

    (tmp_path / "p.md").write_text("A {{ q }}")
    first = fingerprint(prompt="p.md")
    assert fingerprint(prompt="p.md") == first
    (tmp_path / "p.md").write_text("B {{ q }}")
    changed = {
        fingerprint(prompt="p.md"),
        fingerprint(system="Be brief."),
        fingerprint(params={"temperature": 0}),
        fingerprint(model="openai/other"),
        fingerprint(variables=f"{HERE}:looked_up"),
        fingerprint(response_format={"type": "json_object"}),
    }
    assert first not in changed
    assert len(changed) == 6


def test_cost_comes_from_the_price_table() -> None:
    config = Config.model_validate(
        {"providers": {"p": {"base_url": "https://h"}}, "prices": {"p/m": {"input": 10, "output": 100}}}
    )
    context = piece_context(wire=ReplayWire(lambda sent: chat_answer("hi")), config=config)
    for model, expected in (("p/m", 20 * 10e-6 + 5 * 100e-6), ("p/other", None)):
        target = make_target({"chat": {"model": model, "prompt": "{{ q }}"}}, context)
        assert answer(target).cost_usd == pytest.approx(expected)


# ----------------------------------------------------------------------- http


def http(*replies: Any, context: PieceContext | None = None, **options: Any) -> Target:
    made = context or piece_context(wire=ReplayWire(*replies))
    return make_target({"http": {"url": "http://h/answer", **options}}, made)


@pytest.mark.parametrize(
    ("reply", "options", "text", "data"),
    [
        ({"answer": "A"}, {"response": "$.answer"}, "A", None),
        ({"choices": [{"text": "A"}]}, {"response": "choices[0].text"}, "A", None),
        ({"a b": "A"}, {"response": "$['a b']"}, "A", None),
        ({"answer": {"x": 1}}, {"response": "$.answer"}, '{"x": 1}', {"x": 1}),
        ({"text": "A", "data": [1], "more": 2}, {}, "A", [1]),
        ("A", {}, "A", None),
        (Reply(200, {"content-type": "application/json"}, b'"A"', 0.1), {}, "A", None),
    ],
)
def test_the_answer_is_picked_out_of_the_reply(reply: Any, options: Any, text: str, data: Any) -> None:
    output = answer(http(reply, **options))
    assert (output.text, output.data) == (text, data)


def test_further_fields_are_picked_by_their_paths() -> None:
    reply = {"a": "A", "docs": [{"id": "d1"}, {"id": "d2"}], "usage": {"in": 5}}
    output = answer(
        http(reply, response="$.a", fields={"retrieved": "$.docs[*].id", "tokens_in": "$.usage.in"})
    )
    assert output.retrieved == (Document(id="d1"), Document(id="d2"))
    assert output.tokens_in == 5


def test_the_body_and_the_address_are_filled_with_the_input_and_the_address_is_quoted() -> None:
    wire = ReplayWire({"text": "A"})
    target = http(
        context=piece_context(wire=wire),
        url="http://h/of/{{ id }}?q={{ q }}",
        json={"question": "{{ q }}", "top": "{{ n }}", "fixed": True},
        headers={"x-team": "evals"},
    )
    answer(target, {"id": "a/../b", "q": "x&y=z {{ 1 }}", "n": 3})
    (sent,) = wire.sent
    assert sent.url == "http://h/of/a%2F..%2Fb?q=x%26y%3Dz%20%7B%7B%201%20%7D%7D"
    assert sent.json == {"question": "x&y=z {{ 1 }}", "top": 3, "fixed": True}
    assert sent.headers == {"x-team": "evals"}
    assert sent.method == "POST"


def test_without_json_the_input_itself_is_sent_and_get_sends_none() -> None:
    wire = ReplayWire({"text": "A"}, {"text": "A"})
    answer(http(context=piece_context(wire=wire)), {"q": [1]})
    answer(http(context=piece_context(wire=wire), method="GET", url="http://h/{{ q }}"), {"q": 1})
    assert [sent.json for sent in wire.sent] == [{"q": [1]}, None]


def test_secrets_come_from_the_environment_and_identify_nothing() -> None:
    wire = ReplayWire({"text": "A"})
    context = piece_context(wire=wire, secrets={"TOKEN": "t" * 20, "APP_URL": "https://staging.example.com/"})
    target = http(
        context=context,
        url="/answer",
        base_url_env="APP_URL",
        headers_env={"authorization": "Bearer TOKEN", "x-raw": "TOKEN"},
    )
    answer(target)
    (sent,) = wire.sent
    assert sent.url == "https://staging.example.com/answer"
    assert sent.headers == {"authorization": "Bearer " + "t" * 20, "x-raw": "t" * 20}
    assert sent.asked == {"method": "POST", "url": "/answer", "json": {"q": "hello"}}
    assert "t" * 20 not in json.dumps(target.fingerprint())


def test_the_variables_that_a_target_names_can_be_asked_for() -> None:
    spec = TargetSpec(
        kind="http",
        options={"headers_env": {"a": "Bearer TOKEN", "b": "OTHER"}, "base_url_env": "APP_URL"},
    )
    assert named_secrets(spec) == ("TOKEN", "OTHER", "APP_URL")
    assert named_secrets(TargetSpec(kind="command", options={"pass_env": ["A"]})) == ("A",)
    assert named_secrets(TargetSpec(kind="python", has_arg=True, arg="a:b")) == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"headers": {"Authorization": "Bearer x"}}, "headers_env: {Authorization:"),
        ({"headers": {"x-api-key": "x"}}, "secrets do not belong in YAML"),
        ({"headers": {"x-note": "sk-" + "abc123def456ghi789jkl"}}, "secrets do not belong in YAML"),
        ({"url": "http://user:pass@h/"}, "url: holds a key or password"),
        ({"url": "http://h/?api_key=1"}, "url: holds a key or password"),
        ({"url": "h/answer"}, "is no address"),
        ({"headers_env": {"a": "not a name"}}, "names no environment variable"),
        ({"json": {"fixed": 1}}, "neither url nor json uses the case"),
        ({"response": "$..x"}, "is no path"),
        ({"response": "a b"}, "is no path"),
        ({"fields": {"retreived": "$.x"}}, "did you mean 'retrieved'"),
        ({"method": "FETCH"}, "method"),
    ],
)
def test_an_http_target_that_cannot_work_is_refused_when_it_is_made(options: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        http(**options)


def test_a_missing_variable_is_named_unless_nothing_is_called() -> None:
    wire = ReplayWire({"text": "A"})
    options = {"headers_env": {"authorization": "Bearer TOKEN"}}
    assert answer(http(context=piece_context(wire=wire), **options)).text == "A"
    wire.mode = "live"  # type: ignore[assignment]
    with pytest.raises(
        UsageError, match=r"headers_env\.authorization: environment variable TOKEN is not set"
    ):
        http(context=piece_context(wire=wire), **options)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (
            reply_of({"detail": "no such\nthing"}, status=404),
            "answered 404: no such thing; check url and method",
        ),
        (reply_of("x", status=401), "check the variables of headers_env"),
        (reply_of("x", status=422), "answered 422: x"),
        (Reply(302, {"location": "http://other/"}, b"", 0.1), "points to http://other/; redirects are not"),
        (Reply(200, {"content-type": "application/json"}, b"{", 0.1), "no JSON: '{'"),
        (Reply(200, {}, b"\xff\xfe", 0.1), "no UTF-8"),
        ({"answer": "A"}, "say where the answer is"),
    ],
)
def test_an_answer_that_is_no_output_is_told(reply: Any, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        answer(http(reply))


def test_a_path_that_leads_nowhere_says_what_there_is() -> None:
    with pytest.raises(TargetError, match=r"nothing at \$\.answer \(there is result, took\)"):
        answer(http({"result": "A", "took": 1}, response="$.answer"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", {"a": [{"b": 1}, {"c": 2}, {"b": 3}]}),
        ("$.a[0].b", 1),
        ("$.a[-1].b", 3),
        ("$.a[*].b", [1, 3]),
        ('$["a"][1]', {"c": 2}),
        ("$.x[*].b", TargetError),
        ("$.a[9]", TargetError),
        ("$.a.b", TargetError),
    ],
)
def test_paths(path: str, expected: Any) -> None:
    pick = json_path(path, where="response")
    value = {"a": [{"b": 1}, {"c": 2}, {"b": 3}]}
    if isinstance(expected, type):
        with pytest.raises(expected):
            pick(value)
    else:
        assert pick(value) == expected


# -------------------------------------------------------------------- command


def command(code: str, **options: Any) -> Target:
    context = options.pop("context", None)
    return make_target({"command": {"argv": [sys.executable, "-c", code], **options}}, context)


def test_a_command_gets_the_input_as_json_and_answers_in_text_or_json() -> None:
    code = "import sys, json; d = json.load(sys.stdin); print(json.dumps({'text': d['q'], 'tokens_in': 3}))"
    output = answer(command(code), {"q": "Größe"})
    assert (output.text, output.tokens_in) == ("Größe", 3)
    raw = answer(command(code, stdout="text"), {"q": "x"})
    assert json.loads(raw.text) == {"text": "x", "tokens_in": 3}
    assert answer(command("print('{\"queue\": 1}')")).text == '{"queue": 1}'
    assert answer(command("print('two\\nlines\\n')")).text == "two\nlines\n"


def test_a_command_need_not_read_its_input() -> None:
    assert answer(command("print('hi')"), {"q": "x" * 1_000_000}).text == "hi"


def test_no_shell_ever_sees_the_arguments() -> None:
    target = make_target(
        {"command": [sys.executable, "-c", "import sys; print(sys.argv[1])", "$(echo no); `x` | y"]}
    )
    assert answer(target).text == "$(echo no); `x` | y"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "import sys; sys.stderr.write('first\\nlast one\\n\\n'); sys.exit(3)",
            "exited with status 3: last one",
        ),
        ("import sys; sys.exit(1)", "exited with status 1: it wrote nothing to stderr"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "was ended by signal 15"),
    ],
)
def test_a_command_that_fails_is_the_users_own_exception(code: str, message: str) -> None:
    with pytest.raises(Exception, match=message) as raised:
        answer(command(code))
    assert type(raised.value).__name__ == "CommandFailed"


def test_exit_status_75_says_that_no_answer_arrived() -> None:
    with pytest.raises(TransportError, match="queue is full"):
        answer(command("import sys; sys.stderr.write('queue is full'); sys.exit(75)"))


def test_bytes_and_floods_are_no_output() -> None:
    with pytest.raises(TargetError, match="no UTF-8 text"):
        answer(command(r"import sys; sys.stdout.buffer.write(b'\xff\xfe')"))
    with pytest.raises(TargetError, match="more than 16 MiB"):
        answer(command("import sys\nwhile True: sys.stdout.write('x' * 1000000)"))


SLEEPER = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({path!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
time.sleep(600)
"""


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        try:
            os.kill(pid, 0)
        except OSError:
            return False
        return not Path("/proc").is_dir()
    return state != "Z"


async def until_gone(pids: list[int]) -> bool:
    for _ in range(500):
        if not any(map(is_running, pids)):
            return True
        await asyncio.sleep(0.02)
    return False


ORPHAN = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({path!r}, "w").write(str(child.pid))
"""


def test_a_child_that_outlives_the_program_is_ended_too(tmp_path: Path) -> None:
    """It holds stdout open, so that the answer might go on for ever."""

    async def run() -> bool:
        target = command(ORPHAN.format(path=str(tmp_path / "pid")), timeout_s=3)
        with pytest.raises(TransportError, match="no answer within 3 s"):
            await target.answer(case(), epoch=0)
        return await until_gone([int((tmp_path / "pid").read_text())])

    assert asyncio.run(run()), "a process is left behind"


@pytest.mark.parametrize("how", ["timeout_s", "cancelled"])
def test_a_command_that_takes_too_long_is_ended_with_its_children(tmp_path: Path, how: str) -> None:
    pids_file = tmp_path / "pids"
    code = SLEEPER.format(path=str(pids_file))

    async def run() -> bool:
        target = command(code, **({"timeout_s": 3} if how == "timeout_s" else {}))
        task = asyncio.ensure_future(target.answer(case(), epoch=0))
        while not (pids_file.exists() and len(pids_file.read_text().split()) == 2):
            await asyncio.sleep(0.01)
        pids = [int(pid) for pid in pids_file.read_text().split()]
        if how == "cancelled":
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            with pytest.raises(TransportError, match="no answer within 3 s"):
                await task
        return await until_gone(pids)

    assert asyncio.run(run()), "processes are left behind"


SHOW = "import os; print(','.join(n for n in ('SECRET_ONE', 'SECRET_TWO', 'HARMLESS') if n in os.environ))"


def test_a_command_does_not_see_secrets_that_it_was_not_handed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_ONE", "SECRET_TWO", "HARMLESS"):
        monkeypatch.setenv(name, "x")
    config = Config.model_validate(
        {"providers": {"p": {"api_key_env": "SECRET_ONE", "headers_env": {"x": "SECRET_TWO"}}}}
    )
    context = piece_context(config=config, secrets={"SECRET_ONE": "x", "SECRET_TWO": "x"})
    assert answer(command(SHOW, context=context)).text == "HARMLESS"
    assert answer(command(SHOW, context=context, pass_env=["SECRET_TWO"])).text == "SECRET_TWO,HARMLESS"


@pytest.mark.parametrize(
    ("written", "message"),
    [({"command": []}, "names no program"), ({"command": ["no-such-program-here"]}, "no program"),
     ({"command": "echo hi | cat"}, "argv")],
)  # fmt: skip
def test_a_command_that_cannot_be_run_is_refused_when_it_is_made(written: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_target(written)


def test_a_command_runs_in_the_project_root(tmp_path: Path) -> None:
    context = piece_context(tmp_path)
    assert answer(command("import os; print(os.getcwd())", context=context)).text == str(tmp_path.resolve())


# --------------------------------------------------------------------- replay


def replay(folder: Path, *rows: Any, **options: Any) -> Target:
    (folder / "rows.jsonl").write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    )
    return make_target({"replay": {"file": "rows.jsonl", **options}}, piece_context(folder))


def test_rows_without_an_epoch_are_the_epochs_in_order(tmp_path: Path) -> None:
    target = replay(
        tmp_path, {"case": "c", "text": "A"}, {"case": "d", "text": "D"}, {"case": "c", "text": "B"}
    )
    assert [answer(target, epoch=n).text for n in (0, 1)] == ["A", "B"]
    with pytest.raises(CassetteMiss, match="no output of case 'c' epoch 2"):
        answer(target, epoch=2)


def test_a_row_may_say_all_that_an_output_holds_and_is_marked_as_replayed(tmp_path: Path) -> None:
    row = {"case": "c", "text": "A", "data": 1, "retrieved": ["d"], "latency_s": 2, "cost_usd": 0.1,
           "recorded_at": "2026-11-01"}  # fmt: skip
    output = answer(replay(tmp_path, row))
    assert (output.data, output.retrieved, output.latency_s) == (1, (Document(id="d"),), 2.0)
    assert output.replayed == "2026-11-01"
    assert answer(replay(tmp_path, {"case": "c", "text": "A"})).replayed is not None


def test_the_samples_of_a_run_are_outputs_too(tmp_path: Path) -> None:
    sample = {"format": 1, "evalset": "under-test", "case": "c", "digest": case().digest, "epoch": 0,
              "output": {"text": "A", "latency_s": 1.0}, "started_at": "2026-11-20T10:00:00Z"}  # fmt: skip
    failed = {**sample, "epoch": 1, "output": None, "error": {"kind": "transport", "message": "quota"}}
    other = {**sample, "evalset": "other", "output": {"text": "B"}}
    target = replay(tmp_path, sample, failed, other)
    assert (answer(target).text, answer(target).replayed) == ("A", "2026-11-20")
    with pytest.raises(CassetteMiss, match=r"has no output in .*: quota"):
        answer(target, epoch=1)


def test_an_output_of_another_version_of_the_case_is_not_given(tmp_path: Path) -> None:
    row = {"case": "c", "text": "A", "digest": "0123456789abcdef"}
    with pytest.raises(CassetteMiss, match="another version of the case"):
        answer(replay(tmp_path, row))
    assert answer(replay(tmp_path, row, match="id")).text == "A"
    assert answer(replay(tmp_path, {**row, "digest": case().digest})).text == "A"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", r"rows\.jsonl:2: is no JSON"),
        ("[1]", r"rows\.jsonl:2: names no case"),
        ({"text": "A"}, "names no case"),
        ({"case": "x", "tekst": "A"}, "unknown key 'tekst'; did you mean 'text'"),
        ({"case": "x", "data": 1}, "without 'text'"),
        ({"case": "x", "text": "A", "epoch": "1"}, "no whole number"),
        ({"case": "x", "text": "A", "latency_s": "fast"}, "no number"),
        ({"case": "c", "text": "A", "epoch": 0}, "twice"),
        ({"case": "x", "output": {"tekst": "A"}}, "none of ours"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_line(tmp_path: Path, row: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replay(tmp_path, {"case": "c", "text": "first"}, row)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no file gone\.jsonl"):
        make_target({"replay": "gone.jsonl"}, piece_context(tmp_path))
