"""Latency and cost of a recording are told as such, and judge nothing: no scorer, no floor, no comparison."""

from __future__ import annotations

from typing import Any

import pytest
from recorded_project import CASES, Recorded

TIGHT = [{"latency_max": {"as": "fast", "seconds": 1e-9}}, {"cost_max": {"as": "cheap", "usd": 1e-9}}]


def measured(recorded: Recorded) -> set[tuple[Any, Any, Any]]:
    return {
        (score["value"], score["passed"], score["error"])
        for sample in recorded.project.last_samples()
        for score in sample["scores"]
        if score["scorer"].rpartition(":")[2] in ("fast", "cheap", "latency_max", "cost_max")
    }


def test_a_limit_fails_live_and_is_not_measured_in_a_replay(recorded: Recorded) -> None:
    recorded.write_evalset(scorers=["contains", *TIGHT])
    recorded.record()
    assert measured(recorded) == {(0.0, False, None)}
    result = recorded.replay()
    assert result.ret == 0, str(result.stdout)
    result.assert_outcomes(passed=4, skipped=3)  # three gates without a baseline
    assert measured(recorded) == {(None, None, None)}
    reasons = {s["reason"] for one in recorded.project.last_samples() for s in one["scores"][1:]}
    assert all(reason.startswith("not measured: replayed, its ") for reason in reasons)
    totals = recorded.project.last_run()["totals"]
    assert (totals["errors"], totals["judged"], totals["cost_usd"]) == (0, 12, 0.0)


def test_a_replay_is_judged_by_what_it_measures_beside_a_live_baseline(recorded: Recorded) -> None:
    recorded.write_evalset(scorers=["contains", *TIGHT])
    recorded.record()
    recorded.project.accept()
    result = recorded.replay("--aioncall-strict")
    judgement = recorded.project.report()["evalsets"][0]["judgement"]
    rows = {v["scorer"]: (v["status"], v["reason"]) for v in judgement["verdicts"]}
    assert rows["fast"] == rows["cheap"] == ("inconclusive", "nothing_to_compare")
    assert judgement["coverage"]["errors"] == 0
    compared = {m["metric"]: m["status"] for m in judgement["metrics"]}
    for metric in ("latency_p95_s", "cost_usd"):
        assert compared[metric] == "not_compared"
    assert compared.get("tokens_in") is None
    assert "p95" not in str(result.stdout).split("= aioncall =")[1]
    result.stdout.fnmatch_lines(["fast *not measured", "cheap *not measured"])
    assert judgement["notes"] == [
        f"{name}: not measured in 12 replayed answers; a recording has no latency and cost of its own"
        for name in ("fast", "cheap")
    ]


def test_a_must_on_latency_is_no_floor_of_a_replay(recorded: Recorded) -> None:
    cases = [
        {"id": k, "input": i, "expected": e, "must": [{"latency_max": {"seconds": 1e-9}}]}
        for k, (i, e) in CASES.items()
    ]
    recorded.write_evalset(cases=cases)
    assert recorded.record().ret == 1, "live, the floor is broken"
    assert recorded.replay().ret == 0
    judgement = recorded.project.report()["evalsets"][0]["judgement"]
    assert judgement["floors"] == []
    assert measured(recorded) == {(None, None, None)}


def test_a_floor_stands_on_the_epochs_that_were_measured(recorded: Recorded) -> None:
    cases = [{"id": "a", "input": "q", "expected": "Q", "must": [{"latency_max": {"seconds": 1e-9}}]}]
    recorded.write_evalset(cases=cases, epochs=1)
    recorded.record()
    recorded.write_evalset(cases=cases, epochs=3)
    assert recorded.project.run("--aioncall-fallback").ret == 1
    (floor,) = recorded.project.report()["evalsets"][0]["judgement"]["floors"]
    assert (floor["held"], floor["epochs"], floor["ok"]) == (0, 2, False)


def test_a_limit_alone_makes_no_green_replay(recorded: Recorded) -> None:
    recorded.write_evalset(scorers=[TIGHT[0]])
    recorded.record()
    recorded.project.accept()
    recorded.replay()
    assert recorded.project.report()["status"] != "pass"


def test_stored_answers_of_a_live_run_keep_their_latency_when_they_are_judged_again(
    recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded.write_evalset(scorers=["contains"])
    recorded.project.run()
    recorded.write_evalset(scorers=["contains", {"latency_max": {"as": "fast", "seconds": 60}}])
    root = str(recorded.project.path)
    assert recorded.project.command("rejudge", "latest", "--root", root) == 0, capsys.readouterr().err
    assert measured(recorded) == {(1.0, True, None)}
