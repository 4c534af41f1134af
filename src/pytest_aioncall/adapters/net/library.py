"""Which HTTP library sends the requests, what it is called in messages, and what is missing for it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from types import ModuleType
from typing import Final, Literal

from ...errors import UsageError
from ...model.config import Config

# The one line: "httpx2" is the maintained continuation, and the contract suite passes on it too.
LIBRARY: Final = "httpx"

ClientName = Literal["auto", "httpx", "aiohttp"]
_CARRIERS: Final = {"httpx": "httpx_aiohttp", "httpx2": "httpx_aiohttp.httpx2"}


@dataclass(frozen=True, slots=True)
class Library:
    """A library of httpx's kind; `carrier` is the module whose transport lets aiohttp carry its requests."""

    http: ModuleType
    carrier: ModuleType | None = None

    @property
    def aiohttp(self) -> ModuleType:
        """The library under the carrier."""
        return import_module("aiohttp")


def load_library(client: ClientName = "auto", *, library: str = LIBRARY) -> Library:
    """Import what `client` names; `auto` takes aiohttp where it is installed and works."""
    http = import_module(library)
    if not carried_by_aiohttp(client):
        return Library(http)
    try:
        return Library(http, import_module(_CARRIERS[library]))
    except ImportError as error:
        if client == "auto":
            return Library(http)
        raise UsageError(f"{_ASKED}: aiohttp cannot be imported ({error}); {_INSTALL_SPEED}") from None


def carried_by_aiohttp(client: ClientName) -> bool:
    """Tell whether aiohttp carries the requests when `client` is asked for; imports nothing."""
    return client == "aiohttp" or (client == "auto" and _is_installed("httpx_aiohttp", "aiohttp"))


def refuse_missing(config: Config) -> None:
    """Raise UsageError where the configuration wants a library that is not installed; imports none."""
    if config.defaults.http_client == "aiohttp" and not _is_installed("httpx_aiohttp", "aiohttp"):
        raise UsageError(f"{_ASKED}: aiohttp is not installed; {_INSTALL_SPEED}")
    wanting = [name for name, provider in config.providers.items() if provider.http2]
    if wanting and not _is_installed("h2"):
        raise UsageError(
            f"aioncall.yaml: providers.{wanting[0]}.http2: the package h2 is not installed; "
            "pip install 'pytest-aioncall[http2]', or remove http2"
        )


def versions(config: Config) -> dict[str, str]:
    """Return name and version of the libraries that send requests under this configuration."""
    names = [LIBRARY]
    if carried_by_aiohttp(config.defaults.http_client):
        names += ["aiohttp", "httpx-aiohttp"]
    if any(provider.http2 for provider in config.providers.values()):
        names.append("h2")
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


_ASKED: Final = "aioncall.yaml: defaults.http_client (or AIONCALL_HTTP_CLIENT)"
_INSTALL_SPEED: Final = "pip install 'pytest-aioncall[speed]', or take auto"


def _is_installed(*modules: str) -> bool:
    return all(find_spec(module) is not None for module in modules)
