"""The work by pytest-evals: one test a case, one after the other, as pytest runs tests."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.items import judge_prompt

CASES = [json.loads(line) for line in Path("cases.jsonl").read_text(encoding="utf-8").splitlines()]
URL, JUDGE = os.environ["BENCH_URL"], bool(os.environ.get("BENCH_JUDGE"))
client = httpx.Client(timeout=60)


def ask(model: str, prompt: str) -> str:
    asked = {"model": model, "messages": [{"role": "user", "content": prompt}]}
    text: str = client.post(URL, json=asked).raise_for_status().json()["choices"][0]["message"]["content"]
    return text


@pytest.mark.eval(name="bench")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_case(case: dict[str, Any], eval_bag: Any) -> None:
    answer = ask("mock-1", case["input"]["question"])
    eval_bag.right = case["expected"] in answer
    if JUDGE:
        verdict = json.loads(ask("judge-1", judge_prompt(answer, case["expected"])))
        eval_bag.right = eval_bag.right and verdict["pass"]


@pytest.mark.eval_analysis(name="bench")
def test_all(eval_results: Any) -> None:
    Path("right.json").write_text(json.dumps({"right": sum(one.result.right for one in eval_results)}))
