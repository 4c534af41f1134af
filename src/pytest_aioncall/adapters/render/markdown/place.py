"""Where a report is shown, and what is known of that place for sure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from . import escape


@dataclass(frozen=True, slots=True)
class Place:
    """What stands around a report. Nothing in here comes out of a report: a forged one cannot choose it.

    Outside of workflow runs there is nothing to forge: there `commit`, `ran` and `dirty` are the run's own.

    updated     when this is written, aware
    version     of this package
    repository  address of the repository on its server; None outside of GitHub
    base        name of the branch that is compared with; empty where it is not known
    commit      full id of the commit that ran; empty where it is not known
    folder      of the project below the repository's root, "" or `evals/`
    run_name, run_url, attempt   of the workflow run; the name is its number
    ran, dirty  when that run was, aware, and whether there were uncommitted changes; None in a workflow run
    trusted     the report was written by a run that may be believed: files of the repository are linked
    """

    updated: datetime
    version: str
    repository: str | None = None
    base: str = ""
    commit: str = ""
    folder: str = ""
    run_name: str = ""
    run_url: str | None = None
    attempt: int = 1
    ran: datetime | None = None
    dirty: bool = False
    trusted: bool = True

    def line_of(self, label: str, file: str, line: int) -> str:
        """Return `label` (safe Markdown) as a link to a line of a file, where there is such an address."""
        if not (self.trusted and self.repository and self.commit and file and line > 0):
            return label
        path = quote(self.folder + file, safe="/")
        return escape.link(label, f"{self.repository}/blob/{self.commit}/{path}#L{line}")

    def issue(self, number: int | None, url: str | None) -> str:
        """Name an issue: as a link where the address is in this repository, else by its number in code."""
        if number is None:
            return ""
        label = escape.inline(f"#{number}")
        ours = self.trusted and self.repository and (url or "").startswith(f"{self.repository}/issues/")
        return escape.link(label, url) if ours else label

    @property
    def doubt(self) -> str:
        """Say whose word a report is, where it is not that of a run of this repository; else nothing."""
        if self.trusted:
            return ""
        return "*As the fork's own run says: its code wrote this report, and nothing here has checked it.*"

    @property
    def footer(self) -> str:
        """Say where this comes from: run, attempt, commit, version, time."""
        parts = []
        if self.run_name:
            run = escape.link(f"run {escape.inline(self.run_name, 40)}", self.run_url)
            parts.append(f"{run} attempt {self.attempt}")
        if self.commit:
            more = " with uncommitted changes" if self.dirty else ""
            parts.append(f"commit {escape.inline(self.commit[:7])}{more}")
        parts.append(f"aioncall {escape.prose(self.version, 40)}")
        when, said = (self.updated, "updated") if self.ran is None else (self.ran, "run")
        parts.append(f"{said} {when.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
        return f"*{', '.join(parts)}*"
