"""`aioncall doctor` names what is missing, says why it matters, and what it says to do mends it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_aioncall.adapters.workflow_files import VERSION
from pytest_aioncall.cli import main

GATE = ".github/workflows/aioncall-gate.yml"
COMMENT = ".github/workflows/aioncall-comment.yml"
DAILY = ".github/workflows/aioncall-daily.yml"
NOW = "2026-11-22T12:00:00+00:00"


class Patient:
    """A project where nothing is missing, until a test takes something away."""

    def __init__(self, path: Path, bare: Path) -> None:
        self.path = path
        self.git("init", "-q", "-b", "main")
        self.git("init", "-q", "--bare", "-b", "main", str(bare))
        for key, value in {
            "user.name": "Ann",
            "user.email": "ann@example.org",
            "remote.origin.url": "https://github.com/acme/app",
            "remote.origin.fetch": "+refs/heads/*:refs/remotes/origin/*",
            f"url.{bare}.insteadOf": "https://github.com/acme/app",
        }.items():
            self.git("config", key, value)

    def git(self, *arguments: str, date: str = NOW) -> None:
        told = {"GIT_COMMITTER_DATE": date, "GIT_AUTHOR_DATE": date, "HOME": str(self.path.parent)}
        command = ["git", *arguments]
        subprocess.run(command, cwd=self.path, env={"PATH": _path(), **told}, check=True, capture_output=True)

    def commit(self, date: str = NOW) -> None:
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "--message", "now", date=date)
        self.git("push", "-q", "--force", "origin", "HEAD:main", "HEAD:aioncall-history")
        self.git("fetch", "-q", "origin")

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.path / name).read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {name}"
        (self.path / name).write_text(text.replace(old, new), encoding="utf-8")
        self.commit()

    def configure(self, **sections: Any) -> None:
        content = yaml.safe_load((self.path / "aioncall.yaml").read_text(encoding="utf-8")) | sections
        (self.path / "aioncall.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        self.commit()


def _path() -> str:
    return os.environ["PATH"]


HEALTHY = {
    "oncall": {"timezone": "Europe/Berlin", "rotation": {"people": ["@ann", "@bo", "@cy"]}},
    "routes": {"tier1": ["pagerduty", "github"]},
    "monitors": {"heartbeat_url_env": "BEAT"},
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A healthy project, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("healthy")
    (folder / "project").mkdir()
    patient = Patient(folder / "project", folder / "bare.git")
    content = {"format": 1, **HEALTHY}
    (patient.path / "aioncall.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    for command in (
        ["pytest_aioncall", "init", "--github", "--owner", "@ann"],
        ["pytest", "--aioncall", "-q"],
        ["pytest_aioncall", "baseline", "accept", "--reason", "first"],
    ):
        told = {"PATH": _path(), "HOME": str(folder), "AIONCALL_NOW": NOW}
        subprocess.run(
            [sys.executable, "-m", *command], cwd=patient.path, env=told, check=True, capture_output=True
        )
    patient.commit()
    return folder


@pytest.fixture
def patient(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Patient:
    shutil.copytree(model, tmp_path / "copy")
    made = Patient.__new__(Patient)
    made.path = tmp_path / "copy" / "project"
    made.git("config", "--remove-section", f"url.{model / 'bare.git'}")
    made.git("config", f"url.{tmp_path / 'copy' / 'bare.git'}.insteadOf", "https://github.com/acme/app")
    monkeypatch.chdir(made.path)
    for name in ("CI", "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_REPOSITORY", "BEAT", "MAIN_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AIONCALL_NOW", NOW)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in [name for name in sys.modules if name == "support_answers"]:
        monkeypatch.delitem(sys.modules, name)
    return made


Look = Callable[..., dict[str, Any]]


@pytest.fixture
def look(patient: Patient, capsys: pytest.CaptureFixture[str]) -> Look:
    def look(*options: str) -> dict[str, Any]:
        capsys.readouterr()
        code = main(["doctor", "--json", *options])
        said: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert said["exit_code"] == code
        return said

    return look


def found(said: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What was found, by what it says."""
    return {one["what"]: one for one in said["findings"]}


