"""The live line under pytest's own: done/total, rate, cost, errors, time left. On a TTY only."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Any

import pytest

from ..budget import Budget, Progress

REDRAW_S = 0.2


class ProgressLine:
    """Draws one line below the cursor and puts the cursor back, so that pytest's letters stay in place."""

    def __init__(self, reporter: Any, file: Any, capture: Any, *, total: int) -> None:
        self._reporter = reporter
        self._capture = capture
        self._file = file
        self._total = total
        self._started = time.monotonic()
        self._drawn_at = 0.0
        self._shown = False

    @classmethod
    def on(cls, config: pytest.Config, *, total: int) -> ProgressLine | None:
        """Return a line where pytest writes to a terminal; None in CI, in pipes and with `-q -q`."""
        reporter = config.pluginmanager.getplugin("terminalreporter")
        file = getattr(getattr(reporter, "_tw", None), "_file", None)
        if reporter is None or file is None or not reporter.isatty or config.get_verbosity() < -1:
            return None
        return cls(reporter, file, config.pluginmanager.getplugin("capturemanager"), total=total)

    def add(self, samples: int) -> None:
        """Add samples of a further round to what is to be done."""
        self._total += samples

    def draw(self, progress: Progress, *, budget: Budget, retries: int, waiting: str | None = None) -> None:
        """Draw what is known, a few times a second at most."""
        now = time.monotonic()
        if now - self._drawn_at < REDRAW_S:
            return
        self._drawn_at = now
        elapsed = max(now - self._started, 1e-6)
        rate = progress.done / elapsed
        left = (self._total - progress.done) / rate if progress.done else None
        from ..flows.wording import progress_text

        text = progress_text(
            done=progress.done,
            total=self._total,
            rate=rate,
            cost_usd=budget.spent_usd if budget.seen else None,
            cost_unknown=budget.unknown,
            retries=retries,
            errors=progress.errors,
            eta_s=left,
            waiting=waiting,
        )
        writer = self._reporter._tw
        column = int(getattr(writer, "width_of_current_line", 0))
        width = int(getattr(writer, "fullwidth", 80)) - 1
        back = f"\x1b[1A\r\x1b[{column}C" if column else "\x1b[1A\r"
        # While an item runs, its capture holds the terminal's own file descriptor.
        aside = self._capture.global_and_fixture_disabled() if self._capture else nullcontext()
        with aside:
            self._file.write(f"\n\r\x1b[2K{text[:width]}{back}")
            self._file.flush()
        self._shown = True

    def clear(self) -> None:
        """Erase the line before anybody else writes."""
        if self._shown:
            self._file.write("\x1b[J")
            self._file.flush()
            self._shown = False
