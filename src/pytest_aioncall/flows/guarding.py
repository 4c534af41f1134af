"""What leaves this process as text for people: without secrets, and without power over who shows it.

Samples are redacted before they are kept. This is for all the rest: logs of libraries, tracebacks with their
locals, warnings, what asyncio says of a forgotten task, and whatever pytest writes.
"""

from __future__ import annotations

import asyncio
import io
import logging
import traceback
from collections.abc import Callable
from typing import Any, TextIO

from ..adapters.redaction import Redactor
from ..adapters.text import log_text, without_commands
from ..settings import Settings

__all__ = [
    "Guard",
    "GuardedRecords",
    "GuardedStream",
    "Redactor",
    "guard_for",
    "guard_loop",
    "without_commands",
]

MOST_SHOWN = 20_000
"""Characters of one text that are shown; of a longer one its end."""


class Guard:
    """Makes texts fit to be shown.

    `redactor` is asked each time: what evalsets name is known after loading.
    """

    def __init__(self, redactor: Callable[[], Redactor]) -> None:
        self._redactor = redactor

    def shown(self, text: str) -> str:
        """Return the end of what others wrote: no secret, nothing unseen, no command to a runner."""
        return log_text(self._redactor().text(text)[-MOST_SHOWN:])

    def without_secrets(self, text: str) -> str:
        """Return `text` without secrets, all else as it is; the same object where there is none."""
        return self._redactor().shown(text)

    def on_screen(self, text: str) -> str:
        """Return what is about to be written to a terminal: colours stay, secrets and commands do not."""
        return without_commands(self._redactor().shown(text))


class GuardedStream(io.TextIOBase):
    """Takes what user code prints, and passes it on line by line, fit to be shown."""

    def __init__(self, stream: TextIO, guard: Guard) -> None:
        self._stream, self._guard = stream, guard
        self._begun = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        whole, end, self._begun = (self._begun + text).rpartition("\n")
        if end:
            self._stream.write(self._guard.shown(whole) + end)
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def finish(self) -> None:
        """Pass on a last line without an end."""
        if self._begun:
            self.write("\n")


def guard_for(settings: Settings) -> Guard:
    """Return a guard that knows the secrets of the configuration."""
    redactor = Redactor(settings.secrets.values(), settings.config.redact)
    return Guard(lambda: redactor)


class GuardedRecords:
    """Makes log records without secrets, whoever writes them where; install once, remove at the end."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._before: Callable[..., logging.LogRecord] | None = None

    def install(self) -> None:
        self._before = logging.getLogRecordFactory()
        logging.setLogRecordFactory(self._make)

    def remove(self) -> None:
        if self._before is not None:
            logging.setLogRecordFactory(self._before)
            self._before = None

    def _make(self, *arguments: Any, **named: Any) -> logging.LogRecord:
        record = (self._before or logging.LogRecord)(*arguments, **named)
        try:
            said = record.getMessage()
        except Exception:  # noqa: BLE001 - arguments that do not fit: logging tells so itself
            return record
        clean = self._guard.without_secrets(said)
        if clean is not said:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[0] is not None:
            told = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
            clean = self._guard.without_secrets(told)
            if clean is not told:
                # Formatters take the text where there is one; the exception itself would be formatted again.
                record.exc_text, record.exc_info = clean, None
        if record.stack_info:
            record.stack_info = self._guard.without_secrets(record.stack_info)
        return record


def guard_loop(loop: asyncio.AbstractEventLoop, guard: Guard) -> None:
    """Let what a loop complains of (a task that failed and was forgotten) be told without secrets.

    The loop keeps this to its end: tasks are forgotten when they are collected, which may be at exit.
    """

    def tell(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        lines = [str(context.get("message") or "Unhandled exception in event loop")]
        lines += [
            f"{key}: {context[key]!r}" for key in sorted(context) if key not in ("message", "exception")
        ]
        error = context.get("exception")
        if isinstance(error, BaseException):
            lines += "".join(traceback.format_exception(error)).rstrip("\n").split("\n")
        logging.getLogger("asyncio").error("%s", guard.shown("\n".join(lines)))

    loop.set_exception_handler(tell)
