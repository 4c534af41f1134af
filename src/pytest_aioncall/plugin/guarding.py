"""Everything that pytest shows of a session with evals passes here: reports, logs, warnings, the terminal.

Of eval cases all text is made harmless, for a model may have written it. Of other tests that run in the same
session only secrets are taken out, and of the terminal commands to a CI runner.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any

import pytest

from .items import CaseItem, EvalsetFile
from .longreprs import rewritten

if TYPE_CHECKING:
    from ..flows.guarding import Guard, GuardedRecords, Redactor
    from .session import OnCallSession

HANDLERS = ("report_handler", "log_cli_handler", "log_file_handler")
"""Those of pytest's logging plugin that write something; `caplog` is a test's own."""


class Guarding:
    """Stands between a session and all that it shows."""

    def __init__(self, session: OnCallSession) -> None:
        self._session = session
        self._guard: Guard | None = None
        self._asking = threading.local()
        self._refused = False
        self._by_shape: Redactor | None = None
        self._records: GuardedRecords | None = None
        self._screens: list[GuardedScreen] = []
        self._item_is_eval = False
        self._late_elsewhere: dict[str, int] = {}

    @property
    def guard(self) -> Guard:
        if self._guard is None:
            from ..flows.guarding import Guard

            self._guard = Guard(self._redactor)
        return self._guard

    def _redactor(self) -> Redactor:
        found = None
        if not (self._refused or getattr(self._asking, "now", False)):
            # Asking may load the configuration, and loading may log something in the same thread. One that
            # cannot be read is told by whoever needs it to run something, and not asked for again.
            self._asking.now = True
            try:
                found = self._session.redactor
            except Exception:  # noqa: BLE001 - here is only something to be shown
                self._refused = True
            finally:
                self._asking.now = False
        if found is not None:
            return found
        if self._by_shape is None:
            from ..flows.guarding import Redactor

            self._by_shape = Redactor()
        return self._by_shape

    # -- from the first moment to the last

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        from ..flows.guarding import GuardedRecords

        self._records = GuardedRecords(self.guard)
        self._records.install()
        reporter: Any = session.config.pluginmanager.getplugin("terminalreporter")
        writer = getattr(reporter, "_tw", None)
        if writer is not None and hasattr(writer, "_file"):
            self._screens.append(GuardedScreen(writer, "_file", self.guard.on_screen))
        if session.config.option.capture == "no":
            # With -s nothing is captured that a report could clean.
            self._screens += [GuardedScreen(sys, name, self.guard.on_screen) for name in ("stdout", "stderr")]
        logs: Any = session.config.pluginmanager.getplugin("logging-plugin")
        for name in HANDLERS:
            handler = getattr(logs, name, None)
            if isinstance(handler, logging.Handler) and handler.formatter is not None:
                handler.setFormatter(HarmlessFormatter(handler.formatter, self._log_text))

    def pytest_unconfigure(self) -> None:
        if self._records is not None:
            self._records.remove()
        for screen in self._screens:
            screen.take_away()

    # -- what was withheld

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell the controller, where this is a worker of xdist."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None and self._late():
            output["aioncall_late"] = self._late()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        for name, count in (getattr(node, "workeroutput", None) or {}).get("aioncall_late", {}).items():
            self._late_elsewhere[name] = self._late_elsewhere.get(name, 0) + count

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for name, count in {**self._late_elsewhere, **self._late()}.items():
            texts = "1 text, which is" if count == 1 else f"{count} texts, which are"
            terminalreporter.write_line(
                f"aioncall: the redact pattern {name!r} was too slow for {texts} withheld; it backtracks: "
                "make its repeats unambiguous, or possessive as in (?:...)++",
                red=True,
            )

    def _late(self) -> dict[str, int]:
        return self._redactor().slow_patterns

    # -- reports

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        self._item_is_eval = isinstance(item, CaseItem)
        try:
            return (yield)
        finally:
            self._item_is_eval = False

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, Any, Any]:
        report = yield
        self._clean(report, self.guard.shown if isinstance(item, CaseItem) else self.guard.without_secrets)
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        report = yield
        is_eval = isinstance(collector, EvalsetFile)
        self._clean(report, self.guard.shown if is_eval else self.guard.without_secrets)
        return report

    def _clean(self, report: Any, fix: Callable[[str], str]) -> None:
        if report.longrepr is not None:
            report.longrepr = rewritten(report.longrepr, fix)
        if report.sections:
            report.sections[:] = [(name, fix(text)) for name, text in report.sections]

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: Any) -> None:
        """Clean it where it stands: pytest, and xdist's workers, show the same object next."""
        rewritten(excrepr, self.guard.without_secrets)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: Any) -> None:
        said = str(warning_message.message)
        clean = self.guard.shown(said)
        if clean != said:
            warning_message.message = UserWarning(clean)

    # -- logs

    def _log_text(self, text: str, record: logging.LogRecord) -> str:
        """Threads of ours run what a model's answer leads to; so may the item of a case."""
        ours = self._item_is_eval or (record.threadName or "").startswith("aioncall-")
        return self.guard.shown(text) if ours else self.guard.without_secrets(text)


class HarmlessFormatter(logging.Formatter):
    """Lets another formatter write a record of harmless text; what the other adds (colours) stays."""

    def __init__(self, inner: logging.Formatter, fix: Callable[[str, logging.LogRecord], str]) -> None:
        super().__init__()
        self._inner = inner
        self._fix = fix

    def format(self, record: logging.LogRecord) -> str:
        fixed = logging.makeLogRecord(record.__dict__)
        fixed.msg, fixed.args = self._fix(record.getMessage(), record), None
        told = record.exc_text
        if record.exc_info and not told:
            told = self._inner.formatException(record.exc_info)
        if told:
            fixed.exc_text, fixed.exc_info = self._fix(told, record), None
        return self._inner.format(fixed)


class GuardedScreen:
    """Stands in for a file that is written to a terminal: `owner.name`, until it is taken away."""

    def __init__(self, owner: Any, name: str, fix: Callable[[str], str]) -> None:
        self._owner, self._name = owner, name
        self._file = getattr(owner, name)
        self._fix = fix
        self._in_line = False
        setattr(owner, name, self)

    def write(self, text: str) -> int:
        if text:
            # A colon in the middle of a line starts nothing.
            fixed = self._fix(f"|{text}")[1:] if self._in_line else self._fix(text)
            self._in_line = text[-1] not in "\r\n"
            self._file.write(fixed)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def take_away(self) -> None:
        if getattr(self._owner, self._name) is self:
            setattr(self._owner, self._name, self._file)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
