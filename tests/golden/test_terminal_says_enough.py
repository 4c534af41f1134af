"""What a newcomer misread: the end of a run says each of these in so many words."""

from __future__ import annotations

import pytest
import reports

from pytest_aioncall.adapters.render import words
from pytest_aioncall.adapters.render.asides import metric_line
from pytest_aioncall.adapters.render.story import Story
from pytest_aioncall.adapters.render.terminal import StyledLine, summary_lines
from pytest_aioncall.flows.wording import judgement_lines
from pytest_aioncall.model.evalset import EpochRange
from pytest_aioncall.model.report import EvalsetReport
from pytest_aioncall.model.verdict import Coverage, MetricVerdict, Rounds


def story(found: EvalsetReport) -> Story:
    return Story(found)


def test_a_baseline_has_one_name_whether_or_not_there_is_room_for_its_age() -> None:
    for known in ({}, {"commit": None}, {"commit": None, "run": None}):
        found = story(reports.evalset(None, baseline=reports.header(**known)))
        assert found.compared_with == f"{found.compared_with_briefly}, 3 days old"


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


def head_of(found: EvalsetReport, width: int = 80) -> StyledLine:
    return summary_lines(reports.report(found), width=width)[0]


def part_compared(compared: int, cases: int) -> EvalsetReport:
    coverage = Coverage(cases=cases, compared=compared, planned=15, judged=15)
    planned = reports.planned(cases=cases)
    return reports.evalset(reports.judged("pass", reports.overall(), coverage=coverage), planned=planned)


def test_a_pass_that_compared_few_cases_says_so_first_and_what_to_do() -> None:
    found = part_compared(1, 5)
    lines = summary_lines(reports.report(found))
    assert "1 of 5 cases compared" in lines[0].text
    assert lines[0].style != "green"
    assert any(line.text.startswith("next:   aioncall baseline accept ticket-triage") for line in lines)
    whole = summary_lines(reports.report(part_compared(5, 5)))
    assert "compared" not in whole[0].text
    assert whole[0].style == "green"


def test_a_head_without_room_names_the_baseline_in_short_and_keeps_the_size() -> None:
    found = reports.no_drop_seen().evalsets[0]
    assert "baseline a1b2c3d, 3 days old, 18 cases x 3" in head_of(found, width=120).text
    narrow = head_of(found, width=40).text
    assert "(baseline a1b2c3d, 18 cases x 3)" in narrow


def test_a_head_of_a_baseline_without_commit_names_its_day() -> None:
    found = reports.no_drop_seen().evalsets[0].model_copy(update={"baseline": reports.header(commit=None)})
    assert "(baseline of 2026-11-18, 18 cases x 3)" in head_of(found, width=40).text


def test_no_drop_seen_is_never_green() -> None:
    found = story(reports.no_drop_seen().evalsets[0])
    assert found.state == "no_drop_seen"
    assert found.tone == "none"
    assert {line.style for line in summary_lines(reports.no_drop_seen())} & {"green"} == set()


def red_run(**more: object) -> EvalsetReport:
    rounds = Rounds(min=1, max=5, epochs=2, looks=2, samples=40, samples_at_max=100, stopped="red")
    red = reports.verdict(status="regressed", reason="dropped", was=0.9, now=0.7, alpha=0.0204)
    open_one = reports.verdict("tone", status="inconclusive", reason="no_drop_seen", alpha=0.05)
    judgement = reports.judged("regressed", (red, open_one), rounds=rounds)
    return reports.evalset(judgement.model_copy(update=more))


def test_a_run_that_ended_at_red_counts_the_rows_it_left_open() -> None:
    lines = [line.text for line in summary_lines(reports.report(red_run()))]
    assert "1 row not decided: the run ended at red" in lines
    assert any("1 row not decided" in line for line in judgement_lines(red_run().judgement))
    decided = red_run(rounds=None)
    assert not any("not decided" in line.text for line in summary_lines(reports.report(decided)))


def test_rows_of_different_levels_keep_their_corrected_p() -> None:
    lines = [line.text for line in summary_lines(reports.report(red_run()), width=80)]
    assert "p (adj)" in lines[1]
    assert "95.9 %:" in "\n".join(lines)


def test_a_cost_that_did_not_move_is_as_before() -> None:
    same = MetricVerdict(metric="cost_usd", status="pass", baseline=0.01, candidate=0.01, ratio=1.001)
    judgement = reports.judged("pass", reports.overall(), metrics=(same,))
    text = "\n".join(line.text for line in summary_lines(reports.report(reports.evalset(judgement))))
    assert "$0.41 (as before)" in text
    assert "0 %)" not in text


def test_a_latency_beside_its_ratio_has_the_figures_to_reckon_it() -> None:
    slow = MetricVerdict(
        metric="latency_p95_s", status="regressed", baseline=0.00322, candidate=0.599, ratio=186.07
    )
    assert metric_line(slow) == "p95 latency REGRESSED 3.22 ms -> 0.60 s, x186 (not gating)"


def test_one_error_is_one_error() -> None:
    judgement = reports.judged("pass", reports.overall(), coverage=Coverage(planned=5, judged=4, errors=1))
    assert "  4/5 judged, 1 error" in judgement_lines(judgement)
