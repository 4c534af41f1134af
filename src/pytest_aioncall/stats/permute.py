"""Do these very cases answer as before? Permutation of the epoch labels inside each case."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .arrays import Floats, Ints
from .draws import Tally, Words, chunked, draws_for, is_clear, stages
from .lattice import power_sum_below, whole
from .special import ndtr

MOST_POINTS = 1 << 22
# Hundreds of epochs of one case: counting their choices would take minutes, drawing them takes a second.
MOST_STEPS = 20_000_000
MOST_CHOICES = 1 << 26


@dataclass(frozen=True, slots=True)
class LabelPermutation:
    """One test. `p_min` is the smallest mid-p that these scores can attain under any labelling."""

    p: float
    p_min: float
    method: Literal["none", "lattice", "draws", "normal"]


def permute_epochs(
    before: Floats, after: Floats, *, step: float | None, alpha: float, resolution: float
) -> LabelPermutation:
    """Test H0 "every case answers as before" against a drop of the mean difference, with mid-p.

    before, after  scores, cases x epochs, NaN where a sample has none; every case has one on both sides
    step           lattice step of single scores where they have one: then the null is exact
    alpha, resolution  as in `sign_flip`
    Cases keep their own scores: only which run an epoch belongs to is drawn, so that hard cases and easy ones
    do not mix. Labels of different cases are drawn independently, those of one cluster too: the cases are
    given, and only the noise of repeating them is at stake. Where drawing would take too long (more than
    2^26 choices) the normal distribution with the exact permutation variance.
    """
    pooled = np.concatenate([before, after], axis=1)
    if pooled.shape[0] == 0 or float(np.nanmax(np.nanmax(pooled, 1) - np.nanmin(pooled, 1))) <= 1e-12:
        return LabelPermutation(0.5, 0.5, "none")
    if step is not None:
        exact = _on_lattice(before, after, step=step)
        if exact is not None:
            return exact
    sizes = np.sum(~np.isnan(pooled), axis=1)
    draws = draws_for(resolution)
    if draws * int(sizes.sum()) <= MOST_CHOICES:
        p = _by_draws(before, after, draws=draws, alpha=alpha)
        return LabelPermutation(p, 0.5 / (draws + 1), "draws")
    return LabelPermutation(_by_normal(before, after), 0.0, "normal")


def _on_lattice(before: Floats, after: Floats, *, step: float) -> LabelPermutation | None:
    """Return the exact test, or None where the lattice is too fine for it."""
    lowest = float(np.nanmin(np.concatenate([before, after], axis=1)))
    was, now = _sorted_steps(before, lowest, step=step), _sorted_steps(after, lowest, step=step)
    if was is None or now is None:
        return None
    types = Counter(zip(was, now, strict=True))
    common = math.lcm(*{len(side) for pair in types for side in pair})
    grouped: Counter[tuple[tuple[int, ...], int]] = Counter()
    total = 0
    for (first, second), count in types.items():
        pooled, chosen = tuple(sorted(first + second)), len(second)
        grouped[pooled, chosen] += count
        moved = _scaled_difference(sum(second), pooled, chosen, common)
        total += count * (moved - _least(pooled, chosen, common))
    if sum(_mass_cost(pooled, chosen) for pooled, chosen in grouped) > MOST_STEPS:
        return None
    parts, log_least = [], 0.0
    for (pooled, chosen), count in grouped.items():
        mass = _difference_mass(pooled, chosen, common)
        parts.append((mass, count))
        log_least += count * math.log(mass[0])
    width = sum((mass.size - 1) * count for mass, count in parts)
    if len(parts) << width.bit_length() > MOST_POINTS:
        return None
    return LabelPermutation(power_sum_below(parts, total=total), math.exp(log_least) / 2, "lattice")


def _sorted_steps(scores: Floats, lowest: float, *, step: float) -> list[tuple[int, ...]] | None:
    """Return each case's judged scores in whole steps above `lowest`, sorted; None off the lattice."""
    gaps = np.isnan(scores)
    steps = whole(np.where(gaps, 0.0, scores - lowest), step=step)
    if steps is None:
        return None
    ordered = np.sort(np.where(gaps, np.iinfo(np.int64).max, steps), axis=1).tolist()
    judged = np.sum(~gaps, axis=1).tolist()
    return [tuple(one[:count]) for one, count in zip(ordered, judged, strict=True)]


