"""The one comment of a pull request, at a GitHub with state: edited in place, found by marker and author."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fakes.github import BOT, FakeGitHub
from pytest_aioncall.adapters.net import Caller
from pytest_aioncall.adapters.render.markdown import read_marker
from pytest_aioncall.adapters.trackers import GitHubTracker
from pytest_aioncall.errors import DeliveryError, LoadError, UsageError
from pytest_aioncall.flows.publishing import publish_check, publish_comment
from pytest_aioncall.model.config import Config
from pytest_aioncall.model.report import EvalsetReport, Report
from pytest_aioncall.settings import Settings
from rendered_markdown import assert_shown_and_nothing_else

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
import pull_request_reports
import reports

NOW = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)
HEAD = "9f3c2e1b0a9d8c7b6a5f4e3d2c1b0a9f8e7d6c5b"
HOME = "https://github.com/acme/app/"


class Desk:
    """A repository with one pull request, and the job that publishes."""

    def __init__(self, folder: Path, github: FakeGitHub) -> None:
        self.folder, self.github = folder, github
        self.pull = github.add_pull(HEAD).number
        self.report = folder / "report.json"
        self.summary = folder / "summary.md"
        self.event: dict[str, Any] = {"pull_request": {"number": self.pull, "head": {"sha": HEAD}}}
        self.name = "pull_request"

    def settings(self, *, run: int = 1001, attempt: int = 1, **change: Any) -> Settings:
        path = self.folder / "event.json"
        path.write_text(json.dumps(self.event))
        told = {
            "run_id": str(run),
            "run_attempt": attempt,
            "event_name": self.name,
            "event_path": path,
            "base_ref": "main",
            "summary": self.summary,
            **change,
        }
        return Settings(config=Config(), root=self.folder, now=NOW, github=self.github.as_github(**told))

    def publish(self, report: Report | str, *, run: int = 1001, attempt: int = 1, **more: Any) -> Any:
        text = report if isinstance(report, str) else report.model_dump_json()
        self.report.write_text(text, encoding="utf-8", errors="backslashreplace")
        settings = self.settings(run=run, attempt=attempt, **more.pop("told", {}))
        caller = Caller(sleep=lambda _s: None)
        tracker = GitHubTracker(settings.github, caller=caller)
        try:
            return publish_comment(str(self.report), settings=settings, tracker=tracker, **more)
        finally:
            caller.close()

    @property
    def bodies(self) -> list[str]:
        return [comment.body for comment in self.github.comments(self.pull)]

    @property
    def writes(self) -> int:
        return len(self.github.written())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with FakeGitHub(repository="acme/app", now=lambda: NOW) as github:
        yield Desk(tmp_path, github)


def state_of(body: str) -> str:
    marker = read_marker(body)
    assert marker is not None, body[:200]
    return marker.state


def test_green_and_never_red_says_nothing(desk: Desk) -> None:
    done = desk.publish(reports.passing())
    assert (done.action, desk.bodies, desk.writes) == ("silent", [], 0)


def test_red_is_said_once_and_edited_in_place(desk: Desk) -> None:
    assert desk.publish(reports.regressed()).action == "created"
    assert len(desk.bodies) == 1
    assert state_of(desk.bodies[0]) == "red"
    assert "\n### aioncall: regressed - `ticket-triage`: `route` on `shape=long`\n" in desk.bodies[0]
    assert desk.publish(reports.floor_broken(), run=1002).action == "changed"
    assert len(desk.bodies) == 1
    assert "must and require broken" in desk.bodies[0]


def test_the_same_run_published_twice_changes_nothing(desk: Desk) -> None:
    desk.publish(reports.regressed())
    before = desk.writes
    assert desk.publish(reports.regressed()).action == "kept"
    assert desk.writes == before


def test_after_red_green_is_said_as_resolved_and_then_no_more(desk: Desk) -> None:
    desk.publish(reports.regressed())
    assert desk.publish(reports.passing(), run=1002).action == "resolved"
    assert state_of(desk.bodies[0]) == "resolved"
    assert "### aioncall: resolved - pass: `ticket-triage`" in desk.bodies[0]
    assert "q-017" not in desk.bodies[0]
    before = desk.writes
    assert desk.publish(reports.passing(), run=1003).action == "kept"
    assert desk.writes == before
    assert desk.publish(reports.regressed(), run=1004).action == "changed"
    assert [state_of(body) for body in desk.bodies] == ["red"]


@pytest.mark.parametrize("state", ["suspected", "cannot_judge", "not_comparable", "accepted", "not_recorded"])
def test_what_fails_nothing_and_somebody_should_see_is_said(desk: Desk, state: str) -> None:
    assert desk.publish(reports.STATES[state]()).action == "created"
    assert state_of(desk.bodies[0]) == "open"


@pytest.mark.parametrize(
    "state", ["no_baseline", "no_drop_seen", "slower", "replayed", "partial", "interrupted"]
)
def test_what_nobody_has_to_act_on_is_not(desk: Desk, state: str) -> None:
    assert desk.publish(reports.STATES[state]()).action == "silent"
    assert desk.bodies == []


@pytest.mark.parametrize("state", ["partial", "interrupted"])
def test_a_run_that_was_not_judged_resolves_nothing(desk: Desk, state: str) -> None:
    desk.publish(reports.regressed())
    assert desk.publish(reports.STATES[state](), run=1002).action == "silent"
    assert state_of(desk.bodies[0]) == "red"


def test_what_could_not_be_judged_after_red_stays_red(desk: Desk) -> None:
    desk.publish(reports.regressed())
    assert desk.publish(reports.cannot_judge(), run=1002).action == "changed"
    assert state_of(desk.bodies[0]) == "red"
    assert "cannot judge" in desk.bodies[0]


def test_an_older_run_that_ends_late_does_not_overwrite_a_newer_one(desk: Desk) -> None:
    desk.publish(reports.regressed(), run=1002)
    body = desk.bodies[0]
    assert desk.publish(reports.passing(), run=1001).action == "kept"
    assert desk.bodies == [body]
    assert desk.publish(reports.passing(), run=1002, attempt=2).action == "resolved"


def test_somebody_elses_marker_is_a_quotation(desk: Desk) -> None:
    desk.publish(reports.regressed())
    ours = desk.bodies[0]
    desk.github.comment(
        desk.pull, ours.replace("state=red", "state=resolved").replace("run=1001", "run=9999")
    )
    desk.github.comment(desk.pull, f"I saw this:\n{ours}")
    assert desk.publish(reports.floor_broken(), run=1002).action == "changed"
    assert [comment.user for comment in desk.github.comments(desk.pull)] == [BOT, "ann", "ann"]
    assert "resolved" in desk.bodies[1]


def test_a_comment_of_the_bot_that_is_not_ours_is_left_alone(desk: Desk) -> None:
    desk.github.comment(desk.pull, "coverage: 90 %", login=BOT)
    desk.publish(reports.regressed())
    desk.publish(reports.passing(), run=1002)
    assert desk.bodies[0] == "coverage: 90 %"
    assert len(desk.bodies) == 2


def test_it_is_found_on_any_page(desk: Desk) -> None:
    for n in range(130):
        desk.github.comment(desk.pull, f"talk {n}")
    desk.publish(reports.regressed())
    for n in range(120):
        desk.github.comment(desk.pull, f"more talk {n}")
    assert desk.publish(reports.passing(), run=1002).action == "resolved"
    assert len(desk.bodies) == 251


def test_two_of_ours_become_one(desk: Desk) -> None:
    """Runs that overlapped may each have written one; the older one stays, with what the newer one says."""
    desk.publish(reports.regressed())
    desk.github.comment(desk.pull, desk.bodies[0].replace("run=1001", "run=1003"), login=BOT)
    assert desk.publish(reports.passing(), run=1002).action == "kept"
    assert desk.publish(reports.passing(), run=1004).action == "resolved"
    assert [state_of(body) for body in desk.bodies] == ["resolved"]


def test_a_part_that_was_not_judged_takes_nothing_back(desk: Desk) -> None:
    """One evalset is green, of the other only a part ran: that one may be what was red."""
    desk.publish(reports.regressed())
    both = reports.report(reports.passing().evalsets[0], reports.partial().evalsets[0])
    assert desk.publish(both, run=1002).action == "silent"
    assert state_of(desk.bodies[0]) == "red"


def named(name: str, report: Report) -> EvalsetReport:
    """Return the evalset of a report under another name."""
    one = report.evalsets[0]
    return one.model_copy(update={"planned": one.planned.model_copy(update={"evalset": name})})


def test_a_run_without_the_red_evalset_resolves_nothing(desk: Desk) -> None:
    """It was left out of that run, whoever did it: only its own judgement takes back that it is red."""
    desk.publish(reports.report(named("b--ill", reports.regressed()), named("well", reports.passing())))
    body = desk.bodies[0]
    well = reports.report(named("well", reports.passing()))
    done = desk.publish(well, run=1002)
    assert done.action == "kept" and "b--ill" in done.note
    assert desk.bodies == [body]
    desk.publish(reports.report(named("well", reports.suspected())), run=1003)
    assert state_of(desk.bodies[0]) == "red"
    assert desk.publish(well, run=1004).action == "kept"
    both = reports.report(named("b--ill", reports.passing()), named("well", reports.passing()))
    assert desk.publish(both, run=1005).action == "resolved"


def test_a_run_that_the_change_narrowed_is_said(desk: Desk) -> None:
    """Exit 7 because nobody chose the part: also where no comment was there before."""
    narrowed = reports.partial().model_copy(update={"exit_code": 7})
    assert desk.publish(narrowed).action == "created"
    assert state_of(desk.bodies[0]) == "open"


def test_a_report_of_another_run_is_refused(desk: Desk) -> None:
    """It lay there before, or came out of a cache: this run wrote none."""
    stale = reports.passing().model_copy(update={"workflow_run": "999"})
    with pytest.raises(UsageError, match="of workflow run '999', and asked for is that of 1001"):
        desk.publish(stale)
    assert desk.publish(stale, run=999).action == "silent"


@pytest.mark.parametrize("link", [False, True])
def test_a_committed_report_is_refused(desk: Desk, link: bool) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=desk.folder, check=True, capture_output=True)

    git("init", "--quiet")
    there = desk.folder / "kept.json" if link else desk.report
    there.write_text("{}")
    git("add", "--force", there.name)
    if link:
        desk.report.symlink_to(there)
    with pytest.raises(UsageError, match="is committed, so it says nothing of this run"):
        desk.publish(reports.passing())


def test_a_change_that_affects_nothing_any_more_is_resolved(desk: Desk) -> None:
    desk.publish(reports.regressed())
    assert desk.publish(pull_request_reports.unaffected(), run=1002).action == "resolved"
    assert "nothing that this change touches now can affect an eval" in desk.bodies[0]


@pytest.mark.parametrize("state", ["not_run", "already", "acceptance"])
def test_what_only_a_pull_request_meets_is_said(desk: Desk, state: str) -> None:
    assert desk.publish(pull_request_reports.STATES[state]()).action == "created"
    assert state_of(desk.bodies[0]) == "open"


def test_without_a_key_nothing_is_taken_back(desk: Desk) -> None:
    desk.publish(reports.regressed())
    assert desk.publish(pull_request_reports.not_run(), run=1002).action == "changed"
    assert state_of(desk.bodies[0]) == "red"
    assert "live evals not run: no credentials" in desk.bodies[0]


def test_jobs_with_keys_have_comments_of_their_own(desk: Desk) -> None:
    desk.publish(reports.regressed(), key="chat")
    desk.publish(reports.suspected(), key="search")
    desk.publish(reports.passing(), key="chat", run=1002)
    assert [state_of(body) for body in desk.bodies] == ["resolved", "open"]


def test_the_reports_of_several_jobs_are_one_comment(desk: Desk) -> None:
    """A matrix over evalsets uploads a report a job; a folder of them is published as one."""
    for name, report in (
        ("one", reports.regressed()),
        ("two", reports.passing()),
        ("three", reports.suspected()),
    ):
        folder = desk.folder / "all" / name
        folder.mkdir(parents=True)
        evalsets = tuple(
            one.model_copy(update={"planned": one.planned.model_copy(update={"evalset": name})})
            for one in report.evalsets
        )
        report = report.model_copy(update={"evalsets": evalsets})
        (folder / "report.json").write_text(report.model_dump_json())
    settings = desk.settings()
    done = publish_comment(
        str(desk.folder / "all"), settings=settings, tracker=GitHubTracker(settings.github)
    )
    assert done.action == "created"
    assert "### aioncall: regressed - 1 of 3 evalsets: `one`" in desk.bodies[0]
    assert "1,079 of 1,080 samples judged" in desk.bodies[0]


# -- what GitHub refuses, loses, or cannot do


@pytest.mark.parametrize("known", [True, False])
def test_where_github_refuses_the_summary_has_it(desk: Desk, known: bool) -> None:
    if known:
        desk.publish(reports.regressed())
    desk.github.read_only = True
    done = desk.publish(reports.floor_broken(), run=1002)
    assert done.action == "fell_back"
    assert "pull-requests: write" in done.note and "the summary of this step has it instead" in done.note
    assert "### aioncall: regressed" in desk.summary.read_text()


def test_where_there_is_no_such_pull_request_the_summary_has_it(desk: Desk) -> None:
    done = desk.publish(reports.regressed(), number=99)
    assert done.action == "fell_back"
    assert desk.summary.read_text().startswith("### aioncall: regressed")


def test_a_lost_reply_makes_no_second_comment(desk: Desk) -> None:
    desk.github.fail_next("lost", method="POST", path="/comments")
    assert desk.publish(reports.regressed()).action == "created"
    assert len(desk.bodies) == 1


def test_a_call_that_was_dropped_is_made_again(desk: Desk) -> None:
    desk.github.fail_next("dropped", method="POST", path="/comments")
    assert desk.publish(reports.regressed()).action == "created"
    assert len(desk.bodies) == 1


def test_where_github_is_down_the_summary_has_it_and_the_command_fails(desk: Desk) -> None:
    desk.github.fail(rate=1.0, kinds=("502",))
    with pytest.raises(DeliveryError, match="the summary of this step has it instead"):
        desk.publish(reports.regressed())
    desk.github.fail(rate=0)
    assert "### aioncall: regressed" in desk.summary.read_text()


@pytest.mark.parametrize("seed", range(4))
def test_under_failures_it_ends_with_one_comment(desk: Desk, seed: int) -> None:
    """A fifth of all calls fails in any way; what could not be done is done by the next run."""
    desk.github.fail(rate=0.2, seed=seed)
    told = [reports.regressed(), reports.floor_broken(), reports.suspected(), reports.regressed()]
    for run, report in enumerate(told, start=1001):
        try:
            desk.publish(report, run=run)
        except DeliveryError:
            continue
    desk.github.fail(rate=0)
    desk.publish(reports.passing(), run=1009)
    assert [state_of(body) for body in desk.bodies] == ["resolved"]


def test_without_a_token_it_says_which_line_is_missing(desk: Desk) -> None:
    desk.report.write_text(reports.regressed().model_dump_json())
    with pytest.raises(UsageError, match="GITHUB_TOKEN is not set"):
        publish_comment(str(desk.report), settings=desk.settings(token=""))


def test_a_push_has_no_pull_request_to_comment_on(desk: Desk) -> None:
    desk.event = {"ref": "refs/heads/main"}
    done = desk.publish(reports.regressed())
    assert (done.action, desk.writes) == ("silent", 0)
    assert "for no pull request" in done.note


def test_the_ref_names_the_pull_request_where_no_event_does(desk: Desk) -> None:
    desk.event = {}
    done = desk.publish(reports.regressed(), told={"ref": f"refs/pull/{desk.pull}/merge"})
    assert (done.action, done.number) == ("created", desk.pull)


def test_a_dry_run_sends_nothing(desk: Desk) -> None:
    done = desk.publish(reports.regressed(), dry_run=True)
    assert (done.action, desk.writes) == ("dry_run", 0)
    assert done.text.startswith(
        "<!-- aioncall:comment key= state=red run=1001 attempt=1 red=ticket%2Dtriage -->\n### aioncall"
    )


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("pass", "all is well"),
        ("unaffected", "all is well"),
        ("partial", "was not judged"),
        ("interrupted", "was not judged"),
    ],
)
def test_a_dry_run_shows_no_comment_that_would_not_be_sent(desk: Desk, state: str, why: str) -> None:
    """What a real run would keep silent about, the dry run is silent about, too, and says why."""
    made = {**pull_request_reports.STATES, **reports.STATES, "pass": reports.passing}[state]()
    done = desk.publish(made, dry_run=True)
    assert (done.action, done.text) == ("dry_run", "")
    assert "nothing to say" in done.note and why in done.note
    assert desk.publish(made).action == "silent"


def elsewhere(desk: Desk, *, commit: str | None = None, dirty: bool = False) -> Report:
    """A report of a run outside of workflow runs, in a repository of one commit."""
    git = ["git", "-C", str(desk.folder), "-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "first"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout
    made = reports.regressed()
    ran = {"commit": commit or head.strip(), "dirty": dirty, "ended_at": "2026-11-20T08:15:00Z"}
    return made.model_copy(update={"run": made.run.model_copy(update=ran)})


NOWHERE = {"run_id": "", "sha": "", "event_path": None}


@pytest.mark.parametrize("what", [publish_comment, publish_check])
@pytest.mark.parametrize("dry_run", [True, False])
def test_outside_of_workflow_runs_a_report_of_another_commit_is_refused(
    desk: Desk, what: Any, dry_run: bool
) -> None:
    """The last pytest was refused, and what is there is of the commit before."""
    desk.report.write_text(elsewhere(desk, commit=HEAD).model_dump_json())
    settings = desk.settings(**NOWHERE)
    with pytest.raises(UsageError, match="the report is of commit 9f3c2e1, and checked out is commit "):
        what(str(desk.report), settings=settings, dry_run=dry_run)
    assert desk.writes == 0


def test_outside_of_workflow_runs_a_comment_shows_commit_and_time_of_its_run(desk: Desk) -> None:
    """Never the commit and the moment of publishing; a dirty tree is told in a dry run and refused else."""
    made = elsewhere(desk, dirty=True)
    text = desk.publish(made, dry_run=True, told=NOWHERE).text
    last = text.rstrip().splitlines()[-1]
    assert f"commit `{(made.run.commit or '')[:7]}` with uncommitted changes" in last
    assert last.endswith("run 2026-11-20 08:15 UTC*") and "updated" not in last
    with pytest.raises(UsageError, match="with uncommitted changes, so it says nothing of that commit"):
        desk.publish(made, number=desk.pull, told=NOWHERE)


def test_no_report_is_a_line(desk: Desk) -> None:
    settings = desk.settings()
    with pytest.raises(UsageError, match="run pytest --aioncall first"):
        publish_comment(None, settings=settings)


# -- a check of its own


def checked(desk: Desk, report: Report, **more: Any) -> Any:
    desk.report.write_text(report.model_dump_json())
    settings = desk.settings()
    return publish_check(str(desk.report), settings=settings, tracker=GitHubTracker(settings.github), **more)


@pytest.mark.parametrize(
    ("state", "conclusion"),
    [
        ("pass", "success"),
        ("accepted", "success"),
        ("no_drop_seen", "success"),
        ("regressed", "failure"),
        ("floor_broken", "failure"),
        ("cannot_judge", "failure"),
        ("not_run", "neutral"),
        ("unaffected", "neutral"),
        ("partly_affected", "neutral"),
        ("already", "neutral"),
        ("suspected", "neutral"),
        ("no_baseline", "neutral"),
    ],
)
def test_a_check_is_neutral_where_nothing_says_that_all_is_well(
    desk: Desk, state: str, conclusion: str
) -> None:
    assert checked(desk, pull_request_reports.STATES[state]()).conclusion == conclusion
    (run,) = desk.github.check_runs
    told = run["told"]
    assert (told["conclusion"], told["head_sha"], told["name"]) == (conclusion, HEAD, "aioncall")
    assert told["output"]["title"].startswith("aioncall: ") and "`" not in told["output"]["title"]
    assert told["output"]["summary"].startswith("### aioncall: ")
    assert "annotations" not in told["output"]


def test_a_check_of_a_fork_goes_to_the_commit_of_the_event(forked: Desk) -> None:
    report = reports.regressed()
    run = report.run.model_copy(update={"commit": "c" * 40})
    checked(forked, report.model_copy(update={"run": run}), name="evals")
    told = forked.github.check_runs[0]["told"]
    assert (told["head_sha"], told["name"]) == (HEAD, "evals")
    assert told["details_url"] == f"{HOME}actions/runs/5005"
    assert "/blob/" not in told["output"]["summary"]


def test_a_check_that_is_refused_is_in_the_summary(desk: Desk) -> None:
    desk.github.read_only = True
    done = checked(desk, reports.regressed())
    assert done.id is None and "checks: write" in done.note
    assert desk.summary.read_text().startswith("### aioncall: regressed")


def test_a_check_in_a_dry_run_is_not_sent(desk: Desk) -> None:
    assert checked(desk, reports.regressed(), dry_run=True).text.startswith("### aioncall: regressed")
    assert desk.writes == 0


@pytest.mark.parametrize("change", ["fork", "moved_on", "no_pull", "schedule"])
def test_no_report_of_another_run_makes_a_check_green(forked: Desk, change: str) -> None:
    """The check is written with this repository's token, and whoever forked may have written the report."""
    if change == "moved_on":
        forked.github.state.issues[forked.pull].pull.head_sha = "d" * 40
    elif change == "no_pull":
        forked.github.change(forked.pull, state="closed")
    elif change == "schedule":
        forked.event["workflow_run"]["event"] = "schedule"
    done = checked(forked, reports.passing())
    assert done.conclusion == forked.github.check_runs[0]["told"]["conclusion"] == "neutral"
    assert "As the fork's own run says" in done.text


