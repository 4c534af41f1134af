"""`aioncall init` writes files that a person would have written, that load at once, and never over others."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_aioncall.adapters.render.runbooks import RUNS
from pytest_aioncall.cli import main


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one function and its own git user, and nothing of ours."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "shop" / "triage.py").write_text(
        "def route(ticket: str, *, language: str = 'en') -> str:\n    return 'billing'\n\nLIMIT = 3\n"
    )
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "config", "user.name", "Ann"], cwd=tmp_path, check=True)
    subprocess.run(["git", "config", "user.email", "ann@example.org"], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in [name for name in sys.modules if name.split(".")[0] == "shop"]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path


def test_the_evalset_is_short_commented_and_loads(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "shop.triage:route"]) == 0
    text = (project / "evalsets" / "route.eval.yaml").read_text()
    assert len(text.splitlines()) <= 15
    assert text.startswith("# yaml-language-server: $schema=")
    assert (project / "evalsets" / text.split("$schema=")[1].split()[0]).is_file()
    content = yaml.safe_load(text)
    assert len(content["cases"]) == 2
    assert list(content["cases"][0]["input"]) == ["ticket"], "required parameters only"
    assert content["owner"] == "Ann <ann@example.org>"
    assert "pytest --aioncall" in capsys.readouterr().out
    assert main(["check"]) == 0
    assert (project / ".gitignore").read_text() == ".aioncall/\n"


def test_what_it_wrote_runs_under_pytest(project: Path) -> None:
    main(["init", "shop.triage:route"])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--aioncall", "-p", "no:cacheprovider", "-p", "no:anyio"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "2 missed" in done.stdout


def test_nothing_is_written_over(project: Path) -> None:
    (project / "aioncall.yaml").write_text("format: 1\n# mine\n")
    (project / ".gitignore").write_text("build/")
    main(["init", "shop.triage:route"])
    evalset = project / "evalsets" / "route.eval.yaml"
    evalset.write_text(evalset.read_text() + "# mine\n")
    assert main(["init", "shop.triage:route"]) == 0
    assert evalset.read_text().endswith("# mine\n")
    assert (project / "aioncall.yaml").read_text() == "format: 1\n# mine\n"
    assert (project / ".gitignore").read_text() == "build/\n.aioncall/\n"


@pytest.mark.parametrize(
    ("codeowners", "owner"),
    [
        ("* @everybody\n/evalsets/ @evals\n", "@evals"),
        ("/evalsets/ @evals\n* @everybody\n", "@everybody"),
        ("# nobody yet\n", "Ann <ann@example.org>"),
    ],
)
def test_the_owner_comes_from_codeowners_then_from_git(project: Path, codeowners: str, owner: str) -> None:
    (project / ".github").mkdir()
    (project / ".github" / "CODEOWNERS").write_text(codeowners)
    main(["init", "shop.triage:route"])
    assert yaml.safe_load((project / "evalsets" / "route.eval.yaml").read_text())["owner"] == owner


def workflow(project: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((project / ".github" / "workflows" / f"{name}.yml").read_text())
    return found


def steps_of(project: Path, name: str, job: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = workflow(project, name)["jobs"][job]["steps"]
    return found


def test_github_writes_three_workflows_and_owners_of_what_the_gate_leans_on(project: Path) -> None:
    assert main(["init", "shop.triage:route", "--github", "--owner", "@support-ml"]) == 0
    names = sorted(path.name for path in (project / ".github" / "workflows").iterdir())
    assert names == ["aioncall-comment.yml", "aioncall-daily.yml", "aioncall-gate.yml"]
    for name, job in (
        ("aioncall-gate", "gate"),
        ("aioncall-comment", "comment"),
        ("aioncall-daily", "daily"),
    ):
        assert workflow(project, name)["permissions"] == {}
        pins = [
            step["uses"].split("@")[1].split()[0] for step in steps_of(project, name, job) if "uses" in step
        ]
        assert pins
        assert all(len(pin) == 40 for pin in pins), "pinned by commit"
    assert any("pytest --aioncall" in s.get("run", "") for s in steps_of(project, "aioncall-gate", "gate"))
    assert (project / ".github" / "CODEOWNERS").read_text().splitlines() == [
        "/evalsets/baselines/ @support-ml",
        "/evalsets/*.eval.yaml @support-ml",
        "/aioncall.yaml @support-ml",
        "/.github/workflows/aioncall-*.yml @support-ml",
    ]


def test_the_comment_never_sees_the_code_of_a_pull_request(project: Path) -> None:
    main(["init", "shop.triage:route", "--github"])
    job = workflow(project, "aioncall-comment")["jobs"]["comment"]
    assert job["permissions"] == {"actions": "read", "checks": "write", "pull-requests": "write"}
    for name in ("aioncall-gate", "aioncall-daily"):
        assert all("checks" not in one["permissions"] for one in workflow(project, name)["jobs"].values())
    assert not [s for s in job["steps"] if "checkout" in s.get("uses", "")]
    assert workflow(project, "aioncall-comment")[True]["workflow_run"]["workflows"] == [
        workflow(project, "aioncall-gate")["name"]
    ], "it hears of the gate by its name"


def test_the_daily_run_is_monitored_and_told_whatever_the_evals_say(project: Path) -> None:
    main(["init", "shop.triage:route", "--github"])
    daily = workflow(project, "aioncall-daily")
    minute = int(daily[True]["schedule"][0]["cron"].split()[0])
    assert minute % 2 == 1
    assert daily["concurrency"] == {"group": "aioncall-daily", "cancel-in-progress": False}
    steps = steps_of(project, "aioncall-daily", "daily")
    after = steps[1 + next(i for i, step in enumerate(steps) if step.get("id") == "evals") :]
    assert all("!cancelled()" in step["if"] for step in after)
    runs = " ".join(step.get("run", "") for step in after)
    assert "aioncall monitor" in runs
    assert "aioncall publish issues" in runs
    assert not [step for step in steps if "continue-on-error" in step], "nothing fails in silence"


@pytest.mark.parametrize("shards", [[], ["--shards", "3"]], ids=["plain", "sharded"])
def test_the_daily_run_keeps_the_run_folder_that_a_runbook_fetches(project: Path, shards: list[str]) -> None:
    assert main(["init", "shop.triage:route", "--github", *shards]) == 0
    steps = steps_of(project, f"aioncall-daily{'-sharded' if shards else ''}", "daily")
    (kept,) = [step["with"] for step in steps if step.get("with", {}).get("name") == RUNS]
    assert kept["path"] == ".aioncall/runs"
    assert kept["include-hidden-files"] is True


def test_keys_and_channels_of_the_configuration_come_from_secrets_of_one_environment(project: Path) -> None:
    (project / "aioncall.yaml").write_text(
        "providers: {openai: {kind: openai, api_key_env: SHOP_KEY}}\n"
        "notifiers: {team: {kind: slack, url_env: TEAM_HOOK}}\n"
        "routes: {tier1: [team, pagerduty, github]}\n"
    )
    assert main(["init", "shop.triage:route", "--github"]) == 0
    job = workflow(project, "aioncall-daily")["jobs"]["daily"]
    assert job["environment"] == {"name": "aioncall", "deployment": False}
    env = {name: value for step in job["steps"] for name, value in step.get("env", {}).items()}
    for name in ("SHOP_KEY", "TEAM_HOOK", "PAGERDUTY_ROUTING_KEY"):
        assert env[name] == f"${{{{ secrets.{name} }}}}"
    gate = workflow(project, "aioncall-gate")["jobs"]["gate"]
    assert [step["env"]["SHOP_KEY"] for step in gate["steps"] if "SHOP_KEY" in step.get("env", {})]
    assert "secrets." not in (project / ".github" / "workflows" / "aioncall-comment.yml").read_text()


@pytest.mark.parametrize("shards", [[], ["--shards", "3"]], ids=["plain", "sharded"])
def test_a_job_that_may_need_a_secret_is_in_the_environment_before_there_is_one(
    project: Path, shards: list[str]
) -> None:
    """A secret of an environment reaches no job that does not name it, whatever is added later."""
    assert main(["init", "shop.triage:route", "--github", *shards]) == 0
    for name in ("aioncall-gate", f"aioncall-daily{'-sharded' if shards else ''}"):
        for job in workflow(project, name)["jobs"].values():
            assert job["environment"] == {"name": "aioncall", "deployment": False}
    assert "environment" not in workflow(project, "aioncall-comment")["jobs"]["comment"]
    (step,) = [s for s in steps_of(project, name, "daily") if "aioncall monitor" in s.get("run", "")]
    assert step["env"]["AIONCALL_HEARTBEAT_URL"] == "${{ secrets.AIONCALL_HEARTBEAT_URL }}"


def committed(project: Path) -> None:
    subprocess.run(["git", "add", "--all"], cwd=project, check=True)
    subprocess.run(["git", "commit", "-q", "--message", "now"], cwd=project, check=True)


def test_what_a_changed_configuration_asks_of_a_workflow_is_shown_and_taken_on_demand(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["init", "shop.triage:route", "--github"])
    committed(project)
    daily = project / ".github" / "workflows" / "aioncall-daily.yml"
    before = daily.read_text()
    (project / "aioncall.yaml").write_text("format: 1\nroutes: {tier1: [github, slack]}\n")
    capsys.readouterr()
    assert main(["init", "--github"]) == 0
    said = capsys.readouterr().out
    assert "differs .github/workflows/aioncall-daily.yml" in said
    assert "+           SLACK_WEBHOOK_URL: ${{ secrets.SLACK_WEBHOOK_URL }}\n" in said
    assert "aioncall init --github --update" in said
    assert daily.read_text() == before
    assert main(["init", "--github", "--update"]) == 0
    said = capsys.readouterr().out
    assert "updated .github/workflows/aioncall-daily.yml" in said
    assert "kept    .github/workflows/aioncall-gate.yml" in said
    (step,) = [s for s in steps_of(project, "aioncall-daily", "daily") if "issues" in s.get("run", "")]
    assert step["env"]["SLACK_WEBHOOK_URL"] == "${{ secrets.SLACK_WEBHOOK_URL }}"
    assert main(["init", "--github", "--update"]) == 0, "once more, before it is committed"
    said = capsys.readouterr().out
    assert "differs" not in said and "updated" not in said


def test_what_only_this_folder_has_is_never_written_over(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["init", "shop.triage:route", "--github"])
    committed(project)
    gate = project / ".github" / "workflows" / "aioncall-gate.yml"
    gate.write_text(gate.read_text() + "# mine\n")
    (project / "aioncall.yaml").write_text("format: 1\nroutes: {tier1: [github, slack]}\n")
    assert main(["init", "--github", "--update"]) == 4
    assert ".github/workflows/aioncall-gate.yml: is not committed as it stands" in capsys.readouterr().err
    assert gate.read_text().endswith("# mine\n")
    assert "SLACK" not in (project / ".github" / "workflows" / "aioncall-daily.yml").read_text()
    committed(project)
    assert main(["init", "--github", "--update"]) == 0
    assert not gate.read_text().endswith("# mine\n"), "git has it"


def test_options_of_the_first_time_hold_the_next_time(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else the next time would write a second daily run, and install what does not exist."""
    spec = "pytest-aioncall @ git+https://git.example.org/evals@1f2e3d"
    main(["init", "shop.triage:route", "--github", "--shards", "3", "--install", spec])
    capsys.readouterr()
    assert main(["init", "--github"]) == 0
    said = capsys.readouterr().out
    assert "made" not in said and "differs" not in said
    assert main(["init", "--github", "--shards", "4"]) == 0
    said = capsys.readouterr().out
    assert "+         shard: [1, 2, 3, 4]\n" in said
    assert said.count("differs") == 2, "the daily run, told as such, and the command that takes it"