def test_a_project_that_lacks_nothing_is_told_so(
    patient: Patient, look: Look, capsys: pytest.CaptureFixture[str]
) -> None:
    said = look()
    assert said["findings"] == []
    assert said["exit_code"] == 0
    assert {one["check"] for one in said["fine"]} >= {
        "versions", "configuration", "evalsets", "baselines", "store", "repository", "gate", "comment",
        "daily run", "code owners", "history", "on call",
    }  # fmt: skip
    assert main(["doctor"]) == 0
    assert "nothing is missing" in capsys.readouterr().out


def drop(name: str) -> Callable[[Patient], None]:
    def change(patient: Patient) -> None:
        (patient.path / name).unlink()
        patient.commit()

    return change


def edit(name: str, old: str, new: str = "") -> Callable[[Patient], None]:
    return lambda patient: patient.change(name, old, new)


def configure(**sections: Any) -> Callable[[Patient], None]:
    return lambda patient: patient.configure(**sections)


MUST = {
    "no gate": (drop(GATE), "no workflow runs the evals of a pull request", "aioncall init --github"),
    "no daily run": (drop(DAILY), "no workflow runs the evals by the clock", "aioncall init --github"),
    "no history in the checkout": (
        edit(GATE, "fetch-depth: 0", "fetch-depth: 1"),
        "the checkout has no history",
        "fetch-depth: 0",
    ),
    "own baseline": (
        edit(GATE, '--aioncall-baseline-ref "origin/${BASE_REF}"'),
        "the base's baseline is not used",
        "BASE_REF",
    ),
    "unsafe trigger": (
        edit(GATE, "pull_request:\n", "pull_request:\n  pull_request_target:\n"),
        "runs on pull_request_target",
        "on: pull_request",
    ),
    "a comment that never starts": (
        edit(GATE, "name: aioncall gate\non", "name: evals\non"),
        "waits for aioncall gate, not for evals",
        "workflows: [evals]",
    ),
    "no schedule": (
        edit(DAILY, "  schedule:\n    - cron: ", "  # - cron: "),
        "has no schedule",
        "cron",
    ),
    "no monitor": (edit(DAILY, "aioncall monitor", "echo"), "does not monitor its runs", "aioncall monitor"),
    "no issues": (
        edit(DAILY, "aioncall publish issues", "echo"),
        "opens no issue",
        "aioncall publish issues",
    ),
    "no right to the history": (
        edit(DAILY, "contents: write", "contents: read"),
        "lacks the right contents: write",
        "contents: write",
    ),
    "no right to issues": (
        edit(DAILY, "issues: write", "issues: read"),
        "lacks the right issues: write",
        "issues: write",
    ),
    "a history on a machine that is thrown away": (
        edit(DAILY, ' --history "aioncall-history"'),
        "does not name the history",
        "--history",
    ),
    "a channel without its secret": (
        edit(DAILY, "PAGERDUTY_ROUTING_KEY: ${{", "OTHER: ${{"),
        "is not given PAGERDUTY_ROUTING_KEY",
        "gh secret set PAGERDUTY_ROUTING_KEY",
    ),
    "no baseline": (
        drop("evalsets/baselines/support-answers.jsonl"),
        "support-answers has no baseline",
        "baseline accept",
    ),
    "an idle repository": (
        lambda patient: patient.commit("2026-09-20T12:00:00+00:00"),
        "the last commit is 63 days old",
        "gh workflow enable",
    ),
}
SHOULD = {
    "no comment": (drop(COMMENT), "nothing comments on pull requests", "aioncall init --github"),
    "nobody owns the baselines": (
        drop(".github/CODEOWNERS"),
        "nobody owns the baselines",
        "/evalsets/baselines/",
    ),
    "nobody is on call": (configure(oncall={}), "there is no oncall section with a rotation", "rotation"),
    "no phone": (configure(routes={}), "a page of tier 1 only opens an issue", "pagerduty"),
    "a file is no phone": (
        configure(routes={"tier1": ["audit"]}, notifiers={"audit": {"kind": "file", "path": "pages.jsonl"}}),
        "a page of tier 1 ends in a file",
        "pagerduty",
    ),
    "no heartbeat": (
        configure(monitors={}),
        "nothing outside notices that no run started",
        "heartbeat_url_env",
    ),
    "a heartbeat without its secret": (
        edit(DAILY, "BEAT: ${{", "OTHER: ${{"),
        "is not given BEAT",
        "gh secret set BEAT",
    ),
    "soon idle": (
        lambda patient: patient.commit("2026-10-01T12:00:00+00:00"),
        "the last commit is 52 days old",
        "push",
    ),
    "an old file": (
        edit(DAILY, f"(aioncall-daily, version {VERSION})", "(aioncall-daily, version 1)"),
        "aioncall-daily is older than this package",
        "aioncall init --github",
    ),
    "no right to comment": (
        edit(COMMENT, "pull-requests: write", "pull-requests: read"),
        "lacks the right pull-requests: write",
        "pull-requests: write",
    ),
    "no right to a check": (
        edit(COMMENT, "      checks: write", "      # checks: write"),
        "lacks the right checks: write",
        "checks: write",
    ),
    "runs that git would take": (
        edit(".gitignore", ".aioncall/"),
        "git does not ignore .aioncall/",
        ".gitignore",
    ),
}