def _scaled_difference(chosen_sum: int, pooled: tuple[int, ...], chosen: int, common: int) -> int:
    """Return mean(chosen) - mean(rest) in units of step/common."""
    rest = len(pooled) - chosen
    return chosen_sum * (common // chosen) - (sum(pooled) - chosen_sum) * (common // rest)


def _least(pooled: tuple[int, ...], chosen: int, common: int) -> int:
    return _scaled_difference(sum(pooled[:chosen]), pooled, chosen, common)


def _mass_cost(pooled: tuple[int, ...], chosen: int) -> int:
    """Return about how many steps `_difference_mass` takes: epochs x choices x distinct sums."""
    return len(pooled) * chosen * min(sum(pooled[-chosen:]) - sum(pooled[:chosen]) + 1, 1 << min(chosen, 60))


def _difference_mass(pooled: tuple[int, ...], chosen: int, common: int) -> Floats:
    """Return the null mass of one case's difference, counted from its least value in units of step/common."""
    ways: list[dict[int, int]] = [{0: 1}] + [{} for _ in range(chosen)]
    for value in pooled:
        for size in range(chosen, 0, -1):
            into = ways[size]
            for partial, number in ways[size - 1].items():
                into[partial + value] = into.get(partial + value, 0) + number
    least = _least(pooled, chosen, common)
    places = {_scaled_difference(s, pooled, chosen, common) - least: n for s, n in ways[chosen].items()}
    mass = np.zeros(max(places) + 1)
    subsets = math.comb(len(pooled), chosen)
    for place, number in places.items():
        mass[place] = number / subsets
    return mass


def _by_draws(before: Floats, after: Floats, *, draws: int, alpha: float) -> float:
    """Draw which of a case's pooled epochs count as `after`, one by one (selection sampling, Knuth's S)."""
    pooled = np.concatenate([before, after], axis=1)
    order = np.argsort(np.isnan(pooled), axis=1, kind="stable")
    values = np.nan_to_num(np.take_along_axis(pooled, order, axis=1))
    chosen: Ints = np.sum(~np.isnan(after), axis=1).astype(np.int64)
    sizes: Ints = np.sum(~np.isnan(pooled), axis=1).astype(np.int64)
    rest = sizes - chosen
    slope, offset = 1 / chosen + 1 / rest, np.nansum(pooled, axis=1) / rest
    observed = float(np.sum(np.nansum(after, axis=1) * slope - offset))
    ragged = bool((sizes < values.shape[1]).any())
    words = Words()
    tally = Tally(observed, slack=1e-11 * float(np.abs(values).sum() * 2))
    for stage in stages(draws):
        for rows in chunked(stage, width=values.size):
            wanted = np.broadcast_to(chosen, (rows, chosen.size)).copy()
            sums = np.zeros((rows, chosen.size))
            for place in range(values.shape[1]):
                left = np.maximum(sizes - place, 1)
                taken = words.taken(wanted, left=left)
                if ragged:
                    taken &= place < sizes
                sums += np.where(taken, values[:, place], 0.0)
                wanted -= taken
            # No BLAS: with threads of its own it costs more here than it saves.
            tally.add((sums * slope).sum(axis=1) - offset.sum())
        if is_clear(tally, alpha=alpha):
            break
    return tally.p


def _by_normal(before: Floats, after: Floats) -> float:
    """Return the normal p; a case's difference has the exact permutation variance (1/r_B + 1/r_C) s^2."""
    pooled = np.concatenate([before, after], axis=1)
    was, now = np.sum(~np.isnan(before), axis=1), np.sum(~np.isnan(after), axis=1)
    variance = np.nanvar(pooled, axis=1, ddof=1) * (1 / was + 1 / now)
    moved = float(np.sum(np.nanmean(after, axis=1) - np.nanmean(before, axis=1)))
    return float(ndtr(moved / math.sqrt(float(variance.sum()))))
