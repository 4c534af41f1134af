"""Baselines: `<evalset>.jsonl` and `<evalset>.outputs.jsonl`, committed and reviewed line by line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from ..errors import LoadError, NotComparable, Problem
from ..model.baseline import BaselineHeader, CaseRow, StoredOutput
from ..model.frozen import Frozen

OUTPUT_LIMIT = 2048
"""Bytes of an output that are kept; a longer one is kept by its hash alone."""

Line = TypeVar("Line", bound=Frozen)


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline as read: header, one row a case, and the outputs kept of a case (one entry an epoch)."""

    header: BaselineHeader
    rows: tuple[CaseRow, ...]
    output_hashes: Mapping[str, tuple[str | None, ...]]
    path: Path
    outputs_text: str = field(default="", repr=False)

    def texts_of(self, cases: Collection[str]) -> dict[str, tuple[str | None, ...]]:
        """Return the outputs kept of some cases, one entry an epoch; None where only the hash was kept.

        They are parsed when asked for: a report shows a few hundred of what may be 10,000.
        """
        found: dict[str, list[StoredOutput]] = {}
        for line in self.outputs_text.split("\n"):
            if line.strip():
                output = StoredOutput.model_validate_json(line)
                if output.case in cases:
                    found.setdefault(output.case, []).append(output)
        return {
            case: tuple(o.text for o in sorted(lines, key=lambda o: o.epoch)) for case, lines in found.items()
        }


def baseline_path(evalset_file: Path, evalset: str) -> Path:
    """Return where the baseline of an evalset stands: `baselines/<evalset>.jsonl` beside its file."""
    return evalset_file.parent / "baselines" / f"{evalset}.jsonl"


def outputs_path(path: Path) -> Path:
    """Return where the outputs of a baseline file stand."""
    return path.with_name(f"{path.stem}.outputs.jsonl")


def read_baseline(path: Path) -> Baseline:
    """Read a baseline from disk; raises LoadError with every bad line, NotComparable for another format."""
    text = _text_of(path)
    beside = outputs_path(path)
    return parse_baseline(text, outputs=_text_of(beside) if beside.is_file() else "", path=path)


def is_baseline(path: Path) -> bool:
    """Tell a baseline from flat scores by its first line: a header with a format."""
    try:
        with path.open("rb") as file:
            first = json.loads(file.readline(1_000_000))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(first, dict) and "format" in first and "case_id" not in first


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError([Problem(str(path), 0, "", f"cannot be read: {error}")]) from None


def parse_baseline(text: str, *, outputs: str, path: Path) -> Baseline:
    """Parse the text of a baseline and of its outputs (empty where there are none)."""
    first, _, rest = text.partition("\n")
    header = _header_of(first, path)
    rows = tuple(_lines(rest, CaseRow, path, start=2))
    twice = _first_duplicate(rows)
    if twice is not None:
        raise LoadError([Problem(str(path), twice + 2, "case", f"{rows[twice].case!r} stands twice")])
    kept: dict[str, list[tuple[int, str]]] = {}
    for line in _lines(outputs, StoredOutput, outputs_path(path), start=1):
        kept.setdefault(line.case, []).append((line.epoch, line.sha256))
    hashes = {case: tuple(sha256 for _, sha256 in sorted(found)) for case, found in kept.items()}
    return Baseline(header, rows, hashes, path, outputs)


def _header_of(line: str, path: Path) -> BaselineHeader:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or "format" not in data:
        problem = "the first line is not a baseline header; write one with: aioncall baseline accept"
        raise LoadError([Problem(str(path), 1, "", problem)])
    if data["format"] != 1:
        raise NotComparable(
            f"{path}:1: format {data['format']!r}, this version reads format 1; "
            "upgrade pytest-aioncall or accept a new baseline"
        )
    try:
        return BaselineHeader.model_validate(data)
    except ValidationError as error:
        raise LoadError([_problem_of(error, path, 1)]) from None


def _lines(text: str, kind: type[Line], path: Path, *, start: int) -> Iterator[Line]:
    """Yield the lines as nouns; the bad ones are raised together at the end."""
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), start=start):
        if not line.strip():
            continue
        try:
            yield kind.model_validate_json(line)
        except ValidationError as error:
            problems.append(_problem_of(error, path, number))
    if problems:
        raise LoadError(problems[:50])


def _problem_of(error: ValidationError, path: Path, line: int) -> Problem:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return Problem(str(path), line, where, first["msg"].lower())


def _first_duplicate(rows: Sequence[CaseRow]) -> int | None:
    seen: set[str] = set()
    for index, row in enumerate(rows):
        if row.case in seen:
            return index
        seen.add(row.case)
    return None


def baseline_text(header: BaselineHeader, rows: Iterable[CaseRow]) -> str:
    """Write the file: header, then one line a case, sorted by id, so that a diff shows what moved."""
    lines = [_compact(header.model_dump(mode="json", by_alias=True))]
    lines += [_compact(row.model_dump(mode="json")) for row in sorted(rows, key=lambda r: r.case)]
    return "\n".join(lines) + "\n"


def outputs_text(outputs: Iterable[StoredOutput]) -> str:
    """Write the outputs file, sorted by case and epoch."""
    ordered = sorted(outputs, key=lambda o: (o.case, o.epoch))
    return "".join(_compact(o.model_dump(mode="json", exclude_none=True)) + "\n" for o in ordered)


def stored_output(case: str, epoch: int, *, text: str, sha256: str, keep_all: bool) -> StoredOutput:
    """Keep an output's text up to OUTPUT_LIMIT bytes (all of it where asked), and its hash in any case."""
    fits = keep_all or len(text.encode("utf-8", "surrogatepass")) <= OUTPUT_LIMIT
    return StoredOutput(case=case, epoch=epoch, sha256=sha256, text=text if fits else None)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def file_facts(path: Path, *, text_limit: int = 8192) -> dict[str, Any]:
    """Describe one subject file: its hash, and its text where it is small, for a diff to be shown later."""
    data = path.read_bytes()
    facts: dict[str, Any] = {"sha256": hashlib.sha256(data).hexdigest()}
    if len(data) <= text_limit:
        try:
            facts["text"] = data.decode("utf-8")
        except UnicodeDecodeError:
            return facts
    return facts
