"""The engine runs every epoch once, bounded, in order, and turns all that goes wrong into values."""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_aioncall.budget import Budget
from pytest_aioncall.engine import Engine, Job, printed
from pytest_aioncall.errors import CassetteMiss, ScorerError, StoreError, TargetError, TransportError
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.model.sample import Output, Sample, Score
from pytest_aioncall.protocols import ScorerTraits

Answer = Callable[[Case, int], Awaitable[Any]]


@dataclass
class Target:
    """A target that answers by a function."""

    by: Answer

    async def answer(self, case: Case, *, epoch: int) -> Output:
        found: Output = await self.by(case, epoch)
        return found

    def fingerprint(self) -> dict[str, Any]:
        return {}


@dataclass
class Opened(Target):
    """A target that is opened and closed; `log` tells of it."""

    log: list[str] = field(default_factory=list)
    name: str = "t"
    refuse: BaseException | None = None
    closing: BaseException | None = None

    async def open(self) -> None:
        self.log.append(f"open {self.name}")
        await asyncio.sleep(0)
        if self.refuse is not None:
            raise self.refuse

    async def close(self) -> None:
        self.log.append(f"close {self.name}")
        if self.closing is not None:
            raise self.closing


@dataclass
class Named:
    """A scorer under its name in the evalset."""

    by: Callable[[Output], Awaitable[Any]]
    name: str = "s"
    traits: ScorerTraits = field(default_factory=ScorerTraits)

    @property
    def scorer(self) -> Named:
        return self

    async def score(self, case: Case, output: Output, *, epoch: int) -> Score:
        found: Score = await self.by(output)
        return found


async def echo(case: Case, epoch: int) -> Output:
    return Output(text=f"{case.id} {epoch}")


def job(
    by: Answer = echo,
    case: str = "c",
    *,
    target: Target | None = None,
    scorers: Sequence[Named] = (),
    epochs: int = 1,
    evalset: str = "e",
    timeout_s: float = 30.0,
) -> Job:
    return Job(evalset, Case(id=case, input=case), target or Target(by), scorers, epochs, timeout_s)


def feed(
    jobs: Sequence[Job], **options: Any
) -> tuple[list[Sample], list[tuple[str, list[Sample], str]], Engine]:
    """Feed all jobs; return what was published, what was finished, and the engine. No task may be left."""
    published: list[Sample] = []
    finished: list[tuple[str, list[Sample], str]] = []

    async def main() -> Engine:
        engine = Engine(
            **{
                "concurrency": 4,
                "publish": published.append,
                "now": lambda: "2026-11-21T00:00:00Z",
                **options,
            }
        )
        try:
            await engine.feed(jobs, lambda j, samples, said: finished.append((j.case.id, samples, said)))
        finally:
            await engine.close()
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, left
        return engine

    return published, finished, asyncio.run(main())


def only(jobs: Sequence[Job], **options: Any) -> Sample:
    samples, _, _ = feed(jobs, **options)
    assert len(samples) == 1
    return samples[0]


