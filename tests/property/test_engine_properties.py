"""Whatever targets and scorers do, every (case, epoch) is published exactly once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_aioncall.budget import Budget
from pytest_aioncall.engine import Engine, Job
from pytest_aioncall.errors import ScorerError, TargetError, TransportError
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.model.sample import Output, Sample, Score
from pytest_aioncall.protocols import ScorerTraits

Deed = Literal["answer", "transport", "target", "user", "exit", "cancelled", "nonsense", "unscored"]
DEEDS: tuple[Deed, ...] = (
    "answer", "transport", "target", "user", "exit", "cancelled", "nonsense", "unscored"
)  # fmt: skip
RAISED: dict[str, BaseException] = {
    "transport": TransportError("gone"),
    "target": TargetError("odd"),
    "user": ValueError("theirs"),
    "exit": SystemExit(1),
    "cancelled": asyncio.CancelledError(),
}
KINDS = {"transport": "transport", "target": "target", "user": "user", "exit": "user", "cancelled": "user",
         "nonsense": "target"}  # fmt: skip
Plan = dict[tuple[str, int], tuple[Deed, int]]


@dataclass
class Planned:
    """A target, and a scorer, that do what a plan says of each (case, epoch) after so many turns."""

    plan: Plan
    name: str = "s"
    traits: ScorerTraits = ScorerTraits()  # noqa: RUF009 - frozen

    @property
    def scorer(self) -> Planned:
        return self

    async def answer(self, case: Case, *, epoch: int) -> Output:
        deed, turns = self.plan[case.id, epoch]
        for _ in range(turns):
            await asyncio.sleep(0)
        if deed in RAISED:
            raise type(RAISED[deed])(*RAISED[deed].args)
        odd: Any = "nonsense" if deed == "nonsense" else Output(text=deed, cost_usd=1.0)
        found: Output = odd
        return found

    async def score(self, case: Case, output: Output, *, epoch: int) -> Score:
        if output.text == "unscored":
            raise ScorerError("cannot say")
        return Score(scorer="", value=1.0)

    def fingerprint(self) -> Mapping[str, Any]:
        return {}


plans = st.tuples(
    st.integers(1, 6),
    st.integers(1, 4),
    st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 6)), min_size=24, max_size=24),
)


@settings(max_examples=60, deadline=None)
@given(plans, st.integers(1, 8), st.none() | st.integers(1, 2), st.none() | st.integers(1, 10))
def test_every_sample_is_published_once_with_what_happened_to_it(
    drawn: tuple[int, int, list[tuple[Deed, int]]], concurrency: int, own: int | None, cap: int | None
) -> None:
    cases, epochs, deeds = drawn
    keys = [(f"c{n}", epoch) for n in range(cases) for epoch in range(epochs)]
    plan: Plan = dict(zip(keys, deeds, strict=False))
    pieces = Planned(plan)
    published: list[Sample] = []
    finished: list[str] = []

    async def main() -> Engine:
        engine = Engine(
            concurrency=concurrency,
            publish=published.append,
            now=lambda: "",
            budget=Budget(limit_usd=cap),
            own_limits={"e": own} if own else {},
        )
        jobs = [Job("e", Case(id=f"c{n}", input=n), pieces, [pieces], epochs, 30.0) for n in range(cases)]
        await engine.feed(jobs, lambda job, samples, _: finished.append(job.case.id))
        await engine.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return engine

    engine = asyncio.run(main())
    assert Counter((s.case, s.epoch) for s in published) == Counter(keys)
    assert sorted(finished) == sorted({case for case, _ in keys})
    assert engine.progress.done == len(keys)
    for sample in published:
        deed, _ = plan[sample.case, sample.epoch]
        if sample.error is not None and sample.error.kind == "cancelled":
            assert cap is not None
            assert engine.budget.spent_usd >= cap
            continue
        assert (sample.error.kind if sample.error else None) == KINDS.get(deed)
        assert (sample.output is None) == (deed in KINDS)
        if sample.output is not None:
            assert (sample.scores[0].error is not None) == (deed == "unscored")
