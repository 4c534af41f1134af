"""Run scenarios on all cores. A change's seed is its scenario's name and its number, never its worker."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

import numpy as np

from .promises import promises
from .scenarios import Scenario, scenarios

SEED = 20_261_122
CHUNK = 50
AGAIN = 5


@dataclass
class Tally:
    """What was counted in a scenario: `<method>: <label>` -> sum over `changes` changes."""

    changes: int = 0
    sums: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add another part of the same scenario."""
        self.changes += other.changes
        self.sums.update(other.sums)


def tally(scenario: Scenario, numbers: Iterable[int]) -> Tally:
    """Draw and judge the changes with these numbers."""
    found = Tally()
    for number in numbers:
        drawn = scenario.draw(np.random.default_rng([SEED, number, *scenario.name.encode()]))
        for method in scenario.methods:
            for label, value in method.decide(drawn).items():
                if label not in method.labels:
                    raise ValueError(f"{method.name} said {label!r}, which is none of its labels")
                found.sums[f"{method.name}: {label}"] += value  # type: ignore[assignment]
        found.changes += 1
    return found


def run(wanted: Mapping[str, range], *, workers: int | None = None) -> dict[str, Tally]:
    """Run the changes with these numbers of each scenario. The answer does not depend on `workers`."""
    total = {name: Tally() for name in wanted}
    parts = [(name, part) for name, numbers in wanted.items() for part in _parts(numbers)]
    started = time.monotonic()
    with ProcessPoolExecutor(workers or os.cpu_count()) as pool:
        waiting = [pool.submit(_part, name, part) for name, part in parts]
        for done, _ in enumerate(as_completed(waiting), 1):
            _show(done, len(parts), time.monotonic() - started)
    for (name, _), future in zip(parts, waiting, strict=True):  # in order, for sums of fractions
        total[name].add(future.result())
    return total


def settled(names: Iterable[str], *, asked: int, workers: int | None = None) -> dict[str, Tally]:
    """Run scenarios with `asked` changes each (times their effort), and doubtful ones anew.

    Of so many cells that lie at their bound one or two are beyond it by two standard errors though nothing is
    amiss. So a scenario with a cell out of bounds is drawn anew, five times as many other changes, and these
    count: the first ones were picked for being out. What is wrong stays out, for its bound is narrower now.
    """
    found = run({name: range(scenarios()[name].changes(asked)) for name in names}, workers=workers)
    doubtful = {
        one.scenario: range(tally.changes, (1 + AGAIN) * tally.changes)
        for one in promises()
        if (tally := found.get(one.scenario)) is not None
        and not one.keeps(one.counted(tally.sums) / tally.changes, changes=tally.changes, slack=2)
    }
    return {**found, **(run(doubtful, workers=workers) if doubtful else {})}


def _parts(numbers: range) -> Iterator[range]:
    for start in range(0, len(numbers), CHUNK):
        yield numbers[start : start + CHUNK]


def _part(name: str, numbers: range) -> Tally:
    return tally(scenarios()[name], numbers)


def _show(done: int, parts: int, seconds: float) -> None:
    if not sys.stderr.isatty():
        return
    left = seconds / done * (parts - done)
    end = "\n" if done == parts else ""
    print(f"\r{done}/{parts} parts, {left / 60:.1f} min left ", end=end, file=sys.stderr, flush=True)
