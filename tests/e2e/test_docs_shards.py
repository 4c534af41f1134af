"""The workflow of the how-to does what it says: its own commands, in checkouts of their own, then merged."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from model_server import ModelServer, model_server
from test_workflows_lint import run_tool

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "shard-in-ci.md"
CASES = [
    {"id": f"case-{n}", "input": f"q{n}", "expected": f"Q{n}", "cluster": f"doc-{n // 2}"} for n in range(12)
]
EPOCHS = 2


def workflow_text() -> str:
    found = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


WORKFLOW: dict[str, Any] = yaml.safe_load(workflow_text())


def step(job: str, name: str) -> dict[str, Any]:
    (found,) = [one for one in WORKFLOW["jobs"][job]["steps"] if one["name"] == name]
    return found


def filled(text: str, *, shard: int = 0, count: int = 0) -> str:
    """Replace what GitHub would; anything that is not known here fails."""
    known = {
        "matrix.shard": str(shard),
        "strategy.job-total": str(count),
        "github.run_attempt": "1",
        "github.base_ref": "main",
        "secrets.OPENAI_API_KEY": "k-just-for-this-test",
    }
    return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda m: known[m[1]], text)


class Repository:
    """A repository with an origin, a baseline on main and a branch; clones of it are the machines."""

    def __init__(self, folder: Path, server: ModelServer) -> None:
        self.folder = folder
        self.server = server
        self.origin = folder / "origin.git"
        self.work = folder / "work"
        self.env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AIONCALL_", "GITHUB_", "GIT_", "PYTEST_")) and name != "CI"
        }
        self.env |= {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "OPENAI_API_KEY": "k-just-for-this-test",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def write(self, name: str, text: str) -> None:
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=cwd or self.work,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def git(self, *arguments: str) -> None:
        identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
        ended = self.run("git", *identity, *arguments)
        assert ended.returncode == 0, ended.stderr

    def begin(self) -> None:
        """Commit an evalset with its accepted baseline to main, then leave it for a branch."""
        self.work.mkdir()
        url = f"{self.server.url}/v1"
        provider = {"kind": "openai", "base_url": url, "api_key_env": "OPENAI_API_KEY"}
        self.write("aioncall.yaml", yaml.safe_dump({"format": 1, "providers": {"main": provider}}))
        self.write(".gitignore", ".aioncall/\n")
        self.write("prompts/ask.md", "{{ input }}")
        target = {"chat": {"model": "main/answers-1", "prompt": "prompts/ask.md"}}
        evalset = {"evalset": "demo", "owner": "@ann", "target": target, "scorers": ["exact"]}
        self.write("evalsets/demo.eval.yaml", yaml.safe_dump(evalset | {"cases": CASES, "epochs": EPOCHS}))
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-qm", "evalset")
        assert self.run(sys.executable, "-m", "pytest", "--aioncall", "-q", "evalsets").returncode == 0
        accepted = self.run("aioncall", "baseline", "accept", "--by", "ann", "--reason", "first")
        assert accepted.returncode == 0, accepted.stderr
        self.git("add", "-A")
        self.git("commit", "-qm", "baseline")
        self.git("clone", "-q", "--bare", ".", str(self.origin))
        self.git("checkout", "-qb", "change")

    def push(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        self.git("push", "-q", str(self.origin), "change")

    def checkout(self, name: str, *depth: str) -> Path:
        """Clone the branch as actions/checkout does: to a folder of its own."""
        folder = self.folder / name
        url = f"file://{self.origin}"
        ended = self.run("git", "clone", "-q", *depth, "-b", "change", url, str(folder), cwd=self.folder)
        assert ended.returncode == 0, ended.stderr
        return folder

    def reset(self) -> None:
        """Take the machines and the artifacts away."""
        for folder in [*self.folder.glob("machine-*"), self.folder / "gate", self.folder / "artifacts"]:
            shutil.rmtree(folder)

    def run_shards(self, count: int) -> tuple[list[int], Path]:
        """Run the matrix, all shards at once; return the exit codes and the folder of the artifacts."""
        one = step("shard", "Run one shard")
        running = []
        for index in range(1, count + 1):
            folder = self.checkout(f"machine-{index}", "--depth=1")
            given = {name: filled(text, shard=index, count=count) for name, text in one["env"].items()}
            running.append((index, folder, self.start(one["run"], folder, given)))
        codes, artifacts = [], self.folder / "artifacts"
        upload = step("shard", "Keep what was answered")["with"]
        for index, folder, process in running:
            output, _ = process.communicate(timeout=120)
            assert "gate not judged" in output, output
            codes.append(process.returncode)
            shutil.copytree(folder / upload["path"], artifacts / filled(upload["name"], shard=index))
        return codes, artifacts

    def start(self, command: str, folder: Path, given: dict[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["bash", "-e", "-c", command],
            cwd=folder,
            env=self.env | given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def gate(self, artifacts: Path) -> tuple[int, str, Path]:
        """Run the gate job on what matches its pattern; return exit code, output and the folder it ran in."""
        folder = self.folder / "gate"
        shutil.rmtree(folder, ignore_errors=True)
        self.checkout("gate")
        fetch = step("gate", "Fetch the shards")["with"]
        for one in artifacts.glob(fetch["pattern"]):
            shutil.copytree(one, folder / fetch["path"] / one.name)
        judge = step("gate", "Judge all shards as one run")
        given = {name: filled(text) for name, text in judge["env"].items()}
        process = self.start(judge["run"], folder, given)
        output, _ = process.communicate(timeout=120)
        return process.returncode, output, folder


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    with model_server() as server:
        found = Repository(tmp_path, server)
        found.begin()
        server.asked.clear()
        yield found


def test_machines_divide_the_work_and_the_gate_sees_one_run(repository: Repository) -> None:
    repository.push()
    codes, artifacts = repository.run_shards(2)
    assert codes == [0, 0]
    asked = Counter(asked.question for asked in repository.server.asked)
    assert asked == {case["input"]: EPOCHS for case in CASES}, "each sample once, on whichever machine"
    code, output, folder = repository.gate(artifacts)
    assert code == 0, output
    assert "compared 12 of 12 cases" in output
    report = json.loads((folder / "aioncall-report" / "report.json").read_text(encoding="utf-8"))
    assert report["run"]["totals"]["judged"] == EPOCHS * len(CASES)
    assert (folder / step("gate", "Keep the report")["with"]["path"] / "report.html").is_file()
    repository.reset()
    # A worse prompt: each shard is as green as before, and the gate is red.
    repository.write("prompts/ask.md", "say {{ input }}")
    repository.push()
    codes, artifacts = repository.run_shards(2)
    assert codes == [0, 0], "no shard has a verdict"
    code, output, folder = repository.gate(artifacts)
    assert code == 1, output
    assert "gate REGRESSED" in output
    assert (folder / "aioncall-report" / "report.html").is_file()
    shutil.rmtree(artifacts / "aioncall-shard-2-attempt-1")
    code, output, _ = repository.gate(artifacts)
    assert code == 4
    assert output.startswith("shard 2 of 2 is missing")


def test_the_jobs_are_wired_as_the_page_says() -> None:
    shard, gate = WORKFLOW["jobs"]["shard"], WORKFLOW["jobs"]["gate"]
    assert shard["strategy"]["matrix"]["shard"] == [1, 2, 3, 4]
    assert shard["strategy"]["fail-fast"] is False
    upload = step("shard", "Keep what was answered")
    assert upload["if"] == "always()"
    assert upload["with"]["include-hidden-files"] is True
    assert (gate["needs"], gate["if"]) == ("shard", "always()")
    assert step("gate", "Keep the report")["if"] == "always()"


@pytest.mark.parametrize(
    "checker",
    [
        ("check-jsonschema", "--builtin-schema", "vendor.github-workflows"),
        ("actionlint", "-no-color", "-shellcheck=", "-pyflakes="),
        ("zizmor", "--offline", "--persona=pedantic", "--no-progress"),
    ],
    ids=lambda checker: checker[0],
)
def test_the_workflow_is_clean(tmp_path: Path, checker: tuple[str, ...]) -> None:
    path = tmp_path / ".github" / "workflows" / "evals.yml"
    path.parent.mkdir(parents=True)
    path.write_text(workflow_text(), encoding="utf-8")
    ended = run_tool(*checker, str(path))
    assert ended.returncode == 0, ended.stdout + ended.stderr
