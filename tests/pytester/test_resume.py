"""A run that stopped is gone on with: what it has is kept, what it lacks is asked, nothing is asked twice."""

from __future__ import annotations

import collections
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from eval_project import Project

CASES = {f"case-{n:02}": (f"q{n}", f"Q{n}") for n in range(20)}
WORKERS = [(), ("-n", "2")]

# Notes what it is asked; `stop` tells at which question, and how, the process is to end.
APP = """
import asyncio, os, pathlib, signal

async def answer(text):
    with open("asked", "a") as file:
        file.write(text + "\\n")
    stop = pathlib.Path("stop")
    if stop.exists():
        question, how = stop.read_text().split()
        if text == question:
            if how == "wait":
                pathlib.Path("reached").touch()
                await asyncio.sleep(600)
            os.kill(os.getpid(), getattr(signal, how))
    return text.upper()
"""


def asked(project: Project) -> collections.Counter[str]:
    """Return how often each question was asked since the last call."""
    path = project.path / "asked"
    lines = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return collections.Counter(lines)


def killed_run(project: Project, *arguments: str, at: str = "q10", **keys: Any) -> collections.Counter[str]:
    """Run a project until its process is killed at a question; return what was asked."""
    project.app(APP)
    project.evalset(**{"cases": CASES, "epochs": 1, "concurrency": 1, **keys})
    project.write("stop", f"{at} SIGKILL")
    assert project.run_apart(*arguments).ret != 0
    (project.path / "stop").unlink()
    return asked(project)


def stopped_run(project: Project, *, after: int = 9, **keys: Any) -> None:
    """Leave a run as a process leaves it that is killed after some samples; `killed_run` really kills it."""
    project.app(APP)
    project.evalset(**{"cases": CASES, "epochs": 1, "concurrency": 1, **keys})
    project.run()
    reopened(project, after=after)
    asked(project)


def reopened(project: Project, *, after: int) -> None:
    folder = project.run_folders()[-1]
    run = json.loads((folder / "run.json").read_text())
    run.update(complete=False, ended_at=None, totals={})
    for evalset in run["evalsets"]:
        evalset["complete"] = False
    (folder / "run.json").write_text(json.dumps(run))
    lines = (folder / "samples.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "samples.jsonl").write_bytes(b"".join(lines[:after]))


def kept(project: Project) -> set[str]:
    return {sample["case"] for sample in project.last_samples()}


def test_a_killed_run_is_finished_and_asks_only_what_it_lacks(project: Project) -> None:
    before = killed_run(project)
    there = kept(project)
    assert there
    result = project.run("--aioncall-resume")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [f"*going on with run *: {len(there)} samples kept, {20 - len(there)} to ask*"]
    )
    again = asked(project)
    assert set(again) == {CASES[case][0] for case in CASES if case not in there}
    # Twice is only what was in flight when the process died.
    assert {q for q in before if q in again} == {"q10"}
    run = project.last_run()
    assert (run["complete"], run["unfinished"], len(run["resumed_at"])) == (True, 0, 1)
    assert len(project.run_folders()) == 1
    assert len(project.last_samples()) == 20


def test_a_resumed_run_judges_as_one_that_was_never_stopped(project: Project) -> None:
    project.app(APP.replace("text.upper()", "text.upper() if text != 'q7' else 'wrong'"))
    project.evalset(cases=CASES, epochs=2, concurrency=1)
    project.run()
    project.accept()
    code = project.run().ret
    whole = judged(project)
    reopened(project, after=17)
    assert project.run("--aioncall-resume").ret == code
    assert judged(project) == whole


def judged(project: Project) -> dict[str, Any]:
    """Return what was judged, without how long the answers took this time."""
    found: dict[str, Any] = project.report()["evalsets"][0]["judgement"]
    assert found.pop("metrics")
    return found


