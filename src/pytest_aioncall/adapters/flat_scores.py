"""Anybody's results: JSON lines, one row a (case, epoch, scorer), to the table that the gate compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ..errors import LoadError, Problem
from ..model.baseline import CaseRow, ScorerInfo
from .yaml_text import Source, problems_of, quoted
from .yaml_text.json_lines import as_text, file_rows
from .yaml_text.problems import most_of
from .yaml_text.words import kind_of, note_unknown_keys

# What `ScorerInfo.kind` is where only the numbers are known.
KIND: Final = "scores"

_KEYS: Final = frozenset(
    {"case_id", "epoch", "scorer", "scale", "score", "error", "slices", "cluster", "evalset"}
)
_MAX_EPOCH: Final = 9_999
_MAX_TEXT: Final = 500
# From this many lines on, the same problem is told once.
_ALIKE: Final = 3
_MOST_WRONG: Final = 100_000


@dataclass(frozen=True, slots=True)
class _Row:
    """One line that is well formed by itself."""

    line: int
    case: str
    epoch: int
    scorer: str
    scale: tuple[float, float]
    score: float | None
    slices: Mapping[str, str] | None
    cluster: str | None


@dataclass(slots=True)
class _Case:
    """What the lines of one case say together."""

    slices: Mapping[str, str] | None = None
    cluster: str | None = None
    scores: dict[str, dict[int, float | None]] = field(default_factory=dict)

    def row(self, name: str) -> CaseRow:
        """Return the case's row; an epoch that no line names, below one that a line names, is unscored."""
        scores = {
            scorer: tuple(found.get(epoch) for epoch in range(max(found) + 1))
            for scorer, found in sorted(self.scores.items())
        }
        epochs = sorted({epoch for found in self.scores.values() for epoch in found})
        silent = sum(
            all(found[epoch] is None for found in self.scores.values() if epoch in found) for epoch in epochs
        )
        slices = dict(self.slices or {})
        return CaseRow(case=name, slices=slices, cluster=self.cluster, scores=scores, errors=silent)


def read_flat_scores(
    path: Path, *, evalset: str | None = None
) -> tuple[dict[str, ScorerInfo], tuple[CaseRow, ...]]:
    """Return the scorers and, sorted by id, the cases in a file of flat scores.

    A row may name its `evalset`; `evalset` picks the rows of one, and has to where the file holds several.
    `CaseRow.errors` counts the epochs of a case in which no scorer has a score.
    Raises LoadError with every problem and its line.
    """
    source = Source(path, path.as_posix(), item_lines=())
    rows = _rows_of(source, evalset)
    scorers: dict[str, ScorerInfo] = {}
    cases: dict[str, _Case] = {}
    first: dict[tuple[str, int, str], int] = {}
    scale_lines: dict[str, int] = {}
    for row in rows:
        info = scorers.setdefault(row.scorer, ScorerInfo(kind=KIND, scale=row.scale))
        scale_line = scale_lines.setdefault(row.scorer, row.line)
        if info.scale != row.scale:
            message = f"{_span(row.scale)} differs from {_span(info.scale)} of {quoted(row.scorer)} in line"
            source.add("scale", f"{message} {scale_line}; a scorer has one scale", line=row.line)
        line = first.setdefault((row.case, row.epoch, row.scorer), row.line)
        if line != row.line:
            message = (
                f"case {quoted(row.case)}, epoch {row.epoch}, scorer {quoted(row.scorer)} stands in line"
            )
            source.add("", f"{message} {line} already; give each repeat its own epoch", line=row.line)
        _join(cases.setdefault(row.case, _Case()), row, source)
    if not cases and not source.findings:
        named = f" of evalset {quoted(evalset)}" if evalset is not None else ""
        source.add("", f"holds no score{named}")
    if source.findings:
        raise LoadError(most_of(_grouped(problems_of([source], most=None))))
    return dict(sorted(scorers.items())), tuple(cases[name].row(name) for name in sorted(cases))


def _grouped(problems: Sequence[Problem]) -> list[Problem]:
    """Say once what is wrong in many lines alike: an export makes one mistake in every row."""
    alike: dict[tuple[str, str, str], list[int]] = {}
    for one in problems:
        alike.setdefault((one.file, one.where, one.message), []).append(one.line)
    found: list[Problem] = []
    for (file, where, message), lines in alike.items():
        if len(lines) < _ALIKE:
            found += [Problem(file, line, where, message) for line in lines]
        else:
            first, last = min(lines), max(lines)
            whole = "all of them" if last - first + 1 == len(lines) else f"{len(lines)} of them"
            found.append(Problem(file, first, where, f"{message} (lines {first}-{last}, {whole})"))
    return found


