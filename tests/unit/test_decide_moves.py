"""Which cases moved, worst first, and how many newly failing ones chance would make."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_aioncall.decide.compare import Side, judge
from pytest_aioncall.model.baseline import CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.verdict import Judgement

INFO = {"route": ScorerInfo(kind="exact"), "help": ScorerInfo(kind="judge", scale=(1, 5))}


def moved(
    was: Sequence[Sequence[float | None]],
    now: Sequence[Sequence[float | None]],
    *,
    scorer: str = "route",
    labels: tuple[tuple[str | None, ...], tuple[str | None, ...]] = ((), ()),
) -> Judgement:
    sides = [
        Side(
            rows=tuple(
                CaseRow(
                    case=f"c{i:02d}", scores={scorer: tuple(one)}, labels={scorer: label} if label else {}
                )
                for i, one in enumerate(scores)
            ),
            scorers={scorer: INFO[scorer]},
        )
        for scores, label in zip((was, now), labels, strict=True)
    ]
    return judge(sides[1], sides[0], evalset="e", gates=(), defaults=Defaults(), max_error_rate=1.0)


def test_newly_failing_is_k_of_k_to_none_of_k_with_three_epochs_on_both_sides() -> None:
    was = [[1, 1, 1], [1, 1, None], [1, 1, 0], [1, 1, 1], [1, 1, 1, 1]]
    now = [[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 0]]
    found = moved(was, now)
    assert [(m.case, m.newly_failing) for m in found.worst] == [
        ("c00", True), ("c04", True), ("c01", False), ("c02", False), ("c03", False)
    ]  # fmt: skip


def test_counts_are_of_judged_epochs_only() -> None:
    (move,) = moved([[1, 1, 1]], [[0, None, 1]]).worst
    assert (move.was, move.now, move.difference) == ((3, 3), (1, 2), -0.5)


def test_an_epoch_of_a_graded_scorer_passes_above_the_middle() -> None:
    found = moved([[4, 5, 4], [5, 5, 5]], [[2, 3, 3], [4, 4, 4]], scorer="help")
    assert [(m.case, m.was, m.now, m.newly_failing) for m in found.worst] == [
        ("c00", (3, 3), (0, 3), True),
        ("c01", (3, 3), (3, 3), False),
    ]


def test_improved_and_unchanged_cases_are_not_listed() -> None:
    assert moved([[0, 0, 0], [1, 1, 1]], [[1, 1, 1], [1, 1, 1]]).worst == ()


def test_at_most_fifteen_are_listed_the_worst_ones() -> None:
    was = [[1, 1, 1]] * 40
    now = [[0, 1, 1]] * 30 + [[0, 0, 0]] * 10
    found = moved(was, now).worst
    assert len(found) == 15
    assert [m.case for m in found[:10]] == [f"c{i}" for i in range(30, 40)]


def test_the_label_that_changed_is_the_reason() -> None:
    labels = (("billing", "billing", "other"), ("other", "other", None))
    (move,) = moved([[1, 1, 1]], [[0, 0, 0]], labels=labels).worst
    assert move.why == "billing -> other"
    (plain,) = moved([[1, 1, 1]], [[0, 0, 0]]).worst
    assert plain.why is None


def test_a_flakier_baseline_expects_more_newly_failing_cases() -> None:
    steady = moved([[1, 1, 1]] * 20, [[1, 1, 1]] * 20).newly_failing_expected
    flaky = moved([[1, 1, 1]] * 12 + [[1, 0, 1]] * 8, [[1, 1, 1]] * 20).newly_failing_expected
    assert steady is not None
    assert flaky is not None
    assert 0 < steady < flaky < 1
    assert moved([[1, 1]] * 9, [[1, 1]] * 9).newly_failing_expected is None


def test_all_newly_failing_cases_are_counted_however_many_are_listed() -> None:
    """Fifteen are listed; forty that broke are forty."""
    found = moved([[1, 1, 1]] * 60, [[0, 0, 0]] * 40 + [[1, 1, 1]] * 20)
    assert len(found.worst) == 15
    assert len(found.newly_failing) == found.newly_failing_scores == 40
