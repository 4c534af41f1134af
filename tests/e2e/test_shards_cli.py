"""Shards are judged as the one run that they are, and refused by name where they are not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eval_project import Project

UPPER = "def answer(text):\n    return text.upper()\n"
WORSE = "def answer(text):\n    return 'no' if text > 'q3' else text.upper()\n"
CASES = [
    {
        "id": f"case-{n}",
        "input": f"q{n}",
        "expected": f"Q{n}",
        "slices": {"half": "old" if n < 4 else "new"},
        "cluster": f"doc-{n // 2}",
        "must": [{"not_contains": "sue"}],
    }
    for n in range(8)
]
GATES = [{"scorer": "exact", "slices": ["half"], "min": 0.1}]


class Shards:
    """A project whose runs can be made whole or in shards, and judged."""

    def __init__(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        self.project = project
        self.capsys = capsys
        project.app(UPPER)
        project.evalset(cases=CASES, gates=GATES, epochs=2)

    def drawn(self, count: int = 3) -> list[Path]:
        """Run all shards; return their folders."""
        before = set(self.project.run_folders())
        for index in range(1, count + 1):
            self.project.run("--aioncall-shard", f"{index}/{count}")
        return [folder for folder in self.project.run_folders() if folder not in before]

    def gate(self, *arguments: object) -> tuple[int, dict[str, Any]]:
        code = self.project.command("gate", "--json", "--candidate", *map(str, arguments))
        captured = self.capsys.readouterr()
        assert not captured.err, captured.err
        found: dict[str, Any] = json.loads(captured.out.splitlines()[-1])
        return code, found

    def refused(self, *arguments: object, verb: tuple[str, ...] = ("gate", "--candidate")) -> str:
        self.capsys.readouterr()
        assert self.project.command(*verb, *map(str, arguments)) == 4
        captured = self.capsys.readouterr()
        assert "Traceback" not in captured.err
        assert captured.out == ""
        return captured.err


@pytest.fixture
def shards(project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shards:
    monkeypatch.chdir(project.path)
    return Shards(project, capsys)


def timeless(said: tuple[int, dict[str, Any]]) -> tuple[int, dict[str, Any]]:
    """Return what was said without what two runs of the same answers differ in: how long they took."""
    code, found = said
    every = found.get("evalsets", [found])
    told = [{**one, "metrics": [m["metric"] for m in one["metrics"]]} for one in every]
    return code, {"status": found["status"], "exit_code": found["exit_code"], "evalsets": told}


def change(folder: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Change run.json as another machine would have written it."""
    path = folder / "run.json"
    run = json.loads(path.read_text())
    edit(run)
    path.write_text(json.dumps(run))


@pytest.mark.parametrize("now", [UPPER, WORSE], ids=["same", "worse"])
def test_the_verdict_of_shards_is_that_of_the_whole_run(shards: Shards, now: str) -> None:
    project = shards.project
    project.run()
    project.accept()
    project.app(now)
    whole_code = project.run().ret
    expected = timeless(shards.gate("latest"))
    folders = shards.drawn()
    found = shards.gate(*folders)
    assert timeless(found) == expected
    assert shards.gate(*reversed(folders)) == found
    assert expected[0] == whole_code == (0 if now == UPPER else 1)
    assert found[1]["floors"]


def test_shards_are_found_in_folders_by_patterns_and_by_id(shards: Shards) -> None:
    folders = shards.drawn()
    expected = shards.gate(*folders)
    artifacts = shards.project.path / "shards"
    for number, folder in enumerate(folders):
        # As actions/download-artifact lays them out, hidden folders and all.
        shutil.copytree(folder, artifacts / f"aioncall-shard-{number}" / ".aioncall" / "runs" / folder.name)
    assert shards.gate("shards") == expected
    assert shards.gate("shards/*") == expected
    assert shards.gate("shards/**/run.json") == expected
    assert shards.gate(".aioncall/runs/*") == expected
    assert shards.gate(*(folder.name for folder in folders)) == expected
    assert shards.gate("shards", *folders, folders[0]) == expected


