"""What a terminal shows at the end of a run, state by state, word for word."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import reports

from pytest_aioncall.adapters.render.asides import metric_line
from pytest_aioncall.adapters.render.terminal import StyledLine, progress_line, summary_lines
from pytest_aioncall.model.verdict import MetricVerdict

EXPECTED = Path(__file__).parent / "expected"
ALL = {**reports.STATES, "hostile": reports.hostile}


def written(lines: list[StyledLine]) -> str:
    return "".join(f"{line.style:<6}|{line.text}\n" for line in lines)


@pytest.mark.parametrize("state", reports.STATES)
def test_each_state_reads_as_expected(state: str) -> None:
    """Set AIONCALL_WRITE_EXPECTED=1 to write the files anew, then read their difference."""
    lines = summary_lines(reports.STATES[state](), report_path=".aioncall/report.html")
    file = EXPECTED / f"terminal_{state}.txt"
    if os.environ.get("AIONCALL_WRITE_EXPECTED") == "1":
        file.write_text(written(lines), encoding="utf-8")
    assert written(lines) == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("state", ALL)
@pytest.mark.parametrize("width", [20, 60, 80, 120, 200])
def test_at_most_25_lines_and_no_wider_than_the_terminal(state: str, width: int) -> None:
    lines = summary_lines(ALL[state](), width=width, report_path=".aioncall/report.html")
    assert 0 < len(lines) <= 25
    for line in lines:
        if not line.text.startswith(("gate ", "next: ", "report: ")):
            assert len(line.text) <= max(40, width), line.text


@pytest.mark.parametrize("state", ALL)
def test_the_first_line_is_the_verdict_and_the_last_the_report(state: str) -> None:
    lines = summary_lines(ALL[state](), report_path=".aioncall/report.html")
    assert lines[0].text.startswith("gate ")
    assert lines[-1].text == "report: .aioncall/report.html"


@pytest.mark.parametrize("state", ALL)
def test_ascii_only_is_ascii_and_nothing_unseen_ever_reaches_the_terminal(state: str) -> None:
    for ascii_only in (True, False):
        for line in summary_lines(ALL[state](), ascii_only=ascii_only):
            assert line.text.isprintable()
            assert not ascii_only or line.text.isascii()
            assert "\u202e" not in line.text


def test_a_hostile_line_cannot_start_a_workflow_command() -> None:
    assert not [line for line in summary_lines(reports.hostile()) if line.text.lstrip().startswith("::")]


def test_every_mean_stands_beside_its_counts_when_some_samples_were_not_judged() -> None:
    texts = [line.text for line in summary_lines(reports.cannot_judge())]
    assert [t for t in texts if t.startswith(("route ", "helpfulness "))]
    assert all("327/360" in t for t in texts if t.startswith(("route ", "helpfulness ")))


def test_many_evalsets_share_the_screen_and_none_that_is_bad_goes_unsaid() -> None:
    bad = [
        e.model_copy(update={"planned": e.planned.model_copy(update={"evalset": f"set-{n}"})})
        for n, e in enumerate([reports.regressed().evalsets[0]] * 30)
    ]
    lines = summary_lines(reports.report(*bad), report_path="r.html")
    assert len(lines) <= 25
    assert lines[12].text == "and 18 evalsets more: REGRESSED"
    assert lines[-2].text.startswith("next:   pytest --aioncall evalsets/ticket-triage.eval.yaml::q-017 ")


def test_the_interval_is_named_by_the_level_of_the_tests() -> None:
    found = reports.regressed().evalsets[0]
    assert found.judgement is not None
    strict = found.model_copy(update={"judgement": found.judgement.model_copy(update={"alpha": 0.01})})
    heads = [line.text for line in summary_lines(reports.report(strict)) if "interval" in line.text]
    assert len(heads) == 1
    assert "98 % interval" in heads[0]


@pytest.mark.parametrize("width", [40, 60, 80])
def test_the_counts_of_a_run_are_never_cut(width: int) -> None:
    texts = [line.text for line in summary_lines(reports.slower(), width=width)]
    counts = " ".join(texts[next(i for i, t in enumerate(texts) if "/360 judged" in t) :])
    assert "360/360 judged, 0 errors, p95 4.2 s (was 1.8 s), $0.41 (+221 %), 41 s" in counts


def test_a_metric_that_rose_says_was_and_now_on_a_line_of_its_own() -> None:
    texts = [line.text for line in summary_lines(reports.slower(), width=80)]
    assert "p95 latency REGRESSED 1.8 s -> 4.2 s, x2.33 (limit x2, not gating)" in texts


def test_a_red_row_beside_an_interval_that_reaches_zero_says_what_decided() -> None:
    """On one line of 80 columns, and not where the interval lies below zero."""
    for end, said in (0.015, True), (-0.002, False):
        row = reports.verdict(was=1.0, now=0.833, ci=(-0.348, end), status="regressed", reason="dropped")
        text = written(
            summary_lines(
                reports.report(reports.evalset(reports.judged("regressed", (row,)))),
                width=80,
                ascii_only=True,
                report_path="r",
            )
        )
        assert ("p decides what fell, the interval what passes: here it reaches zero" in text) == said


def test_errors_are_shares_of_the_samples() -> None:
    errors = MetricVerdict(metric="errors", status="regressed", baseline=0.01, candidate=0.055, ratio=5.5)
    assert metric_line(errors) == "errors REGRESSED 1 % -> 5.5 %, x5.50 (not gating)"


def test_a_run_without_evalsets_says_so() -> None:
    assert summary_lines(reports.report()) == [StyledLine("no evalset was run", "yellow")]


def test_ids_that_pytest_k_cannot_take_are_named_by_node_and_quoted_for_the_shell() -> None:
    odd = reports.MOVES[0].model_copy(update={"case": "it's; rm -rf ~"})
    report = reports.report(
        reports.evalset(reports.judged("regressed", reports.slices(bad=True), worst=(odd,)))
    )
    next_line = next(line.text for line in summary_lines(report) if line.text.startswith("next:"))
    assert next_line == (
        "next:   pytest --aioncall 'evalsets/ticket-triage.eval.yaml::it'\"'\"'s; rm -rf ~' -vv"
    )


def test_the_running_line_has_progress_rate_cost_trouble_and_time_left() -> None:
    line = progress_line(
        done=212, total=360, rate=5.23, cost_usd=0.24, cost_unknown=False, retries=2, errors=0, eta_s=28.3
    )
    assert line == "aioncall 212/360  5.2/s  $0.24  2 retries, 0 errors  eta 0:28"


@pytest.mark.parametrize(
    ("cost_usd", "unknown", "shown"),
    [(None, False, ""), (0.0, False, "$0  "), (None, True, "cost unknown  "), (0.2, True, "cost unknown  ")],
)
def test_the_running_line_shows_no_cost_where_nothing_has_one(
    cost_usd: float | None, unknown: bool, shown: str
) -> None:
    line = progress_line(
        done=1, total=9, rate=0.0, cost_usd=cost_usd, cost_unknown=unknown, retries=1, errors=1, eta_s=None
    )
    assert line == f"aioncall 1/9  0.0/s  {shown}1 retry, 1 error  eta -:--"
