"""How often would a `must` ring by chance? From how often each floor held, pooled over the floors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..model.selfcheck import FloorChance, FloorChances
from ..model.verdict import Floor
from ..stats.arrays import Floats, Ints
from ..stats.betabinomial import fitted_rates
from ..stats.special import betaln

WEAKEST = 10


def floor_chances(floors: Sequence[Floor]) -> FloorChances | None:
    """Return how likely floors are to break in a new run of as many epochs; None where there is no floor.

    The rate at which a floor holds has a Beta prior fitted to all floors of its kind (by moments, smoothed by
    half an epoch as Jeffreys' prior does), so that 100 musts that each held in 3 of 3 epochs speak together:
        alone each of them would be taken to break in one run of thirteen. Undecided floors are left out. The
    chance that any rings takes floors of different cases as independent, and those of one case by the
    likeliest to break.
    """
    known = [floor for floor in floors if floor.epochs and not floor.undecided]
    if not known:
        return None
    found: list[FloorChance] = []
    for kind in ("must", "require"):
        found += _chances_of([floor for floor in known if floor.kind == kind])
    found.sort(key=lambda one: (-one.chance, one.case, one.scorer))
    return FloorChances(
        floors=len(found),
        musts=sum(one.kind == "must" for one in found),
        any=_any(found),
        any_must=_any([one for one in found if one.kind == "must"]),
        weakest=tuple(found[:WEAKEST]),
    )


def _chances_of(floors: Sequence[Floor]) -> list[FloorChance]:
    if not floors:
        return []
    held: Ints = np.array([floor.held for floor in floors], dtype=np.int64)
    epochs: Ints = np.array([floor.epochs for floor in floors], dtype=np.int64)
    needed: Ints = np.array([floor.needed for floor in floors], dtype=np.int64)
    a, b = fitted_rates(held, epochs=epochs)
    more, less = (a + held).astype(np.float64), (b + epochs - held).astype(np.float64)
    breaks = fewer_than(needed, epochs=epochs, a=more, b=less)
    return [
        FloorChance(
            kind=floor.kind,
            case=floor.case,
            scorer=floor.scorer,
            held=floor.held,
            epochs=floor.epochs,
            chance=round(float(chance), 6),
        )
        for floor, chance in zip(floors, breaks, strict=True)
    ]


def fewer_than(needed: Ints, *, epochs: Ints, a: Floats, b: Floats) -> Floats:
    """Return P(fewer than `needed` of the next `epochs` hold) under beta-binomial rates Beta(a, b)."""
    total = np.zeros(needed.size)
    for count in range(int(needed.max(initial=0))):
        inside = (count < needed) & (count <= epochs)
        rest = np.maximum(epochs - count, 0)
        ways = -np.log1p(epochs) - betaln(rest + 1.0, count + 1.0)
        mass = np.exp(ways + betaln(a + count, b + rest) - betaln(a, b))
        total += np.where(inside, mass, 0.0)
    return np.minimum(1.0, total)


def _any(found: Sequence[FloorChance]) -> float:
    worst: dict[str, float] = {}
    for one in found:
        worst[one.case] = max(worst.get(one.case, 0.0), one.chance)
    silent = 1.0
    for chance in worst.values():
        silent *= 1 - chance
    return round(1 - silent, 6)
