"""A run against a model server that is overloaded or slow: attempts, limits, cancelling, what is missing."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from model_server import Asked, Fault, ModelServer, model_server

from eval_project import Project
from pytest_aioncall.adapters.net import make_wire
from pytest_aioncall.flows.ondemand import WireOnDemand
from pytest_aioncall.flows.wording import progress_text
from pytest_aioncall.model.config import Config

BUSY = Fault(503, headers={"retry-after-ms": "1"})
CLIENTS = ("httpx", "aiohttp")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as server:
        yield server


def chat(
    project: Project, server: ModelServer, *, cases: int = 2, timeout_s: float = 60.0, **provider: Any
) -> None:
    """Write a project whose target chats with `server`."""
    project.config(
        providers={"p": {"base_url": f"{server.url}/v1", **provider}},
        defaults={"on_inconclusive": "warn"},
    )
    project.evalset(
        target={"chat": {"model": "p/m", "prompt": "{{ input }}"}},
        epochs=1,
        timeout_s=timeout_s,
        cases={f"c{n}": (f"q{n}", f"Q{n}") for n in range(cases)},
    )


def busy_twice(server: ModelServer) -> None:
    """Refuse the first two tries of every question."""
    tries: dict[str, int] = {}
    lock = threading.Lock()

    def answer(asked: Asked) -> Any:
        with lock:
            tries[asked.question] = tries.get(asked.question, 0) + 1
            return BUSY if tries[asked.question] <= 2 else asked.question.upper()

    server.answer = answer


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_a_sample_keeps_how_often_it_was_asked(
    project: Project, server: ModelServer, workers: tuple[str, ...]
) -> None:
    chat(project, server)
    busy_twice(server)
    (project.run_apart if workers else project.run)(*workers)
    samples = project.last_samples()
    assert sorted((sample["attempts"], sample["output"]["text"]) for sample in samples) == [
        (3, "Q0"),
        (3, "Q1"),
    ]
    assert (project.last_run()["totals"]["retries"], len(server.asked)) == (4, 6)


def test_tries_for_a_judge_count_as_the_samples(project: Project, server: ModelServer) -> None:
    chat(project, server, cases=1)
    project.evalset(
        target={"chat": {"model": "p/m", "prompt": "{{ input }}"}},
        epochs=1,
        scorers=[{"judge": {"model": "p/judge", "rubric": "Is it right?", "scale": [1, 5]}}],
        cases={"a": ("q", "Q")},
    )
    refused: list[Asked] = []

    def answer(asked: Asked) -> Any:
        if asked.is_judge and len(refused) < 2:
            refused.append(asked)
            return BUSY
        return '{"reason": "fine", "score": 5}' if asked.is_judge else "Q"

    server.answer = answer
    project.run()
    (sample,) = project.last_samples()
    assert (len(refused), sample["attempts"], sample["scores"][0]["error"]) == (2, 3, None)


def test_a_wrong_answer_is_one_attempt(project: Project, server: ModelServer) -> None:
    chat(project, server)
    server.answer = lambda asked: "wrong"
    project.run()
    assert [sample["attempts"] for sample in project.last_samples()] == [1, 1]
    assert (project.last_run()["totals"]["retries"], len(server.asked)) == (0, 2)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_run_says_which_library_sent_its_calls(
    project: Project, server: ModelServer, monkeypatch: pytest.MonkeyPatch, client: str
) -> None:
    monkeypatch.setenv("AIONCALL_HTTP_CLIENT", client)
    chat(project, server)
    project.run()
    versions = project.last_run()["versions"]
    assert "httpx" in versions
    assert ("aiohttp" in versions) == (client == "aiohttp")
    assert "aiohttp" not in project.path.joinpath("aioncall.yaml").read_text()


def test_a_run_without_calls_names_no_library_for_them(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset()
    project.run()
    assert "httpx" not in project.last_run()["versions"]


def test_waiting_for_our_own_limit_uses_up_no_time_limit(project: Project, server: ModelServer) -> None:
    """Four samples one after another, 0.4 s each, with 1 s to answer: the last one waits longer than that."""

    def answer(asked: Asked) -> str:
        time.sleep(0.4)
        return asked.question.upper()

    server.answer = answer
    chat(project, server, cases=4, timeout_s=1.0, concurrency=1)
    project.run()
    assert [sample["error"] for sample in project.last_samples()] == [None] * 4
    assert all(sample["output"]["latency_s"] < 1.0 for sample in project.last_samples())


@pytest.mark.parametrize("client", CLIENTS)
def test_a_sample_out_of_time_closes_its_connection(
    project: Project, monkeypatch: pytest.MonkeyPatch, client: str
) -> None:
    """The server sees the end of the connection: it need not go on writing an answer nobody waits for."""
    monkeypatch.setenv("AIONCALL_HTTP_CLIENT", client)
    ended = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve() -> None:
            visit, _ = listening.accept()
            with visit:
                visit.settimeout(20)
                while visit.recv(65536):
                    pass
                ended.set()

        threading.Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        project.config(providers={"p": {"base_url": f"{url}/v1"}})
        project.evalset(
            target={"chat": {"model": "p/m", "prompt": "{{ input }}"}},
            epochs=1,
            timeout_s=0.3,
            cases={"a": ("q", "Q")},
        )
        project.run()
        assert ended.wait(20)
    (sample,) = project.last_samples()
    assert sample["error"]["kind"] == "transport"


def test_a_quota_that_is_used_up_ends_the_run_soon_and_says_so(project: Project, server: ModelServer) -> None:
    chat(project, server, cases=40)
    server.answer = lambda asked: Fault(
        429, b'{"error": {"message": "daily quota"}}', {"retry-after": "7200"}
    )
    result = project.run()
    errors = [sample["error"]["message"] for sample in project.last_samples()]
    assert all("429: daily quota" in error and "check the account" in error for error in errors)
    assert sum("not asked, p wants to be left alone for 2 h" in error for error in errors) >= 24
    assert len(server.asked) <= 16
    assert result.ret == 7


def test_http2_without_tls_is_refused_with_its_line(project: Project, server: ModelServer) -> None:
    chat(project, server, http2=True)
    result = project.run()
    assert result.ret == 4
    result.stderr.re_match_lines([r".*aioncall\.yaml:\d+.*http2 needs an https:// base_url"])


@pytest.mark.parametrize(
    ("missing", "setup", "told"),
    [
        (
            "h2",
            {"providers": {"p": {"base_url": "https://h/v1", "http2": True}}},
            r"pytest-aioncall\[http2\]",
        ),
        ("httpx_aiohttp", {"defaults": {"http_client": "aiohttp"}}, r"pytest-aioncall\[speed\]"),
    ],
)
def test_a_missing_extra_is_named_with_its_install_command(
    project: Project, monkeypatch: pytest.MonkeyPatch, missing: str, setup: dict[str, Any], told: str
) -> None:
    import pytest_aioncall.adapters.net.library as library

    found = library.find_spec
    monkeypatch.setattr(library, "find_spec", lambda name: None if name == missing else found(name))
    project.app("def answer(text):\n    return text.upper()\n")
    project.config(**setup)
    project.evalset()
    result = project.run()
    assert result.ret == 4
    result.stderr.re_match_lines([rf".*pip install '{told}'"])


def test_without_the_extra_httpx_alone_does_it(
    project: Project, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pytest_aioncall.adapters.net.library as library

    found = library.find_spec
    gone = {"httpx_aiohttp", "aiohttp"}
    monkeypatch.setattr(library, "find_spec", lambda name: None if name in gone else found(name))
    chat(project, server)
    project.run()
    assert "aiohttp" not in json.dumps(project.last_run()["versions"])
    assert [sample["error"] for sample in project.last_samples()] == [None, None]


def test_the_live_line_says_whom_everybody_waits_for(server: ModelServer) -> None:
    server.answer = lambda asked: Fault(429, headers={"retry-after": "30"})
    wire = WireOnDemand(lambda: make_wire(Config(), concurrency=2))

    async def run() -> None:
        assert wire.waiting() is None
        call = asyncio.ensure_future(
            wire.send("POST", server.url, headers={}, json={}, asked={}, epoch=0, provider="openai")
        )
        while wire.waiting() is None:
            await asyncio.sleep(0.01)
        said = wire.waiting()
        assert said is not None
        line = progress_text(
            done=3,
            total=9,
            rate=1.0,
            cost_usd=None,
            cost_unknown=False,
            retries=1,
            errors=0,
            eta_s=6.0,
            waiting=said,
        )
        assert re.fullmatch(r"aioncall 3/9  1\.0/s  1 retry, 0 errors  waiting: openai 429, (29|30) s", line)
        call.cancel()
        await wire.close()

    asyncio.run(run())
