"""A model server on this machine: OpenAI-compatible and Anthropic, with scripted answers and faults.

`server.answer` is a function from Asked to what is to be said: a text, or a Fault for anything else. Every
answer counts TOKENS_IN and TOKENS_OUT, so that a price is easily worked out by hand.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKENS_IN, TOKENS_OUT = 1000, 100


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def question(self) -> str:
        """The last message, or the body where nobody chats."""
        messages = self.body.get("messages")
        return str(messages[-1]["content"]) if messages else json.dumps(self.body)

    @property
    def is_judge(self) -> bool:
        return "judge" in str(self.body.get("model", ""))


@dataclass(frozen=True)
class Fault:
    """An HTTP answer that is no chat reply."""

    status: int
    body: bytes = b'{"error": {"message": "as scripted"}}'
    headers: dict[str, str] = field(default_factory=dict)


Answer = str | Fault


class ModelServer:
    """Serve until `close`; keep the requests in `asked`."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], Answer] = lambda asked: asked.question.upper()
        self.extra_headers: dict[str, str] = {}
        self.extra_fields: dict[str, Any] = {}
        self._http = _Server(("127.0.0.1", 0), _handler_of(self))
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def script(self, *answers: Answer) -> None:
        """Give these answers in the order of arrival; the last one from then on."""
        left = list(answers)
        self.answer = lambda asked: left.pop(0) if len(left) > 1 else left[0]

    def reply_to(self, asked: Asked) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers of what `answer` says, in the protocol of the path."""
        said = self.answer(asked)
        if isinstance(said, Fault):
            return said.status, said.body, {**self.extra_headers, **said.headers}
        if asked.path.endswith("/messages"):
            reply = _anthropic(said, asked)
        elif asked.path.endswith("/chat/completions"):
            reply = _openai(said, asked)
        else:
            reply = {"text": said}
        body = json.dumps({**reply, **self.extra_fields}).encode()
        return 200, body, {"content-type": "application/json", **self.extra_headers}

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@contextmanager
def model_server() -> Iterator[ModelServer]:
    """Serve for the length of a `with` block."""
    server = ModelServer()
    try:
        yield server
    finally:
        server.close()


def dead_address() -> str:
    """Return an address of this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    # With a short queue a connection is tried again after a second, which looks like a slow answer.
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that were killed; anything else is a fault of this server."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _openai(text: str, asked: Asked) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {
        "model": asked.body.get("model"),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": TOKENS_IN, "completion_tokens": TOKENS_OUT},
    }


def _anthropic(text: str, asked: Asked) -> dict[str, Any]:
    return {
        "model": asked.body.get("model"),
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": TOKENS_IN, "output_tokens": TOKENS_OUT},
    }


def _handler_of(server: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: Any) -> None:
            pass

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            body = json.loads(raw) if raw else {}
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.path, headers, body if isinstance(body, dict) else {"input": body})
            server.asked.append(asked)
            status, reply, more = server.reply_to(asked)
            try:
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)
            except OSError:  # the client went away, as some tests want it to
                self.close_connection = True

    return Handler