@pytest.mark.parametrize("workers", WORKERS, ids=["alone", "xdist"])
def test_a_run_that_is_whole_but_for_its_end_asks_nothing(project: Project, workers: tuple[str, ...]) -> None:
    project.app(APP)
    project.evalset(cases=CASES, epochs=2)
    project.run()
    asked(project)
    reopened(project, after=40)
    result = project.run_apart("--aioncall-resume", *workers)
    assert result.ret == 0, result.stdout.str()
    result.stdout.fnmatch_lines(["*40/40 judged*"])
    assert not asked(project)
    assert project.last_run()["complete"] is True
    assert len(project.last_samples()) == 40


def test_workers_of_xdist_resume_together(project: Project) -> None:
    stopped_run(project)
    there = len(kept(project))
    result = project.run_apart("--aioncall-resume", "-n", "2")
    assert result.ret == 0, result.stdout.str()
    result.stdout.fnmatch_lines([f"*going on with run *: {there} samples kept*", "*20/20 judged*"])
    assert sum(asked(project).values()) == 20 - there
    assert len(project.last_samples()) == 20


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda s: s.name)
def test_an_interrupted_run_says_how_to_go_on_and_does(project: Project, how: signal.Signals) -> None:
    """SIGTERM, which CI and containers send before they kill, ends a run as Ctrl-C does."""
    project.app(APP)
    project.evalset(cases=CASES, epochs=1, concurrency=1)
    project.write("stop", "q10 wait")
    process = started(project)
    process.send_signal(how)
    output, _ = process.communicate(timeout=150)
    assert process.returncode == 2, output
    assert "next:   pytest --aioncall evalsets/demo.eval.yaml --aioncall-resume" in output
    run = project.last_run()
    assert (run["complete"], run["unfinished"]) == (False, 20 - len(kept(project)))
    assert run["ended_at"]
    (project.path / "stop").unlink()
    asked(project)
    assert project.run("--aioncall-resume").ret == 0
    assert set(asked(project)) == {f"q{n}" for n in range(10, 20)}


def test_an_interrupted_run_of_workers_is_gone_on_with(project: Project) -> None:
    """Workers that are stopped do not tell what they were to run; they told at their beginning."""
    project.app(APP)
    project.evalset(cases=CASES, epochs=1, concurrency=1)
    project.write("stop", "q10 wait")
    process = started(project, "-n", "2")
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=150)
    assert process.returncode == 2, output
    assert "next:   pytest --aioncall evalsets/demo.eval.yaml --aioncall-resume" in output
    there = len(kept(project))
    assert project.last_run()["unfinished"] == 20 - there > 0
    (project.path / "stop").unlink()
    asked(project)
    assert project.run("--aioncall-resume").ret == 0
    assert sum(asked(project).values()) == 20 - there


def started(project: Project, *arguments: str) -> subprocess.Popen[str]:
    """Start pytest --aioncall and return when its target has touched `reached`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--aioncall", "-p", "no:cacheprovider", *arguments],
        cwd=project.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    for _ in range(600):
        if (project.path / "reached").exists():
            return process
        time.sleep(0.05)
    process.kill()
    raise AssertionError(process.communicate()[0])


def test_a_run_that_reached_its_cap_is_finished_with_a_higher_one(project: Project) -> None:
    project.app("def answer(text):\n    return {'text': text.upper(), 'cost_usd': 0.1}\n")
    project.evalset(cases=CASES, epochs=1, concurrency=1)
    result = project.run("--aioncall-max-cost", "1")
    assert result.ret == 7
    result.stdout.fnmatch_lines(
        ["next:   raise --aioncall-max-cost, then pytest --aioncall * --aioncall-resume"]
    )
    assert project.last_run()["unfinished"] == 10
    result = project.run("--aioncall-resume", "--aioncall-max-cost", "2")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*10 samples kept, 10 to ask (10 of them again, which got no answer)*"])
    run = project.last_run()
    assert (run["complete"], run["totals"]["judged"]) == (True, 20)
    assert run["totals"]["cost_usd"] == pytest.approx(2.0)


def test_what_got_no_answer_is_asked_again_and_nothing_else(project: Project) -> None:
    """A wrong answer and an exception of the user's own code stand: resuming never repeats until green."""
    project.app(
        "import pathlib\n"
        "def answer(text):\n"
        "    open('asked', 'a').write(text + '\\n')\n"
        "    up = pathlib.Path('up').exists()\n"
        "    if text == 'q1' and not up:\n        raise ConnectionError('down')\n"
        "    if text == 'q2' and not up:\n        raise ValueError('mine')\n"
        "    return 'right' if up else text\n"
    )
    project.evalset(cases=CASES, epochs=1)
    assert project.run().ret == 1
    asked(project)
    run_id = project.last_run()["id"]
    project.write("up", "")
    assert project.run("--aioncall-resume", "--aioncall-run", run_id).ret == 1
    assert asked(project) == {"q1": 1}
    by_case = {s["case"]: s for s in project.last_samples()}
    assert len(by_case) == len(project.last_samples()) == 20
    assert by_case["case-01"]["output"]["text"] == "right"
    assert by_case["case-02"]["error"]["kind"] == "user"
    aside = (project.run_folders()[-1] / "samples.asked-again.jsonl").read_text().splitlines()
    assert [json.loads(line)["case"] for line in aside] == ["case-01"]


