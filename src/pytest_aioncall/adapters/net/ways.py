"""Connections: which transport carries the next request to a host, and where it is put afterwards.

A request takes a transport, uses it alone, and gives it back. Proxies come from the environment (and from the
system's settings) as urllib reads them; this machine is never asked by one.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from .library import Library

IDLE_S: Final = 30.0
CONNECT_S: Final = 10.0
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS: Final = {"http": 80, "https": 443}

Transport = Any
"""An AsyncBaseTransport of the library."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request goes: the library's own URL, what can share connections, and words for messages."""

    url: Any
    origin: tuple[str, str, int]
    place: str


class Way(Protocol):
    """Gives out transports to one origin and takes them back."""

    def take(self) -> Transport: ...
    def give_back(self, transport: Transport) -> None: ...
    async def close(self) -> None: ...


class Lanes:
    """Many transports with one connection each.

    A pool of httpcore walks all its connections, for each of them, before and after every request: with 32 of
    them that costs five times the rest of the request. The lane freed last is taken first.
    """

    def __init__(self, make: Callable[[], Transport]) -> None:
        self._make = make
        self._free: list[Transport] = []
        self._all: list[Transport] = []

    def take(self) -> Transport:
        if self._free:
            return self._free.pop()
        lane = self._make()
        self._all.append(lane)
        return lane

    def give_back(self, transport: Transport) -> None:
        self._free.append(transport)

    async def close(self) -> None:
        lanes, self._all, self._free = self._all, [], []
        for lane in lanes:
            await lane.aclose()


class Shared:
    """One transport for all requests at once."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def take(self) -> Transport:
        return self._transport

    def give_back(self, transport: Transport) -> None:
        pass

    async def close(self) -> None:
        await self._transport.aclose()


class Ways:
    """Every way out of one client. `transport` stands in for all of them, for tests."""

    def __init__(self, library: Library, *, transport: Transport | None = None) -> None:
        self._library = library
        self._everything = Shared(transport) if transport is not None else None
        self._by_aiohttp: dict[str, Shared] = {}
        self._ways: dict[tuple[tuple[str, str, int], bool], Way] = {}
        self._contexts: dict[str, ssl.SSLContext] = {}

    def to(self, origin: tuple[str, str, int], *, http2: bool) -> Way:
        """Return the way to an origin, opened on first use."""
        key = (origin, http2)
        way = self._ways.get(key)
        if way is None:
            way = self._ways[key] = self._everything or self._opened(origin, http2=http2)
        return way

    async def close(self) -> None:
        """Close every connection."""
        ways, self._ways, self._by_aiohttp = set(self._ways.values()), {}, {}
        for way in ways:
            await way.close()

    def _opened(self, origin: tuple[str, str, int], *, http2: bool) -> Way:
        scheme, host, port = origin
        proxy = proxy_for(scheme, host, port)
        http, context = self._library.http, self._context(scheme)
        if http2 and scheme == "https":
            # One connection carries all: nothing to walk. Where a server speaks no HTTP/2 it is a pool.
            limits = http.Limits(
                max_connections=None, max_keepalive_connections=None, keepalive_expiry=IDLE_S
            )
            return Shared(http.AsyncHTTPTransport(verify=context, limits=limits, http2=True, proxy=proxy))
        if proxy is None and self._library.carrier is not None:
            if scheme not in self._by_aiohttp:
                self._by_aiohttp[scheme] = Shared(self._carried(context))
            return self._by_aiohttp[scheme]
        limits = http.Limits(max_connections=None, max_keepalive_connections=1, keepalive_expiry=IDLE_S)
        return Lanes(lambda: http.AsyncHTTPTransport(verify=context, limits=limits, proxy=proxy))

    def _carried(self, context: ssl.SSLContext) -> Transport:
        """Return a transport over aiohttp that keeps no cookies, asks no environment and bounds nothing."""
        aiohttp, carrier = self._library.aiohttp, self._library.carrier
        assert carrier is not None  # noqa: S101 - asked by the caller

        def session() -> Any:
            connector = aiohttp.TCPConnector(
                limit=0, keepalive_timeout=IDLE_S, ssl=context, ttl_dns_cache=300
            )
            return aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            )

        return carrier.AiohttpTransport(verify=context, client=session)

    def _context(self, scheme: str) -> ssl.SSLContext:
        """Return the TLS context; one with certificates costs more than twenty requests, so once and late."""
        context: ssl.SSLContext | None = self._contexts.get(scheme)
        if context is None:
            if scheme == "https":
                context = self._library.http.create_ssl_context()
            else:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._contexts[scheme] = context
        return context


def address_of(url: str, *, library: Library) -> Address:
    """Return where `url` leads; raises ValueError where no request can go."""
    parsed = library.http.URL(url)
    scheme, host = parsed.scheme, parsed.host
    port = parsed.port or _PORTS.get(scheme, 0)
    if scheme not in _PORTS or not host or "%20" in host or not 0 < port < 65536:
        raise ValueError(url)
    return Address(parsed, (scheme, host, port), place_of(url))


def place_of(url: str) -> str:
    """Return host and port of `url` for a message; nothing of its path or query, which may hold a key."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.hostname or 'no host'}{port}"
    except ValueError:
        return "the address"


def proxy_for(scheme: str, host: str, port: int) -> str | None:
    """Return the address of the proxy that the environment names for a host, None where there is none."""
    if host in _LOOPBACK or host.endswith(".localhost"):
        return None
    from urllib.request import getproxies, proxy_bypass  # drags in a whole HTTP library

    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or proxy_bypass(host) or proxy_bypass(f"{host}:{port}"):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
