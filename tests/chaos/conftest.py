"""The servers of the chaos tests: each is started once for a worker, when a first test wants it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import servers
from fault_server import FaultServer


@pytest.fixture(scope="session")
def fault_server() -> Iterator[FaultServer]:
    server = FaultServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def llmock_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.LlmockServer]:
    try:
        with servers.llmock(tmp_path_factory.mktemp("llmock") / "log.txt") as server:
            yield server
    except servers.Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def aimock_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.AimockServer]:
    try:
        with servers.aimock(tmp_path_factory.mktemp("aimock") / "log.txt") as server:
            yield server
    except servers.Missing as missing:
        pytest.skip(str(missing))
