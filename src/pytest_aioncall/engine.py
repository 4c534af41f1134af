"""EXECUTION: a Case becomes Samples.

Knows no pytest, no thread and no disk. Everything here runs on one event loop; errors are values: nothing
that a target or a scorer raises leaves `Engine.feed`, except KeyboardInterrupt. What `publish` raises does:
answers that cannot be kept are not worth asking for.
"""

from __future__ import annotations

import asyncio
import math
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from .budget import Budget, Progress
from .deadlines import Deadline, Deadlines
from .deadlines import standing_still as standing_still
from .errors import CassetteMiss, NotMeasured, ScorerError, TargetError, TransportError
from .model.evalset import Case
from .model.sample import NOT_RECORDED, Output, Sample, SampleError, Score
from .protocols import Lifecycle, Scorer, ScorerTraits, Target

CLOSE_S = 5.0
"""How long a target may take to close, and what is cancelled to end, before they are passed over."""

printed: ContextVar[list[str] | None] = ContextVar("aioncall_printed", default=None)
"""Where text that user code prints while it works on a sample is kept (None: not inside a sample)."""

retried: ContextVar[list[int] | None] = ContextVar("aioncall_retried", default=None)
"""How often network calls of a sample were tried again, as the one item of a list."""


Finished = Callable[["Job", list[Sample], str], None]
"""Called on the loop with a job, its samples by epoch, and what user code printed meanwhile."""


