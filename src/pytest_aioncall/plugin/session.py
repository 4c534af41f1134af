"""One eval session: collects evalsets, runs them beside pytest's loop, judges them, sets the exit status."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from .hooks import EVALSET_SUFFIX
from .items import CaseItem, EvalsetFile, is_sure, without_repeats
from .printing import route_prints, unroute_prints
from .workers import attach, detach

if TYPE_CHECKING:
    from ..engine import Job
    from ..errors import StoreError
    from ..flows.evalrun import EvalRun
    from ..flows.outcome import Outcome
    from ..flows.prepare import Prepared
    from ..model.report import Report
    from .background import Background, Finished
    from .progress import ProgressLine

LETTERS = {
    "missed": ("missed", "m", ("MISS", {"yellow": True})),
    "unjudged": ("unjudged", "E", ("UNJUDGED", {"yellow": True})),
    "not_recorded": ("not recorded", "N", ("NOT RECORDED", {"yellow": True})),
    "cancelled": ("not asked", "C", ("NOT ASKED", {"yellow": True})),
}
EXIT_USAGE, EXIT_CANNOT_JUDGE = 4, 7


class OnCallSession:
    """The one object behind every hook; each hook is one short method."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.report: Report | None = None
        self.report_path: Path | None = None
        self.exit_code: int | None = None
        self._refused = False
        self._counted = False
        self._interrupted = False
        self._run: EvalRun | None = None
        self._background: Background | None = None
        self._progress: ProgressLine | None = None
        self._selected: dict[str, int] = {}
        self._lines: dict[tuple[str, str], list[str]] = {}

    # -- what this process is

    @property
    def is_worker(self) -> bool:
        return hasattr(self.config, "workerinput")

    @property
    def is_distributing(self) -> bool:
        return bool(getattr(self.config.option, "dist", "no") != "no") and not self.is_worker

    @property
    def run(self) -> EvalRun:
        """The run, made when the first evalset is met: everything heavy is imported here."""
        if self._run is None:
            from ..errors import UsageError
            from ..flows.evalrun import EvalRun, settings_for

            try:
                settings = settings_for(self._start_folder(), self._flags())
            except UsageError as error:
                raise pytest.UsageError(str(error)) from None
            changed = self.config.hook.pytest_aioncall_settings(config=self.config, settings=settings)
            self._run = EvalRun(changed or settings)
        return self._run

    def _start_folder(self) -> Path:
        """Start looking for the project root at the first evalset that is named, else at pytest's root."""
        for argument in self.config.args:
            path = argument.split("::", 1)[0]
            if path.endswith(EVALSET_SUFFIX):
                # As pytest does it: `..` goes, links stay.
                return Path(os.path.abspath(path)).parent  # noqa: PTH100
        return self.config.rootpath

    def _flags(self) -> dict[str, Any]:
        option = self.config.option
        if option.aioncall_replay and option.aioncall_record:
            raise pytest.UsageError("--aioncall-replay and --aioncall-record exclude each other")
        if option.aioncall_record and self.is_worker:
            raise pytest.UsageError("--aioncall-record runs in one process: drop -n")
        mode = "replay" if option.aioncall_replay else "record" if option.aioncall_record else None
        return {
            "epochs": option.aioncall_epochs,
            "concurrency": option.aioncall_concurrency,
            "mode": mode,
            "require_baseline": option.aioncall_require_baseline or None,
            "strict": option.aioncall_strict or None,
            "max_cost_usd": option.aioncall_max_cost,
            "baseline_ref": option.aioncall_baseline_ref,
            "report_dir": option.aioncall_report,
        }

    # -- collecting

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> EvalsetFile | None:
        if not file_path.name.endswith(EVALSET_SUFFIX):
            return None
        # One file named wakes us up; others in folders that are named for their tests stay out of it.
        if not (self.config.option.aioncall or parent.session.isinitpath(file_path)):
            return None
        file: EvalsetFile = EvalsetFile.from_parent(parent, path=file_path)
        file.oncall = self
        return file

    def prepare(self, path: Path) -> Prepared | None:
        """Load an evalset; what is wrong with it is kept until all files were seen."""
        from ..errors import UsageError

        try:
            return self.run.load(path)
        except (UsageError, pytest.UsageError) as error:
            for line in str(error).splitlines():
                if line not in self.problems:
                    self.problems.append(line)
            return None

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self) -> Generator[None, Any, Any]:
        """Refuse to start with all problems at once, before pytest complains of cases it cannot find."""
        try:
            result = yield
        except pytest.UsageError:
            self._refuse_problems()
            raise
        self._refuse_problems()
        return result

    def _refuse_problems(self) -> None:
        if not self.problems or self.is_worker:
            return
        self._refused = True
        raise pytest.UsageError(*self._problem_lines())

    def _problem_lines(self) -> list[str]:
        count = len(self.problems)
        noun = "problem" if count == 1 else "problems"
        return ["\n".join([*self.problems, f"{count} {noun}; nothing was run and nothing was spent."])]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, Any, Any]:
        """Take each selected case once, refuse what would cost too much, keep a rerun plugin away."""
        result = yield
        items[:] = without_repeats(items)
        cases = [item for item in items if isinstance(item, CaseItem)]
        if cases and self._will_run and not self.problems:
            self._budget([item.job for item in cases])
        if self.problems and self.is_worker:
            # Before xdist tells the controller what there is to run.
            items[:] = []
        if self.config.pluginmanager.hasplugin("rerunfailures"):
            for item in cases:
                # Repeating until green biases every rate.
                item.add_marker(pytest.mark.flaky(reruns=0))
        return result

    @property
    def _will_run(self) -> bool:
        """Whether items are run; `--setup-plan` and `--setup-only` show them, no more."""
        option = self.config.option
        return not (
            option.collectonly or getattr(option, "setuponly", False) or getattr(option, "setupplan", False)
        )

    def _budget(self, jobs: Sequence[Job]) -> None:
        from ..errors import UsageError

        try:
            self.run.budgeted(jobs, shares=self._worker_count())
        except UsageError as error:
            self.problems.append(str(error))

    def pytest_report_header(self) -> list[str]:
        lines = []
        if self.is_distributing:
            lines.append(
                "aioncall: xdist workers share no look-ahead; for evals raise --aioncall-concurrency, not -n"
            )
        if getattr(self.config.option, "reruns", None):
            lines.append("aioncall: --reruns is off for eval cases: repeating until green biases their rates")
        return lines

    # -- running

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, Any, Any]:
        if not self._will_run or (
            session.testsfailed and not session.config.option.continue_on_collection_errors
        ):
            return (yield)
        cases = [item for item in session.items if isinstance(item, CaseItem)]
        interrupted = True
        try:
            if cases:
                self._start(session, cases)
            result = yield
            self._count_selected(session)
            if not (self.is_worker or session.shouldstop or session.shouldfail):
                self._draw_again(session)
            interrupted = False
            return result
        finally:
            if self._progress is not None:
                self._progress.clear()
            if self._background is not None:
                self._background.stop()
                unroute_prints(self.config.pluginmanager.getplugin("capturemanager"))
            self._count_selected(session)
            if not self.is_worker:
                self._finish_or_say_why_not(session, interrupted=interrupted)

    def _draw_again(self, session: pytest.Session) -> None:
        """Draw further rounds of evalsets with adaptive epochs; under xdist here, in the controller."""
        from .background import EngineDied
        from .rounds import RoundsUnderPytest

        if self.problems or not self._selected:
            return

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

        rounds = RoundsUnderPytest(session, self.run, line_up=line_up, wait=wait, clear=self._clear)
        try:
            rounds.draw(self._complete(interrupted=False))
        except EngineDied as error:
            # No item is there to fail with it, as in the first round.
            why = error.__cause__ or error
            pytest.exit(f"aioncall: the engine stopped in a later round: {why}", returncode=EXIT_CANNOT_JUDGE)

    def _clear(self) -> None:
        if self._progress is not None:
            self._progress.clear()

    def _start(self, session: pytest.Session, cases: Sequence[CaseItem]) -> None:
        from ..errors import UsageError

        run = self.run
        if not self.is_worker:
            try:
                run.record.begin()
            except UsageError as error:
                self.problems.append(str(error))
                self._refuse_problems()
        line = run.expected.line(run.budget.limit_usd)
        reporter = self.config.pluginmanager.getplugin("terminalreporter")
        if line and reporter is not None:
            reporter.write_line(f"aioncall: {line}")
        self._start_background(
            session,
            [item.job for item in cases if is_sure(item)],
            total=sum(item.job.epochs for item in cases),
        )

    def _start_background(
        self, session: pytest.Session, jobs: Sequence[Job], *, total: int | None = None
    ) -> None:
        from .background import WINDOW, Background
        from .progress import ProgressLine

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

    def _worker_count(self) -> int:
        return int(getattr(self.config, "workerinput", {}).get("workercount", 1))

    def _publish(self, sample: Any) -> None:
        if self.is_worker:
            self._lines.setdefault((sample.evalset, sample.case), []).append(sample.model_dump_json())
        else:
            self.run.record.keep([sample])

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
            prepared = self.run.prepared[item.job.evalset]
            self.run.record.finish_case(item.job.evalset, item.job.case, finished.samples, prepared.infos)
        self.config.hook.pytest_aioncall_case_finished(
            case=item.job.case, samples=finished.samples, outcome=outcome
        )
        return outcome

    def _wait_for(self, job: Job, background: Background, session: pytest.Session) -> Finished:
        from ..errors import StoreError
        from .background import EngineDied

        try:
            return background.result(job, on_wait=self._draw)
        except EngineDied as error:
            if isinstance(error.__cause__, StoreError):
                _stop_for(error.__cause__)
            session.shouldfail = "aioncall: the engine stopped, see the failure of the last case"
            raise

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        self._route()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self) -> None:
        self._route()

    def _route(self) -> None:
        """Put our stream before the one that pytest's capture has just put back."""
        if self._background is not None:
            route_prints()

    def _draw(self) -> None:
        if (
            self._progress is not None
            and self._background is not None
            and self._background.engine is not None
        ):
            engine = self._background.engine
            self._progress.draw(engine.progress, budget=engine.budget, retries=self.run.retries)
        self._route()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, Any, Any]:
        report = yield
        if isinstance(item, CaseItem) and report.when == "call" and item.outcome is not None:
            if item.outcome.kind in LETTERS:
                report.aioncall_kind = item.outcome.kind
                if self.config.get_verbosity() >= 2:
                    report.aioncall_lines = list(item.outcome.lines)
            if self.is_worker:
                attach(report, item, self._lines.pop((item.job.evalset, item.job.case.id), []))
        self._route()
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take the samples that a worker sent; pytest writes next, so the progress line goes."""
        if self._progress is not None:
            self._progress.clear()
        sent = None if self.is_worker else detach(report)
        if sent is None:
            return
        from ..errors import StoreError

        try:
            self.run.record.keep(sent.samples)
        except StoreError as error:
            _stop_for(error)
        self._selected.setdefault(sent.file, 0)
        prepared = self._prepared_at(Path(sent.file))
        job = next((job for job in prepared.jobs if job.case.id == sent.case), None) if prepared else None
        if prepared is not None and job is not None:
            self.run.record.finish_case(prepared.name, job.case, sent.samples, prepared.infos)

    def pytest_runtest_logstart(self) -> None:
        if self._progress is not None:
            self._progress.clear()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self) -> None:
        self._draw()

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: Any) -> Any:
        if report.when == "call":
            return LETTERS.get(getattr(report, "aioncall_kind", ""))
        return None

    # -- judging

    def _count_selected(self, session: pytest.Session) -> None:
        if self._counted:
            return
        self._counted = True
        for item in session.items:
            if isinstance(item, CaseItem):
                file = str(item.path)
                self._selected[file] = self._selected.get(file, 0) + 1
        if self.is_worker:
            output: dict[str, Any] = self.config.workeroutput  # type: ignore[attr-defined]
            output["aioncall"] = {"selected": self._selected, "problems": self.problems}

    @property
    def _counted_any(self) -> bool:
        return bool(self._selected) or self.is_worker

    def take_worker(self, output: Mapping[str, Any]) -> None:
        """Take what a worker collected; every worker collects all, so the largest is the whole."""
        told = output.get("aioncall") or {}
        for file, count in (told.get("selected") or {}).items():
            self._selected[file] = max(count, self._selected.get(file, 0))
        self.problems += [p for p in told.get("problems") or () if p not in self.problems]

    def _finish_or_say_why_not(self, session: pytest.Session, *, interrupted: bool) -> None:
        from ..errors import StoreError

        if self._background is not None and not interrupted and self._background.died is not None:
            self.notes.append(f"closing failed: {self._background.died}")
            self.exit_code = EXIT_CANNOT_JUDGE
        try:
            self._finish(session, interrupted=interrupted)
        except StoreError as error:
            if not interrupted:
                _stop_for(error)

    def _finish(self, session: pytest.Session, *, interrupted: bool) -> None:
        """Judge complete evalsets and let pytest report the gates as tests of their own."""
        if self.problems or not self._selected:
            return
        why = "interrupted" if interrupted else ""
        self.report = self.run.finish(self._complete(interrupted=interrupted), why_partial=why)
        if self.report is None:
            return
        self.exit_code = self.report.exit_code or self.exit_code
        from .gates import gate_reports

        for report in gate_reports(self.report, self.config.rootpath, self.run.settings.root):
            session.testscollected += 1
            self.config.hook.pytest_runtest_logreport(report=report)
        try:
            self.report_path = self.run.write(self.report)
        except OSError as error:
            self.notes.append(f"no report: {error.filename}: {error.strerror}; choose --aioncall-report DIR")
        self.config.hook.pytest_aioncall_run_finished(report=self.report)

    def _complete(self, *, interrupted: bool) -> dict[str, bool]:
        """Tell of each evalset whether all of its cases were selected and finished."""
        complete: dict[str, bool] = {}
        for file, count in self._selected.items():
            prepared = self._prepared_at(Path(file))
            if prepared is not None:
                complete[prepared.name] = count == len(prepared.jobs) and not interrupted
        return complete

    def _prepared_at(self, path: Path) -> Prepared | None:
        for prepared in self.run.prepared.values():
            if prepared.path == path:
                return prepared
        return self.prepare(path)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Set the exit status by the table; what pytest itself found wrong comes first."""
        if self.is_worker:
            return
        if self.problems:
            session.exitstatus = EXIT_USAGE
        elif self.exit_code is not None and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = self.exit_code

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        # pytest.exit comes this way, too, and tells its own reason.
        self._interrupted = issubclass(excinfo.type, KeyboardInterrupt)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        from .summary import write_details, write_problems, write_summary

        if self.problems:
            if not self._refused:
                write_problems(terminalreporter, self._problem_lines())
        elif self.report is None and self._interrupted:
            terminalreporter.write_line("aioncall: interrupted before the first case")
        elif self.report is None and not self._counted_any and not self.config.option.collectonly:
            terminalreporter.write_line(
                "aioncall: no case was selected here; evalsets are *.eval.yaml files, found from the folder "
                "or path that is named. Write a first one with: aioncall init PACKAGE.MODULE:FUNCTION"
            )
        elif self.report is not None:
            write_details(terminalreporter)
            write_summary(terminalreporter, self.report, self.report_path, self.run.settings)
        write_problems(terminalreporter, [f"aioncall: {note}" for note in self.notes])


def _stop_for(error: StoreError) -> NoReturn:
    """End the session: answers that cannot be kept are not worth asking for."""
    pytest.exit(f"aioncall: {error}", returncode=EXIT_CANNOT_JUDGE)
