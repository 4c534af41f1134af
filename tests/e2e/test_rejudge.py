"""Stored answers are judged again by the scorers of today; the target is never asked, nothing is lost."""

from __future__ import annotations

import _thread
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from model_server import Answer, Asked, Fault, ModelServer, model_server

from eval_project import Project

CASES = {f"case-{n}": (f"question {n}", f"answer {n}") for n in range(6)}
BASELINE = "evalsets/baselines/demo.jsonl"
OUTPUTS = "evalsets/baselines/demo.outputs.jsonl"


class Judged:
    """A project whose target and judge are models of one server, so that every call is seen."""

    def __init__(self, project: Project, server: ModelServer) -> None:
        self.project, self.server = project, server
        self.mark: dict[str, int] = {}
        self.ending = ""
        server.answer = self.answered
        provider = {"kind": "openai", "base_url": f"{server.url}/v1", "max_attempts": 1}
        project.config(
            providers={"main": provider},
            prices={
                "main/answers-1": {"input": 2.0, "output": 10.0},
                "main/judge-1": {"input": 2.0, "output": 10.0},
                "main/judge-2": {"input": 2.0, "output": 10.0},
            },
        )
        self.write()

    def write(self, rubric: str = "Is it helpful?", *, model: str = "judge-1", **keys: Any) -> None:
        self.project.write("rubric.md", rubric)
        judge = {"rubric": "rubric.md", "model": f"main/{model}", "as": "helpfulness"}
        content = {
            "target": {"chat": {"model": "main/answers-1", "prompt": "{{ input }}"}},
            "cases": CASES,
            "scorers": [{"contains": {"ignore_case": True}}, {"judge": judge}],
            **keys,
        }
        self.project.evalset(**content)

    def answered(self, asked: Asked) -> Answer:
        if not asked.is_judge:
            return asked.question.replace("question", "the answer is answer") + self.ending
        system = str(asked.body["messages"][0]["content"])
        score = next((mark for word, mark in self.mark.items() if word in system), 4)
        return json.dumps({"reason": "as scripted", "score": score})

    @property
    def targets_asked(self) -> int:
        return sum(not asked.is_judge for asked in self.server.asked)

    @property
    def judges_asked(self) -> int:
        return sum(asked.is_judge for asked in self.server.asked)

    def read(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        lines = [json.loads(line) for line in (self.project.path / BASELINE).read_text().splitlines()]
        return lines[0], lines[1:]

    def files(self) -> dict[str, bytes]:
        folder = self.project.path / "evalsets" / "baselines"
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def rejudge(self, *arguments: str, name: str = "demo", reason: str | None = "new rubric") -> int:
        said = ("--reason", reason) if reason is not None else ()
        return self.project.command("rejudge", name, "--by", "ann", *said, *arguments)


@pytest.fixture
def judged(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Judged]:
    monkeypatch.chdir(project.path)
    monkeypatch.setenv("AIONCALL_NOW", "2026-11-21T12:00:00Z")
    with model_server() as server:
        yield Judged(project, server)


@pytest.fixture
def accepted(judged: Judged) -> Judged:
    judged.project.run()
    judged.project.accept()
    return judged


def rows(project: Project) -> dict[str, dict[str, Any]]:
    verdicts = project.report()["evalsets"][0]["judgement"]["verdicts"]
    return {verdict["scorer"]: verdict for verdict in verdicts}


# -- a baseline


def test_a_new_rubric_is_not_comparable_until_the_baseline_is_judged_again(
    accepted: Judged, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole way: exit 8, the command that the screen names, then a verdict; no answer is asked for."""
    accepted.mark = {"Is it helpful?": 4, "Is it short?": 2}
    accepted.write("Is it short?")
    result = accepted.project.run("--aioncall-require-baseline")
    assert result.ret == 8, str(result.stdout)
    text = str(result.stdout)
    assert "not comparable - re-judge" in text
    assert "rubric text" in text
    assert "aioncall rejudge demo --reason" in text
    assert rows(accepted.project)["helpfulness"]["reason"] == "not_comparable"
    assert rows(accepted.project)["contains"]["status"] == "pass"
    asked = accepted.targets_asked
    capsys.readouterr()
    assert accepted.rejudge() == 0
    said = capsys.readouterr().out
    assert "18 stored outputs judged again" in said
    assert "helpfulness: 4.00 -> 2.00 (-2.00) on the same answers" in said
    assert accepted.targets_asked == asked, "the target was asked"
    assert accepted.judges_asked == 3 * 18
    assert accepted.project.command("gate", "--candidate", "latest", "--require-baseline") == 0
    assert "judged again" in capsys.readouterr().out
    result = accepted.project.run("--aioncall-require-baseline")
    assert result.ret == 0, str(result.stdout)
    assert rows(accepted.project)["helpfulness"]["reason"] == "unchanged"


def test_the_header_says_who_had_it_judged_again_and_keeps_who_accepted_it(accepted: Judged) -> None:
    before, old_rows = accepted.read()
    outputs = (accepted.project.path / OUTPUTS).read_bytes()
    accepted.mark = {"Is it short?": 2}
    accepted.write("Is it short?")
    assert accepted.rejudge() == 0
    header, new_rows = accepted.read()
    assert header["rejudged"] == [
        {"at": "2026-11-21T12:00:00.000Z", "by": "ann", "reason": "new rubric", "scorers": ["helpfulness"]}
    ]
    for name in ("accepted_by", "accepted_at", "reason", "commit", "run", "subject", "accepts", "outputs"):
        assert header.get(name) == before.get(name)
    assert header["scorers"]["contains"] == before["scorers"]["contains"]
    assert header["scorers"]["helpfulness"]["hash"] != before["scorers"]["helpfulness"]["hash"]
    assert header["instrument"]["helpfulness"] == header["scorers"]["helpfulness"]["hash"]
    for old, new in zip(old_rows, new_rows, strict=True):
        assert new["scores"] == {"contains": old["scores"]["contains"], "helpfulness": [2.0, 2.0, 2.0]}
        assert {k: v for k, v in new.items() if k != "scores"} == {
            k: v for k, v in old.items() if k != "scores"
        }
    assert (accepted.project.path / OUTPUTS).read_bytes() == outputs


def test_a_baseline_needs_a_reason(accepted: Judged, capsys: pytest.CaptureFixture[str]) -> None:
    accepted.write("Is it short?")
    before = accepted.files()
    assert accepted.rejudge(reason=None) == 4
    assert "--reason is missing" in capsys.readouterr().err
    assert accepted.files() == before


def test_where_nothing_changed_nothing_is_asked_or_written(
    accepted: Judged, capsys: pytest.CaptureFixture[str]
) -> None:
    before, asked = accepted.files(), len(accepted.server.asked)
    assert accepted.rejudge() == 0
    assert "nothing to judge again" in capsys.readouterr().out
    assert accepted.files() == before
    assert len(accepted.server.asked) == asked
    assert accepted.rejudge("--all") == 0
    assert accepted.judges_asked == 36
    assert accepted.read()[0]["rejudged"][0]["scorers"] == ["contains", "helpfulness"]


@pytest.mark.parametrize("name", ["demo", BASELINE, "evalsets/demo.eval.yaml"])
def test_a_baseline_is_named_by_its_evalset_or_by_its_file(accepted: Judged, name: str) -> None:
    accepted.write("Is it short?")
    assert accepted.rejudge(name=name) == 0
    assert "rejudged" in accepted.read()[0]


def test_a_name_that_is_neither_lists_what_there_is(
    accepted: Judged, capsys: pytest.CaptureFixture[str]
) -> None:
    assert accepted.rejudge(name="dmeo") == 4
    said = capsys.readouterr().err
    assert "neither a baseline nor a run" in said
    assert "demo" in said


def test_answers_too_long_to_be_kept_are_taken_from_their_run_and_refused_without_it(
    judged: Judged, capsys: pytest.CaptureFixture[str]
) -> None:
    judged.server.answer = lambda asked: (
        judged.answered(asked) if asked.is_judge else ("answer 1 " if "1" in asked.question else "no ") * 400
    )
    judged.project.run()
    judged.project.accept()
    kept = [json.loads(line) for line in (judged.project.path / OUTPUTS).read_text().splitlines()]
    assert sum("text" not in line for line in kept) == 3
    judged.write("Is it short?")
    runs = judged.project.path / ".aioncall" / "runs"
    shutil.move(runs, judged.project.path / "elsewhere")
    before, asked = judged.files(), len(judged.server.asked)
    capsys.readouterr()
    assert judged.rejudge() == 4
    said = capsys.readouterr().err
    assert "3 outputs of 1 cases (case-1) are not kept whole (longer than 2 KB)" in said
    assert "With outputs: full in evalsets/demo.eval.yaml the next baseline keeps them" in said
    assert "pytest --aioncall evalsets/demo.eval.yaml" in said
    assert (judged.files(), len(judged.server.asked)) == (before, asked)
    shutil.move(judged.project.path / "elsewhere", runs)
    assert judged.rejudge() == 0
    assert judged.files() != before


def test_a_baseline_that_keeps_no_outputs_is_judged_again_from_its_run_alone(
    judged: Judged, capsys: pytest.CaptureFixture[str]
) -> None:
    judged.write(outputs="none")
    judged.project.run()
    judged.project.accept()
    judged.write("Is it short?", outputs="none")
    asked = judged.targets_asked
    assert judged.rejudge() == 0
    assert judged.targets_asked == asked
    judged.write("Is it kind?", outputs="none")
    shutil.rmtree(judged.project.path / ".aioncall" / "runs")
    capsys.readouterr()
    assert judged.rejudge() == 4
    assert "this baseline keeps no outputs" in capsys.readouterr().err


def test_a_judge_that_fails_too_often_leaves_the_baseline_as_it_was(
    accepted: Judged, capsys: pytest.CaptureFixture[str]
) -> None:
    accepted.write("Is it short?")
    before = accepted.files()
    accepted.server.answer = lambda _asked: Fault(500)
    assert accepted.rejudge() == 7
    said = capsys.readouterr().err
    assert "18 of 18 outputs could not be judged (limit 2 %)" in said
    assert "nothing was written" in said
    assert accepted.files() == before
    assert not list((accepted.project.path / "evalsets" / "baselines").glob(".*"))


def test_the_cap_is_held_before_and_the_estimate_names_the_option(
    accepted: Judged, capsys: pytest.CaptureFixture[str]
) -> None:
    accepted.write("Is it short?")
    before, asked = accepted.files(), len(accepted.server.asked)
    assert accepted.rejudge("--max-cost", "0.000001") == 4
    assert "Allow it with --max-cost" in capsys.readouterr().err
    assert (accepted.files(), len(accepted.server.asked)) == (before, asked)


def test_what_a_judge_said_is_recorded_and_replayed(
    accepted: Judged, capsys: pytest.CaptureFixture[str]
) -> None:
    accepted.mark = {"Is it short?": 2}
    accepted.write("Is it short?")
    before = accepted.files()
    assert accepted.rejudge("--replay") == 7
    assert "never recorded" in capsys.readouterr().err
    assert accepted.files() == before
    assert accepted.rejudge("--record") == 0
    recorded = accepted.files()
    accepted.write("Is it helpful?")
    (accepted.project.path / BASELINE).write_bytes(before["demo.jsonl"])
    accepted.write("Is it short?")
    asked = len(accepted.server.asked)
    assert accepted.rejudge("--replay") == 0
    assert len(accepted.server.asked) == asked
    assert accepted.files() == recorded


def test_a_changed_case_is_not_judged_again_and_is_named(
    accepted: Judged, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = {**CASES, "case-0": ("another question", "answer 0")}
    del cases["case-5"]
    accepted.write("Is it short?", cases=cases)
    assert accepted.rejudge() == 0
    assert "not judged again, changed or removed since: case-0, case-5" in capsys.readouterr().out
    by_case = {row["case"]: row for row in accepted.read()[1]}
    assert set(by_case) == set(CASES), "a row that is lost would not be listed as removed"
    assert set(by_case["case-0"]["scores"]) == {"contains"}
    assert set(by_case["case-1"]["scores"]) == {"contains", "helpfulness"}


def test_a_new_scorer_gets_its_scores_and_a_removed_one_goes(accepted: Judged) -> None:
    accepted.write(scorers=[{"contains": {"ignore_case": True}}, {"length": {"max": 5}}])
    assert accepted.rejudge() == 0
    header, found = accepted.read()
    assert list(header["scorers"]) == ["contains", "length"]
    assert all(row["scores"]["length"] == [0.0, 0.0, 0.0] for row in found)
    assert header["rejudged"][0]["scorers"] == ["helpfulness", "length"]


def test_outputs_of_another_baseline_are_noticed(
    accepted: Judged, capsys: pytest.CaptureFixture[str]
) -> None:
    path = accepted.project.path / OUTPUTS
    path.write_text(path.read_text().replace("answer 1", "answer 7"))
    accepted.write("Is it short?")
    assert accepted.rejudge() == 4
    assert "is not the file that was written with demo.jsonl" in capsys.readouterr().err


# -- a run


def test_a_run_is_judged_again_into_a_run_of_its_own(
    accepted: Judged, capsys: pytest.CaptureFixture[str]
) -> None:
    accepted.mark = {"Is it short?": 2}
    accepted.write("Is it short?")
    (old,) = accepted.project.run_folders()
    bytes_before = {path.name: path.read_bytes() for path in old.iterdir()}
    asked = accepted.targets_asked
    capsys.readouterr()
    assert accepted.rejudge(name=old.name, reason=None) == 0
    assert "next:  aioncall gate --candidate" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in old.iterdir()} == bytes_before
    assert accepted.targets_asked == asked
    run = accepted.project.last_run()
    assert (run["rejudged_from"], run["id"] != old.name) == (old.name, True)
    assert run["complete"] is True
    samples = accepted.project.last_samples()
    assert len(samples) == 18
    assert {s["scores"][1]["value"] for s in samples} == {2.0}
    assert {s["output"]["replayed"] for s in samples} == {None}
    first = json.loads(bytes_before["samples.jsonl"].splitlines()[0])
    same = next(s for s in samples if (s["case"], s["epoch"]) == (first["case"], first["epoch"]))
    assert same["output"] == first["output"]
    assert same["scores"][0] == first["scores"][0]


def test_a_run_of_an_older_instrument_is_refused_and_accepted_once_judged_again(
    judged: Judged, capsys: pytest.CaptureFixture[str]
) -> None:
    judged.project.run()
    judged.write("Is it short?")
    capsys.readouterr()
    assert judged.project.command("baseline", "accept", "--reason", "first", "--by", "ann") == 4
    said = capsys.readouterr().err
    assert "helpfulness (rubric text)" in said
    run_id = judged.project.last_run()["id"]
    assert f"aioncall rejudge {run_id}" in said
    assert judged.rejudge(name=run_id, reason=None) == 0
    judged.project.accept()
    assert judged.read()[0]["run"] == judged.project.last_run()["id"]


def test_a_must_is_scored_again_with_the_rest(accepted: Judged) -> None:
    cases = [{"id": "a", "input": "question 1", "expected": "answer 1", "must": [{"not_contains": "sue"}]}]
    accepted.write(cases=cases)
    accepted.project.run()
    accepted.write("Is it short?", cases=cases)
    assert accepted.rejudge(name="latest", reason=None) == 0
    run = accepted.project.last_run()
    assert run["evalsets"][0]["floors"][0]["ok"] is True
    assert [s["scorer"] for s in accepted.project.last_samples()[0]["scores"]] == [
        "contains", "helpfulness", "must[0]:not_contains",
    ]  # fmt: skip


def test_a_sample_that_errored_stays_an_error(judged: Judged) -> None:
    judged.write(errors={"max_rate": 0.5})
    judged.server.answer = lambda asked: (
        Fault(503) if not asked.is_judge and "question 3" in asked.question else judged.answered(asked)
    )
    judged.project.run()
    judged.write("Is it short?", errors={"max_rate": 0.5})
    assert judged.rejudge(name="latest", reason=None) == 0
    samples = judged.project.last_samples()
    errored = [s for s in samples if s["error"]]
    assert {s["case"] for s in errored} == {"case-3"}
    assert all(s["scores"] == [] and s["error"]["kind"] == "transport" for s in errored)
    assert judged.project.last_run()["totals"]["errors"] == 3


def test_a_case_that_errored_wholly_stays_planned_and_unjudged(judged: Judged) -> None:
    judged.write(errors={"max_rate": 0.5})
    judged.server.answer = lambda asked: (
        Fault(503) if not asked.is_judge and "question 3" in asked.question else judged.answered(asked)
    )
    judged.project.run()
    judged.project.accept("knowingly", "--allow-errors", "3")
    before = {row["case"]: row for row in judged.read()[1]}
    judged.write("Is it short?", errors={"max_rate": 0.5})
    assert judged.rejudge() == 0
    after = {row["case"]: row for row in judged.read()[1]}
    assert after["case-3"] == before["case-3"]
    assert after["case-3"]["scores"]["helpfulness"] == [None, None, None]


def test_interrupted_it_leaves_everything_as_it_was(
    accepted: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted.write("Is it short?")
    before = accepted.files()

    pressed = threading.Lock()

    def stop(_asked: Asked) -> Answer:
        # Once: a second Ctrl-C could arrive after the command, and end the test run instead.
        if pressed.acquire(blocking=False):
            _thread.interrupt_main()
        return "{}"

    accepted.server.answer = stop
    assert accepted.rejudge() == 2
    assert accepted.files() == before
    assert len(accepted.project.run_folders()) == 1


def test_it_prints_one_json_object(accepted: Judged, capsys: pytest.CaptureFixture[str]) -> None:
    accepted.mark = {"Is it short?": 2}
    accepted.write("Is it short?")
    capsys.readouterr()
    assert accepted.rejudge("--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["evalsets"]
    assert (found["kind"], found["outputs"], found["written"]) == ("baseline", 18, BASELINE)
    assert found["means"]["helpfulness"] == {"was": 4.0, "now": 2.0, "cases": 6}
    assert found["cost_usd"] == pytest.approx(18 * (1000 * 2 + 100 * 10) / 1e6)


def test_structured_answers_are_kept_and_judged_again(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Data, documents and tool calls are in the baseline, so that scorers which read them can judge again."""
    monkeypatch.chdir(project.path)
    project.app(
        "def answer(text):\n"
        "    return {'text': 't', 'data': {'queue': text, 'none': None}, 'retrieved': ['doc-' + text],\n"
        "            'tool_calls': [{'name': 'look', 'arguments': {'q': text}}]}\n"
    )
    cases = [{"id": c, "input": c, "expected": c} for c in "ab"]
    project.evalset(cases=cases, scorers=[{"json_path": {"path": "$.queue"}}])
    project.run()
    project.accept()
    kept = [json.loads(line) for line in (project.path / OUTPUTS).read_text().splitlines()]
    assert kept[0]["data"] == {"queue": "a", "none": None}
    assert kept[0]["retrieved"] == [{"id": "doc-a"}]
    assert kept[0]["tool_calls"][0]["name"] == "look"
    shutil.rmtree(project.path / ".aioncall")
    project.app("def answer(text):\n    raise RuntimeError('asked')\n")
    project.evalset(cases=cases, scorers=[{"json_path": {"path": "$.queue", "matches": "a"}}])
    assert project.command("rejudge", "demo", "--by", "ann", "--reason", "looser") == 0
    lines = [json.loads(line) for line in (project.path / BASELINE).read_text().splitlines()]
    assert [row["scores"]["json_path"] for row in lines[1:]] == [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]


def test_a_part_that_is_too_large_is_said_to_be_cut(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.path)
    project.app("def answer(text):\n    return {'text': 't', 'data': {'long': 'x' * 3000}}\n")
    cases = {"a": ("a", "t")}
    project.evalset(cases=cases, scorers=["exact", {"json_path": {"path": "$.long", "exists": True}}])
    project.run()
    project.accept()
    kept = json.loads((project.path / OUTPUTS).read_text().splitlines()[0])
    assert (kept["cut"], "data" in kept, kept["text"]) == (["data"], False, "t")
    shutil.rmtree(project.path / ".aioncall")
    capsys.readouterr()
    assert project.command("rejudge", "demo", "--by", "ann", "--reason", "again", "--all") == 4
    assert "json_path may read what is missing" in capsys.readouterr().err
    project.evalset(cases=cases, scorers=[{"contains": {"ignore_case": True}}])
    assert project.command("rejudge", "demo", "--by", "ann", "--reason", "other") == 0
    assert Path(project.path / BASELINE).is_file()


# -- in a pull request


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], capture_output=True, check=True)


