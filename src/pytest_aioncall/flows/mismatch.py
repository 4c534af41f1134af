"""What makes a comparison of two files say little: told before the verdict, in words that name both sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..adapters.text import one_line
from ..decide.sides import Side, epochs_of

_MOST = 4


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One warning; `nothing` says in a few words why nothing at all could be compared, where that is so."""

    told: str
    nothing: str | None = None


def mismatches(candidate: Side, baseline: Side) -> Iterator[Mismatch]:
    """Yield why two sides have nothing, or too little, to compare."""
    if not candidate.scorers.keys() & baseline.scorers.keys():
        told = f"the baseline has {_some(baseline.scorers)}; the candidate has {_some(candidate.scorers)}"
        yield Mismatch(f"no scorer in common: {told}", "no scorer in common")
    now, was = {row.case: row for row in candidate.rows}, {row.case: row for row in baseline.rows}
    shared = now.keys() & was.keys()
    if not shared:
        told = f"the baseline has {_some(was)}; the candidate has {_some(now)}"
        yield Mismatch(f"no case in common: {told}", "no case in common")
        return
    changed = [case for case in shared if now[case].digest and was[case].digest]
    changed = [case for case in changed if now[case].digest != was[case].digest]
    if len(changed) == len(shared):
        yield Mismatch(
            f"every shared case changed its input or what it expects ({_some(changed)}): "
            "the two sides answered different questions",
            "every shared case changed",
        )
    few = [
        name
        for name, side in (("the baseline", baseline), ("the candidate", candidate))
        if max((epochs_of(row) for row in side.rows), default=0) <= 1
    ]
    if few:
        where = "both sides" if len(few) == 2 else few[0]
        yield Mismatch(
            f"one epoch on {where}: noise cannot be told from change in single cases; "
            "export 3 epochs (repeats) of every case on both sides"
        )


def _some(names: Iterable[str]) -> str:
    found = sorted(names)
    rest = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return (", ".join(one_line(name, 60) for name in found[:_MOST]) or "none") + rest
