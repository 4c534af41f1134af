"""The summary of a step: the report as Markdown, its outputs, and annotations on lines of evalset files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...adapters.render.markdown import Place, prose, summary
from ...adapters.render.markdown.escape import SUMMARY_LIMIT
from ...adapters.render.story import stories
from ...adapters.runner import add_outputs, add_summary, annotation_line, read_event, room_in_summary
from ...errors import UsageError
from ...model.report import Report
from ...settings import Settings
from .annotations import annotations_of
from .outputs import outputs
from .place import place_of
from .reports import load_report, report_place

_LEAST_ROOM = 2_000


@dataclass(frozen=True, slots=True)
class Summarised:
    """What came of it.

    text      the Markdown
    written   where it was appended; None: nowhere, so it is to be printed
    commands  lines for the runner, to be printed as they are
    note      one line for the log
    """

    text: str
    written: Path | None = None
    commands: tuple[str, ...] = ()
    note: str = ""


def publish_summary(
    where: str | None, *, settings: Settings, annotate: bool = True, dry_run: bool = False
) -> Summarised:
    """Append the report to the summary of this step, and set the step's outputs.

    Raises UsageError where there is no report; the summary says so, too. Annotations are made under GitHub
    Actions only: elsewhere nobody reads them.
    """
    github = settings.github
    try:
        report = load_report(where, settings)
    except UsageError as error:
        if github.summary is not None and not dry_run:
            add_summary(github.summary, f"### aioncall: no report\n\n{prose(str(error), 400)}\n")
        raise
    place = place_of(settings, read_event(github.event_path), report.run)
    told = stories(report)
    commands: tuple[str, ...] = ()
    if annotate and github.run_url is not None:
        commands = tuple(map(annotation_line, annotations_of(told, folder=place.folder)))
    if dry_run:
        return Summarised(summary(report, place), commands=commands, note="dry run: nothing was written")
    if github.output is not None:
        path = Path(where) if where is not None else report_place(settings)
        add_outputs(github.output, outputs(report, told, path=path, settings=settings))
    if github.summary is None:
        return Summarised(summary(report, place), commands=commands)
    text, note = append_summary(report, place, github.summary)
    return Summarised(text, written=github.summary, commands=commands, note=note)


def append_summary(report: Report, place: Place, path: Path) -> tuple[str, str]:
    """Append the report to a summary as far as there is room; return the text and a line for the log."""
    room = room_in_summary(path, SUMMARY_LIMIT)
    if room < _LEAST_ROOM:
        return "", f"the summary of this step is full ({SUMMARY_LIMIT:,} bytes): nothing was added"
    text = summary(report, place, room=room - 2)
    add_summary(path, text)
    return text, f"summary written ({len(text.encode()):,} bytes)"
