"""The gate's error rates and its power, simulated through the public door with fixed seeds.

The quick cells hold their bounds, and agree with the published shares, within three standard errors; `slow`
(`make simulate-tests`) runs every cell with two. `make simulate` does that as well and writes the page.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from simulations.methods import GATE, said
from simulations.methods import judged as gate_judged
from simulations.promises import FALSE_ALARMS, FOUND, STOPPING, WRONG_PASSES, Promise, promises
from simulations.results import Share, load
from simulations.running import Tally, run, tally
from simulations.scenarios import broken, documents, large, rows, scenarios, small, stopping
from simulations.worlds import Change

CELLS = {one.name: one for one in promises()}
QUICK = {
    large("binary", 50, 1): 150,
    large("binary", 200, 3): 100,
    large("graded", 200, 1): 100,
    large("graded", 50, 5): 150,
    large("binary", 50, 3, edit="edit"): 200,
    large("graded", 50, 3, edit="edit"): 200,
    large("binary", 200, 1, edit="documents"): 100,
    large("graded", 50, 3, edit="documents"): 200,
    large("graded", 1000, 1, edit="documents"): 20,
    documents(30, 5): 150,
    small("binary", 10, 3): 300,
    small("binary", 40, 5): 200,
    small("graded", 20, 3): 250,
    small("graded", 10, 5): 250,
    large("binary", 200, 3, times=1): 120,
    large("binary", 50, 5, times=1): 120,
    large("graded", 200, 1, times=1): 120,
    large("graded", 200, 3, times=1): 100,
    small("binary", 20, 3, times=1): 200,
    small("graded", 40, 3, times=1): 150,
    broken(3, 10, 3): 300,
    broken(2, 10, 5): 250,
    broken(3, 20, 3): 200,
    stopping("binary", 200, 1): 60,
    stopping("graded", 50, 1): 150,
    stopping("binary", 20, 2): 100,
    stopping("binary", 200, 1, times=1): 60,
    rows(5): 60,
    rows(45): 50,
    rows(45, dropped=True): 30,
}
CHECKED = [one for one in promises() if one.scenario in QUICK]
COUNTED: dict[str, Tally] = {}


def share_of(promise: Promise, *, changes: int) -> Share:
    """Simulate a cell's scenario, once for all of its cells; of the procedures only the gate."""
    name = promise.scenario
    if COUNTED.get(name, Tally()).changes != changes:
        scenario = scenarios()[name]
        if GATE in scenario.methods:
            scenario = dataclasses.replace(scenario, methods=(GATE,))
        COUNTED[name] = tally(scenario, range(changes))
    return Share(COUNTED[name].sums[f"{promise.method}: {promise.label}"] / changes, changes)


@pytest.mark.parametrize("promise", CHECKED, ids=lambda one: one.name)
def test_the_gate_keeps_its_promise(promise: Promise) -> None:
    changes = QUICK[promise.scenario]
    share = share_of(promise, changes=changes)
    assert promise.keeps(share.value, changes=changes, slack=3), f"{share}, {promise.side} {promise.bound}"


@pytest.mark.parametrize("promise", CHECKED, ids=lambda one: one.name)
def test_the_published_share_is_still_true(promise: Promise) -> None:
    """A change of the statistics that moves an error rate has to move the page with it."""
    found = share_of(promise, changes=QUICK[promise.scenario])
    told = load().share(promise.scenario, promise.method, promise.label)
    room = 3 * math.hypot(found.error, told.error) + 0.5 / found.changes
    assert abs(found.value - told.value) <= room, f"{found.value:.3f}, published {told.value:.3f}"


def test_every_family_of_cells_has_quick_ones() -> None:
    """Of each claim, kind of score and neutral change at least one cell is simulated at every push."""
    sorts = {(one.family, one.scenario.split()[0].split("=")[0]) for one in CHECKED}
    assert sorts == {(one.family, one.scenario.split()[0].split("=")[0]) for one in promises()}
    assert {one.family for one in CHECKED} == {FALSE_ALARMS, WRONG_PASSES, FOUND, STOPPING}
    for kind in ("binary", "graded"):
        for what in ("unchanged", "edited", "documents move", "drop=1m"):
            assert any(kind in one.scenario and what in one.scenario for one in CHECKED), (kind, what)


def test_ignoring_the_clusters_would_break_it() -> None:
    """The cluster cells are no empty promise: the same world without its clusters is red too often."""
    scenario = scenarios()[documents(30, 5)]
    cell = CELLS[f"{scenario.name} | gate: red"]
    blind = dataclasses.replace(
        GATE, decide=lambda change: said(gate_judged(dataclasses.replace(change, cluster_size=1)))
    )
    counted = tally(dataclasses.replace(scenario, methods=(blind,)), range(200))
    share = counted.sums["gate: red"] / 200
    assert not cell.keeps(share, changes=200, slack=3), f"{share:.3f}"


