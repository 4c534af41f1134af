"""Answer chat completions with a fixed latency, as a model server would: `python -m benchmarks.mock_server`.

Bare asyncio, HTTP/1.1 with keep-alive, nothing to install (uvloop is used where it is there). The first
line on stdout is the port. Replies are a pure function of the prompt (`items.answer_to`, `items.verdict_on`
for a model with "judge" in its name): two runs of the same cases get the same answers.

POST .../chat/completions   a reply with `usage`, after the latency
GET  /stats                 what was seen since the last reset: `Counters` as JSON, and CPU seconds
POST /reset                 zero the counters

`--latency-ms` is fixed. `--pace R` makes it what R answers a second need, however many clients wait.
`--faults 0.05` answers that share of requests badly (see faults.py).
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from benchmarks.faults import FaultPlan
from benchmarks.items import answer_to, verdict_on

REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    411: "Length Required",
    429: "Too Many Requests",
    500: "Internal Server Error",
}
SHORTEST_S, LONGEST_S, SLOW_S = 0.002, 3.0, 1.0


@dataclass(slots=True)
class Counters:
    """What the server saw since the last reset."""

    requests: int = 0
    judge_requests: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    connections: int = 0
    answered: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    cpu_from: float = field(default_factory=time.process_time)

    def reset(self) -> None:
        """Forget all but the requests under way."""
        self.requests = self.judge_requests = self.connections = self.answered = 0
        self.max_in_flight = self.in_flight
        self.faults.clear()
        self.cpu_from = time.process_time()

    def told(self) -> dict[str, object]:
        """Return them as `/stats` tells them."""
        names = (
            "requests",
            "judge_requests",
            "in_flight",
            "max_in_flight",
            "connections",
            "answered",
            "faults",
        )
        spent = time.process_time() - self.cpu_from
        return {**{name: getattr(self, name) for name in names}, "cpu_s": round(spent, 4)}


@dataclass(frozen=True, slots=True)
class Conduct:
    """How a server answers: its latency, its pace, its faults."""

    latency_s: float = 0.05
    pace: float | None = None
    faults: FaultPlan | None = None
    retry_after_s: int = 1

    def latency(self, in_flight: int) -> float:
        """Return how long a request waits; with a pace, `in_flight / pace` (Little's law)."""
        if self.pace is None:
            return self.latency_s
        return min(LONGEST_S, max(SHORTEST_S, in_flight / self.pace))


class Connection(asyncio.Protocol):
    """One client connection: read a request, answer after the latency, stay open."""

    def __init__(self, counters: Counters, conduct: Conduct) -> None:
        self._counters = counters
        self._conduct = conduct
        self._loop = asyncio.get_running_loop()
        self._pending = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass of it
        self._counters.connections += 1

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while (request := self._take_request()) is not None:
            self._handle(*request)

    def _take_request(self) -> tuple[str, str, bytes] | None:
        """Return (method, path, body) of the first request in the buffer, None while it is incomplete."""
        end = self._pending.find(b"\r\n\r\n")
        if end < 0:
            return None
        first, *lines = self._pending[:end].decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(":", 1) for line in lines if ":" in line)
        method, path, _ = first.split(" ", 2)
        if "transfer-encoding" in headers:
            self._send(411, {"error": {"message": "send a content-length", "type": "invalid_request_error"}})
            self._transport.close()
            return None
        length = int(headers.get("content-length", "0"))
        if len(self._pending) < end + 4 + length:
            return None
        body = bytes(self._pending[end + 4 : end + 4 + length])
        del self._pending[: end + 4 + length]
        return method, path, body

    def _handle(self, method: str, path: str, body: bytes) -> None:
        counters = self._counters
        if method == "POST" and path.endswith("/chat/completions"):
            self._accept(body)
        elif method == "GET" and path == "/stats":
            self._send(200, counters.told())
        elif method == "POST" and path == "/reset":
            counters.reset()
            self._send(200, {"ok": True})
        else:
            message = f"no route {method} {path}"
            self._send(404, {"error": {"message": message, "type": "invalid_request_error"}})

    def _accept(self, body: bytes) -> None:
        """Count a request and answer it after its latency, well or badly."""
        counters, conduct = self._counters, self._conduct
        number = counters.requests
        counters.requests += 1
        counters.in_flight += 1
        counters.max_in_flight = max(counters.max_in_flight, counters.in_flight)
        wait_s = conduct.latency(counters.in_flight)
        answer: Callable[[], None] = partial(self._complete, body)
        kind = conduct.faults.fault_of(number) if conduct.faults else None
        if kind is not None:
            counters.faults[kind] += 1
            wait_s += SLOW_S if kind == "slow" else 0
            answer = partial(self._complete, body, fault=kind)
        self._loop.call_later(wait_s, self._leave, answer)

    def _leave(self, answer: Callable[[], None]) -> None:
        self._counters.in_flight -= 1
        answer()

    def _complete(self, body: bytes, fault: str | None = None) -> None:
        if fault == "reset":
            self._transport.abort()
        elif fault == "http_500":
            self._send(500, {"error": {"message": "injected", "type": "server_error"}})
        elif fault == "too_many":
            refused = {"error": {"message": "injected: slow down", "type": "rate_limit_error"}}
            self._send(429, refused, more=f"retry-after: {self._conduct.retry_after_s}\r\n")
        else:
            status, reply = self._reply(body)
            self._send(status, reply, cut=fault == "truncated")

    def _reply(self, body: bytes) -> tuple[int, dict[str, object]]:
        """Return status and reply of one chat completion."""
        try:
            asked = json.loads(body)
            prompt = "\n".join(str(message["content"]) for message in asked["messages"])
        except (ValueError, KeyError, TypeError) as error:
            return 400, {"error": {"message": repr(error), "type": "invalid_request_error"}}
        model = asked.get("model", "mock")
        if "judge" in model:
            self._counters.judge_requests += 1
            text = verdict_on(prompt)
        else:
            text = answer_to(prompt)
        self._counters.answered += 1
        tokens_in, tokens_out = max(1, len(prompt) // 4), max(1, len(text) // 4)
        usage = {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        }
        message = {"role": "assistant", "content": text}
        return 200, {
            "id": f"chatcmpl-{self._counters.requests}",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": usage,
        }

    def _send(self, status: int, answer: object, *, more: str = "", cut: bool = False) -> None:
        """Write one answer; `cut` ends the document in its middle, as a whole and valid HTTP message."""
        body = json.dumps(answer).encode()
        if cut:
            body = body[: len(body) // 2]
        head = (
            f"HTTP/1.1 {status} {REASONS[status]}\r\ncontent-type: application/json\r\n{more}"
            f"content-length: {len(body)}\r\n\r\n"
        )
        if not self._transport.is_closing():
            self._transport.write(head.encode("latin-1") + body)


async def serve(*, port: int, conduct: Conduct) -> None:
    """Serve on the loopback address until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    counters, stop = Counters(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: Connection(counters, conduct), "127.0.0.1", port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await stop.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=50.0)
    parser.add_argument("--pace", type=float, help="answers a second, in place of a fixed latency")
    parser.add_argument("--faults", type=float, default=0.0, help="share of requests that are answered badly")
    parser.add_argument("--retry-after", type=int, default=1, help="seconds that a 429 asks for")
    parser.add_argument("--seed", type=int, default=1, help="of the faults")
    given = parser.parse_args()
    conduct = Conduct(
        latency_s=given.latency_ms / 1000,
        pace=given.pace,
        faults=FaultPlan(given.faults, given.seed) if given.faults else None,
        retry_after_s=given.retry_after,
    )
    try:
        new_loop = importlib.import_module("uvloop").new_event_loop
    except ImportError:
        new_loop = None
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(serve(port=given.port, conduct=conduct))


if __name__ == "__main__":
    main()
