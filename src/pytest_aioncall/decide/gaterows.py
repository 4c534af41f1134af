"""The rows that a gate asks about: each scorer overall, and on every value of the slices named."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import UsageError
from ..model.baseline import CaseRow, ScorerInfo
from ..model.evalset import Claim, Gate
from ..stats.arrays import Ints
from .table import ScorerTable

SMALLEST_SLICE = 10


@dataclass(frozen=True, slots=True)
class GateRow:
    """One row before it is judged. `members` are places in the scorer's table."""

    scorer: str
    slice: dict[str, str] | None
    margin: float
    min: float | None
    claim: Claim
    members: Ints


def default_margin(scale: tuple[float, float]) -> float:
    """Return the margin of a gate that names none: .05 on 0-1, else 4 % of the span (.16 on 1-5)."""
    span = scale[1] - scale[0]
    return 0.05 if tuple(scale) == (0.0, 1.0) else 0.04 * span


def gates_or_default(gates: Sequence[Gate], *, scorers: Mapping[str, ScorerInfo]) -> list[Gate]:
    """Return the gates, one per scorer where none is given.

    Raises UsageError for a gate on a scorer that the candidate does not have.
    """
    for gate in gates:
        if gate.scorer not in scorers:
            near = difflib.get_close_matches(gate.scorer, list(scorers), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there is {_listed(scorers)}"
            raise UsageError(f"gates: unknown scorer {gate.scorer!r}{hint}")
    return list(gates) or [Gate(scorer=name) for name in scorers]


def rows_of(
    gate: Gate, *, scale: tuple[float, float], table: ScorerTable, rows: Sequence[CaseRow]
) -> list[GateRow]:
    """Return the overall row and one row for each value of each slice that the gate names.

    Raises UsageError for a slice that no case has, and for a `min` off the scale.
    """
    if gate.min is not None and not scale[0] <= gate.min <= scale[1]:
        raise UsageError(
            f"gates: min {gate.min:g} of {gate.scorer!r} is off its scale [{scale[0]:g}, {scale[1]:g}]"
        )
    margin = default_margin(scale) if gate.margin is None else gate.margin
    everyone = np.arange(table.place.size, dtype=np.int64)
    found = [GateRow(gate.scorer, None, margin, gate.min, gate.claim, everyone)]
    for name in gate.slices:
        if rows and not any(name in row.slices for row in rows):
            known = sorted({key for row in rows for key in row.slices})
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there is {_listed(known)}"
            raise UsageError(f"gates: no case has the slice {name!r}{hint}")
        members: dict[str, list[int]] = {}
        for at, place in enumerate(table.place.tolist()):
            value = rows[place].slices.get(name)
            if value is not None:
                members.setdefault(value, []).append(at)
        found += [
            GateRow(
                gate.scorer,
                {name: value},
                margin,
                gate.min,
                gate.claim,
                np.array(members[value], dtype=np.int64),
            )
            for value in sorted(members)
        ]
    return found


def _listed(names: Sequence[str] | Mapping[str, object]) -> str:
    return ", ".join(repr(name) for name in names) if names else "none"
