"""What a newcomer misread: the end of a run says each of these in so many words."""

from __future__ import annotations

import pytest
import reports

from pytest_aioncall.adapters.render import words
from pytest_aioncall.adapters.render.story import Story
from pytest_aioncall.model.evalset import EpochRange
from pytest_aioncall.model.report import EvalsetReport


def story(found: EvalsetReport) -> Story:
    return Story(found)


def test_a_significant_drop_within_the_margin_is_not_called_chance() -> None:
    fields = {"status": "inconclusive", "reason": "suspected", "was": 0.9, "now": 0.87}
    sure = reports.verdict(**fields, margin=0.05, p_adjusted=0.004)
    assert words.verdict_reason(sure) == (
        "The drop is significant, but smaller than the margin of 5 pp, "
        "and a drop of the margin is not ruled out."
    )
    unsure = reports.verdict(**{**fields, "now": 0.82}, margin=0.05, p_adjusted=0.08)
    assert "chance is not excluded" in words.verdict_reason(unsure)


@pytest.mark.parametrize(
    ("drawn", "cases", "size"),
    [
        ((1, 1, 4), 3, "3 cases x 1 to 4"),
        ((2, 2, 4), 3, "3 cases x 2 to 4"),
        ((4, 4, 4), 3, "3 cases x 4"),
        # Where the report leaves cases out, the plan's least is what is known.
        ((2, 4), 30, "30 cases x 1 to 4"),
    ],
)
def test_the_size_tells_the_fewest_and_the_most_epochs_of_a_case(
    drawn: tuple[int, ...], cases: int, size: str
) -> None:
    views = tuple(
        reports.case(f"q-{i}", "holding").model_copy(
            update={"now": tuple(reports.epoch(e, "a", 1.0) for e in range(n)), "now_scores": {}}
        )
        for i, n in enumerate(drawn)
    )
    samples = sum(drawn) if len(drawn) == cases else 60
    planned = reports.planned(cases=cases, epochs=4, plan=EpochRange(min=1, max=5), samples=samples)
    found = reports.evalset(reports.judged("pass", reports.overall()), planned=planned, cases=views)
    assert story(found).size == size
