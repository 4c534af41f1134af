"""A model server over raw sockets that breaks in every way a network can: no library mends it on the way.

`script(token, *steps)` says what a client gets that asks under `/<token>/`: a step for each request, the last
one from then on. `seen(token)` are its requests. A step is a function of an Exchange.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

VERDICT = '{"reason": "fine", "score": 4}'
MIB = 1024 * 1024
_LONGEST_S = 30.0


@dataclass
class Exchange:
    """One request, and what is needed to answer it: `drop` and `keep` say what happens to the connection."""

    connection: socket.socket
    path: str
    body: Mapping[str, Any]
    stopping: threading.Event
    keep: bool = True

    @property
    def kind(self) -> str:
        return "anthropic" if self.path.endswith("/messages") else "openai"

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def drop(self) -> None:
        """Hang up in good order."""
        self.keep = False

    def reset(self) -> None:
        """Hang up as a crashed peer does: with a reset instead of an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.keep = False

    def wait(self, seconds: float) -> bool:
        """Wait as long as the client stays; tell whether it went away, or the server stops."""
        self.connection.settimeout(min(seconds, _LONGEST_S))
        try:
            gone = self.connection.recv(1, socket.MSG_PEEK) == b""
        except TimeoutError:
            gone = False
        except OSError:
            gone = True
        with suppress(OSError):
            self.connection.settimeout(None)
        return gone or self.stopping.is_set()


Step = Callable[[Exchange], None]


@dataclass
class FaultServer:
    """Serve until `close`; safe to share by tests, since each has a token of its own."""

    _steps: dict[str, list[Step]] = field(default_factory=dict)
    _seen: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listening.getsockname()[1]
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def script(self, token: str, *steps: Step) -> None:
        with self._lock:
            self._steps[token], self._seen[token] = list(steps), []

    def seen(self, token: str) -> list[Mapping[str, Any]]:
        with self._lock:
            return list(self._seen.get(token, ()))

    def address(self, token: str) -> str:
        return f"http://127.0.0.1:{self.port}/{token}"

    def close(self) -> None:
        self._stopping.set()
        self._listening.close()
        with self._lock:
            connections, self._open = self._open, set()
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with suppress(OSError), connection:
                received = b""
                while not self._stopping.is_set():
                    read = _request_from(connection, received)
                    if read is None:
                        return
                    path, body, received = read
                    exchange = Exchange(connection, path, body, self._stopping)
                    self._step_for(path, body)(exchange)
                    if not exchange.keep:
                        return
        finally:
            with self._lock:
                self._open.discard(connection)

    def _step_for(self, path: str, body: Mapping[str, Any]) -> Step:
        token = path.split("/")[1]
        with self._lock:
            steps = self._steps.get(token)
            if not steps:
                return answered(404)
            self._seen[token].append(body)
            return steps.pop(0) if len(steps) > 1 else steps[0]


def _request_from(connection: socket.socket, received: bytes) -> tuple[str, Mapping[str, Any], bytes] | None:
    """Read one request; None at the end of the connection, or where a client speaks no HTTP (TLS)."""
    while b"\r\n\r\n" not in received:
        data = connection.recv(65536)
        if not data or (received + data)[:1] == b"\x16":
            return None
        received += data
    head, _, rest = received.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    length = next((int(line[15:]) for line in lines if line.lower().startswith("content-length:")), 0)
    while len(rest) < length:
        data = connection.recv(65536)
        if not data:
            return None
        rest += data
    return lines[0].split(" ")[1], json.loads(rest[:length] or b"{}"), rest[length:]


# --- well-formed answers ------------------------------------------------------------------------------------


def answered(
    status: int, body: bytes | str = b'{"error": {"message": "as scripted"}}', headers: Any = None
) -> Step:
    """Return a step that answers in correct HTTP."""
    data = body.encode() if isinstance(body, str) else body
    told = {"content-type": "application/json", **(headers or {})}

    def step(exchange: Exchange) -> None:
        exchange.send(_head(status, {**told, "content-length": str(len(data))}) + data)

    return step


