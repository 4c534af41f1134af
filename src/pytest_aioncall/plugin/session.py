"""One eval session: every hook of pytest that it needs, each a short call on one of its parts."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from . import garbage
from .flags import flags_of, is_worker, start_folder, will_run
from .hooks import EVALSET_SUFFIX
from .items import CaseItem, EvalsetFile, forget_phases, without_repeats
from .narrowed import Narrowing
from .selected import Selected
from .shards import deselect_other_shards, status_without_cases
from .signals import terminated_as_interrupted
from .unaffected import Unaffected, header_lines
from .workers import attach, detach

if TYPE_CHECKING:
    from ..engine import Job
    from ..flows.evalrun import EvalRun
    from ..flows.guarding import Redactor
    from ..flows.outcome import Outcome
    from ..flows.prepare import Prepared
    from ..model.report import Report
    from .execution import Execution

LETTERS = {
    "missed": ("missed", "m", ("MISS", {"yellow": True})),
    "unjudged": ("unjudged", "E", ("UNJUDGED", {"yellow": True})),
    "not_recorded": ("not recorded", "N", ("NOT RECORDED", {"yellow": True})),
    "cancelled": ("not asked", "C", ("NOT ASKED", {"yellow": True})),
}
EXIT_USAGE, EXIT_CANNOT_JUDGE = 4, 7
MANY_CASES = 1000
"""From here on the end of the process is made shorter; below it costs nothing worth a thought."""


class OnCallSession:
    """The one object behind every hook; each hook is one short method."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.report: Report | None = None
        self.report_path: Path | None = None
        self.exit_code: int | None = None
        self.is_worker = is_worker(config)
        self._refused = False
        self._interrupted = False
        self._under_way = ""
        self._run: EvalRun | None = None
        self._execution: Execution | None = None
        self._selected = Selected()
        self._unaffected = Unaffected()
        self._narrowing = Narrowing(config)
        self._jobs_sent: dict[str, dict[str, Job]] = {}
        self.notes_at_start: list[str] = []

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
                settings = settings_for(start_folder(self.config), flags_of(self.config))
            except UsageError as error:
                raise pytest.UsageError(str(error)) from None
            changed = self.config.hook.pytest_aioncall_settings(config=self.config, settings=settings)
            self._run = EvalRun(changed or settings)
        return self._run

    @property
    def redactor(self) -> Redactor | None:
        """What takes secrets out of texts; None while no evalset was met: nothing is loaded for it."""
        return None if self._run is None and not self.is_distributing else self.run.redactor

    @property
    def execution(self) -> Execution:
        """The cases under way; made when the first of them is about to run."""
        if self._execution is None:
            from .execution import Execution

            self._execution = Execution(self.run, self.config, is_worker=self.is_worker)
        return self._execution

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
            with garbage.paused():
                return self.run.load(path)
        except (UsageError, pytest.UsageError) as error:
            for line in str(error).splitlines():
                if line not in self.problems:
                    self.problems.append(line)
            return None

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self) -> Generator[None, Any, Any]:
        """Refuse to start with all problems at once, before pytest complains of cases it cannot find."""
        if not self.is_worker:
            self._begin_in_ci()
        try:
            result = yield
        except pytest.UsageError:
            self._refuse_problems()
            raise
        self._refuse_problems()
        return result

    def _begin_in_ci(self) -> None:
        """Take away the report of an earlier run, or one that the change brought; refuse to be narrowed."""
        try:
            run = self.run
        except pytest.UsageError:
            return  # said by the first evalset that is met
        self.problems += self._narrowing.begin(run.settings)
        if run.settings.ci and (self.problems or will_run(self.config)):
            try:
                run.withdraw()
            except OSError as error:
                self.problems.append(f"{error.filename}: {error.strerror}; a report has to be written there")
        self._refuse_problems()

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
        if not self.problems and any(isinstance(item, CaseItem) for item in items):
            self._unaffected.deselect(items, run=self.run, config=self.config)
            deselect_other_shards(items, run=self.run, selected=self._selected, config=self.config)
        cases = [item for item in items if isinstance(item, CaseItem)]
        if cases and will_run(self.config) and not self.problems:
            self._budget([item.job for item in cases])
        if self.problems and self.is_worker:
            # Before xdist tells the controller what there is to run.
            items[:] = []
        if self.config.pluginmanager.hasplugin("rerunfailures"):
            for item in cases:
                # Repeating until green biases every rate.
                item.add_marker(pytest.mark.flaky(reruns=0))
        return result

    def pytest_report_collectionfinish(self, items: Sequence[pytest.Item]) -> list[str]:
        """Say which evalsets the change cannot affect, and why the others run."""
        if self._run is None or self.problems:
            return []
        ran = dict.fromkeys(item.job.evalset for item in items if isinstance(item, CaseItem))
        left_out = self._unaffected.names(self._prepared_at)
        return list(header_lines(self.run, ran=ran, left_out=left_out))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Take up the run to go on with before xdist makes its workers, which are told which it is."""
        if not self.is_distributing or not self.run.settings.resume or not will_run(self.config):
            return
        from ..errors import StoreError, UsageError
        from .execution import stop_for

        try:
            self.run.resume()
            self.notes_at_start.append(self.run.begin([]))
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
        except StoreError as error:
            stop_for(error)

    def tell_worker(self, workerinput: dict[str, Any]) -> None:
        """Tell a worker of xdist which run this session goes on with."""
        if self.run.resumed is not None:
            workerinput["aioncall_run"] = str(self.run.resumed.folder)

    def _budget(self, jobs: Sequence[Job]) -> None:
        from ..errors import UsageError

        try:
            self.run.resume(jobs, is_worker=self.is_worker)
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
        return lines + [f"aioncall: {note}" for note in self.notes_at_start]

    # -- running

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, Any, Any]:
        if not will_run(self.config) or (
            session.testsfailed and not session.config.option.continue_on_collection_errors
        ):
            return (yield)
        cases = [item for item in session.items if isinstance(item, CaseItem)]
        interrupted = True
        with terminated_as_interrupted():
            try:
                if cases:
                    self._start(session, cases)
                result = yield
                self._selected.count(session.items)
                if not (self.is_worker or session.shouldstop or session.shouldfail):
                    self._draw_again(session)
                interrupted = False
                return result
            finally:
                if self._execution is not None:
                    self._execution.stop()
                self._selected.count(session.items)
                if self.is_worker:
                    self._tell_controller(interrupted=interrupted)
                else:
                    self._finish_or_say_why_not(session, interrupted=interrupted)

    def _start(self, session: pytest.Session, cases: Sequence[CaseItem]) -> None:
        from .execution import begin_or_say_why_not

        garbage.set_aside()
        if len(cases) >= MANY_CASES:
            garbage.spare_the_exit()
        why_not = begin_or_say_why_not(self.execution, session, cases)
        if why_not:
            self.problems.append(why_not)
            self._refuse_problems()

    def _draw_again(self, session: pytest.Session) -> None:
        if not self.problems and self._selected:
            self.execution.draw_again(session, self._complete(interrupted=False))

    def _worker_count(self) -> int:
        return int(getattr(self.config, "workerinput", {}).get("workercount", 1))

    def run_case(self, item: CaseItem) -> Outcome:
        """Wait for the samples of an item and say what they came to."""
        return self.execution.run_case(item)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        self._route()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self) -> None:
        self._route()

    def _route(self) -> None:
        if self._execution is not None:
            self._execution.route()

    def _clear(self) -> None:
        if self._execution is not None:
            self._execution.clear()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, Any, Any]:
        report = yield
        if isinstance(item, CaseItem):
            item.share_keywords(report)
            self._under_way = item.nodeid
            self._tell_of(item, report)
        self._route()
        return report

    def _tell_of(self, item: CaseItem, report: Any) -> None:
        if report.when == "call" and item.outcome is not None:
            if item.outcome.kind in LETTERS:
                report.aioncall_kind = item.outcome.kind
                if self.config.get_verbosity() >= 2:
                    report.aioncall_lines = list(item.outcome.lines)
            if self.is_worker:
                execution = self.execution
                attach(report, item, execution.lines_of(item), kept=execution.kept_of(item))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take the samples that a worker sent; pytest writes next, so the progress line goes."""
        self._clear()
        sent = None if self.is_worker else detach(report)
        if sent is None:
            return
        from ..errors import StoreError
        from .execution import stop_for

        if sent.file not in self._jobs_sent:
            prepared = self._prepared_at(Path(sent.file))
            self._jobs_sent[sent.file] = {job.case.id: job for job in prepared.jobs} if prepared else {}
            if prepared is not None:
                self.run.announce([prepared.name])
        self._selected.meet(sent.file)
        job = self._jobs_sent[sent.file].get(sent.case)
        try:
            self.run.record.keep(sent.samples)
            if job is not None:
                self.run.finish_case(job, sent.samples, kept=sent.kept)
        except StoreError as error:
            stop_for(error)

    def pytest_runtest_logstart(self) -> None:
        self._clear()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        if nodeid == self._under_way:
            forget_phases(self.config, nodeid)
        if self._execution is not None:
            self._execution.draw()

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: Any) -> Any:
        if report.when == "call":
            return LETTERS.get(getattr(report, "aioncall_kind", ""))
        return None

    # -- judging

    def _tell_controller(self, *, interrupted: bool) -> None:
        output: dict[str, Any] = self.config.workeroutput  # type: ignore[attr-defined]
        output["aioncall"] = {
            "selected": self._selected.counts,
            "unaffected": list(self._unaffected.files),
            "problems": self.problems,
            "died": None if interrupted or self._died is None else str(self._died),
        }

    def take_collected(self, ids: Sequence[str]) -> None:
        """Take the ids of all that a worker of xdist collected."""
        self._selected.take_collected(self.config.rootpath, ids)

    def take_worker(self, output: Mapping[str, Any]) -> None:
        """Take what a worker collected, what it found wrong, and why it could not close."""
        told = output.get("aioncall") or {}
        self._selected.take_worker(told)
        self._unaffected.take_worker(told)
        self.problems += [p for p in told.get("problems") or () if p not in self.problems]
        if told.get("died") is not None:
            self._could_not_close(told["died"])

    @property
    def _died(self) -> BaseException | None:
        return self._execution.died if self._execution is not None else None

    def _could_not_close(self, why: str) -> None:
        note = f"closing failed: {why}"
        if note not in self.notes:
            self.notes.append(note)
        self.exit_code = EXIT_CANNOT_JUDGE

    def _finish_or_say_why_not(self, session: pytest.Session, *, interrupted: bool) -> None:
        from ..errors import StoreError
        from .execution import stop_for

        if self._died is not None and not interrupted:
            self._could_not_close(str(self._died))
        try:
            with garbage.paused():
                self._finish(session, interrupted=interrupted)
        except StoreError as error:
            if not interrupted:
                stop_for(error)

    def _finish(self, session: pytest.Session, *, interrupted: bool) -> None:
        """Judge complete evalsets and let pytest report the gates as tests of their own."""
        if interrupted:
            self._selected.count_collected()
        below = self._narrowing.below
        if self.problems or not (self._selected or self._unaffected or below):
            return
        why = "interrupted" if interrupted else ""
        from ..flows.ending import finish

        self.report = finish(
            self.run,
            self._complete(interrupted=interrupted),
            why_partial=why,
            selected=self._selected.by_name(self._prepared_at),
            unaffected=self._unaffected.names(self._prepared_at),
            below=below,
        )
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
        return self._selected.complete(self._prepared_at, asked_of=self.run.asked_of, interrupted=interrupted)

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
        if self.report is not None:
            session.exitstatus = status_without_cases(self.report, session.exitstatus)
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
        elif self.report is not None:
            write_details(terminalreporter)
            write_summary(terminalreporter, self.report, self.report_path, self.run.settings)
            for hint in self.run.hints(self._complete(interrupted=self._interrupted)):
                terminalreporter.write_line(f"aioncall: {hint}")
        elif why := self._why_no_report():
            terminalreporter.write_line(f"aioncall: {why}")
        write_problems(terminalreporter, [f"aioncall: {note}" for note in self.notes])

    def _why_no_report(self) -> str:
        from .summary import NO_CASE

        if self._interrupted:
            return "interrupted before the first case"
        if not (self._selected or self._unaffected or self.is_worker or self.config.option.collectonly):
            return NO_CASE
        if will_run(self.config) and self._selected.is_of_other_shards:
            part = self.run.part.name if self.run.part is not None else "this session"
            return f"no selected case is of {part}"
        return ""
