"""The gate's error rates and its power, simulated through the public door with fixed seeds.

The quick cells hold their bounds within three standard errors; `slow` runs every cell of
`scripts/simulate_gate.py` with two.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "simulate_gate.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("simulate_gate", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


simulation = _load()
CELLS = {cell.name: cell for cell in simulation.cells()}
QUICK = {
    "these: 3 of 10 broken, 3 epochs, found": 300,
    "these: 3 of 20 broken, 3 epochs, found": 300,
    "these: 10 cases, 3 epochs, unchanged, red": 400,
    "these: 20 cases, 3 epochs, unchanged, red": 300,
    "these: 20 graded cases, 3 epochs, unchanged, red": 300,
    "these: 100 cases, 3 epochs, a drop of the margin, pass": 150,
    "like: 50 cases, 1 epochs, unchanged, red": 200,
    "like: 50 cases, 3 epochs, reshuffled, red": 200,
    "like: 50 graded cases, 3 epochs, edited, red": 200,
    "like: 50 graded cases, 5 epochs, unchanged, red": 150,
    "like: 200 cases, 1 epochs, a drop of the margin, pass": 150,
    "like: 200 cases, 3 epochs, unchanged, red": 150,
    "like: 200 graded cases, 1 epochs, unchanged, red": 150,
    "like: 200 graded cases, 5 epochs, a drop of the margin, pass": 150,
    "like: power .90 -> .85, 200 cases, 3 epochs": 150,
    "like: power 4.21 -> 4.05, 200 cases, 3 epochs": 100,
    "like: 30 clusters of 5, whole clusters move, red": 200,
}


@pytest.mark.parametrize("name", list(QUICK))
def test_the_gate_keeps_its_promise(name: str) -> None:
    cell, changes = CELLS[name], QUICK[name]
    share = simulation.share_of(cell, changes=changes)
    assert cell.holds(share, changes=changes, slack=3), f"{share:.3f}, {cell.side} {cell.bound}"


def test_ignoring_the_clusters_would_break_it() -> None:
    """The cluster cell is no empty promise: the same world without its clusters is red too often."""
    cell = CELLS["like: 30 clusters of 5, whole clusters move, red"]
    blind = simulation.Cell(cell.name, cell.draw, cell.counts, cell.bound, cell.side)
    share = simulation.share_of(blind, changes=200)
    assert not blind.holds(share, changes=200, slack=3), f"{share:.3f}"


@pytest.mark.slow
@pytest.mark.parametrize("name", list(CELLS))
def test_every_cell_keeps_its_promise(name: str) -> None:
    cell = CELLS[name]
    share = simulation.share_of(cell, changes=1000)
    assert cell.holds(share, changes=1000, slack=2), f"{share:.3f}, {cell.side} {cell.bound}"
