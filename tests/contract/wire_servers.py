"""Servers that misbehave byte by byte, and one that speaks HTTP/2; each on this machine and a test's loop."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.events
import trustme

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


class Visit:
    """One connection. `ended` is set when the client has closed its side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.ended = asyncio.Event()
        self.asked: list[tuple[str, dict[str, str], bytes]] = []

    async def request(self) -> bytes | None:
        """Read one request; None when the client has gone."""
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, ConnectionError):
            self.ended.set()
            return None
        first, *lines = head.strip().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        self.asked.append((first, headers, body))
        return body

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        with contextlib.suppress(ConnectionError):
            await self.writer.drain()

    def reset(self) -> None:
        """End the connection by RST, as a crashed process does."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # SO_LINGER, 0 s
        self.writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the client has closed."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                pass
        self.ended.set()


Serve = Callable[[Visit, int], Awaitable[None]]


class RawServer:
    """Hand each connection, with its number, to `serve`; by default every request is answered with `{}`."""

    def __init__(self, serve: Serve | None = None) -> None:
        self.visits: list[Visit] = []
        self.serve = serve or answer_all
        self.url = ""

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = Visit(reader, writer)
        self.visits.append(visit)
        try:
            await self.serve(visit, len(self.visits) - 1)
        finally:
            with contextlib.suppress(Exception):
                writer.close()

    @property
    def requests(self) -> int:
        return sum(len(visit.asked) for visit in self.visits)


async def answer_all(visit: Visit, _: int) -> None:
    while await visit.request() is not None:
        await visit.say(OK)


@contextlib.asynccontextmanager
async def serving(
    serve: Serve | None = None, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawServer]:
    """Serve on a free port of this machine for the length of an `async with`."""
    raw = RawServer(serve)
    server = await asyncio.start_server(raw._connected, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    raw.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
    try:
        yield raw
    finally:
        server.close()
        for visit in raw.visits:
            visit.writer.transport.abort()


class Authority:
    """A certificate authority of this test, and a server context for `localhost` by it."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.file = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.file))
        self._certificate = authority.issue_cert("localhost")

    def context(self, *, protocols: tuple[str, ...] = ("http/1.1",)) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(list(protocols))
        self._certificate.configure_cert(context)
        return context


class Http2Server:
    """Answers each HTTP/2 stream by `tell(path, body)`, all streams of a connection at once."""

    def __init__(self, tell: Callable[[dict[str, str], bytes], bytes] = lambda headers, body: body) -> None:
        self.tell = tell
        self.connections = 0
        self.most_streams = 0
        self.asked: list[dict[str, str]] = []
        self.answer_when = 1
        self.url = ""

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        conn = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        conn.initiate_connection()
        writer.write(conn.data_to_send())
        bodies: dict[int, bytes] = {}
        headers: dict[int, dict[str, str]] = {}
        held: list[int] = []
        try:
            while data := await reader.read(65536):
                for event in conn.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        headers[event.stream_id] = {k.decode(): v.decode() for k, v in event.headers}
                        bodies[event.stream_id] = b""
                    elif isinstance(event, h2.events.DataReceived):
                        bodies[event.stream_id] += event.data
                        conn.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    elif isinstance(event, h2.events.StreamEnded):
                        self.asked.append(headers[event.stream_id])
                        held.append(event.stream_id)
                self.most_streams = max(self.most_streams, len(held))
                if len(held) >= self.answer_when:
                    for stream in held:
                        answer = self.tell(headers[stream], bodies[stream])
                        conn.send_headers(stream, [(":status", "200"), ("content-length", str(len(answer)))])
                        conn.send_data(stream, answer, end_stream=True)
                    held.clear()
                writer.write(conn.data_to_send())
                await writer.drain()
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def serving_http2(authority: Authority, server: Http2Server) -> AsyncIterator[Http2Server]:
    """Serve HTTP/2 over TLS at https://localhost."""
    context = authority.context(protocols=("h2", "http/1.1"))
    listening: Any = await asyncio.start_server(server._connected, "127.0.0.1", 0, ssl=context)
    server.url = f"https://localhost:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
