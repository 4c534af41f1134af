"""What a user's own target raises, with the libraries that people use: no answer is transport.

The real libraries ask the real fault server; retries of their own are off, so that each test asks once.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fault_server import WIRES, FaultServer, Step, answered, chatted

from pytest_aioncall.engine import Engine, Job
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.model.sample import Sample
from pytest_aioncall.testing import make_scorer, make_target, piece_context

MESSAGES: Any = [{"role": "user", "content": "Hi"}]
BODY = {"model": "m", "messages": MESSAGES, "max_tokens": 9}
TIMEOUT_S = 0.5


def by_httpx(url: str, timeout_s: float, module: str = "httpx") -> str:
    http = importlib.import_module(module)
    with http.Client(trust_env=False, timeout=timeout_s) as client:
        reply = client.post(f"{url}/v1/chat/completions", json=BODY)
        reply.raise_for_status()
        return str(reply.json()["choices"][0]["message"]["content"])


def by_httpx2(url: str, timeout_s: float) -> str:
    return by_httpx(url, timeout_s, "httpx2")


def by_requests(url: str, timeout_s: float) -> str:
    import requests

    with requests.Session() as session:
        session.trust_env = False
        reply = session.post(f"{url}/v1/chat/completions", json=BODY, timeout=timeout_s)
        reply.raise_for_status()
        return str(reply.json()["choices"][0]["message"]["content"])


async def by_aiohttp(url: str, timeout_s: float) -> str:
    import aiohttp

    limit = aiohttp.ClientTimeout(total=timeout_s)
    async with (
        aiohttp.ClientSession(timeout=limit, raise_for_status=True) as session,
        session.post(f"{url}/v1/chat/completions", json=BODY) as reply,
    ):
        return str((await reply.json())["choices"][0]["message"]["content"])


def by_urllib(url: str, timeout_s: float) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/v1/chat/completions", json.dumps(BODY).encode(), timeout=timeout_s) as reply:
        return str(json.load(reply)["choices"][0]["message"]["content"])


def by_openai(url: str, timeout_s: float) -> str:
    import openai

    client = openai.OpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0, timeout=timeout_s)
    with client:
        reply = client.chat.completions.create(model="m", messages=MESSAGES)
        return str(reply.choices[0].message.content)


async def by_openai_async(url: str, timeout_s: float) -> str:
    import openai

    client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0, timeout=timeout_s)
    async with client:
        reply = await client.chat.completions.create(model="m", messages=MESSAGES)
        return str(reply.choices[0].message.content)


def by_anthropic(url: str, timeout_s: float) -> str:
    import anthropic

    with anthropic.Anthropic(base_url=url, api_key="k", max_retries=0, timeout=timeout_s) as client:
        reply = client.messages.create(model="m", messages=MESSAGES, max_tokens=9)
        return str(reply.content[0].text)  # type: ignore[union-attr]


LIBRARIES: dict[str, Callable[..., Any]] = {
    "httpx": by_httpx,
    "httpx2": by_httpx2,
    "requests": by_requests,
    "aiohttp": by_aiohttp,
    "urllib": by_urllib,
    "openai": by_openai,
    "openai-async": by_openai_async,
    "anthropic": by_anthropic,
}
HERE = __name__


async def call(library: str, url: str, timeout_s: float) -> str:
    """The target: what a user would write with this library."""
    asked = LIBRARIES[library]
    if asyncio.iscoroutinefunction(asked):
        return str(await asked(url, timeout_s))
    return str(await asyncio.to_thread(asked, url, timeout_s))


def told(library: str, url: str, *, timeout_s: float = 20.0) -> Sample:
    """Run one sample of the target through the engine."""
    module = library.partition("-")[0]
    if module != "urllib":
        pytest.importorskip(module, reason=f"{module} is not installed; pip install -e '.[dev]'")
    samples: list[Sample] = []
    context = piece_context()
    target = make_target({"python": f"{HERE}:call"}, context)
    case = Case(id="c", input={"library": library, "url": url, "timeout_s": timeout_s})
    job = Job("e", case, target, [make_scorer({"contains": "score"}, context)], 1, timeout_s=60.0)

    async def run() -> None:
        engine = Engine(concurrency=1, publish=samples.append, now=lambda: "2026-11-22T00:00:00Z")
        await engine.feed([job], lambda *_: None)
        await engine.close()

    asyncio.run(run())
    (sample,) = samples
    return sample


def kind_of(sample: Sample) -> str | None:
    assert (sample.error is None) == (sample.output is not None)
    return None if sample.error is None else sample.error.kind


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_answer_is_an_answer(library: str, fault_server: FaultServer) -> None:
    fault_server.script(f"{library}-well", chatted(content="score"))
    sample = told(library, fault_server.address(f"{library}-well"))
    assert kind_of(sample) is None, sample.error
    assert sample.scores[0].passed


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, "transport") for status in (408, 409, 429, 500, 529)),
        *((status, "user") for status in (400, 404)),
    ],
)
def test_a_status_is_transport_or_the_users(
    library: str, status: int, kind: str, fault_server: FaultServer
) -> None:
    token = f"{library}-{status}"
    fault_server.script(token, answered(status))
    sample = told(library, fault_server.address(token))
    assert kind_of(sample) == kind, sample.error
    assert len(fault_server.seen(token)) == 1


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("wire", ["reset", "hang_up", "half_headers", "cut_body", "no_http", "silence"])
def test_a_broken_connection_is_transport(library: str, wire: str, fault_server: FaultServer) -> None:
    token = f"{library}-{wire}"
    fault_server.script(token, WIRES[wire])
    timeout_s = TIMEOUT_S if wire == "silence" else 20.0
    sample = told(library, fault_server.address(token), timeout_s=timeout_s)
    # What stands on http.client takes half of the headers for all of an answer without a body.
    hidden = wire == "half_headers" and library in ("requests", "urllib")
    assert kind_of(sample) == ("user" if hidden else "transport"), sample.error
    assert sample.error is not None
    assert sample.error.message


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("address", ["http://127.0.0.1:{dead}", "http://no-such-host.invalid"])
def test_nobody_there_is_transport(library: str, address: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = free.getsockname()[1]
    sample = told(library, address.format(dead=dead))
    assert kind_of(sample) == "transport", sample.error


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    ("what", "step"),
    [("malformed", answered(200, "{malformed")), ("odd", answered(200, '{"choices": 7, "content": 7}'))],
)
def test_what_the_users_code_cannot_read_is_the_users(
    library: str, what: str, step: Step, fault_server: FaultServer
) -> None:
    fault_server.script(f"{library}-{what}", step)
    assert kind_of(told(library, fault_server.address(f"{library}-{what}"))) == "user"


@pytest.mark.parametrize("library", [name for name in LIBRARIES if name != "urllib"])
def test_an_address_that_is_none_is_the_users_mistake(library: str) -> None:
    sample = told(library, "no-scheme.example")
    assert kind_of(sample) == "user", sample.error


def reads_a_file(path: str) -> str:
    return Path(path).read_text()


@pytest.mark.parametrize("what", ["missing.txt", "folder", "folder/file/child"])
def test_a_missing_file_is_the_users_mistake_and_no_outage(what: str, tmp_path: Path) -> None:
    """OSError means a network in a target, but not where it names a file of the user's."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("x")
    target = make_target({"python": f"{HERE}:reads_a_file"}, piece_context())
    with pytest.raises(OSError, match=what.rpartition("/")[2]):
        asyncio.run(target.answer(Case(id="c", input={"path": str(tmp_path / what)}), epoch=0))