def test_a_run_of_our_own_pull_request_makes_its_check_green(forked: Desk) -> None:
    forked.github.state.issues[forked.pull].pull.head_repository = "acme/app"
    done = checked(forked, reports.passing())
    assert done.conclusion == "success"
    assert "own run says" not in done.text


def test_a_pull_request_that_may_not_be_read_is_not_believed(forked: Desk) -> None:
    """GitHub says 404 of what a token may not see."""
    forked.github.state.issues[forked.pull].pull.head_repository = "acme/app"
    forked.event["workflow_run"]["pull_requests"] = [{"number": 99}]
    assert checked(forked, reports.passing()).conclusion == "neutral"


def test_a_dry_run_without_a_token_believes_no_other_run(forked: Desk) -> None:
    forked.report.write_text(reports.passing().model_dump_json())
    done = publish_check(str(forked.report), settings=forked.settings(token=""), dry_run=True)
    assert (done.conclusion, done.note) == ("neutral", "dry run: neutral was not sent")


# -- hostile text


def hostile_text() -> str:
    """A report in which every text is an attack, as a file holds it: half a surrogate no file can hold."""
    return json.dumps(reports.hostile().model_dump(mode="python")).replace("\\ud800", "\\ufffd")


def test_a_hostile_report_is_shown_and_does_nothing(desk: Desk) -> None:
    desk.publish(hostile_text())
    (body,) = desk.bodies
    assert len(body.encode("utf-16-le")) // 2 <= 60_000
    assert state_of(body) == "red"
    for parser in ("cmarkgfm", "comrak"):
        seen = assert_shown_and_nothing_else(body, parser=parser, links=(HOME,), dollars=True)
        assert len(seen.comments) == 1


