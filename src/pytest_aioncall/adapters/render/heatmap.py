"""The map of slices and scorers: how far each cell moved, in margins, and the way to its cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from ...model.verdict import Verdict
from ..text import many_lines
from . import words
from .figures import Shape, shape_of
from .states import Tone, row_tone, row_weight

_MOST_ROWS = 40
_EDGES = (0.25, 1.0, 2.0)
_PLAIN_MARGIN = 0.05


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One slice and scorer: how it moved, where it stands, n judged / n planned.

    step  -3 (two margins worse, or more) to 3 (as much better); 0 within a quarter of the margin
    link  the fragment of the page's address that shows its cases
    """

    text: str = ""
    stands: str = ""
    judged: str = ""
    step: int = 0
    tone: Tone = "none"
    shape: Shape | None = None
    word: str = ""
    link: str = ""
    gating: bool = True


@dataclass(frozen=True, slots=True)
class HeatRow:
    name: str
    cells: tuple[HeatCell, ...]


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Slices x scorers, all cases first, then the slices, the worst first; `rest` folds away."""

    scorers: tuple[str, ...] = ()
    rows: tuple[HeatRow, ...] = ()
    rest: tuple[HeatRow, ...] = ()
    compared: bool = False


def heat_map(rows: Sequence[Verdict], *, evalset: str) -> HeatMap:
    """Lay rows out as slices x scorers; empty without slices. `evalset` is named in links where not empty."""
    scorers = tuple(dict.fromkeys(v.scorer for v in rows))
    cells = {(words.slice_name(v.slice), v.scorer): v for v in rows if v.candidate is not None}
    names = list(dict.fromkeys(name for name, _ in cells))
    if names in ([], [""]):
        return HeatMap()
    worst = {name: min(row_weight(v) for (part, _), v in cells.items() if part == name) for name in names}
    names.sort(key=lambda name: (name != "", worst[name], name))
    lines = [
        HeatRow(
            name[:160] or "all cases", tuple(_cell(cells.get((name, s)), evalset=evalset) for s in scorers)
        )
        for name in names
    ]
    return HeatMap(
        scorers=scorers,
        rows=tuple(lines[:_MOST_ROWS]),
        rest=tuple(lines[_MOST_ROWS:]),
        compared=any(v.difference is not None for v in cells.values()),
    )


def heat_step(verdict: Verdict) -> int:
    """Return -3 (worse) to 3 (better): the difference in margins, in steps of a quarter, one and two.

    A row without a margin is measured by a twentieth of its scale.
    """
    if verdict.difference is None:
        return 0
    unit = verdict.margin or _PLAIN_MARGIN * (verdict.scale[1] - verdict.scale[0])
    size = sum(abs(verdict.difference) >= edge * unit - 1e-12 for edge in _EDGES) if unit > 0 else 0
    return -size if verdict.difference < 0 else size


def _cell(verdict: Verdict | None, *, evalset: str) -> HeatCell:
    if verdict is None or verdict.candidate is None:
        return HeatCell()
    tone = row_tone(verdict)
    stands = words.mean(verdict.candidate, verdict.scale)
    compared = verdict.difference is not None
    return HeatCell(
        text=words.difference(verdict.difference, verdict.scale) if compared else stands,
        stands=stands if compared else "",
        judged=words.judged_of(verdict),
        step=heat_step(verdict),
        tone=tone,
        shape=shape_of(verdict),
        word=words.verdict_word(verdict),
        link=_link(verdict, evalset=evalset),
        gating=verdict.gating,
    )


def _link(verdict: Verdict, *, evalset: str) -> str:
    parts = {"scorer": verdict.scorer}
    if evalset:
        parts["evalset"] = evalset
    if verdict.slice and len(verdict.slice) == 1:
        parts["slice"] = words.slice_name(verdict.slice)
    # As the page's script is given these names.
    return "#" + urlencode({key: many_lines(name[:200]) for key, name in parts.items()})
