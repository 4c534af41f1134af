"""`report.json` read back: by the job that wrote it, and by one that may not believe a word of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from ..errors import LoadError, Problem, UsageError
from ..model.report import Report
from .text import one_line

NAME: Final = "report.json"
MOST_BYTES: Final = 256_000_000
MOST_BYTES_OF_OTHERS: Final = 32_000_000
"""Of a report that the run of a fork may have written: that is 500 cases in full, and more."""
MOST_FILES: Final = 64
_MOST_TOLD: Final = 3


def read_reports(place: Path, *, trusted: bool = True) -> list[Report]:
    """Read a report, or every `report.json` below a folder, sorted by path.

    Raises UsageError where there is none, and LoadError with file and field where one is not what this
    version writes: too large, no JSON, an unknown field, a value of another type.
    """
    if place.is_symlink() and not trusted:
        raise UsageError(f"{place}: is a link; a report that somebody else wrote has to be a file")
    if not place.is_dir():
        if not place.is_file():
            raise UsageError(
                f"{place}: no report; run pytest --aioncall first, or name it with --report FILE"
            )
        return [_read(place, trusted=trusted)]
    found = sorted(_reports_below(place, trusted=trusted))
    if not found:
        raise UsageError(f"{place}: holds no {NAME}; did the run get as far as a report?")
    if len(found) > MOST_FILES:
        raise UsageError(f"{place}: holds {len(found)} reports, and {MOST_FILES} are the most that are read")
    return [_read(path, trusted=trusted) for path in found]


def _reports_below(folder: Path, *, trusted: bool) -> Iterator[Path]:
    for path in folder.rglob(NAME):
        inside = path.resolve().is_relative_to(folder.resolve())
        if path.is_file() and (trusted or (inside and not path.is_symlink())):
            yield path


def _read(path: Path, *, trusted: bool) -> Report:
    most = MOST_BYTES if trusted else MOST_BYTES_OF_OTHERS
    size = path.stat().st_size
    if size > most:
        raise LoadError([Problem(str(path), 0, "", f"{size:,} bytes; {most:,} are the most that are read")])
    try:
        return Report.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise LoadError(list(_problems(path, error))) from None


def _problems(path: Path, error: ValidationError) -> Iterator[Problem]:
    """Yield what is wrong, by the field; never what stands in it, which is somebody's text."""
    told = error.errors(include_url=False, include_context=False, include_input=False)
    more = f" (and {len(told) - _MOST_TOLD} more)" if len(told) > _MOST_TOLD else ""
    for one in told[:_MOST_TOLD]:
        where = one_line(".".join(map(str, one["loc"])), 120)
        what = f"{one_line(one['msg'], 200)}; is it of another version of pytest-aioncall?{more}"
        yield Problem(str(path), 0, where, what)
