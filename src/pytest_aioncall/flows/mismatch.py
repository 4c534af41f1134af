"""What makes a comparison of two files say little: told before the verdict, in words that name both sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..adapters.text import one_line
from ..decide.sides import Side, epochs_of

_MOST = 4


def mismatches(candidate: Side, baseline: Side) -> Iterator[str]:
    """Yield why two sides have nothing, or too little, to compare."""
    if not candidate.scorers.keys() & baseline.scorers.keys():
        yield (
            f"no scorer in common: the baseline has {_some(baseline.scorers)}; "
            f"the candidate has {_some(candidate.scorers)}"
        )
    now, was = {row.case: row for row in candidate.rows}, {row.case: row for row in baseline.rows}
    shared = now.keys() & was.keys()
    if not shared:
        yield (f"no case in common: the baseline has {_some(was)}; the candidate has {_some(now)}")
        return
    changed = [case for case in shared if now[case].digest and was[case].digest]
    changed = [case for case in changed if now[case].digest != was[case].digest]
    if len(changed) == len(shared):
        yield (
            f"every shared case changed its input or what it expects ({_some(changed)}): "
            "the two sides answered different questions"
        )
    few = [
        name
        for name, side in (("the baseline", baseline), ("the candidate", candidate))
        if max((epochs_of(row) for row in side.rows), default=0) <= 1
    ]
    if few:
        where = "both sides" if len(few) == 2 else few[0]
        yield (
            f"one epoch on {where}: noise cannot be told from change in single cases; "
            "export 3 epochs (repeats) of every case on both sides"
        )


def _some(names: Iterable[str]) -> str:
    found = sorted(names)
    rest = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return (", ".join(one_line(name, 60) for name in found[:_MOST]) or "none") + rest
