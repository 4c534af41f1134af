"""Where a process stands in GitHub Actions: what the runner's variables say, nothing that is looked up."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class GitHub:
    """The variables of a job, each None or empty where it is not set.

    repository   `owner/name`
    token        of `GITHUB_TOKEN` (or `GH_TOKEN`); never shown
    actor        login that our own issues and comments are written by (`AIONCALL_ACTOR`, else
                 `github-actions[bot]`)
    event_path   JSON of the event
    summary, output  files that the runner reads after the step
    """

    repository: str = ""
    token: str = field(default="", repr=False)
    actor: str = "github-actions[bot]"
    api_url: str = "https://api.github.com"
    server_url: str = "https://github.com"
    event_name: str = ""
    event_path: Path | None = None
    sha: str = ""
    ref: str = ""
    base_ref: str = ""
    run_id: str = ""
    run_attempt: int = 1
    summary: Path | None = None
    output: Path | None = None

    @property
    def run_url(self) -> str | None:
        """Return the page of this workflow run; None outside of one."""
        if not (self.repository and self.run_id):
            return None
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}"

    @property
    def is_there(self) -> bool:
        """Tell whether the API can be asked."""
        return bool(self.repository and self.token)

    @property
    def lacks(self) -> tuple[str, str]:
        """Return the variable without which the API cannot be asked, and how it comes to be set."""
        if not self.repository:
            return "GITHUB_REPOSITORY", "a job of GitHub Actions sets it; elsewhere set it to OWNER/NAME"
        return "GITHUB_TOKEN", "in a workflow give the step env: GITHUB_TOKEN: ${{ github.token }}"