def test_a_second_daily_run_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["init", "shop.triage:route", "--github"])
    assert main(["init", "--github", "--shards", "3"]) == 0
    assert "left    .github/workflows/aioncall-daily.yml: a second daily run" in capsys.readouterr().out


def test_shards_make_the_daily_run_a_matrix(project: Path) -> None:
    assert main(["init", "shop.triage:route", "--github", "--shards", "3"]) == 0
    jobs = workflow(project, "aioncall-daily-sharded")["jobs"]
    assert jobs["shard"]["strategy"]["matrix"]["shard"] == [1, 2, 3]
    assert any("--aioncall-shard" in step.get("run", "") for step in jobs["shard"]["steps"])
    assert any("aioncall runs merge" in step.get("run", "") for step in jobs["daily"]["steps"])
    assert not (project / ".github" / "workflows" / "aioncall-daily.yml").exists(), "one of them a day"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--github", "--shards", "1"], "from 2 to 64"),
        (["--github", "--shards", "65"], "from 2 to 64"),
        (["--github", "--install", "x\ny"], "--install"),
        (["--github", "--install", "${{ secrets.X }}"], "--install"),
        (["--shards", "2"], "add --github"),
        (["--install", "x"], "add --github"),
        (["--update"], "add --github"),
    ],
)
def test_what_no_workflow_can_have_is_refused_before_anything_is_written(
    project: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "shop.triage:route", *arguments]) == 4
    assert told in capsys.readouterr().err
    assert not (project / ".github").exists()
    assert not (project / "evalsets").exists()


