"""`--aioncall-shard K/N` runs a part of the cases, deselects the rest as pytest does, and judges nothing."""

from __future__ import annotations

from typing import Any

import pytest

from eval_project import Project, RunMode
from pytest_aioncall.decide.shards import shards_of
from pytest_aioncall.flows.cost import Estimate

UPPER = "def answer(text):\n    return text.upper()\n"
CASES = {f"case-{n:02}": (f"q{n}", f"Q{n}") for n in range(10)}


@pytest.fixture
def ten(project: Project) -> Project:
    project.app(UPPER)
    project.evalset(cases=CASES, epochs=2)
    return project


def cases_of(project: Project) -> set[str]:
    return {sample["case"] for sample in project.last_samples()}


def shard_of(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = project.last_run()["shard"]
    return found


def test_shards_run_every_case_once_and_are_green(ten: Project, run_mode: RunMode) -> None:
    seen: list[str] = []
    for index in (1, 2):
        result = run_mode("--aioncall-shard", f"{index}/2")
        assert result.ret == 0
        shard = shard_of(ten)
        assert (shard["index"], shard["count"], shard["complete"]) == (index, 2, True)
        assert shard["cases"] == {"demo": len(cases_of(ten))}
        seen += cases_of(ten)
    assert sorted(seen) == sorted(CASES)
    plans = {run.joinpath("run.json").read_text().split('"plan": {')[1][:40] for run in ten.run_folders()}
    assert len(plans) == 1


def test_the_rest_is_deselected_and_the_end_names_the_next_command(ten: Project) -> None:
    result = ten.run("--aioncall-shard", "2/4")
    result.assert_outcomes(passed=len(cases_of(ten)), deselected=10 - len(cases_of(ten)))
    mine = len(cases_of(ten))
    result.stdout.fnmatch_lines(
        [
            f"gate not judged  shard 2 of 4: {mine} of 10 cases; judged when all shards are there",
            "next: *when all 4 shards are there, aioncall gate --candidate RUN1 RUN2 RUN3 RUN4",
        ]
    )
    assert "gate[" not in result.stdout.str()
    run = ten.last_run()
    assert run["complete"] is False
    assert run["totals"]["planned"] == run["totals"]["judged"] == 2 * mine
    assert run["evalsets"][0]["cases"] == 10


def test_the_environment_asks_for_a_shard_too(ten: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIONCALL_SHARD", "1/2")
    assert ten.run().ret == 0
    assert shard_of(ten)["index"] == 1
    assert ten.run("--aioncall-shard", "2/2").ret == 0
    assert shard_of(ten)["index"] == 2


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("0/3", "K from 1 to N, here from 1 to 3"),
        ("4/3", "K from 1 to N, here from 1 to 3"),
        ("1/0", "N from 1 to 1000"),
        ("1/1001", "N from 1 to 1000"),
        ("3", "needs K/N, for example 2/4"),
        ("one/two", "needs K/N, for example 2/4"),
        ("-1/2", "needs K/N, for example 2/4"),
        ("1/2/3", "needs K/N, for example 2/4"),
        ("", "needs K/N, for example 2/4"),
    ],
)
def test_nonsense_is_refused_before_anything_runs(ten: Project, said: str, told: str) -> None:
    result = ten.run(f"--aioncall-shard={said}")
    assert result.ret == 4
    output = result.stderr.str() + result.stdout.str()
    assert f"--aioncall-shard: needs {told.removeprefix('needs ')}" in output.replace(
        "needs K/N with", "needs"
    )
    assert ten.run_folders() == []


def test_a_shard_without_a_case_leaves_a_run_and_is_green(project: Project, run_mode: RunMode) -> None:
    """Without its folder nobody could tell it from a machine that died."""
    project.app(UPPER)
    project.evalset(epochs=1)
    shards = shards_of("demo", {"a": None, "b": None}, count=3)
    (empty,) = {1, 2, 3} - set(shards.values())
    result = run_mode("--aioncall-shard", f"{empty}/3")
    assert result.ret == 0
    assert shard_of(project)["cases"] == {"demo": 0}
    assert shard_of(project)["complete"] is True
    assert project.last_samples() == []
    result.stdout.fnmatch_lines([f"*shard {empty} of 3: 0 of 2 cases; judged when all shards are there"])


def test_clusters_stay_together(project: Project) -> None:
    project.app(UPPER)
    cases = [
        {"id": f"c{n}", "input": f"q{n}", "expected": f"Q{n}", "cluster": f"doc-{n // 3}"} for n in range(9)
    ]
    project.evalset(cases=cases, epochs=1)
    for index in (1, 2):
        project.run("--aioncall-shard", f"{index}/2")
        by_cluster: dict[str, int] = {}
        for sample in project.last_samples():
            by_cluster[sample["cluster"]] = by_cluster.get(sample["cluster"], 0) + 1
        assert set(by_cluster.values()) <= {3}


def test_ordinary_tests_are_not_divided(ten: Project) -> None:
    ten.write("test_ordinary.py", "def test_one():\n    pass\ndef test_two():\n    pass\n")
    for index in (1, 2):
        result = ten.run("--aioncall-shard", f"{index}/2", ".")
        result.assert_outcomes(passed=2 + len(cases_of(ten)), deselected=10 - len(cases_of(ten)))


def test_a_selection_within_a_shard_is_an_incomplete_shard(ten: Project) -> None:
    ten.run("--aioncall-shard", "1/2")
    first = sorted(cases_of(ten))[0]
    result = ten.run("--aioncall-shard", "1/2", "-k", first)
    assert result.ret == 0
    assert cases_of(ten) == {first}
    assert shard_of(ten)["complete"] is False
    result.stdout.fnmatch_lines(["gate not judged  shard 1 of 2: 1 of its * cases ran"])


