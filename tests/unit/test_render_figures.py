"""The interval plot's coordinates: what is drawn is where the numbers say."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_aioncall.adapters.render.figures import PLOT_WIDTH, Axis, interval_plot, shape_of
from pytest_aioncall.model.verdict import Verdict


def row(difference: float | None, ci: tuple[float, float] | None = None, **fields: object) -> Verdict:
    base = {
        "scorer": "route",
        "status": "pass",
        "claim": "cases-like-these",
        "reason": "within_margin",
        "difference": difference,
        "ci": ci,
        "margin": 0.05,
    }
    return Verdict.model_validate({**base, **fields})


def test_coordinates_by_hand() -> None:
    """From -0.30 to +0.10, padded by 6 % of 0.40 each side: 332 pixels for 0.448 units, from x = 14."""
    panel = interval_plot([row(-0.1, (-0.3, 0.1))], alpha=0.05)[0]
    mark = panel.marks[0]

    def x(value: float) -> float:
        return 14 + (value + 0.324) / 0.448 * 332

    assert mark.x == pytest.approx(x(-0.1), abs=0.01)
    assert mark.low_x == pytest.approx(x(-0.3), abs=0.01)
    assert mark.high_x == pytest.approx(x(0.1), abs=0.01)
    assert mark.margin_x == pytest.approx(x(-0.05), abs=0.01)
    assert panel.zero_x == pytest.approx(x(0.0), abs=0.01)
    assert [(t.text, t.x) for t in panel.ticks] == [
        (text, pytest.approx(x(at), abs=0.01))
        for text, at in (("-30", -0.3), ("-20", -0.2), ("-10", -0.1), ("0", 0.0), ("+10", 0.1))
    ]


units = st.floats(-1, 1, allow_nan=False)


@given(
    st.lists(
        st.tuples(units, st.floats(0, 1), st.floats(0, 1), st.floats(0.001, 0.5)), min_size=1, max_size=20
    )
)
def test_every_mark_lies_inside_in_order_and_on_the_right_side_of_zero(
    rows: list[tuple[float, float, float, float]],
) -> None:
    panel = interval_plot([row(d, (d - a, d + b), margin=m) for d, a, b, m in rows], alpha=0.05)[0]
    for mark, (d, a, b, _) in zip(panel.marks, rows, strict=True):
        assert mark.low_x is not None and mark.high_x is not None
        assert mark.x is not None and mark.margin_x is not None
        assert 14 <= mark.low_x <= mark.x <= mark.high_x <= PLOT_WIDTH - 14
        assert mark.margin_x <= panel.zero_x
        if abs(d) > 0.02:
            assert (mark.x > panel.zero_x) == (d > 0)
        if a > 0.02 and d - a > 0.02:
            assert mark.low_x > panel.zero_x
        if b > 0.02 and d + b < -0.02:
            assert mark.high_x < panel.zero_x


@given(st.floats(-5, 5), st.floats(0.001, 10))
def test_ticks_are_round_few_and_hold_zero_when_it_is_in_range(low: float, span: float) -> None:
    panel = interval_plot([row(low, (low, low + span), scale=(1, 5), margin=0.16)], alpha=0.05)[0]
    assert 2 <= len(panel.ticks) <= 9
    assert [t.x for t in panel.ticks] == sorted(t.x for t in panel.ticks)
    zero = [t for t in panel.ticks if float(t.text) == 0]
    assert len(zero) == 1
    assert zero[0].x == pytest.approx(panel.zero_x, abs=0.02)
    for tick in panel.ticks:
        assert panel.axis.x(float(tick.text)) == pytest.approx(tick.x, abs=0.05)


def test_each_scale_has_a_panel_of_its_own_and_points_are_percent_on_rates_only() -> None:
    panels = interval_plot(
        [row(-0.1, (-0.2, 0.0)), row(-0.1, (-0.2, 0.0), scale=(1, 5)), row(0.1, (0.0, 0.2))], alpha=0.05
    )
    assert [len(p.marks) for p in panels] == [2, 1]
    assert [p.unit for p in panels] == ["percentage points", "points on 1 to 5"]
    assert {"-20", "-0.20"} & {t.text for p in panels for t in p.ticks} == {"-20", "-0.20"}


def test_rows_without_a_comparison_draw_nothing() -> None:
    panel = interval_plot([row(None)], alpha=0.05)[0]
    mark = panel.marks[0]
    assert not panel.compared
    assert (mark.x, mark.low_x, mark.high_x, mark.margin_x) == (None, None, None, None)


def test_all_rows_without_any_difference_have_zero_in_the_middle() -> None:
    assert interval_plot([row(0.0, (0.0, 0.0), margin=None)], alpha=0.05)[0].zero_x == pytest.approx(
        PLOT_WIDTH / 2
    )


def test_numbers_that_are_not_finite_do_not_break_the_axis() -> None:
    panel = interval_plot([row(-0.1, (-math.inf, 0.1))], alpha=0.05)[0]
    assert math.isfinite(panel.zero_x)
    assert panel.marks[0].low_x == 14


def test_an_axis_holds_what_lies_outside_at_its_edge() -> None:
    axis = Axis(-1, 1)
    assert (axis.x(-9), axis.x(0), axis.x(9)) == (14, PLOT_WIDTH / 2, PLOT_WIDTH - 14)


def test_the_shape_alone_tells_the_verdict() -> None:
    shapes = [
        shape_of(row(0, status="regressed", reason="dropped")),
        shape_of(row(0, status="inconclusive", reason="suspected")),
        shape_of(row(0, status="inconclusive", reason="no_drop_seen")),
        shape_of(row(0, status="too_small", reason="too_small_to_test")),
        shape_of(row(0)),
        shape_of(row(0, reason="accepted")),
    ]
    assert shapes == ["diamond", "triangle", "ring", "box", "circle", "square"]


def test_the_label_says_the_row_to_who_sees_no_picture() -> None:
    bad = row(-0.187, (-0.294, -0.081), status="regressed", reason="dropped")
    mark = interval_plot([bad], alpha=0.05)[0].marks[0]
    assert mark.label == "route: REGRESSED, -18.7 pp, 90 % interval -29.4 to -8.1 pp, margin 5 pp"


def test_rows_stand_under_their_scorer_the_worst_scorer_first_and_its_overall_row_on_top() -> None:
    bad = row(-0.2, (-0.3, -0.1), status="regressed", reason="dropped", slice={"a": "1"}, scorer="cites")
    rows = [bad, row(0.0, (-0.1, 0.1)), row(0.0, (-0.1, 0.1), scorer="cites"), row(0.0, slice={"a": "2"})]
    panel = interval_plot(rows, alpha=0.05)[0]
    assert [(g.scorer, [m.verdict.slice for m in g.marks], g.has_overall) for g in panel.groups] == [
        ("cites", [None, {"a": "1"}], True),
        ("route", [None, {"a": "2"}], True),
    ]


def test_a_slice_that_decides_nothing_does_not_stretch_the_axis_and_an_arrow_says_where_it_goes_on() -> None:
    wide = row(-0.02, (-0.9, 0.9), gating=False, slice={"a": "1"})
    panel = interval_plot([row(-0.02, (-0.05, 0.01)), wide], alpha=0.05)[0]
    assert panel.axis.low > -0.1
    assert [(m.low_cut, m.high_cut) for m in panel.marks] == [(False, False), (True, True)]
    alone = interval_plot([wide], alpha=0.05)[0]
    assert not alone.marks[0].low_cut


def test_a_long_plot_folds_its_calm_slices_on_the_same_axis_and_counts_them() -> None:
    bad = [
        row(-0.2, (-0.3, -0.1), status="regressed", reason="dropped", slice={"a": str(n)}) for n in range(40)
    ]
    calm = [row(0.0, (-0.02, 0.02), slice={"b": str(n)}) for n in range(10)]
    small = row(0.0, None, status="too_small", reason="too_small_to_test", slice={"b": "x"})
    panel = interval_plot([*bad, row(0.0, (-0.02, 0.02)), small, *calm], alpha=0.05)[0]
    assert [m.verdict.status for m in panel.marks] == ["pass", *["regressed"] * 40]
    assert panel.folded_said == "11 more rows: 10 pass, 1 too small"


@given(st.lists(st.sampled_from(["regressed", "suspected", "pass", "small"]), min_size=1, max_size=60))
def test_no_row_is_lost_and_no_bad_one_folded(kinds: list[str]) -> None:
    fields = {
        "regressed": {"status": "regressed", "reason": "dropped"},
        "suspected": {"status": "inconclusive", "reason": "suspected"},
        "pass": {},
        "small": {"status": "too_small", "reason": "too_small_to_test"},
    }
    rows = [row(0.0, (-0.1, 0.1), slice={"n": str(n)}, **fields[kind]) for n, kind in enumerate(kinds)]
    panel = interval_plot(rows, alpha=0.05)[0]
    folded = [mark.verdict for group in panel.folded for mark in group.marks]
    assert len(panel.marks) + len(folded) == len(rows)
    assert not [v for v in folded if v.status == "regressed" or v.reason == "suspected"]
