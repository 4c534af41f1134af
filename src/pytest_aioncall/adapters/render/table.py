"""The table of gate rows as fixed columns of text; columns give way on a narrow terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ...model.verdict import Verdict
from . import words
from .states import Tone, row_tone

Style = Literal["", "red", "green", "yellow", "bold", "dim"]
Line = tuple[str, Style]
Safe = Callable[[str, int], str]


@dataclass(frozen=True, slots=True)
class _Column:
    head: str
    cell: Callable[[Verdict], str]
    right: bool = True
    # Order in which columns leave a table that is too wide; 0 stays for ever.
    leaves: int = 0


def _interval(verdict: Verdict) -> str:
    return words.interval(verdict.ci, verdict.scale)


def _p(verdict: Verdict) -> str:
    return words.p_value(verdict.p_adjusted if verdict.p_adjusted is not None else verdict.p)


# Stands for the interval's name, which the level of the tests decides.
_INTERVAL = "interval"
_P = "p (adj)"
_COLUMNS = (
    _Column("now", lambda v: words.mean(v.candidate, v.scale)),
    _Column("judged", words.judged_of),
    _Column("was", lambda v: words.mean(v.baseline, v.scale), leaves=3),
    _Column("diff", lambda v: words.difference(v.difference, v.scale, unit=False)),
    _Column(_INTERVAL, _interval, leaves=2),
    _Column(_P, _p, leaves=1),
    _Column("verdict", words.verdict_word, right=False),
)
_STYLES: dict[Tone, Style] = {"bad": "red", "doubt": "yellow", "good": "", "none": ""}


def table_lines(
    rows: Sequence[Verdict], *, alpha: float, width: int, safe: Safe, title: str = ""
) -> list[Line]:
    """Return a header, `title` at its left, and one line a row, at most `width` columns wide.

    `judged` (n judged / n planned) stands beside the mean as soon as one row is not wholly judged.
    """
    if not rows:
        return []
    compared = any(v.baseline is not None for v in rows)
    columns = [
        c
        for c in _COLUMNS
        if (c.head != "judged" or any(map(words.is_short, rows)))
        and (compared or c.head not in ("was", "diff", _INTERVAL, _P))
    ]
    names = [_row_name(v, safe) for v in rows]
    longest = max(map(len, names))
    level = words.common_level(rows, alpha)
    named = "interval" if level is None else words.interval_name(level)
    while True:
        cells = [[_cell(c, v, level, alpha) for c in columns] for v in rows]
        heads = [named if c.head == _INTERVAL else c.head for c in columns]
        cells = [heads, *([safe(text, 32) for text in line] for line in cells)]
        sizes = [max(len(line[i]) for line in cells) for i in range(len(columns))]
        room = width - sum(size + 2 for size in sizes)
        leaving = [c for c in columns if c.leaves]
        if room >= min(longest, 18) or not leaving:
            break
        columns.remove(min(leaving, key=lambda c: _leaves(c, level)))
    size = max(8, min(longest, room))
    lines: list[Line] = [(_line(_clipped(title, size), cells[0], size, sizes, columns), "dim")]
    for verdict, name, line in zip(rows, names, cells[1:], strict=True):
        style = _STYLES[row_tone(verdict)] if verdict.gating else "dim"
        lines.append((_line(_clipped(name, size), line, size, sizes, columns), style))
    return lines


def _leaves(column: _Column, level: float | None) -> int:
    """Return a column's turn to leave. Where levels differ, intervals do not compare but p values do: then
    the mean of the baseline goes first, for it follows from the others, and the p last."""
    if level is not None:
        return column.leaves
    return {"was": 1, _INTERVAL: 2, _P: 3}.get(column.head, column.leaves)


def _cell(column: _Column, verdict: Verdict, level: float | None, alpha: float) -> str:
    """Write a cell; an interval says its own level where the head cannot say one for all."""
    text = column.cell(verdict)
    if column.head != _INTERVAL or level is not None or verdict.ci is None:
        return text
    return f"{words.interval_name(words.level_of(verdict, alpha)).removesuffix(' interval')}: {text}"


def _clipped(name: str, size: int) -> str:
    return name if len(name) <= size else name[: size - 2] + ".."


def _row_name(verdict: Verdict, safe: Safe) -> str:
    name = safe(verdict.scorer, 60)
    part = safe(words.slice_name(verdict.slice), 60)
    return f"{name}  {part}" if part else name


def _line(
    name: str, cells: Sequence[str], size: int, sizes: Sequence[int], columns: Sequence[_Column]
) -> str:
    parts = [name.ljust(size)]
    for text, width, column in zip(cells, sizes, columns, strict=True):
        parts.append(text.rjust(width) if column.right else text.ljust(width))
    return "  ".join(parts).rstrip()
