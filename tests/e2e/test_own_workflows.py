"""This repository's own workflows, on its own evalset, by means of its own action: run by `act`."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from act_runner import Repository, act
from fakes.github import FakeGitHub

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub("acme/evals") as fake:
        yield fake


@pytest.fixture
def repository(tmp_path: Path, github: FakeGitHub) -> Repository:
    """A copy of the tree as it is, with a history of its own."""
    act()
    for name in ("hatchling", "editables"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed: pip install -e '.[dev]'")
    copy = Repository(tmp_path / "github", github.repository)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (copy.work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy.work / name)
    copy.commit("Everything")
    return copy


def environ(github: FakeGitHub, **more: str) -> dict[str, str]:
    told = {k: v for k, v in github.env().items() if k not in ("GITHUB_RUN_ID", "GITHUB_ACTIONS")}
    # The tree is really installed, by the backend that is there: nothing is downloaded.
    return told | {"PIP_NO_BUILD_ISOLATION": "0"} | more


def pull_request(repository: Repository, number: int) -> dict[str, Any]:
    sha = repository.git("rev-parse", "HEAD")
    home = {"full_name": repository.name, "fork": False}
    return {
        "number": number,
        "pull_request": {
            "number": number,
            "head": {"sha": sha, "ref": "change", "repo": home},
            "base": {"ref": "main", "repo": home},
        },
        "repository": home | {"default_branch": "main"},
    }


def checks(github: FakeGitHub) -> list[tuple[str, str]]:
    """How the checks ended that were reported, and on which commit."""
    return [(run["told"]["conclusion"], run["told"]["head_sha"]) for run in github.check_runs]


def be_friendlier(repository: Repository, github: FakeGitHub) -> tuple[int, str]:
    """Open a pull request with the friendlier prompt and its recorded answers."""
    repository.git("switch", "-q", "--create", "change")
    shutil.copy(
        repository.work / "prompts" / "answer-friendlier.md", repository.work / "prompts" / "answer.md"
    )
    recorded = (ROOT / "examples" / "helpdesk" / "recordings" / "friendlier.jsonl").read_text(
        encoding="utf-8"
    )
    cassette = repository.work / "evalsets" / "cassettes" / "oncall-handbook.jsonl"
    cassette.write_text(cassette.read_text(encoding="utf-8") + recorded, encoding="utf-8")
    repository.commit("Be friendlier")
    sha = repository.git("rev-parse", "HEAD")
    return int(github.add_pull(sha, head_ref="change", base_ref="main").number), sha


def test_the_friendlier_prompt_is_red_and_commented(repository: Repository, github: FakeGitHub) -> None:
    number, sha = be_friendlier(repository, github)
    gate = repository.run_workflow(
        "aioncall-gate", "pull_request", pull_request(repository, number), **environ(github)
    )
    assert gate.steps["Install the tool and what its demo needs"] == "success", gate.log
    assert "Failure - Main Run the evals, and judge them" in gate.log, gate.log
    assert gate.steps["Run and judge from recorded answers"] == "failure"
    assert "::set-output:: status=regressed" in gate.log, "later steps may ask the action"
    assert "REGRESSED" in gate.log
    run = {
        "id": int(repository.last_run),
        "event": "pull_request",
        "conclusion": "failure",
        "head_sha": sha,
        "head_branch": "change",
        "head_repository": {"full_name": repository.name},
        "pull_requests": [],
    }
    repository.git("switch", "-q", "main")
    told = {"workflow_run": run, "repository": {"full_name": repository.name}}
    comment = repository.run_workflow("aioncall-comment", "workflow_run", told, **environ(github))
    assert comment.green, comment.log
    (note,) = github.comments(number)
    assert "shape_of_answer" in note.body
    assert checks(github) == [("failure", sha)]


def test_the_daily_run_works_through_to_its_end(
    repository: Repository, github: FakeGitHub, loopback: Any
) -> None:
    """From recordings here, since the model takes minutes; they are kept, and not monitored."""
    daily = repository.run_workflow(
        "aioncall-daily",
        "schedule",
        {"repository": {"full_name": repository.name, "default_branch": "main"}},
        **environ(github, AIONCALL_REPLAY="1", MODEL_URL=loopback.url),
    )
    assert "Success - Main Run the evals, and judge them" in daily.log, daily.log
    assert daily.green, daily.log
    assert github.issues == []
    names = repository.git("ls-tree", "-r", "--name-only", "aioncall-history", at=repository.bare)
    assert len([name for name in names.splitlines() if name.startswith("runs/")]) == 1


def test_the_action_installs_itself_runs_and_comments(repository: Repository, github: FakeGitHub) -> None:
    """As in somebody's own repository: one step, whose pin says which version of the tool runs."""
    gate = repository.work / ".github" / "workflows" / "aioncall-gate.yml"
    text = gate.read_text(encoding="utf-8")
    install = "      - name: Install the tool and what its demo needs\n"
    begin, rest = text.split(install)
    rest = rest.split("\n", 1)[1].replace("version: installed", 'comment: "true"\n          check: "true"')
    rights = "pull-requests: write\n      checks: write"
    gate.write_text((begin + rest).replace("contents: read", rights), encoding="utf-8")
    repository.commit("One step")
    number, sha = be_friendlier(repository, github)
    ended = repository.run_workflow(
        "aioncall-gate", "pull_request", pull_request(repository, number), **environ(github)
    )
    assert "Successfully built pytest-aioncall" in ended.log, ended.log
    assert "Failure - Main Run the evals, and judge them" in ended.log, ended.log
    (note,) = github.comments(number)
    assert "shape_of_answer" in note.body
    assert checks(github) == [("failure", sha)]
