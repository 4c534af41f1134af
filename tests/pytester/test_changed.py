"""`--aioncall-changed REF` runs what a change can affect, names each cause, and is neutral about the rest."""

from __future__ import annotations

import subprocess

import pytest

from eval_project import Project

APP = "def answer(x):\n    return x.upper()\n"


class Repository:
    """A project in git, with one commit on `main` and a branch that left it."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "ann")
        self.git("config", "user.email", "ann@example.com")
        self.project.write(".gitignore", ".aioncall/\n__pycache__/\n")

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.project.path, capture_output=True, text=True, check=True
        )
        return done.stdout

    def commit(self, message: str = "a commit") -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def branch(self) -> None:
        """Commit all there is to main, and leave it."""
        self.commit()
        self.git("checkout", "-q", "-b", "work")


@pytest.fixture
def repository(project: Project) -> Repository:
    found = Repository(project)
    project.app(APP)
    project.evalset()
    return found


def told(result: pytest.RunResult) -> str:
    return "\n".join(result.outlines)


def test_nothing_changed_nothing_runs_and_the_job_still_has_a_status(repository: Repository) -> None:
    """No case runs, exit 0, the report is there with a state of its own."""
    project = repository.project
    repository.branch()
    result = project.run("--aioncall-changed", "main")
    assert result.ret == 0
    result.assert_outcomes(skipped=1, deselected=2)
    assert "1 evalset unaffected, $0, since main@" in told(result)
    report = project.report()
    assert report["status"] == "unaffected" and report["exit_code"] == 0
    assert report["evalsets"][0]["unaffected"] is True
    assert report["evalsets"][0]["judgement"] is None
    run = project.last_run()
    assert [one["evalset"] for one in run["change"]["unaffected"]] == ["demo"]
    assert run["complete"] is True and run["totals"]["planned"] == 0
    assert project.last_samples() == []
