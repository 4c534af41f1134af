"""`aioncall publish issues` at a GitHub with state: failures, lost replies, races, kills, nobody there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fakes.github import BOT, FakeGitHub
from history_worlds import killed_at
from issue_days import alert, alerts_of, at, condition, day, no_data, without_marker
from pytest_aioncall.adapters.history import HistoryFolder, write_alerts
from pytest_aioncall.adapters.net import Caller
from pytest_aioncall.adapters.notifiers.file import FileNotifier
from pytest_aioncall.adapters.trackers import GitHubTracker
from pytest_aioncall.cli import main
from pytest_aioncall.flows.daily import ISSUES, _issues
from pytest_aioncall.flows.issues import Published, publish_issues
from pytest_aioncall.model.alert import AlertsFile
from pytest_aioncall.model.config import Config
from pytest_aioncall.model.run import Run
from pytest_aioncall.settings import Settings

TESTS = Path(__file__).parents[1]
CONFIG: dict[str, Any] = {
    "oncall": {"rotation": {"people": ["@ann", "@bo"]}, "channel": "lines"},
    "notifiers": {"lines": {"kind": "file", "path": "pages.jsonl"}},
    "routes": {"tier1": ["github", "lines"]},
}


class Clock:
    now: datetime = at(0)

    def __call__(self) -> datetime:
        return self.now


class Job:
    """The scheduled job: a run folder with alerts, a history, and the command."""

    def __init__(self, root: Path, github: FakeGitHub, clock: Clock) -> None:
        self.root, self.github, self.clock = root, github, clock
        self.history = HistoryFolder(root / "history", where="a folder")
        (root / "aioncall.yaml").write_text(json.dumps({"format": 1, **CONFIG}))

    def lay(self, alerts: AlertsFile, *, now: datetime) -> Path:
        """Leave the run folder as monitor leaves it."""
        folder = self.root / ".aioncall" / "runs" / alerts.run
        folder.mkdir(parents=True, exist_ok=True)
        run = Run(id=alerts.run, created_at=alerts.created_at, complete=True, ended_at=alerts.created_at)
        (folder / "run.json").write_text(run.model_dump_json())
        write_alerts(folder, alerts)
        self.clock.now = now
        return folder

    def publish(self, alerts: AlertsFile, *, now: datetime, github: Any = None, **more: Any) -> Published:
        self.lay(alerts, now=now)
        settings = Settings(
            config=Config.model_validate(CONFIG),
            root=self.root,
            now=now,
            github=github or self.github.as_github(),
        )
        caller = Caller(sleep=lambda _: None)
        with caller:
            tracker = GitHubTracker(settings.github, caller=caller) if settings.github.is_there else None
            return publish_issues(
                alerts.run,
                settings=settings,
                history=self.history,
                tracker=tracker,
                pause=lambda _: None,
                **more,
            )

    def command(self, run: str, *, now: datetime) -> list[str]:
        return [
            *("publish", "issues", "--run", run, "--root", str(self.root)),
            *("--history", f"{self.root}/history/", "--now", now.isoformat()),
        ]

    def pages(self) -> list[str]:
        file = self.root / "pages.jsonl"
        return [json.loads(line)["id"] for line in file.read_text().splitlines()] if file.exists() else []

    def seen(self) -> list[Any]:
        """Return all that people see, whatever the numbers and the order of comments."""

        def plain(text: str | None) -> str:
            return re.sub(r"#\d+", "#N", without_marker(text or ""))

        return sorted(
            [
                [i.title, plain(i.body), i.state, i.assignees, sorted(plain(c.body) for c in i.comments)]
                for i in self.github.issues
            ]
        )


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    clock = Clock()
    with FakeGitHub(now=clock) as github:
        yield Job(tmp_path, github, clock)


def a_week() -> list[AlertsFile]:
    """Return a bad day, a worse one with a second feature, an outage, a recovery, and a recurrence."""
    over = {"first": 1, "last": 2, "good": [4, 5, 6], "recovered": 6}
    down = (("triage", 1), ("search", 2))
    ended = condition(6, state="good", **over).episode
    assert ended is not None
    return [
        alerts_of(condition(1, first=1), condition(1, "search", state="good")),
        alerts_of(condition(2, first=1, last=2), condition(2, "search", first=2)),
        alerts_of(*(condition(3, n, state="not_judged", first=f, last=2) for n, f in down)),
        alerts_of(
            condition(4, state="good", first=1, last=2, good=[4]), condition(4, "search", first=2, last=4)
        ),
        alerts_of(condition(6, state="good", **over), condition(6, "search", first=2, last=6)),
        alerts_of(condition(8, first=8, earlier=[ended]), condition(8, "search", first=2, last=8)),
    ]


def number_of(alerts: AlertsFile) -> int:
    return int(alerts.run[-2:])


def live(job: Job) -> None:
    for alerts in a_week():
        for _ in range(8):
            if job.publish(alerts, now=at(number_of(alerts))).exit_code == 0:
                break
        else:
            raise AssertionError("never done")


def test_a_week_at_github_is_two_issues_with_a_closing_and_a_recurrence(job: Job) -> None:
    live(job)
    assert [(i.title.split(".")[0], i.state, i.state_reason) for i in job.github.issues] == [
        ("triage", "open", "reopened"),
        ("search", "open", None),
    ]
    assert all(issue.user == BOT and issue.labels == ["aioncall"] for issue in job.github.issues)
    told = [c.body for c in job.github.comments(1)]
    assert sum("Recovered: judged good" in text for text in told) == 1
    assert sum("It is back since" in text for text in told) == 1
    pages = [one for one in job.pages() if "|trigger|" in one]
    assert len(pages) == len(set(pages)) > 2


@pytest.mark.parametrize("seed", range(4))
def test_a_fifth_of_all_calls_failing_changes_nothing_about_the_end(tmp_path: Path, seed: int) -> None:
    """Refused, limited, cut off before and after: no page is lost, nothing is said twice."""
    ends = []
    for rate in (0.0, 0.2):
        clock = Clock()
        with FakeGitHub(now=clock) as github:
            github.fail(rate=rate, seed=seed)
            (tmp_path / str(rate)).mkdir()
            job = Job(tmp_path / str(rate), github, clock)
            live(job)
            github.fail(rate=0.0)
            ends.append((job.seen(), sorted(set(job.pages()))))
    assert ends[0] == ends[1]


def test_five_processes_at_once_leave_one_issue_a_feature_and_one_line_a_day(job: Job) -> None:
    week = a_week()
    job.publish(week[0], now=at(1))
    alerts, now = week[1], at(2)
    job.lay(alerts, now=now)
    env = {**os.environ, **job.github.env()}
    script = "import sys; from pytest_aioncall.cli import main; sys.exit(main(sys.argv[1:]))"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, *job.command(alerts.run, now=now)],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(5)
    ]
    said = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 5, said
    job.publish(alerts, now=now)
    assert sorted(issue.title.split(".")[0] for issue in job.github.open_issues) == ["search", "triage"]
    others = [issue for issue in job.github.issues if issue.state == "closed"]
    assert all("### Duplicate of #" in (issue.body or "") for issue in others)
    first = job.github.comments(1)
    assert sum(comment.body.startswith(f"{day(2)}: ") for comment in first) == 1


STEPS = ((Caller, "call"), (HistoryFolder, "_write"), (FileNotifier, "send"))


def told_of_steps(job: Job, alerts: AlertsFile, *, now: datetime, step: Callable[[str], None]) -> None:
    """Publish, and name each call that changes something before it is done, and the end."""

    def told(real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(self: Any, *arguments: Any, **named: Any) -> Any:
            if "GET" not in arguments:
                said = [one.replace(job.github.url, "") for one in arguments if isinstance(one, str)]
                step(" ".join([name, *said])[:80])
            return real(self, *arguments, **named)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in STEPS:
            patch.setattr(owner, name, told(getattr(owner, name), name))
        assert job.publish(alerts, now=now).exit_code == 0
    step("end")


def test_kill_nine_between_any_two_steps_and_a_rerun_come_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before each call, each record of the history, each line to a notifier, and at the very end."""
    monkeypatch.setattr(os, "fsync", lambda _: None)  # The machine goes on, and waiting for a disk is slow.
    week = a_week()[:2]
    clock = Clock()

    def begun(folder: str, github: FakeGitHub) -> Job:
        (tmp_path / folder).mkdir()
        job = Job(tmp_path / folder, github, clock)
        job.publish(week[0], now=at(1))
        return job

    steps: list[str] = []
    with FakeGitHub(now=clock) as github:
        job = begun("clean", github)
        told_of_steps(job, week[1], now=at(2), step=steps.append)
        clean = (job.seen(), sorted(set(job.pages())))
    for part in ("call POST", "call PATCH", "_write markers", "_write outbox", "_write deliveries", "send"):
        assert any(name.startswith(part) for name in steps), part
    killed = []
    for number in range(len(steps)):
        with FakeGitHub(now=clock) as github:
            job = begun(f"killed-{number}", github)
            work = partial(told_of_steps, job, week[1], now=at(2))
            killed.append(killed_at(number, lambda step, work=work: work(step=step)))
            assert job.publish(week[1], now=at(2)).exit_code == 0
            assert (job.seen(), sorted(set(job.pages()))) == clean, killed[-1]
    assert killed == steps


