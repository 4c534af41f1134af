"""Which pull request a comment belongs to. Never by what a report says: anybody may have written that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ... import __version__
from ...adapters.render.markdown import Place
from ...errors import UsageError
from ...model.run import Run
from ...model.ticket import PullRequest
from ...settings import Settings
from .place import now_of, place_of, repository_url

_SHA = re.compile(r"[0-9a-f]{40}")
_REF = re.compile(r"refs/pull/(\d{1,18})/")


class Pulls(Protocol):
    """What is asked of the tracker."""

    def pull(self, number: int) -> PullRequest: ...

    def pull_of(self, sha: str) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Found:
    """Where to comment: the number, and the place; `number` None and `why_not` where nowhere."""

    place: Place
    number: int | None = None
    why_not: str = ""
    run: int = 0
    attempt: int = 1


def pull_of_job(settings: Settings, event: Mapping[str, Any], run: Run, *, number: int | None) -> Found:
    """Return the pull request that this very workflow run is for; `run` is the one that is told of."""
    place = place_of(settings, event, run)
    github = settings.github
    workflow_run = int(github.run_id) if github.run_id.isascii() and github.run_id.isdigit() else 0
    if number is None:
        told = event.get("pull_request")
        number = _number(told.get("number")) if isinstance(told, Mapping) else None
    if number is None and (ref := _REF.match(github.ref)):
        number = int(ref[1])
    why_not = "" if number else "this run is for no pull request: nothing to comment on (or say --pr N)"
    return Found(place, number, why_not, workflow_run, github.run_attempt)


def place_of_workflow_run(settings: Settings, event: Mapping[str, Any]) -> Place:
    """Return the place of a report that another workflow run wrote, by the event that its end is."""
    told = event.get("workflow_run")
    if not isinstance(told, Mapping):
        raise UsageError(
            "--from-workflow-run: the event (GITHUB_EVENT_PATH) is no workflow_run; leave the option away, "
            "or start the workflow `on: workflow_run`"
        )
    sha = told.get("head_sha")
    if not isinstance(sha, str) or not _SHA.fullmatch(sha):
        raise UsageError("GITHUB_EVENT_PATH: workflow_run.head_sha is no commit; is it the right file?")
    repository = repository_url(settings.github)
    run = _number(told.get("id"))
    return Place(
        updated=now_of(settings),
        version=__version__,
        repository=repository,
        commit=sha,
        run_name=str(run or ""),
        run_url=f"{repository}/actions/runs/{run}" if repository and run else None,
        attempt=_number(told.get("run_attempt")) or 1,
        trusted=False,
    )


def pull_of_workflow_run(settings: Settings, event: Mapping[str, Any], tracker: Pulls) -> Found:
    """Return the pull request whose gate has just ended (`workflow_run`), by the commit that it ran on.

    GitHub names no pull request of a fork in that event, so it is looked up; each that is named or found is
    asked for its head, and counts only where that is this commit and its base is this repository. A pull
    request that went on since has another head: then there is nothing to say about this run any more.
    """
    place = place_of_workflow_run(settings, event)
    told = event["workflow_run"]
    if told.get("event") not in ("pull_request", "pull_request_target"):
        return Found(place, why_not="the run that ended was for no pull request: nothing to comment on")
    pull = _verified(place.commit, told.get("pull_requests"), tracker, repository=settings.github.repository)
    if pull is None:
        why = f"no open pull request has {place.commit[:12]} as its head any more: nothing to comment on"
        return Found(place, why_not=why)
    place = replace(place, base=pull.base_ref, trusted=not pull.is_fork)
    return Found(place, pull.number, "", int(place.run_name or 0), place.attempt)


def _verified(sha: str, named: Any, tracker: Pulls, *, repository: str) -> PullRequest | None:
    """Return the open pull request of this repository whose head is the commit."""
    numbers = [
        number
        for one in (named if isinstance(named, list) else ())[:20]
        if isinstance(one, Mapping) and (number := _number(one.get("number")))
    ]
    for number in dict.fromkeys(numbers):
        pull = tracker.pull(number)
        if _is_it(pull, sha, repository):
            return pull
    found = tracker.pull_of(sha)
    if found is None or found in numbers:
        return None
    pull = tracker.pull(found)
    return pull if _is_it(pull, sha, repository) else None


def _is_it(pull: PullRequest, sha: str, repository: str) -> bool:
    ours = pull.base_repository.lower() == repository.lower()
    return ours and pull.head_sha == sha and pull.state == "open"


def _number(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 < value < 10**18 else None