def test_a_selection_that_lies_in_other_shards_says_so(ten: Project, run_mode: RunMode) -> None:
    ten.run("--aioncall-shard", "1/2")
    other = sorted(cases_of(ten))[0]
    before = ten.run_folders()
    result = run_mode("--aioncall-shard", "2/2", "-k", other)
    assert result.ret == 5
    result.stdout.fnmatch_lines(["aioncall: no selected case is of shard 2 of 2"])
    assert ten.run_folders() == before


def test_collecting_only_shows_the_cases_of_the_shard(ten: Project) -> None:
    result = ten.run("--aioncall-shard", "1/2", "--collect-only", "-q")
    result.stdout.no_fnmatch_line("*no selected case*")
    result.stdout.fnmatch_lines(["5/10 tests collected (5 deselected)*"])


def test_nothing_is_judged_and_no_baseline_is_asked_for(ten: Project) -> None:
    """The history that holds the baseline is not even fetched where shards run."""
    result = ten.run(
        "--aioncall-shard", "1/2", "--aioncall-require-baseline", "--aioncall-baseline-ref", "no/ref"
    )
    assert result.ret == 0
    ten.run()
    ten.accept()
    ten.app("def answer(text):\n    return 'no'\n")
    assert ten.run().ret == 1
    assert ten.run("--aioncall-shard", "1/2").ret == 0


def test_a_broken_must_and_an_exception_still_fail_the_shard(project: Project) -> None:
    project.app("def answer(text):\n    if text == 'q1':\n        raise ValueError('bad')\n    return 'x'\n")
    cases = [
        {"id": f"c{n}", "input": f"q{n}", "expected": "x", "must": [{"not_contains": "x"}] if n == 0 else []}
        for n in range(4)
    ]
    project.evalset(cases=cases, epochs=1)
    codes = {}
    for index in (1, 2):
        codes[index] = project.run("--aioncall-shard", f"{index}/2").ret
        has_bad = cases_of(project) & {"c0", "c1"}
        assert codes[index] == (1 if has_bad else 0)
    assert 1 in codes.values()


def test_errors_above_the_limit_are_left_to_the_gate(project: Project) -> None:
    """Of a part nobody can tell whether the whole has too many; a red shard would be a verdict."""
    project.app("def answer(text):\n    raise OSError('down')\n")
    project.evalset(cases=CASES, epochs=1)
    assert project.run().ret == 7
    assert project.run("--aioncall-shard", "1/2").ret == 0


def test_a_shard_draws_all_epochs_of_a_range(project: Project) -> None:
    project.app(UPPER)
    project.evalset(cases=CASES, epochs={"min": 1, "max": 3})
    project.run()
    project.accept()
    project.run("--aioncall-shard", "1/2")
    run = project.last_run()
    assert (run["evalsets"][0]["epochs"], run["evalsets"][0]["plan"]) == (3, None)
    assert len(project.last_samples()) == 3 * len(cases_of(project))


def test_the_cap_is_of_each_shard_and_one_that_ran_into_it_is_unfinished(project: Project) -> None:
    project.app("def answer(text):\n    return {'text': text.upper(), 'cost_usd': 1.0}\n")
    project.evalset(cases=CASES, concurrency=1, epochs=1)
    result = project.run("--aioncall-shard", "1/2", "--aioncall-max-cost", "2")
    assert result.ret == 7
    shard = shard_of(project)
    assert shard["complete"] is False
    result.stdout.fnmatch_lines(
        ["gate not judged  shard 1 of 2: the cost cap was reached, 3 samples were not asked"]
    )
    result = project.run("--aioncall-shard", "1/2", "--aioncall-resume")
    assert result.ret == 0
    assert shard_of(project)["complete"] is True
    assert len(project.run_folders()) == 1
    assert sorted(s["case"] for s in project.last_samples()) == sorted(cases_of(project))


def test_a_shard_is_not_resumed_as_another(ten: Project) -> None:
    ten.app(
        "def answer(text):\n    if text > 'q4':\n        raise KeyboardInterrupt\n    return text.upper()\n"
    )
    result = ten.run_apart("--aioncall-shard", "1/2")
    result.stdout.fnmatch_lines(
        [
            "gate not judged  interrupted in shard 1 of 2: * of its * cases",
            "next:   pytest --aioncall evalsets/demo.eval.yaml --aioncall-resume --aioncall-shard 1/2",
        ]
    )
    ten.app(UPPER)
    result = ten.run("--aioncall-shard", "2/2", "--aioncall-resume")
    assert result.ret == 4
    assert "shard: 1/2 then, 2/2 now" in result.stderr.str() + result.stdout.str()


def test_recording_is_not_divided(ten: Project) -> None:
    result = ten.run("--aioncall-shard", "1/2", "--aioncall-record")
    assert result.ret == 4
    assert "a cassette is recorded by one session" in result.stderr.str() + result.stdout.str()


def test_the_estimate_says_that_the_cap_is_of_this_shard_alone() -> None:
    line = Estimate(calls=10, cost_usd=0.5).line(5.0, shards=4)
    assert "cap $5 for this shard alone (all 4 together: $20)" in line
    assert "shard" not in Estimate(calls=10, cost_usd=0.5).line(5.0)


def test_shards_outlive_pruning_until_all_are_there(ten: Project) -> None:
    ten.config(defaults={"keep_runs": 1})
    for index in (1, 2, 3):
        ten.run("--aioncall-shard", f"{index}/3")
    assert len(ten.run_folders()) == 3