class NamedScorer(Protocol):
    """A scorer as an evalset uses it: its name there, and what is known of it before it runs."""

    @property
    def name(self) -> str: ...
    @property
    def scorer(self) -> Scorer: ...
    @property
    def traits(self) -> ScorerTraits: ...


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One case ready to run: `scorers` holds those that apply, the case's `must` scorers among them.

    Its epochs are numbered from `first` on: a later round draws more of a case that has some already.
    """

    evalset: str
    case: Case
    target: Target
    scorers: Sequence[NamedScorer]
    epochs: int
    timeout_s: float
    first: int = 0


class Engine:
    """Run jobs at most `concurrency` samples at a time.

    `publish` is called on the loop with the samples of each finished epoch, after `redact`.
    `now` returns the time as RFC 3339. `own_limits[evalset]` is a lower limit for one evalset.
    `recall` returns the sample that a resumed run has of (job, epoch): it is neither asked nor published.
    """

    def __init__(
        self,
        *,
        concurrency: int,
        publish: Callable[[Sample], None],
        now: Callable[[], str],
        redact: Callable[[Sample], Sample] = lambda sample: sample,
        budget: Budget | None = None,
        own_limits: dict[str, int] | None = None,
        recall: Callable[[Job, int], Sample | None] | None = None,
    ) -> None:
        self.budget = budget or Budget()
        self.progress = Progress()
        self._slots = asyncio.Semaphore(concurrency)
        self._own_slots = {name: asyncio.Semaphore(n) for name, n in (own_limits or {}).items()}
        self._publish = publish
        self._now = now
        self._redact = redact
        self._recall = recall
        self._tasks: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None
        self._opening: dict[int, asyncio.Task[BaseException | None]] = {}
        self._opened: list[Lifecycle] = []
        self._open_already: set[int] = set()
        self._deadlines = Deadlines()

    async def feed(
        self,
        jobs: AsyncIterator[Job] | Iterable[Job],
        finished: Finished,
    ) -> None:
        """Start the epochs of each job in order as slots come free; call `finished` when a job has all.

        Returns when every job that was taken is finished. Cancelling it cancels what is in flight; so does
        a `publish` or `finished` that raises, and its error is raised here.
        """
        feeder = asyncio.current_task()

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            error = None if task.cancelled() else task.exception()
            if error is not None and self._broken is None and feeder is not None:
                self._broken = error
                feeder.cancel()

        try:
            if isinstance(jobs, AsyncIterator):
                async for job in jobs:
                    await self._start(job, finished, ended)
            else:
                for job in jobs:
                    await self._start(job, finished, ended)
            while self._tasks:
                await asyncio.wait(self._tasks)
            # What ended last may have broken: its cancellation arrives at the next await.
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            if self._broken is None or feeder is None:
                raise
            feeder.uncancel()
            raise self._broken from None
        finally:
            await _cancelled(self._tasks)

    async def run(self, job: Job) -> list[Sample]:
        """Run one job by itself and return its samples by epoch."""
        done: list[Sample] = []
        await self.feed([job], lambda _job, samples, _said: done.extend(samples))
        return done

    async def close(self) -> None:
        """Close the targets that were opened, last first; one that fails or hangs is passed over."""
        await _cancelled(self._opening.values())
        for target in reversed(self._opened):
            with suppress(Exception, SystemExit):
                async with asyncio.timeout(CLOSE_S):
                    await target.close()
        self._opened.clear()

    async def _start(self, job: Job, finished: Finished, ended: Callable[[asyncio.Task[None]], None]) -> None:
        results: list[Sample | None] = [None] * job.epochs
        said: list[str] = []
        left = job.epochs
        own = self._own_slots.get(job.evalset)
        for epoch in range(job.epochs):
            kept = self._recall(job, job.first + epoch) if self._recall is not None else None
            if kept is not None:
                results[epoch] = kept
                left -= 1
                if not left:
                    finished(job, [s for s in results if s is not None], "".join(said))
                continue
            if own is not None:
                await own.acquire()
            await self._slots.acquire()
            paid_for = await self._admitted()

            async def one(epoch: int = epoch, paid_for: bool = paid_for) -> None:
                nonlocal left
                try:
                    sample = await self._sample(job, job.first + epoch, said, paid_for=paid_for)
                finally:
                    self._slots.release()
                    if own is not None:
                        own.release()
                results[epoch] = self._keep(sample)
                left -= 1
                if not left:
                    finished(job, [s for s in results if s is not None], "".join(said))

            task = asyncio.create_task(one())
            self._tasks.add(task)
            task.add_done_callback(ended)

    async def _admitted(self) -> bool:
        """Wait until one more sample stays under the cap whatever those in flight cost; False: none can."""
        while not self.budget.may_start():
            if not self.budget.in_flight:
                return False
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        self.budget.start()
        return True

    def _keep(self, sample: Sample) -> Sample:
        """Publish a sample without its secrets; one that cannot be written as JSON becomes an error."""
        try:
            kept = self._redact(sample)
            self._publish(kept)
        except (TypeError, ValueError, RecursionError) as error:
            told = SampleError(kind="target", type="Output", message=f"cannot be stored: {_one_line(error)}")
            kept = sample.model_copy(update={"output": None, "scores": (), "error": told})
            self._publish(kept)
        progress = self.progress
        progress.done += 1
        if kept.error is not None or any(score.error for score in kept.scores):
            progress.errors += 1
        return kept

    async def _sample(self, job: Job, epoch: int, said: list[str], *, paid_for: bool) -> Sample:
        case = job.case
        started_at = self._now()
        output: Output | None = None
        error: SampleError | None = None
        scores: tuple[Score, ...] = ()
        again = [0]
        if not paid_for:
            error = SampleError(kind="cancelled", type="Budget", message=self.budget.why_stopped)
        else:
            # Each sample runs in a task of its own, so this is never seen by another one.
            printed.set(said)
            retried.set(again)
            spent = 0.0
            try:
                output, error, spent = await self._answer(job, epoch)
                if output is not None:
                    scores = await self._scores(job, output, epoch)
                    spent += sum(self.budget.add(s.cost_usd) for s in scores if s.cost_usd is not None)
            finally:
                self.budget.settle(spent)
        return Sample.model_construct(
            evalset=job.evalset,
            case=case.id,
            digest=case.digest,
            epoch=epoch,
            slices=case.slices,
            cluster=case.cluster,
            output=output,
            scores=scores,
            error=error,
            attempts=1 + again[0],
            started_at=started_at,
        )

    async def _answer(self, job: Job, epoch: int) -> tuple[Output | None, SampleError | None, float]:
        """Ask the target within the time limit; return output or error, and what it is known to have cost."""
        with self._deadlines.for_this_task(job.timeout_s) as limit:
            output, error = await self._asked(job, epoch, limit)
        if limit.passed:
            # Also where the target swallowed the cancellation and answered late.
            message = f"no answer within {job.timeout_s:g} s"
            return None, SampleError(kind="transport", type="TimeoutError", message=message), 0.0
        spent = 0.0
        # What a target has `spent` before is not paid again: recordings, answers of an earlier run.
        if output is not None and output.replayed is None and not getattr(job.target, "spent", False):
            if output.cost_usd is not None:
                spent = self.budget.add(output.cost_usd)
            elif output.model is not None:
                # Only a model's answer has a price to know.
                self.budget.unknown = True
        return output, error, spent

    async def _asked(self, job: Job, epoch: int, limit: Deadline) -> tuple[Output | None, SampleError | None]:
        """Ask the target; whatever it raises becomes the sample's error."""
        try:
            await self._open(job.target)
            output = await job.target.answer(job.case, epoch=epoch)
            if not isinstance(output, Output):
                raise TargetError(f"the target answered {_named(output)}; a target answers an Output")
            return output, None
        except TimeoutError as error:
            message = str(error) or "timed out"
            return None, SampleError(kind="transport", type="TimeoutError", message=message)
        except TransportError as error:
            return None, _described("transport", error, named=error.__cause__)
        except CassetteMiss as error:
            return None, _described("cassette_miss", error)
        except TargetError as error:
            return None, _described("target", error)
        except asyncio.CancelledError as error:
            if limit.passed:
                return None, None
            if _cancelled_by_us():
                raise
            return None, _described("user", error, with_traceback=True)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - SystemExit and pytest.fail() too: the user's, a value
            return None, _described("user", error, with_traceback=True)

    async def _open(self, target: Target) -> None:
        """Open a target once, before its first answer; every sample of it sees the same failure."""
        if id(target) in self._open_already:
            return
        if not isinstance(target, Lifecycle):
            self._open_already.add(id(target))
            return
        opening = self._opening.get(id(target))
        if opening is None:

            async def enter(target: Lifecycle = target) -> BaseException | None:
                # A value, since SystemExit raised in a task ends the whole loop.
                try:
                    await target.open()
                except (KeyboardInterrupt, GeneratorExit):
                    raise
                except BaseException as error:  # raised again by each sample
                    if isinstance(error, asyncio.CancelledError) and _cancelled_by_us():
                        raise
                    return error
                self._opened.append(target)
                return None

            opening = self._opening[id(target)] = asyncio.create_task(enter())
        refused = await asyncio.shield(opening)
        if refused is not None:
            raise refused
        self._open_already.add(id(target))

    async def _scores(self, job: Job, output: Output, epoch: int) -> tuple[Score, ...]:
        slow = [s for s in job.scorers if not s.traits.deterministic]
        if len(slow) < 2:
            return tuple([await self._score(s, job, output, epoch) for s in job.scorers])
        asked = {id(s): asyncio.ensure_future(self._score(s, job, output, epoch)) for s in slow}
        try:
            return tuple(
                [
                    await (asked[id(s)] if id(s) in asked else self._score(s, job, output, epoch))
                    for s in job.scorers
                ]
            )
        finally:
            for future in asked.values():
                future.cancel()

    def _score(self, named: NamedScorer, job: Job, output: Output, epoch: int) -> Coroutine[Any, Any, Score]:
        return _score(named, job, output, epoch=epoch, limits=self._deadlines)