def chatted(headers: Any = None, **said: Any) -> Step:
    """Return a step that answers in the protocol of the path; see `chat_body` for `said`."""

    def step(exchange: Exchange) -> None:
        answered(200, json.dumps(chat_body(exchange.kind, **said)), headers)(exchange)

    return step


def chat_body(
    kind: str,
    *,
    content: str | None = VERDICT,
    finish: str = "stop",
    refusal: str | None = None,
    tool_calls: Any = None,
    usage: Any = None,
) -> dict[str, Any]:
    """Return the body of a chat reply in either protocol; `finish` in OpenAI's words."""
    if usage is None:
        usage = {"prompt_tokens": 20, "completion_tokens": 5, "input_tokens": 20, "output_tokens": 5}
    if kind == "anthropic":
        words = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
        text = refusal or content
        blocks = [] if text is None else [{"type": "text", "text": text}]
        if tool_calls:
            blocks.append({"type": "tool_use", "id": "t1", "name": "look_up", "input": {"id": 7}})  # type: ignore[dict-item]
        reason = "refusal" if refusal else words.get(finish, finish)
        return {"type": "message", "model": "m", "content": blocks, "stop_reason": reason, "usage": usage}
    message: dict[str, Any] = {"role": "assistant", "content": None if refusal else content}
    if refusal:
        message["refusal"] = refusal
    if tool_calls:
        arguments = '{"id": ' if tool_calls == "malformed" else '{"id": 7}'
        message["tool_calls"] = [
            {"id": "t1", "type": "function", "function": {"name": "look_up", "arguments": arguments}}
        ]
    return {"model": "m", "choices": [{"message": message, "finish_reason": finish}], "usage": usage}


