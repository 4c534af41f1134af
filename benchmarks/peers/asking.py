"""What every Python tool here shares: the cases, the arguments, one HTTP client to the made-up server."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.items import judge_prompt


@dataclass(frozen=True)
class Work:
    """What was asked for on the command line."""

    cases: Sequence[dict[str, Any]]
    url: str
    concurrency: int
    judge: bool


def read_work() -> Work:
    """Read `CASES URL CONCURRENCY [--judge]`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", type=Path)
    parser.add_argument("url")
    parser.add_argument("concurrency", type=int)
    parser.add_argument("--judge", action="store_true")
    given = parser.parse_args()
    cases = [json.loads(line) for line in given.cases.read_text(encoding="utf-8").splitlines()]
    return Work(cases, given.url, given.concurrency, given.judge)


class Model:
    """A chat model over httpx, as a user of these tools would call it."""

    def __init__(self, url: str, concurrency: int) -> None:
        limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        self._client = httpx.AsyncClient(limits=limits, timeout=60)
        self._url = f"{url}/chat/completions"

    async def ask(self, prompt: str, *, model: str = "mock-1") -> str:
        asked = {"model": model, "messages": [{"role": "user", "content": prompt}]}
        reply = await self._client.post(self._url, json=asked)
        text: str = reply.raise_for_status().json()["choices"][0]["message"]["content"]
        return text

    async def holds(self, answer: str, expected: str) -> bool:
        """Ask the judge about one answer."""
        return bool(json.loads(await self.ask(judge_prompt(answer, expected), model="judge-1"))["pass"])


def say(right: int) -> None:
    """Print the count that the bench reads."""
    print(json.dumps({"right": right}))