# -- a fork: another workflow run wrote the report


@pytest.fixture
def forked(desk: Desk) -> Desk:
    """The gate of a fork's pull request has ended; this is the workflow that may comment."""
    desk.github.state.issues[desk.pull].pull.head_repository = "mallory/app"
    desk.name = "workflow_run"
    desk.event = {
        "workflow_run": {
            "id": 5005,
            "run_attempt": 2,
            "head_sha": HEAD,
            "event": "pull_request",
            "conclusion": "failure",
            "pull_requests": [],
        }
    }
    return desk


def test_a_report_of_another_run_than_the_one_that_ended_is_refused(forked: Desk) -> None:
    stale = reports.passing().model_copy(update={"workflow_run": "999"})
    with pytest.raises(UsageError, match="of workflow run '999', and asked for is that of 5005"):
        forked.publish(stale)


def test_the_pull_request_of_a_fork_is_found_by_its_commit(forked: Desk) -> None:
    done = forked.publish(reports.regressed())
    assert (done.action, done.number) == ("created", forked.pull)
    body = forked.bodies[0]
    assert body.startswith(
        "<!-- aioncall:comment key= state=red run=5005 attempt=2 red=ticket%2Dtriage -->\n"
    )
    assert f"[run `5005`]({HOME}actions/runs/5005) attempt 2, commit `{HEAD[:7]}`" in body
    assert "/blob/" not in body