async def _judged(
    named: NamedScorer, job: Job, output: Output, *, epoch: int, limit: Deadline
) -> tuple[Score | None, str | None]:
    """Ask a scorer; return its score, and what is wrong with it or went wrong instead."""
    try:
        score = await named.scorer.score(job.case, output, epoch=epoch)
        if not isinstance(score, Score):
            return None, f"returned {_named(score)}; a scorer returns a Score"
        return score, _unfit(score, *named.traits.scale)
    except NotMeasured as told:
        return Score(scorer=named.name, reason=_one_line(told)), None
    except CassetteMiss as error:
        return None, f"{NOT_RECORDED}{_one_line(error)}"
    except ScorerError as error:
        return Score(scorer=named.name, cost_usd=error.cost_usd), _one_line(error) or type(error).__name__
    except TransportError as error:
        return None, _one_line(error) or type(error).__name__
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # a scorer that crashes is an error, never a score
        if isinstance(error, asyncio.CancelledError) and not limit.passed and _cancelled_by_us():
            raise
        return None, f"{type(error).__name__}: {_one_line(error)}"


async def _score(named: NamedScorer, job: Job, output: Output, *, epoch: int, limits: Deadlines) -> Score:
    """Score one output; whatever goes wrong is the score's `error`, with no value."""
    with limits.for_this_task(job.timeout_s) as limit:
        score, problem = await _judged(named, job, output, epoch=epoch, limit=limit)
    if limit.passed:
        # Also where the scorer swallowed the cancellation and judged late.
        problem = f"no score within {job.timeout_s:g} s"
    if score is None or problem:
        reason, cost_usd = (score.reason, score.cost_usd) if score is not None else (None, None)
        return Score(
            scorer=named.name, scale=named.traits.scale, reason=reason, error=problem, cost_usd=cost_usd
        )
    if score.scorer == named.name and score.scale == named.traits.scale:
        return score
    return score.model_copy(update={"scorer": named.name, "scale": named.traits.scale})


