"""`aioncall publish summary` after a run: the step's summary, its outputs, and notes on lines of YAML."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from eval_project import Project, project  # noqa: F401
from fakes.github import FakeGitHub

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
import reports

LETTERS = [f"{a}{b}" for a in "abc" for b in "abcdefghijklmn"]


@pytest.fixture
def job(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:  # noqa: F811
    """A project in a job of GitHub Actions."""
    for name, value in {
        "GITHUB_REPOSITORY": "acme/app",
        "GITHUB_RUN_ID": "4242",
        "GITHUB_SHA": "9f3c2e1b0a9d8c7b6a5f4e3d2c1b0a9f8e7d6c5b",
        "GITHUB_BASE_REF": "main",
        "GITHUB_STEP_SUMMARY": str(project.path / "summary.md"),
        "GITHUB_OUTPUT": str(project.path / "output"),
        "AIONCALL_NOW": "2026-11-21T14:02:00Z",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GITHUB_EVENT_PATH", raising=False)
    return project


def regress(project: Project) -> None:  # noqa: F811
    """Accept good answers, then answer badly: a gate falls, a must breaks, cases fall."""
    cases = [{"id": f"c-{name}", "input": name, "expected": name.upper()} for name in LETTERS]
    cases[3]["must"] = [{"not_contains": "abd"}]
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset("demo", cases=cases)
    assert project.run().ret == 0
    project.accept()
    project.app("def answer(text):\n    return text + 'abd'\n")
    assert project.run().ret == 1


def reported(project: Project) -> None:  # noqa: F811
    """Lay down the report of a run that regressed."""
    folder = project.path / ".aioncall"
    folder.mkdir()
    (folder / "report.json").write_text(reports.regressed().model_dump_json())


def published(project: Project, *arguments: str) -> int:  # noqa: F811
    return project.command("publish", "summary", "--root", str(project.path), *arguments)


def outputs(project: Project) -> dict[str, str]:  # noqa: F811
    lines = (project.path / "output").read_text().splitlines()
    return {lines[n].split("<<")[0]: lines[n + 1] for n in range(0, len(lines), 3)}


def test_summary_outputs_and_annotations(job: Project, capsys: pytest.CaptureFixture[str]) -> None:
    regress(job)
    capsys.readouterr()
    assert published(job) == 0
    text = (job.path / "summary.md").read_text()
    assert text.startswith("### aioncall: regressed - `demo`: `exact`\n")
    assert "Incident" not in text
    assert "updated 2026-11-21 14:02 UTC" in text
    told = outputs(job)
    assert set(told) == {"status", "exit_code", "regressed", "report", "cost", "headline"}
    assert (told["status"], told["exit_code"]) == ("regressed", "1")
    assert json.loads(told["regressed"])[0] == "demo: exact"
    assert told["report"] == ".aioncall/report.json"
    assert told["headline"] == "aioncall: regressed - demo: exact"
    commands = [line for line in capsys.readouterr().out.splitlines() if line.startswith("::")]
    errors = [line for line in commands if line.startswith("::error ")]
    assert len(errors) == 10
    lines = (job.path / "evalsets" / "demo.eval.yaml").read_text().splitlines()
    broken = next(line for line in errors if "must broken" in line)
    number = int(broken.split("line=")[1].split(",")[0])
    assert "c-ad" in lines[number - 1]
    assert "c-ad: not_contains held in 0 of 3 epochs" in broken
    assert any("title=aioncall%3A exact regressed::" in line for line in errors)
    assert "more of this kind" in errors[-1]


def test_annotations_can_be_left_away(job: Project, capsys: pytest.CaptureFixture[str]) -> None:
    reported(job)
    capsys.readouterr()
    assert published(job, "--no-annotations") == 0
    assert "::error" not in capsys.readouterr().out


def test_outside_of_actions_the_text_is_printed_and_nothing_is_annotated(
    job: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reported(job)
    for name in ("GITHUB_RUN_ID", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.delenv(name)
    capsys.readouterr()
    assert published(job) == 0
    out = capsys.readouterr().out
    assert out.startswith("### aioncall: regressed")
    assert "\n::" not in out


def test_a_dry_run_writes_nothing(job: Project, capsys: pytest.CaptureFixture[str]) -> None:
    reported(job)
    capsys.readouterr()
    assert published(job, "--dry-run") == 0
    out = capsys.readouterr().out
    assert "::stop-commands::aioncall-" in out and "### aioncall: regressed" in out
    assert not (job.path / "summary.md").exists()
    assert not (job.path / "output").exists()


def test_a_second_report_stands_behind_the_first(job: Project) -> None:
    reported(job)
    assert published(job) == published(job, "--no-annotations") == 0
    assert (job.path / "summary.md").read_text().count("### aioncall: regressed") == 2


def test_a_summary_that_is_full_is_left_as_it_is(job: Project, capsys: pytest.CaptureFixture[str]) -> None:
    reported(job)
    (job.path / "summary.md").write_text("x" * 999_000)
    capsys.readouterr()
    assert published(job) == 0
    assert "is full" in capsys.readouterr().out
    assert (job.path / "summary.md").read_text() == "x" * 999_000


def test_no_report_is_a_line_in_the_summary_too(job: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert published(job) == 4
    assert "run pytest --aioncall first" in capsys.readouterr().err
    assert (job.path / "summary.md").read_text().startswith("### aioncall: no report\n")


@pytest.mark.parametrize("name", ["nowhere.json", ".", "aioncall.yaml"])
def test_a_report_that_is_none_is_a_line(
    job: Project, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(job.path)
    assert published(job, "--report", name) == 4
    assert "Traceback" not in capsys.readouterr().err


def test_a_case_of_an_included_file_is_annotated_there(
    job: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    job.write(
        "evalsets/incidents/demo.yaml",
        """
        format: 1
        source: {incident: "2026-10-04-1", opened: 2026-10-04}
        cases:
          - id: inc-1
            input: x
            must: [{not_contains: "sue"}]
        """,
    )
    job.app("def answer(text):\n    return 'you should sue'\n")
    job.evalset("demo", include=["incidents/demo.yaml"])
    assert job.run().ret == 1
    capsys.readouterr()
    assert published(job) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "must broken" in line]
    assert "file=evalsets/incidents/demo.yaml,line=5," in line
    assert "Incident 2026-10-04-1 is back." in (job.path / "summary.md").read_text()


def test_a_project_below_the_root_of_its_repository_is_annotated_from_there(
    job: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess

    reported(job)
    top = job.path.parent
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    capsys.readouterr()
    assert published(job) == 0
    out = capsys.readouterr().out
    assert f"file={job.path.name}/evalsets/ticket-triage.eval.yaml,line=" in out
    assert outputs(job)["report"] == f"{job.path.name}/.aioncall/report.json"
    assert f"/{job.path.name}/evalsets/ticket-triage.eval.yaml#L" in (job.path / "summary.md").read_text()


def test_the_comment_prints_its_dry_run(
    job: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reported(job)
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    monkeypatch.delenv("GH_TOKEN", raising=False)
    capsys.readouterr()
    root = ["--root", str(job.path)]
    assert job.command("publish", "comment", "--dry-run", "--pr", "7", *root) == 0
    assert (
        "<!-- aioncall:comment key= state=red run=4242 attempt=1 red=ticket%2Dtriage -->"
        in capsys.readouterr().out
    )
    assert job.command("publish", "comment", "--pr", "7", *root) == 4
    assert "GITHUB_TOKEN is not set" in capsys.readouterr().err


def test_an_annotating_plugin_of_pytest_is_not_doubled(job: Project) -> None:
    from pytest_aioncall.adapters.render.story import stories
    from pytest_aioncall.flows.publishing.annotations import annotations_of
    from pytest_aioncall.model.report import Report

    reported(job)
    text = (job.path / ".aioncall" / "report.json").read_text()
    told = stories(Report.model_validate_json(text))
    alone = {one.title for one in annotations_of(told, folder="", doubled=True)}
    both = {one.title for one in annotations_of(told, folder="", doubled=False)}
    assert both - alone == {"aioncall: route shape=long regressed"}
    assert "aioncall: newly failing" in alone


PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "show-it-in-the-pull-request.md"
COMMANDS = sorted(set(re.findall(r"^\$ aioncall (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_does_what_it_says(
    job: Project, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeGitHub(repository="acme/app") as github:
        number = github.add_pull("9f3c2e1b0a9d8c7b6a5f4e3d2c1b0a9f8e7d6c5b").number
        for name, value in github.env(GITHUB_REF=f"refs/pull/{number}/merge").items():
            monkeypatch.setenv(name, value)
        reported(job)
        assert job.command(*shlex.split(command), "--root", str(job.path)) == 0
        sent = [call.path for call in github.written()]
    kind = command.split()[1]
    expected = {"summary": 0, "comment": 0 if "--dry-run" in command else 1, "check": 1}[kind]
    assert len(sent) == expected
    assert (job.path / "summary.md").exists() == (kind == "summary")


def test_the_page_has_commands() -> None:
    assert len(COMMANDS) == 4