def test_a_comment_of_a_fork_says_whose_word_it_is(forked: Desk) -> None:
    said = "*As the fork's own run says: its code wrote this report, and nothing here has checked it.*"
    forked.publish(reports.regressed())
    head = forked.bodies[0].splitlines()[1:4]
    assert head[0].startswith("### aioncall: regressed") and head[1:] == ["", said]
    forked.event["workflow_run"]["id"] = 5006
    assert forked.publish(reports.passing()).action == "resolved"
    assert forked.bodies[0].splitlines()[2:4] == ["", said]


def test_a_comment_of_our_own_pull_request_bears_no_such_mark(forked: Desk) -> None:
    forked.github.state.issues[forked.pull].pull.head_repository = "acme/app"
    forked.publish(reports.regressed())
    assert "own run says" not in forked.bodies[0]


def test_where_github_refuses_the_summary_trusts_a_fork_no_more(forked: Desk) -> None:
    """This job runs on the default branch: its commit is not the one that was judged."""
    forked.github.read_only = True
    done = forked.publish(reports.regressed(), told={"sha": "b" * 40})
    assert done.action == "fell_back"
    summary = forked.summary.read_text()
    assert f"commit `{HEAD[:7]}`" in summary and f"[run `5005`]({HOME}actions/runs/5005)" in summary
    assert "/blob/" not in summary and "b" * 7 not in summary
    assert "As the fork's own run says" in summary


