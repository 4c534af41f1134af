"""What the base's newest daily run has red already is neutral in a pull request, and says since when."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from eval_project import Project
from pytest_aioncall.adapters.history import HistoryFolder
from pytest_aioncall.flows.evalrun import settings_for
from pytest_aioncall.flows.history import entry_of

CASES = {f"c{n:02}": (f"q{n:02}", f"Q{n:02}") for n in range(30)}


def app(*wrong: int) -> str:
    names = {f"q{n:02}" for n in wrong}
    return f"def answer(text):\n    return 'no' if text in {sorted(names)!r} else text.upper()\n"


MAIN = app(*range(8))
WORSE = app(*range(20))


class Repository:
    """A project whose main is regressed, with its daily runs on the history branch."""

    def __init__(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        self.project = project
        self.monkeypatch = monkeypatch
        monkeypatch.chdir(project.path)
        for name, value in {
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            **{f"GIT_{who}_NAME": "Ann" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "ann@example.com" for who in ("AUTHOR", "COMMITTER")},
        }.items():
            monkeypatch.setenv(name, value)
        self.at("2026-11-16T12:00:00Z")
        project.write(".gitignore", ".aioncall/\n__pycache__/\nhistory/\n")
        self.git("init", "--quiet", "--initial-branch", "main")
        project.app(app())
        project.evalset(cases=CASES)
        project.run()
        project.accept("as it should be")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "first")
        project.app(MAIN)
        self.git("commit", "--quiet", "--all", "--message", "a change that made it worse")

    def at(self, moment: str) -> None:
        self.monkeypatch.setenv("AIONCALL_NOW", moment)

    def git(self, *arguments: str, **environ: str) -> str:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, check=True, env={**os.environ, **environ}
        )
        return done.stdout.strip()

    def daily(self, *days: str, issue: int | None = None) -> None:
        """Run the main branch on some days, and keep the runs on origin/aioncall-history."""
        folder = self.project.path / "history"
        history = HistoryFolder(folder)
        for day in days:
            self.at(f"{day}T05:17:00Z")
            before = set(self.project.run_folders())
            self.project.run()
            (folder_of_run,) = set(self.project.run_folders()) - before
            settings = settings_for(self.project.path, {})
            history.add(entry_of(folder_of_run, settings, kind="daily"))
        if issue is not None:
            history.write_record(
                "issues",
                "demo",
                {
                    "evalset": "demo",
                    "number": issue,
                    "url": f"https://example.com/issues/{issue}",
                    "state": "open",
                },
            )
        index = {"GIT_INDEX_FILE": str(self.project.path / ".git/history-index")}
        self.git("--work-tree", str(folder), "add", "--all", "--force", ".", **index)
        tree = self.git("write-tree", **index)
        commit = self.git("commit-tree", tree, "-m", "history")
        self.git("update-ref", "refs/remotes/origin/aioncall-history", commit)

    def pull_request(self, code: str, *arguments: str) -> tuple[int, dict[str, Any], str]:
        """Judge a branch with some code; return exit status, the evalset's report and what was printed."""
        self.at("2026-11-22T12:00:00Z")
        self.git("checkout", "--quiet", "-B", "work", "main")
        self.project.app(code)
        result = self.project.run("--aioncall-baseline-ref", "main", *arguments)
        found: dict[str, Any] = self.project.report()["evalsets"][0] if result.ret != 4 else {}
        return int(result.ret), found, "\n".join([*result.outlines, *result.errlines])


@pytest.fixture
def repository(project: Project, monkeypatch: pytest.MonkeyPatch) -> Repository:
    return Repository(project, monkeypatch)