@pytest.fixture
def branch(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> Judged:
    """A branch `feature` off `main`, which has a baseline with an acceptance that was merged long ago."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(judged.project.path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    judged.project.write("gitconfig", "[user]\nname = Ann\nemail = ann@example.com\n")
    judged.project.write(".gitignore", ".aioncall/\n__pycache__/\ngitconfig\n")
    git("init", "--quiet", "--initial-branch=main")
    judged.project.run()
    judged.project.accept()
    path = judged.project.path / BASELINE
    accepts = '"accepts": [{"scorer": "helpfulness", "slice": null, "ticket": "T-1"}]'
    path.write_text(path.read_text().replace('"accepts": []', accepts))
    git("add", "--all")
    git("commit", "--quiet", "--message", "first")
    git("checkout", "--quiet", "-b", "feature")
    return judged


def test_a_branch_that_changes_the_rubric_and_judges_again_gets_a_verdict(branch: Judged) -> None:
    branch.mark = {"Is it short?": 2}
    branch.write("Is it short?")
    base = ("--aioncall-baseline-ref", "main", "--aioncall-require-baseline")
    assert branch.project.run(*base).ret == 8
    assert branch.rejudge() == 0
    result = branch.project.run(*base)
    assert result.ret == 0, str(result.stdout)
    assert rows(branch.project)["helpfulness"]["baseline"] == 2.0
    assert "judged again" in str(result.stdout)


def test_judging_again_revives_no_acceptance_that_was_merged(branch: Judged) -> None:
    branch.write("Is it short?")
    assert branch.rejudge() == 0
    branch.mark = {"Is it short?": 1}
    branch.ending = ", I think"
    result = branch.project.run("--aioncall-baseline-ref", "main")
    assert result.ret == 1, str(result.stdout)
    assert rows(branch.project)["helpfulness"]["ticket"] is None


def test_scores_of_an_unchanged_scorer_are_never_taken_from_the_branch(branch: Judged) -> None:
    branch.write("Is it short?")
    assert branch.rejudge() == 0
    path = branch.project.path / BASELINE
    path.write_text(path.read_text().replace('"contains": [1.0, 1.0, 1.0]', '"contains": [0.0, 0.0, 0.0]'))
    branch.project.run("--aioncall-baseline-ref", "main")
    assert rows(branch.project)["contains"]["baseline"] == 1.0


def test_outputs_that_were_exchanged_with_the_scores_count_for_nothing(branch: Judged) -> None:
    branch.write("Is it short?")
    assert branch.rejudge() == 0
    path = branch.project.path / OUTPUTS
    path.write_text(path.read_text().replace("answer 1", "answer 2"))
    result = branch.project.run("--aioncall-baseline-ref", "main", "--aioncall-require-baseline")
    assert result.ret == 8
    assert rows(branch.project)["helpfulness"]["reason"] == "not_comparable"


SCORER = "def mine(case, output):\n    return {}1.0 if output.text == case.expected else 0.0\n"
RIGHT = "def answer(text):\n    return text.upper()\n"


@pytest.fixture
def own_code(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A branch whose scorer is a function of the project's own, which it rewrote and judged again with."""
    monkeypatch.chdir(project.path)
    monkeypatch.setenv("AIONCALL_NOW", "2026-11-21T12:00:00Z")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(project.path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    project.write("gitconfig", "[user]\nname = Ann\nemail = ann@example.com\n")
    project.write(".gitignore", ".aioncall/\n__pycache__/\ngitconfig\n")
    project.app(RIGHT)
    project.write("own_scorers.py", SCORER.format(""))
    project.evalset(
        target={"python": "app:answer"},
        cases={f"c{n}": (f"q{n}", f"Q{n}") for n in range(12)},
        scorers=[{"python": {"as": "mine", "function": "own_scorers:mine"}}],
        gates=[{"scorer": "mine", "margin": 0.05}],
    )
    git("init", "--quiet", "--initial-branch=main")
    assert project.run().ret == 0
    project.accept()
    git("add", "--all")
    git("commit", "--quiet", "--message", "first")
    git("checkout", "--quiet", "-b", "feature")
    project.write("own_scorers.py", SCORER.format("+"))
    assert project.command("rejudge", "demo", "--by", "ann", "--reason", "tidied") == 0
    return project


def scores_edited(project: Project, *, to: Any) -> None:
    """Write other scores for four of the cases into the baseline that the branch judged again."""
    path = project.path / BASELINE
    header, *lines = path.read_text().splitlines()
    found = [json.loads(line) for line in lines]
    for row in found[:4]:
        row["scores"]["mine"] = [to] * 3
    path.write_text("\n".join([header, *map(json.dumps, found)]) + "\n")


def test_scores_that_were_judged_again_count_where_the_scorer_gives_them(own_code: Project) -> None:
    assert own_code.run("--aioncall-baseline-ref", "main").ret == 0
    assert rows(own_code)["mine"]["status"] == "pass"


@pytest.mark.parametrize("to", [0.0, None])
def test_scores_that_were_edited_after_judging_again_are_refused(own_code: Project, to: Any) -> None:
    """Lower scores of the old answers would hide that the new answers are as bad."""
    scores_edited(own_code, to=to)
    own_code.app("def answer(text):\n    return 'no' if text in ('q0', 'q1', 'q2', 'q3') else text.upper()\n")
    result = own_code.run("--aioncall-baseline-ref", "main")
    assert result.ret == 8, str(result.stdout)
    judgement = own_code.report()["evalsets"][0]["judgement"]
    assert rows(own_code)["mine"]["reason"] == "not_comparable"
    (note,) = [note for note in judgement["notes"] if "judged again are not what" in note]
    assert note.startswith(f"{BASELINE}: 12 of 36 scores") and "mine on c0 epoch 0" in note


def test_the_gate_of_the_command_line_refuses_edited_scores_too(
    own_code: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    own_code.run("--aioncall-baseline-ref", "main")
    scores_edited(own_code, to=0.0)
    gate = ("gate", "--candidate", "latest", "--baseline-ref", "main")
    assert own_code.command(*gate) == 8
    assert "12 of 36 scores that were judged again" in capsys.readouterr().out


def test_what_a_judge_gave_again_is_shown_old_against_new(
    branch: Judged, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can repeat a judge for sure, so the owner sees what it made of the same answers."""
    branch.mark = {"Is it helpful?": 4, "Is it short?": 2}
    branch.write("Is it short?")
    assert branch.rejudge() == 0
    result = branch.project.run("--aioncall-baseline-ref", "main")
    assert result.ret == 0, str(result.stdout)
    capsys.readouterr()
    assert branch.project.command("publish", "comment", "--dry-run") == 0
    said = capsys.readouterr().out
    assert "state=open" in said, "a reviewer is told"
    assert "the same answers, judged again" in said
    assert "`helpfulness`: 4.00 -> 2.00 (-2.00, 6 cases)" in said
