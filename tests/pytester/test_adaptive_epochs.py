"""`epochs: {min, max}` draws only as often as the verdict needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval_project import Project, RunMode

CASES = {f"c{i:03}": (f"q{i}", "yes") for i in range(80)}
EPOCHS = {"min": 1, "max": 5}

STEADY = """
def answer(text):
    return "yes"
"""
# Deterministic by case and by how often it was asked, as the epochs of one process come in order.
FLAKY = """
import hashlib, threading
asked, lock = {}, threading.Lock()
def answer(text):
    with lock:
        asked[text] = asked.get(text, 0) + 1
        turn = asked[text]
    seed = hashlib.sha256(f"{text}|{turn}|SALT".encode()).digest()[0]
    return "yes" if seed < LEVEL else "no"
"""


def flaky(level: int, salt: str = "a") -> str:
    return FLAKY.replace("SALT", salt).replace("LEVEL", str(level))


def epochs_by_case(project: Project) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in (project.run_folders()[-1] / "samples.jsonl").read_text().splitlines():
        sample = json.loads(line)
        found[sample["case"]] = max(found.get(sample["case"], 0), sample["epoch"] + 1)
    return found


def report(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.path / ".aioncall" / "report.json").read_text())
    return found["evalsets"][0]["judgement"]


def accepted(project: Project, **keys: Any) -> None:
    project.evalset(cases=CASES, epochs=EPOCHS, **keys)
    project.run()
    project.accept()


def test_without_a_baseline_a_run_draws_max(project: Project) -> None:
    """The first run may become the baseline, and has no verdict to stop at."""
    project.app(STEADY)
    project.evalset(cases=CASES, epochs=EPOCHS)
    project.run()
    assert set(epochs_by_case(project).values()) == {5}


def test_a_clear_pass_stops_after_the_first_round(project: Project, run_mode: RunMode) -> None:
    project.app(STEADY)
    accepted(project)
    result = run_mode()
    assert result.ret == 0
    assert set(epochs_by_case(project).values()) == {1}
    assert report(project)["rounds"] == {
        "min": 1, "max": 5, "epochs": 1, "looks": 1, "samples": 80, "samples_at_max": 400,
        "stopped": "decided",
    }  # fmt: skip
    assert any("320 of 400" in line for line in result.outlines), "the calls saved are shown"


def test_an_unclear_verdict_draws_whole_rounds_of_all_cases(project: Project, run_mode: RunMode) -> None:
    """Never by a case's own result: all cases of an open row are drawn alike."""
    project.app(flaky(210))
    project.evalset(cases=CASES, epochs=EPOCHS)
    project.run()
    project.accept()
    project.app(flaky(195, "b"))
    result = run_mode()
    drawn = set(epochs_by_case(project).values())
    assert len(drawn) == 1 and drawn.pop() > 1
    assert any("cases again, epoch 2 of 5 at most" in line for line in result.outlines)


def test_a_clear_drop_stops_early_and_is_red(project: Project, run_mode: RunMode) -> None:
    project.app(STEADY)
    accepted(project)
    project.app(flaky(100))
    result = run_mode()
    assert result.ret == 1
    assert max(epochs_by_case(project).values()) == 1
    assert report(project)["rounds"]["stopped"] == "red"


