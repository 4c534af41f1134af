"""Adaptive epochs under pytest: after the last item, draw again what the verdicts still need.

An item is done with its first round. What a later round finds wrong with its case (a broken floor, an
exception of the user's own code) is told by one more report of the same case, so that exit status, JUnit and
`--lf` have it. Under xdist the controller draws these rounds, for only it knows all cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .gates import case_report

if TYPE_CHECKING:
    from ..engine import Job
    from ..flows.evalrun import EvalRun
    from ..flows.rounds import Round
    from ..model.sample import Sample
    from .background import Finished


class RoundsUnderPytest:
    """Draws the rounds of one session.

    line_up  hands jobs to the engine, which begins at once
    wait     returns the samples of a job, keeping the screen alive
    clear    takes the live line off the screen before anybody writes
    """

    def __init__(
        self,
        session: pytest.Session,
        run: EvalRun,
        *,
        line_up: Callable[[Sequence[Job]], None],
        wait: Callable[[Job], Finished],
        clear: Callable[[], None],
    ) -> None:
        self._session = session
        self._run = run
        self._line_up = line_up
        self._wait = wait
        self._clear = clear

    def draw(self, complete: Mapping[str, bool]) -> None:
        """Draw rounds until no evalset needs one, or -x ends the session at a case that a round has broken.

        Raises KeyboardInterrupt and EngineDied as items do.
        """
        while not self._is_stopped and (due := self._run.rounds.due(complete)):
            for one in due:
                self._say(f"aioncall: {one.line}")
            self._line_up([job for one in due for job in one.jobs])
            for one in due:
                self._finish(one, {job.case.id: self._wait(job) for job in one.jobs})

    @property
    def _is_stopped(self) -> bool:
        return bool(self._session.shouldstop or self._session.shouldfail)

    def _say(self, line: str) -> None:
        reporter: Any = self._session.config.pluginmanager.getplugin("terminalreporter")
        if reporter is None or self._session.config.get_verbosity() < 0:
            return
        self._clear()
        reporter.ensure_newline()
        # Under xdist the reporter knows of no open line, though its dots stand on one.
        if reporter._tw.width_of_current_line:
            reporter.write_line("")
        reporter.write_line(line)

    def _finish(self, due: Round, finished: Mapping[str, Finished]) -> None:
        from ..flows.outcome import outcome_of

        drawn = {case: one.samples for case, one in finished.items()}
        for job, samples in self._run.rounds.take(due, drawn):
            outcome = outcome_of(job, samples)
            if outcome.kind in {"broken", "user_error"}:
                said = finished[job.case.id].said
                self._report(job, outcome.lines, said=self._run.shown(said) if said else "")
            self._told(job, samples, outcome)

    def _told(self, job: Job, samples: Sequence[Sample], outcome: Any) -> None:
        self._session.config.hook.pytest_aioncall_case_finished(
            case=job.case, samples=list(samples), outcome=outcome
        )

    def _report(self, job: Job, lines: Sequence[str], *, said: str) -> None:
        self._clear()
        path = self._run.prepared[job.evalset].path
        report = case_report(
            Path(path),
            job.case.id,
            lines,
            line=job.case.line,
            rootpath=self._session.config.rootpath,
            said=said,
        )
        self._session.testscollected += 1
        self._session.config.hook.pytest_runtest_logreport(report=report)
