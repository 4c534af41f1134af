"""One request, one answer: the only place where a library's requests, answers and errors are touched."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .library import Library
from .ways import CONNECT_S, Address, Transport, Way, Ways, address_of

MAX_BODY: Final = 16 * 1024 * 1024
_KEPT_ADDRESSES: Final = 512
# Our own clock bounds a whole attempt: a limit for each read would let a dripping server go on.
_EXTENSIONS: Final = {"timeout": {"connect": CONNECT_S, "read": None, "write": None, "pool": None}}
_OWN_HEADERS: Final = {"accept": "*/*", "accept-encoding": "gzip, deflate", "connection": "keep-alive"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; `body` is unpacked, header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class NoAnswer(Exception):
    """Tell that the connection failed. `was_sent`: the server may have seen the request."""

    def __init__(self, said: str, *, was_sent: bool) -> None:
        self.said, self.was_sent = said, was_sent
        super().__init__(said)


class Unsendable(Exception):
    """Tell that no request can be made of this: the address, a header or the proxy's address is wrong."""


class TooLong(Exception):
    """Tell that an answer is longer than MAX_BODY."""


class Client:
    """Sends requests over connections that it keeps. Used on one event loop.

    It follows no redirect, keeps no cookie (one sample's state would reach the next) and sends no header
    that nobody gave, but for `user_agent` and what HTTP needs.
    """

    def __init__(self, library: Library, *, user_agent: str, transport: Transport | None = None) -> None:
        self._http = library.http
        self._library = library
        self._own_headers = {**_OWN_HEADERS, "user-agent": user_agent}
        self._ways = Ways(library, transport=transport)
        self._addresses: dict[str, Address] = {}
        self._names: dict[str, str] = {}

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        http2: bool = False,
    ) -> Answer:
        """Send a request and read its whole answer; raises NoAnswer, Unsendable or TooLong.

        Cancelled, it closes the connection, so that the server need not go on.
        """
        address, request = self._request(method, url, headers=headers, content=content)
        way, transport = self._taken(address, http2=http2)
        try:
            response = await transport.handle_async_request(request)
            plain = _plain(response.headers.raw)
            try:
                body = await _read(response, plain)
                if _said_too_much(response):
                    await response.extensions["network_stream"].aclose()
            finally:
                await response.stream.aclose()
        except (TooLong, NoAnswer):
            raise
        except Exception as error:
            raise self._told(error) from error
        finally:
            way.give_back(transport)
        return Answer(response.status_code, plain, body)

    async def close(self) -> None:
        """Close the connections."""
        await self._ways.close()

    def _request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None
    ) -> tuple[Address, Any]:
        try:
            address = self._addresses.get(url)
            if address is None:
                if len(self._addresses) >= _KEPT_ADDRESSES:
                    self._addresses.clear()
                address = self._addresses[url] = address_of(url, library=self._library)
            written = self._own_headers.copy()
            for name, value in headers.items():
                written[self._names.get(name) or self._named(name)] = value
            return address, self._http.Request(
                method, address.url, headers=written, content=content, extensions=_EXTENSIONS
            )
        except (self._http.InvalidURL, ValueError, TypeError, AttributeError):
            raise Unsendable("the address or a header holds characters that HTTP forbids") from None

    def _named(self, name: str) -> str:
        """Return a header's name in lower case; aiohttp would send one that HTTP forbids."""
        if not _TOKEN.fullmatch(name):
            raise ValueError(name)
        lower = self._names[name] = name.lower()
        return lower

    def _taken(self, address: Address, *, http2: bool) -> tuple[Way, Transport]:
        try:
            way = self._ways.to(address.origin, http2=http2)
            return way, way.take()
        except ImportError:
            raise Unsendable("the environment names a SOCKS proxy; pip install 'httpx[socks]'") from None
        except (self._http.InvalidURL, ValueError):
            raise Unsendable("the environment names a proxy that is no address (HTTPS_PROXY?)") from None

    def _told(self, error: BaseException) -> BaseException:
        """Return our error for one of the library's, or of what lies under it; others are returned as is."""
        http = self._http
        if isinstance(error, (http.UnsupportedProtocol, http.LocalProtocolError)):
            return Unsendable("cannot be asked")
        cause = error.__cause__
        if cause is not None and _names(cause) & _OF_AIOHTTP:
            error = cause  # aiohttp's own: the carrier takes most of them for a slow connection
        known = _names(error)
        if known & _OF_AIOHTTP:
            return _told_of_aiohttp(error, known)
        if isinstance(error, http.ConnectTimeout):
            return NoAnswer(f"no connection within {CONNECT_S:g} s", was_sent=False)
        if isinstance(error, http.RequestError):
            was_sent = not isinstance(error, (http.ConnectError, http.ProxyError))
            return NoAnswer(str(error) or type(error).__name__, was_sent=was_sent)
        if isinstance(error, OSError):
            return NoAnswer(str(error) or type(error).__name__, was_sent=True)
        if isinstance(error, (ValueError, TypeError)):
            return Unsendable("the address or a header holds characters that HTTP forbids")
        return error


# RFC 9110, section 5.6.2.
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_OF_AIOHTTP: Final = frozenset({"aiohttp.ClientError", "aiohttp.ServerTimeoutError", "aiohttp.InvalidURL"})


def _names(error: BaseException) -> frozenset[str]:
    """Return the classes of an error by their library and name: so none has to be imported."""
    return frozenset(f"{c.__module__.partition('.')[0]}.{c.__name__}" for c in type(error).__mro__)


def _told_of_aiohttp(error: BaseException, known: frozenset[str]) -> BaseException:
    if "aiohttp.InvalidURL" in known:
        return Unsendable("cannot be asked")
    if "aiohttp.ServerTimeoutError" in known:
        return NoAnswer(f"no connection within {CONNECT_S:g} s", was_sent=False)
    said = str(error)
    if "aiohttp.ServerDisconnectedError" in known:
        said = "the server closed the connection without an answer"
    elif "aiohttp.ClientPayloadError" in known:
        said = "the server closed the connection in the middle of the answer"
    elif "aiohttp.ClientResponseError" in known:
        said = f"the server's answer is no HTTP ({' '.join(said.split())})"
    return NoAnswer(said or type(error).__name__, was_sent="aiohttp.ClientConnectorError" not in known)


async def _read(response: Any, headers: Mapping[str, str]) -> bytes:
    """Read the body, unpacked where it is packed, up to MAX_BODY."""
    announced = headers.get("content-length", "")
    if announced.isdigit() and int(announced[:20]) > MAX_BODY:
        raise TooLong
    chunks: list[bytes] = []
    size = 0
    packed = headers.get("content-encoding", "identity") != "identity"
    async for chunk in response.aiter_bytes() if packed else response.stream:
        size += len(chunk)
        if size > MAX_BODY:
            raise TooLong
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _said_too_much(response: Any) -> bool:
    """Tell whether more came with an answer than the answer, so that its connection has to go.

    httpcore keeps the rest for the next request on that connection, and would take it for its answer.
    """
    try:
        state = response.stream._httpcore_stream._stream._connection._h11_state
        return bool(state.trailing_data[0])
    except AttributeError:  # aiohttp, which looks for itself, or HTTP/2, where answers are numbered
        return False


def _plain(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by lower-case name; repeated ones are joined by a comma."""
    found: dict[str, str] = {}
    for key, value in raw:
        name, text = key.lower().decode("latin-1"), value.decode("latin-1")
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found
