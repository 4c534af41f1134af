"""Simulate the gate: how often is an unchanged run red, how often is a broken one found?

    python scripts/simulate_gate.py [--changes 1000] [--only PATTERN]

Every cell draws that many simulated changes from a fixed seed, judges each through the public door
`decide.compare.judge`, and is held against its acceptance bound with two standard errors of slack. Exits 1
when a cell is out of bounds. `tests/property/test_decide_simulation.py` runs fewer changes a cell.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pytest_aioncall.decide.compare import Side, judge
from pytest_aioncall.model.baseline import CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import Claim, Gate
from pytest_aioncall.model.verdict import Judgement

Floats = NDArray[np.float64]
Scores = tuple[Floats, Floats]
MARGIN = {"binary": 0.05, "graded": 0.16}
SCALE = {"binary": (0.0, 1.0), "graded": (1.0, 5.0)}


@dataclass(frozen=True, slots=True)
class Cell:
    """One scenario: how to draw (baseline, candidate), what share to count, and its bound."""

    name: str
    draw: Callable[[np.random.Generator], Scores]
    counts: Callable[[Judgement], bool]
    bound: float
    side: Literal["at most", "at least"]
    kind: Literal["binary", "graded"] = "binary"
    claim: Claim = "auto"
    cluster_size: int = 1
    slices: int = 0

    def holds(self, share: float, *, changes: int, slack: float) -> bool:
        """Tell whether a simulated share is within `slack` standard errors of the bound."""
        room = slack * math.sqrt(self.bound * (1 - self.bound) / changes)
        return share <= self.bound + room if self.side == "at most" else share >= self.bound - room


def red(found: Judgement) -> bool:
    """Count runs that fail."""
    return found.exit_code == 1


def noticed(found: Judgement) -> bool:
    """Count runs that saw a drop: red, or green with the note that a small drop is within the margin."""
    p = found.verdicts[0].p_adjusted
    return p is not None and p <= 0.05


def passes(found: Judgement) -> bool:
    """Count runs that pass outright."""
    return found.status == "pass"


# --- worlds ---


def flaky(rng: np.random.Generator, *, cases: int) -> Floats:
    """Return pass rates of a suite with few flaky cases, mean .9."""
    return rng.beta(0.9, 0.1, cases)


def binary(
    cases: int, epochs: int, *, change: Callable[[np.random.Generator, Floats], Floats]
) -> Callable[[np.random.Generator], Scores]:
    """Return a world of binary cases whose rates `change` turns into the candidate's."""

    def draw(rng: np.random.Generator) -> Scores:
        rates = flaky(rng, cases=cases)
        after = change(rng, rates)
        return (
            (rng.random((cases, epochs)) < rates[:, None]).astype(float),
            (rng.random((cases, epochs)) < after[:, None]).astype(float),
        )

    return draw


def same(_: np.random.Generator, rates: Floats) -> Floats:
    """Change nothing."""
    return rates


def broken(number: int) -> Callable[[np.random.Generator, Floats], Floats]:
    """Break `number` cases for good."""

    def change(_: np.random.Generator, rates: Floats) -> Floats:
        after = rates.copy()
        after[:number] = 0.0
        return after

    return change


def worn(to: float) -> Callable[[np.random.Generator, Floats], Floats]:
    """Lower every case's rate in proportion, so that a mean of .9 becomes `to`."""

    def change(_: np.random.Generator, rates: Floats) -> Floats:
        return rates * to / 0.9

    return change


def reshuffled(rng: np.random.Generator, rates: Floats) -> Floats:
    """Draw a tenth of the cases anew: an edit that moves single cases and not the mean."""
    return np.where(rng.random(rates.size) < 0.1, flaky(rng, cases=rates.size), rates)