def test_without_a_token_it_says_what_is_missing_and_nothing_is_done(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    job.lay(a_week()[0], now=at(1))
    assert main(job.command("run-01", now=at(1))) == 4
    said = capsys.readouterr().err
    assert "GITHUB_REPOSITORY is not set" in said
    assert "set it to OWNER/NAME" in said and "GITHUB_TOKEN" not in said
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/app")
    assert main(job.command("run-01", now=at(1))) == 4
    assert "give the step env: GITHUB_TOKEN: ${{ github.token }}" in capsys.readouterr().err
    monkeypatch.delenv("GITHUB_REPOSITORY")
    assert main([*job.command("run-01", now=at(1)), "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "would open 'triage.daily.route" in told
    assert "shown as if there were no issue yet" in told
    assert job.pages() == []


def test_a_dry_run_asks_and_changes_nothing(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job.publish(a_week()[0], now=at(1))
    written = len(job.github.written())
    job.lay(a_week()[1], now=at(2))
    for name, value in job.github.env().items():
        monkeypatch.setenv(name, value)
    assert main([*job.command("run-02", now=at(2)), "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["dry_run"] is True
    assert sorted((step["what"].split(" '")[0], step["issue"]) for step in told["steps"]) == [
        ("would comment (day) on", 1),
        ("would comment (escalated) on", 1),
        ("would open", None),
        ("would update", 1),
    ]
    assert len(job.github.written()) == written


def test_every_step_is_a_line_with_the_address_of_its_issue(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job.lay(a_week()[0], now=at(1))
    for name, value in job.github.env().items():
        monkeypatch.setenv(name, value)
    assert main(job.command("run-01", now=at(1))) == 0
    told = capsys.readouterr().out
    assert "opened #1 (triage): https://github.com/acme/app/issues/1" in told
    assert "updated" not in told, "its number is written into it, which is part of opening it"
    assert main(job.command("run-01", now=at(1))) == 0
    assert "nothing to do" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["errors", "judge_unavailable"])
def test_an_outage_without_a_notifier_says_that_nobody_is_told(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """By the default routes an outage has no channel but the red run: it is no "nothing to do" and no 0."""
    (job.root / "aioncall.yaml").write_text("format: 1\n")
    out = alert(kind=kind, scorer=None, quality=False)
    job.lay(alerts_of(condition(1, state="not_judged", alerts=[out])), now=at(1))
    for name, value in job.github.env().items():
        monkeypatch.setenv(name, value)
    assert main([*job.command("run-01", now=at(1)), "--dry-run"]) == 0
    capsys.readouterr()
    assert main(job.command("run-01", now=at(1))) == 7
    told = capsys.readouterr().out
    assert "nothing to do" not in told and "run it again" not in told
    assert (
        f"note: {kind} (triage): an outage opens no issue; the red workflow run is the signal; "
        "add a notifier to routes.tier1 to be paged" in told
    )
    assert job.github.issues == []
    (job.root / "aioncall.yaml").write_text(json.dumps({"format": 1, **CONFIG}))
    assert main(job.command("run-01", now=at(1))) == 0
    assert "opens no issue" not in capsys.readouterr().out
    assert len(job.pages()) == 1, "with a notifier on the route it is paged"


def test_a_line_for_the_weekly_review_is_no_outage(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = alert(kind="provider_change", tier=3, scorer=None, quality=False)
    job.lay(alerts_of(condition(1, state="good", alerts=[changed])), now=at(1))
    for name, value in job.github.env().items():
        monkeypatch.setenv(name, value)
    assert main(job.command("run-01", now=at(1))) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_a_channel_of_the_route_that_misses_a_page_fails_the_step_though_an_issue_stands(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A secret that is not there is found on the first day, not when nobody came."""
    told = {"oncall": {"rotation": {"people": ["@ann", "@bo"]}}, "routes": {"tier1": ["github", "slack"]}}
    (job.root / "aioncall.yaml").write_text(json.dumps({"format": 1, **told}))
    monkeypatch.delenv("SLACK_WEBHOOK_URL", raising=False)
    for name, value in job.github.env().items():
        monkeypatch.setenv(name, value)
    for number in (1, 2):
        job.lay(alerts_of(condition(number, first=1, last=number)), now=at(number))
        assert main([*job.command(f"run-0{number}", now=at(number)), "--json"]) == 7
        said = json.loads(capsys.readouterr().out)
        assert said["exit_code"] == 7
        (failed,) = said["failed"]
        assert failed.startswith("slack could not be told of triage.daily.route")
        assert "SLACK_WEBHOOK_URL is not set" in failed and "the next run tries again" in failed
    assert len(job.github.issues) == 1


def test_what_may_not_write_issues_says_which_permission_is_missing_and_the_page_goes_out(job: Job) -> None:
    job.github.read_only = True
    done = job.publish(a_week()[0], now=at(1))
    assert done.exit_code == 7
    assert any("issues: write" in line for line in done.failed), done.failed
    assert any("run it again to finish it" in line for line in done.lines)
    assert len(job.pages()) == 1


def test_a_server_that_is_not_there_loses_no_page(job: Job) -> None:
    nobody = job.github.as_github(api_url="http://127.0.0.1:9")
    done = job.publish(a_week()[0], now=at(1), github=nobody)
    assert done.exit_code == 7
    assert len(job.pages()) == 1
    assert job.publish(a_week()[0], now=at(1)).exit_code == 0
    assert len(job.github.issues) == 1
    assert len(job.pages()) == 1


def test_where_no_run_is_the_alerts_of_the_store_are_published_once(job: Job) -> None:
    """Of a night on which nothing ran, the monitor leaves them there."""
    missing = condition(3, alerts=(no_data(since=3),), state="good")
    (job.root / ".aioncall").mkdir()
    write_alerts(job.root / ".aioncall", alerts_of(missing))
    given = {"config": Config(), "root": job.root, "github": job.github.as_github()}
    settings = Settings(**given, now=at(6))
    with Caller(sleep=lambda _: None) as caller:
        tracker = GitHubTracker(settings.github, caller=caller)
        first = publish_issues("latest", settings=settings, tracker=tracker)
        assert first.done and first.run == "latest" and len(job.github.open_issues) == 1
        assert not publish_issues("latest", settings=settings, tracker=tracker).done
        job.lay(alerts_of(condition(7, state="good")), now=at(7))
        settings = Settings(**given, now=at(7))
        assert publish_issues("latest", settings=settings, tracker=tracker).done
    assert job.github.open_issues == [], "the alerts of a run go before those of the store"


def test_a_run_without_alerts_names_the_command_that_makes_them(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = job.lay(a_week()[0], now=at(1))
    (folder / "alerts.json").unlink()
    assert main(job.command("run-01", now=at(1))) == 4
    said = capsys.readouterr().err
    assert said.rstrip().endswith(f"aioncall monitor --run run-01 --history {job.root}/history/"), (
        "as it was named"
    )


@pytest.mark.parametrize("text", ['{"format": 2}', "[" * 100_000, '{"format": 1, "run": 3}', "\x00"])
def test_alerts_that_are_none_are_a_line_and_no_traceback(
    job: Job, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    folder = job.lay(a_week()[0], now=at(1))
    (folder / "alerts.json").write_text(text)
    assert main(job.command("run-01", now=at(1))) == 4
    said = capsys.readouterr().err
    assert "alerts.json" in said
    assert "Traceback" not in said


def test_a_person_who_may_not_be_assigned_costs_no_page(job: Job) -> None:
    job.github.state.assignable = {"zoe"}
    assert job.publish(a_week()[0], now=at(1)).exit_code == 0
    (issue,) = job.github.issues
    assert issue.assignees == []
    assert "@ann" in (issue.body or "")


def test_people_are_heard_at_github_members_and_nobody_else(job: Job) -> None:
    job.github.add_user("bo", association="MEMBER")
    job.github.add_user("eve", association="NONE")
    week = a_week()
    job.publish(week[0], now=at(1))
    job.clock.now = at(1) + timedelta(minutes=10)
    job.github.comment(1, "/ack", login="eve")
    job.github.comment(1, "/ack", login="bo")
    job.publish(week[1], now=at(2))
    assert "**Acknowledged** by `bo`" in (job.github.issue(1).body or "")
    assert any("acknowledge" in page for page in job.pages())


def test_label_wontfix_lets_go_and_the_pages_stop(job: Job) -> None:
    week = a_week()
    job.publish(week[0], now=at(1))
    job.github.change(1, labels=["aioncall", "wontfix"])
    body, pages = job.github.issue(1).body, job.pages()
    done = job.publish(alerts_of(condition(2, first=1, last=2)), now=at(2))
    assert job.github.issue(1).body == body
    assert job.github.comments(1) == []
    assert job.pages() == pages
    assert any("let go of" in line for line in done.remarks)


@pytest.mark.parametrize("names", [["triage"], ["a", "b", "c", "d"]], ids=["one", "storm"])
def test_an_issue_whose_marker_and_title_are_gone_is_known_by_its_number_and_the_pages_stop(
    job: Job, names: list[str]
) -> None:
    """Which number stood for what is a record of the history: nothing that a person edits in an issue."""
    job.publish(alerts_of(*(condition(1, name, first=1) for name in names)), now=at(1))
    job.github.change(1, title="Investigating", body="We know about this one.")
    pages = job.pages()
    done = job.publish(alerts_of(*(condition(2, name, first=1, last=2) for name in names)), now=at(2))
    assert [(issue.number, issue.title) for issue in job.github.issues] == [(1, "Investigating")]
    assert job.pages() == pages
    assert done.remarks == ("#1: a person let go of this episode; left alone",)


def test_who_let_go_of_lost_data_still_hears_of_an_outage(job: Job) -> None:
    job.publish(alerts_of(condition(1, state="not_judged", alerts=[no_data(since=1)])), now=at(1))
    job.github.change(1, labels=["aioncall", "wontfix"])
    before = len(job.pages())
    job.publish(alerts_of(condition(2, state="not_judged", alerts=[no_data(since=1)])), now=at(2))
    assert len(job.pages()) == before
    out = alert(kind="errors", scorer=None, quality=False)
    job.publish(alerts_of(condition(3, state="not_judged", alerts=[no_data(since=1), out])), now=at(3))
    assert len(job.github.issues) == 1
    assert [page.partition("|")[2] for page in job.pages() if "/errors/" in page] == ["trigger|t1|lines"]


def test_what_a_pull_request_is_told_of_an_issue_is_what_was_published(job: Job) -> None:
    """Which open issue an evalset has: its own, or the storm that it is in; none once that is closed."""

    def told(alerts: AlertsFile, number: int) -> dict[str, tuple[int, str | None]]:
        assert job.publish(alerts, now=at(number)).exit_code == 0
        return _issues(HistoryFolder(job.history.path).records(ISSUES))

    url = "https://github.com/acme/app/issues"
    assert told(alerts_of(condition(1, first=1), condition(1, "x", state="good")), 1) == {
        "triage": (1, f"{url}/1")
    }
    storm = [condition(2, name, first=2) for name in "abcd"]
    assert told(alerts_of(condition(2, first=1, last=2), *storm), 2) == {
        "triage": (1, f"{url}/1"),
        **dict.fromkeys("abcd", (2, f"{url}/2")),
    }
    over = condition(5, state="good", first=1, last=2, good=[3, 4, 5], recovered=5)
    left = [condition(5, name, state="good", first=2, good=[3, 4, 5], recovered=5) for name in "abc"]
    assert told(alerts_of(over, *left, condition(5, "d", first=2, last=5)), 5) == {"d": (2, f"{url}/2")}


def test_a_history_that_cannot_be_reached_holds_no_issue_and_no_page_back(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    git = ["git", "-C", str(job.root)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "remote", "add", "origin", str(job.root / "gone.git")], check=True)
    job.lay(a_week()[0], now=at(1))
    for name, value in job.github.env().items():
        monkeypatch.setenv(name, value)
    arguments = ["publish", "issues", "--run", "run-01", "--root", str(job.root), "--now", at(1).isoformat()]
    assert main([*arguments, "--history", "aioncall-history"]) == 7
    assert "did not arrive" in capsys.readouterr().out
    assert len(job.github.issues) == 1
    assert len(job.pages()) == 1
    assert main([*arguments, "--history", "aioncall-history"]) == 7
    assert len(job.pages()) == 1, "the log was kept on this machine"


def test_run_again_goes_on_with_the_history_that_was_named(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    job.github.read_only = True
    job.lay(a_week()[0], now=at(1))
    for name, value in job.github.env().items():
        monkeypatch.setenv(name, value)
    assert main(job.command("run-01", now=at(1))) == 7
    again = f"run it again to finish it: aioncall publish issues --run run-01 --history {job.root}/history/"
    assert again in capsys.readouterr().out.splitlines()
    assert main([word for word in job.command("run-01", now=at(1)) if "history" not in word]) == 7
    assert "publish issues --run run-01\n" in capsys.readouterr().out


def test_a_storm_that_begins_while_github_is_down_is_one_page(job: Job) -> None:
    names = [f"feature-{n}" for n in range(5)]
    storm = alerts_of(*(condition(1, name, first=1) for name in names))
    nobody = job.github.as_github(api_url="http://127.0.0.1:9")
    assert job.publish(storm, now=at(1), github=nobody).exit_code == 7
    assert len(job.pages()) == 1
    assert job.publish(storm, now=at(1)).exit_code == 0
    assert (len(job.pages()), len(job.github.issues)) == (1, 1)


def test_a_storm_is_one_page_and_what_the_issue_hears_is_passed_on(job: Job) -> None:
    names = [f"feature-{n}" for n in range(5)]
    job.github.add_user("bo")
    job.publish(alerts_of(*(condition(1, name, first=1) for name in names)), now=at(1))
    assert len(job.pages()) == 1
    job.clock.now = at(1) + timedelta(minutes=10)
    job.github.comment(1, "/snooze 2d", login="bo")
    job.publish(alerts_of(*(condition(2, name, first=1, last=2) for name in names)), now=at(2))
    assert len(job.pages()) == 1, "snoozed"
    job.publish(alerts_of(*(condition(4, name, first=1, last=4) for name in names)), now=at(4))
    assert any("escalated" in page for page in job.pages())
    assert len(job.github.issues) == 1
