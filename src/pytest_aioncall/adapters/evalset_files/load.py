"""One evalset file and all that it includes to an Evalset, or to everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ...errors import LoadError, Problem
from ...model.evalset import Case, Evalset
from ..yaml_text import Source, lines_in, parse_yaml, problems_of, quoted, read_bytes
from ..yaml_text.document import paused_gc
from ..yaml_text.problems import most_of
from ..yaml_text.words import kind_of, note_epochs, note_refusal, note_truth_values, note_unknown_keys
from .cases import read_cases
from .checks import check_dimensions, check_gates, check_ids, note_unknown, unknown_scorers
from .includes import CaseFile, included_paths, json_line_numbers, note_format, read_case_file, shown_path
from .pieces import read_scorers, read_target
from .shapes import (
    DEFAULTS_KEYS,
    ERRORS_KEYS,
    EVALSET_KEYS,
    EVALSET_SHAPE,
    GATE_KEYS,
    SUBJECT_KEYS,
    WEAKENING_KEYS,
)

_REQUIRED = {
    "evalset": "is required: the name of this evalset, for example ticket-triage",
    "owner": 'is required: somebody owns every evalset, for example "@support-ml"',
    "target": 'is required: what answers the cases, for example {python: "myapp.triage:route"}',
    "scorers": "is required: what judges the answers, for example [exact]",
}
# The name becomes a file name (baselines, incidents), so it has no slash and starts with no dot.
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]{0,119}")
# Each case holds them all: a file of a thousand defaults would be multiplied by its cases.
_MOST_SLICES = 100
_NO_NAME = ":"  # stands in for a name that was refused; no evalset can be called so
_TEXT_MAPPING: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])
_TEXT_LIST: TypeAdapter[list[str]] = TypeAdapter(list[str])


def load_evalset(
    path: Path, *, root: Path, refusals: Callable[[Evalset], Sequence[Problem]] | None = None
) -> Evalset:
    """Return the evalset of one file with its includes.

    Raises LoadError with every problem of every file that was read; file paths are relative to `root`.

    refusals  what cannot be made of the target and the scorers of an evalset. Asked only where something
              is wrong already, of what could be read, so that one go tells all of it
    """
    source = Source(path, shown_path(path, root))
    document = parse_yaml(read_bytes(path, file=source.file), file=source.file, shape=EVALSET_SHAPE)
    for where, message, line in document.problems:
        source.add(where, message, line=line)
    raw = document.data
    if not isinstance(raw, dict):
        source.add("", "is empty" if raw is None else f"needs a mapping, got {kind_of(raw)}")
        raise LoadError(problems_of([source]))
    own = CaseFile(source, _own_cases(raw, source), document.item_lines)
    include = _validate_part(
        _TEXT_LIST, raw.pop("include", None) if "include" in raw else [], "include", source
    )
    slices = _default_slices(raw, source)
    scored, gates = bool(raw.get("scorers")), raw.get("gates")
    evalset = _read_header(raw, source)
    name = None if evalset is None or evalset.evalset == _NO_NAME else evalset.evalset
    files, unread = _case_files(own, include or [], root=root, name=name)
    cases = _read_all_cases(files, slices=slices, scored=scored)
    sources = {file.source.file: file.source for file in files}
    check_ids(cases, sources)
    check_dimensions(cases, sources)
    check_gates(gates, cases, source)
    strangers, refused = [], []
    if evalset is not None:
        evalset = evalset.model_copy(update={"cases": tuple(cases), "file": source.file})
        strangers = unknown_scorers(evalset, gates, sources)
        if not (strangers or unread or any(file.source.findings for file in files)):
            return evalset
        refused = list(refusals(evalset)) if refusals is not None else []
    found = [finding.where for file in files for finding in file.source.findings]
    # Where a scorer is refused, nobody knows which names there would be.
    if not any(".scorers" in f".{where}" for where in [*found, *(p.where for p in refused)]):
        note_unknown(strangers)
    problems = [
        *problems_of([file.source for file in files]),
        *(p for error in unread for p in error.problems),
    ]
    told = {(problem.file, problem.where) for problem in problems}
    raise LoadError(most_of([*problems, *(p for p in refused if (p.file, p.where) not in told)]))


def lines_of(path: Path, wanted: Collection[str]) -> dict[str, int]:
    """Return the lines of many YAML paths of a YAML file, read once; see `line_of`."""
    try:
        found = lines_in(read_bytes(path, file=path.as_posix()), wanted)
    except LoadError:
        return dict.fromkeys(wanted, 1)
    return {where: found.line(where) for where in wanted}


def parts_named(path: Path) -> tuple[str | None, list[str]]:
    """Return the name and the `include` of an evalset file, unchecked; nothing where it cannot be read."""
    try:
        document = parse_yaml(read_bytes(path, file=path.name), file=path.name, shape=EVALSET_SHAPE)
    except LoadError:
        return None, []
    raw = document.data if isinstance(document.data, dict) else {}
    name, include = raw.get("evalset"), raw.get("include")
    patterns = [one for one in include if isinstance(one, str)] if isinstance(include, list) else []
    return name if isinstance(name, str) and _FILE_NAME.fullmatch(name) else None, patterns


def line_of(path: Path, where: str) -> int:
    """Return the line of a YAML path such as `cases[2].scorers[0]`, or of the nearest thing around it."""
    file = path.as_posix()
    try:
        if path.suffix == ".jsonl":
            source = Source(path, file, json_line_numbers(path, file=file))
            return source.lines([where]).line(where)
        return lines_in(read_bytes(path, file=file), [where]).line(where)
    except LoadError:
        return 1


def _own_cases(raw: dict[str, Any], source: Source) -> list[Any]:
    if "cases" not in raw:
        if "include" not in raw:
            source.add("cases", "is required (or include): an evalset without a case can only pass")
        return []
    cases = raw.pop("cases")
    if not isinstance(cases, list):
        hint = "; start each case with '- '" if isinstance(cases, dict) else ""
        source.add("cases", f"needs a list of cases, got {kind_of(cases)}{hint}")
        return []
    return cases


def _default_slices(raw: dict[str, Any], source: Source) -> dict[str, str]:
    defaults = raw.pop("defaults", {})
    if not isinstance(defaults, dict):
        source.add(
            "defaults", f"needs a mapping such as {{slices: {{feature: triage}}}}, got {kind_of(defaults)}"
        )
        return {}
    note_unknown_keys(source, "defaults", defaults, DEFAULTS_KEYS)
    slices = _validate_part(_TEXT_MAPPING, defaults.get("slices", {}), "defaults.slices", source) or {}
    if len(slices) > _MOST_SLICES:
        source.add("defaults.slices", f"holds {len(slices):,} slices; a case has at most {_MOST_SLICES}")
        return {}
    return dict(slices)


def _validate_part(adapter: TypeAdapter[Any], raw: Any, where: str, source: Source) -> Any:
    try:
        return adapter.validate_python(raw)
    except ValidationError as error:
        note_refusal(source, error, where, known=lambda _loc: frozenset())
        return None


def _read_header(raw: dict[str, Any], source: Source) -> Evalset | None:
    """Return the evalset without its cases and without what is noted as wrong, or None; `raw` is used up."""
    note_unknown_keys(source, "", raw, EVALSET_KEYS)
    note_format(source, raw)
    header = {key: value for key, value in raw.items() if key in EVALSET_KEYS}
    for key, message in _REQUIRED.items():
        if key not in header:
            source.add(key, message)
    name = header.get("evalset")
    if isinstance(name, str) and not _FILE_NAME.fullmatch(name):
        rule = (
            "is empty" if not name else f"{quoted(name)} has to be usable as a file name: A-Z a-z 0-9 _ . -"
        )
        source.add("evalset", rule)
        del header["evalset"]
    header["target"] = read_target(header["target"], source) if "target" in header else None
    header["scorers"] = read_scorers(header.get("scorers", []), "scorers", source)
    if "epochs" in header and not note_epochs(source, "epochs", header["epochs"]):
        del header["epochs"]
    note_truth_values(source, Evalset, {**header, "scorers": ()})
    # Stand-ins for what was refused above let the rest be checked in the same go.
    stand_ins = {"evalset": _NO_NAME, "owner": "x", "cases": ()}
    header = {**stand_ins, **header, "target": header["target"] or {"kind": "x"}}
    try:
        return Evalset.model_validate(header)
    except ValidationError as error:
        note_refusal(source, error, "", known=_known_keys)
        refused = {str(item["loc"][0]) for item in error.errors() if item["loc"]}
    rest = {key: value for key, value in header.items() if key not in refused}
    try:
        return Evalset.model_validate({**stand_ins, **rest})
    except ValidationError:
        return None


def _known_keys(loc: tuple[int | str, ...]) -> frozenset[str]:
    keys = {"subject": SUBJECT_KEYS, "errors": ERRORS_KEYS, "gates": GATE_KEYS, "weakening": WEAKENING_KEYS}
    return keys.get(str(loc[0]) if loc else "", EVALSET_KEYS)


def _case_files(
    own: CaseFile, include: list[str], *, root: Path, name: str | None
) -> tuple[list[CaseFile], list[LoadError]]:
    """Return the evalset's own cases and those of each included file, and why a file could not be read."""
    files, unread = [own], []
    for path in included_paths(include, own.source, root=root, name=name):
        try:
            files.append(read_case_file(path, root=root))
        except LoadError as error:
            unread.append(error)
    if not unread and not any(file.raw_cases or file.source.findings for file in files):
        own.source.add("cases", "there is no case; an empty evalset can only pass")
    return files, unread


def _read_all_cases(files: list[CaseFile], *, slices: dict[str, str], scored: bool) -> list[Case]:
    cases: list[Case] = []
    with paused_gc(sum(len(file.raw_cases) for file in files) * 1024):
        for file in files:
            cases += read_cases(file, slices=slices, scored=scored)
    return cases