def test_what_it_says_of_a_new_channel_leads_to_a_workflow_that_is_given_its_secret(
    patient: Patient, look: Look, capsys: pytest.CaptureFixture[str]
) -> None:
    patient.configure(routes={"tier1": ["github", "slack"]})
    fix = found(look())["is not given SLACK_WEBHOOK_URL"]["fix"]
    assert fix.endswith("gh secret set SLACK_WEBHOOK_URL --env aioncall")
    command = fix.partition(" (")[0].split()
    assert command[0] == "aioncall"
    assert main(command[1:]) == 0
    daily = yaml.safe_load((patient.path / DAILY).read_text(encoding="utf-8"))["jobs"]["daily"]
    assert daily["environment"]["name"] == "aioncall"
    patient.commit()
    assert look()["findings"] == []


def test_a_workflow_of_ones_own_takes_its_secret_from_where_its_job_looks(
    patient: Patient, look: Look
) -> None:
    patient.change(DAILY, "# Written by", "# Mine, at first written by")
    patient.configure(routes={"tier1": ["github", "slack"]})
    fix = found(look())["is not given SLACK_WEBHOOK_URL"]["fix"]
    assert fix.startswith("env: SLACK_WEBHOOK_URL: ${{ secrets.SLACK_WEBHOOK_URL }} at the step")
    assert fix.endswith("gh secret set SLACK_WEBHOOK_URL --env aioncall")
    patient.change(
        DAILY, "    environment:\n      name: aioncall # holds the secrets\n      deployment: false\n", ""
    )
    assert found(look())["is not given SLACK_WEBHOOK_URL"]["fix"].endswith("gh secret set SLACK_WEBHOOK_URL")


def test_a_workflow_that_waits_for_a_name_that_nothing_has_never_starts(patient: Patient, look: Look) -> None:
    """The name of the daily workflow is `aioncall daily`; `aioncall-daily` is its file."""
    trend = (
        "name: trend\non: {workflow_run: {workflows: [aioncall-daily], types: [completed]}}\n"
        "jobs: {site: {runs-on: ubuntu-latest, steps: [{run: aioncall history site}]}}\n"
    )
    (patient.path / ".github" / "workflows" / "trend.yml").write_text(trend, encoding="utf-8")
    patient.commit()
    one = found(look())["waits for aioncall-daily, not for aioncall daily"]
    assert (one["level"], one["fix"]) == ("must", "workflows: [aioncall daily]")
    patient.change(".github/workflows/trend.yml", "aioncall-daily", "aioncall daily")
    assert look()["findings"] == []


@pytest.mark.parametrize("case", MUST)
def test_what_keeps_it_from_working_exits_1_with_what_mends_it(
    patient: Patient, look: Look, case: str
) -> None:
    change, what, fix = MUST[case]
    change(patient)
    said = look()
    one = found(said)[what]
    assert one["level"] == "must"
    assert fix in one["fix"]
    assert one["why"]
    assert said["exit_code"] == 1