def test_nothing_in_the_report_says_where_the_comment_goes(forked: Desk) -> None:
    other = forked.github.add_pull("c" * 40).number
    report = reports.regressed()
    run = report.run.model_copy(update={"id": str(other), "commit": "c" * 40})
    forked.publish(report.model_copy(update={"run": run}))
    assert len(forked.bodies) == 1
    assert forked.github.comments(other) == []


def test_a_pull_request_that_went_on_is_not_commented_on(forked: Desk) -> None:
    forked.github.state.issues[forked.pull].pull.head_sha = "d" * 40
    done = forked.publish(reports.regressed())
    assert (done.action, forked.writes) == ("silent", 0)
    assert "as its head any more" in done.note


def test_a_closed_pull_request_is_not_commented_on(forked: Desk) -> None:
    forked.github.change(forked.pull, state="closed")
    assert forked.publish(reports.regressed()).action == "silent"


def test_a_number_that_the_event_names_counts_only_with_this_head(forked: Desk) -> None:
    other = forked.github.add_pull("c" * 40).number
    forked.event["workflow_run"]["pull_requests"] = [{"number": other}, {"number": "7; rm"}, "x", None]
    assert forked.publish(reports.regressed()).number == forked.pull
    assert forked.github.comments(other) == []


def test_a_run_for_no_pull_request_is_none_to_comment_on(forked: Desk) -> None:
    forked.event["workflow_run"]["event"] = "schedule"
    assert forked.publish(reports.regressed()).action == "silent"