def test_an_outage_is_finished_when_it_is_over(project: Project) -> None:
    project.app(
        "import pathlib\n"
        "def answer(text):\n"
        "    if int(text[1:]) > 9 and not pathlib.Path('up').exists():\n"
        "        raise ConnectionError('down')\n"
        "    return text.upper()\n"
    )
    project.evalset(cases=CASES, epochs=1)
    result = project.run()
    assert result.ret == 7
    result.stdout.fnmatch_lines(["next: *--aioncall-resume*"])
    project.write("up", "")
    assert project.run("--aioncall-resume").ret == 0
    assert project.last_run()["totals"]["judged"] == 20


CHANGES: dict[str, tuple[Any, str]] = {
    "scorer": (lambda p: p.evalset(cases=CASES, epochs=1, concurrency=1, scorers=["contains"]), "scorer"),
    "case": (
        lambda p: p.evalset(cases={**CASES, "case-03": ("q3", "other")}, epochs=1, concurrency=1),
        "case case-03",
    ),
    "code": (lambda p: p.app(APP.replace("text.upper()", "text.upper() + ''")), "target"),
    "epochs": (lambda p: p.evalset(cases=CASES, epochs=4, concurrency=1), "epochs: 1 then, 4 now"),
    "fewer cases": (
        lambda p: p.evalset(cases=dict(list(CASES.items())[:15]), epochs=1, concurrency=1),
        "cases: 20 then, 15 now",
    ),
    "subject file": (lambda p: p.write("prompts/triage.md", "new"), "file prompts/triage.md"),
    "label": (
        lambda p: p.evalset(
            cases=CASES,
            epochs=1,
            concurrency=1,
            subject={"labels": {"index": "kb-2"}, "files": ["prompts/*.md"]},
        ),
        "label index: kb-1 -> kb-2",
    ),
}


@pytest.mark.parametrize(
    ("change", "workers"), [*((change, ()) for change in CHANGES), ("case", ("-n", "2"))]
)
def test_a_run_of_something_else_is_refused_by_name(
    project: Project, change: str, workers: tuple[str, ...]
) -> None:
    project.write("prompts/triage.md", "old")
    subject = {"labels": {"index": "kb-1"}, "files": ["prompts/*.md"]}
    stopped_run(project, subject=subject)
    path = project.path / "evalsets" / "demo.eval.yaml"
    before = path.read_text()
    make, named = CHANGES[change]
    make(project)
    if change in ("scorer", "case", "epochs", "fewer cases"):
        # The same subject as before: only the one thing changes.
        path.write_text(path.read_text() + before[before.index("subject:") :])
    samples = (project.run_folders()[-1] / "samples.jsonl").read_bytes()
    run = project.run_apart if workers else project.run
    result = run("--aioncall-resume", *workers)
    told = result.stdout.str() + result.stderr.str()
    assert result.ret == 4, told
    assert "cannot be resumed, since then these changed" in told
    assert named in told
    assert not asked(project)
    assert (project.run_folders()[-1] / "samples.jsonl").read_bytes() == samples


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--aioncall-resume",), "no unfinished run to resume"),
        (("--aioncall-run", "x"), "add that option"),
        (("--aioncall-resume", "--aioncall-run", "nope"), "nope: no such file, run folder or run"),
    ],
)
def test_what_cannot_be_resumed_is_said_before_anything_is_asked(
    project: Project, arguments: tuple[str, ...], told: str
) -> None:
    project.app(APP)
    project.evalset(cases=CASES, epochs=1)
    project.run()
    asked(project)
    result = project.run(*arguments)
    assert result.ret == 4
    assert told in result.stdout.str() + result.stderr.str()
    assert not asked(project)


