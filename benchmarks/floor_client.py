"""Ask the mock server about every case with a bare httpx client: `floor_client.py CASES URL CONCURRENCY`.

This is the floor that a tool can reach in Python with the same HTTP library: read the cases, a pool of
workers over one client, look for the expected code in each reply. No store, no report, no retries.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx


async def work(cases: Iterator[dict[str, Any]], client: httpx.AsyncClient, url: str) -> int:
    """Ask about cases until none is left; return how many replies held the expected code."""
    right = 0
    for case in cases:
        asked = {"model": "mock", "messages": [{"role": "user", "content": case["input"]["question"]}]}
        reply = await client.post(url, json=asked)
        right += case["expected"] in reply.raise_for_status().json()["choices"][0]["message"]["content"]
    return right


async def main(path: Path, url: str, concurrency: int) -> None:
    cases = iter([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:
        right = sum(await asyncio.gather(*(work(cases, client, url) for _ in range(concurrency))))
    print(f"{right} right")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
