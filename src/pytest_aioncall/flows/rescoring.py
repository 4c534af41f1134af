"""Score stored outputs with the scorers of an evalset as it is now: the engine of a run, without a target."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ..adapters.registry import BoundScorer
from ..adapters.text import log_line
from ..engine import Engine, Job
from ..errors import ScorerError
from ..model.baseline import ScorerInfo
from ..model.evalset import Case
from ..model.frozen import canonical_json
from ..model.sample import NOT_RECORDED, Output, Sample, Score
from .cost import CHARACTERS_A_TOKEN, TOKENS_OUT_UNSAID, Estimate, cap_of, price_of
from .evalrun import EvalRun
from .prepare import Prepared
from .stored import Place, StoredTarget
from .wording import progress_text

_REDRAW_S = 0.2
_RUBRIC_CHARACTERS = 4000
"""What instructions and rubric of a judge are taken to be long in an estimate."""

Say = Callable[[str], None]
"""Takes the progress line; an empty one means that it is over."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which scorers score again (`names`), why each of them does, and which ones are no more."""

    names: tuple[str, ...]
    why: Mapping[str, str]
    gone: tuple[str, ...]


@dataclass(slots=True)
class Rescored:
    """The new scores of each stored sample, and what they cost (None: a price is unknown)."""

    scores: dict[Place, tuple[Score, ...]] = field(default_factory=dict)
    cost_usd: float | None = 0.0
    calls: int = 0
    retries: int = 0

    def errors(self) -> list[tuple[Place, Score]]:
        """Return the scores that could not be given."""
        return [(place, s) for place, scores in self.scores.items() for s in scores if s.error]


def scorers_wanted(
    current: Mapping[str, ScorerInfo],
    was: Mapping[str, ScorerInfo],
    *,
    every: bool,
    changed: Callable[[ScorerInfo, ScorerInfo], Sequence[str]],
) -> Wanted:
    """Return the scorers that differ from what judged before, or all of them where `every`."""
    why: dict[str, str] = {}
    for name, info in current.items():
        if name not in was:
            why[name] = "new"
        elif parts := changed(info, was[name]):
            why[name] = "changed: " + "; ".join(parts)
        elif every:
            why[name] = "--all"
    return Wanted(tuple(why), why, tuple(name for name in was if name not in current))


def jobs_for(
    prepared: Prepared,
    outputs: Mapping[Place, Output],
    *,
    wanted: Collection[str],
    cases: Collection[str],
    with_must: Collection[str],
) -> list[Job]:
    """Return a job for each of `cases` that one of the `wanted` scorers applies to.

    `with_must` are the cases whose `must` scorers score again, too. The target of every job answers from
    `outputs`.
    """
    target = StoredTarget(outputs)
    epochs: dict[str, int] = {}
    for case, epoch in outputs:
        epochs[case] = max(epochs.get(case, 0), epoch + 1)
    jobs = []
    for job in prepared.jobs:
        if job.case.id not in cases or job.case.id not in epochs:
            continue
        scorers = tuple(
            s
            for s in job.scorers
            if s.name in wanted or (s.name.startswith("must[") and job.case.id in with_must)
        )
        if scorers:
            jobs.append(replace(job, target=target, scorers=scorers, epochs=epochs[job.case.id]))
    return jobs


def estimate_of(jobs: Sequence[Job], outputs: Mapping[Place, Output], run: EvalRun) -> Estimate:
    """Estimate the calls and the cost of judging stored outputs: rubric, input and answer in, a mark out."""
    settings = run.settings
    if settings.mode == "replay":
        return Estimate()
    answers: dict[str, list[Output]] = {}
    for (case, _), output in outputs.items():
        answers.setdefault(case, []).append(output)
    calls, cost, unpriced = 0, 0.0, dict[str, None]()
    for job in jobs:
        asked = len(canonical_json(job.case.input)) + _RUBRIC_CHARACTERS
        for scorer in job.scorers:
            for model in scorer.traits.models:
                found = answers.get(job.case.id, [])
                calls += len(found)
                price = price_of(model, settings.config)
                if price is None:
                    unpriced[model] = None
                    continue
                tokens_in = sum(asked + len(o.text) for o in found) / CHARACTERS_A_TOKEN
                cost += (tokens_in * price[0] + len(found) * TOKENS_OUT_UNSAID * price[1]) / 1e6
    return Estimate(calls, cost, tuple(unpriced))


