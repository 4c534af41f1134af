"""Where a report is shown, from what the runner says; nothing of it is taken out of the report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ... import __version__
from ...adapters import git
from ...adapters.render.markdown import Place
from ...errors import UsageError
from ...model.github import GitHub
from ...settings import Settings


def place_of(settings: Settings, event: Mapping[str, Any]) -> Place:
    """Return the place of a report that this very workflow run wrote."""
    github = settings.github
    pull = _mapping(event.get("pull_request"))
    # Of a pull request GITHUB_SHA is a merge that nobody pushed; its head is what people know.
    head = _mapping(pull.get("head")).get("sha")
    commit = head if isinstance(head, str) and head else github.sha
    if not commit:
        commit = git.commit_of(settings.root) or ""
    return Place(
        updated=now_of(settings),
        version=__version__,
        repository=repository_url(github),
        base=github.base_ref,
        commit=commit,
        folder=folder_of(settings),
        run_name=github.run_id,
        run_url=github.run_url,
        attempt=github.run_attempt,
    )


def now_of(settings: Settings) -> datetime:
    """Return the time: `AIONCALL_NOW` where it is set."""
    return settings.now or datetime.now(UTC)


def refuse_without_token(settings: Settings) -> None:
    """Raise UsageError where GitHub cannot be asked, with the line that is missing."""
    github = settings.github
    if not github.is_there:
        missing = "GITHUB_REPOSITORY" if not github.repository else "GITHUB_TOKEN"
        raise UsageError(
            f"{missing} is not set, so GitHub cannot be asked; in a workflow give the step "
            "env: GITHUB_TOKEN: ${{ github.token }}"
        )


def repository_url(github: GitHub) -> str | None:
    """Return the address of the repository; None outside of GitHub."""
    return f"{github.server_url}/{github.repository}" if github.repository else None


def folder_of(settings: Settings) -> str:
    """Return the project's folder below the repository's root: "" or `evals/`."""
    top = git.top_of(settings.root)
    if top is None:
        return ""
    try:
        below = settings.root.resolve().relative_to(top.resolve()).as_posix()
    except ValueError:
        return ""
    return "" if below == "." else f"{below}/"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