@pytest.mark.parametrize(
    ("event", "match"),
    [
        ({}, "is no workflow_run"),
        ({"workflow_run": {"head_sha": "main; rm -rf /", "event": "pull_request"}}, "head_sha is no commit"),
        ({"workflow_run": {"head_sha": 5, "event": "pull_request"}}, "head_sha is no commit"),
    ],
)
def test_an_event_that_is_none_is_a_line(forked: Desk, event: dict[str, Any], match: str) -> None:
    forked.event = event
    with pytest.raises(UsageError, match=match):
        forked.publish(reports.regressed(), from_workflow_run=True)
    assert forked.writes == 0


GOOD = reports.regressed().model_dump(mode="json")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "not json",
        "[" * 100_000,
        '{"format": 1' * 5_000,
        json.dumps({**GOOD, "format": 2}),
        json.dumps({**GOOD, "pull_request": 1}),
        json.dumps({**GOOD, "status": "green"}),
        json.dumps({**GOOD, "exit_code": "none"}),
        json.dumps({**GOOD, "evalsets": "all good"}),
        json.dumps({**GOOD, "evalsets": [{**GOOD["evalsets"][0], "extra": "<script>"}]}),
        json.dumps({**GOOD, "evalsets": [{"planned": {"evalset": {"$ref": "x"}}}]}),
    ],
    ids=range(13),
)
def test_a_forged_report_is_a_line(forked: Desk, text: str) -> None:
    with pytest.raises(LoadError) as caught:
        forked.publish(text)
    assert "report.json" in str(caught.value)
    assert "<script>" not in str(caught.value)
    assert forked.writes == 0


