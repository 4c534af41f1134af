"""The map of slices and scorers: steps in margins, worst first, links that the page's script understands."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from pytest_aioncall.adapters.render.heatmap import heat_map, heat_step
from pytest_aioncall.model.verdict import Verdict


def row(difference: float | None, **fields: Any) -> Verdict:
    base: dict[str, Any] = {
        "scorer": "route",
        "status": "pass",
        "claim": "these-cases",
        "reason": "within_margin",
        "difference": difference,
        "candidate": 0.9,
        "margin": 0.05,
        "judged": 27,
        "planned": 30,
    }
    return Verdict.model_validate({**base, **fields})


@pytest.mark.parametrize(
    ("difference", "step"),
    [
        (-0.2, -3), (-0.1, -3), (-0.0999, -2), (-0.05, -2), (-0.049, -1), (-0.0125, -1), (-0.012, 0),
        (0.0, 0), (0.0124, 0), (0.02, 1), (0.05, 2), (0.1, 3),
    ],
)  # fmt: skip
def test_a_step_is_a_quarter_one_and_two_margins_to_either_side(difference: float, step: int) -> None:
    assert heat_step(row(difference)) == step


def test_a_row_without_a_margin_is_measured_by_a_twentieth_of_its_scale() -> None:
    assert heat_step(row(-0.2, scale=(1, 5), margin=None)) == -2
    assert heat_step(row(-0.4, scale=(1, 5), margin=None)) == -3
    assert heat_step(row(None)) == 0


def test_all_cases_come_first_then_the_slices_the_worst_first() -> None:
    rows = [
        row(0.0, slice={"a": "calm"}),
        row(-0.3, slice={"a": "bad"}, status="regressed", reason="dropped"),
        row(0.0),
        row(-0.1, slice={"a": "open"}, status="inconclusive", reason="suspected"),
    ]
    assert [line.name for line in heat_map(rows, evalset="").rows] == [
        "all cases",
        "a=bad",
        "a=open",
        "a=calm",
    ]


def test_a_cell_says_its_change_where_it_stands_and_its_counts() -> None:
    rows = [row(-0.187, slice={"shape": "long"}), row(None, scorer="tone", candidate=4.1, scale=(1, 5))]
    found = heat_map(rows, evalset="")
    assert found.scorers == ("route", "tone")
    cells = {line.name: line.cells for line in found.rows}
    cell = cells["shape=long"][0]
    assert (cell.text, cell.stands, cell.judged, cell.step) == ("-18.7 pp", "90.0 %", "27/30", -3)
    assert cells["all cases"][1].text == "4.10"
    assert cells["all cases"][0].text == ""


def test_a_cell_leads_to_its_cases() -> None:
    rows = [row(0.0, slice={"shape": "a&b=c d"}), row(0.0)]
    links = {line.name: line.cells[0].link for line in heat_map(rows, evalset="tickets").rows}
    assert parse_qs(links["shape=a&b=c d"].lstrip("#")) == {
        "scorer": ["route"],
        "evalset": ["tickets"],
        "slice": ["shape=a&b=c d"],
    }
    assert parse_qs(links["all cases"].lstrip("#")) == {"scorer": ["route"], "evalset": ["tickets"]}


def test_without_slices_there_is_no_map_and_of_very_many_the_calm_ones_fold() -> None:
    assert heat_map([row(0.0)], evalset="").rows == ()
    many = [row(0.0, slice={"n": f"{n:03d}"}) for n in range(100)]
    bad = row(-0.3, slice={"n": "999"}, status="regressed", reason="dropped")
    found = heat_map([*many, bad], evalset="")
    assert (len(found.rows), len(found.rest)) == (40, 61)
    assert found.rows[0].name == "n=999"