def test_whole_runs_beside_shards_in_a_folder_are_passed_over(shards: Shards) -> None:
    shards.project.run()
    folders = shards.drawn()
    assert shards.gate(".aioncall/runs") == shards.gate(*folders)


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda run: run.update(commit="f" * 40), "are of different commits: none and fffffff"),
        (lambda run: run.update(dirty=True), "was made with uncommitted changes"),
        (
            lambda run: run["versions"].update({"pytest-aioncall": "0.0.1"}),
            "different versions of pytest-aioncall",
        ),
        (lambda run: run["shard"].update(count=4), "are of different divisions"),
        (lambda run: run["shard"]["plan"].update(demo="other"), "divided different cases of demo"),
        (lambda run: run["shard"]["plan"].update(more="x"), "ran more, "),
        (lambda run: run["evalsets"][0]["gates"][0].update(margin=0.2), "gates[0].margin: None and 0.2"),
        (lambda run: run["evalsets"][0].update(epochs=5), "epochs: 2 and 5"),
        (lambda run: run["evalsets"][0].update(max_error_rate=0.5), "max_error_rate: 0.02 and 0.5"),
        (
            lambda run: run["evalsets"][0]["fingerprint"]["instrument"].update(exact="e" * 16),
            "scorer exact",
        ),
        (
            lambda run: run["evalsets"][0]["fingerprint"]["subject"].update(labels={"index": "kb-9"}),
            "label",
        ),
    ],
)
def test_shards_of_two_minds_are_refused_by_name(
    shards: Shards, edit: Callable[[dict[str, Any]], None], told: str
) -> None:
    folders = shards.drawn(2)
    change(folders[1], edit)
    message = shards.refused(*folders)
    assert told in message
    assert folders[1].name in message


def test_a_missing_shard_is_named_with_its_command(shards: Shards) -> None:
    folders = shards.drawn()
    message = shards.refused(folders[0], folders[2])
    assert message.startswith(
        "shard 2 of 3 is missing; name it, or run it: pytest --aioncall --aioncall-shard 2/3"
    )
    assert shards.refused(folders[1]).startswith("shards 1, 3 of 3 are missing")


def test_a_shard_that_is_there_twice_is_refused_where_both_are_complete(shards: Shards) -> None:
    """Whoever takes the newer of two answers repeats until green."""
    folders = shards.drawn()
    shards.project.run("--aioncall-shard", "2/3")
    again = shards.project.run_folders()[-1]
    message = shards.refused(*folders, again)
    assert "shard 2 of 3 is there 2 times, complete" in message
    assert folders[1].name in message
    assert again.name in message


def test_a_complete_shard_counts_beside_an_interrupted_one(shards: Shards) -> None:
    folders = shards.drawn()
    expected = shards.gate(*folders)
    shards.project.run("--aioncall-shard", "2/3", "-k", json.loads(lines(folders[1])[0])["case"])
    part = shards.project.run_folders()[-1]
    code, found = shards.gate(*folders, part)
    assert code == expected[0]
    assert found["verdicts"] == expected[1]["verdicts"]
    assert any(part.name in note and "does not count" in note for note in found["notes"])


def lines(folder: Path) -> list[str]:
    return (folder / "samples.jsonl").read_text().splitlines()


def test_a_shard_that_was_interrupted_says_how_it_is_finished(shards: Shards) -> None:
    folders = shards.drawn()
    change(folders[1], lambda run: run["shard"].update(complete=False))
    kept = lines(folders[1])
    cases = len({json.loads(line)["case"] for line in kept})
    (folders[1] / "samples.jsonl").write_text("\n".join(kept[:-1]) + "\n")
    message = shards.refused(*folders)
    assert f"shard 2 of 3 (run {folders[1].name}) is incomplete: {cases - 1} of {cases} cases" in message
    command = f"--aioncall-shard 2/3 --aioncall-resume --aioncall-run {folders[1].name}"
    assert command in message
    assert shards.project.run(*command.split()).ret == 0
    assert shards.gate(*folders)[0] == 0