def _head(status: int, headers: Mapping[str, str], version: str = "1.1") -> bytes:
    lines = [f"HTTP/{version} {status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _json_head(**headers: str) -> bytes:
    written = {name.replace("_", "-"): value for name, value in headers.items()}
    return _head(200, {"content-type": "application/json", **written})


def _good(exchange: Exchange) -> bytes:
    return json.dumps(chat_body(exchange.kind)).encode()


# --- what the wire does -------------------------------------------------------------------------------------


def well(exchange: Exchange) -> None:
    chatted()(exchange)


def well_then_close(exchange: Exchange) -> None:
    """Answer, promise to keep the connection, and close it all the same."""
    chatted()(exchange)
    exchange.drop()


def two_answers(exchange: Exchange) -> None:
    """Answer, and send along an answer to a question that nobody has asked yet."""
    early = json.dumps(chat_body(exchange.kind, content='{"reason": "early", "score": 1}')).encode()
    body = _good(exchange)
    head = _json_head(content_length=str(len(body)))
    exchange.send(head + body + _json_head(content_length=str(len(early))) + early)


def close_kept(exchange: Exchange) -> None:
    exchange.drop()


def silence(exchange: Exchange) -> None:
    exchange.wait(_LONGEST_S)
    exchange.drop()


def slow_drip(exchange: Exchange) -> None:
    """Send a whole answer in ten pieces, a fiftieth of a second apart."""
    body = _good(exchange)
    exchange.send(_json_head(content_length=str(len(body))))
    step = len(body) // 10 + 1
    for at in range(0, len(body), step):
        exchange.send(body[at : at + step])
        if exchange.wait(0.02):
            return exchange.drop()
    return None


def endless_drip(exchange: Exchange) -> None:
    exchange.send(_json_head(content_length="100000"))
    while not exchange.wait(0.1):
        exchange.send(b" ")
    exchange.drop()


def header_drip(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nx-")
    while not exchange.wait(0.1):
        exchange.send(b"y")
    exchange.drop()


def reset(exchange: Exchange) -> None:
    exchange.reset()


def hang_up(exchange: Exchange) -> None:
    exchange.drop()


def half_headers(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\ncontent-type: applica")
    exchange.drop()


def reset_in_body(exchange: Exchange) -> None:
    body = _good(exchange)
    exchange.send(_json_head(content_length=str(len(body))) + body[: len(body) // 2])
    exchange.wait(0.05)  # a reset that overtakes the data would be another fault
    exchange.reset()


def cut_body(exchange: Exchange) -> None:
    body = _good(exchange)
    exchange.send(_json_head(content_length=str(len(body) + 10)) + body)
    exchange.drop()


def long_body(exchange: Exchange) -> None:
    body = _good(exchange)
    exchange.send(_json_head(content_length=str(len(body) - 10)) + body)
    exchange.drop()


def broken_chunks(exchange: Exchange) -> None:
    body = _good(exchange)
    exchange.send(_json_head(transfer_encoding="chunked") + b"%x\r\n" % (2 * len(body)) + body)
    exchange.drop()


def odd_chunks(exchange: Exchange) -> None:
    chunks = b"all of it\r\n" + _good(exchange) + b"\r\n0\r\n\r\n"
    exchange.send(_json_head(transfer_encoding="chunked") + chunks)
    exchange.drop()


def no_http(exchange: Exchange) -> None:
    exchange.send(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
    exchange.drop()


def endless_headers(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\n")
    with suppress(OSError):
        for number in range(4096):
            exchange.send(b"x-%d: %s\r\n" % (number, b"y" * 1000))
    exchange.drop()


def bad_gzip(exchange: Exchange) -> None:
    body = b"\x1f\x8b\x08\x00" + _good(exchange)
    exchange.send(_json_head(content_encoding="gzip", content_length=str(len(body))) + body)


@cache
def _bomb() -> bytes:
    return gzip.compress(b" " * (40 * MIB), 9)


def gzip_bomb(exchange: Exchange) -> None:
    body = _bomb()
    exchange.send(_json_head(content_encoding="gzip", content_length=str(len(body))) + body)


def huge_body(exchange: Exchange) -> None:
    """Announce too much to an OpenAI client; to an Anthropic one, send too much without a word."""
    with suppress(OSError):
        if exchange.kind == "openai":
            exchange.send(_json_head(content_length=str(64 * MIB)) + b" " * 1000)
            exchange.wait(_LONGEST_S)
        else:
            exchange.send(_json_head(transfer_encoding="chunked"))
            for _ in range(64):
                exchange.send(b"%x\r\n" % MIB + b" " * MIB + b"\r\n")
    exchange.drop()


def http10(exchange: Exchange) -> None:
    exchange.send(_head(200, {"content-type": "application/json"}, "1.0") + _good(exchange))
    exchange.drop()


def early_hints(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
    well(exchange)


def bad_utf8(exchange: Exchange) -> None:
    answered(200, _good(exchange).replace(b"fine", b"f\xff\xfen"))(exchange)


def garbage_text(exchange: Exchange) -> None:
    r"""Say lone surrogates (as \ud800, which JSON allows), a NUL, ESC, and marks that turn text around."""
    chatted(content="\ud800\udfff\x00\x1b[31m\u202e::error::\u2028\ufeff" + "\U000e0041" * 20)(exchange)


WIRES: Mapping[str, Step] = {
    step.__name__: step
    for step in (
        *(
            well,
            well_then_close,
            two_answers,
            close_kept,
            silence,
            slow_drip,
            endless_drip,
            header_drip,
            reset,
            hang_up,
        ),
        *(half_headers, reset_in_body, cut_body, long_body, broken_chunks, odd_chunks, no_http),
        *(endless_headers, bad_gzip, gzip_bomb, huge_body, http10, early_hints, bad_utf8, garbage_text),
    )
}


def step_of(made: Mapping[str, Any]) -> Step:
    """Return the step that a row of faults.yaml describes under `own`."""
    if "wire" in made:
        return WIRES[made["wire"]]
    if "chat" in made:
        return chatted(made.get("headers"), **made["chat"])
    options = {"headers": made.get("headers")}
    if "body" in made:
        options["body"] = made["body"] * made.get("times", 1)
    return answered(made["status"], **options)