def _rows_of(source: Source, evalset: str | None) -> list[_Row]:
    """Return the rows of the evalset asked for; refuse a file of several where none is asked for."""
    rows: list[_Row] = []
    evalsets: set[str] = set()
    for line, raw in file_rows(source):
        if len(source.findings) > _MOST_WRONG:
            source.add("", "is wrong in so many lines that nothing after this one is read", line=line)
            break
        named = raw.get("evalset")
        if evalset is not None and named is not None and named != evalset:
            continue
        if isinstance(named, str):
            evalsets.add(named)
        row = _read_row(raw, line, source)
        if row is not None:
            rows.append(row)
    if len(evalsets) > 1:
        names = ", ".join(quoted(name) for name in sorted(evalsets)[:5])
        raise LoadError(
            [Problem(source.file, 0, "", f"holds several evalsets ({names}); name one with --evalset")]
        )
    return rows


def _join(case: _Case, row: _Row, source: Source) -> None:
    """Add a row to its case; slices and cluster may stand on any of its rows, but not differ."""
    case.scores.setdefault(row.scorer, {}).setdefault(row.epoch, row.score)
    for key, known, said in (("slices", case.slices, row.slices), ("cluster", case.cluster, row.cluster)):
        if said is not None and known is not None and said != known:
            source.add(key, f"differs from another row of case {quoted(row.case)}", line=row.line)
    case.slices = row.slices if case.slices is None else case.slices
    case.cluster = row.cluster if case.cluster is None else case.cluster


def _read_row(raw: dict[str, Any], line: int, source: Source) -> _Row | None:
    """Return the row, or None after noting what is wrong with it."""
    wrong = dict(_refusals(raw))
    for where, message in wrong.items():
        source.add(where, message, line=line)
    unknown = Source(source.path, source.file)
    if note_unknown_keys(unknown, "", raw, _KEYS):
        for finding in unknown.findings:
            source.add(finding.where, finding.message, line=line)
        return None
    if wrong:
        return None
    score, slices = raw.get("score"), raw.get("slices")
    low, high = raw["scale"]
    return _Row(
        line=line,
        case=as_text(raw["case_id"]),
        epoch=raw.get("epoch") or 0,
        scorer=raw["scorer"],
        scale=(float(low), float(high)),
        score=None if score is None else float(score),
        slices=None if slices is None else {key: as_text(value) for key, value in slices.items()},
        cluster=as_text(raw.get("cluster")),
    )


def _refusals(raw: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (key, message) of all that is wrong within one row."""
    case = raw.get("case_id")
    if not (_is_text(case) or (isinstance(case, int) and not isinstance(case, bool))):
        yield "case_id", _needs("text", raw, "case_id")
    if not _is_text(raw.get("scorer")):
        yield "scorer", _needs("text", raw, "scorer")
    epoch = raw.get("epoch", 0)
    if epoch is not None and (type(epoch) is not int or not 0 <= epoch <= _MAX_EPOCH):
        yield "epoch", f"needs a whole number from 0 to {_MAX_EPOCH}, got {quoted(epoch)}"
    cluster = raw.get("cluster")
    if cluster is not None and not _is_text(as_text(cluster)):
        yield "cluster", _needs("text", raw, "cluster")
    slices = raw.get("slices")
    if slices is not None and not (
        isinstance(slices, dict) and all(isinstance(as_text(value), str) for value in slices.values())
    ):
        yield "slices", _needs("a mapping of text", raw, "slices")
    if "evalset" in raw and not _is_text(raw["evalset"]):
        yield "evalset", _needs("text", raw, "evalset")
    scale = raw.get("scale")
    if not _is_scale(scale):
        yield "scale", _needs("[lowest, highest], for example [0, 1]", raw, "scale")
        scale = None
    yield from _score_refusals(raw, scale)


def _score_refusals(raw: dict[str, Any], scale: Any) -> Iterator[tuple[str, str]]:
    score, error = raw.get("score"), raw.get("error")
    if error is not None and not _is_text(error):
        yield "error", _needs("text", raw, "error")
    if "score" not in raw:
        yield "score", "is required; write null with an error where there is none"
    elif isinstance(score, bool):
        yield "score", f"needs a number, got {quoted(score)}; write {int(score)}"
    elif score is None:
        if error is None:
            yield "score", "null needs an error that says why"
    elif not isinstance(score, int | float):
        yield "score", _needs("a number or null", raw, "score")
    elif error is not None:
        yield "error", "stands beside a score; a row has one or the other"
    elif scale is not None and not scale[0] <= score <= scale[1]:
        yield "score", f"{score:g} lies outside the scale {_span(scale)}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_TEXT


def _is_scale(scale: Any) -> bool:
    return (
        isinstance(scale, list)
        and len(scale) == 2
        and all(isinstance(end, int | float) and not isinstance(end, bool) for end in scale)
        and scale[0] < scale[1]
    )


def _needs(what: str, raw: dict[str, Any], key: str) -> str:
    if key not in raw:
        return f"is required: {what}"
    value = raw[key]
    if isinstance(value, str):
        return f"needs {what}, got {quoted(value) if value else 'empty text'}"
    return f"needs {what}, got {kind_of(value)}"


def _span(scale: Any) -> str:
    return f"{scale[0]:g}..{scale[1]:g}"
