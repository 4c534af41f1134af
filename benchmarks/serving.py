"""The mock server as a process of its own, and what it saw."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.meter import pinned

ROOT = Path(__file__).resolve().parents[1]


def child_environment() -> dict[str, str]:
    """Return an environment in which `python -m benchmarks.NAME` works from any folder."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}


@dataclass(frozen=True, slots=True)
class Server:
    """A running mock server."""

    port: int
    pid: int

    @property
    def base_url(self) -> str:
        """Where an OpenAI-compatible client is pointed at."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def chat_url(self) -> str:
        """Where a bare client posts to."""
        return f"{self.base_url}/chat/completions"

    def stats(self) -> dict[str, Any]:
        """Return what was seen since the last reset."""
        return self._ask("/stats", "GET")

    def reset(self) -> None:
        """Zero the counters."""
        self._ask("/reset", "POST")

    def _ask(self, path: str, method: str) -> dict[str, Any]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=30) as reply:
            answer: dict[str, Any] = json.load(reply)
        return answer


@contextmanager
def mock_server(*options: str, core: int | None = None) -> Iterator[Server]:
    """Run the mock server with these options, on one core where one is named."""
    command = [sys.executable, "-m", "benchmarks.mock_server", *options]
    with pinned(core):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=child_environment())
    assert process.stdout is not None
    try:
        yield Server(port=int(process.stdout.readline()), pid=process.pid)
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


def as_options(**values: object) -> Sequence[str]:
    """Return `--name value` for each value that is given."""
    return [
        part
        for name, value in values.items()
        if value is not None
        for part in (f"--{name.replace('_', '-')}", str(value))
    ]