def rescore(
    run: EvalRun, jobs: Sequence[Job], outputs: Mapping[Place, Output], *, say: Say | None
) -> Rescored:
    """Run the scorers of `jobs`. Whatever was recorded is kept; nothing else is written.

    Raises UsageError where the estimate is above the cap, ScorerError where the cap stopped it.
    """
    expected = estimate_of(jobs, outputs, run)
    run.budget.limit_usd = cap_of(expected, run.settings, option="--max-cost")
    found = Rescored(calls=expected.calls)
    if say is not None and (line := expected.line(run.budget.limit_usd)):
        say(line + "\n")
    asyncio.run(_rescored(run, jobs, outputs, found, say))
    found.retries = run.retries
    unknown = run.budget.unknown or bool(expected.unpriced)
    found.cost_usd = None if unknown else run.budget.spent_usd
    return found


async def _rescored(
    run: EvalRun,
    jobs: Sequence[Job],
    outputs: Mapping[Place, Output],
    found: Rescored,
    say: Say | None,
) -> None:
    capped: list[str] = []

    def finished(job: Job, samples: list[Sample], _said: str) -> None:
        for sample in samples:
            place = job.case.id, sample.epoch
            if sample.error is not None and sample.error.kind == "cancelled":
                capped.append(job.case.id)
            elif place in outputs:
                found.scores[place] = sample.scores

    engine = run.make_engine(lambda _sample: None)
    engine.progress.total = sum(job.epochs for job in jobs)
    line = asyncio.create_task(_progress(engine, run, say)) if say is not None else None
    try:
        await engine.feed(jobs, finished)
    finally:
        if line is not None:
            line.cancel()
            with suppress(asyncio.CancelledError):
                await line
        await engine.close()
        await run.close_wires()
    if capped:
        raise ScorerError(
            f"the cost cap of ${run.budget.limit_usd:g} was reached, {len(capped)} outputs were not judged; "
            "nothing was written. Raise it with --max-cost"
        )


async def _progress(engine: Engine, run: EvalRun, say: Say) -> None:
    """Tell how far it is, a few times a second."""
    started = time.monotonic()
    progress, budget = engine.progress, run.budget
    try:
        while True:
            await asyncio.sleep(_REDRAW_S)
            rate = progress.done / max(time.monotonic() - started, 1e-6)
            say(
                progress_text(
                    done=progress.done,
                    total=progress.total,
                    rate=rate,
                    cost_usd=budget.spent_usd if budget.seen else None,
                    cost_unknown=budget.unknown,
                    retries=run.retries,
                    errors=progress.errors,
                    eta_s=(progress.total - progress.done) / rate if progress.done else None,
                )
            )
    finally:
        say("")


def refuse_failures(found: Rescored, *, name: str, max_rate: float) -> None:
    """Raise ScorerError where more outputs than the evalset allows could not be judged."""
    errors = found.errors()
    places = {place for place, _ in errors}
    if not errors:
        return
    rate = len(places) / max(1, len(found.scores))
    unrecorded = {place for place, score in errors if (score.error or "").startswith(NOT_RECORDED)}
    if unrecorded:
        raise ScorerError(
            f"{name}: the judge's view of {len(unrecorded)} of {len(found.scores)} outputs was never "
            "recorded; nothing was written. Record it: --record"
        )
    if rate > max_rate:
        (case, epoch), first = errors[0]
        raise ScorerError(
            f"{name}: {len(places)} of {len(found.scores)} outputs could not be judged (limit "
            f"{100 * max_rate:g} %), first {log_line(first.scorer, 60)} on {log_line(case, 80)} epoch "
            f"{epoch}: {log_line(first.error or '', 200)}; nothing was written"
        )


def case_of(prepared: Prepared) -> dict[str, Case]:
    """Return the cases of an evalset by id."""
    return {case.id: case for case in prepared.evalset.cases}


def applying(
    prepared: Prepared, wanted: Collection[str], cases: Collection[str]
) -> dict[str, list[BoundScorer]]:
    """Return which of the `wanted` scorers judge each of `cases`."""
    found: dict[str, list[BoundScorer]] = {}
    for job in prepared.jobs:
        if job.case.id in cases:
            chosen = [s for s in job.scorers if s.name in wanted and isinstance(s, BoundScorer)]
            found[job.case.id] = chosen
    return found
