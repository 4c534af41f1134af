"""GitHub's tracker says what is missing, is trusted with nobody's word but its own, and loses no page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fakes.github import BOT, FakeGitHub
from pytest_aioncall.adapters.net import Caller
from pytest_aioncall.adapters.trackers import GitHubTracker
from pytest_aioncall.errors import DeliveryError
from pytest_aioncall.model.github import GitHub

SHA = "a" * 40


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub(now=lambda: datetime(2026, 11, 22, 6, 17, tzinfo=UTC)) as fake:
        yield fake


@pytest.fixture
def tracker(github: FakeGitHub) -> Iterator[GitHubTracker]:
    with Caller(sleep=lambda _: None) as caller:
        yield GitHubTracker(github.as_github(), caller=caller)


def tracker_for(github: FakeGitHub, **change: Any) -> GitHubTracker:
    return GitHubTracker(replace(github.as_github(), **change), caller=Caller(sleep=lambda _: None))


def open_one(tracker: GitHubTracker, **more: Any) -> Any:
    return tracker.open_ticket(**{"title": "t", "body": "b", "labels": ["aioncall"], **more})


def test_a_ticket_has_what_github_has(github: FakeGitHub, tracker: GitHubTracker) -> None:
    ticket = open_one(tracker, assignees=["@ann"])
    assert ticket.author == tracker.actor == BOT
    assert ticket.created_at == "2026-11-22T06:17:00Z"
    assert ticket.url == "https://github.com/acme/app/issues/1"
    assert github.state.labels["aioncall"].description


def test_pull_requests_are_no_tickets(github: FakeGitHub, tracker: GitHubTracker) -> None:
    """GitHub lists them among the issues."""
    github.add_pull(SHA, labels=["aioncall"])
    assert tracker.tickets(label="aioncall") == []


def test_a_label_that_people_made_stays_theirs(github: FakeGitHub, tracker: GitHubTracker) -> None:
    github.add_issue("x", labels=["aioncall"])
    github.state.labels["aioncall"].color = "123456"
    open_one(tracker)
    open_one(tracker)
    assert github.state.labels["aioncall"].color == "123456"
    assert [c.path for c in github.calls].count("/repos/acme/app/labels/aioncall") == 1


def test_a_label_made_by_somebody_quicker_is_fine(github: FakeGitHub, tracker: GitHubTracker) -> None:
    github.fail_next("lost", method="POST", path="/labels")
    open_one(tracker)
    assert github.labels == ["aioncall"]


@pytest.mark.parametrize("people", [["@ann", "@gone"], ["@gone", "@bo"]])
def test_who_cannot_be_assigned_does_not_cost_the_issue(
    github: FakeGitHub, tracker: GitHubTracker, people: list[str]
) -> None:
    github.state.assignable = {"ann", "bo"}
    ticket = open_one(tracker, assignees=people)
    assert set(ticket.assignees) == {p.removeprefix("@") for p in people} - {"gone"}
    assert len(github.issues) == 1
    assert tracker.change(1, assignees=["@gone"]).assignees == ()


def test_teams_and_mail_addresses_are_not_asked_for(github: FakeGitHub, tracker: GitHubTracker) -> None:
    assert open_one(tracker, assignees=["@acme/search", "on-call@acme.example"]).assignees == ()
    assert "assignees" not in github.written()[-1].body


def test_a_long_title_is_cut(tracker: GitHubTracker) -> None:
    assert len(open_one(tracker, title="x" * 400).title) == 256


@pytest.mark.parametrize(
    ("set_up", "says"),
    [
        (lambda g: setattr(g, "read_only", True), "permissions: issues: write"),
        (lambda g: setattr(g.state, "issues_disabled", True), "turn issues on"),
    ],
)
def test_a_refusal_names_what_to_change(
    github: FakeGitHub, tracker: GitHubTracker, set_up: Any, says: str
) -> None:
    set_up(github)
    with pytest.raises(DeliveryError) as caught:
        open_one(tracker)
    assert says in str(caught.value) and "\n" not in str(caught.value)
    assert caught.value.refused and not caught.value.unknown


def test_a_comment_on_a_pull_request_names_githubs_own_permission(
    github: FakeGitHub, tracker: GitHubTracker
) -> None:
    github.add_pull(SHA)
    github.denied = {"issues", "pull_requests"}
    with pytest.raises(DeliveryError, match="permissions: issues: write"):
        tracker.add_note(1, "x")
    github.denied = {"issues"}
    assert tracker.add_note(1, "x").body == "x"


def test_another_repository_is_said_to_be_out_of_sight(github: FakeGitHub) -> None:
    with pytest.raises(DeliveryError, match="GITHUB_REPOSITORY") as caught:
        tracker_for(github, repository="acme/other").tickets(label="aioncall")
    assert caught.value.status == 404


def test_a_wrong_token_is_said(github: FakeGitHub) -> None:
    with pytest.raises(DeliveryError, match="does not know the token") as caught:
        tracker_for(github, token="ghs_wrongwrongwrong").tickets(label="aioncall")
    assert "wrongwrong" not in str(caught.value)


@pytest.mark.parametrize(
    ("github", "missing"),
    [(GitHub(), "GITHUB_REPOSITORY"), (GitHub(repository="a/b"), "GITHUB_TOKEN")],
    indirect=False,
)
def test_without_a_job_nothing_is_asked(github: GitHub, missing: str) -> None:
    with pytest.raises(DeliveryError, match=f"{missing} is not set") as caught:
        GitHubTracker(github).tickets(label="aioncall")
    assert caught.value.refused


def test_a_lost_reply_is_unknown_and_sent_once(github: FakeGitHub, tracker: GitHubTracker) -> None:
    github.fail_next("lost", method="POST", path="/issues")
    with pytest.raises(DeliveryError) as caught:
        open_one(tracker)
    assert caught.value.unknown and len(github.issues) == 1


def test_changes_survive_a_fifth_of_all_calls_failing(github: FakeGitHub, tracker: GitHubTracker) -> None:
    """What is safe to repeat is repeated until it is done."""
    open_one(tracker)
    github.fail(rate=0.2, seed=3)
    for n in range(40):
        assert tracker.change(1, body=f"b{n}").body == f"b{n}"
        assert len(tracker.tickets(label="aioncall", closed_since="2026-11-01T00:00:00+01:00")) == 1


def test_a_page_of_a_proxy_is_no_answer(loopback: Any, told: Any) -> None:
    loopback.script(told(body="<html>sign in</html>"))
    tracker = GitHubTracker(GitHub(repository="a/b", token="t" * 20, api_url=loopback.url))
    with pytest.raises(DeliveryError, match="GITHUB_API_URL"):
        tracker.tickets(label="aioncall")


@pytest.mark.parametrize("where", ["/repositories/1/issues", "http://localhost:1/repositories/1/issues"])
def test_a_repository_that_has_moved_is_said_and_nothing_is_sent_on(
    loopback: Any, told: Any, where: str
) -> None:
    """The token would go along, and a POST would become a GET."""
    loopback.script(told(status=301, headers={"location": where}, body={"message": "Moved Permanently"}))
    tracker = GitHubTracker(GitHub(repository="a/b", token="t" * 20, api_url=loopback.url))
    with pytest.raises(DeliveryError, match="a/b has moved") as caught:
        tracker.add_note(1, "x")
    assert caught.value.refused and len(loopback.asked) == 1


def test_a_comment_is_changed_in_place(github: FakeGitHub, tracker: GitHubTracker) -> None:
    github.add_pull(SHA)
    note = tracker.add_note(1, "old")
    assert tracker.change_note(note.id, "new").id == note.id
    assert [c.body for c in github.comments(1)] == ["new"]


def test_a_comment_is_taken_away_once_and_for_all(github: FakeGitHub, tracker: GitHubTracker) -> None:
    github.add_issue("x")
    note = tracker.add_note(1, "twice")
    github.fail_next("lost", method="DELETE")
    tracker.remove_note(note.id)
    tracker.remove_note(note.id)
    assert github.comments(1) == []
    github.read_only = True
    with pytest.raises(DeliveryError, match="issues: write"):
        tracker.remove_note(note.id)


def test_the_pull_request_of_a_commit_is_the_open_one(github: FakeGitHub, tracker: GitHubTracker) -> None:
    old = github.add_pull(SHA)
    github.change(old.number, state="closed")
    fresh = github.add_pull(SHA, fork="mallory/app", head_ref="patch-1")
    github.add_pull("b" * 40, body=f"contains {SHA}")
    github.add_issue(f"about {SHA}")
    assert tracker.pull_of(SHA) == fresh.number
    pull = tracker.pull(fresh.number)
    assert (pull.is_fork, pull.head_repository, pull.head_ref) == (True, "mallory/app", "patch-1")
    assert not tracker.pull(old.number).is_fork


@pytest.mark.parametrize("sha", ["", "abc", "A" * 40, "a" * 40 + " is:issue", "x" * 40])
def test_what_is_no_commit_is_not_searched(github: FakeGitHub, tracker: GitHubTracker, sha: str) -> None:
    assert tracker.pull_of(sha) is None
    assert github.calls == []


def test_a_commit_that_the_search_only_mentions_is_nobodys(
    github: FakeGitHub, tracker: GitHubTracker
) -> None:
    github.add_pull("b" * 40, body=f"contains {SHA}")
    assert tracker.pull_of(SHA) is None


def test_a_check_run_is_reported_and_cut(github: FakeGitHub, tracker: GitHubTracker) -> None:
    id = tracker.create_check_run(
        name="aioncall",
        head_sha=SHA,
        conclusion="neutral",
        title="live evals not run",
        summary="s" * 100_000,
        text="t",
        annotations=[
            {"path": "a", "start_line": n, "end_line": n, "annotation_level": "notice", "message": "m"}
            for n in range(60)
        ],
    )
    (run,) = github.check_runs
    assert (run["id"], run["conclusion"], run["output"]["annotations_count"]) == (id, "neutral", 50)


def test_a_check_run_without_permission_names_it(github: FakeGitHub, tracker: GitHubTracker) -> None:
    github.denied = {"checks"}
    with pytest.raises(DeliveryError, match="permissions: checks: write"):
        tracker.create_check_run(name="x", head_sha=SHA, conclusion="success", title="t", summary="s")
