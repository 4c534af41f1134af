"""The gate rows of a comparison and the numbers of each: rules and two sides in, arrays cut and computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..model.baseline import ScorerInfo
from ..model.config import Defaults
from ..model.evalset import Gate
from .gaterows import SMALLEST_SLICE, GateRow, all_rows
from .rowtests import Level, absolute_row, compare_row, level_of
from .sides import Alignment, Side
from .table import ScorerTable, cluster_codes, scorer_table
from .verdicts import Comparability, RowNumbers


def tables_of(rules: Sequence[Gate], candidate: Side, aligned: Alignment) -> dict[str, ScorerTable]:
    """Gather the scores of every scorer that a gate asks about."""
    clusters = cluster_codes(aligned)
    return {
        name: scorer_table(
            name, candidate.scorers[name], aligned=aligned, candidate=candidate, clusters=clusters
        )
        for name in dict.fromkeys(gate.scorer for gate in rules)
    }


@dataclass(frozen=True, slots=True)
class GateRows:
    """All rows that the gates ask about, in order; `overall` and `sliced` count those that can gate."""

    rows: tuple[GateRow, ...]
    overall: int
    sliced: int

    def level_of(self, row: GateRow) -> Level:
        """Return the level of one row, as `verdicts.corrected` shares alpha out."""
        return level_of(
            alpha=row.alpha, overall=self.overall, sliced=self.sliced, is_slice=row.slice is not None
        )


def gate_rows(
    rules: Sequence[Gate],
    tables: Mapping[str, ScorerTable],
    aligned: Alignment,
    *,
    candidate: Side,
    defaults: Defaults,
) -> GateRows:
    """List the rows of all gates."""
    rows = all_rows(rules, scorers=candidate.scorers, tables=tables, rows=aligned.rows, defaults=defaults)
    return GateRows(
        rows=tuple(rows),
        overall=sum(row.slice is None for row in rows),
        sliced=sum(row.slice is not None and row.members.size >= SMALLEST_SLICE for row in rows),
    )


def numbers_of(
    row: GateRow, table: ScorerTable, *, candidate: Side, baseline: Side | None, level: Level
) -> RowNumbers:
    """Compute one row: compared with the baseline where both measured alike, and by itself."""
    info = candidate.scorers[row.scorer]
    comparability = _comparability(row.scorer, info, baseline)
    return RowNumbers(
        row=row,
        scale=info.scale,
        comparability=comparability,
        comparison=compare_row(row, table, level=level) if comparability == "yes" else None,
        absolute=absolute_row(row, table, level=level),
        size=_size(row, table, comparability),
        planned=int(table.planned[row.members].sum()),
        judged=int(np.sum(~np.isnan(table.after[row.members]))),
    )


def _size(row: GateRow, table: ScorerTable, comparability: Comparability) -> int:
    """Count the cases that a row could speak from if no candidate sample had errored."""
    if comparability != "yes":
        return int(row.members.size)
    return int(np.count_nonzero(table.judged_before[row.members]))


def _comparability(scorer: str, info: ScorerInfo, baseline: Side | None) -> Comparability:
    """Tell whether both sides were measured with the same instrument.

    Two known hashes have to agree; where one is unknown (flat scores) kind and scale have to, and a kind that
    nobody told ("" or "flat") is taken on trust. Scales have to agree always.
    """
    if baseline is None:
        return "no_baseline"
    other = baseline.scorers.get(scorer)
    if other is None:
        return "new_scorer"
    if tuple(info.scale) != tuple(other.scale):
        return "not_comparable"
    if info.hash and other.hash:
        return "yes" if info.hash == other.hash else "not_comparable"
    untold = {"", "flat"}
    return "yes" if info.kind == other.kind or untold & {info.kind, other.kind} else "not_comparable"
