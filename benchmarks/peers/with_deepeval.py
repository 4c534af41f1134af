"""The work by deepeval: answers from a pool of workers, then `evaluate()` with metrics, its cache off."""

from __future__ import annotations

import asyncio
import os

os.environ |= {
    "DEEPEVAL_TELEMETRY_OPT_OUT": "YES",
    "DEEPEVAL_RESULTS_FOLDER": "",
    "DEEPEVAL_UPDATE_WARNING_OPT_OUT": "YES",
}

from benchmarks.peers.asking import Model, read_work, say
from deepeval import evaluate
from deepeval.evaluate import AsyncConfig, CacheConfig, DisplayConfig
from deepeval.metrics import BaseMetric
from deepeval.test_case import LLMTestCase

work = read_work()


class Contains(BaseMetric):
    """deepeval has no such metric of its own; this is how its pages say to write one."""

    threshold = 1.0
    async_mode = True
    error = None

    def measure(self, test_case: LLMTestCase, *_: object, **__: object) -> float:
        self.score = float(test_case.expected_output in test_case.actual_output)
        self.success = self.score >= self.threshold
        return self.score

    async def a_measure(self, test_case: LLMTestCase, *_: object, **__: object) -> float:
        return self.measure(test_case)

    def is_successful(self) -> bool:
        return self.success

    @property
    def __name__(self) -> str:
        return "Contains"


class Judge(Contains):
    async def a_measure(self, test_case: LLMTestCase, *_: object, **__: object) -> float:
        # `evaluate` has a loop of its own, and a client belongs to one loop.
        judge = _judge_of(asyncio.get_running_loop())
        self.score = float(await judge.holds(test_case.actual_output, test_case.expected_output))
        self.success = self.score >= self.threshold
        return self.score

    @property
    def __name__(self) -> str:
        return "Judge"


judges: dict[object, Model] = {}


def _judge_of(loop: object) -> Model:
    if loop not in judges:
        judges[loop] = Model(work.url, work.concurrency)
    return judges[loop]


async def answers() -> list[str]:
    model, found = Model(work.url, work.concurrency), [""] * len(work.cases)
    left = iter(enumerate(work.cases))

    async def worker() -> None:
        for number, one in left:
            found[number] = await model.ask(one["input"]["question"])

    await asyncio.gather(*(worker() for _ in range(work.concurrency)))
    return found


cases = [
    LLMTestCase(input=one["input"]["question"], actual_output=answer, expected_output=one["expected"])
    for one, answer in zip(work.cases, asyncio.run(answers()), strict=True)
]
result = evaluate(
    cases,
    [Contains(), *([Judge()] if work.judge else [])],
    async_config=AsyncConfig(run_async=True, max_concurrent=work.concurrency, throttle_value=0),
    cache_config=CacheConfig(use_cache=False, write_cache=False),
    display_config=DisplayConfig(print_results=False, show_indicator=False),
)
say(sum(one.success for one in result.test_results))
