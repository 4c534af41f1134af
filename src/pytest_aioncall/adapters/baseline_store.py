"""Baselines: `<evalset>.jsonl` and `<evalset>.outputs.jsonl`, committed and reviewed line by line."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from ..errors import LoadError, NotComparable, Problem
from ..model.baseline import BaselineHeader, CaseRow, OutputsMark, StoredOutput
from ..model.frozen import Frozen, canonical_json
from ..model.sample import Output
from .text import one_line
from .yaml_text import open_file, quoted, read_bytes
from .yaml_text.json_lines import MAX_LINE_BYTES, read_json
from .yaml_text.problems import most_of

OUTPUT_LIMIT = 2048
"""Bytes of an output that are kept; a longer one is kept by its hash alone."""
MAX_BYTES = 512 * 1024 * 1024
"""Bytes that a baseline, or the outputs beside it, may have."""
_MOST_BAD_LINES = 1_000
# What a number that is not finite is written with; most files have none of it.
_MAYBE_ENDLESS = re.compile(r"NaN|Infinity|[eE]\+?[0-9]{3}|[0-9]{300}")

Line = TypeVar("Line", bound=Frozen)


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline as read: header, one row a case, and the outputs kept of a case (one entry an epoch).

    `mismatch` says why the outputs file beside it is not the one that was written with this header (a merge
    that took one side of one file, a crash); its outputs are then taken as unknown.
    """

    header: BaselineHeader
    rows: tuple[CaseRow, ...]
    output_hashes: Mapping[str, tuple[str | None, ...]]
    path: Path
    outputs_text: str = field(default="", repr=False)
    mismatch: str | None = None

    def outputs(self) -> list[StoredOutput]:
        """Return the outputs kept, in the order of the file."""
        lines = self.outputs_text.split("\n")
        return [StoredOutput.model_validate_json(line) for line in lines if line.strip()]

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
        with open_file(path, file=path.as_posix(), limit=MAX_BYTES) as file:
            first = json.loads(file.readline(MAX_LINE_BYTES).removeprefix(_BOM))
    except (LoadError, ValueError, RecursionError):
        return False
    return isinstance(first, dict) and "format" in first and "case_id" not in first


_BOM = b"\xef\xbb\xbf"


def _text_of(path: Path) -> str:
    raw = read_bytes(path, file=str(path), limit=MAX_BYTES)
    try:
        return raw.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"cannot be read: byte 0x{raw[error.start]:02x} is not UTF-8; take the committed file again"
        raise LoadError([Problem(str(path), line, "", message)]) from None


def parse_baseline(text: str, *, outputs: str, path: Path) -> Baseline:
    """Parse the text of a baseline and of its outputs (empty where there are none)."""
    first, _, rest = text.partition("\n")
    header = _header_of(first, path)
    rows = tuple(_lines(rest, CaseRow, path, start=2))
    twice = _first_duplicate(rows)
    if twice is not None:
        again = quoted(rows[twice].case)
        raise LoadError([Problem(str(path), _line_of_row(rest, twice), "case", f"{again} stands twice")])
    kept: dict[str, list[tuple[int, str]]] = {}
    for line in _lines(outputs, StoredOutput, outputs_path(path), start=1):
        kept.setdefault(line.case, []).append((line.epoch, line.sha256))
    hashes = {case: tuple(sha256 for _, sha256 in sorted(found)) for case, found in kept.items()}
    mismatch = _mismatch(header, outputs, path=path)
    if mismatch is not None:
        return Baseline(header, rows, {}, path, "", mismatch)
    return Baseline(header, rows, hashes, path, outputs)


def _mismatch(header: BaselineHeader, outputs: str, *, path: Path) -> str | None:
    """Say why these outputs are not those of this header; None where they are, or where it marks none."""
    mark, name = header.outputs, outputs_path(path).name
    if mark is None:
        return None
    if not outputs and mark.count:
        return f"{name} is missing, its {mark.count} outputs with it"
    if marked(outputs) == mark:
        return None
    return f"{name} is not the file that was written with {path.name}"


def marked(outputs: str) -> OutputsMark:
    """Return what a header says of its outputs file, given the file's text."""
    text = outputs.replace("\r\n", "\n")
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return OutputsMark(count=sum(1 for line in text.split("\n") if line.strip()), sha256=digest)


def _header_of(line: str, path: Path) -> BaselineHeader:
    why = ""
    try:
        data = read_json(line.encode("utf-8", "surrogatepass"))
    except ValueError as error:
        data, why = None, f" (it {error})" if line.lstrip().startswith("{") else ""
    if not isinstance(data, dict) or "format" not in data:
        problem = f"the first line is not a baseline header{why}; write one with: aioncall baseline accept"
        raise LoadError([Problem(str(path), 1, "", problem)])
    if data["format"] != 1 or isinstance(data["format"], bool):
        raise NotComparable(
            f"{path}:1: format {quoted(data['format'])}, this version reads format 1; "
            "upgrade pytest-aioncall or accept a new baseline"
        )
    try:
        return BaselineHeader.model_validate(data)
    except ValidationError as error:
        raise LoadError([_problem_of(error, path, 1)]) from None


