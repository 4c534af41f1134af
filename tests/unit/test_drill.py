"""A drill goes the whole way of a page, leaves nothing behind, and touches nothing that is real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fakes.github import FakeGitHub
from pytest_aioncall.adapters.net import Caller
from pytest_aioncall.cli import main
from pytest_aioncall.errors import UsageError
from pytest_aioncall.flows.drill import drill
from pytest_aioncall.model.config import Config
from pytest_aioncall.model.github import GitHub
from pytest_aioncall.settings import Settings

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CONFIG = {
    "oncall": {"timezone": "Europe/Berlin", "rotation": {"people": ["@ann"]}},
    "notifiers": {
        "pager": {"kind": "file", "path": "pages.jsonl"},
        "hook": {"kind": "slack", "url_env": "HOOK"},
    },
    "routes": {"tier1": ["pager", "hook", "github"]},
}


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub(now=lambda: NOW) as fake:
        yield fake


@pytest.fixture
def settings(github: FakeGitHub, loopback: Any, tmp_path: Path) -> Settings:
    return Settings(
        config=Config.model_validate(CONFIG),
        root=tmp_path,
        now=NOW,
        secrets={"HOOK": f"{loopback.url}/services/very-secret"},
        github=github.as_github(),
    )


@pytest.fixture
def calls() -> Iterator[Caller]:
    with Caller(sleep=lambda _: None) as caller:
        yield caller


def pages(root: Path) -> list[tuple[str, str]]:
    lines = (root / "pages.jsonl").read_text().splitlines()
    return [(page["action"], page["key"]) for page in map(json.loads, lines)]


def test_it_opens_pages_ends_and_closes(
    settings: Settings, github: FakeGitHub, loopback: Any, calls: Caller
) -> None:
    told = drill(settings, calls=calls)
    assert told.exit_code == 0
    assert [(step.name, step.what.split(":")[0]) for step in told.steps] == [
        ("github", "opened #1, assigned to ann"),
        ("pager", "page accepted"),
        ("hook", "page accepted"),
        ("pager", "end accepted"),
        ("hook", "end accepted"),
        ("github", "closed #1"),
    ]
    assert all(step.took_s is not None and step.took_s >= 0 for step in told.steps)
    (issue,) = github.issues
    assert (issue.state, issue.labels, issue.assignees) == ("closed", ["aioncall-drill"], ["ann"])
    assert "would have to be acknowledged by 2026-11-23 10:30+01:00" in issue.body.replace("\n", " ")
    assert pages(settings.root) == [
        ("trigger", "drill/20261123T090000Z"),
        ("resolve", "drill/20261123T090000Z"),
    ]
    assert "[drill]" in loopback.asked[0].json["text"]


def test_it_touches_nothing_real(settings: Settings, github: FakeGitHub, calls: Caller) -> None:
    """Neither an issue of ours, nor the outbox, nor the log: its label is its own."""
    github.add_issue("real", labels=["aioncall"], login=github.tokens[github.token])
    drill(settings, calls=calls)
    assert github.issue(1).state == "open" and github.comments(1) == []
    assert "aioncall" not in github.issue(2).labels
    assert sorted(path.name for path in settings.root.iterdir()) == ["pages.jsonl"]


def test_one_channel_alone(settings: Settings, github: FakeGitHub, calls: Caller) -> None:
    told = drill(settings, channel="pager", calls=calls)
    assert {step.name for step in told.steps} == {"pager"}
    assert github.calls == []


def test_a_channel_that_nobody_configured_is_said(settings: Settings) -> None:
    with pytest.raises(UsageError, match="did you mean 'pager'"):
        drill(settings, channel="pagr")


def test_dry_it_asks_nobody_and_says_what_is_missing(
    settings: Settings, github: FakeGitHub, loopback: Any, calls: Caller
) -> None:
    told = drill(replace(settings, secrets={}), dry_run=True, calls=calls)
    assert github.calls == [] == loopback.asked
    assert not (settings.root / "pages.jsonl").exists()
    assert [(step.name, step.state) for step in told.steps] == [
        ("pager", "would"),
        ("hook", "failed"),
        ("github", "would"),
    ]
    assert "HOOK is not set" in told.steps[1].what and told.exit_code == 7


def test_one_failure_does_not_keep_the_rest_from_being_tried_and_ended(
    settings: Settings, github: FakeGitHub, loopback: Any, told: Any, calls: Caller
) -> None:
    loopback.script(told(status=404, body="no_service at /services/very-secret"))
    result = drill(settings, calls=calls)
    assert result.exit_code == 7
    assert [step.state for step in result.steps] == ["ok", "ok", "failed", "ok", "ok"]
    assert "make a new incoming webhook" in result.steps[2].what
    assert "very-secret" not in "\n".join(result.lines)
    assert result.lines[-1] == "1 of 5 steps failed: a real page would not have arrived there"
    assert github.issue(1).state == "closed"


def test_an_issue_whose_reply_was_lost_is_found_and_closed(
    settings: Settings, github: FakeGitHub, calls: Caller
) -> None:
    github.fail_next("lost", method="POST", path="/issues")
    assert drill(settings, channel="github", calls=calls).exit_code == 0
    assert [issue.state for issue in github.issues] == ["closed"]


def test_kept_it_stays_open_and_says_what_to_end(
    settings: Settings, github: FakeGitHub, calls: Caller
) -> None:
    told = drill(settings, keep=True, calls=calls)
    assert github.issue(1).state == "open" and [a for a, _ in pages(settings.root)] == ["trigger"]
    assert told.lines[-1] == "kept open, as asked: issue #1, pager, hook; end it by hand"


def test_somebody_whom_github_cannot_assign_is_named(
    settings: Settings, github: FakeGitHub, calls: Caller
) -> None:
    github.state.assignable = {"bo"}
    assert "@ann cannot be assigned there" in drill(settings, channel="github", calls=calls).steps[0].what


def test_outside_of_a_job_the_issue_fails_and_says_why(settings: Settings, calls: Caller) -> None:
    told = drill(replace(settings, github=GitHub()), calls=calls)
    assert told.steps[0].state == "failed" and "GITHUB_REPOSITORY is not set" in told.steps[0].what
    assert told.exit_code == 7


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_REPOSITORY", "AIONCALL_NOW", "CI"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "aioncall.yaml").write_text(
        "notifiers: {pager: {kind: file, path: pages.jsonl}}\nroutes: {tier1: [pager]}\n"
    )
    return tmp_path


def test_the_verb_prints_a_line_a_step(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "--root", str(project), "--now", "2026-11-23T09:00:00Z"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split("  (")[0] for line in said] == [
        "ok      pager: page accepted",
        "ok      pager: end accepted",
        "everything was accepted; none of it makes a phone ring",
    ]
    assert [action for action, _ in pages(project)] == ["trigger", "resolve"]


def test_the_verb_gives_data(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "--root", str(project), "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["steps"] == [
        {"name": "pager", "what": "send a page and its end (file)", "state": "would", "took_s": None}
    ]
    assert main(["drill", "--root", str(project), "--channel", "nobody"]) == 4
    assert "no notifier 'nobody'" in capsys.readouterr().err
