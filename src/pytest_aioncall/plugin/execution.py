"""The cases of one session under way: the engine beside pytest's loop, the live line, the samples kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

import pytest

from ..errors import StoreError, UsageError
from ..flows.lastly import load_what_comes_last
from .background import WINDOW, Background, EngineDied
from .items import CaseItem, is_sure
from .printing import route_prints, unroute_prints
from .progress import ProgressLine
from .rounds import RoundsUnderPytest

if TYPE_CHECKING:
    from ..engine import Job
    from ..flows.evalrun import EvalRun
    from ..flows.outcome import Outcome
    from ..model.sample import Sample
    from .background import Finished

EXIT_CANNOT_JUDGE = 7


class Execution:
    """Runs the selected cases of one session; made when the first of them is about to run."""

    def __init__(self, run: EvalRun, config: pytest.Config, *, is_worker: bool) -> None:
        self.run = run
        self.config = config
        self.is_worker = is_worker
        self._background: Background | None = None
        self._progress: ProgressLine | None = None
        self._has_waited = False
        self._lines: dict[tuple[str, str], list[str]] = {}

    @property
    def died(self) -> BaseException | None:
        """What ended the engine's thread before its time."""
        return self._background.died if self._background is not None else None

    def start(self, session: pytest.Session, cases: Sequence[CaseItem]) -> None:
        """Begin the record, say what it may cost, look ahead; raises UsageError before anything is asked."""
        run = self.run
        if not self.is_worker:
            said = run.begin([item.job for item in cases])
            if said:
                self._write(said)
        line = run.expected.line(run.budget.limit_usd, shards=run.part.count if run.part else 1)
        if line:
            self._write(line)
        self._start_background(
            session,
            [item.job for item in cases if is_sure(item)],
            total=sum(item.job.epochs - len(self.kept_of(item)) for item in cases),
        )

    def _write(self, line: str) -> None:
        reporter = self.config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"aioncall: {line}")

    def _start_background(
        self, session: pytest.Session, jobs: Sequence[Job], *, total: int | None = None
    ) -> None:
        run = self.run
        # Under -x look-ahead costs money for cases that will never be shown: keep it to what runs at once.
        stops_early = bool(session.config.getoption("maxfail", 0))
        self._background = Background(
            lambda: run.make_engine(self._publish),
            closing=(run.close_wires,),
            window=run.concurrency if stops_early else max(WINDOW, 4 * run.concurrency),
        )
        if not self.is_worker:
            total = sum(job.epochs for job in jobs) if total is None else total
            self._progress = ProgressLine.on(self.config, total=total)
        route_prints(self.config.pluginmanager.getplugin("capturemanager"))
        self._background.start([] if self.is_worker else jobs)

    def _publish(self, sample: Sample) -> None:
        if self.is_worker:
            self._lines.setdefault((sample.evalset, sample.case), []).append(sample.model_dump_json())
        else:
            self.run.record.keep([sample])

    def lines_of(self, item: CaseItem) -> list[str]:
        """Return the samples of an item as lines of JSON, once: what a worker sends."""
        return self._lines.pop((item.job.evalset, item.job.case.id), [])

    def kept_of(self, item: CaseItem) -> list[int]:
        """Return which epochs of an item a resumed run has already."""
        return self.run.resumed.epochs_kept(item.job) if self.run.resumed is not None else []

    def run_case(self, item: CaseItem) -> Outcome:
        """Wait for the samples of an item and say what they came to."""
        from ..flows.outcome import outcome_of

        if item.outcome is not None:
            # A rerun plugin asks again: the answer stands, evals are never repeated until green.
            return item.outcome
        assert self._background is not None  # noqa: S101 - started before the first item
        route_prints()
        finished = self._wait_for(item.job, self._background, item.session)
        if finished.said:
            item.add_report_section("call", "printed by the target", self.run.shown(finished.said))
        outcome = outcome_of(item.job, finished.samples)
        if not self.is_worker:
            self.run.finish_case(item.job, finished.samples)
        self.config.hook.pytest_aioncall_case_finished(
            case=item.job.case, samples=finished.samples, outcome=outcome
        )
        return outcome

    def _wait_for(self, job: Job, background: Background, session: pytest.Session) -> Finished:
        if not (self._has_waited or self.is_worker):
            self._has_waited = True
            load_what_comes_last()
        try:
            return background.result(job, on_wait=self.draw)
        except EngineDied as error:
            if isinstance(error.__cause__, StoreError):
                stop_for(error.__cause__)
            session.shouldfail = "aioncall: the engine stopped, see the failure of the last case"
            raise

    def draw_again(self, session: pytest.Session, complete: Mapping[str, bool]) -> None:
        """Draw further rounds of evalsets with adaptive epochs; under xdist here, in the controller."""

        def line_up(jobs: Sequence[Job]) -> None:
            if self._background is None:
                self._start_background(session, jobs)
                return
            if self._progress is not None:
                self._progress.add(sum(job.epochs for job in jobs))
            self._background.more(jobs)

        def wait(job: Job) -> Finished:
            assert self._background is not None  # noqa: S101 - lined up before
            return self._wait_for(job, self._background, session)

        rounds = RoundsUnderPytest(session, self.run, line_up=line_up, wait=wait, clear=self.clear)
        try:
            rounds.draw(complete)
        except EngineDied as error:
            # No item is there to fail with it, as in the first round.
            why = error.__cause__ or error
            pytest.exit(f"aioncall: the engine stopped in a later round: {why}", returncode=EXIT_CANNOT_JUDGE)

    def stop(self) -> None:
        """Cancel what is left and end the engine's thread."""
        self.clear()
        if self._background is not None:
            self._background.stop()
            unroute_prints(self.config.pluginmanager.getplugin("capturemanager"))

    def route(self) -> None:
        """Put our stream before the one that pytest's capture has just put back."""
        if self._background is not None:
            route_prints()

    def draw(self) -> None:
        """Draw the live line where there is one."""
        if (
            self._progress is not None
            and self._background is not None
            and self._background.engine is not None
        ):
            engine = self._background.engine
            self._progress.draw(
                engine.progress, budget=engine.budget, retries=self.run.retries, waiting=self.run.waiting
            )
        self.route()

    def clear(self) -> None:
        """Take the live line off the screen before anybody else writes."""
        if self._progress is not None:
            self._progress.clear()


def stop_for(error: StoreError) -> NoReturn:
    """End the session: answers that cannot be kept are not worth asking for."""
    pytest.exit(f"aioncall: {error}", returncode=EXIT_CANNOT_JUDGE)


def begin_or_say_why_not(execution: Execution, session: pytest.Session, cases: Sequence[CaseItem]) -> str:
    """Start; return what keeps it from starting, or nothing."""
    try:
        execution.start(session, cases)
    except StoreError as error:
        stop_for(error)
    except UsageError as error:
        return str(error)
    return ""