def graded(
    cases: int, epochs: int, *, drop: float = 0.0, kept: float = 1.0, mean: float = 4.21
) -> Callable[[np.random.Generator], Scores]:
    """Return a world of 1-5 scores: latent case sd .8, run sd .6, rounded and cut to the scale.

    drop  the true drop of the observed mean: the latent shift that makes it is found on a large sample
    kept  correlation of the cases' levels before and after: below 1 an edit moves cases and not the mean
    """
    latent_mean = _latent(mean)
    shift = latent_mean - _latent(mean - drop) if drop else 0.0

    def draw(rng: np.random.Generator) -> Scores:
        level = rng.normal(latent_mean, 0.8, cases)
        moved = kept * (level - latent_mean) + math.sqrt(1 - kept**2) * rng.normal(0, 0.8, cases)
        after = latent_mean + moved - shift
        return tuple(  # type: ignore[return-value]
            np.clip(np.rint(rng.normal(one[:, None], 0.6, (cases, epochs))), 1, 5) for one in (level, after)
        )

    return draw


def _latent(observed: float) -> float:
    """Return the latent mean whose rounded and cut scores have the mean `observed`."""
    noise = np.random.default_rng(7).normal(0, math.hypot(0.8, 0.6), 400_000)
    low, high = 1.0, 8.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if np.clip(np.rint(middle + noise), 1, 5).mean() < observed else (low, middle)
        )
    return low


def clustered(clusters: int, size: int, epochs: int) -> Callable[[np.random.Generator], Scores]:
    """Return a neutral edit that moves whole documents: cases of a cluster go up or down together."""

    def draw(rng: np.random.Generator) -> Scores:
        push = np.repeat(rng.choice([-0.3, 0.0, 0.3], clusters), size)
        rates = np.clip(rng.uniform(0.3, 0.7, clusters * size), 0, 1)
        return (
            (rng.random((rates.size, epochs)) < rates[:, None]).astype(float),
            (rng.random((rates.size, epochs)) < (rates + push)[:, None]).astype(float),
        )

    return draw


# --- judging ---


def sides(scores: Scores, *, kind: str, cluster_size: int = 1, slices: int = 0) -> tuple[Side, Side]:
    """Return (baseline, candidate) as the gate takes them; `slices` values of a slice, in turn."""
    info = {"score": ScorerInfo(kind="exact", scale=SCALE[kind])}
    found = []
    for one in scores:
        rows = tuple(
            CaseRow(
                case=f"case-{i}",
                digest="d",
                slices={"part": str(i % slices)} if slices else {},
                cluster=f"doc-{i // cluster_size}" if cluster_size > 1 else None,
                scores={"score": tuple(values)},
            )
            for i, values in enumerate(one.tolist())
        )
        found.append(Side(rows=rows, scorers=info))
    return found[0], found[1]


def judged(cell: Cell, rng: np.random.Generator) -> Judgement:
    """Draw one change and judge it."""
    baseline, candidate = sides(
        cell.draw(rng), kind=cell.kind, cluster_size=cell.cluster_size, slices=cell.slices
    )
    gate = Gate(
        scorer="score", margin=MARGIN[cell.kind], claim=cell.claim, slices=("part",) if cell.slices else ()
    )
    return judge(
        candidate, baseline, evalset="simulated", gates=(gate,), defaults=Defaults(), max_error_rate=0.02
    )


def share_of(cell: Cell, *, changes: int) -> float:
    """Return the share of simulated changes that the cell counts; the seed is the cell's name."""
    rng = np.random.default_rng([20_261_121, *cell.name.encode()])
    return sum(cell.counts(judged(cell, rng)) for _ in range(changes)) / changes


def cells() -> Iterator[Cell]:
    """Yield every cell with its acceptance bound."""
    yield from _these_cases()
    yield from _cases_like_these()
    yield Cell(
        "slices: 10 slices of 60, unchanged, red",
        binary(600, 3, change=same),
        red,
        0.05,
        "at most",
        slices=10,
    )


