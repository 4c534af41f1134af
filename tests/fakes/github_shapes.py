"""What GitHub answers, as JSON: every field that the official description requires, and few others."""

# ruff: noqa: SIM905 - long lists of names are easier to read as words

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any

API, WEB = "https://api.github.com", "https://github.com"
_USER_URLS = (
    "followers_url following_url gists_url starred_url subscriptions_url organizations_url repos_url "
    "events_url received_events_url"
).split()
_REPOSITORY_URLS = (
    "archive_url assignees_url blobs_url branches_url collaborators_url comments_url commits_url compare_url "
    "contents_url contributors_url deployments_url downloads_url events_url forks_url git_commits_url "
    "git_refs_url git_tags_url hooks_url issue_comment_url issue_events_url issues_url keys_url labels_url "
    "languages_url merges_url milestones_url notifications_url pulls_url releases_url stargazers_url "
    "statuses_url subscribers_url subscription_url tags_url teams_url trees_url"
).split()


@dataclass
class Label:
    """A label of the repository."""

    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass
class Pull:
    """What a pull request has besides its issue."""

    head_sha: str
    head_ref: str
    head_repository: str
    base_ref: str = "main"
    base_sha: str = "b" * 40
    draft: bool = False
    merged: bool = False


@dataclass
class Issue:
    """An issue, or the issue side of a pull request. Times are RFC 3339."""

    number: int
    title: str
    body: str | None
    user: str
    created_at: str
    updated_at: str
    state: str = "open"
    state_reason: str | None = None
    closed_at: str | None = None
    labels: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    pull: Pull | None = None


@dataclass
class Comment:
    """A comment of an issue or pull request."""

    id: int
    issue: int
    body: str
    user: str
    created_at: str
    updated_at: str