def test_what_pip_installs_can_be_said(project: Path) -> None:
    spec = "pytest-aioncall @ git+https://git.example.org/evals@1f2e3d"
    assert main(["init", "shop.triage:route", "--github", "--install", spec]) == 0
    for name, job in (
        ("aioncall-gate", "gate"),
        ("aioncall-comment", "comment"),
        ("aioncall-daily", "daily"),
    ):
        (run,) = [s["run"] for s in steps_of(project, name, job) if s.get("name") == "Install"]
        assert shlex.split(run)[4] == spec


def test_a_project_inside_a_repository_has_its_workflows_at_the_top(project: Path) -> None:
    inside = project / "services" / "ai"
    inside.mkdir(parents=True)
    (inside / "aioncall.yaml").write_text("format: 1\n")
    (inside / "pyproject.toml").write_text("[project]\nname='ai'\nversion='1'\n")
    assert main(["init", "--github", "--owner", "@ann", "--root", str(inside)]) == 0
    gate = workflow(project, "aioncall-gate")
    assert gate["defaults"] == {"run": {"working-directory": "services/ai"}}
    runs = [step.get("run", "") for step in gate["jobs"]["gate"]["steps"]]
    assert any(run.endswith(" -e .") for run in runs), "what the project itself needs is installed, too"
    uploaded = gate["jobs"]["gate"]["steps"][-1]["with"]["path"].split()
    assert uploaded[0] == "services/ai/.aioncall/report.json"
    assert "defaults" not in workflow(project, "aioncall-comment"), "nothing is checked out there"
    assert "/services/ai/evalsets/baselines/ @ann" in (project / ".github" / "CODEOWNERS").read_text()


