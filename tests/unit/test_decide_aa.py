"""An A/A run holds where nothing moves, says moved where epochs drift, and cannot tell from few epochs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pytest_aioncall.adapters.render.aa_screen import aa_screen
from pytest_aioncall.decide.aa import AaRequest, compare_runs, halves_of, split_run
from pytest_aioncall.decide.sides import Side
from pytest_aioncall.model.baseline import CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import Gate

Floats = NDArray[np.float64]
REQUEST = AaRequest("demo", [Gate(scorer="route", slices=("part",), min=0.99)], Defaults(), ("run-1",))


def side(scores: Floats) -> Side:
    rows = tuple(
        CaseRow(case=f"c{i:03d}", scores={"route": tuple(map(float, one))}, slices={"part": "ab"[i % 2]})
        for i, one in enumerate(scores)
    )
    return Side(rows, {"route": ScorerInfo(kind="exact")})


def still(cases: int = 40, epochs: int = 6, seed: int = 1) -> Floats:
    rng = np.random.default_rng(seed)
    return (rng.random((cases, epochs)) < rng.beta(4.5, 0.5, (cases, 1))).astype(np.float64)


def drifting() -> Floats:
    """A third of what passed in the first three epochs fails in the last three."""
    scores = still()
    scores[:, 3:] *= np.random.default_rng(2).random((40, 3)) > 0.33
    return scores


class TestSplittingARun:
    def test_an_unchanged_instrument_holds_whatever_its_minimum(self) -> None:
        report = split_run(side(still(seed=4)), REQUEST)
        assert (report.verdict, report.exit_code, report.splits) == ("holds", 0, 20)

    def test_more_red_halves_than_alpha_are_no_proof_of_rest(self) -> None:
        """Three of twenty halves are red: of five independent contrasts that proves nothing either way."""
        report = split_run(side(still(seed=1)), REQUEST)
        assert (report.verdict, report.exit_code) == ("unknown", 7)
        assert "cannot tell that from chance" in report.why

    def test_a_drift_from_early_to_late_epochs_is_found(self) -> None:
        report = split_run(side(drifting()), REQUEST)
        assert (report.verdict, report.exit_code) == ("moved", 1)
        row = report.rows[0]
        assert row.drift_p is not None and row.drift_p < 0.001
        assert row.drift is not None and row.drift < -0.2
        assert "later epochs" in report.why

    def test_drift_upwards_counts_too(self) -> None:
        report = split_run(side(drifting()[:, ::-1]), REQUEST)
        assert report.verdict == "moved"
        assert (report.rows[0].drift or 0) > 0.2

    def test_unchanged_instruments_are_called_moved_no_more_often_than_promised(self) -> None:
        found = [split_run(side(still(20, 4, seed)), REQUEST) for seed in range(60)]
        assert sum(one.verdict == "moved" for one in found) <= 8  # .05 of 60, and three standard errors
        assert sum(one.red_any or 0.0 for one in found) / 60 <= 0.05 + 3 * (0.05 * 0.95 / 60) ** 0.5

    @pytest.mark.parametrize("epochs", [1, 2, 3])
    def test_too_few_epochs_cannot_tell(self, epochs: int) -> None:
        report = split_run(side(still(epochs=epochs)), REQUEST)
        assert (report.verdict, report.exit_code, report.red_any) == ("unknown", 7, None)
        assert f"{epochs} epoch" in report.why

    def test_many_independent_cases_are_split_at_one_epoch_a_side(self) -> None:
        report = split_run(side(still(120, 2)), REQUEST)
        assert report.verdict == "holds"

    def test_dependent_splits_are_not_sold_as_independent_runs(self) -> None:
        report = split_run(side(still()), REQUEST)
        assert report.independent == 5
        assert report.interval is not None and report.interval[1] > 0.4
        assert any("weigh like 5 independent ones" in line for line in aa_screen(report))

    def test_the_same_run_gives_the_same_report(self) -> None:
        scores = still(30, 12)
        assert split_run(side(scores), REQUEST) == split_run(side(scores), REQUEST)


class TestHalves:
    @pytest.mark.parametrize(("epochs", "ways"), [(2, 1), (3, 3), (4, 3), (5, 10), (6, 10), (7, 35), (8, 35)])
    def test_every_balanced_split_once(self, epochs: int, ways: int) -> None:
        found = halves_of(epochs)
        assert len(found) == len(set(found)) == ways
        assert all(len(half) == epochs // 2 for half in found)

    def test_of_too_many_a_fixed_forty_with_odd_against_even_first(self) -> None:
        found = halves_of(10)
        assert found == halves_of(10)
        assert len(set(found)) == 40
        assert found[:2] == [(0, 2, 4, 6, 8), (0, 1, 2, 3, 4)]


class TestComparingTwoRuns:
    def test_two_runs_of_one_instrument_hold(self) -> None:
        report = compare_runs(side(still(seed=1)), side(still(seed=1)[:, ::-1]), REQUEST)
        assert (report.verdict, report.exit_code) == ("holds", 0)
        assert len(report.judgements) == 2

    @pytest.mark.parametrize("turned", [False, True])
    def test_a_move_is_found_in_either_direction(self, turned: bool) -> None:
        was, now = still(), still() * (np.random.default_rng(3).random((40, 6)) > 0.3)
        first, second = (now, was) if turned else (was, now)
        report = compare_runs(side(first), side(second), REQUEST)
        assert (report.verdict, report.exit_code) == ("moved", 1)
        text = "\n".join(aa_screen(report))
        assert text.startswith("instrument MOVED")
        assert "fingerprint does not name" in text

    def test_one_epoch_cannot_tell(self) -> None:
        report = compare_runs(side(still(epochs=1)), side(still(epochs=1, seed=9)), REQUEST)
        assert (report.verdict, report.exit_code) == ("unknown", 7)
