"""Five commands lead from an empty repository to a gate and a daily run: those of the page, as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from act_runner import Repository, act
from fakes.github import FakeGitHub

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "on-call-in-ci.md"
TUTORIAL = ROOT / "docs" / "tutorial.md"


def block(after: str, *, page: Path = PAGE) -> list[str]:
    """Return the commands of the first fenced block after a text of a page."""
    text = page.read_text(encoding="utf-8")
    found = re.search(r"```(?:bash|console)\n(.*?)```", text[text.index(after) :], re.DOTALL)
    assert found is not None
    return [line.removeprefix("$ ") for line in found[1].splitlines() if line.strip()]


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub("acme/empty") as fake:
        yield fake


@pytest.fixture
def repository(tmp_path: Path, github: FakeGitHub) -> Repository:
    """The clone of an empty repository, and nothing else."""
    made = Repository(tmp_path / "github", github.repository)
    assert [path.name for path in made.work.iterdir()] == [".git"]
    return made


def shell(repository: Repository, line: str, *, code: int = 0) -> str:
    """Run a line as somebody types it; pip finds the tree under test, and nothing on a network."""
    environ = repository.environ | {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        ["bash", "-c", line], cwd=repository.work, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, f"{line}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def test_the_five_commands_lead_to_a_gate_and_a_daily_run(repository: Repository) -> None:
    commands = block("<!-- five commands -->", page=TUTORIAL)
    assert len(commands) <= 5
    assert commands == block("<!-- five commands -->"), "both pages show the same"
    said = [shell(repository, command) for command in commands]
    assert "WARNING" not in "".join(said), "the baseline names the commit that it is of"
    there = set(repository.git("ls-tree", "-r", "--name-only", "main", at=repository.bare).splitlines())
    assert {
        ".github/workflows/aioncall-gate.yml",
        ".github/workflows/aioncall-comment.yml",
        ".github/workflows/aioncall-daily.yml",
        ".github/CODEOWNERS",
        "evalsets/baselines/support-answers.jsonl",
    } <= there
    assert not [name for name in there if name.startswith(".aioncall/")], "no run is committed"
    shell(repository, "aioncall doctor")
    # What the page says next: a branch that makes the feature worse, judged by the gate's own command.
    for command in block("## See it work"):
        shell(repository, command)
    gate = yaml.safe_load((repository.work / ".github" / "workflows" / "aioncall-gate.yml").read_text())
    (run,) = [s["run"] for s in gate["jobs"]["gate"]["steps"] if s.get("id") == "gate"]
    said = shell(repository, f"export BASE_REF=main PATH={Path(sys.executable).parent}:$PATH; {run}", code=1)
    assert "REGRESSED" in said
    assert "refund" in said
    assert "parcel" in said


def test_github_runs_what_the_five_commands_made(repository: Repository, github: FakeGitHub) -> None:
    act()
    for command in block("<!-- five commands -->"):
        shell(repository, command)
    for command in block("## See it work"):
        shell(repository, command)
    sha = repository.git("rev-parse", "HEAD")
    number = int(github.add_pull(sha, head_ref="tidy", base_ref="main").number)
    home = {"full_name": repository.name, "fork": False}
    pull = {
        "number": number,
        "head": {"sha": sha, "ref": "tidy", "repo": home},
        "base": {"ref": "main", "repo": home},
    }
    environ = {k: v for k, v in github.env().items() if k not in ("GITHUB_RUN_ID", "GITHUB_ACTIONS")}
    told = {"number": number, "pull_request": pull, "repository": home}
    gate = repository.run_workflow("aioncall-gate", "pull_request", told, **environ)
    assert not gate.green
    assert "REGRESSED" in gate.log, gate.log
    repository.git("switch", "-q", "main")
    repository.git("merge", "-q", "tidy")
    repository.git("push", "-q")
    daily = repository.run_workflow("aioncall-daily", "workflow_dispatch", {"repository": home}, **environ)
    assert daily.steps["Open, update or close issues, and page"] == "success", daily.log
    (issue,) = github.open_issues
    assert "support-answers" in issue.title
