"""A GitHub on this machine: real HTTP, one repository with state, faults on demand.

    with FakeGitHub(repository="acme/app", now=clock) as github:
        github.fail(rate=0.2, seed=1)                       # a fifth of all calls, in many ways
        github.fail_next("lost", method="POST")             # done, and the reply never arrives
        run(["aioncall", "publish", "issues"], env=github.env())
        assert [issue.title for issue in github.issues] == [...]

It knows the routes of the official description and no others. Where the description is on this machine, every
request and every answer is held to it (`github.contract`). What nobody should send - an unknown route, a
request or an answer that breaks the description - is kept in `violations`, and fails the `with` at its end.
"""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Literal, get_args
from urllib.parse import parse_qsl, unquote, urlsplit

from .github_contract import Contract, official_contract
from .github_shapes import Comment, Issue, Pull, artifact_json
from .github_state import PER_PAGE_MOST, Answer, Refusal, Repository, Request, pattern_of, routes_of

BOT: Final = "github-actions[bot]"
TOKEN: Final = "ghs_0123456789abcdefghijklmnopqrstuvwxyzAB"

Fault = Literal["500", "502", "503", "limit", "secondary", "429", "lost", "dropped", "slow"]
"""500, 502, 503  nothing was done
limit           403 with x-ratelimit-remaining: 0 and x-ratelimit-reset
secondary       403 with retry-after
429             with retry-after
lost            done, and the connection is closed instead of an answer
dropped         not done, and the connection is closed
slow            done, after `slow_s`
"""
ANY_FAULT: Final[tuple[Fault, ...]] = ("500", "502", "503", "limit", "secondary", "429", "lost", "dropped")