def test_the_gate_command_comes_to_the_same_verdict(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """Judging the run folder later replays the looks, bit for bit."""
    project.app(flaky(210))
    project.evalset(cases=CASES, epochs=EPOCHS)
    project.run()
    project.accept()
    project.app(flaky(195, "b"))
    result = project.run()
    capsys.readouterr()
    code = project.command("gate", "--root", str(project.path), "--candidate", "latest", "--json")
    told = json.loads(capsys.readouterr().out)
    assert code == result.ret
    shown = report(project)
    assert told["verdicts"] == shown["verdicts"]
    assert told["rounds"] == shown["rounds"]


def test_a_flag_sets_the_number_for_all(project: Project) -> None:
    project.app(STEADY)
    accepted(project)
    project.run("--aioncall-epochs", "5")
    assert set(epochs_by_case(project).values()) == {5}
    assert report(project)["rounds"] is None


def test_a_must_broken_in_a_later_round_fails_the_case(project: Project, run_mode: RunMode) -> None:
    """Its item was done; one more report of the same case says so, and the run is red."""
    project.app(flaky(210))
    project.evalset(
        cases=[
            {"id": k, "input": i, "expected": e, **({"must": [{"not_contains": "sue"}]} if i == "q7" else {})}
            for k, (i, e) in CASES.items()
        ],
        epochs=EPOCHS,
    )
    project.run()
    project.accept()
    again = 'open("asked", "a").write("x")\n        if len(open("asked").read()) > 1: return "you should sue"'
    project.app(flaky(195, "b").replace("    seed =", f'    if text == "q7":\n        {again}\n    seed ='))
    result = run_mode("-rf")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*FAILED evalsets/demo.eval.yaml::c007*"])


def test_a_new_case_is_drawn_max(project: Project) -> None:
    """It has no verdict that could stop it, and it is to enter the baseline with all its epochs."""
    project.app(STEADY)
    accepted(project)
    project.evalset(cases={**CASES, "new": ("q-new", "yes")}, epochs=EPOCHS)
    project.run()
    drawn = epochs_by_case(project)
    assert drawn.pop("new") == 5
    assert set(drawn.values()) == {1}


def test_a_part_of_the_cases_draws_no_further_round(project: Project) -> None:
    project.app(flaky(210))
    project.evalset(cases=CASES, epochs=EPOCHS)
    project.run()
    project.accept()
    project.app(flaky(195, "b"))
    project.run("-k", "c00")
    assert set(epochs_by_case(project).values()) == {1}


def test_the_cost_cap_ends_the_rounds_and_the_run_is_still_judged(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half a round tells nothing, so one that the cap would cut is not begun."""
    priced = flaky(210).replace(
        'return "yes" if seed < 210 else "no"',
        'return {"text": "yes" if seed < 210 else "no", "cost_usd": 0.01}',
    )
    project.app(priced)
    project.evalset(cases=CASES, epochs=EPOCHS)
    project.run()
    project.accept()
    project.app(priced.replace("< 210", "< 195").replace("|a", "|b"))
    result = project.run("--aioncall-max-cost", "1.2")
    assert set(epochs_by_case(project).values()) == {1}
    assert report(project)["rounds"]["stopped"] == "cost_cap"
    assert any("cost cap" in line for line in result.outlines)
    capsys.readouterr()
    project.command("gate", "--root", str(project.path), "--candidate", "latest")
    assert "the cost cap ended the rounds" in capsys.readouterr().out


def test_what_an_earlier_session_paid_does_not_count_against_the_rounds_of_a_resumed_run(
    project: Project,
) -> None:
    """The cap counts anew in each session: 0.30 dollars of the first round are left, and a round is 0.80."""
    priced = flaky(210).replace(
        'return "yes" if seed < 210 else "no"',
        'return {"text": "yes" if seed < 210 else "no", "cost_usd": 0.01}',
    )
    project.app(priced)
    project.evalset(cases=CASES, epochs=EPOCHS)
    project.run()
    project.accept()
    project.app(priced.replace("< 210", "< 195").replace("|a", "|b"))
    assert project.run("--aioncall-max-cost", "0.5").ret == 7
    project.run("--aioncall-resume", "--aioncall-max-cost", "1.2")
    assert max(epochs_by_case(project).values()) == 2
    assert report(project)["rounds"]["stopped"] == "cost_cap"


def test_recording_draws_every_epoch(project: Project, tmp_path: Path) -> None:
    """A cassette has to hold whatever a later replay may ask for."""
    project.app(STEADY)
    accepted(project)
    project.run("--aioncall-record")
    assert set(epochs_by_case(project).values()) == {5}


def test_a_changed_instrument_draws_max(project: Project) -> None:
    """There is nothing comparable to stop at, and the next step is to accept or to judge again."""
    project.app(STEADY)
    accepted(project)
    project.evalset(cases=CASES, epochs=EPOCHS, scorers=[{"exact": {"ignore_case": True}}])
    project.run()
    assert set(epochs_by_case(project).values()) == {5}


def test_two_rounds_that_the_cap_allows_one_by_one_are_not_both_begun(project: Project) -> None:
    """A round is 0.80 dollars: beside the 1.60 of both first rounds a cap of 2.50 has room for one."""
    priced = flaky(210).replace(
        'return "yes" if seed < 210 else "no"',
        'return {"text": "yes" if seed < 210 else "no", "cost_usd": 0.01}',
    )
    project.app(priced)
    project.evalset("one", cases=CASES, epochs=EPOCHS)
    project.evalset("two", cases={k: (f"other {i}", e) for k, (i, e) in CASES.items()}, epochs=EPOCHS)
    project.run()
    for name in ("one", "two"):
        project.accept("first", name)
    project.app(priced.replace("< 210", "< 195").replace("|a", "|e"))
    project.run("--aioncall-max-cost", "2.5")
    samples = project.last_samples()
    assert [s for s in samples if (s["error"] or {}).get("kind") == "cancelled"] == []
    drawn = {name: sum(s["evalset"] == name for s in samples) for name in ("one", "two")}
    assert sorted(drawn.values()) == [80, 160]


def test_maxfail_ends_the_rounds_of_every_evalset(project: Project) -> None:
    """What a round has broken ends the session as a failing item does: nothing more is paid for."""
    project.app(flaky(210))
    cases = [{"id": k, "input": i, "expected": e} for k, (i, e) in CASES.items()]
    cases[7]["must"] = [{"not_contains": "sue"}]
    project.evalset("one", cases=cases, epochs=EPOCHS)
    project.evalset("two", cases={k: (f"other {i}", e) for k, (i, e) in CASES.items()}, epochs=EPOCHS)
    project.run()
    for name in ("one", "two"):
        project.accept("first", name)
    broken = 'if text == "q7" and turn > 1: return "you should sue"\n    seed ='
    project.app(flaky(195, "e").replace("seed =", broken))

    def most_of_two(*arguments: str) -> int:
        project.run(*arguments)
        return max(s["epoch"] for s in project.last_samples() if s["evalset"] == "two") + 1

    assert most_of_two() > 2
    assert most_of_two("--maxfail", "1") == 2


def test_an_engine_that_dies_in_a_later_round_ends_the_run_with_a_sentence(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No item is left to fail with it: exit 7 and the reason, never a traceback of pytest itself."""
    from pytest_aioncall.engine import Engine

    project.app(flaky(210))
    project.evalset(cases=CASES, epochs=EPOCHS)
    project.run()
    project.accept()
    project.app(flaky(195, "b"))
    start = Engine._start

    async def fail_later(self: Engine, job: Any, *rest: Any) -> None:
        if job.first:
            raise RuntimeError("the loop is gone")
        await start(self, job, *rest)

    monkeypatch.setattr(Engine, "_start", fail_later)
    result = project.run()
    assert result.ret == 7
    text = "\n".join([*result.outlines, *result.errlines])
    assert "the engine stopped in a later round: the loop is gone" in text
    assert "INTERNALERROR" not in text