@pytest.mark.parametrize("case", SHOULD)
def test_what_somebody_will_miss_is_told_and_exits_0(patient: Patient, look: Look, case: str) -> None:
    change, what, fix = SHOULD[case]
    change(patient)
    said = look()
    one = found(said)[what]
    assert one["level"] == "should"
    assert fix in one["fix"]
    assert said["exit_code"] == 0


def test_an_old_baseline_is_told_with_its_limit(
    patient: Patient, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIONCALL_NOW", "2027-01-05T12:00:00+00:00")
    one = found(look())["the baseline of support-answers is 44 days old"]
    assert "30 days" in one["why"]
    assert one["level"] == "should"


def test_a_baseline_and_a_workflow_that_are_not_committed_are_of_no_use(patient: Patient, look: Look) -> None:
    patient.git("rm", "-q", "--cached", "evalsets/baselines/support-answers.jsonl", DAILY)
    patient.git("commit", "-q", "--message", "not any more")
    said = found(look())
    assert "git add" in said["the baseline of support-answers is not committed"]["fix"]
    assert "git add" in said["is not committed"]["fix"]


def test_a_workflow_that_waits_on_a_branch_never_starts(patient: Patient, look: Look) -> None:
    patient.git("remote", "set-head", "origin", "main")
    daily = patient.path / DAILY
    text = daily.read_text(encoding="utf-8")
    daily.unlink()
    patient.commit()
    patient.git("switch", "-q", "--create", "later")
    daily.write_text(text, encoding="utf-8")
    patient.git("add", "--all")
    patient.git("commit", "-q", "--message", "daily")
    assert found(look())["is not on the default branch"]["file"] == DAILY


def test_a_key_is_named_and_its_value_never_shown(
    patient: Patient, look: Look, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    patient.configure(providers={"main": {"kind": "openai", "api_key_env": "MAIN_KEY"}})
    said = look()
    assert found(said)["MAIN_KEY is not set here"]["level"] == "should"
    # No evalset asks that provider, so its key is not asked of the workflows.
    assert "is not given MAIN_KEY" not in found(said)
    monkeypatch.setenv("MAIN_KEY", "sk-secret-0123456789")
    assert "MAIN_KEY is not set here" not in found(look())
    main(["doctor", "--verbose"])
    assert "sk-secret" not in capsys.readouterr().out


def test_a_key_that_an_evalset_needs_has_to_reach_both_workflows(patient: Patient, look: Look) -> None:
    patient.configure(providers={"main": {"kind": "openai", "api_key_env": "MAIN_KEY"}})
    (patient.path / "talk.md").write_text("Answer: {{ question }}\n", encoding="utf-8")
    content = (patient.path / "evalsets" / "support-answers.eval.yaml").read_text(encoding="utf-8")
    chat = "target: {chat: {model: main/small-2026-01-01, prompt: talk.md}}"
    content = content.replace("evalset: support-answers", "evalset: talk").replace(
        'target: {python: "support_answers:answer"}', chat
    )
    (patient.path / "evalsets" / "talk.eval.yaml").write_text(content, encoding="utf-8")
    patient.commit()
    said = look()
    files = {one["file"] for one in said["findings"] if one["what"] == "is not given MAIN_KEY"}
    assert files == {GATE, DAILY}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("aioncall.yaml", "format: 1\nprovders: {}\n", "provders"),
        ("evalsets/support-answers.eval.yaml", "evalset: support-answers\n", "support-answers.eval.yaml"),
    ],
)
def test_files_that_do_not_load_are_told_beside_the_rest_and_exit_4(
    patient: Patient, look: Look, name: str, text: str, told: str
) -> None:
    (patient.path / name).write_text(text, encoding="utf-8")
    (patient.path / DAILY).unlink()
    said = look()
    assert said["exit_code"] == 4
    assert any(told in one["what"] for one in said["findings"] if one["level"] == "must")
    assert "no workflow runs the evals by the clock" in found(said), "one look finds all"


