"""Run scenarios on all cores. A change's seed is its scenario's name and its number, never its worker."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

import numpy as np

from .scenarios import Scenario, scenarios

SEED = 20_261_122
CHUNK = 50


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


def run(names: Iterable[str], *, asked: int, workers: int | None = None) -> dict[str, Tally]:
    """Run scenarios, `asked` changes each (times their effort). The answer does not depend on `workers`."""
    total = {name: Tally() for name in names}
    parts = sorted(_parts(total, asked), key=lambda part: part[1].start)
    started = time.monotonic()
    with ProcessPoolExecutor(workers or os.cpu_count()) as pool:
        waiting = {pool.submit(_part, name, numbers): name for name, numbers in parts}
        for done, future in enumerate(as_completed(waiting), 1):
            total[waiting[future]].add(future.result())
            _show(done, len(parts), time.monotonic() - started)
    return total


def _parts(names: Iterable[str], asked: int) -> Iterator[tuple[str, range]]:
    for name in names:
        changes = scenarios()[name].changes(asked)
        for start in range(0, changes, CHUNK):
            yield name, range(start, min(start + CHUNK, changes))


def _part(name: str, numbers: range) -> Tally:
    return tally(scenarios()[name], numbers)


def _show(done: int, parts: int, seconds: float) -> None:
    if not sys.stderr.isatty():
        return
    left = seconds / done * (parts - done)
    end = "\n" if done == parts else ""
    print(f"\r{done}/{parts} parts, {left / 60:.1f} min left ", end=end, file=sys.stderr, flush=True)
