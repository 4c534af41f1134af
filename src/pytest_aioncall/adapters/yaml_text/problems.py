"""What is wrong in the files of one load: noted by YAML path while reading, given lines when reported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import LoadError, Problem
from ..text import one_line
from .files import read_bytes
from .positions import Lines, lines_in

REQUIRED = "is required"
MOST_TOLD = 100
"""Problems that one load tells; nobody reads more, and most of them say the same."""
_LONGEST_PLACE = 240


@dataclass(frozen=True, slots=True)
class _Finding:
    where: str
    message: str
    line: int
    other: tuple[Source, str] | None
    meant: str | None


@dataclass(eq=False, slots=True)
class Source:
    """One file that was read and what was found wrong in it.

    file        path shown to the user, relative to the project root, with forward slashes
    item_lines  JSON lines only: the line of each case, for paths that start with `cases[i]`
    """

    path: Path
    file: str
    item_lines: Sequence[int] | None = None
    findings: list[_Finding] = field(default_factory=list)

    def add(
        self,
        where: str,
        message: str,
        *,
        line: int = 0,
        other: tuple[Source, str] | None = None,
        meant: str | None = None,
    ) -> None:
        """Note one problem; line 0 is looked up later, `{other}` in it stands for the place `other`."""
        self.findings.append(_Finding(where, message, line, other, meant))

    def told(self) -> list[_Finding]:
        """Return the findings without "is required" where a misspelled key is named already (`meant`)."""
        meant = {finding.meant for finding in self.findings}
        return [f for f in self.findings if f.where not in meant or not f.message.startswith(REQUIRED)]

    def lines(self, wanted: Iterable[str]) -> Lines:
        """Return the lines of the YAML paths `wanted`, read again from the file."""
        if self.item_lines is not None:
            return Lines({f"cases[{index}]": line for index, line in enumerate(self.item_lines)})
        try:
            return lines_in(read_bytes(self.path, file=self.file), wanted)
        except LoadError:
            return Lines({})


def problems_of(sources: Sequence[Source], *, most: int | None = MOST_TOLD - 1) -> list[Problem]:
    """Return the findings of `sources` with their lines. Each file with findings is read once more.

    Of each source the first `most` are told (None: all), and how many are not.
    """
    wanted: dict[int, set[str]] = {}
    told = {id(source): source.told() for source in sources}
    for source in sources:
        for finding in told[id(source)][:most]:
            wanted.setdefault(id(source), set()).add(finding.where)
            if finding.other is not None:
                other, where = finding.other
                wanted.setdefault(id(other), set()).add(where)
    by_id = {id(source): source for source in sources}
    lines = {key: by_id[key].lines(paths) for key, paths in wanted.items()}
    problems = [
        Problem(
            source.file,
            finding.line or lines[id(source)].line(finding.where),
            _place(finding.where),
            _message(source, finding, lines),
        )
        for source in sources
        for finding in told[id(source)][:most]
    ]
    for source in sources:
        left = len(told[id(source)]) - (most or len(told[id(source)]))
        if left > 0:
            last = max(problem.line for problem in problems if problem.file == source.file)
            problems.append(Problem(source.file, last, "", f"{left:,} more problems; mend the others first"))
    return problems


def most_of(problems: Sequence[Problem]) -> list[Problem]:
    """Return the first MOST_TOLD problems in the order they are shown in, and how many are left."""
    shown = sorted(set(problems))
    left = len(shown) - MOST_TOLD
    if left <= 0:
        return shown
    files = len({problem.file for problem in shown[MOST_TOLD:]})
    where = f" in {files:,} files" if files > 1 else ""
    rest = f"from here on {left:,} more problems{where}; mend the others first"
    return [*shown[:MOST_TOLD], Problem(shown[MOST_TOLD].file, shown[MOST_TOLD].line, "", rest)]


def _place(where: str) -> str:
    """Return a YAML path as it is told: its beginning and its end where it is long."""
    half = _LONGEST_PLACE // 2
    return where if len(where) <= _LONGEST_PLACE else f"{where[:half]}...{where[-half:]}"


def quoted(value: Any, limit: int = 60) -> str:
    """Return `value` as a message shows it: on one line, short, text in single quotes."""
    if isinstance(value, str):
        return f"'{one_line(value, limit)}'"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "nothing" if value is None else one_line(str(value), limit)


def _message(source: Source, finding: _Finding, lines: dict[int, Lines]) -> str:
    if finding.other is None:
        return finding.message
    other, where = finding.other
    line = lines[id(other)].line(where)
    place = f"line {line}" if other is source else f"{other.file}:{line}"
    return finding.message.replace("{other}", place)
