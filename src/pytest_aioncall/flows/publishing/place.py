"""Where a report is shown, from what the runner says; nothing of it is taken out of the report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ... import __version__
from ...adapters import git
from ...adapters.render.markdown import Place
from ...adapters.text import one_line
from ...errors import UsageError
from ...model.github import GitHub
from ...model.run import Run
from ...settings import Settings


def place_of(settings: Settings, event: Mapping[str, Any], run: Run) -> Place:
    """Return the place of a report that this very workflow run wrote; elsewhere what `run` says of itself."""
    github = settings.github
    if not github.run_id:
        return Place(
            updated=now_of(settings),
            version=__version__,
            repository=repository_url(github),
            base=github.base_ref,
            commit=run.commit or "",
            folder=folder_of(settings),
            ran=_moment(run.ended_at or run.created_at),
            dirty=run.dirty,
        )
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


def refuse_other_commit(run: Run, settings: Settings, *, dry_run: bool) -> None:
    """Raise UsageError where a report is of another commit than the one that is checked out.

    In a workflow run it is told by the run that wrote it. Elsewhere a report stays from one run to the next:
    where the last pytest was refused, it is of what was there before. A dry run may be of a dirty tree.
    """
    if settings.github.run_id:
        return
    here = git.commit_of(settings.root)
    if here is not None and run.commit != here:
        raise UsageError(
            f"the report is of {_commit(run.commit)}, and checked out is {_commit(here)}; "
            "run pytest --aioncall here, and publish what that says"
        )
    if run.dirty and not dry_run:
        raise UsageError(
            f"the report is of {_commit(run.commit)} with uncommitted changes, so it says nothing of that "
            "commit; commit them and run pytest --aioncall again"
        )


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _commit(sha: str | None) -> str:
    return f"commit {one_line(sha[:7], 7)}" if sha else "no commit"


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