def test_a_run_that_is_under_way_is_neither_resumed_nor_mended(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.app(APP)
    project.evalset(cases=CASES, epochs=1, concurrency=1)
    project.write("stop", "q5 wait")
    process = started(project)
    try:
        result = project.run_apart("--aioncall-resume")
        assert result.ret == 4
        assert "is still under way" in result.stdout.str() + result.stderr.str()
        assert project.command("runs", "mend", "latest", "--root", str(project.path)) == 4
        assert "is still under way" in capsys.readouterr().err
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=150)


def test_two_runs_at_once_do_not_harm_each_other(project: Project) -> None:
    """Not even where only one run is kept: the one under way is not pruned by the one that ends."""
    project.app(APP)
    project.config(defaults={"keep_runs": 1})
    project.evalset(cases=CASES, epochs=1, concurrency=1)
    project.write("stop", "q5 wait")
    process = started(project)
    first = project.run_folders()[-1]
    (project.path / "stop").unlink()
    assert project.run_apart().ret == 0
    assert first.is_dir()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=150)
    assert len((first / "samples.jsonl").read_text().splitlines()) == 5


TORN = {
    "half a line": lambda whole: whole[:-25],
    "a hole of zeros at the end": lambda whole: whole[:-25] + b"\0" * 4096,
    "a hole before the last line": lambda whole: b"\0" * 512 + whole,
    "rubbish in the middle": lambda whole: whole.replace(b"\n", b"\n{torn\n", 1),
    "an empty file": lambda whole: b"",
}


@pytest.mark.parametrize("how", TORN)
def test_a_torn_file_is_mended_and_what_it_lost_is_asked(project: Project, how: str) -> None:
    """As a power cut leaves it: whole lines are kept, the rest is put aside and asked again."""
    stopped_run(project)
    path = project.run_folders()[-1] / "samples.jsonl"
    path.write_bytes(TORN[how](path.read_bytes()))
    whole = sum(1 for line in path.read_bytes().split(b"\n") if line.lstrip(b"\0")[-1:] == b"}")
    assert project.run("--aioncall-resume").ret == 0
    assert sum(asked(project).values()) == 20 - whole
    assert len({s["case"] for s in project.last_samples()}) == len(project.last_samples()) == 20