def number_of(text: str) -> int:
    """Return an id for a name: the same one every time."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:7], 16) + 1


def sha_of(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


def user_json(login: str) -> dict[str, Any]:
    home = f"{API}/users/{login}"
    return {
        "login": login,
        "id": number_of(login),
        "node_id": f"U_{number_of(login)}",
        "avatar_url": f"https://avatars.example/u/{number_of(login)}",
        "gravatar_id": "",
        "url": home,
        "html_url": f"{WEB}/{login.removesuffix('[bot]')}",
        **{name: f"{home}/{name.removesuffix('_url')}" for name in _USER_URLS},
        "type": "Bot" if login.endswith("[bot]") else "User",
        "site_admin": False,
    }


def repository_json(full_name: str) -> dict[str, Any]:
    home = f"{API}/repos/{full_name}"
    counts = ("forks", "forks_count", "open_issues", "open_issues_count", "size", "stargazers_count")
    flags = ("archived", "disabled", "fork", "has_downloads", "has_pages", "has_projects", "has_wiki")
    day = "2026-01-01T00:00:00Z"
    return {
        "id": number_of(full_name),
        "node_id": f"R_{number_of(full_name)}",
        "name": full_name.partition("/")[2],
        "full_name": full_name,
        "owner": user_json(full_name.partition("/")[0]),
        "private": False,
        "html_url": f"{WEB}/{full_name}",
        "description": None,
        "url": home,
        **{name: f"{home}/{name.removesuffix('_url')}" for name in _REPOSITORY_URLS},
        **dict.fromkeys(counts, 0),
        **dict.fromkeys(flags, False),
        "has_issues": True,
        "watchers": 0,
        "watchers_count": 0,
        "clone_url": f"{WEB}/{full_name}.git",
        "git_url": f"git://github.com/{full_name}.git",
        "ssh_url": f"git@github.com:{full_name}.git",
        "svn_url": f"{WEB}/{full_name}",
        "homepage": None,
        "language": None,
        "mirror_url": None,
        "default_branch": "main",
        "license": None,
        "pushed_at": day,
        "created_at": day,
        "updated_at": day,
    }


def label_json(label: Label, repository: str) -> dict[str, Any]:
    return {
        "id": label.id,
        "node_id": f"LA_{label.id}",
        "url": f"{API}/repos/{repository}/labels/{label.name}",
        "name": label.name,
        "description": label.description,
        "color": label.color,
        "default": False,
    }


def issue_json(
    issue: Issue, repository: str, *, labels: dict[str, Label], association: str
) -> dict[str, Any]:
    home, page = f"{API}/repos/{repository}/issues/{issue.number}", _page(issue, repository)
    assignees = [user_json(login) for login in issue.assignees]
    told: dict[str, Any] = {
        "id": 1_000_000 + issue.number,
        "node_id": f"I_{issue.number}",
        "url": home,
        "repository_url": f"{API}/repos/{repository}",
        "labels_url": f"{home}/labels{{/name}}",
        "comments_url": f"{home}/comments",
        "events_url": f"{home}/events",
        "html_url": page,
        "number": issue.number,
        "state": issue.state,
        "state_reason": issue.state_reason,
        "title": issue.title,
        "body": issue.body,
        "user": user_json(issue.user),
        "labels": [label_json(labels[name], repository) for name in issue.labels],
        "assignee": assignees[0] if assignees else None,
        "assignees": assignees,
        "milestone": None,
        "locked": False,
        "active_lock_reason": None,
        "comments": len(issue.comments),
        "closed_at": issue.closed_at,
        "created_at": issue.created_at,
        "updated_at": issue.updated_at,
        "author_association": association,
        "performed_via_github_app": None,
    }
    if issue.pull is not None:
        told["draft"] = issue.pull.draft
        told["pull_request"] = {
            "url": f"{API}/repos/{repository}/pulls/{issue.number}",
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": issue.closed_at if issue.pull.merged else None,
        }
    return told


def comment_json(comment: Comment, repository: str, *, page: str, association: str) -> dict[str, Any]:
    return {
        "id": comment.id,
        "node_id": f"IC_{comment.id}",
        "url": f"{API}/repos/{repository}/issues/comments/{comment.id}",
        "html_url": f"{page}#issuecomment-{comment.id}",
        "issue_url": f"{API}/repos/{repository}/issues/{comment.issue}",
        "body": comment.body,
        "user": user_json(comment.user),
        "created_at": comment.created_at,
        "updated_at": comment.updated_at,
        "author_association": association,
        "performed_via_github_app": None,
    }


def pull_json(issue: Issue, repository: str, *, association: str, labels: dict[str, Label]) -> dict[str, Any]:
    assert issue.pull is not None
    pull = issue.pull
    home, page = f"{API}/repos/{repository}/pulls/{issue.number}", _page(issue, repository)
    issue_home = f"{API}/repos/{repository}/issues/{issue.number}"
    links = {
        "self": home,
        "html": page,
        "issue": issue_home,
        "comments": f"{issue_home}/comments",
        "review_comments": f"{home}/comments",
        "review_comment": f"{API}/repos/{repository}/pulls/comments{{/number}}",
        "commits": f"{home}/commits",
        "statuses": f"{API}/repos/{repository}/statuses/{pull.head_sha}",
    }
    plain = issue_json(issue, repository, labels=labels, association=association)
    shared = (
        "number state title body user labels milestone locked active_lock_reason created_at updated_at "
        "closed_at assignee assignees author_association comments html_url"
    ).split()
    return {
        **{name: plain[name] for name in shared},
        "id": 2_000_000 + issue.number,
        "node_id": f"PR_{issue.number}",
        "url": home,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue_home,
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "statuses_url": links["statuses"],
        "merged_at": issue.closed_at if pull.merged else None,
        "merge_commit_sha": None,
        "requested_reviewers": [],
        "requested_teams": [],
        "head": _side(pull.head_ref, pull.head_sha, pull.head_repository),
        "base": _side(pull.base_ref, pull.base_sha, repository),
        "_links": {name: {"href": href} for name, href in links.items()},
        "auto_merge": None,
        "draft": pull.draft,
        "merged": pull.merged,
        "mergeable": None,
        "rebaseable": None,
        "mergeable_state": "unknown",
        "merged_by": None,
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": 1,
        "additions": 1,
        "deletions": 0,
        "changed_files": 1,
    }


def check_run_json(told: dict[str, Any], repository: str, *, id: int, moment: str) -> dict[str, Any]:
    status = told.get("status", "completed" if "conclusion" in told else "queued")
    output = told.get("output") or {}
    home = f"{API}/repos/{repository}/check-runs/{id}"
    return {
        "id": id,
        "node_id": f"CR_{id}",
        "head_sha": told["head_sha"],
        "external_id": told.get("external_id", ""),
        "url": home,
        "html_url": f"{WEB}/{repository}/runs/{id}",
        "details_url": told.get("details_url", f"{WEB}/{repository}/runs/{id}"),
        "status": status,
        "conclusion": told.get("conclusion"),
        "started_at": told.get("started_at", moment),
        "completed_at": told.get("completed_at", moment if status == "completed" else None),
        "output": {
            "title": output.get("title"),
            "summary": output.get("summary"),
            "text": output.get("text"),
            "annotations_count": len(output.get("annotations", ())),
            "annotations_url": f"{home}/annotations",
        },
        "name": told["name"],
        "check_suite": {"id": 5},
        "app": None,
        "pull_requests": [],
    }


def status_json(told: dict[str, Any], repository: str, *, id: int, moment: str, login: str) -> dict[str, Any]:
    return {
        "url": f"{API}/repos/{repository}/statuses/{id}",
        "avatar_url": None,
        "id": id,
        "node_id": f"SC_{id}",
        "state": told["state"],
        "description": told.get("description"),
        "target_url": told.get("target_url"),
        "context": told.get("context", "default"),
        "created_at": moment,
        "updated_at": moment,
        "creator": user_json(login),
    }


def content_json(path: str, data: bytes, repository: str, *, with_text: bool) -> dict[str, Any]:
    home, sha = f"{API}/repos/{repository}/contents/{path}", blob_sha(data)
    links = {"self": home, "git": f"{API}/repos/{repository}/git/blobs/{sha}", "html": f"{WEB}/{path}"}
    told: dict[str, Any] = {
        "type": "file",
        "size": len(data),
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": sha,
        "url": home,
        "git_url": links["git"],
        "html_url": links["html"],
        "download_url": None,
        "_links": links,
    }
    if with_text:
        told |= {"encoding": "base64", "content": base64.encodebytes(data).decode()}
    return told


def blob_sha(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def artifact_json(id: int, name: str, size: int, repository: str, *, moment: str) -> dict[str, Any]:
    home = f"{API}/repos/{repository}/actions/artifacts/{id}"
    return {
        "id": id,
        "node_id": f"A_{id}",
        "name": name,
        "size_in_bytes": size,
        "url": home,
        "archive_download_url": f"{home}/zip",
        "expired": False,
        "created_at": moment,
        "expires_at": None,
        "updated_at": moment,
        "digest": None,
    }


def _page(issue: Issue, repository: str) -> str:
    return f"{WEB}/{repository}/{'pull' if issue.pull else 'issues'}/{issue.number}"


def _side(ref: str, sha: str, repository: str) -> dict[str, Any]:
    owner = repository.partition("/")[0]
    return {
        "label": f"{owner}:{ref}",
        "ref": ref,
        "sha": sha,
        "repo": repository_json(repository),
        "user": user_json(owner),
    }