KILLED = """
import os, pathlib

def answer(text):
    if pathlib.Path("killing").exists() and any(
        file.stat().st_size > 300 for file in pathlib.Path(".aioncall/runs").glob("*/samples.jsonl")
    ):
        os.kill(os.getpid(), 9)
    return text.upper()
"""


def test_a_shard_that_was_killed_is_named_and_finished(shards: Shards) -> None:
    project = shards.project
    project.app(KILLED)
    project.evalset(cases=CASES, gates=GATES, epochs=2, concurrency=1)
    (project.path / "killing").touch()
    project.run_apart("--aioncall-shard", "2/2")
    (killed,) = project.run_folders()
    (project.path / "killing").unlink()
    project.run("--aioncall-shard", "1/2")
    message = shards.refused(".aioncall/runs")
    assert f"shard 2 of 2 (run {killed.name}) is incomplete: " in message
    kept = lines(killed)
    assert kept
    assert (
        project.run(*f"--aioncall-shard 2/2 --aioncall-resume --aioncall-run {killed.name}".split()).ret == 0
    )
    assert lines(killed)[: len(kept)] == kept
    code, found = shards.gate(".aioncall/runs")
    assert code == 0
    assert found["coverage"]["judged"] == 2 * len(CASES)


def test_a_shard_that_lost_samples_is_incomplete(shards: Shards) -> None:
    folders = shards.drawn()
    (folders[0] / "samples.jsonl").write_text(lines(folders[0])[0] + "\n")
    assert f"shard 1 of 3 (run {folders[0].name}) is incomplete: 0 of" in shards.refused(*folders)


def test_a_shard_and_a_whole_run_are_not_parts_of_one(shards: Shards) -> None:
    folders = shards.drawn()
    shards.project.run()
    message = shards.refused(*folders, "latest")
    assert "which is no shard" in message


def test_several_evalsets_are_judged_one_after_the_other(shards: Shards) -> None:
    project = shards.project
    project.evalset("worse", cases=CASES, epochs=2)
    project.run()
    project.accept()
    project.app(WORSE)
    project.evalset("fine", cases={"only": ("q1", "Q1")}, epochs=2)
    project.run()
    expected = timeless(shards.gate("latest"))
    folders = shards.drawn()
    code, found = shards.gate(*folders)
    assert timeless((code, found)) == expected
    assert (code, found["status"]) == (1, "regressed")
    assert {one["evalset"] for one in found["evalsets"]} == {"demo", "worse", "fine"}
    assert shards.gate(*folders, "--evalset", "fine")[1]["evalset"] == "fine"


def test_the_report_shows_the_merged_run(shards: Shards) -> None:
    project = shards.project
    project.evalset("other", cases=CASES, epochs=2)
    folders = shards.drawn()
    code, _ = shards.gate(*folders, "--report", "page")
    assert code == 0
    report = json.loads((project.path / "page" / "report.json").read_text())
    assert [one["planned"]["evalset"] for one in report["evalsets"]] == ["demo", "other"]
    assert report["run"]["totals"]["judged"] == 2 * 2 * len(CASES)
    assert report["run"]["merged_from"] == [folder.name for folder in folders]
    assert len(report["evalsets"][0]["cases"]) == len(CASES)


def test_a_merged_run_is_a_run_for_everything(shards: Shards) -> None:
    project = shards.project
    project.run()
    whole = project.last_run()
    folders = shards.drawn()
    assert project.command("runs", "merge", *map(str, folders)) == 0
    merged = project.last_run()
    assert merged["complete"] is True
    assert merged["shard"] is None
    assert merged["merged_from"] == [folder.name for folder in folders]
    for name in ("planned", "judged", "errors", "retries", "replayed"):
        assert merged["totals"][name] == whole["totals"][name]
    for name in whole["evalsets"][0]:
        assert merged["evalsets"][0][name] == whole["evalsets"][0][name], name
    assert f"aioncall gate --candidate {merged['id']}" in shards.capsys.readouterr().out
    project.accept()
    assert shards.gate(*folders)[1]["verdicts"][0]["reason"] == "unchanged"
    assert project.command("rejudge", "latest") == 0
    assert project.command("baseline", "diff") == 0