def _lines(text: str, kind: type[Line], path: Path, *, start: int) -> Iterator[Line]:
    """Yield the lines as nouns; the bad ones are raised together at the end."""
    problems: list[Problem] = []
    endless = _MAYBE_ENDLESS.search(text) is not None
    for number, line in enumerate(text.split("\n"), start=start):
        if not line.strip():
            continue
        try:
            found = kind.model_validate_json(line)
        except ValidationError as error:
            problems.append(_problem_of(error, path, number))
            if len(problems) == _MOST_BAD_LINES:
                break
            continue
        if endless and isinstance(found, CaseRow) and not _is_finite(found):
            problems.append(Problem(str(path), number, "", "holds a number that is not finite"))
        yield found
    if problems:
        raise LoadError(most_of(problems))


def _is_finite(row: CaseRow) -> bool:
    """Tell whether every number of a row can be computed with; a NaN compares with nothing."""
    series = (row.latency_s, row.cost_usd, *row.scores.values())
    return all(value is None or math.isfinite(value) for values in series for value in values)


def _line_of_row(rest: str, index: int) -> int:
    """Return the line of a row, given the text below the header; blank lines count as lines, not as rows."""
    lines = [number for number, line in enumerate(rest.split("\n"), start=2) if line.strip()]
    return lines[index]


def _problem_of(error: ValidationError, path: Path, line: int) -> Problem:
    first = error.errors(include_url=False, include_input=False)[0]
    where = one_line(".".join(str(part) for part in first["loc"]), 200)
    return Problem(str(path), line, where, one_line(first["msg"].lower(), 300))


def _first_duplicate(rows: Sequence[CaseRow]) -> int | None:
    seen: set[str] = set()
    for index, row in enumerate(rows):
        if row.case in seen:
            return index
        seen.add(row.case)
    return None


def baseline_text(header: BaselineHeader, rows: Iterable[CaseRow]) -> str:
    """Write the file: header, then one line a case, sorted by id, so that a diff shows what moved."""
    lines = [_compact(_header_json(header))]
    lines += [_compact(_row_json(row)) for row in sorted(rows, key=lambda r: r.case)]
    return "\n".join(lines) + "\n"


def _row_json(row: CaseRow) -> dict[str, Any]:
    """Return a row as it stands in the file: no tokens and no documents where the target told none."""
    data = row.model_dump(mode="json")
    for name in ("tokens_in", "tokens_out", "retrieved"):
        if not data[name]:
            del data[name]
    return data


def _header_json(header: BaselineHeader) -> dict[str, Any]:
    """Return the header as it stands in the file: what is not the case takes no room."""
    data = header.model_dump(mode="json", by_alias=True)
    for name in ("dirty", "outputs", "rejudged"):
        if not data[name]:
            del data[name]
    for info in data["scorers"].values():
        if not info["parts"]:
            del info["parts"]
    return data


def outputs_text(outputs: Iterable[StoredOutput]) -> str:
    """Write the outputs file, sorted by case and epoch."""
    ordered = sorted(outputs, key=lambda o: (o.case, o.epoch))
    return "".join(_compact(_output_json(o)) + "\n" for o in ordered)


def _output_json(output: StoredOutput) -> dict[str, Any]:
    data = output.model_dump(mode="json", exclude_none=True)
    if not output.cut:
        del data["cut"]
    return data


def stored_output(case: str, epoch: int, *, output: Output, sha256: str, keep_all: bool) -> StoredOutput:
    """Keep an output: each part of it up to OUTPUT_LIMIT bytes (all of it where asked), its hash in any case.

    `output` has been redacted; `cut` names the parts that are there and too large.
    """
    parts: dict[str, Any] = {
        "data": output.data,
        "retrieved": [d.model_dump(exclude_none=True) for d in output.retrieved or ()],
        "tool_calls": list(output.tool_calls or ()),
    }
    had = {
        "data": output.data is not None,
        "retrieved": output.retrieved is not None,
        "tool_calls": output.tool_calls is not None,
    }
    kept: dict[str, Any] = {}
    cut = []
    for name, there in had.items():
        if there and (keep_all or _size(canonical_json(parts[name])) <= OUTPUT_LIMIT):
            kept[name] = parts[name]
        elif there:
            cut.append(name)
    fits = keep_all or _size(output.text) <= OUTPUT_LIMIT
    text = output.text if fits else None
    return StoredOutput.model_validate(
        {"case": case, "epoch": epoch, "sha256": sha256, "text": text, "cut": cut, **kept}
    )


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def file_facts(path: Path, *, text_limit: int = 8192) -> dict[str, Any]:
    """Describe one subject file: its hash, and its text where it is small, for a diff to be shown later."""
    with path.open("rb") as file:
        facts: dict[str, Any] = {"sha256": hashlib.file_digest(file, "sha256").hexdigest()}
        if file.tell() <= text_limit:
            file.seek(0)
            try:
                facts["text"] = file.read().decode("utf-8")
            except UnicodeDecodeError:
                return facts
    return facts
