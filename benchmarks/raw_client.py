"""Ask a server about every case: `python -m benchmarks.raw_client KIND CASES URL CONCURRENCY`.

This is the floor that a tool can reach in Python with the same HTTP library: read the cases, a pool of
workers over one client, look for the expected code in each reply. No store, no report, no retries.
`--judge` asks a judge about each answer, too. KIND is httpx, httpx2, aiohttp, or httpx-aiohttp (httpx with
the transport of aiohttp).
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.items import judge_prompt

KINDS = ("httpx", "httpx2", "aiohttp", "httpx-aiohttp")
Post = Callable[[str, Any], Awaitable[Any]]
"""Sends JSON to a URL and returns the JSON of the reply."""


@asynccontextmanager
async def httpx_post(kind: str, concurrency: int) -> AsyncIterator[Post]:
    """Post with httpx or its continuation, or with httpx over another transport."""
    library = importlib.import_module("httpx2" if kind == "httpx2" else "httpx")
    limits = library.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    settings: dict[str, Any] = {"limits": limits}
    if kind == "httpx-aiohttp":
        settings = {"transport": importlib.import_module("httpx_aiohttp").AiohttpTransport(limits=limits)}
    async with library.AsyncClient(timeout=60, **settings) as client:

        async def post(url: str, asked: Any) -> Any:
            reply = await client.post(url, json=asked)
            return reply.raise_for_status().json()

        yield post


@asynccontextmanager
async def aiohttp_post(concurrency: int) -> AsyncIterator[Post]:
    """Post with aiohttp itself."""
    aiohttp = importlib.import_module("aiohttp")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:

        async def post(url: str, asked: Any) -> Any:
            async with session.post(url, json=asked, raise_for_status=True) as reply:
                return await reply.json()

        yield post


async def work(cases: Iterator[dict[str, Any]], post: Post, url: str, *, judge: bool) -> int:
    """Ask about cases until none is left; return how many replies held the expected code."""
    right = 0

    async def ask(model: str, prompt: str) -> str:
        reply = await post(url, {"model": model, "messages": [{"role": "user", "content": prompt}]})
        text: str = reply["choices"][0]["message"]["content"]
        return text

    for case in cases:
        answer = await ask("mock-1", case["input"]["question"])
        holds = case["expected"] in answer
        if judge:
            verdict = json.loads(await ask("judge-1", judge_prompt(answer, case["expected"])))
            holds = holds and verdict["pass"]
        right += holds
    return right


async def run(kind: str, path: Path, url: str, *, concurrency: int, judge: bool) -> int:
    """Ask about all cases of a file with a pool of workers; return how many were answered rightly."""
    cases = iter([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])
    posting = aiohttp_post(concurrency) if kind == "aiohttp" else httpx_post(kind, concurrency)
    async with posting as post:
        return sum(await asyncio.gather(*(work(cases, post, url, judge=judge) for _ in range(concurrency))))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("cases", type=Path)
    parser.add_argument("url")
    parser.add_argument("concurrency", type=int)
    parser.add_argument("--judge", action="store_true")
    given = parser.parse_args()
    right = asyncio.run(
        run(given.kind, given.cases, given.url, concurrency=given.concurrency, judge=given.judge)
    )
    print(json.dumps({"right": right}))


if __name__ == "__main__":
    main()
