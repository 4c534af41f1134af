"""The one door to result files: which tools are read, which files a path means, and what each file holds."""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import LoadError, Problem, UsageError
from ..text import did_you_mean, one_line
from . import deepeval, inspect, junit, promptfoo, pydantic_evals
from .observed import Reading, Unreadable, joined
from .opened import Opened, open_result

AUTO = "auto"
_MOST_FILES = 1000


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool: how its files are told from others, and read. `export` is how to get such a file."""

    looks_like: Callable[[Opened], bool]
    read: Callable[[Opened], Reading]
    files: tuple[str, ...]
    export: str


TOOLS = {
    "promptfoo": Tool(
        promptfoo.looks_like,
        promptfoo.read,
        (".json", ".jsonl"),
        "promptfoo eval --repeat 3 --no-cache -o results.json",
    ),
    "inspect": Tool(inspect.looks_like, inspect.read, (".eval", ".json"), "inspect eval TASK --epochs 3"),
    "deepeval": Tool(
        deepeval.looks_like,
        deepeval.read,
        (".json",),
        "DEEPEVAL_RESULTS_FOLDER=results deepeval test run FILE",
    ),
    "pydantic-evals": Tool(
        pydantic_evals.looks_like,
        pydantic_evals.read,
        (".json",),
        "EvaluationReportAdapter.dump_json(report)",
    ),
    "junit": Tool(junit.looks_like, junit.read, (".xml",), "pytest --junitxml FILE"),
}


@dataclass(frozen=True, slots=True)
class Results:
    """One result file of a side."""

    path: Path
    sha256: str
    reading: Reading


def check_tool(name: str) -> None:
    """Refuse a tool that nobody reads, with the near one."""
    if name != AUTO and name not in TOOLS:
        near = did_you_mean(name, TOOLS)
        hint = f"did you mean {near}?" if near else f"known: {', '.join(TOOLS)}, {AUTO}"
        raise UsageError(f"--from {one_line(name, 60)}: no such tool; {hint}")


def read_side(names: Sequence[str], tool: str) -> list[Results]:
    """Read every file that the names mean: files, folders, patterns. Raises LoadError with all problems."""
    check_tool(tool)
    found: list[Results] = []
    problems: list[Problem] = []
    for path in _files_of(names, tool):
        try:
            found.append(_read(path, tool))
        except Unreadable as error:
            problems.append(Problem(path.as_posix(), 0, error.place, str(error)))
        except LoadError as error:
            problems += error.problems
    if problems:
        raise LoadError(problems)
    return found


def _read(path: Path, tool: str) -> Results:
    opened = open_result(path)
    is_one = [name for name, known in TOOLS.items() if known.looks_like(opened)]
    if tool == AUTO and is_one:
        tool = is_one[0]
    if tool not in is_one:
        raise Unreadable(_what_it_is(opened, is_one, tool))
    try:
        reading = TOOLS[tool].read(opened)
    except RecursionError:
        raise Unreadable("is nested too deep") from None
    if not reading.observed:
        left = "; ".join(f"{n} {why}" for why, n in reading.left_out.items())
        raise Unreadable("holds no score" + (f": left out {left}" if left else ""))
    return Results(path, opened.sha256, reading)


def _what_it_is(opened: Opened, is_one: Sequence[str], tool: str) -> str:
    if is_one:
        log = "log" if is_one[0] == "inspect" else "file"
        article = "an" if is_one[0] == "inspect" else "a"
        return f"this looks like {article} {is_one[0]} {log}: use --from {is_one[0]}"
    first = opened.lines[0] if opened.lines else None
    if isinstance(first, dict) and {"case_id", "scorer"} <= first.keys():
        return "these are flat scores: use aioncall gate --baseline A --candidate B, without --from"
    if isinstance(first, dict) and {"accepted_by", "evalset"} <= first.keys():
        return "this is a baseline of aioncall: use aioncall gate --baseline A --candidate B, without --from"
    if opened.xml is not None and opened.xml.name == "promptfoo":
        return "this is promptfoo's own XML; write JSON instead: promptfoo eval -o results.json"
    wanted = TOOLS[tool].export if tool != AUTO else "; ".join(known.export for known in TOOLS.values())
    kind = "any tool that is read here" if tool == AUTO else tool
    return f"is no result file of {kind}; such a file is written by: {wanted}"


def _files_of(names: Sequence[str], tool: str) -> list[Path]:
    """Return the files that the names mean, each once, a folder's and a pattern's sorted by name."""
    found: dict[Path, None] = {}
    for name in names:
        for path in _meant(name, tool):
            found.setdefault(path, None)
    if len(found) > _MOST_FILES:
        raise UsageError(f"{len(found)} files on one side; name at most {_MOST_FILES}")
    return list(found)


def _meant(name: str, tool: str) -> list[Path]:
    path = Path(name)
    if path.is_file():
        return [path]
    endings = (
        TOOLS[tool].files if tool != AUTO else tuple({e for known in TOOLS.values() for e in known.files})
    )
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in endings and p.is_file())
        if not inside:
            raise UsageError(f"{name}: no {joined(endings)} file in this folder")
        return inside
    # Path.glob takes no absolute pattern.
    matches = sorted(Path(p) for p in glob.glob(name, recursive=True) if Path(p).is_file())  # noqa: PTH207
    if not matches:
        raise UsageError(f"{one_line(name, 200)}: no such file or folder")
    return matches
