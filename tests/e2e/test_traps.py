"""How comparable tools fail their users: one test a trap, so that this one does not.

Trap 2 (keys, judge outages) stands in test_chat_end_to_end.py, trap 10 in test_hostile_text.py and
test_secrets_stay_out.py, trap 11 in test_record_and_replay.py, trap 13 in test_idle_plugin.py.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from eval_project import Project

RIGHT = "def answer(text):\n    return text.upper()\n"
CASES = {f"case-{n:02}": (f"q{n}", f"Q{n}") for n in range(12)}


def said(result: pytest.RunResult) -> str:
    return str(result.stdout) + str(result.stderr)


def flat(score: float | None, *, case: str, epoch: int = 0, **more: Any) -> dict[str, Any]:
    return {"case_id": case, "epoch": epoch, "scorer": "s", "scale": [0, 1], "score": score, **more}


@pytest.fixture
def gate(project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Judge rows against rows by `aioncall gate --json`."""
    monkeypatch.chdir(project.path)

    def run(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> dict[str, Any]:
        for name, rows in (("old.jsonl", old), ("new.jsonl", new)):
            Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
        capsys.readouterr()
        project.command("gate", "--baseline", "old.jsonl", "--candidate", "new.jsonl", "--json")
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return run


# -- 1: a false assertion exits 0, a crashed evaluator is green, nothing to check passes


def test_trap_1_a_rule_that_is_broken_exits_1(project: Project) -> None:
    project.app("def answer(text):\n    return 'sue them'\n")
    project.evalset(cases=[{"id": "a", "input": "a", "must": [{"not_contains": "sue"}]}])
    assert project.run().ret == 1


def test_trap_1_an_evaluator_that_crashes_is_not_green(project: Project) -> None:
    project.app(RIGHT + "def score(text):\n    raise RuntimeError('broken')\n")
    project.evalset(scorers=[{"python": {"as": "own", "function": "app:score"}}])
    result = project.run()
    assert result.ret == 7
    assert "passed" not in result.outlines[-1]
    assert "RuntimeError: broken" in said(result)


@pytest.mark.parametrize(
    "keys", [{"scorers": []}, {"cases": []}, {"cases": [{"id": "a", "input": "a"}]}, {"scorers": None}]
)
def test_trap_1_what_nothing_checks_does_not_load(project: Project, keys: dict[str, Any]) -> None:
    project.app(RIGHT)
    project.evalset(**keys)
    result = project.run()
    assert result.ret == 4
    assert "nothing was run" in said(result)


def test_trap_1_no_evalset_at_all_is_not_green(project: Project) -> None:
    assert project.run().ret == 5


# -- 3: errors leave the sample


def test_trap_3_a_mean_says_how_many_were_judged(project: Project) -> None:
    project.app(
        "def answer(text):\n"
        "    if text in ('q1', 'q2', 'q3'):\n        raise ConnectionError('down')\n"
        "    return text.upper()\n"
    )
    project.evalset(cases=CASES, errors={"max_rate": 0.5})
    result = project.run()
    assert "27/36" in said(result)
    (verdict,) = project.report()["evalsets"][0]["judgement"]["verdicts"]
    assert (verdict["judged"], verdict["planned"]) == (27, 36)
    page = (project.path / ".aioncall" / "report.html").read_text()
    assert "27/36" in page or "27 of 36" in page


# -- 4: "no regression" as a superiority test, or as p > .05


def test_trap_4_an_unchanged_system_is_not_rejected(gate: Any) -> None:
    """Forty pairs of runs of one system that is right in 85 % of the epochs of 100 cases."""
    dice = random.Random(20261121)
    hard = [dice.betavariate(5.1, 0.9) for _ in range(100)]

    def run() -> list[dict[str, Any]]:
        return [
            flat(float(dice.random() < rate), case=f"c{n:03}", epoch=epoch)
            for n, rate in enumerate(hard)
            for epoch in range(3)
        ]

    found = [gate(run(), run())["status"] for _ in range(40)]
    assert found.count("regressed") <= 4
    (verdict,) = gate(rows := run(), rows)["verdicts"]
    assert verdict["difference"] == 0.0
    assert verdict["reason"] in ("unchanged", "within_margin", "no_drop_seen")


def test_trap_4_a_suite_too_small_to_see_says_so_instead_of_passing(gate: Any) -> None:
    old = [flat(1, case=f"c{n}", epoch=e) for n in range(8) for e in range(3)]
    new = [{**row, "score": 0} if row["case_id"] == "c0" and row["epoch"] == 0 else row for row in old]
    (verdict,) = gate(old, new)["verdicts"]
    assert verdict["status"] == "inconclusive"
    assert verdict["mde"] > 0.05
    assert verdict["needed"]["cases"] is None or verdict["needed"]["cases"] > 8


# -- 5: epochs discarded, or pooled as if independent


def test_trap_5_every_epoch_counts(gate: Any) -> None:
    """Only the later epochs fail: who looks at the first alone sees nothing."""
    old = [flat(1, case=f"c{n:02}", epoch=e) for n in range(40) for e in range(3)]
    new = [{**row, "score": int(row["epoch"] == 0)} for row in old]
    assert gate(old, new)["status"] == "regressed"


def test_trap_5_repeating_a_case_is_no_further_evidence(gate: Any) -> None:
    """Two of ten cases fail in all epochs: fifty epochs prove no more than five."""

    def verdict(epochs: int) -> dict[str, Any]:
        old = [flat(1, case=f"c{n}", epoch=e) for n in range(10) for e in range(epochs)]
        new = [{**row, "score": int(row["case_id"] not in ("c0", "c1"))} for row in old]
        found: dict[str, Any] = gate(old, new)["verdicts"][0]
        return found

    few, many = verdict(5), verdict(50)
    assert few["n_cases"] == many["n_cases"] == 10
    assert few["difference"] == many["difference"]
    if few["claim"] == "cases-like-these":
        assert many["p"] == pytest.approx(few["p"], rel=0.2)
    assert (many["ci"][1] - many["ci"][0]) > 0.1 or many["claim"] == "these-cases"


def test_trap_5_cases_of_one_document_are_one_voice(gate: Any) -> None:
    def verdict(**more: Any) -> dict[str, Any]:
        old = [
            flat(1, case=f"c{n:03}", epoch=e, **({"cluster": f"doc-{n // 5}"} if more else {}))
            for n in range(200)
            for e in range(3)
        ]
        new = [{**row, "score": int(row["case_id"] >= "c020")} for row in old]
        found: dict[str, Any] = gate(old, new)["verdicts"][0]
        return found

    alone, clustered = verdict(), verdict(clustered=True)
    assert (clustered["n_clusters"], clustered["n_cases"]) == (40, 200)
    assert alone["claim"] == clustered["claim"] == "cases-like-these"
    assert clustered["ci"][1] - clustered["ci"][0] > 1.5 * (alone["ci"][1] - alone["ci"][0])
    assert clustered["p"] > 10 * alone["p"]


# -- 6: pairing by position, all-or-nothing comparability


def test_trap_6_an_added_case_neither_refuses_nor_shifts_the_pairs(gate: Any) -> None:
    old = [flat(n % 2, case=f"c{n:02}", epoch=e) for n in range(40) for e in range(3)]
    new = [flat(0, case="a-first", epoch=e) for e in range(3)] + old[3:]
    found = gate(old, new)
    assert (found["coverage"]["new"], found["coverage"]["removed"]) == (["a-first"], ["c00"])
    (verdict,) = found["verdicts"]
    assert (verdict["n_cases"], verdict["difference"]) == (39, 0.0)


# -- 12: quadratic state, serial evals


def written_by(project: Project, cases: int) -> int:
    """Return how many bytes this process wrote while it ran so many cases."""
    project.evalset(cases={f"c{n:04}": (f"q{n}", f"Q{n}") for n in range(cases)}, epochs=1)

    def written() -> int:
        lines = Path("/proc/self/io").read_text().splitlines()
        return int(dict(line.split(": ") for line in lines)["wchar"])

    before = written()
    assert project.run("-q").ret == 0
    return written() - before


@pytest.mark.skipif(not Path("/proc/self/io").is_file(), reason="counts what Linux says a process wrote")
def test_trap_12_twice_the_cases_write_twice_the_bytes(project: Project) -> None:
    """Rewriting a file after every case would write four times as much."""
    project.app(RIGHT)
    written_by(project, 20)
    fixed = written_by(project, 1)
    once, twice = written_by(project, 200) - fixed, written_by(project, 400) - fixed
    assert twice < 2.4 * once


# -- 13: a plugin that everybody pays for


def test_trap_13_the_watch_over_idle_imports_names_every_heavy_library() -> None:
    """test_idle_plugin.py holds the promise; this one that it looks for all that is heavy."""
    from test_idle_plugin import HEAVY

    assert {"pydantic", "numpy", "scipy", "yaml", "jinja2", "httpx", "asyncio"} <= set(HEAVY)


# -- 14: an event loop a test, results lost in workers


def test_trap_14_one_loop_and_one_client_serve_all_cases(project: Project) -> None:
    project.app(
        "import asyncio\n"
        "loops = set()\nlock = asyncio.Lock()\n"
        "async def answer(text):\n"
        "    async with lock:\n        loops.add(id(asyncio.get_running_loop()))\n"
        "    return f'{text.upper()}{len(loops)}'\n"
    )
    project.evalset(cases={k: (i, e + "1") for k, (i, e) in CASES.items()})
    project.run().assert_outcomes(passed=12, skipped=1)


def test_trap_14_workers_lose_nothing(project: Project) -> None:
    project.app(RIGHT)
    project.evalset(cases=CASES)
    result = project.run_apart("-n", "2")
    assert result.ret == 0, said(result)
    samples = [(s["case"], s["epoch"]) for s in project.last_samples()]
    assert sorted(samples) == [(case, epoch) for case in CASES for epoch in range(3)]
    assert project.last_run()["totals"]["judged"] == 36
