"""What tests of every kind share: an HTTP server on this machine that says what a test tells it to."""

from __future__ import annotations

import gc
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

# Thousands of tests leave much that lives on; walking it over and over took a sixth of the time.
gc.set_threshold(100_000, 50, 100)


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Told:
    """What the server is to answer. `cut` closes the connection after so many bytes of the body."""

    status: int = 200
    body: bytes | str | dict[str, Any] | list[Any] = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None


class Loopback:
    """Answer every request by `tell`, a function from Asked to Told; keep the requests in `asked`."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.connections = 0
        self.tell: Callable[[Asked], Told] = lambda asked: Told(body={"text": "hello"})
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                outer.connections += 1
                super().setup()

            def log_message(self, *_: Any) -> None:
                pass

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {k.lower(): v for k, v in self.headers.items()}
                asked = Asked(self.command, self.path, headers, body)
                outer.asked.append(asked)
                told = outer.tell(asked)
                text = told.body
                headers = dict(told.headers)
                if isinstance(text, (dict, list)):
                    text = json.dumps(text)
                    headers.setdefault("content-type", "application/json")
                payload = text.encode() if isinstance(text, str) else text
                try:
                    self.send_response(told.status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("content-length", str(len(payload)))
                    self.end_headers()
                    self.wfile.write(payload if told.cut is None else payload[: told.cut])
                except OSError:  # the client went away, as some tests want it to
                    self.close_connection = True
                if told.cut is not None:
                    self.wfile.flush()
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def script(self, *answers: Told) -> None:
        """Give these answers in order; the last one from then on."""
        left = list(answers)
        self.tell = lambda asked: left.pop(0) if len(left) > 1 else left[0]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    """A server of this test's own; `loopback.tell` or `loopback.script(...)` say what it answers."""
    server = Loopback()
    yield server
    server.close()


@pytest.fixture
def told() -> type[Told]:
    """The class of answers, for `loopback`."""
    return Told
