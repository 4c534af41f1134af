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


def two(repository: Repository) -> Project:
    """Two evalsets with code of their own, of which the branch has changed one."""
    project = repository.project
    project.write("other.py", APP)
    project.evalset("other", target={"python": "other:answer"})
    repository.branch()
    project.write("other.py", APP + "# changed\n")
    return project


def test_only_what_is_affected_runs_and_the_header_says_why(repository: Repository) -> None:
    """One evalset runs and is judged by itself; the other is neutral in the same report."""
    project = two(repository)
    result = project.run("--aioncall-changed", "main")
    assert result.ret == 0
    assert "1 evalset unaffected, $0" in told(result) and "code: other.py" in told(result)
    assert "(1 file differs)" in told(result)
    assert {sample["evalset"] for sample in project.last_samples()} == {"other"}
    report = project.report()
    found = {one["planned"]["evalset"]: one for one in report["evalsets"]}
    assert (found["demo"]["unaffected"], found["other"]["unaffected"]) == (True, False)
    assert found["other"]["affected_by"] == ["code: other.py"]
    assert report["status"] == found["other"]["judgement"]["status"]
    run = project.last_run()
    assert run["change"]["because"] == {"other": ["code: other.py"]}
    assert [one["evalset"] for one in run["evalsets"]] == ["other"]
    assert run["complete"] is True


def test_a_selection_is_a_selection(repository: Repository) -> None:
    """What -k leaves out is neither run nor told as unaffected."""
    project = two(repository)
    result = project.run("--aioncall-changed", "main", "-k", "other")
    assert result.ret == 0
    assert "unaffected" not in told(result)
    assert [one["planned"]["evalset"] for one in project.report()["evalsets"]] == ["other"]


def test_workers_of_xdist_leave_out_the_same(repository: Repository) -> None:
    """Each worker collects; the controller tells what all of them left out."""
    pytest.importorskip("xdist")
    project = two(repository)
    result = project.run_apart("--aioncall-changed", "main", "-n", "2")
    assert result.ret == 0
    found = {one["planned"]["evalset"]: one["unaffected"] for one in project.report()["evalsets"]}
    assert found == {"demo": True, "other": False}
    project.write("other.py", APP)
    result = project.run_apart("--aioncall-changed", "main", "-n", "2")
    assert result.ret == 0
    assert project.report()["status"] == "unaffected"


def test_shards_and_their_gate(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    """Each shard leaves out the same; the gate judges the rest, and is neutral where there is none."""
    project = two(repository)
    for number in (1, 2):
        assert project.run("--aioncall-changed", "main", "--aioncall-shard", f"{number}/2").ret == 0
    runs = [str(folder) for folder in project.run_folders()]
    capsys.readouterr()
    assert project.command("gate", "--root", str(project.path), "--candidate", *runs) == 0
    said = capsys.readouterr().out
    assert "unaffected by this change" in said and "demo" in said
    project.write("other.py", APP)
    for number in (1, 2):
        assert project.run("--aioncall-changed", "main", "--aioncall-shard", f"{number}/2").ret == 0
    runs = [str(folder) for folder in project.run_folders() if str(folder) not in runs]
    for more in ((), ("--json",), ("--report", str(project.path / "page"))):
        assert project.command("gate", "--root", str(project.path), "--candidate", *runs, *more) == 0
    assert '"status": "unaffected"' in capsys.readouterr().out
    assert '"status": "unaffected"' in (project.path / "page/report.json").read_text()


def test_a_ref_that_is_not_there_is_exit_4(repository: Repository) -> None:
    """Nothing runs, and the way out is said."""
    project = two(repository)
    result = project.run("--aioncall-changed", "origin/main")
    assert result.ret == 4
    assert "fetch-depth: 0" in str(result.stderr) + str(result.stdout)
    assert project.run_folders() == []


def test_the_variable_does_as_the_flag_does(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """AIONCALL_CHANGED, for a job that sets it for all of its steps."""
    project = two(repository)
    monkeypatch.setenv("AIONCALL_CHANGED", "main")
    assert project.run().ret == 0
    assert {sample["evalset"] for sample in project.last_samples()} == {"other"}


def test_an_evalset_that_is_new_runs(repository: Repository) -> None:
    """Nobody has to commit it first."""
    project = repository.project
    repository.branch()
    project.evalset("fresh")
    project.run("--aioncall-changed", "main")
    assert {sample["evalset"] for sample in project.last_samples()} == {"fresh"}


def test_an_ordinary_test_runs_beside(repository: Repository) -> None:
    """Only evals are left out; a test that fails is exit 1 as ever."""
    project = repository.project
    project.write("test_plain.py", "def test_it():\n    assert False\n")
    repository.branch()
    result = project.run("--aioncall-changed", "main")
    assert result.ret == 1
    result.assert_outcomes(failed=1, skipped=1, deselected=2)
