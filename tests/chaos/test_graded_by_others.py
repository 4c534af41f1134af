"""llmock grades the clients that ask it: it finds nothing wrong with how ours waits, retries and gives up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import servers

from pytest_aioncall.adapters.net import HttpWire
from pytest_aioncall.errors import TargetError
from pytest_aioncall.model.config import Config
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.testing import make_target, piece_context


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_the_client_waits_as_asked_backs_off_and_repeats_no_mistake(
    kind: str, llmock_server: servers.LlmockServer
) -> None:
    """In real time: two 429 with Retry-After, then a 503, then an answer; a 400 is asked once."""
    llmock_server.call("POST", "/_llmock/reset")
    script = [
        {"type": "fail", "status": 429, "retry_after": 0.3, "times": 2, "match": {"model": "graded"}},
        {"type": "fail", "status": 503, "retry_after": 0.1, "match": {"model": "graded"}},
        {"type": "fail", "status": 400, "match": {"model": "mistaken"}},
        # For streams alone: we ask for none, so it is never used up.
        {"type": "stream_fault", "kind": "disconnect"},
    ]
    llmock_server.call("POST", "/_llmock/scenario", {"behaviors": script})

    async def run() -> None:
        provider = {"kind": kind, "base_url": llmock_server.address(kind), "max_attempts": 5}
        config = Config.model_validate({"providers": {"p": provider}})
        wire = HttpWire(concurrency=2, providers=config.providers)
        context = piece_context(config=config, wire=wire)

        def target(model: str) -> Any:
            return make_target({"chat": {"model": f"p/{model}", "prompt": "Say {{ input }}"}}, context)

        try:
            output = await target("graded").answer(Case(id="c", input="hello"), epoch=0)
            assert output.text
            with pytest.raises(TargetError):
                await target("mistaken").answer(Case(id="c", input="hello"), epoch=0)
        finally:
            await wire.close()

    asyncio.run(run())
    assert llmock_server.seen("graded") == 4
    assert llmock_server.seen("mistaken") == 1
    verdict = llmock_server.call("GET", "/_llmock/verdict")
    assert verdict["findings"] == []
    assert verdict["faults_injected"] == 4
    pending = llmock_server.call("GET", "/_llmock/scenario")["pending"]
    assert [one["type"] for one in pending] == ["stream_fault"]
