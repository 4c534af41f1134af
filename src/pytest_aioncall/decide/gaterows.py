"""The rows that a gate asks about: each scorer overall, and on every value of the slices named."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import UsageError
from ..model.baseline import CaseRow, ScorerInfo
from ..model.config import Defaults
from ..model.evalset import Claim, Gate
from ..stats.arrays import Ints
from .gatelimits import default_margin, default_min, limits_wrong, listed
from .table import ScorerTable

SMALLEST_SLICE = 10


@dataclass(frozen=True, slots=True)
class GateRow:
    """One row before it is judged. `members` are places in the scorer's table.

    `fails_open` tells whether a row that cannot decide fails the run.
    """

    scorer: str
    slice: dict[str, str] | None
    margin: float
    min: float | None
    claim: Claim
    alpha: float
    fails_open: bool
    members: Ints


def all_rows(
    gates: Sequence[Gate],
    *,
    scorers: Mapping[str, ScorerInfo],
    tables: Mapping[str, ScorerTable],
    rows: Sequence[CaseRow],
    defaults: Defaults,
) -> list[GateRow]:
    """Return the rows of all gates, each row once: where two gates name it the first one's rule holds."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], GateRow] = {}
    slices = Slices(rows)
    for gate in gates:
        scale = scorers[gate.scorer].scale
        for row in rows_of(gate, scale=scale, table=tables[gate.scorer], slices=slices, defaults=defaults):
            found.setdefault((row.scorer, tuple((row.slice or {}).items())), row)
    return list(found.values())


class Slices:
    """Which cases lie in which slice; each dimension is read once, however many scorers and gates ask."""

    def __init__(self, rows: Sequence[CaseRow]) -> None:
        self._rows = rows
        self._codes: dict[str, tuple[list[str], Ints]] = {}

    def members(self, name: str, place: Ints) -> list[tuple[str, Ints]]:
        """Return the values of one dimension, sorted, each with the indices into `place` of its cases.

        Raises UsageError for a name that no case has.
        """
        if name not in self._codes:
            self._codes[name] = self._read(name)
        values, codes = self._codes[name]
        here = codes[place]
        order = np.argsort(here, kind="stable")
        ends = np.searchsorted(here[order], np.arange(len(values) + 1))
        parts = [(value, order[ends[i] : ends[i + 1]].astype(np.int64)) for i, value in enumerate(values)]
        return [(value, members) for value, members in parts if members.size]

    def _read(self, name: str) -> tuple[list[str], Ints]:
        """Return the values in order, and of each case the index of its value, -1 where it has none."""
        found = [row.slices.get(name) for row in self._rows]
        values = sorted({value for value in found if value is not None})
        if self._rows and not values:
            known = sorted({key for row in self._rows for key in row.slices})
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there is {listed(known)}"
            raise UsageError(f"gates: no case has the slice {name!r}{hint}")
        index: dict[str | None, int] = {value: i for i, value in enumerate(values)}
        return values, np.array([index.get(value, -1) for value in found], dtype=np.int64)


def rows_of(
    gate: Gate,
    *,
    scale: tuple[float, float],
    table: ScorerTable,
    slices: Slices,
    defaults: Defaults,
) -> list[GateRow]:
    """Return the overall row and one row for each value of each slice that the gate names.

    What the gate does not say the defaults say. Raises UsageError for a slice that no case has, a `min` off
    the scale and a `margin` wider than it.
    """
    for message in limits_wrong(gate, scale=scale).values():
        raise UsageError(f"gates: {message}")

    def row(part: dict[str, str] | None, members: Ints) -> GateRow:
        return GateRow(
            scorer=gate.scorer,
            slice=part,
            margin=default_margin(scale, defaults) if gate.margin is None else gate.margin,
            min=default_min(scale, defaults) if gate.min is None else gate.min,
            claim=gate.claim or defaults.claim,
            alpha=gate.alpha or defaults.alpha,
            fails_open=(gate.on_inconclusive or defaults.on_inconclusive) == "fail",
            members=members,
        )

    found = [row(None, np.arange(table.place.size, dtype=np.int64))]
    for name in gate.slices:
        found += [row({name: value}, members) for value, members in slices.members(name, table.place)]
    return found