@dataclass
class Call:
    """One request as it came, and what was answered; `status` is None where the connection was closed."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    login: str | None
    headers: dict[str, str] = field(repr=False, default_factory=dict)
    status: int | None = None
    fault: Fault | None = None


@dataclass
class _Planned:
    fault: Fault
    method: str | None
    path: str
    left: int


class FakeGitHub:
    """Serves while it is entered. Attributes may be set at any time; every method is safe on any thread."""

    def __init__(
        self,
        repository: str = "acme/app",
        *,
        now: Callable[[], datetime] | None = None,
        validate: bool = True,
    ) -> None:
        self.repository = repository
        self.now = now or (lambda: datetime.now(UTC))
        self.token = TOKEN
        self.tokens: dict[str, str] = {TOKEN: BOT}
        self.read_only = False
        self.denied: set[str] = set()
        self.calls: list[Call] = []
        self.violations: list[str] = []
        self.retry_after_s = 0
        self.slow_s = 0.05
        self.contract: Contract | None = official_contract() if validate else None
        self.state = Repository(repository, moment=self._moment)
        self._lock = threading.RLock()
        self._rate, self._kinds = 0.0, ANY_FAULT
        self._random = random.Random(0)
        self._only: tuple[str, ...] = ()
        self._planned: list[_Planned] = []
        self._routes = [
            (method, pattern_of(path, repository), path, area, handler)
            for method, path, area, handler in routes_of(self.state)
        ]
        self._server: ThreadingHTTPServer | None = None

    # The server.

    def __enter__(self) -> FakeGitHub:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if kind is None:
            self.refuse_violations()

    def start(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def refuse_violations(self) -> None:
        """Raise AssertionError where anybody sent what GitHub does not know, or we answered so."""
        if self.violations:
            raise AssertionError("the fake GitHub saw:\n" + "\n".join(self.violations))

    @property
    def url(self) -> str:
        """The API's address, for `GITHUB_API_URL`."""
        assert self._server is not None, "enter the fake first"
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def env(self, **more: str) -> dict[str, str]:
        """Return what a job of GitHub Actions has in its environment, for a subprocess."""
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.url,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": self.repository,
            "GITHUB_TOKEN": self.token,
            "GITHUB_RUN_ID": "1001",
            "GITHUB_RUN_ATTEMPT": "1",
            **more,
        }

    def as_github(self, **change: Any) -> Any:
        """Return the noun that settings make of `env()`."""
        from pytest_aioncall.model.github import GitHub

        told = {"repository": self.repository, "token": self.token, "api_url": self.url, "run_id": "1001"}
        return GitHub(**{**told, **change})

    # What a test looks at.

    @property
    def issues(self) -> list[Issue]:
        """All issues, pull requests not among them, oldest first."""
        with self._lock:
            return [issue for issue in self.state.issues.values() if issue.pull is None]

    @property
    def open_issues(self) -> list[Issue]:
        return [issue for issue in self.issues if issue.state == "open"]

    def issue(self, number: int) -> Issue:
        return self.state.issues[number]

    def comments(self, number: int) -> list[Comment]:
        """The comments of an issue or pull request, oldest first."""
        with self._lock:
            return list(self.state.issues[number].comments)

    @property
    def check_runs(self) -> list[dict[str, Any]]:
        """Check runs as answered; `told` is what they were made of."""
        with self._lock:
            return list(self.state.check_runs)

    @property
    def statuses(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self.state.statuses)

    @property
    def labels(self) -> list[str]:
        with self._lock:
            return [label.name for label in self.state.labels.values()]

    def written(self) -> list[Call]:
        """The calls that changed something, by their method."""
        with self._lock:
            return [call for call in self.calls if call.method != "GET"]

    # What a test does as somebody else.

    def add_user(self, login: str, *, token: str | None = None, association: str = "MEMBER") -> None:
        """Let `login` be known; MEMBER, OWNER and COLLABORATOR may write to the repository."""
        with self._lock:
            self.state.associations[login] = association
            if token is not None:
                self.tokens[token] = login

    def add_issue(self, title: str, body: str = "", *, login: str = "ann", **more: Any) -> Issue:
        """Open an issue as somebody else."""
        with self._lock:
            return self.state.new_issue(title, body, user=login, **more)

    def comment(self, number: int, body: str, *, login: str = "ann") -> Comment:
        """Comment as somebody else."""
        with self._lock:
            return self.state.new_comment(number, body, user=login)

    def change(self, number: int, **fields: Any) -> None:
        """Set fields of an issue as somebody at the keyboard would; `state` brings what belongs to it."""
        with self._lock:
            issue = self.state.issues[number]
            if "state" in fields:
                self.state._turn(issue, fields.pop("state"), fields.pop("state_reason", None))
            if "labels" in fields:
                fields["labels"] = [self.state._label(name).name for name in fields["labels"]]
            for name, value in fields.items():
                assert hasattr(issue, name), name
                setattr(issue, name, value)
            issue.updated_at = self._moment()

    def add_pull(self, head_sha: str, *, login: str = "ann", fork: str | None = None, **more: Any) -> Issue:
        """Open a pull request; `fork` is the repository that its head is in."""
        pull = {key: more.pop(key) for key in ("base_ref", "base_sha", "draft", "merged") if key in more}
        ref = more.pop("head_ref", "feature")
        with self._lock:
            return self.state.new_issue(
                more.pop("title", "A change"),
                more.pop("body", None),
                user=login,
                pull=Pull(head_sha, ref, fork or self.repository, **pull),
                **more,
            )

    def add_artifact(self, run_id: int, name: str, size: int = 1000) -> None:
        with self._lock:
            told = artifact_json(self.state.new_id(), name, size, self.repository, moment=self._moment())
            self.state.artifacts.setdefault(run_id, []).append(told)

    # Faults.

    def fail(
        self,
        *,
        rate: float,
        seed: int = 0,
        kinds: tuple[Fault, ...] = ANY_FAULT,
        only: tuple[str, ...] = (),
    ) -> None:
        """Let a share of all calls fail; `only` names methods. `rate=0` ends it."""
        assert set(kinds) <= set(get_args(Fault)), kinds
        with self._lock:
            self._rate, self._kinds, self._only = rate, kinds, only
            self._random = random.Random(seed)

    def fail_next(self, fault: Fault, *, method: str | None = None, path: str = "", times: int = 1) -> None:
        """Let the next call(s) fail that fit: by method, and by a part of the path."""
        assert fault in get_args(Fault), fault
        with self._lock:
            self._planned.append(_Planned(fault, method, path, times))

    # One request.

    def answer(self, call: Call) -> tuple[Answer, bool]:
        """Return the answer to a call, and whether to close the connection instead of sending it."""
        with self._lock:
            self.calls.append(call)
            call.login = self._login(call)
            call.fault = fault = self._fault(call)
            if fault == "dropped":
                return Answer(500), True
            if fault in ("500", "502", "503", "limit", "secondary", "429"):
                told = self._refusal(fault)
            else:
                told = self._handled(call)
            call.status = None if fault == "lost" else told.status
        if fault == "slow":
            time.sleep(self.slow_s)
        return told, fault == "lost"

    def _handled(self, call: Call) -> Answer:
        for method, pattern, template, area, handler in self._routes:
            match = pattern.fullmatch(call.path)
            if match is None or method != call.method:
                continue
            named = match.groupdict().get("repository")
            parts = tuple(unquote(part) for part in match.groups() if part is not None)
            request = Request(call.login, call.query, call.body, parts[1:] if named else parts)
            complaint = None
            if self.contract is not None:
                complaint = self.contract.of_request(method, template, call.query, call.body)
                self._note(complaint)
            try:
                if complaint is not None:
                    raise Refusal(422, f"Invalid request. {complaint}")
                if named is not None and unquote(named) != self.repository:
                    raise Refusal(404, "Not Found")
                self._may(call, area, request)
                told = handler(request)
            except Refusal as refusal:
                told = Answer(refusal.status, refusal.body, headers=refusal.headers)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                # Only where no description told before: what came is nothing that GitHub takes.
                self._note(f"{method} {template}: {error!r} from {call.body!r}")
                told = Answer(422, Refusal(422, "Invalid request.").body)
            told = self._page(told, call)
            if self.contract is not None and complaint is None:
                self._note(self.contract.of_answer(method, template, told.status, told.body))
            return told
        self._note(f"no such route: {call.method} {call.path}")
        return Answer(404, {"message": "Not Found"})

    def _may(self, call: Call, area: str, request: Request) -> None:
        if call.headers.get("authorization") and call.login is None:
            raise Refusal(401, "Bad credentials")
        if call.method == "GET":
            return
        if call.login is None:
            raise Refusal(401, "Requires authentication")
        areas = {area}
        if area == "issues" and request.parts and request.parts[0].isdigit():
            issue = self.state.issues.get(int(request.parts[0]))
            if issue is not None and issue.pull is not None:
                areas.add("pull_requests")
        if self.read_only or areas <= self.denied:
            wanted = "; ".join(f"{one}=write" for one in sorted(areas))
            raise Refusal(
                403,
                "Resource not accessible by integration",
                headers={"x-accepted-github-permissions": wanted},
            )

    def _login(self, call: Call) -> str | None:
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        return self.tokens.get(token) if scheme.lower() in ("bearer", "token") else None

    def _fault(self, call: Call) -> Fault | None:
        for planned in self._planned:
            if planned.method in (None, call.method) and planned.path in call.path:
                planned.left -= 1
                if not planned.left:
                    self._planned.remove(planned)
                return planned.fault
        fits = self._rate and (not self._only or call.method in self._only)
        if fits and self._random.random() < self._rate:
            return self._random.choice(self._kinds)
        return None

    def _refusal(self, fault: Fault) -> Answer:
        if fault == "429":
            body = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}
            return Answer(429, body, headers={"retry-after": str(self.retry_after_s)})
        if fault == "secondary":
            body = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}
            return Answer(403, body, headers={"retry-after": str(self.retry_after_s)})
        if fault == "limit":
            headers = {
                "x-ratelimit-limit": "1000",
                "x-ratelimit-remaining": "0",
                # Of the real clock: it is the caller's clock that it is compared with.
                "x-ratelimit-reset": str(int(time.time()) + self.retry_after_s),
            }
            return Answer(
                403, {"message": f"API rate limit exceeded for {self.repository}."}, headers=headers
            )
        return Answer(int(fault), {"message": "Server Error"})

    def _page(self, told: Answer, call: Call) -> Answer:
        """Cut the page out of a whole list, with GitHub's `Link` header."""
        if told.whole is None:
            return told
        size = min(max(1, int(call.query.get("per_page", "30"))), PER_PAGE_MOST)
        page = max(1, int(call.query.get("page", "1")))
        last = max(1, -(-len(told.whole) // size))
        items = told.whole[(page - 1) * size : page * size]
        targets: dict[str, int] = {}
        if page > 1:
            targets |= {"prev": min(page - 1, last), "first": 1}
        if page < last:
            targets |= {"next": page + 1, "last": last}
        headers = dict(told.headers)
        if targets:
            headers["link"] = ", ".join(f'<{self._to(call, n)}>; rel="{rel}"' for rel, n in targets.items())
        return Answer(told.status, told.wrap(items) if told.wrap else items, headers=headers)

    def _to(self, call: Call, page: int) -> str:
        from urllib.parse import urlencode

        return f"{self.url}{call.path}?{urlencode({**call.query, 'page': str(page)})}"

    def _note(self, complaint: str | None) -> None:
        if complaint is not None:
            self.violations.append(complaint)

    def _moment(self) -> str:
        return self.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _handler_of(github: FakeGitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: Any) -> None:
            pass

        def serve(self) -> None:
            address = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            call = Call(
                self.command,
                address.path,
                dict(parse_qsl(address.query, keep_blank_values=True)),
                _json(raw, github),
                None,
                {name.lower(): value for name, value in self.headers.items()},
            )
            told, closes = github.answer(call)
            if closes:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self._send(told.status, told.body, told.headers)

        def _send(self, status: int, body: Any, headers: Mapping[str, str]) -> None:
            payload = b"" if body is None else json.dumps(body).encode()
            try:
                self.send_response(status)
                self.send_header("content-type", "application/json; charset=utf-8")
                self.send_header("content-length", str(len(payload)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(payload)
            except OSError:  # the caller has gone
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815

    return Handler


def _json(raw: bytes, github: FakeGitHub) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        github.violations.append(f"a body that is no JSON: {raw[:80]!r}")
        return None


__all__ = ["ANY_FAULT", "BOT", "TOKEN", "Call", "Comment", "FakeGitHub", "Fault", "Issue"]
