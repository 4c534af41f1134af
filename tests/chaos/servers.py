"""Model servers that others wrote, as processes of their own on this machine: llmock and aimock."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
AIMOCK = Path("node_modules/@copilotkit/aimock/dist/cli.js")
READY_S = 60.0
# A proxy of the environment has no business between a test and this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Missing(Exception):
    """A server that cannot be started here, and what is missing."""


@dataclass(frozen=True)
class OtherServer:
    """A running server: where it is, and how it is told what to do and asked what it saw."""

    url: str

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, {"content-type": "application/json"}, method=method
        )
        with _OPENER.open(request, timeout=30) as reply:
            return json.loads(reply.read() or b"null")


class LlmockServer(OtherServer):
    """github.com/JulienRabault/LLMock: behaviours are queued, each for the requests of one model."""

    def address(self, kind: str) -> str:
        return f"{self.url}/anthropic" if kind == "anthropic" else f"{self.url}/v1"

    def script(self, model: str, behaviours: Any, *, once: bool, then: str) -> None:
        """Queue `behaviours` for `model`: for one request and then the text `then`, or for all."""
        listed = behaviours if isinstance(behaviours, list) else [behaviours]
        times = 1 if once else None
        queued = [{**one, "times": times, "match": {"model": model}} for one in listed]
        if once:
            queued.append({"type": "reply", "text": then, "times": None, "match": {"model": model}})
        self.call("POST", "/_llmock/scenario", {"behaviors": queued})

    def seen(self, model: str) -> int:
        return sum(one["model"] == model for one in self.call("GET", "/_llmock/requests")["requests"])


class AimockServer(OtherServer):
    """github.com/CopilotKit/aimock: fixtures, each matched by the model that is asked."""

    def address(self, kind: str) -> str:
        return self.url if kind == "anthropic" else f"{self.url}/v1"

    def script(self, model: str, said: Mapping[str, Any], *, once: bool, then: str) -> None:
        """Add fixtures for `model`: for one request and then the text `then`, or for all."""
        if said.get("unmatched"):
            return  # it answers 404 to what it has no fixture for
        outer = {"chaos", "latency"}
        fixture: dict[str, Any] = {name: value for name, value in said.items() if name in outer}
        fixture["match"] = {"model": model, **({"sequenceIndex": 0} if once else {})}
        fixture["response"] = {k: v for k, v in said.items() if k not in outer} or {"content": then}
        after = {"match": {"model": model}, "response": {"content": then}}
        self.call("POST", "/__aimock/fixtures", {"fixtures": [fixture, after]})

    def seen(self, model: str) -> int:
        journal = self.call("GET", "/__aimock/journal")
        return sum((one.get("body") or {}).get("model") == model for one in journal)


@contextmanager
def running(command: Callable[[int], Sequence[str]], *, health: str, log: Path) -> Iterator[str]:
    """Run a server on a free port from when it is healthy; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command(port), stdout=stream, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(process, url + health, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while True:
        try:
            with _OPENER.open(url, timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError as error:
            said = log.read_text(errors="replace")[-2000:]
            if process.poll() is not None:
                raise RuntimeError(f"{url} ended with {process.returncode}: {said}") from error
            if time.monotonic() > deadline:
                raise RuntimeError(f"{url} is not ready after {READY_S:g} s: {error}; {said}") from error
        time.sleep(0.05)


@contextmanager
def llmock(log: Path, *options: str) -> Iterator[LlmockServer]:
    """Run llmock; Missing where it is not installed."""
    import importlib.util

    if importlib.util.find_spec("llmock") is None:
        raise Missing("llmock is not installed; pip install -e '.[dev]' -c constraints.txt")

    def command(port: int) -> list[str]:
        start = "import sys; from llmock.cli import app; sys.exit(app())"
        return [sys.executable, "-c", start, "serve", "--port", str(port), "--log-level", "warning", *options]

    with running(command, health="/health", log=log) as url:
        yield LlmockServer(url)


@contextmanager
def aimock(log: Path) -> Iterator[AimockServer]:
    """Run aimock; Missing where node or the package is not there."""
    node = shutil.which("node")
    if node is None:
        raise Missing("node is not installed, and aimock needs it (20 or newer)")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").partition(".")[0]) < 20:
        raise Missing(f"node is {version}, and aimock needs 20 or newer")
    folder = Path(os.environ.get("AIONCALL_TEST_NODE", ROOT / ".venv-node"))
    if not (folder / AIMOCK).is_file():
        raise Missing(f"@copilotkit/aimock is not in {folder}; run: make aimock")

    def command(port: int) -> list[str]:
        return [node, str(folder / AIMOCK), "-p", str(port), "-f", str(log.parent), "--log-level", "warn"]

    with running(command, health="/health", log=log) as url:
        yield AimockServer(url)