def test_mending_by_hand_says_what_was_put_aside(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.app(APP)
    project.evalset(cases=CASES, epochs=1)
    project.run()
    path = project.run_folders()[-1] / "samples.jsonl"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\n{torn\n", 1))
    root = ("--root", str(project.path))
    capsys.readouterr()
    assert project.command("gate", "--candidate", "latest", *root) == 4
    assert "aioncall runs mend" in capsys.readouterr().err
    assert project.command("runs", "mend", "latest", *root) == 0
    assert "1 line held no sample and went to samples.torn; 20 samples kept" in capsys.readouterr().out
    assert project.command("runs", "mend", "latest", *root) == 0
    assert "whole, 20 samples" in capsys.readouterr().out


def test_evalsets_that_are_not_selected_now_stay_as_they_were(project: Project) -> None:
    stopped_run(project)
    project.evalset("other", cases=CASES, epochs=1)
    (project.path / "evalsets" / "demo.eval.yaml").rename(project.path / "demo.kept")
    project.run()
    asked(project)
    (project.path / "demo.kept").rename(project.path / "evalsets" / "demo.eval.yaml")
    unfinished = min(project.run_folders())
    result = project.run("--aioncall-resume", str(project.path / "evalsets" / "demo.eval.yaml"))
    assert result.ret == 0
    assert json.loads((unfinished / "run.json").read_text())["complete"] is True
    assert not set(asked(project)) & {"q0", "q1"}


def test_what_a_part_of_a_run_leaves_out_is_still_there_to_be_resumed(project: Project) -> None:
    stopped_run(project)
    assert project.run("--aioncall-resume", "-k", "case-15").ret == 0
    assert (asked(project), project.last_run()["unfinished"]) == ({"q15": 1}, 10)
    assert project.run("--aioncall-resume").ret == 0
    assert sum(asked(project).values()) == 10
    assert (project.last_run()["complete"], project.last_run()["unfinished"]) == (True, 0)


def test_an_evalset_that_is_left_out_is_still_there_to_be_resumed(project: Project) -> None:
    project.evalset("other", cases=CASES, epochs=1)
    stopped_run(project)
    result = project.run("--aioncall-resume", str(project.path / "evalsets" / "demo.eval.yaml"))
    assert result.ret == 0
    told = "20 samples of cases left out now have no answer yet; go on with: "
    assert told + "pytest --aioncall --aioncall-resume\n" in result.stdout.str()
    assert (sum(asked(project).values()), project.last_run()["unfinished"]) == (11, 20)
    result = project.run("--aioncall-resume")
    assert (result.ret, "left out now" in result.stdout.str()) == (0, False)
    assert sum(asked(project).values()) == 20
    assert (project.last_run()["complete"], project.last_run()["unfinished"]) == (True, 0)


def test_a_part_of_what_the_cap_left_open_leaves_the_rest_to_be_resumed(project: Project) -> None:
    project.app("def answer(text):\n    return {'text': text.upper(), 'cost_usd': 0.1}\n")
    project.evalset(cases=CASES, epochs=1, concurrency=1)
    assert project.run("--aioncall-max-cost", "1").ret == 7
    assert project.run("--aioncall-resume", "--aioncall-max-cost", "2", "-k", "case-15 or case-16").ret == 0
    assert project.last_run()["unfinished"] == 8
    assert project.run("--aioncall-resume", "--aioncall-max-cost", "2").ret == 0
    assert project.last_run()["unfinished"] == 0


def test_a_run_killed_in_a_later_round_of_adaptive_epochs_goes_on_there(project: Project) -> None:
    """Samples of later rounds are there, too: none of them is asked again."""
    app = APP.replace("return text.upper()", "return text.upper() if hash_of(text) else text")
    project.app(
        "import random\n"
        "def hash_of(text):\n    return random.Random(text + open('seed').read()).random() < 0.8\n" + app
    )
    project.write("seed", "1")
    keys = {"cases": CASES, "epochs": {"min": 1, "max": 4}, "concurrency": 1}
    project.evalset(**keys)
    project.run()
    project.accept()
    project.write("seed", "2")
    asked(project)
    whole = project.run()
    total = sum(asked(project).values())
    if total == 20:
        pytest.fail("this baseline lets the first round decide; the test needs a later one")
    # Kill in the middle of the last round.
    project.app(
        (project.path / "app.py")
        .read_text()
        .replace(
            "    stop = pathlib",
            f"    if sum(1 for _ in open('asked')) == {total - 3}"
            " and not pathlib.Path('once').exists():\n"
            "        pathlib.Path('once').touch()\n"
            "        os.kill(os.getpid(), signal.SIGKILL)\n    stop = pathlib",
        )
    )
    project.run_apart()
    first = asked(project)
    assert sum(first.values()) == total - 3
    result = project.run("--aioncall-resume")
    assert result.ret == whole.ret
    assert sum(asked(project).values()) <= 4
    assert project.last_run()["totals"]["judged"] == total


def test_the_folder_of_a_run_names_its_writer_to_nobody_else(project: Project, tmp_path: Path) -> None:
    """A lock that ends with its process: nothing has to be cleaned up after a kill."""
    killed_run(project)
    assert {path.name for path in project.run_folders()[-1].iterdir()} == {"run.json", "samples.jsonl"}
