"""A case's move is shown with its own noise, the largest fall first, and only where it can be compared."""

from __future__ import annotations

import pytest

from pytest_aioncall.decide.casediffs import CaseDiff, case_diffs, falls
from pytest_aioncall.decide.movement import at_the_floor, movements, same_evidence
from pytest_aioncall.decide.sides import Side
from pytest_aioncall.model.baseline import CaseRow, ScorerInfo

EXACT = {"exact": ScorerInfo(kind="exact", hash="1")}
GRADED = {"tone": ScorerInfo(kind="judge", scale=(1.0, 5.0), hash="1")}


def side(scores: dict[str, tuple[float | None, ...]], scorers: dict[str, ScorerInfo] = EXACT) -> Side:
    (name,) = scorers
    rows = tuple(CaseRow(case=case, digest="d", scores={name: values}) for case, values in scores.items())
    return Side(rows=rows, scorers=scorers)


def found(
    was: dict[str, tuple[float | None, ...]], now: dict[str, tuple[float | None, ...]]
) -> list[CaseDiff]:
    return case_diffs(side(now), side(was), alpha=0.05)


def test_the_largest_fall_comes_first_and_a_case_that_stood_still_is_left_out() -> None:
    was = {"a": (1, 1, 1), "b": (1, 1, 1), "c": (0, 0, 0), "d": (1, 1, 1)}
    now = {"a": (1, 1, 0), "b": (0, 0, 0), "c": (1, 1, 1), "d": (1, 1, 1)}
    moves = found(was, now)
    assert [move.case for move in moves] == ["b", "a", "c"]
    assert falls(moves) == 2
    assert (moves[0].was_passed, moves[0].now_passed) == ((3, 3), (0, 3))


def test_the_interval_is_the_shrunk_noise_of_the_case_alone() -> None:
    """3/3 -> 1/3 by hand: q = 3.5/4 and 1.5/4, variance q(1 - q)/3 each, z = 1.6449."""
    (move,) = found({"a": (1, 1, 1)}, {"a": (1, 0, 0)})
    half = 1.6448536 * (0.875 * 0.125 / 3 + 0.375 * 0.625 / 3) ** 0.5
    assert move.ci == pytest.approx((-1.0, -2 / 3 + half))
    assert move.could_be_noise is False


def test_one_epoch_less_could_be_noise_and_a_single_epoch_tells_nothing() -> None:
    (slip,) = found({"a": (1, 1, 1)}, {"a": (1, 1, 0)})
    assert slip.could_be_noise is True
    (single,) = found({"a": (1,)}, {"a": (0,)})
    assert (single.ci, single.could_be_noise) == (None, None)


def test_errored_epochs_are_no_scores() -> None:
    (move,) = found({"a": (1, None, 1)}, {"a": (0, None, 0)})
    assert (move.epochs, move.difference) == ((2, 2), -1.0)
    assert found({"a": (None, None, None)}, {"a": (0, 0, 0)}) == []


def test_another_instrument_another_scale_and_a_changed_case_are_left_out() -> None:
    now = side({"a": (5, 5, 5)}, GRADED)
    was = side({"a": (1, 1, 1)}, GRADED)
    assert [m.was_passed for m in case_diffs(now, was, alpha=0.05)] in ([None], [(0, 3)])
    other = {"tone": ScorerInfo(kind="judge", scale=(1.0, 5.0), hash="2")}
    assert case_diffs(now, side({"a": (1, 1, 1)}, other), alpha=0.05) == []
    changed = Side(rows=(CaseRow(case="a", digest="other", scores={"tone": (1.0,)}),), scorers=GRADED)
    assert case_diffs(now, changed, alpha=0.05) == []


# -- movement


def rows(scores: dict[str, tuple[float | None, ...]]) -> tuple[CaseRow, ...]:
    return side(scores).rows


def test_a_movement_is_over_the_same_cases_and_the_judged_epochs() -> None:
    was = rows({"a": (1, 1), "b": (1, None), "gone": (0, 0)})
    now = rows({"a": (0, 0), "b": (1, 1), "new": (0, 0)})
    (move,) = movements(now, was, scorers=EXACT, scorers_before=EXACT)
    assert (move.cases, move.was, move.now) == (2, 1.0, 0.5)
    changed = {"exact": ScorerInfo(kind="exact", hash="2")}
    assert movements(now, was, scorers=EXACT, scorers_before=changed) == []


def test_the_floor_is_every_judged_score_of_every_case() -> None:
    info = EXACT["exact"]
    assert at_the_floor(rows({"b": (0, 0), "a": (0, None)}), "exact", info) == ["a", "b"]
    assert at_the_floor(rows({"a": (0, 0), "b": (0, 1)}), "exact", info) is None
    assert at_the_floor(rows({"a": (None,)}), "exact", info) is None


def test_latency_and_cost_are_no_evidence_and_scores_are() -> None:
    row = CaseRow(case="a", digest="d", scores={"exact": (1.0,)}, latency_s=(0.5,), cost_usd=(0.1,))
    slower = row.model_copy(update={"latency_s": (0.9,), "cost_usd": (0.2,)})
    assert same_evidence([row], [slower])
    for change in (
        {"scores": {"exact": (0.0,)}},
        {"digest": "e"},
        {"errors": 1},
        {"labels": {"exact": ("x",)}},
    ):
        assert not same_evidence([row], [row.model_copy(update=change)])
    assert not same_evidence([row], [])