def test_a_mistake_in_the_environment_is_told_beside_the_rest(
    patient: Patient, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIONCALL_EPOCHS", "many")
    said = look()
    assert said["exit_code"] == 4
    assert any("AIONCALL_EPOCHS" in what for what in found(said))
    assert {"gate", "daily run"} <= {one["check"] for one in said["fine"]}


def test_online_a_broken_configuration_does_not_hide_the_token(
    patient: Patient, github: Told, look: Look
) -> None:
    (patient.path / "aioncall.yaml").write_text("provders: {}\n", encoding="utf-8")
    assert "GitHub" in {one["check"] for one in look("--online")["fine"]}


def test_a_workflow_that_is_no_yaml_is_one_finding(patient: Patient, look: Look) -> None:
    (patient.path / COMMENT).write_text("on: [\n", encoding="utf-8")
    said = look()
    (one,) = [one for one in said["findings"] if one["check"] == "workflows"]
    assert one["file"] == COMMENT
    assert said["exit_code"] == 1


def test_an_empty_folder_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert main(["doctor"]) == 4
    out = capsys.readouterr().out
    assert "no *.eval.yaml" in out
    assert "this is no git repository" in out
    assert "Traceback" not in out


class Told:
    """What the stand-in for GitHub's API answers, by path."""

    def __init__(self) -> None:
        home = "/repos/acme/app"
        self.answers: dict[str, Any] = {
            home: {"default_branch": "main", "has_issues": True, "archived": False},
            f"{home}/actions/workflows": {
                "workflows": [{"path": path, "state": "active"} for path in (GATE, COMMENT, DAILY)]
            },
            f"{home}/branches/aioncall-history": {"protected": True},
            f"{home}/rules/branches/aioncall-history": [],
            f"{home}/actions/secrets": {"secrets": [{"name": "PAGERDUTY_ROUTING_KEY"}]},
            f"{home}/environments/aioncall/secrets": {"secrets": []},
        }


@pytest.fixture
def github(patient: Patient, loopback: Any, told: Any, monkeypatch: pytest.MonkeyPatch) -> Told:
    answers = Told()
    monkeypatch.setenv("GITHUB_API_URL", loopback.url)
    monkeypatch.setenv("GH_TOKEN", "ghp_token0123456789")

    def tell(asked: Any) -> Any:
        assert asked.method == "GET", "it changes nothing"
        assert asked.headers["authorization"] == "Bearer ghp_token0123456789"
        body = answers.answers.get(asked.path.partition("?")[0])
        return told(status=404, body={"message": "Not Found"}) if body is None else told(body=body)

    loopback.tell = tell
    return answers


def test_online_a_repository_that_lacks_nothing_is_fine(github: Told, look: Look) -> None:
    said = look("--online")
    assert said["findings"] == []
    assert {"GitHub", "workflow states", "history branch", "secrets"} <= {
        one["check"] for one in said["fine"]
    }
    assert said["unknown"] == []


ONLINE = {
    "switched off": (
        "/actions/workflows",
        {"workflows": [{"path": p, "state": "active"} for p in (GATE, COMMENT)]
         + [{"path": DAILY, "state": "disabled_inactivity"}]},
        "is switched off (disabled_inactivity)", "must",
    ),
    "not there": ("/actions/workflows", {"workflows": []}, "GitHub has no such workflow", "must"),
    "archived": ("", {"archived": True}, "the repository is archived", "must"),
    "no issues": ("", {"has_issues": False}, "issues are switched off", "must"),
    "open history": (
        "/branches/aioncall-history", {"protected": False}, "aioncall-history is not protected", "should",
    ),
    "closed history": (
        "/rules/branches/aioncall-history", [{"type": "pull_request"}],
        "the rules of aioncall-history ask for pull_request", "must",
    ),
    "no secret": (
        "/actions/secrets", {"secrets": []}, "there is no secret PAGERDUTY_ROUTING_KEY", "must",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ONLINE)
def test_online_it_tells_what_only_github_knows(github: Told, look: Look, case: str) -> None:
    path, answer, what, level = ONLINE[case]
    github.answers[f"/repos/acme/app{path}"] = answer
    assert found(look("--online"))[what]["level"] == level


def test_a_secret_of_an_environment_that_the_job_does_not_name_is_not_there(
    patient: Patient, github: Told, look: Look
) -> None:
    home = "/repos/acme/app"
    secrets = {"secrets": [{"name": "PAGERDUTY_ROUTING_KEY"}]}
    github.answers |= {
        f"{home}/actions/secrets": {"secrets": []},
        f"{home}/environments/aioncall/secrets": secrets,
    }
    assert look("--online")["findings"] == []
    patient.change(
        DAILY, "    environment:\n      name: aioncall # holds the secrets\n      deployment: false\n", ""
    )
    one = found(look("--online"))["there is no secret PAGERDUTY_ROUTING_KEY"]
    assert one["fix"] == f"environment: aioncall at the job in {DAILY}"
    del github.answers[f"{home}/environments/aioncall/secrets"]
    one = found(look("--online"))["there is no secret PAGERDUTY_ROUTING_KEY"]
    assert one["fix"] == "gh secret set PAGERDUTY_ROUTING_KEY"


def test_a_secret_may_have_another_name_than_its_variable(patient: Patient, github: Told, look: Look) -> None:
    patient.change(DAILY, "secrets.PAGERDUTY_ROUTING_KEY", "secrets.OUR_PAGER")
    assert found(look("--online"))["there is no secret OUR_PAGER"]["fix"].endswith("OUR_PAGER --env aioncall")


def test_what_a_token_may_not_see_is_not_taken_for_missing(github: Told, look: Look) -> None:
    for path in ("actions/workflows", "actions/secrets", "branches/aioncall-history"):
        del github.answers[f"/repos/acme/app/{path}"]
    said = look("--online")
    assert said["findings"] == []
    assert {one["check"] for one in said["unknown"]} == {"workflow states", "history branch", "secrets"}


def test_an_environment_that_nobody_made_yet_is_named(patient: Patient, github: Told, look: Look) -> None:
    """GitHub has no list of its secrets then, and neither would `gh secret set --env` find it."""
    del github.answers["/repos/acme/app/environments/aioncall/secrets"]
    (one,) = look("--online")["unknown"]
    assert one["check"] == "secrets"
    assert one["why"].endswith("once Settings, Environments has it (aioncall)")


def test_rules_may_protect_the_history_instead_of_a_protected_branch(github: Told, look: Look) -> None:
    github.answers["/repos/acme/app/branches/aioncall-history"] = {"protected": False}
    rules = [{"type": "deletion"}, {"type": "non_fast_forward"}]
    github.answers["/repos/acme/app/rules/branches/aioncall-history"] = rules
    assert look("--online")["findings"] == []


def test_a_secret_of_the_organization_is_one_too(github: Told, look: Look) -> None:
    home = "/repos/acme/app"
    github.answers[f"{home}/actions/secrets"] = {"secrets": []}
    github.answers[f"{home}/actions/organization-secrets"] = {"secrets": [{"name": "PAGERDUTY_ROUTING_KEY"}]}
    assert look("--online")["findings"] == []


def test_without_a_token_or_a_server_it_says_what_it_could_not_look_at(
    patient: Patient, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = look("--online")["unknown"]
    assert "GITHUB_TOKEN" in one["why"]
    monkeypatch.setenv("GH_TOKEN", "ghp_token0123456789")
    for elsewhere in ("/somewhere/else", "https://gitlab.example.org/acme/app.git"):
        patient.git("config", "remote.origin.url", elsewhere)
        (one,) = look("--online")["unknown"]
        assert "origin is no repository of GitHub" in one["why"]


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/acme/app.git",
        "https://x-access-token:abc@github.com/acme/app",
        "git@github.com:acme/app.git",
        "ssh://git@github.com/acme/app.git",
        "ssh://git@github.com:22/acme/app",
    ],
)
def test_the_repository_is_read_from_any_address_of_its_remote(
    patient: Patient, github: Told, look: Look, address: str
) -> None:
    patient.git("config", "remote.origin.url", address)
    assert look("--online")["findings"] == []