def test_a_pull_request_on_a_red_main(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    """Neutral for what main lost, red for what it loses itself; the same in `aioncall gate`."""
    code, found, _ = repository.pull_request(MAIN)
    assert code == 1 and found["already"] == [], "nobody knows of main yet"

    repository.git("checkout", "--quiet", "--force", "main")
    repository.daily("2026-11-18", "2026-11-19", "2026-11-21", issue=41)
    code, found, said = repository.pull_request(MAIN)
    assert code == 0, said
    (row,) = found["already"]
    assert (row["since"], row["day"], row["issue"], row["branch"]) == (
        "2026-11-18",
        "2026-11-21",
        41,
        "main",
    )
    assert "exact: already regressed on main since 18 Nov (#41), not by this change" in said
    (verdict,) = found["judgement"]["verdicts"]
    assert (verdict["status"], verdict["gating"], verdict["reason"]) == (
        "regressed",
        False,
        "already_on_base",
    )
    capsys.readouterr()
    assert (
        repository.project.command("gate", "--candidate", "latest", "--baseline-ref", "main", "--json") == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert [one["issue"] for one in told["already"]] == [41]
    assert told["verdicts"] == found["judgement"]["verdicts"]

    code, found, said = repository.pull_request(WORSE)
    assert code == 1 and found["already"] == []
    assert "this change is worse than that by 40.0 pp" in " ".join(found["judgement"]["notes"])

    code, found, _ = repository.pull_request(app())
    assert code == 0 and found["already"] == [], "a change that mends main has nothing to be excused"


def test_a_looser_gate_on_a_red_main(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The base's margin says that main has it red already; no case of it is called newly failing."""
    repository.git("checkout", "--quiet", "--force", "main")
    repository.daily("2026-11-21", issue=41)
    repository.project.evalset(cases=CASES, gates=[{"scorer": "exact", "margin": 0.5}])
    code, found, said = repository.pull_request(MAIN)
    assert code == 0, said
    (verdict,) = found["judgement"]["verdicts"]
    assert (verdict["reason"], verdict["rule"], verdict["margin"]) == ("already_on_base", "base", 0.05)
    assert found["judgement"]["newly_failing"] == []
    assert "SUSPECTED" not in said and "REGRESSED BEFORE" in said
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert repository.project.command("publish", "summary") == 0
    text = summary.read_text()
    assert "Newly failing" not in text and "newly failing" not in text
    cases = [line for line in text.splitlines() if line.startswith(("| c0", "| [c0", "| `c0", "| [`c0"))]
    assert cases and all(line.endswith("| before this change |") for line in cases), text


def test_daily_runs_in_a_folder_and_a_name_that_is_none(repository: Repository) -> None:
    """A folder does as well as a branch; a name that is neither is exit 4, before anything is asked."""
    repository.git("checkout", "--quiet", "--force", "main")
    repository.daily("2026-11-21")
    repository.git("update-ref", "-d", "refs/remotes/origin/aioncall-history")
    code, found, _ = repository.pull_request(MAIN)
    assert code == 1 and found["already"] == []
    code, found, _ = repository.pull_request(MAIN, "--aioncall-daily", "history")
    assert code == 0 and found["already"][0]["since"] == "2026-11-21"
    before = len(repository.project.run_folders())
    code, _, said = repository.pull_request(MAIN, "--aioncall-daily", "origin/nowhere")
    assert code == 4 and "git fetch origin nowhere" in said
    code, _, said = repository.pull_request(MAIN, "--aioncall-daily", "./nowhere/")
    assert code == 4 and "./nowhere/: no such folder; name the folder of a history" in said
    assert "git fetch" not in said
    assert len(repository.project.run_folders()) == before


def test_a_history_that_a_stranger_wrote_excuses_nothing(repository: Repository) -> None:
    """Broken files on the branch are passed over."""
    folder = repository.project.path / "history"
    path = folder / "runs/2026/11/21-x-1.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"format": 1, "run": ')
    (folder / "issues").mkdir()
    (folder / "issues/demo.json").write_text('["not a record"]')
    code, found, _ = repository.pull_request(MAIN, "--aioncall-daily", str(Path("history")))
    assert code == 1 and found["already"] == []


def forged(repository: Repository, folder: str) -> None:
    """Commit to the branch a daily run of the base's own commit that has all of it red."""
    repository.git("checkout", "--quiet", "--force", "main")
    before = set(repository.project.run_folders())
    repository.at("2026-11-21T05:17:00Z")
    repository.project.app(WORSE)
    repository.project.run()
    (run,) = set(repository.project.run_folders()) - before
    entry = entry_of(run, settings_for(repository.project.path, {}), kind="daily")
    HistoryFolder(repository.project.path / folder).add(entry)
    repository.git("checkout", "--quiet", "--force", "-B", "work", "main")
    repository.git("add", "--all", "--force", folder)
    repository.git("commit", "--quiet", "--message", "look, main is red")


WHERE_FORGED = ["HEAD", "work", "heads/work"]


@pytest.mark.parametrize("where", WHERE_FORGED)
def test_a_branch_does_not_choose_where_the_daily_runs_are(repository: Repository, where: str) -> None:
    """`monitors.history` is the merge base's word: a forged run on the branch itself excuses nothing."""
    forged(repository, ".")
    repository.project.write("aioncall.yaml", f"format: 1\nmonitors: {{history: {where!r}}}\n")
    repository.at("2026-11-22T12:00:00Z")
    repository.project.app(WORSE)
    repository.git("commit", "--quiet", "--all", "--allow-empty", "--message", "more")
    result = repository.project.run("--aioncall-baseline-ref", "main")
    (found,) = repository.project.report()["evalsets"]
    assert int(result.ret) == 1 and found["already"] == []


def test_a_branch_does_not_choose_how_old_a_daily_run_may_be(repository: Repository) -> None:
    """`monitors.no_data_days` is the merge base's, too."""
    repository.git("checkout", "--quiet", "--force", "main")
    repository.daily("2026-11-17")
    repository.project.write("aioncall.yaml", "format: 1\nmonitors: {no_data_days: 30}\n")
    code, found, said = repository.pull_request(MAIN)
    assert code == 1 and found["already"] == [] and "5 days old" in said


@pytest.mark.parametrize("where", ["HEAD", "work", "origin/HEAD~0", "refs/heads/work"])
def test_a_revision_is_no_place_of_daily_runs(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """In CI only a branch of a remote is: a local one may be the pull request itself."""
    forged(repository, ".")
    monkeypatch.setenv("CI", "true")
    result = repository.project.run("--aioncall-baseline-ref", "main", "--aioncall-daily", where)
    assert int(result.ret) == 4
    assert "no such folder, and no such branch is here" in "\n".join([*result.outlines, *result.errlines])


def test_a_folder_that_the_branch_has_committed_is_refused(repository: Repository) -> None:
    """A folder of runs may be fetched in the job; one that came with the change says nothing of the base."""
    forged(repository, "kept")
    result = repository.project.run("--aioncall-baseline-ref", "main", "--aioncall-daily", "kept")
    assert int(result.ret) == 4
    assert "this branch has changed what git keeps there" in "\n".join([*result.outlines, *result.errlines])
    repository.git("branch", "--force", "main", "work")
    repository.at("2026-11-22T12:00:00Z")
    result = repository.project.run("--aioncall-baseline-ref", "main", "--aioncall-daily", "kept")
    assert int(result.ret) != 4, "the base itself may keep it"


def test_a_run_without_a_commit_is_nobodys(repository: Repository) -> None:
    """Nobody can tell that it was the base's."""
    repository.git("checkout", "--quiet", "--force", "main")
    repository.daily("2026-11-21")
    (path,) = (repository.project.path / "history/runs").rglob("*.json")
    entry = json.loads(path.read_text())
    assert entry["commit"] == repository.git("rev-parse", "main")
    path.write_text(json.dumps({**entry, "commit": None}))
    code, found, _ = repository.pull_request(MAIN, "--aioncall-daily", "history")
    assert code == 1 and found["already"] == []
