"""Answer chat completions with a fixed latency, as a model server would: `mock_server.py --latency-ms 50`.

Bare asyncio, HTTP/1.1 with keep-alive, nothing to install. The first line on stdout is the port. Replies are
a pure function of the prompt (`items.answer_to`): two runs of the same cases get the same answers.

POST /v1/chat/completions   a reply with `usage`, after the latency
GET  /stats                 {"requests", "in_flight", "max_in_flight", "connections"}
POST /reset                 zero the counters
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from dataclasses import asdict, dataclass

from items import answer_to

REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 411: "Length Required"}


@dataclass(slots=True)
class Counters:
    """What the server saw since the last reset."""

    requests: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    connections: int = 0


class Connection(asyncio.Protocol):
    """One client connection: read a request, answer after the latency, stay open."""

    def __init__(self, counters: Counters, latency_s: float) -> None:
        self._counters = counters
        self._latency_s = latency_s
        self._loop = asyncio.get_running_loop()
        self._pending = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
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
            counters.requests += 1
            counters.in_flight += 1
            counters.max_in_flight = max(counters.max_in_flight, counters.in_flight)
            self._loop.call_later(self._latency_s, self._complete, body)
        elif method == "GET" and path == "/stats":
            self._send(200, asdict(counters))
        elif method == "POST" and path == "/reset":
            counters.requests = counters.connections = 0
            counters.max_in_flight = counters.in_flight
            self._send(200, {"ok": True})
        else:
            message = f"no route {method} {path}"
            self._send(404, {"error": {"message": message, "type": "invalid_request_error"}})

    def _complete(self, body: bytes) -> None:
        self._counters.in_flight -= 1
        try:
            asked = json.loads(body)
            prompt = "\n".join(str(message["content"]) for message in asked["messages"])
        except (ValueError, KeyError, TypeError) as error:
            self._send(400, {"error": {"message": repr(error), "type": "invalid_request_error"}})
            return
        text = answer_to(prompt)
        tokens_in, tokens_out = max(1, len(prompt) // 4), max(1, len(text) // 4)
        self._send(
            200,
            {
                "id": f"chatcmpl-{self._counters.requests}",
                "object": "chat.completion",
                "created": 1_700_000_000,
                "model": asked.get("model", "mock"),
                "choices": [
                    {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
                ],
                "usage": {
                    "prompt_tokens": tokens_in,
                    "completion_tokens": tokens_out,
                    "total_tokens": tokens_in + tokens_out,
                },
            },
        )

    def _send(self, status: int, answer: object) -> None:
        body = json.dumps(answer).encode()
        head = (
            f"HTTP/1.1 {status} {REASONS[status]}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        if not self._transport.is_closing():
            self._transport.write(head.encode("latin-1") + body)


async def serve(*, port: int, latency_s: float) -> None:
    """Serve on the loopback address until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    counters, stop = Counters(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(
        lambda: Connection(counters, latency_s), "127.0.0.1", port, backlog=4096
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await stop.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=50.0)
    given = parser.parse_args()
    asyncio.run(serve(port=given.port, latency_s=given.latency_ms / 1000))


if __name__ == "__main__":
    main()
