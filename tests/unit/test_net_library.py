"""Which library sends the requests: chosen by name, found where installed, missed with a command."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest

from pytest_aioncall.adapters.net import library as lib
from pytest_aioncall.adapters.net import make_wire, refuse_missing, versions
from pytest_aioncall.errors import UsageError
from pytest_aioncall.model.config import Config

pytest.importorskip("httpx_aiohttp", reason="which library is taken is tested where all of them are")


def config(client: str = "auto", **provider: Any) -> Config:
    return Config.model_validate({"defaults": {"http_client": client}, "providers": {"p": provider}})


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make packages look as if they were not installed."""

    def hide(*names: str) -> None:
        found = lib.find_spec
        monkeypatch.setattr(lib, "find_spec", lambda name: None if name in names else found(name))

    return hide


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the carrier look installed, and fail when it is imported."""
    monkeypatch.setitem(sys.modules, "httpx_aiohttp", None)


def test_aiohttp_is_taken_where_it_is_installed_and_not_where_httpx_is_asked_for() -> None:
    assert lib.load_library("auto").carrier is not None
    assert lib.load_library("aiohttp").carrier is not None
    assert lib.load_library("httpx").carrier is None


@pytest.mark.parametrize("missing", ["httpx_aiohttp", "aiohttp"])
def test_without_all_of_the_extra_httpx_does_it_alone(without: Callable[..., None], missing: str) -> None:
    without(missing)
    assert lib.load_library("auto").carrier is None
    assert "aiohttp" not in versions(config())


def test_an_extra_that_cannot_be_imported_is_passed_over_unless_it_was_asked_for(broken: None) -> None:
    assert lib.load_library("auto").carrier is None
    with pytest.raises(UsageError, match=r"cannot be imported .*pip install 'pytest-aioncall\[speed\]'"):
        lib.load_library("aiohttp")


def test_what_is_missing_is_named_before_anything_is_asked(without: Callable[..., None]) -> None:
    refuse_missing(config("aiohttp", http2=True))
    without("aiohttp", "h2")
    refuse_missing(config())
    with pytest.raises(UsageError, match=r"http_client .*pip install 'pytest-aioncall\[speed\]'"):
        refuse_missing(config("aiohttp"))
    with pytest.raises(UsageError, match=r"providers\.p\.http2: .*pip install 'pytest-aioncall\[http2\]'"):
        refuse_missing(config(http2=True))


def test_versions_name_what_sends() -> None:
    assert set(versions(config("httpx"))) == {lib.LIBRARY}
    assert set(versions(config("aiohttp", http2=True))) == {lib.LIBRARY, "aiohttp", "httpx-aiohttp", "h2"}


def test_http2_needs_an_address_with_tls() -> None:
    with pytest.raises(ValueError, match="needs an https:// base_url"):
        config(http2=True, base_url="http://127.0.0.1:8080/v1")
    assert config(http2=True, base_url="https://h/v1").providers["p"].http2


def test_the_configuration_reaches_the_wire() -> None:
    for client, carried in (("httpx", False), ("aiohttp", True)):
        wire = make_wire(config(client), concurrency=1)
        assert (wire.client()._library.carrier is not None) == carried
        asyncio.run(wire.close())


def test_processes_that_share_a_limit_keep_it_together() -> None:
    setup = config(concurrency=6, requests_per_minute=100, tokens_per_minute=9000)
    wire = make_wire(setup, concurrency=8, shares=4)
    share = wire._providers["p"]
    assert (share.concurrency, share.requests_per_minute, share.tokens_per_minute) == (1, 25, 2250)
    assert make_wire(setup, concurrency=8)._providers["p"] == setup.providers["p"]
    assert make_wire(config(), concurrency=8, shares=4)._providers["p"] == config().providers["p"]