def _these_cases() -> Iterator[Cell]:
    yield Cell(
        "these: 3 of 10 broken, 3 epochs, found", binary(10, 3, change=broken(3)), red, 0.94, "at least"
    )
    yield Cell(
        "these: 2 of 10 broken, 5 epochs, found", binary(10, 5, change=broken(2)), red, 0.89, "at least"
    )
    yield Cell(
        "these: 3 of 20 broken, 3 epochs, found", binary(20, 3, change=broken(3)), red, 0.84, "at least"
    )
    for cases, epochs in ((10, 3), (20, 3), (45, 3), (10, 5), (20, 2)):
        name = f"these: {cases} cases, {epochs} epochs, unchanged, red"
        yield Cell(name, binary(cases, epochs, change=same), red, 0.05, "at most")
        name = f"these: {cases} graded cases, {epochs} epochs, unchanged, red"
        yield Cell(name, graded(cases, epochs), red, 0.05, "at most", kind="graded")
    name = "these: 100 cases, 3 epochs, a drop of the margin, pass"
    yield Cell(name, binary(100, 3, change=worn(0.85)), passes, 0.05, "at most", claim="these-cases")


def _cases_like_these() -> Iterator[Cell]:
    claim: Claim = "cases-like-these"
    for cases in (20, 50, 200, 1000):
        for epochs in (1, 3, 5):
            where = f"like: {cases} cases, {epochs} epochs"
            yield Cell(
                f"{where}, unchanged, red",
                binary(cases, epochs, change=same),
                red,
                0.05,
                "at most",
                claim=claim,
            )
            yield Cell(
                f"{where}, reshuffled, red",
                binary(cases, epochs, change=reshuffled),
                red,
                0.05,
                "at most",
                claim=claim,
            )
            yield Cell(
                f"{where}, a drop of the margin, pass",
                binary(cases, epochs, change=worn(0.85)),
                passes,
                0.05,
                "at most",
                claim=claim,
            )
            where = f"like: {cases} graded cases, {epochs} epochs"
            yield Cell(
                f"{where}, unchanged, red", graded(cases, epochs), red, 0.05, "at most", "graded", claim
            )
            yield Cell(
                f"{where}, edited, red",
                graded(cases, epochs, kept=0.8),
                red,
                0.05,
                "at most",
                "graded",
                claim,
            )
            yield Cell(
                f"{where}, a drop of the margin, pass",
                graded(cases, epochs, drop=0.16),
                passes,
                0.05,
                "at most",
                "graded",
                claim,
            )
    yield Cell(
        "like: power .90 -> .85, 200 cases, 3 epochs",
        binary(200, 3, change=worn(0.85)),
        red,
        0.94,
        "at least",
    )
    name = "like: power 4.21 -> 4.05, 200 cases, 1 epochs"
    yield Cell(name, graded(200, 1, drop=0.16), red, 0.87, "at least", "graded")
    # The drop is the margin itself: up to 5 % of such runs pass, so "red" could not reach .99 by any rule.
    name = "like: power 4.21 -> 4.05, 200 cases, 3 epochs"
    yield Cell(name, graded(200, 3, drop=0.16), noticed, 0.99, "at least", "graded")
    for clusters, size in ((30, 5), (20, 10)):
        name = f"like: {clusters} clusters of {size}, whole clusters move, red"
        yield Cell(name, clustered(clusters, size, 3), red, 0.05, "at most", cluster_size=size)


def main() -> int:
    """Run all cells and print a line each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--changes", type=int, default=1000, help="simulated changes a cell")
    parser.add_argument("--only", default="", help="run cells whose name has this in it")
    asked = parser.parse_args()
    failed = 0
    for cell in cells():
        if asked.only not in cell.name:
            continue
        started = time.perf_counter()
        share = share_of(cell, changes=asked.changes)
        good = cell.holds(share, changes=asked.changes, slack=2)
        failed += not good
        took, word = time.perf_counter() - started, "ok " if good else "OUT"
        print(f"{word} {share:.3f} {cell.side} {cell.bound:.2f}  {cell.name} ({took:.0f} s)", flush=True)
    print(f"{failed} cells out of bounds")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
