"""A real model server: asked, judged by, recorded, replayed, and killed in the middle of a run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from live_model import MODEL, configure
from scripts import model_process

from eval_project import QUIET, Project

pytestmark = pytest.mark.live

CASES = {f"q{n}": (f"What is {n} plus {n}?", str(2 * n)) for n in range(3)}
SHORT = {"temperature": 0.5, "max_tokens": 12}


def chat(project: Project, **keys: Any) -> None:
    target = {"chat": {"model": MODEL, "prompt": "{{ input }}", "params": SHORT}}
    project.evalset(
        **{
            "target": target,
            "scorers": [{"length": {"as": "short", "max": 400}}],
            "cases": CASES,
            "epochs": 2,
            **keys,
        }
    )


def judged_by(project: Project, reply_format: str, **params: Any) -> None:
    project.app("def answer(text):\n    return 'Restart the worker, then look at the queue.'\n")
    judge = {
        "judge": {
            "model": MODEL,
            "rubric": "A helpful answer is a 5.",
            "scale": [1, 5],
            "reply_format": reply_format,
            "params": {"temperature": 0.5, "max_tokens": 60, **params},
        }
    }
    project.evalset(scorers=[judge], cases={"a": ("The queue is stuck.", "x")}, epochs=3)


def scores(project: Project) -> list[dict[str, Any]]:
    return [score for sample in project.last_samples() for score in sample["scores"]]


def test_the_chat_target_gets_words_tokens_and_no_bill(project: Project, model_url: str) -> None:
    configure(project, model_url)
    chat(project)
    result = project.run_apart()
    assert result.ret == 0, result.stdout.str()
    samples = project.last_samples()
    assert len(samples) == 6
    for sample in samples:
        output = sample["output"]
        assert output["text"].strip()
        assert output["tokens_in"] > 0
        assert 0 < output["tokens_out"] <= 12
        assert (output["cost_usd"], output["finish"]) in ((0.0, "stop"), (0.0, "length"))
        assert output["latency_s"] > 0


def test_epochs_are_asked_apart_and_differ(project: Project, model_url: str) -> None:
    """The server gives a request without a seed the same words for ever; serve_model.py does not."""
    configure(project, model_url)
    params = {"temperature": 1.5, "max_tokens": 24}
    target = {"chat": {"model": MODEL, "prompt": "Tell a story of {{ input }}.", "params": params}}
    chat(project, target=target, cases={"a": ("a lamp", "x")}, epochs=4)
    assert project.run_apart().ret == 0
    assert len({sample["output"]["text"] for sample in project.last_samples()}) > 1


def test_a_server_that_knows_no_schema_is_named_with_the_way_out(project: Project, model_url: str) -> None:
    """llama_cpp answers 500 to `json_schema`: an error of the judge with advice, retried, never a mark."""
    configure(project, model_url, max_attempts=2)
    judged_by(project, "json_schema")
    result = project.run_apart()
    assert result.ret == 7, result.stdout.str()
    assert "reply_format: text" in result.stdout.str()
    for score in scores(project):
        assert score["value"] is None
        assert "gave no verdict" in score["error"]
        assert "given up after 2 attempts" in score["error"]


@pytest.mark.parametrize("reply_format", ["text", "json_object"])
def test_a_small_judge_gives_marks_on_the_scale_or_none(
    project: Project, model_url: str, reply_format: str
) -> None:
    configure(project, model_url)
    judged_by(project, reply_format)
    result = project.run_apart()
    assert result.ret in (0, 7), result.stdout.str()
    found = scores(project)
    assert len(found) == 3
    for score in found:
        assert (score["value"] is None) == (score["error"] is not None)
        assert score["value"] is None or (1 <= score["value"] <= 5 and score["value"] == int(score["value"]))


def test_what_was_recorded_is_replayed_without_the_server(
    project: Project, model_python: Path, port: int
) -> None:
    chat(project)
    with model_process.model_process(model_python, port=port) as url:
        configure(project, url)
        assert project.run_apart("--aioncall-record").ret == 0
    asked = {(s["case"], s["epoch"]): s["output"]["text"] for s in project.last_samples()}
    result = project.run_apart("--aioncall-replay")
    assert result.ret == 0, result.stdout.str()
    replayed = project.last_samples()
    assert {(s["case"], s["epoch"]): s["output"]["text"] for s in replayed} == asked
    assert all(sample["output"]["replayed"] for sample in replayed)


def test_a_server_killed_in_mid_run_leaves_a_run_that_goes_on_later(
    project: Project, model_python: Path, port: int
) -> None:
    """What was answered is kept, the rest is transport errors and exit 7; resumed, only the rest is asked."""
    cases = {f"q{n:02}": (f"What is {n} plus {n}?", str(2 * n)) for n in range(30)}
    chat(project, cases=cases, epochs=1, errors={"max_rate": 0.02})
    server = model_process.start(model_python, port=port)
    try:
        configure(project, f"http://127.0.0.1:{port}/v1", max_attempts=2, timeout_s=20)
        running = subprocess.Popen(
            [sys.executable, "-m", "pytest", "--aioncall", *QUIET], cwd=project.path, stdout=subprocess.PIPE
        )
        _wait_for_samples(project, 8)
        server.send_signal(signal.SIGKILL)
        said = running.communicate(timeout=240)[0].decode()
    finally:
        model_process.stop(server)
    assert running.returncode == 7, said
    assert "cannot judge" in said.lower()
    first = {sample["case"]: sample for sample in project.last_samples()}
    assert len(first) == 30
    answered = {name for name, sample in first.items() if sample["error"] is None}
    assert 8 <= len(answered) < 30
    assert {first[name]["error"]["kind"] for name in set(first) - answered} == {"transport"}
    with model_process.model_process(model_python, port=port):
        result = project.run_apart("--aioncall-resume", "--aioncall-run", project.run_folders()[-1].name)
    assert result.ret == 0, result.stdout.str()
    assert len(project.run_folders()) == 1
    after: dict[str, dict[str, Any]] = {}
    for sample in project.last_samples():
        if sample["error"] is None:
            assert sample["case"] not in after, "a case was paid for twice"
            after[sample["case"]] = sample
    assert len(after) == 30
    assert {name: after[name] for name in answered} == {name: first[name] for name in answered}


def _wait_for_samples(project: Project, count: int) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        folders = project.run_folders()
        file = folders[-1] / "samples.jsonl" if folders else None
        if file is not None and file.exists():
            lines = file.read_bytes().split(b"\n")[:-1]
            if len([json.loads(line) for line in lines]) >= count:
                return
        time.sleep(0.05)
    raise AssertionError(f"no {count} samples")
