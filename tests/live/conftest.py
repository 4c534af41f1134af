"""A real model, served by llama_cpp on this machine: `make live` says under which Python."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripts.model_process import model_process

from eval_project import project

__all__ = ["project"]


@pytest.fixture(scope="session")
def model_python() -> Path:
    python = os.environ.get("AIONCALL_MODEL_PYTHON")
    if not python:
        pytest.skip("AIONCALL_MODEL_PYTHON is not set; run: make live")
    return Path(python)


@pytest.fixture
def port() -> int:
    """A port of this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="session")
def model_url(model_python: Path) -> Iterator[str]:
    """The address of a model server that all tests share."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        shared = int(free.getsockname()[1])
    with model_process(model_python, port=shared) as url:
        yield url