def test_code_owners_are_added_where_they_are_kept_and_by_mail_where_git_knows_no_name_on_github(
    project: Path,
) -> None:
    (project / "CODEOWNERS").write_text("/shop/ @shop")
    assert main(["init", "shop.triage:route", "--github"]) == 0
    lines = (project / "CODEOWNERS").read_text().splitlines()
    assert lines[:2] == ["/shop/ @shop", "/evalsets/baselines/ ann@example.org"]
    assert not (project / ".github" / "CODEOWNERS").exists()


def test_an_owner_that_github_cannot_know_owns_no_code_and_that_is_said(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "shop.triage:route", "--github", "--owner", "Ann"]) == 0
    assert "CODEOWNERS: GitHub knows nobody called 'Ann'; say --owner @LOGIN" in capsys.readouterr().out
    assert not (project / ".github" / "CODEOWNERS").exists()


def test_the_workflows_are_not_written_over(project: Path) -> None:
    main(["init", "shop.triage:route", "--github"])
    gate = project / ".github" / "workflows" / "aioncall-gate.yml"
    gate.write_text(gate.read_text() + "# mine\n")
    before = {
        path: path.read_text()
        for path in project.rglob("*")
        if path.is_file() and ".git/" not in str(path) and path.suffix != ".pyc"
    }
    assert main(["init", "shop.triage:route", "--github", "--owner", "@other", "--shards", "2"]) == 0
    changed = {path.name for path, text in before.items() if path.read_text() != text}
    assert changed <= {"CODEOWNERS"}


def test_without_a_function_there_is_an_example_that_passes(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init"]) == 0
    assert main(["check"]) == 0
    assert "warning" not in capsys.readouterr().out, "an example without a placeholder"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--aioncall", "-p", "no:cacheprovider", "-p", "no:anyio"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "18/18 judged" in done.stdout
    assert "100.0 %" in done.stdout


def test_without_a_function_a_project_with_evalsets_gets_no_example(project: Path) -> None:
    main(["init", "shop.triage:route"])
    assert main(["init", "--github"]) == 0
    assert not (project / "support_answers.py").exists()
    assert (project / ".github" / "workflows" / "aioncall-gate.yml").is_file()


def test_a_name_without_a_function_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--name", "triage"]) == 4
    assert "PACKAGE.MODULE:FUNCTION" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("shop.triage:rout", "did you mean 'route'"),
        ("shop.triag:route", "shop.triag"),
        ("shop.triage", "shop.triage"),
        ("shop.triage:LIMIT", "name a function"),
    ],
)
def test_a_target_that_is_not_there_is_one_clear_line(
    project: Path, target: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", target]) == 4
    text = capsys.readouterr().err
    assert told in text
    assert "Traceback" not in text
    assert not (project / "evalsets").exists()


def test_the_gate_workflow_asks_for_a_reason_before_it_spends_anything(project: Path) -> None:
    main(["init", "shop.triage:route", "--github", "--owner", "@support-ml"])
    steps = steps_of(project, "aioncall-gate", "gate")
    runs = [step.get("run", "") for step in steps]
    (at,) = [i for i, run in enumerate(runs) if run == 'aioncall check --against "origin/${BASE_REF}"']
    assert steps[at]["env"] == {"BASE_REF": "${{ github.base_ref }}"}
    assert any("pytest --aioncall" in run for run in runs[at + 1 :])


def test_check_says_that_the_cases_of_init_are_placeholders(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["init", "shop.triage:route"])
    capsys.readouterr()
    assert main(["check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    advice = "is a placeholder: write a real question and answer"
    assert [line for line in lines if "placeholder" in line] == [
        f"warning: evalsets/route.eval.yaml:8: case first-case {advice}",
        f"warning: evalsets/route.eval.yaml:11: case second-case {advice}",
    ]
