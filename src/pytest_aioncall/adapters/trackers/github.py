"""Issues, comments, labels, pull requests and check runs of one repository at GitHub.

About ten calls of the REST API, version 2022-11-28. Lists are read page by page to their end; issues are
found by listing a label, never by the search, which lags.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode

from ...errors import DeliveryError
from ...model.github import GitHub
from ...model.ticket import Note, PullRequest, Ticket
from ...protocols import Calls, Method, Reply
from ..text import one_line
from .refusals import invalid_assignees, json_of, refusal

LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "aioncall": ("d93f0b", "An incident of an AI feature, kept by aioncall"),
    "aioncall-drill": ("c5def5", "A rehearsal: nothing is broken"),
}
"""Colour and description of the labels that we make ourselves."""
LONGEST_TITLE: Final = 256
LONGEST_CHECK_TEXT: Final = 65_000
_PER_PAGE, _MOST_PAGES = 100, 100
_MOST_ANNOTATIONS = 50
_TRUSTED: Final = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
_SHA = re.compile(r"[0-9a-f]{40}")
_NEXT = re.compile(r'rel="?next"?')
_ISSUES, _CHECKS = "issues: write", "checks: write"
Conclusion = Literal[
    "action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out"
]


class GitHubTracker:
    """A Tracker over GitHub's REST API, as the job that `github` describes. Used on one thread.

    `actor` is the login that our own issues and comments are written by: what others wrote is never trusted
    to be ours.
    """

    def __init__(self, github: GitHub, *, caller: Calls | None = None) -> None:
        self.actor = github.actor
        self._github = github
        self._caller = caller
        self._labels: set[str] = set()

    # Tracker.

    def tickets(self, *, label: str, closed_since: str | None = None) -> list[Ticket]:
        """Return the open issues under a label, and those closed since a moment; oldest first.

        What is opened or closed between the two lists is in the second one, whatever it was in the first.
        """
        found = {t.number: t for t in self._issues(labels=label, state="open")}
        if closed_since is not None:
            since = _zulu(closed_since)
            found |= {t.number: t for t in self._issues(labels=label, state="all", since=since)}
            found = {
                n: t for n, t in found.items() if t.state == "open" or _zulu(t.closed_at or since) >= since
            }
        else:
            found = {n: t for n, t in found.items() if t.state == "open"}
        return [found[number] for number in sorted(found)]

    def notes(self, number: int) -> list[Note]:
        """Return the comments of an issue or pull request, oldest first."""
        path = f"issues/{int(number)}/comments"
        told = self._pages(path, {}, doing=f"read the comments of #{number}", permission="issues: read")
        notes = {note.id: note for note in map(_note_of, told)}
        return [notes[id] for id in sorted(notes)]

    def open_ticket(
        self, *, title: str, body: str, labels: Sequence[str], assignees: Sequence[str] = ()
    ) -> Ticket:
        """Open an issue; whom GitHub does not let be assigned is left out."""
        for label in labels:
            if label in LABELS:
                colour, description = LABELS[label]
                self.ensure_label(label, colour, description)
        told = {"title": _title(title), "body": body, "labels": list(labels)}
        logins = _logins(assignees)
        if logins:
            told["assignees"] = logins
        return _ticket_of(self._assigned("POST", "issues", told, doing="open an issue"))

    def add_note(self, number: int, body: str) -> Note:
        """Comment on an issue or pull request."""
        doing = f"comment on #{number}"
        return _note_of(self._json("POST", f"issues/{int(number)}/comments", {"body": body}, doing=doing))

    def change(
        self,
        number: int,
        *,
        title: str | None = None,
        body: str | None = None,
        state: Literal["open", "closed"] | None = None,
        state_reason: Literal["completed", "not_planned", "reopened"] | None = None,
        assignees: Sequence[str] | None = None,
    ) -> Ticket:
        """Replace what is given of an issue and leave the rest."""
        told: dict[str, Any] = {
            key: value
            for key, value in (("body", body), ("state", state), ("state_reason", state_reason))
            if value is not None
        }
        if title is not None:
            told["title"] = _title(title)
        if assignees is not None:
            told["assignees"] = _logins(assignees)
        doing = f"change issue #{number}"
        return _ticket_of(self._assigned("PATCH", f"issues/{int(number)}", told, doing=doing))

    # What GitHub has besides.

    def change_note(self, id: int, body: str) -> Note:
        """Replace the text of a comment."""
        doing = f"change comment {id}"
        return _note_of(self._json("PATCH", f"issues/comments/{int(id)}", {"body": body}, doing=doing))

    def remove_note(self, id: int) -> None:
        """Take a comment away; one that is gone already is fine."""
        reply = self._ask("DELETE", f"issues/comments/{int(id)}", None)
        if reply.status not in (204, 404):
            raise self._refusal(reply, doing=f"remove comment {id}", permission=_ISSUES)

    def ensure_label(self, name: str, color: str, description: str) -> None:
        """Make a label where there is none of that name; one that is there stays as people made it."""
        if name in self._labels:
            return
        reply = self._ask("GET", f"labels/{quote(name, safe='')}", None)
        if reply.status == 404:
            told = {"name": name, "color": color, "description": description[:100]}
            reply = self._ask("POST", "labels", told, repeatable=True)
            # 422: somebody else was quicker, or our own first attempt was.
            if reply.status not in (201, 422):
                raise self._refusal(reply, doing=f"make the label {name}", permission=_ISSUES)
        elif reply.status != 200:
            raise self._refusal(reply, doing="read labels", permission="issues: read")
        self._labels.add(name)

    def pull(self, number: int) -> PullRequest:
        """Return a pull request."""
        doing = f"read pull request #{number}"
        return _pull_of(
            self._json("GET", f"pulls/{int(number)}", None, doing=doing, permission="pull-requests: read")
        )

    def pull_of(self, sha: str) -> int | None:
        """Return the pull request whose head is a commit; an open one first, then the newest.

        The search only proposes: it lags, and finds pull requests that merely contain the commit. Each
        proposal is asked for its head.
        """
        if not _SHA.fullmatch(sha):
            return None
        query = urlencode({"q": f"{sha} repo:{self._github.repository} is:pr", "per_page": "20"})
        reply = self._ask("GET", f"/search/issues?{query}", None)
        if reply.status != 200:
            doing, permission = f"search the pull request of {sha[:12]}", "pull-requests: read"
            raise self._refusal(reply, doing=doing, permission=permission)
        items = self._items(reply, key="items")
        found = [self.pull(int(item["number"])) for item in items]
        heads = [one for one in found if one.head_sha == sha]
        heads.sort(key=lambda one: (one.state == "open", one.number))
        return heads[-1].number if heads else None

    def create_check_run(
        self,
        *,
        name: str,
        head_sha: str,
        conclusion: Conclusion,
        title: str,
        summary: str,
        text: str = "",
        details_url: str | None = None,
        annotations: Sequence[Mapping[str, Any]] = (),
    ) -> int:
        """Report a finished check of a commit; return its id. Of the annotations the first 50 are shown."""
        output: dict[str, Any] = {
            "title": _cut(title, LONGEST_TITLE),
            "summary": _cut(summary, LONGEST_CHECK_TEXT),
        }
        if text:
            output["text"] = _cut(text, LONGEST_CHECK_TEXT)
        if annotations:
            output["annotations"] = [dict(one) for one in annotations[:_MOST_ANNOTATIONS]]
        told = {
            "name": name,
            "head_sha": head_sha,
            "status": "completed",
            "conclusion": conclusion,
            "output": output,
        }
        if details_url is not None:
            told["details_url"] = details_url
        doing = f"report the check {name}"
        return int(self._json("POST", "check-runs", told, doing=doing, permission=_CHECKS)["id"])

    # One call.

    def _issues(self, **query: str) -> list[Ticket]:
        query |= {"sort": "created", "direction": "asc"}
        told = self._pages("issues", query, doing="list issues", permission="issues: read")
        return [_ticket_of(one) for one in told if "pull_request" not in one]

    def _pages(
        self, path: str, query: Mapping[str, str], *, doing: str, permission: str
    ) -> Iterator[dict[str, Any]]:
        """Yield every item of a list."""
        for page in range(1, _MOST_PAGES + 1):
            asked = urlencode({**query, "per_page": str(_PER_PAGE), "page": str(page)})
            reply = self._ask("GET", f"{path}?{asked}", None)
            if reply.status != 200:
                raise self._refusal(reply, doing=doing, permission=permission)
            yield from self._items(reply)
            if not _NEXT.search(reply.headers.get("link", "")):
                return
        raise DeliveryError(
            f"GitHub has more than {_MOST_PAGES * _PER_PAGE} items where we {doing} in "
            f"{one_line(self._github.repository, 140)}; is the label used for something else?",
            refused=True,
        )

    def _assigned(self, method: Method, path: str, told: dict[str, Any], *, doing: str) -> dict[str, Any]:
        """Send an issue; where GitHub refuses assignees, send it again without those.

        People in a rotation need not have access to the repository, and a page must not be lost for that.
        """
        while True:
            reply = self._ask(method, path, told)
            wrong = invalid_assignees(reply)
            logins = told.get("assignees")
            if wrong is None or not logins:
                return self._told(reply, doing=doing, permission=_ISSUES)
            left = [login for login in logins if login not in wrong]
            told = {**told, "assignees": left if len(left) < len(logins) else []}

    def _json(
        self, method: Method, path: str, told: Any, *, doing: str, permission: str = _ISSUES
    ) -> dict[str, Any]:
        return self._told(self._ask(method, path, told), doing=doing, permission=permission)

    def _told(self, reply: Reply, *, doing: str, permission: str) -> dict[str, Any]:
        """Return the object that an answer holds."""
        if reply.status not in (200, 201):
            raise self._refusal(reply, doing=doing, permission=permission)
        told = json_of(reply)
        if not isinstance(told, dict):
            raise self._no_json(reply)
        return told

    def _items(self, reply: Reply, *, key: str | None = None) -> list[dict[str, Any]]:
        told = json_of(reply)
        items = told.get(key) if key is not None and isinstance(told, dict) else told
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise self._no_json(reply)
        return items

    def _ask(self, method: Method, path: str, told: Any, *, repeatable: bool | None = None) -> Reply:
        github = self._github
        if not github.is_there:
            missing, how = github.lacks
            raise DeliveryError(f"{missing} is not set, so GitHub cannot be asked; {how}", refused=True)
        if self._caller is None:
            from . import open_calls

            self._caller = open_calls()
        home = path if path.startswith("/") else f"/repos/{quote(github.repository, safe='/')}/{path}"
        return self._caller.call(
            method,
            f"{github.api_url}{home}",
            headers={
                "authorization": f"Bearer {github.token}",
                "accept": "application/vnd.github+json",
                "x-github-api-version": "2022-11-28",
            },
            json=told,
            repeatable=repeatable,
        )

    def _refusal(self, reply: Reply, *, doing: str, permission: str) -> DeliveryError:
        return refusal(reply, doing=doing, repository=self._github.repository, permission=permission)

    def _no_json(self, reply: Reply) -> DeliveryError:
        return DeliveryError(
            f"{one_line(self._github.api_url, 100)} answered {reply.status} with what is not GitHub's; "
            "is GITHUB_API_URL right, and no proxy in between?",
            status=reply.status,
            unknown=True,
        )


def _ticket_of(told: Mapping[str, Any]) -> Ticket:
    return Ticket(
        number=told["number"],
        title=told.get("title") or "",
        body=told.get("body") or "",
        state="open" if told.get("state") == "open" else "closed",
        state_reason=told.get("state_reason"),
        author=_login_of(told.get("user")),
        labels=tuple(one["name"] if isinstance(one, dict) else str(one) for one in told.get("labels") or ()),
        assignees=tuple(_login_of(one) for one in told.get("assignees") or ()),
        created_at=told.get("created_at") or "",
        updated_at=told.get("updated_at") or "",
        closed_at=told.get("closed_at"),
        url=told.get("html_url") or "",
    )


def _note_of(told: Mapping[str, Any]) -> Note:
    return Note(
        id=told["id"],
        body=told.get("body") or "",
        author=_login_of(told.get("user")),
        trusted=told.get("author_association") in _TRUSTED,
        created_at=told.get("created_at") or "",
        url=told.get("html_url") or "",
    )


def _pull_of(told: Mapping[str, Any]) -> PullRequest:
    head, base = told["head"], told["base"]
    return PullRequest(
        number=told["number"],
        title=told.get("title") or "",
        state="open" if told.get("state") == "open" else "closed",
        merged=bool(told.get("merged")),
        draft=bool(told.get("draft")),
        author=_login_of(told.get("user")),
        head_sha=head["sha"],
        head_ref=head["ref"],
        # None where the fork was deleted.
        head_repository=(head.get("repo") or {}).get("full_name") or "",
        base_ref=base["ref"],
        base_sha=base["sha"],
        base_repository=(base.get("repo") or {}).get("full_name") or "",
        url=told.get("html_url") or "",
    )


def _login_of(user: Any) -> str:
    return str(user.get("login") or "") if isinstance(user, dict) else ""


def _logins(people: Sequence[str]) -> list[str]:
    """Return people as GitHub assigns them: no `@`, no teams and no mail addresses, which it refuses."""
    logins = [person.removeprefix("@") for person in people]
    return list(dict.fromkeys(login for login in logins if login and "/" not in login and "@" not in login))


def _title(title: str) -> str:
    return _cut(" ".join(title.split()), LONGEST_TITLE)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _zulu(moment: str) -> str:
    """Return a moment of RFC 3339 as GitHub writes it: UTC, whole seconds, so that texts sort as times."""
    parsed = datetime.fromisoformat(moment)
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
