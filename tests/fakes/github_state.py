"""What the fake GitHub knows and does: one repository and the routes of the official description over it."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import github_shapes as shapes
from .github_shapes import Comment, Issue, Label, Pull

LONGEST_BODY, LONGEST_TITLE, PER_PAGE_MOST = 65_536, 256, 100
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:\[bot\])?")
_STAFF = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        self.status, self.headers = status, more.pop("headers", {})
        self.body = {"message": message, "documentation_url": "https://docs.github.com/rest", **more}
        super().__init__(message)


def invalid(resource: str, field: str, code: str, **more: Any) -> Refusal:
    return Refusal(
        422, "Validation Failed", errors=[{"resource": resource, "field": field, "code": code, **more}]
    )


@dataclass
class Request:
    """One request that found its route."""

    login: str | None
    query: dict[str, str]
    body: Any
    parts: tuple[str, ...] = ()


@dataclass
class Answer:
    """A status, JSON, and for a list the whole of it: the server cuts the page out."""

    status: int
    body: Any = None
    whole: list[Any] | None = None
    wrap: Callable[[list[Any]], Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Answer]


class Repository:
    """The state of one repository. Not thread-safe: the server holds a lock around every call."""

    def __init__(self, name: str, *, moment: Callable[[], str]) -> None:
        self.name, self.moment = name, moment
        self.issues: dict[int, Issue] = {}
        self.labels: dict[str, Label] = {}
        self.check_runs: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []
        self.refs: dict[str, str] = {"refs/heads/main": "b" * 40}
        self.files: dict[str, dict[str, bytes]] = {"main": {}}
        self.artifacts: dict[int, list[dict[str, Any]]] = {}
        self.associations: dict[str, str] = {name.partition("/")[0]: "OWNER"}
        self.assignable: set[str] | None = None
        self.issues_disabled = False
        self.search_lags = False
        self._indexed = 0
        self._ids = 0

    # What tests do as somebody else.

    def new_issue(self, title: str, body: str | None, *, user: str, **more: Any) -> Issue:
        moment, number = self.moment(), len(self.issues) + 1
        issue = Issue(number, title, body, user, created_at=moment, updated_at=moment, **more)
        issue.labels = [self._label(name).name for name in dict.fromkeys(issue.labels)]
        self.issues[number] = issue
        if not self.search_lags:
            self._indexed = number
        return issue

    def new_comment(self, number: int, body: str, *, user: str) -> Comment:
        moment = self.moment()
        comment = Comment(self.new_id(), number, body, user, moment, moment)
        self.issues[number].comments.append(comment)
        self.issues[number].updated_at = moment
        return comment

    def new_id(self) -> int:
        self._ids += 1
        return 5000 + self._ids

    def index(self) -> None:
        """Let the search find what there is now."""
        self._indexed = len(self.issues)

    # Issues.

    def list_issues(self, request: Request) -> Answer:
        query = request.query
        found = [i for i in self.issues.values() if query.get("state", "open") in ("all", i.state)]
        if self.issues_disabled:
            found = [i for i in found if i.pull is not None]
        wanted = [name.lower() for name in query.get("labels", "").split(",") if name]
        found = [i for i in found if set(wanted) <= {name.lower() for name in i.labels}]
        if "since" in query:
            found = [i for i in found if i.updated_at >= query["since"]]
        if "creator" in query:
            found = [i for i in found if i.user == query["creator"]]
        if query.get("assignee", "*") not in ("*", "none"):
            found = [i for i in found if query["assignee"] in i.assignees]
        keys = {"updated": lambda i: i.updated_at, "comments": lambda i: len(i.comments)}
        key = keys.get(query.get("sort", "created"), lambda i: i.created_at)
        found.sort(key=lambda i: (key(i), i.number), reverse=query.get("direction", "desc") == "desc")
        return Answer(200, whole=[self.issue_json(i) for i in found])

    def create_issue(self, request: Request) -> Answer:
        self._issues_are_there()
        told = request.body
        self._title(told.get("title"))
        self._fits(told.get("body"))
        issue = self.new_issue(
            str(told["title"]),
            told.get("body"),
            user=request.login or "",
            labels=[_name_of(label) for label in told.get("labels", ())],
            assignees=self._assignees(told.get("assignees", ())),
        )
        return Answer(
            201, self.issue_json(issue), headers={"location": f"{shapes.API}/issues/{issue.number}"}
        )

    def get_issue(self, request: Request) -> Answer:
        return Answer(200, self.issue_json(self._issue(request)))

    def update_issue(self, request: Request) -> Answer:
        issue, told = self._issue(request), request.body or {}
        if told.get("title") is not None:
            self._title(told["title"])
        self._fits(told.get("body"))
        assignees = self._assignees(told["assignees"]) if "assignees" in told else issue.assignees
        if told.get("title") is not None:
            issue.title = str(told["title"])
        if "body" in told:
            issue.body = told["body"]
        if "labels" in told:
            issue.labels = [self._label(_name_of(label)).name for label in told["labels"]]
        issue.assignees = assignees
        if "state" in told:
            self._turn(issue, told["state"], told.get("state_reason"))
        elif told.get("state_reason") is not None and issue.state == "closed":
            issue.state_reason = told["state_reason"]
        issue.updated_at = self.moment()
        return Answer(200, self.issue_json(issue))

    def _turn(self, issue: Issue, state: str, reason: str | None) -> None:
        if state == issue.state:
            issue.state_reason = reason or issue.state_reason
        elif state == "closed":
            issue.state, issue.closed_at = "closed", self.moment()
            issue.state_reason = reason or "completed"
        else:
            issue.state, issue.closed_at, issue.state_reason = "open", None, "reopened"

    # Comments.

    def list_comments(self, request: Request) -> Answer:
        return self._comments(self._issue(request).comments, request.query)

    def list_all_comments(self, request: Request) -> Answer:
        every = [c for issue in self.issues.values() for c in issue.comments]
        every.sort(key=lambda c: (c.created_at, c.id), reverse=request.query.get("direction") == "desc")
        return self._comments(every, request.query)

    def _comments(self, comments: list[Comment], query: Mapping[str, str]) -> Answer:
        fresh = [c for c in comments if c.updated_at >= query.get("since", "")]
        return Answer(200, whole=[self.comment_json(c) for c in fresh])

    def create_comment(self, request: Request) -> Answer:
        issue = self._issue(request)
        self._fits(request.body["body"])
        if not request.body["body"].strip():
            raise invalid("IssueComment", "body", "missing_field")
        comment = self.new_comment(issue.number, request.body["body"], user=request.login or "")
        return Answer(201, self.comment_json(comment))

    def get_comment(self, request: Request) -> Answer:
        return Answer(200, self.comment_json(self._comment(request)))

    def update_comment(self, request: Request) -> Answer:
        comment = self._comment(request)
        self._fits(request.body["body"])
        comment.body, comment.updated_at = request.body["body"], self.moment()
        return Answer(200, self.comment_json(comment))

    def delete_comment(self, request: Request) -> Answer:
        comment = self._comment(request)
        self.issues[comment.issue].comments.remove(comment)
        return Answer(204)

    # Labels.

    def list_labels(self, request: Request) -> Answer:
        return Answer(200, whole=[shapes.label_json(label, self.name) for label in self.labels.values()])

    def create_label(self, request: Request) -> Answer:
        told = request.body
        if told["name"].lower() in self.labels:
            raise invalid("Label", "name", "already_exists")
        if len(told.get("description") or "") > 100:
            raise invalid("Label", "description", "invalid")
        if not re.fullmatch(r"[0-9a-fA-F]{6}", told.get("color", "ededed")):
            raise invalid("Label", "color", "invalid")
        label = self._label(told["name"])
        label.color, label.description = told.get("color", "ededed"), told.get("description")
        return Answer(201, shapes.label_json(label, self.name))

    def get_label(self, request: Request) -> Answer:
        return Answer(200, shapes.label_json(self._known_label(request), self.name))

    def update_label(self, request: Request) -> Answer:
        label, told = self._known_label(request), request.body or {}
        label.color = told.get("color", label.color)
        label.description = told.get("description", label.description)
        if "new_name" in told:
            del self.labels[label.name.lower()]
            for issue in self.issues.values():
                issue.labels = [told["new_name"] if n == label.name else n for n in issue.labels]
            label.name = told["new_name"]
            self.labels[label.name.lower()] = label
        return Answer(200, shapes.label_json(label, self.name))

    def delete_label(self, request: Request) -> Answer:
        label = self._known_label(request)
        del self.labels[label.name.lower()]
        for issue in self.issues.values():
            issue.labels = [name for name in issue.labels if name != label.name]
        return Answer(204)

    def list_issue_labels(self, request: Request) -> Answer:
        return Answer(200, whole=self._labels_of(self._issue(request)))

    def add_issue_labels(self, request: Request) -> Answer:
        issue = self._issue(request)
        for label in (request.body or {}).get("labels", ()):
            name = self._label(_name_of(label)).name
            if name not in issue.labels:
                issue.labels.append(name)
        issue.updated_at = self.moment()
        return Answer(200, self._labels_of(issue))

    def set_issue_labels(self, request: Request) -> Answer:
        self._issue(request).labels.clear()
        return self.add_issue_labels(request)

    def remove_issue_labels(self, request: Request) -> Answer:
        issue = self._issue(request)
        issue.labels, issue.updated_at = [], self.moment()
        return Answer(204)

    # Pull requests, checks, statuses, search.

    def get_pull(self, request: Request) -> Answer:
        return Answer(200, self.pull_json(self._pull(request)))

    def update_pull(self, request: Request) -> Answer:
        issue, told = self._pull(request), request.body or {}
        issue.title, issue.body = told.get("title", issue.title), told.get("body", issue.body)
        if "state" in told:
            self._turn(issue, told["state"], None)
        issue.updated_at = self.moment()
        return Answer(200, self.pull_json(issue))

    def create_check_run(self, request: Request) -> Answer:
        told = dict(request.body)
        if told.get("status") == "completed" and "conclusion" not in told:
            raise invalid("CheckRun", "conclusion", "missing_field")
        run = shapes.check_run_json(told, self.name, id=self.new_id(), moment=self.moment())
        self.check_runs.append({**run, "told": told})
        return Answer(201, run)

    def get_check_run(self, request: Request) -> Answer:
        return Answer(200, _untold(self._check_run(request)))

    def update_check_run(self, request: Request) -> Answer:
        run = self._check_run(request)
        told = {**run["told"], **request.body}
        run.update(shapes.check_run_json(told, self.name, id=run["id"], moment=self.moment()), told=told)
        return Answer(200, _untold(run))

    def create_status(self, request: Request) -> Answer:
        status = shapes.status_json(
            request.body, self.name, id=self.new_id(), moment=self.moment(), login=request.login or ""
        )
        self.statuses.append({**status, "sha": request.parts[0]})
        return Answer(201, status)

    def search(self, request: Request) -> Answer:
        words, told = [], {}
        for word in request.query["q"].split():
            key, colon, value = word.partition(":")
            if colon and value:
                told.setdefault(key, []).append(value)
            else:
                words.append(word.lower())
        unknown = set(told) - {"repo", "is", "type", "state", "label", "author", "head"}
        if unknown:
            raise Refusal(422, "Validation Failed", errors=[{"code": "invalid", "message": f"{unknown}"}])
        kinds = {*told.get("is", ()), *told.get("type", ())}
        if not kinds & {"issue", "pr", "pull-request"}:
            raise invalid(
                "Search", "q", "invalid", message="Query must include 'is:issue' or 'is:pull-request'"
            )
        found = [i for i in self.issues.values() if i.number <= self._indexed]
        found = [i for i in found if self._is_found(i, words, told, kinds)]

        def wrapped(items: list[Any]) -> Any:
            return {
                "total_count": len(found),
                "incomplete_results": False,
                "items": items,
                "search_type": "lexical",
            }

        items = [{**self.issue_json(i), "body": i.body or "", "score": 1.0} for i in found]
        return Answer(200, whole=items, wrap=wrapped)

    def _is_found(
        self, issue: Issue, words: list[str], told: Mapping[str, list[str]], kinds: set[str]
    ) -> bool:
        states = {*told.get("state", ()), *(kinds & {"open", "closed"})}
        if told.get("repo") and self.name not in told["repo"]:
            return False
        if ("issue" in kinds) == (issue.pull is not None) or (states and issue.state not in states):
            return False
        if not set(told.get("label", ())) <= set(issue.labels) or issue.user not in told.get(
            "author", [issue.user]
        ):
            return False
        if "head" in told and (issue.pull is None or issue.pull.head_ref not in told["head"]):
            return False
        text = f"{issue.title} {issue.body}".lower()
        sha = issue.pull.head_sha if issue.pull else ""
        return all(w in text or (len(w) >= 7 and sha.startswith(w)) for w in words)

    # Git, contents, artifacts.

    def create_ref(self, request: Request) -> Answer:
        ref, sha = request.body["ref"], request.body["sha"]
        if not ref.startswith("refs/") or ref.count("/") < 2:
            raise Refusal(422, "Reference name must start with 'refs/'")
        if ref in self.refs:
            raise Refusal(422, "Reference already exists")
        if sha not in self.refs.values():
            raise Refusal(422, "Object does not exist")
        self.refs[ref] = sha
        branch = ref.removeprefix("refs/heads/")
        origin = next(r for r, s in self.refs.items() if s == sha).removeprefix("refs/heads/")
        self.files[branch] = dict(self.files.get(origin, {}))
        home = f"{shapes.API}/repos/{self.name}/git"
        body = {
            "ref": ref,
            "node_id": "REF",
            "url": f"{home}/{ref}",
            "object": {"type": "commit", "sha": sha, "url": f"{home}/commits/{sha}"},
        }
        return Answer(201, body, headers={"location": body["url"]})

    def get_content(self, request: Request) -> Answer:
        files, path = self._branch(request.query.get("ref", "main")), request.parts[0].strip("/")
        if path in files:
            return Answer(200, shapes.content_json(path, files[path], self.name, with_text=True))
        below = {p: d for p, d in files.items() if p.startswith(f"{path}/") and "/" not in p[len(path) + 1 :]}
        if not below:
            raise Refusal(404, "Not Found")
        return Answer(
            200, [shapes.content_json(p, d, self.name, with_text=False) for p, d in sorted(below.items())]
        )

    def put_content(self, request: Request) -> Answer:
        told, path = request.body, request.parts[0]
        branch = told.get("branch", "main")
        files = self._branch(branch)
        old = files.get(path)
        self._has_sha(told.get("sha"), old)
        files[path] = base64.b64decode(told["content"])
        content = shapes.content_json(path, files[path], self.name, with_text=False)
        content.pop("download_url")
        return Answer(201 if old is None else 200, {"content": content, "commit": self._commit(told, branch)})

    def delete_content(self, request: Request) -> Answer:
        told, path = request.body, request.parts[0]
        branch = told.get("branch", "main")
        files = self._branch(branch)
        if path not in files:
            raise Refusal(404, "Not Found")
        self._has_sha(told.get("sha"), files[path])
        del files[path]
        return Answer(200, {"content": None, "commit": self._commit(told, branch)})

    def list_artifacts(self, request: Request) -> Answer:
        found = self.artifacts.get(int(request.parts[0]), [])
        if "name" in request.query:
            found = [a for a in found if a["name"] == request.query["name"]]
        return Answer(200, whole=found, wrap=lambda page: {"total_count": len(found), "artifacts": page})

    # The rest.

    def association(self, login: str) -> str:
        return self.associations.get(login, "NONE")

    def is_staff(self, login: str) -> bool:
        return self.association(login) in _STAFF

    def issue_json(self, issue: Issue) -> dict[str, Any]:
        labels = {label.name: label for label in self.labels.values()}
        return shapes.issue_json(issue, self.name, labels=labels, association=self.association(issue.user))

    def pull_json(self, issue: Issue) -> dict[str, Any]:
        labels = {label.name: label for label in self.labels.values()}
        return shapes.pull_json(issue, self.name, labels=labels, association=self.association(issue.user))

    def comment_json(self, comment: Comment) -> dict[str, Any]:
        page = self.issue_json(self.issues[comment.issue])["html_url"]
        return shapes.comment_json(comment, self.name, page=page, association=self.association(comment.user))

    def _labels_of(self, issue: Issue) -> list[dict[str, Any]]:
        return [shapes.label_json(self.labels[name.lower()], self.name) for name in issue.labels]

    def _label(self, name: str) -> Label:
        """Return the label, made where it is new, as GitHub does when an issue names it."""
        if not 0 < len(name) <= 50:
            raise invalid("Label", "name", "invalid")
        return self.labels.setdefault(name.lower(), Label(self.new_id(), name))

    def _known_label(self, request: Request) -> Label:
        label = self.labels.get(request.parts[0].lower())
        if label is None:
            raise Refusal(404, "Not Found")
        return label

    def _issues_are_there(self) -> None:
        if self.issues_disabled:
            raise Refusal(410, "Issues has been disabled in this repository.")

    def _issue(self, request: Request) -> Issue:
        issue = self.issues.get(int(request.parts[0]))
        if issue is None:
            raise Refusal(404, "Not Found")
        if issue.pull is None:
            self._issues_are_there()
        return issue

    def _pull(self, request: Request) -> Issue:
        issue = self.issues.get(int(request.parts[0]))
        if issue is None or issue.pull is None:
            raise Refusal(404, "Not Found")
        return issue

    def _comment(self, request: Request) -> Comment:
        for issue in self.issues.values():
            for comment in issue.comments:
                if comment.id == int(request.parts[0]):
                    return comment
        raise Refusal(404, "Not Found")

    def _check_run(self, request: Request) -> dict[str, Any]:
        for run in self.check_runs:
            if run["id"] == int(request.parts[0]):
                return run
        raise Refusal(404, "Not Found")

    def _title(self, title: Any) -> None:
        if not str(title or "").strip():
            raise invalid("Issue", "title", "missing_field")
        if len(str(title)) > LONGEST_TITLE:
            raise invalid("Issue", "title", "custom", message="title is too long (maximum is 256 characters)")

    def _fits(self, body: str | None) -> None:
        if body is not None and len(body) > LONGEST_BODY:
            message = f"body is too long (maximum is {LONGEST_BODY} characters)"
            raise invalid("Issue", "body", "custom", message=message)

    def _assignees(self, told: Any) -> list[str]:
        logins = [_name_of(one, key="login") for one in told]
        for login in logins:
            known = self.assignable is None or login in self.assignable
            if not (known and _LOGIN.fullmatch(login)):
                raise invalid("Issue", "assignees", "invalid", value=login)
        return list(dict.fromkeys(logins))[:10]

    def _branch(self, ref: str) -> dict[str, bytes]:
        name = ref.removeprefix("refs/heads/")
        if f"refs/heads/{name}" not in self.refs:
            raise Refusal(404, f"Branch {name} not found")
        return self.files.setdefault(name, {})

    def _has_sha(self, sha: str | None, old: bytes | None) -> None:
        if old is not None and sha is None:
            raise Refusal(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
        if old is not None and sha != shapes.blob_sha(old):
            raise Refusal(409, "the file does not match the sha")

    def _commit(self, told: Mapping[str, Any], branch: str) -> dict[str, Any]:
        sha = shapes.sha_of(f"{told['message']}{self.new_id()}")
        self.refs[f"refs/heads/{branch}"] = sha
        return {"sha": sha, "message": told["message"]}


def routes_of(repository: Repository) -> Iterator[tuple[str, str, str, Handler]]:
    """Yield (METHOD, path template of the description, area of permissions, handler)."""
    r, home = repository, "/repos/{owner}/{repo}"
    yield from (
        ("GET", f"{home}/issues", "issues", r.list_issues),
        ("POST", f"{home}/issues", "issues", r.create_issue),
        ("GET", f"{home}/issues/comments", "issues", r.list_all_comments),
        ("GET", f"{home}/issues/comments/{{comment_id}}", "issues", r.get_comment),
        ("PATCH", f"{home}/issues/comments/{{comment_id}}", "issues", r.update_comment),
        ("DELETE", f"{home}/issues/comments/{{comment_id}}", "issues", r.delete_comment),
        ("GET", f"{home}/issues/{{issue_number}}", "issues", r.get_issue),
        ("PATCH", f"{home}/issues/{{issue_number}}", "issues", r.update_issue),
        ("GET", f"{home}/issues/{{issue_number}}/comments", "issues", r.list_comments),
        ("POST", f"{home}/issues/{{issue_number}}/comments", "issues", r.create_comment),
        ("GET", f"{home}/issues/{{issue_number}}/labels", "issues", r.list_issue_labels),
        ("POST", f"{home}/issues/{{issue_number}}/labels", "issues", r.add_issue_labels),
        ("PUT", f"{home}/issues/{{issue_number}}/labels", "issues", r.set_issue_labels),
        ("DELETE", f"{home}/issues/{{issue_number}}/labels", "issues", r.remove_issue_labels),
        ("GET", f"{home}/labels", "issues", r.list_labels),
        ("POST", f"{home}/labels", "issues", r.create_label),
        ("GET", f"{home}/labels/{{name}}", "issues", r.get_label),
        ("PATCH", f"{home}/labels/{{name}}", "issues", r.update_label),
        ("DELETE", f"{home}/labels/{{name}}", "issues", r.delete_label),
        ("GET", f"{home}/pulls/{{pull_number}}", "pull_requests", r.get_pull),
        ("PATCH", f"{home}/pulls/{{pull_number}}", "pull_requests", r.update_pull),
        ("POST", f"{home}/check-runs", "checks", r.create_check_run),
        ("GET", f"{home}/check-runs/{{check_run_id}}", "checks", r.get_check_run),
        ("PATCH", f"{home}/check-runs/{{check_run_id}}", "checks", r.update_check_run),
        ("POST", f"{home}/statuses/{{sha}}", "statuses", r.create_status),
        ("GET", "/search/issues", "issues", r.search),
        ("POST", f"{home}/git/refs", "contents", r.create_ref),
        ("GET", f"{home}/contents/{{path}}", "contents", r.get_content),
        ("PUT", f"{home}/contents/{{path}}", "contents", r.put_content),
        ("DELETE", f"{home}/contents/{{path}}", "contents", r.delete_content),
        ("GET", f"{home}/actions/runs/{{run_id}}/artifacts", "actions", r.list_artifacts),
    )


def pattern_of(template: str, repository: str) -> re.Pattern[str]:
    """Return what matches a path; of a repository that is not ours too, so that it can be 404."""
    plain = template.replace("{owner}/{repo}", "(?P<repository>[^/]+/[^/]+)")
    plain = plain.replace("{path}", "(.+)").replace("{name}", "([^/]+)").replace("{sha}", "([^/]+)")
    return re.compile(re.sub(r"\{\w+\}", r"(\\d+)", plain))


def _name_of(told: Any, *, key: str = "name") -> str:
    return str(told[key]) if isinstance(told, dict) else str(told)


def _untold(run: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in run.items() if key != "told"}


__all__ = [
    "Answer",
    "Comment",
    "Issue",
    "Pull",
    "Refusal",
    "Repository",
    "Request",
    "pattern_of",
    "routes_of",
]
