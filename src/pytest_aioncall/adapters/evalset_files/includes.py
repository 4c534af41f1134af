"""The files that belong to an evalset besides its own: incident files, more cases in YAML or JSON lines."""

from __future__ import annotations

import os.path
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ...model.evalset import IncidentSource
from ..yaml_text import Source, parse_yaml, quoted, read_bytes
from ..yaml_text.json_lines import as_text, file_rows
from ..yaml_text.words import kind_of, note_refusal, note_unknown_keys
from .shapes import CASE_TEXT, INCIDENT_KEYS, INCIDENT_SHAPE, SOURCE_KEYS

MAX_CASES = 1_000_000
"""Cases of one file of JSON lines."""
_MAX_FILES = 10_000
# Each one more multiplies the walk by the depth of the tree: twelve of them take hours in a deep one.
_MOST_STARS = 2
_YAML = (".yaml", ".yml")
_EVALSET = (".eval.yaml", ".eval.yml")


@dataclass(slots=True)
class CaseFile:
    """Cases as one file holds them, not yet checked.

    lines     line of each case
    incident  where all cases of the file come from; None in a file that is no incident's
    """

    source: Source
    raw_cases: list[Any]
    lines: list[int]
    incident: IncidentSource | None = None


def shown_path(path: Path, root: Path) -> str:
    """Return `path` as messages and node ids show it: relative to `root` where it lies below it."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow symlinks
    for candidate, base in ((absolute, Path(os.path.abspath(root))), (_resolved(path), _resolved(root))):  # noqa: PTH100
        if candidate.is_relative_to(base):
            return candidate.relative_to(base).as_posix()
    return path.as_posix()


def included_paths(patterns: list[str], evalset: Source, *, root: Path, name: str | None) -> Iterator[Path]:
    """Yield each file of `include` once, then the incident files of evalset `name` that are not listed."""
    seen = {_resolved(evalset.path)}
    folder = evalset.path.parent
    for index, pattern in enumerate(patterns):
        where = f"include[{index}]"
        for path in _matches(folder, pattern, where, evalset):
            resolved = _resolved(path)
            if resolved in seen:
                continue
            seen.add(resolved)
            if _may_include(path, resolved, where, evalset, root=root):
                yield path
    if name is not None:
        for path in sorted((folder / "incidents" / name).glob("*.yaml")):
            resolved = _resolved(path)
            if resolved in seen:
                continue
            seen.add(resolved)
            if _may_include(path, resolved, "include", evalset, root=root):
                yield path


def _resolved(path: Path) -> Path:
    """Return where links lead to; one to itself, which Path.resolve refuses in some versions, to itself."""
    return Path(os.path.realpath(path))


def read_case_file(path: Path, *, root: Path) -> CaseFile:
    """Return the cases of one included file. Raises LoadError where it cannot be read at all."""
    source = Source(path, shown_path(path, root))
    if path.suffix == ".jsonl":
        return _read_json_lines(source)
    return _read_yaml(source, in_incidents="incidents" in Path(source.file).parts[:-1])


def json_line_numbers(path: Path, *, file: str) -> list[int]:
    """Return the line of each case in a JSON-lines file."""
    source = Source(path, file)
    return [line for line, _ in file_rows(source)]


def _matches(folder: Path, pattern: str, where: str, evalset: Source) -> list[Path]:
    if Path(pattern).is_absolute() or not pattern.strip():
        evalset.add(where, f"{quoted(pattern)} has to be a path relative to this file")
        return []
    if pattern.count("**") > _MOST_STARS:
        evalset.add(where, f"{quoted(pattern)} has more than {_MOST_STARS} '**'; name the folders between")
        return []
    try:
        found = sorted(path for path in folder.glob(pattern) if path.is_file())
    except (ValueError, OSError, NotImplementedError, IndexError):
        evalset.add(where, f"{quoted(pattern)} is not a path or glob that can be read")
        return []
    if not found and "incidents/" not in pattern.replace("\\", "/"):
        evalset.add(where, f"{quoted(pattern)} matches no file")
    if len(found) > _MAX_FILES:
        evalset.add(where, f"{quoted(pattern)} matches {len(found)} files; at most {_MAX_FILES} are read")
        return []
    return found


def _may_include(path: Path, resolved: Path, where: str, evalset: Source, *, root: Path) -> bool:
    shown = shown_path(path, root)
    if not resolved.is_relative_to(_resolved(root)):
        evalset.add(where, f"{quoted(shown)} lies outside the project; copy it into the repository")
        return False
    if path.name.endswith(_EVALSET):
        evalset.add(where, f"{quoted(shown)} is an evalset of its own, not a file of cases")
        return False
    if path.suffix not in (*_YAML, ".jsonl"):
        evalset.add(where, f"{quoted(shown)} is neither *.yaml nor *.jsonl")
        return False
    return True


def _read_json_lines(source: Source) -> CaseFile:
    raw_cases: list[Any] = []
    lines: list[int] = []
    for line, row in file_rows(source):
        if len(lines) == MAX_CASES:
            source.add("", f"holds more than {MAX_CASES:,} cases; split the file", line=line)
            break
        for key in CASE_TEXT:
            if key in row:
                row[key] = as_text(row[key])
        if isinstance(row.get("slices"), dict):
            row["slices"] = {key: as_text(value) for key, value in row["slices"].items()}
        raw_cases.append(row)
        lines.append(line)
    source.item_lines = lines
    if not lines and not source.findings:
        source.add("", "holds no case")
    return CaseFile(source, raw_cases, lines)


def _read_yaml(source: Source, *, in_incidents: bool) -> CaseFile:
    document = parse_yaml(read_bytes(source.path, file=source.file), file=source.file, shape=INCIDENT_SHAPE)
    for where, message, line in document.problems:
        source.add(where, message, line=line)
    raw = document.data
    if not isinstance(raw, dict):
        source.add("", f"needs a mapping with 'cases', got {kind_of(raw)}")
        return CaseFile(source, [], [])
    note_unknown_keys(source, "", raw, INCIDENT_KEYS)
    note_format(source, raw)
    incident = _incident(raw, source, in_incidents=in_incidents)
    cases = raw.get("cases")
    if not isinstance(cases, list) or not cases:
        why = "is required" if "cases" not in raw else f"needs a list of cases, got {kind_of(cases)}"
        source.add("cases", "holds no case" if cases == [] else why)
        return CaseFile(source, [], [], incident)
    return CaseFile(source, cases, document.item_lines, incident)


def _incident(raw: dict[str, Any], source: Source, *, in_incidents: bool) -> IncidentSource | None:
    """Return where an incident's cases come from; a file that says nothing is named by its own name."""
    stem = source.path.stem
    if "source" not in raw:
        return IncidentSource(incident=stem) if in_incidents else None
    try:
        return IncidentSource.model_validate(raw["source"])
    except ValidationError as error:
        note_refusal(source, error, "source", known=lambda _loc: SOURCE_KEYS)
        return IncidentSource(incident=stem)


def note_format(source: Source, raw: dict[str, Any]) -> None:
    """Note a `format` that this version does not read, and take it out of `raw`."""
    number = raw.pop("format", 1)
    if number != 1 or isinstance(number, bool):
        source.add("format", f"this version reads format 1, got {quoted(number)}")
