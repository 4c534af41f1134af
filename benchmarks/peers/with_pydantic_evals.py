"""The work by pydantic-evals: `Dataset.evaluate` with its own Contains, and one that asks the judge."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from benchmarks.peers.asking import Model, read_work, say
from pydantic_evals import Case, Dataset
from pydantic_evals.evaluators import Contains, Evaluator, EvaluatorContext

work = read_work()
model = Model(work.url, work.concurrency)


@dataclass
class Judge(Evaluator):
    async def evaluate(self, ctx: EvaluatorContext) -> bool:
        return await model.holds(ctx.output, ctx.expected_output)


async def main() -> None:
    cases = [
        Case(
            name=one["id"],
            inputs=one["input"]["question"],
            expected_output=one["expected"],
            metadata=one["slices"],
            evaluators=(Contains(value=one["expected"]),),
        )
        for one in work.cases
    ]
    evals = Dataset(name="bench", cases=cases, evaluators=[Judge()] if work.judge else [])
    report = await evals.evaluate(model.ask, max_concurrency=work.concurrency, progress=False)
    say(sum(all(found.value for found in case.assertions.values()) for case in report.cases))


asyncio.run(main())
