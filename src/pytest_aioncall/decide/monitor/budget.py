"""How the false pages of a year are shared: among the series of all evalsets, and with the daily gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...model.history import EvalsetDay, HistoryEntry, MeanRow
from ...stats.cusum import shared_interval
from .looks import days_between

KNOWN_DAYS = 7
"""An evalset that ran within so many days takes part in the sharing: shards of one day are several runs."""
GATE_SHARE = 0.25
"""What the gate's own pages may add to the configured number, as a share of it."""
GATE_ALPHA = 0.05
DAYS_A_YEAR = 365


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits of one look.

    h_overall, h_slice  above which the CUSUM of a series is an alarm
    gate_share          share of a gate row's own level at or below which one red day pages by itself
    """

    h_overall: float
    h_slice: float
    gate_share: float

    def h(self, row: MeanRow) -> float:
        """Return the limit of one series."""
        return self.h_overall if row.slice is None else self.h_slice


def watched_rows(day: EvalsetDay) -> list[MeanRow]:
    """Return the rows that page: those that gate and have a mean."""
    return [row for row in day.rows if row.gating and row.mean is not None]


def budgets(entries: Sequence[HistoryEntry], *, pages_per_year: float) -> list[Budget]:
    """Return the budget of each entry; `entries` by time.

    As with the gate's rows, overall series and slices have half of the pages each where both are there. What
    counts is known at the time of the run: a series that came later changes no alarm of before.
    """
    newest: dict[str, tuple[str, int, int]] = {}
    found: list[Budget] = []
    made: dict[tuple[int, int, int], Budget] = {}
    for entry in entries:
        for day in entry.evalsets:
            if day.judged:
                rows = watched_rows(day)
                slices = sum(row.slice is not None for row in rows)
                newest[day.evalset] = entry.day, len(rows) - slices, slices
        known = [one for one in newest.values() if days_between(one[0], entry.day) <= KNOWN_DAYS]
        sizes = max(1, len(known)), sum(one[1] for one in known), sum(one[2] for one in known)
        if sizes not in made:
            made[sizes] = _budget(*sizes, pages=pages_per_year)
        found.append(made[sizes])
    return found


def _budget(evalsets: int, overall: int, slices: int, *, pages: float) -> Budget:
    each = pages / 2 if overall and slices else pages
    per_day = GATE_SHARE * pages / DAYS_A_YEAR / evalsets
    return Budget(
        h_overall=shared_interval(each, series=overall),
        h_slice=shared_interval(each, series=slices),
        gate_share=min(1.0, per_day / GATE_ALPHA),
    )
