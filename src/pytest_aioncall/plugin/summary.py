"""The block at the end of a run, in pytest's terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..flows.wording import summary_block
from ..model.report import Report
from ..settings import Settings

NO_CASE = (
    "no case was selected here; evalsets are *.eval.yaml files, found from the folder or path that is named. "
    "Write a first one with: aioncall init PACKAGE.MODULE:FUNCTION"
)


def write_summary(terminal: Any, report: Report, path: Path | None, settings: Settings) -> None:
    """Write verdict, why and next command; plain text where the encoding or NO_COLOR asks for it."""
    encoding = (getattr(terminal._tw._file, "encoding", None) or "ascii").lower()
    shown = None
    if path is not None:
        try:
            shown = path.resolve().relative_to(Path.cwd()).as_posix()
        except ValueError:
            shown = str(path)
    terminal.write_sep("=", "aioncall")
    lines = summary_block(
        report,
        width=terminal._tw.fullwidth,
        ascii_only="utf" not in encoding.replace("-", ""),
        report_path=shown,
    )
    for text, style in lines:
        terminal.write_line(text, **({_MARKUP.get(style, style): True} if style and settings.color else {}))


_MARKUP = {"dim": "light"}


def write_details(terminal: Any) -> None:
    """Write, with -vv, what cases answered that are not right and yet no failure to pytest."""
    for category, title in (("missed", "MISSES"), ("unjudged", "UNJUDGED"), ("not recorded", "NOT RECORDED")):
        told = [report for report in terminal.stats.get(category, ()) if hasattr(report, "aioncall_lines")]
        if not told:
            continue
        terminal.write_sep("=", title)
        for report in told:
            terminal.write_sep("_", report.nodeid)
            for line in report.aioncall_lines:
                terminal.write_line(line)


def write_problems(terminal: Any, lines: list[str]) -> None:
    """Write what is wrong with the files, under xdist (without it pytest refuses to start with them)."""
    for line in lines:
        terminal.write_line(line, red=True)