class Meter:
    """Counts how many answers are awaited at once."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.order: list[tuple[str, int]] = []

    async def answer(self, case: Case, epoch: int) -> Output:
        self.order.append((case.id, epoch))
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(5):
            await asyncio.sleep(0)
        self.now -= 1
        return Output(text="x")


def test_jobs_and_epochs_start_in_order() -> None:
    meter = Meter()
    feed([job(meter.answer, f"c{n}", epochs=2) for n in range(5)])
    assert meter.order == [(f"c{n}", epoch) for n in range(5) for epoch in range(2)]


@pytest.mark.parametrize("concurrency", [1, 3, 100])
def test_at_most_concurrency_samples_run_at_once(concurrency: int) -> None:
    meter = Meter()
    feed([job(meter.answer, f"c{n}", epochs=2) for n in range(10)], concurrency=concurrency)
    assert meter.most == min(concurrency, 20)


def test_an_evalset_with_a_limit_of_its_own_keeps_to_it() -> None:
    alone, others = Meter(), Meter()
    jobs = [job(alone.answer, f"a{n}", evalset="unsafe") for n in range(4)]
    jobs += [job(others.answer, f"b{n}") for n in range(8)]
    feed(jobs, own_limits={"unsafe": 1})
    assert alone.most == 1
    assert others.most > 1


def test_finished_gets_the_samples_by_epoch_whatever_ended_first() -> None:
    async def later_first(case: Case, epoch: int) -> Output:
        for _ in range(10 - epoch):
            await asyncio.sleep(0)
        return Output(text=str(epoch))

    published, finished, _ = feed([job(later_first, epochs=3)])
    assert [s.epoch for s in published] == [2, 1, 0]
    assert [[s.epoch for s in samples] for _, samples, _ in finished] == [[0, 1, 2]]


def test_a_target_that_hangs_is_a_transport_error_and_the_others_are_unhurt() -> None:
    async def answer(case: Case, epoch: int) -> Output:
        if case.id == "hangs":
            await asyncio.Event().wait()
        return Output(text="x")

    samples, _, _ = feed([job(answer, "hangs", timeout_s=0.05), job(answer, "other", timeout_s=0.05)])
    by_case = {s.case: s for s in samples}
    assert by_case["other"].error is None
    error = by_case["hangs"].error
    assert error is not None
    assert (error.kind, error.type, error.message) == ("transport", "TimeoutError", "no answer within 0.05 s")


def test_a_target_that_swallows_its_time_limit_is_late_all_the_same() -> None:
    async def answer(case: Case, epoch: int) -> Output:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return Output(text="late")

    sample = only([job(answer, timeout_s=0.05)])
    assert sample.output is None
    assert sample.error is not None
    assert sample.error.kind == "transport"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TransportError("gone"), "transport"),
        (TimeoutError("slow"), "transport"),
        (TargetError("odd"), "target"),
        (CassetteMiss("none"), "cassette_miss"),
        (ValueError("theirs"), "user"),
        (SystemExit(3), "user"),
        (asyncio.CancelledError("theirs"), "user"),
        (StopAsyncIteration(), "user"),
    ],
)
def test_what_a_target_raises_is_the_error_of_its_sample(error: BaseException, kind: str) -> None:
    async def answer(case: Case, epoch: int) -> Output:
        if case.id == "bad":
            raise error
        return Output(text="x")

    samples, _, engine = feed([job(answer, "bad"), job(answer, "good")])
    by_case = {s.case: s for s in samples}
    assert by_case["good"].error is None
    found = by_case["bad"].error
    assert found is not None
    assert found.kind == kind
    assert (found.traceback is not None) == (kind == "user")
    assert engine.progress.errors == 1


def test_the_traceback_shows_the_users_frames_only() -> None:
    async def answer(case: Case, epoch: int) -> Output:
        return Output(text=str(1 / 0))

    error = only([job(answer)]).error
    assert error is not None
    assert "test_engine.py" in (error.traceback or "")
    assert 'engine.py", line' not in (error.traceback or "").replace("test_engine.py", "")


@pytest.mark.parametrize("answered", ["text", None, 7, {"text": "x"}])
def test_an_answer_that_is_no_output_is_a_target_error(answered: Any) -> None:
    async def answer(case: Case, epoch: int) -> Any:
        return answered

    error = only([job(answer)]).error
    assert error is not None
    assert error.kind == "target"
    assert "answers an Output" in error.message


def test_an_output_that_cannot_be_stored_is_an_error_of_its_sample() -> None:
    async def answer(case: Case, epoch: int) -> Output:
        return Output.model_construct(text="x", data={"handle": object()} if epoch == 0 else None)

    stored: list[str] = []
    _, _, engine = feed(
        [job(answer, epochs=2)], publish=lambda sample: stored.append(sample.model_dump_json())
    )
    assert len(stored) == 2
    assert '"kind":"target"' in stored[0]
    assert '"error":null' in stored[1]
    assert engine.progress.errors == 1


def test_a_store_that_fails_ends_the_run_with_its_error_and_cancels_the_rest() -> None:
    ended: list[str] = []

    async def answer(case: Case, epoch: int) -> Output:
        if case.id != "first":
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(case.id)
        return Output(text="x")

    def refuse(sample: Sample) -> None:
        raise StoreError("disk full")

    with pytest.raises(StoreError, match="disk full"):
        feed(
            [job(answer, "first"), *(job(answer, f"c{n}") for n in range(50))], publish=refuse, concurrency=3
        )
    assert 2 <= len(ended) <= 3


def test_cancelling_the_feed_cancels_what_is_in_flight_and_leaves_no_task() -> None:
    log: list[str] = []

    async def answer(case: Case, epoch: int) -> Output:
        try:
            await asyncio.Event().wait()
        finally:
            log.append(case.id)
        return Output(text="never")

    async def main() -> None:
        engine = Engine(concurrency=2, publish=lambda s: log.append("published"), now=lambda: "")
        feeding = asyncio.create_task(engine.feed([job(answer, f"c{n}") for n in range(9)], lambda *_: None))
        while not engine._tasks:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        feeding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await feeding
        await engine.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert set(log) == {"c0", "c1"}


# -- money


def priced(cost: float | None, *, replayed: str | None = None, model: str | None = None) -> Answer:
    async def answer(case: Case, epoch: int) -> Output:
        return Output.model_construct(text="x", cost_usd=cost, replayed=replayed, model=model)

    return answer


def test_no_sample_is_started_that_may_pass_the_cap_and_the_refusal_says_how_to_raise_it() -> None:
    samples, _, engine = feed(
        [job(priced(1.0), f"c{n}") for n in range(6)], budget=Budget(limit_usd=2.5), concurrency=1
    )
    asked = [s for s in samples if s.error is None]
    assert len(asked) == 2
    assert engine.budget.spent_usd == 2.0
    refused = samples[-1].error
    assert refused is not None
    assert (refused.kind, refused.type) == ("cancelled", "Budget")
    assert "$2 is spent, and one more sample may cost $1" in refused.message
    assert "--aioncall-max-cost" in refused.message


@pytest.mark.parametrize("concurrency", [1, 4, 32])
@pytest.mark.parametrize("limit", [1.0, 1.05, 2.0])
def test_the_cap_holds_whatever_is_in_flight(concurrency: int, limit: float) -> None:
    """Hard: what is in flight counts before it has told its price, so the cap is never passed."""
    samples, _, engine = feed(
        [job(priced(0.1), f"c{n}") for n in range(40)],
        budget=Budget(limit_usd=limit, expected_usd=0.1),
        concurrency=concurrency,
    )
    assert engine.budget.spent_usd <= limit + 1e-9
    assert sum(s.error is None for s in samples) == int(limit / 0.1 + 1e-9)
    assert engine.budget.in_flight == 0


def test_a_dearer_sample_than_expected_makes_the_next_ones_wait_for_it() -> None:
    """The estimate was too low: from the first answer on, the dearest one counts."""
    samples, _, engine = feed(
        [job(priced(0.5), f"c{n}") for n in range(20)],
        budget=Budget(limit_usd=3.0, expected_usd=0.01),
        concurrency=2,
    )
    assert engine.budget.spent_usd == pytest.approx(3.0)
    assert sum(s.error is None for s in samples) == 6


def test_a_budget_of_nothing_lets_free_answers_through_and_stops_at_the_first_that_costs() -> None:
    free, _, _ = feed([job(priced(0.0), f"c{n}") for n in range(3)], budget=Budget(limit_usd=0.0))
    assert all(s.error is None for s in free)
    dear, _, _ = feed(
        [job(priced(0.1), f"c{n}") for n in range(3)], budget=Budget(limit_usd=0.0), concurrency=1
    )
    assert [s.error is None for s in dear] == [True, False, False]


def test_replayed_answers_spend_nothing() -> None:
    _, _, engine = feed([job(priced(5.0, replayed="2026-01-01"), epochs=3)], budget=Budget(limit_usd=1.0))
    assert (engine.budget.spent_usd, engine.budget.unknown) == (0.0, False)


@pytest.mark.parametrize("cost", [None, math.nan, math.inf, -1.0])
def test_a_cost_that_is_no_amount_is_unknown_and_does_not_disarm_the_cap(cost: float | None) -> None:
    budget = Budget(limit_usd=1.0)
    feed([job(priced(cost, model="p/m"), "odd"), job(priced(2.0), "dear")], budget=budget, concurrency=1)
    assert budget.unknown
    assert budget.exhausted


def test_an_answer_of_no_model_has_no_cost_to_know() -> None:
    plain, free = Budget(), Budget()
    feed([job(priced(None))], budget=plain)
    feed([job(priced(0.0, model="local/m"))], budget=free)
    assert (plain.seen, plain.unknown) == (False, False)
    assert (free.seen, free.unknown) == (True, False)


# -- opening and closing


def test_a_target_is_opened_once_before_its_first_answer_and_closed_in_reverse() -> None:
    log: list[str] = []
    first, second = Opened(echo, log, "first"), Opened(echo, log, "second")
    feed([job(target=t, case=f"{t.name}{n}", epochs=2) for t in (first, second) for n in range(3)])
    assert log == ["open first", "open second", "close second", "close first"]


@pytest.mark.parametrize("refuse", [RuntimeError("no model"), SystemExit(3), TransportError("no server")])
def test_a_target_that_cannot_be_opened_is_the_error_of_every_sample(refuse: BaseException) -> None:
    target = Opened(echo, refuse=refuse)
    samples, _, _ = feed([job(target=target, case=f"c{n}") for n in range(5)])
    assert {s.error.type if s.error else None for s in samples} == {type(refuse).__name__}
    assert target.log == ["open t"]


def test_a_target_that_fails_to_close_does_not_keep_the_others_open() -> None:
    log: list[str] = []
    first = Opened(echo, log, "first")
    second = Opened(echo, log, "second", closing=RuntimeError("no"))
    third = Opened(echo, log, "third", closing=SystemExit(1))
    feed([job(target=t, case=t.name) for t in (first, second, third)])
    assert log[-3:] == ["close third", "close second", "close first"]


# -- scorers


async def good(output: Output) -> Score:
    return Score(scorer="", value=1.0, passed=True)


def scored(by: Callable[[Output], Awaitable[Any]], **traits: Any) -> Score:
    sample = only([job(scorers=[Named(by, traits=ScorerTraits(**traits))], timeout_s=0.05)])
    assert sample.error is None
    assert len(sample.scores) == 1
    return sample.scores[0]


def test_a_score_carries_the_name_and_scale_of_its_evalset() -> None:
    score = scored(good, scale=(0.0, 5.0))
    assert (score.scorer, score.scale, score.value) == ("s", (0.0, 5.0), 1.0)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (math.nan, "nan"),
        (math.inf, "inf"),
        (1.5, "outside its scale 0..1"),
        (-0.1, "outside its scale 0..1"),
        (None, "neither a value nor an error"),
        ("high", "TypeError"),
    ],
)
def test_a_value_that_is_no_value_is_an_error_never_a_score(value: Any, told: str) -> None:
    async def score(output: Output) -> Score:
        return Score.model_construct(
            scorer="s", scale=(0.0, 1.0), value=value, passed=None, label=None, reason="why", error=None
        )

    found = scored(score)
    assert found.value is None
    assert told in (found.error or "")


@pytest.mark.parametrize("returned", [None, 1.0, True, "good", {"value": 1}])
def test_a_scorer_that_returns_no_score_is_an_error(returned: Any) -> None:
    async def score(output: Output) -> Any:
        return returned

    assert "a scorer returns a Score" in (scored(score).error or "")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ScorerError("cannot say"), "cannot say"),
        (TransportError("judge is down"), "judge is down"),
        (CassetteMiss("key"), "not recorded: key"),
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
        (TimeoutError("its own"), "TimeoutError: its own"),
        (SystemExit(2), "SystemExit: 2"),
        (asyncio.CancelledError(), "CancelledError"),
        (ScorerError(""), "ScorerError"),
    ],
)
@pytest.mark.parametrize("deterministic", [True, False])
def test_what_a_scorer_raises_is_the_error_of_its_score(
    error: BaseException, told: str, *, deterministic: bool
) -> None:
    async def score(output: Output) -> Score:
        raise error

    found = scored(score, deterministic=deterministic)
    assert found.value is None
    assert told in (found.error or "")


@pytest.mark.parametrize("deterministic", [True, False])
def test_a_scorer_that_hangs_is_an_error_and_the_run_goes_on(*, deterministic: bool) -> None:
    async def score(output: Output) -> Score:
        await asyncio.Event().wait()
        return Score(scorer="")

    assert scored(score, deterministic=deterministic).error == "no score within 0.05 s"


def test_judges_of_one_sample_are_asked_at_the_same_time() -> None:
    both = asyncio.Barrier(2)

    async def meets(output: Output) -> Score:
        await both.wait()
        return Score(scorer="", value=1.0)

    judges = [Named(meets, name, ScorerTraits(deterministic=False)) for name in ("one", "two")]
    sample = only([job(scorers=[Named(good, "first"), *judges], timeout_s=5)])
    assert [(s.scorer, s.error) for s in sample.scores] == [("first", None), ("one", None), ("two", None)]


def test_a_failed_answer_is_not_scored() -> None:
    async def answer(case: Case, epoch: int) -> Output:
        raise ValueError("no")

    assert only([job(answer, scorers=[Named(good)])]).scores == ()


# -- what user code prints


def test_prints_stay_with_their_case() -> None:
    async def answer(case: Case, epoch: int) -> Output:
        said = printed.get()
        assert said is not None
        said.append(f"{case.id}.")
        await asyncio.sleep(0)
        said.append(f"{case.id}!")
        return Output(text="x")

    _, finished, _ = feed([job(answer, f"c{n}") for n in range(6)])
    assert {case: said for case, _, said in finished} == {f"c{n}": f"c{n}.c{n}!" for n in range(6)}
    assert printed.get() is None


def test_secrets_are_taken_out_before_a_sample_is_published() -> None:
    def redact(sample: Sample) -> Sample:
        return sample.model_copy(update={"output": Output(text="clean")})

    samples, finished, _ = feed([job()], redact=redact)
    assert samples[0].output == Output(text="clean")
    assert finished[0][1] == samples


def test_importing_the_engine_brings_no_pytest_plugin_and_no_numpy() -> None:
    import subprocess

    code = (
        "import sys, pytest_aioncall.engine\n"
        "assert not {'numpy', 'pytest_aioncall.plugin', 'httpx'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
