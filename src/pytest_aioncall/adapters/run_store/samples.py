"""Read `samples.jsonl`, and mend what a crash has torn in it.

A process that is killed leaves at most one torn line, the last. A machine that loses power may leave more: a
hole of zero bytes, or the end of a line that was never finished with others behind it. Whole lines are kept
in any case; what is no sample is put aside, never thrown away.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from ...errors import Problem, StoreError, UsageError
from ...model.sample import Sample
from ..text import one_line
from ..yaml_text import open_file
from ..yaml_text.json_lines import MAX_LINE_BYTES

SAMPLES_FILE = "samples.jsonl"
TORN_FILE = "samples.torn"
AGAIN_FILE = "samples.asked-again.jsonl"

_MAX_BYTES = 1 << 40

Place = tuple[str, str, int]
"""(evalset, case, epoch)."""


def read_samples(folder: Path, *, cases: Collection[str] | None = None) -> Iterator[Sample]:
    """Yield the samples of a run in the order of their finishing; those of `cases` only where given.

    A torn last line is passed over. Lines of other cases are not parsed.
    """
    wanted = None if cases is None else {f'"case":{json.dumps(case)},'.encode() for case in cases}
    path = folder / SAMPLES_FILE
    with open_file(path, file=str(path), limit=_MAX_BYTES) as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            if not line.endswith(b"\n") and len(line) <= MAX_LINE_BYTES:
                return
            if wanted is not None and _case_key(line) not in wanted:
                continue
            try:
                yield Sample.model_validate_json(line)
            except ValidationError as error:
                told = one_line(error.errors(include_url=False, include_input=False)[0]["msg"], 300)
                message = f"not a sample: {told}; mend it with: aioncall runs mend"
                raise UsageError(str(Problem(str(path), number, "", f"{message} {folder.name}"))) from None


def _case_key(line: bytes) -> bytes:
    """Return `"case":"...",` as it stands in a sample's line (ids hold no quotes)."""
    start = line.find(b'"case":')
    return line[start : line.find(b",", start) + 1]


class KeptSamples:
    """The samples that a run has, found by place; each is read from disk when it is asked for.

    torn   lines that were no samples and were put aside
    again  samples that were put aside since they are to be asked again
    """

    def __init__(
        self,
        path: Path,
        places: dict[Place, tuple[int, int]],
        *,
        digests: dict[Place, str],
        torn: int,
        again: int,
    ) -> None:
        self._path = path
        self._places = places
        self._digests = digests
        self.torn = torn
        self.again = again

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, place: Place) -> bool:
        return place in self._places

    def digests(self) -> Iterator[tuple[Place, str]]:
        """Yield each place that has a sample, with the digest of its case as it was."""
        return iter(self._digests.items())

    def get(self, place: Place) -> Sample | None:
        """Return the sample at a place, None where there is none."""
        found = self._places.get(place)
        if found is None:
            return None
        start, length = found
        with self._path.open("rb") as file:
            return Sample.model_validate_json(_part(file, start, length))


@dataclass(slots=True)
class _Sorted:
    """The lines of a file by what becomes of them."""

    places: dict[Place, tuple[int, int]]
    digests: dict[Place, str]
    kept: list[tuple[int, int]]
    again: list[tuple[int, int]]
    torn: list[tuple[int, int]]
    holes: bool = False


def mend_samples(
    folder: Path,
    *,
    again: Callable[[Sample], bool] | None = None,
    seen: Callable[[Sample], None] | None = None,
) -> KeptSamples:
    """Make a run folder one that can be written on: whole lines only, and none that is to be asked again.

    again  tells of a sample whether it will be asked again; it moves to `samples.asked-again.jsonl`
    seen   is called with every sample that stays

    What is no sample moves to `samples.torn`. Nothing is rewritten where all lines stay. Raises StoreError
    where the disk takes nothing, UsageError where the file cannot be read.
    """
    path = folder / SAMPLES_FILE
    try:
        found = _sorted_lines(path, again=again, seen=seen)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    if found.again or found.torn or found.holes:
        try:
            _copy(path, folder / AGAIN_FILE, found.again)
            _copy(path, folder / TORN_FILE, found.torn)
            found.places = _rewrite(path, found)
        except OSError as error:
            raise StoreError(
                f"{path}: cannot be mended: {error.strerror or error}; it is as it was"
            ) from error
    return _kept(path, found)


def index_samples(folder: Path, *, again: Callable[[Sample], bool] | None = None) -> KeptSamples:
    """Find the samples of a run as `mend_samples` does, and leave the file as it is."""
    path = folder / SAMPLES_FILE
    try:
        return _kept(path, _sorted_lines(path, again=again, seen=None))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def _kept(path: Path, found: _Sorted) -> KeptSamples:
    return KeptSamples(
        path, found.places, digests=found.digests, torn=len(found.torn), again=len(found.again)
    )


def _sorted_lines(
    path: Path, *, again: Callable[[Sample], bool] | None, seen: Callable[[Sample], None] | None
) -> _Sorted:
    found = _Sorted({}, {}, [], [], [])
    if not path.exists():
        return found
    with path.open("rb") as file:
        for start, whole, after_a_hole in _pieces(file):
            found.holes = found.holes or after_a_hole
            if not whole:
                continue
            span = (start, len(whole))
            try:
                if not whole.endswith(b"\n"):
                    raise ValueError("torn")
                sample = Sample.model_validate_json(whole)
            except ValueError:
                found.torn.append(span)
                continue
            if again is not None and again(sample):
                found.again.append(span)
                continue
            if seen is not None:
                seen(sample)
            found.kept.append(span)
            place = (sample.evalset, sample.case, sample.epoch)
            found.places[place] = span
            found.digests[place] = sys.intern(sample.digest)
    return found


def _pieces(file: IO[bytes]) -> Iterator[tuple[int, bytes, bool]]:
    """Yield each line with where it starts, and whether a hole is before it; what has no end comes in pieces.

    A hole of zero bytes, which a power cut leaves, has no end of line: the next sample hangs on it. Holes and
    lines without end may be gigabytes, and are never in memory as one.
    """
    start, line, after_a_hole = 0, b"", False
    while part := file.readline(1 << 20):
        if not line:
            whole = part.lstrip(b"\0")
            after_a_hole = after_a_hole or len(whole) < len(part)
            start += len(part) - len(whole)
            part = whole
        line += part
        if line.endswith(b"\n") or len(line) > MAX_LINE_BYTES:
            yield start, line, after_a_hole
            start, line, after_a_hole = start + len(line), b"", False
    yield start, line, after_a_hole


def _part(file: IO[bytes], start: int, length: int) -> bytes:
    file.seek(start)
    return file.read(length)


def _copy(source: Path, target: Path, spans: list[tuple[int, int]]) -> None:
    """Append parts of a file to another one, on disk when this returns."""
    if not spans:
        return
    with source.open("rb") as file, target.open("ab") as out:
        for start, length in spans:
            part = _part(file, start, length)
            out.write(part if part.endswith(b"\n") else part + b"\n")
        out.flush()
        os.fsync(out.fileno())


def _rewrite(path: Path, found: _Sorted) -> dict[Place, tuple[int, int]]:
    """Replace the file by the lines that stay; return where each place stands now."""
    moved: dict[tuple[int, int], tuple[int, int]] = {}
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with path.open("rb") as file, partial.open("wb") as out:
            position = 0
            for start, length in found.kept:
                out.write(_part(file, start, length))
                moved[start, length] = (position, length)
                position += length
            out.flush()
            os.fsync(out.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return {place: moved[span] for place, span in found.places.items()}