def test_a_part_becomes_no_run(shards: Shards) -> None:
    folders = shards.drawn()
    assert "shard 3 of 3 is missing" in shards.refused(*folders[:2], verb=("runs", "merge"))
    assert len(shards.project.run_folders()) == 3
    assert "name the shards" in shards.refused(verb=("runs", "merge"))


def test_a_shard_is_neither_baseline_nor_side(shards: Shards) -> None:
    (folder, *_) = shards.drawn()
    accept = ("baseline", "accept", "--by", "ann", "--reason", "x", "--run")
    for verb in (accept, ("gate", "--candidate", "latest", "--baseline"), ("gate", "--aa")):
        if verb[0] == "gate" and "--baseline" in verb:
            shards.project.run()
        assert "aioncall runs merge" in shards.refused(folder, verb=verb)


def test_parts_that_were_selected_by_hand_are_put_together_too(shards: Shards) -> None:
    project = shards.project
    project.run()
    expected = timeless(shards.gate("latest"))
    project.run("-k", "old")
    project.run("-k", "new")
    parts = project.run_folders()[-2:]
    assert timeless(shards.gate(*parts)) == expected
    assert "4 cases of demo are in no candidate" in shards.refused(parts[0])
    assert "is in run" in shards.refused(parts[0], project.run_folders()[0])


def test_runs_list_tells_shards_from_runs(shards: Shards) -> None:
    shards.drawn(2)
    shards.capsys.readouterr()
    shards.project.command("runs", "list")
    told = shards.capsys.readouterr().out.splitlines()
    assert [line.split("  ")[1] for line in told] == ["shard 1/2", "shard 2/2"]


def test_names_that_lead_nowhere_are_told(shards: Shards) -> None:
    assert "nothing matches" in shards.refused("shards/*")
    (shards.project.path / "empty").mkdir()
    assert "no such file, run folder or run" in shards.refused("empty")
    shards.project.write("scores.jsonl", '{"case_id": "a", "scorer": "s", "scale": [0, 1], "score": 1}\n')
    (folder, *_) = shards.drawn()
    assert "not parts of one run" in shards.refused("scores.jsonl", folder)


def test_a_shard_that_cannot_be_is_refused_by_its_file(shards: Shards) -> None:
    folders = shards.drawn(2)
    change(folders[1], lambda run: run["shard"].update(index=3))
    assert "run.json: shard: " in shards.refused(*folders)
    change(folders[1], lambda run: run["shard"].update(index=2, count=10**9))
    assert "run.json: shard.count: " in shards.refused(*folders)


def test_another_tools_run_json_beside_the_shards_is_passed_over(shards: Shards) -> None:
    folders = shards.drawn(2)
    shards.project.write(".aioncall/runs/other/run.json", "[]")
    assert shards.gate(".aioncall/runs") == shards.gate(*folders)


def test_shards_that_were_judged_again_are_still_shards(shards: Shards) -> None:
    """A changed judge scores the answers of each shard anew; together they are a run as before."""
    folders = shards.drawn(2)
    again = []
    for folder in folders:
        assert shards.project.command("rejudge", folder.name, "--all") == 0
        again.append(shards.project.run_folders()[-1])
    assert shards.gate(*again)[0] == 0
    assert "there 2 times" in shards.refused(*again, folders[0])


def test_what_somebody_elses_run_says_cannot_command_the_terminal(shards: Shards) -> None:
    folders = shards.drawn()
    change(folders[1], lambda run: run.update(commit="\x1b[2J::error::x\n::set-output"))
    message = shards.refused(*folders)
    assert "\x1b" not in message
    assert not any(line.startswith("::") for line in message.splitlines())
