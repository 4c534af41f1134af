"""Whose fault an exception of a target is: no answer arrived (transport), or anything else (the user's).

No library is imported for it: classes are known by their module and name, errors of SDKs by their status.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Iterable, Mapping
from typing import Any

from ...errors import AioncallError, TransportError, UsageError
from ..imports import load_object

Types = tuple[type[BaseException], ...]

# (top module, class name) anywhere in the MRO.
_TRANSPORT = frozenset(
    {
        ("httpx", "TransportError"),
        ("httpcore", "NetworkError"),
        ("httpcore", "TimeoutException"),
        ("httpcore", "ProtocolError"),
        ("httpcore", "ProxyError"),
        ("aiohttp", "ClientConnectionError"),
        ("aiohttp", "ClientPayloadError"),
        ("requests", "ConnectionError"),
        ("requests", "Timeout"),
        ("requests", "ChunkedEncodingError"),
        ("requests", "ContentDecodingError"),
        ("urllib3", "TimeoutError"),
        ("urllib3", "ProtocolError"),
        ("urllib3", "MaxRetryError"),
        ("urllib3", "ProxyError"),
        ("urllib3", "NewConnectionError"),
        ("http", "BadStatusLine"),
        ("http", "RemoteDisconnected"),
        ("http", "IncompleteRead"),
        ("botocore", "ConnectionError"),
        ("botocore", "HTTPClientError"),
        ("websockets", "ConnectionClosed"),
    }
)
# These stand under a transport class, or under OSError, but are a mistake in the call.
_MISTAKES = frozenset(
    {
        ("httpx", "UnsupportedProtocol"),
        ("httpx", "LocalProtocolError"),
        ("requests", "InvalidURL"),
        ("requests", "InvalidSchema"),
        ("requests", "MissingSchema"),
        ("requests", "InvalidHeader"),
        ("requests", "InvalidJSONError"),
        ("requests", "TooManyRedirects"),
        ("aiohttp", "InvalidURL"),
    }
)
# Libraries that go on under another name.
_SAME = {"httpx2": "httpx", "httpcore2": "httpcore"}
# OSErrors of files: with a file's name they tell of the user's own disk, without one of a socket.
_OF_FILES = (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
# What SDKs of model vendors call a request that got no answer, whatever module they keep it in.
_SDK_NAMES = frozenset({"APIConnectionError", "APITimeoutError"})
_RETRIED = frozenset({408, 409, 429})
_GRPC = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED"})


def is_transport(error: BaseException, extra: Types = ()) -> bool:
    """Tell whether `error` means that no answer arrived; `extra` are the user's own types for that.

    Time-outs, OSError, transport errors of httpx, aiohttp, requests, urllib3 and SDKs; an error that carries
    an HTTP status is decided by it: 408, 409, 429 and 5xx are transport, any other status is not. A file that
    is missing or may not be read is the user's, and so is an address that is none.
    """
    if isinstance(error, TransportError) or (extra and isinstance(error, extra)):
        return True
    if isinstance(error, AioncallError):
        return False
    if isinstance(error, BaseExceptionGroup):
        return all(is_transport(one, extra) for one in error.exceptions)
    names = _names_of(error)
    if any(name in _MISTAKES for name in names):
        return False
    if isinstance(error, _OF_FILES) and error.filename is not None:
        return False
    cause = error.__cause__
    if cause is not None and ("aiohttp", "HttpProcessingError") in _names_of(cause):
        return True  # what arrived was no HTTP: aiohttp gives such errors a status of its own making
    status = _status_of(error, names)
    if status is not None:
        return status in _RETRIED or 500 <= status <= 599
    if isinstance(error, (OSError, TimeoutError, asyncio.TimeoutError, concurrent.futures.TimeoutError)):
        return True
    if any(name[1] in _SDK_NAMES for name in names):
        return cause is None or not any(name in _MISTAKES for name in _names_of(cause))
    return any(name in _TRANSPORT for name in names) or _grpc_code(error) in _GRPC


def load_transport_types(paths: Iterable[str]) -> Types:
    """Import the exception types that `errors.transport` names."""
    found: list[type[BaseException]] = []
    for path in paths:
        loaded = load_object(path, what="errors.transport")
        if not (isinstance(loaded, type) and issubclass(loaded, BaseException)):
            raise UsageError(f"errors.transport: {path} is no exception class")
        found.append(loaded)
    return tuple(found)


def as_transport(error: BaseException) -> TransportError:
    """Return `error` as a TransportError whose message names its type."""
    if isinstance(error, TransportError):
        return error
    said = str(error)
    wait = getattr(error, "retry_after_s", None)
    return TransportError(
        f"{type(error).__name__}: {said}" if said else type(error).__name__,
        retry_after_s=wait if isinstance(wait, (int, float)) else None,
    )


def _names_of(error: BaseException) -> list[tuple[str, str]]:
    """Return the classes of an error by top module and name."""
    tops = [(cls.__module__.partition(".")[0], cls.__name__) for cls in type(error).__mro__]
    return [(_SAME.get(top, top), name) for top, name in tops]


def _status_of(error: BaseException, names: list[tuple[str, str]]) -> int | None:
    for attribute in ("status_code", "status"):
        status = _http_status(getattr(error, attribute, None))
        if status is not None:
            return status
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):  # botocore
        meta = response.get("ResponseMetadata")
        return _http_status(meta.get("HTTPStatusCode")) if isinstance(meta, Mapping) else None
    status = _http_status(getattr(response, "status_code", None))
    if status is None and any(module in {"urllib", "google"} for module, _ in names):
        status = _http_status(getattr(error, "code", None))
    return status


def _http_status(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599:
        return int(value)
    return None


def _grpc_code(error: BaseException) -> str | None:
    """Return the name of a gRPC status: `code()` gives an enum there."""
    code = getattr(error, "code", None)
    if not callable(code) or type(error).__module__.partition(".")[0] != "grpc":
        return None
    return getattr(code(), "name", None)