def test_a_gate_that_is_always_red_breaks_the_promises_of_silence() -> None:
    """Bounds can be missed: a procedure that flags everything, and one that flags nothing, each miss some."""
    always = [one for one in promises() if not one.keeps(1.0, changes=1000, slack=3)]
    never = [one for one in promises() if not one.keeps(0.0, changes=1000, slack=3)]
    assert len(always) + len(never) == len(promises())
    assert never
    assert all(one.side == "at most" for one in always)


class TestRunning:
    """How scenarios are run."""

    def test_the_numbers_do_not_depend_on_the_number_of_workers(self) -> None:
        names = [small("binary", 10, 3), broken(3, 10, 3)]
        wanted = dict.fromkeys(names, range(60))
        alone, together = run(wanted, workers=1), run(wanted, workers=2)
        assert alone == together
        assert alone[names[0]].changes == 60
        assert alone[names[0]].sums["gate: red"] + alone[names[0]].sums["gate: pass"] < 60

    def test_more_changes_are_the_same_changes_and_more(self) -> None:
        scenario = scenarios()[small("binary", 10, 3)]
        first, rest = tally(scenario, range(20)), tally(scenario, range(20, 50))
        first.add(rest)
        assert first == tally(scenario, range(50))

    def test_all_procedures_see_the_same_change(self) -> None:
        scenario = scenarios()[small("graded", 10, 3)]
        seen: list[Change] = []
        spies = [dataclasses.replace(GATE, decide=lambda change: seen.append(change) or {}) for _ in "ab"]
        tally(dataclasses.replace(scenario, methods=tuple(spies)), range(1))
        assert seen[0] is seen[1]

    def test_a_label_that_a_procedure_does_not_have_is_refused(self) -> None:
        scenario = scenarios()[small("binary", 10, 3)]
        wrong = dataclasses.replace(GATE, decide=lambda change: {"gren": 1.0})
        with pytest.raises(ValueError, match="gren"):
            tally(dataclasses.replace(scenario, methods=(wrong,)), range(1))


class TestWorlds:
    """What a world draws is what its name says."""

    @pytest.mark.parametrize("kind", ["binary", "graded"])
    @pytest.mark.parametrize(("edit", "times"), [("none", 0), ("edit", 0), ("documents", 0), ("none", 1)])
    def test_the_mean_moves_by_the_drop_and_by_nothing_else(self, kind: str, edit: str, times: int) -> None:
        scenario = scenarios()[large(kind, 1000, 3, edit=edit, times=times)]  # type: ignore[arg-type]
        rng = np.random.default_rng(1)
        changes = [scenario.draw(rng) for _ in range(120)]
        moved = np.array([change.after.mean() - change.before.mean() for change in changes])
        expected = -times * changes[0].margin
        assert abs(moved.mean() - expected) < 4 * moved.std(ddof=1) / math.sqrt(moved.size)
        if edit == "none":
            start = np.mean([change.before.mean() for change in changes])
            assert start == pytest.approx({"binary": 0.9, "graded": 4.21}[kind], abs=0.01)
        earlier = np.array([change.earlier.mean() - change.before.mean() for change in changes])
        assert abs(earlier.mean()) < 4 * earlier.std(ddof=1) / math.sqrt(earlier.size)

    @pytest.mark.parametrize("kind", ["binary", "graded"])
    def test_the_drop_of_given_cases_is_exact(self, kind: str) -> None:
        """Over many epochs of the same few cases the drop is that of these cases, not of their kind."""
        world = scenarios()[small(kind, 10, 5, times=1)].draw.__self__  # type: ignore[attr-defined,arg-type]
        long = dataclasses.replace(world, epochs=40_000)
        change = long.draw(np.random.default_rng(3))
        assert change.after.mean() - change.before.mean() == pytest.approx(-change.margin, abs=0.004)

    def test_cases_of_a_document_move_together(self) -> None:
        scenario = scenarios()[large("graded", 1000, 5, edit="documents")]
        change = scenario.draw(np.random.default_rng(2))
        moves = (change.after.mean(axis=1) - change.before.mean(axis=1)).reshape(-1, change.cluster_size)
        between, expected = moves.mean(axis=1).var(ddof=1), moves.var(ddof=1) / change.cluster_size
        assert between > 2 * expected


@pytest.mark.slow
@pytest.mark.parametrize("promise", promises(), ids=lambda one: one.name)
def test_every_cell_keeps_its_promise(promise: Promise) -> None:
    changes = scenarios()[promise.scenario].changes(1000)
    share = share_of(promise, changes=changes)
    assert promise.keeps(share.value, changes=changes, slack=2), f"{share}, {promise.side} {promise.bound}"
