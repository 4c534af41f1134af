"""Who takes part: bare clients, pytest-aioncall itself, and other tools; each does the same honest work."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from benchmarks.meter import Cost
from benchmarks.project import CONCURRENCY, count_passed, lay_project, plugin_command
from benchmarks.raw_client import KINDS
from benchmarks.serving import Server

RAW = "raw httpx"
OURS = "pytest-aioncall"
OURS_FAST = "pytest-aioncall[speed]"


@dataclass(frozen=True, slots=True)
class Bout:
    """One piece of work: ask the server about `count` cases, with a judge call each or without."""

    folder: Path
    count: int
    judge: bool
    server: Server

    @property
    def cases(self) -> Path:
        """The file of the cases."""
        return self.folder / "cases.jsonl"


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who does it.

    command  what is measured, start-up included; it runs in the folder of the bout
    right    how many cases were found right, from what it printed or left
    missing  why it cannot take part here, None where it can
    most     cases beyond which it is not run, as it takes too long (`slow` says why)
    """

    name: str
    command: Callable[[Bout], Sequence[str]]
    right: Callable[[Bout, Cost], int]
    missing: Callable[[], str | None]
    env: Mapping[str, str] = field(default_factory=dict)
    exits: tuple[int, ...] = (0,)
    most: int = 100_000
    slow: str = ""


def prepare(bout: Bout) -> None:
    """Write the cases and the project that every client finds in the folder."""
    lay_project(bout.folder, count=bout.count, base_url=bout.server.base_url, judge=bout.judge)


def printed_right(_: Bout, cost: Cost) -> int:
    """Return the count in the last line that a client printed, `{"right": 947}`."""
    lines = [line for line in cost.output.splitlines() if line.startswith('{"right"')]
    right: int = json.loads(lines[-1])["right"]
    return right


def worker(module: str, *arguments: str, python: str = sys.executable) -> Callable[[Bout], list[str]]:
    """Return the command of a module that takes cases, URL, concurrency and perhaps --judge."""

    def command(bout: Bout) -> list[str]:
        url = bout.server.base_url if "peers" in module else bout.server.chat_url
        given = [*arguments, str(bout.cases), url, str(CONCURRENCY)]
        return [python, "-m", module, *given, *(["--judge"] if bout.judge else [])]

    return command


def raw_clients() -> list[Client]:
    """Return a bare client for each HTTP library."""
    return [
        Client(
            name=f"raw {kind}",
            command=worker("benchmarks.raw_client", kind),
            right=printed_right,
            missing=lambda kind=kind: _not_found(kind.replace("-", "_")),  # type: ignore[misc]
        )
        for kind in KINDS
    ]


def ours() -> list[Client]:
    """Return pytest-aioncall over httpx, and with its extra for speed."""

    def command(_: Bout) -> list[str]:
        return plugin_command()

    def right(bout: Bout, _: Cost) -> int:
        return count_passed(bout.folder)

    def over(http_client: str) -> dict[str, str]:
        return {"AIONCALL_HTTP_CLIENT": http_client}

    return [
        Client(OURS, command, right, missing=lambda: None, env=over("httpx")),
        Client(OURS_FAST, command, right, missing=lambda: _not_found("httpx_aiohttp"), env=over("aiohttp")),
    ]


def _not_found(module: str) -> str | None:
    return None if find_spec(module) else "not installed (extra `bench`)"
