"""The fake GitHub keeps to the official description, and fails whoever does not."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from fakes.github import ANY_FAULT, FakeGitHub, Fault
from fakes.github_contract import description_file, official_contract, without_nullable
from fakes.github_state import routes_of
from pytest_aioncall.adapters.net import Caller
from pytest_aioncall.errors import DeliveryError

SHA = "a" * 40
needs_description = pytest.mark.skipif(
    official_contract() is None,
    reason="the official description of GitHub's API is not on this machine (AIONCALL_CONTRACTS)",
)


class Client:
    """Asks the fake as its bot."""

    def __init__(self, github: FakeGitHub) -> None:
        self.github = github
        self.caller = Caller(sleep=lambda _: None)
        self.headers = {"authorization": f"Bearer {github.token}"}

    def __call__(self, method: Any, path: str, body: Any = None, **more: Any) -> Any:
        base = "" if path.startswith("/") else "/repos/acme/app/"
        options = {"headers": self.headers, "json": body, **more}
        reply = self.caller.call(method, f"{self.github.url}{base}{path}", **options)
        return reply, json.loads(reply.body or b"null")


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as fake:
        yield fake


@pytest.fixture
def ask(github: FakeGitHub) -> Iterator[Client]:
    client = Client(github)
    yield client
    client.caller.close()


def visit(github: FakeGitHub, ask: Client) -> None:
    """Use every route once, in ways that succeed and in ways that do not."""
    labels = {"labels": ["aioncall"]}
    ask("POST", "issues", {"title": "one", "body": "b", "assignees": ["ann"], **labels})
    ask("POST", "issues", {"title": "", "body": "b"})
    ask("POST", "issues", {"title": "x", "body": "b" * 65_537})
    ask("POST", "issues", {"title": "x", "assignees": ["acme/team"]})
    ask(
        "GET",
        "issues?state=all&labels=aioncall&since=2020-01-01T00:00:00Z&per_page=1&sort=updated&direction=asc",
    )
    ask("GET", "issues/1")
    ask("GET", "issues/77")
    ask("PATCH", "issues/1", {"state": "closed", "state_reason": "not_planned"})
    ask(
        "PATCH", "issues/1", {"state": "open", "title": "two", "body": None, "labels": ["x"], "assignees": []}
    )
    comment = ask("POST", "issues/1/comments", {"body": "c"})[1]["id"]
    ask("GET", "issues/1/comments?per_page=100&page=1")
    ask("GET", "issues/comments?sort=created&direction=desc")
    ask("PATCH", f"issues/comments/{comment}", {"body": "d"})
    ask("GET", f"issues/comments/{comment}")
    ask("DELETE", f"issues/comments/{comment}")
    ask("GET", f"issues/comments/{comment}")
    ask("GET", "issues/1/labels")
    ask("POST", "issues/1/labels", {"labels": ["y"]})
    ask("PUT", "issues/1/labels", {"labels": ["z"]})
    ask("DELETE", "issues/1/labels")
    ask("POST", "labels", {"name": "new", "color": "ff0000", "description": "d"})
    ask("POST", "labels", {"name": "NEW"})
    ask("GET", "labels")
    ask("GET", "labels/new")
    ask("GET", "labels/none")
    ask("PATCH", "labels/new", {"color": "00ff00", "new_name": "newer"})
    ask("DELETE", "labels/newer")
    pull = github.add_pull(SHA, fork="mallory/app").number
    ask("GET", f"pulls/{pull}")
    ask("PATCH", f"pulls/{pull}", {"state": "closed"})
    ask("GET", f"/search/issues?q={SHA}+repo:acme/app+is:pr&per_page=5")
    ask("GET", "/search/issues?q=nothing")
    run = ask("POST", "check-runs", {"name": "n", "head_sha": SHA, "status": "in_progress"})[1]["id"]
    ask("POST", "check-runs", {"name": "n", "head_sha": SHA, "status": "completed", "conclusion": "neutral"})
    ask("PATCH", f"check-runs/{run}", {"conclusion": "success", "output": {"title": "t", "summary": "s"}})
    ask("GET", f"check-runs/{run}")
    ask("POST", f"statuses/{SHA}", {"state": "success", "context": "aioncall"})
    ask("POST", "git/refs", {"ref": "refs/heads/x", "sha": "b" * 40})
    ask("POST", "git/refs", {"ref": "refs/heads/x", "sha": "b" * 40})
    told = {"message": "m", "content": base64.b64encode(b"hi").decode(), "branch": "x"}
    sha = ask("PUT", "contents/a/b.txt", told)[1]["content"]["sha"]
    ask("PUT", "contents/a/b.txt", told)
    ask("PUT", "contents/a/b.txt", {**told, "sha": sha})
    ask("GET", "contents/a/b.txt?ref=x")
    ask("GET", "contents/a?ref=x")
    ask("GET", "contents/none")
    ask("DELETE", "contents/a/b.txt", {"message": "m", "sha": sha, "branch": "x"})
    github.add_artifact(7, "report")
    ask("GET", "actions/runs/7/artifacts?name=report")
    ask("GET", "/repos/acme/other/issues")
    ask("GET", "issues", headers={"authorization": "Bearer nobody"})
    github.read_only = True
    ask("POST", "issues", {"title": "x"})
    github.state.issues_disabled = True
    ask("GET", "issues")


@needs_description
def test_every_request_and_answer_keeps_to_the_official_description(github: FakeGitHub, ask: Client) -> None:
    visit(github, ask)
    assert github.violations == []
    used = {
        (method, template)
        for call in github.calls
        for method, pattern, template, *_ in github._routes
        if method == call.method and pattern.fullmatch(call.path)
    }
    assert used == {(method, path) for method, path, *_ in routes_of(github.state)}


@needs_description
def test_it_serves_every_route_of_the_description_and_no_other(github: FakeGitHub) -> None:
    contract = official_contract()
    assert contract is not None
    assert {(method, path) for method, path, *_ in routes_of(github.state)} == contract.routes


@needs_description
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "issues", {"body": "no title"}),
        ("POST", "issues", {"title": "x", "asignees": []}),
        ("POST", "issues", {"title": "x", "labels": "aioncall"}),
        ("PATCH", "issues/1", {"state": "done"}),
        ("POST", "issues/1/comments", {}),
        ("GET", "issues?label=x", None),
        ("GET", "issues?state=opened", None),
        ("GET", "issues?page=one", None),
        ("PUT", "issues/1/labels", {"labels": []}),
        ("GET", "issues/1", {"body": "x"}),
    ],
)
def test_a_request_that_breaks_the_description_fails_the_test(method: str, path: str, body: Any) -> None:
    with pytest.raises(AssertionError, match="the fake GitHub saw"), FakeGitHub() as github:
        github.add_issue("x")
        reply, _ = Client(github)(method, path, body)
        assert reply.status in (200, 422)


def test_an_unknown_route_fails_the_test() -> None:
    told = "no such route: GET /repos/acme/app/milestones"
    with pytest.raises(AssertionError, match=told), FakeGitHub() as github:
        assert Client(github)("GET", "milestones")[0].status == 404


def test_a_failing_test_is_not_hidden_by_a_violation() -> None:
    with pytest.raises(ZeroDivisionError), FakeGitHub() as github:
        Client(github)("GET", "milestones")
        raise ZeroDivisionError


def test_lists_come_in_pages_with_links(github: FakeGitHub, ask: Client) -> None:
    for n in range(7):
        github.add_issue(f"t{n}")
    reply, items = ask("GET", "issues?per_page=3&direction=asc")
    assert [i["title"] for i in items] == ["t0", "t1", "t2"]
    assert 'page=2>; rel="next"' in reply.headers["link"] and 'page=3>; rel="last"' in reply.headers["link"]
    reply, items = ask("GET", "issues?per_page=3&direction=asc&page=3")
    assert [i["title"] for i in items] == ["t6"]
    assert 'rel="next"' not in reply.headers["link"] and 'page=2>; rel="prev"' in reply.headers["link"]
    assert len(ask("GET", "issues?per_page=1000")[1]) == 7


@pytest.mark.parametrize("fault", ANY_FAULT)
def test_a_fault_does_what_it_says(github: FakeGitHub, ask: Client, fault: Fault) -> None:
    github.fail_next(fault, method="POST")
    done = fault == "lost"
    try:
        reply, _ = ask("POST", "issues", {"title": "x"}, tries=1)
        assert not done and reply.status >= 400
    except DeliveryError:
        pass
    assert len(github.issues) == int(done)
    assert github.calls[-1].fault == fault
    assert ask("POST", "issues", {"title": "y"})[0].status == 201


def test_a_share_of_calls_fails_and_the_seed_repeats_which(github: FakeGitHub) -> None:
    def faults(seed: int) -> list[Fault | None]:
        with FakeGitHub() as fake:
            client = Client(fake)
            fake.fail(rate=0.3, seed=seed, kinds=("500", "429"))
            for _ in range(60):
                try:
                    client("GET", "issues", tries=1)
                except DeliveryError:
                    continue
            return [call.fault for call in fake.calls]

    first = faults(1)
    assert first == faults(1) != faults(2)
    assert 5 < sum(f is not None for f in first) < 35


def test_who_writes_is_told_by_the_token(github: FakeGitHub, ask: Client) -> None:
    github.add_user("ann", token="token-of-ann", association="MEMBER")
    _, issue = ask("POST", "issues", {"title": "x"}, headers={"authorization": "token token-of-ann"})
    assert (issue["user"]["login"], issue["author_association"]) == ("ann", "MEMBER")
    assert ask("POST", "issues", {"title": "y"})[1]["user"]["login"] == "github-actions[bot]"
    assert ask("GET", "issues", headers={})[0].status == 200
    assert ask("POST", "issues", {"title": "x"}, headers={})[0].status == 401


def test_the_search_can_lag(github: FakeGitHub, ask: Client) -> None:
    github.state.search_lags = True
    github.add_issue("needle")
    path = "/search/issues?q=needle+is:issue"
    assert ask("GET", path)[1]["total_count"] == 0
    github.state.index()
    assert ask("GET", path)[1]["total_count"] == 1


def test_nullable_is_one_alternative_more() -> None:
    told = {"type": "string", "nullable": True, "enum": ["a"]}
    assert without_nullable({"properties": {"x": told, "nullable": {"type": "boolean"}}}) == {
        "properties": {
            "x": {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]},
            "nullable": {"type": "boolean"},
        }
    }


def test_the_description_is_found_through_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("AIONCALL_CONTRACTS", str(tmp_path))
    assert description_file() is None
    (tmp_path / "github-rest.json").write_text("{}")
    assert description_file() == tmp_path / "github-rest.json"