def test_a_report_that_is_too_large_is_a_line(forked: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_aioncall.adapters.report_file.MOST_BYTES_OF_OTHERS", 1000)
    with pytest.raises(LoadError, match="1,000 are the most that are read"):
        forked.publish(reports.regressed())


def test_a_link_out_of_the_artifact_is_not_followed(forked: Desk) -> None:
    secret = forked.folder / "elsewhere.json"
    secret.write_text(reports.regressed().model_dump_json())
    artifact = forked.folder / "artifact"
    artifact.mkdir()
    (artifact / "report.json").symlink_to(secret)
    settings = forked.settings()
    with pytest.raises(UsageError, match=r"holds no report\.json"):
        publish_comment(str(artifact), settings=settings, tracker=GitHubTracker(settings.github))


def test_a_hostile_report_of_a_fork_has_no_link_but_that_to_its_run(forked: Desk) -> None:
    forked.publish(hostile_text())
    seen = assert_shown_and_nothing_else(forked.bodies[0], links=(f"{HOME}actions/runs/5005",), dollars=True)
    assert seen.links == [f"{HOME}actions/runs/5005"]


def test_the_number_cannot_be_said_where_it_is_found(forked: Desk) -> None:
    with pytest.raises(UsageError, match="leave it away"):
        forked.publish(reports.regressed(), number=1)