@asynccontextmanager
async def opened(target: Target) -> AsyncIterator[None]:
    """Keep a target open that is asked outside a run; whatever opening raises is raised here."""
    if not isinstance(target, Lifecycle):
        yield
        return
    await target.open()
    try:
        yield
    finally:
        with suppress(Exception):
            await target.close()


async def _cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and give them time to clean up; user code that swallows it is left behind."""
    open_tasks = [task for task in tasks if not task.done()]
    for task in open_tasks:
        task.cancel()
    if open_tasks:
        await asyncio.wait(open_tasks, timeout=CLOSE_S)


def _cancelled_by_us() -> bool:
    """Tell a cancellation of this sample from a CancelledError that user code raised by itself."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _unfit(score: Score, low: float, high: float) -> str | None:
    """Say why a score cannot be used, or None."""
    if score.error:
        return score.error
    if score.value is None:
        return "gave neither a value nor an error"
    if not math.isfinite(score.value):
        return f"gave {score.value}, which is not a number on its scale"
    if not low <= score.value <= high:
        return f"gave {score.value:g}, outside its scale {low:g}..{high:g}"
    return None


def _described(
    kind: str, error: BaseException, *, named: BaseException | None = None, with_traceback: bool = False
) -> SampleError:
    return SampleError.model_construct(
        kind=kind,
        type=type(named or error).__name__,
        message=_one_line(error) or type(error).__name__,
        traceback=_user_frames(error) if with_traceback else None,
    )


def _named(thing: object) -> str:
    return "nothing" if thing is None else f"a {type(thing).__name__}"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:500]


def _user_frames(error: BaseException) -> str:
    """Format the traceback from the user's first frame on: our own frames say nothing to a user."""
    here = error.__traceback__
    frames = traceback.extract_tb(here)
    own = [i for i, frame in enumerate(frames) if "pytest_aioncall" in frame.filename]
    shown = frames[own[-1] + 1 :] if own and own[-1] + 1 < len(frames) else frames
    lines = traceback.format_list(shown[-12:])
    return "".join([*lines, *traceback.format_exception_only(error)])[-8000:]
