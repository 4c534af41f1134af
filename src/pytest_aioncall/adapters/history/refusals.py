"""What a remote says when it does not take a push, and what a person does about it."""

from __future__ import annotations

from ..text import log_line
from .runner import last_words

_PROTECTED = (
    "gh006",
    "gh013",
    "protected branch",
    "rule violations",
    "hook declined",
    "prohibited by gerrit",
)
_NO_RIGHTS = (
    "permission to", "write access to repository not granted", "returned error: 403", "permission denied",
    "you are not allowed", "deploy key", "read-only", "read only",
)  # fmt: skip
_NO_LOGIN = (
    "could not read username", "could not read password", "authentication failed", "invalid username",
    "returned error: 401", "terminal prompts disabled", "invalid credentials", "host key verification failed",
)  # fmt: skip
_KEPT = (
    "Nothing is lost on this machine; where it is thrown away, keep the run folder as an artifact and write "
    "its entry later: aioncall history rebuild FOLDER"
)


def refusal_of(said: str, *, branch: str, remote: str) -> str | None:
    """Return what is to be told where trying again changes nothing; None where it may."""
    words = said.lower()
    if any(one in words for one in _PROTECTED):
        return (
            f"{remote} refuses pushes to {branch}: {_reason(said)}. A rule protects it from this job: take "
            f"{branch} out of the rule, or add GitHub Actions to those who may bypass it (forbid only "
            f"deletion and force pushes there). {_KEPT}"
        )
    if "checked out" in words:
        return f"{branch} is checked out in this repository, and is not written to; switch to another branch"
    if "shallow update not allowed" in words:
        return (
            f"{remote} takes nothing from a shallow clone; delete .aioncall/history/branches, and run again"
        )
    if any(one in words for one in _NO_RIGHTS):
        return (
            f"{remote} gives this job no right to write {branch}: {_reason(said)}. In GitHub Actions the job "
            f"needs `permissions: contents: write`; a fork's pull request never has it. {_KEPT}"
        )
    if any(one in words for one in _NO_LOGIN):
        return (
            f"{remote} does not know who asks: {_reason(said)}. In GitHub Actions give the step the "
            "token (env GITHUB_TOKEN: ${{ github.token }}), or let checkout keep it; elsewhere log git in, "
            f"then run this again. {_KEPT}"
        )
    return None


def _reason(said: str) -> str:
    """Return the remote's own words: the first line that names a rule, else git's last one."""
    lines = [line.strip() for line in said.splitlines()]
    named = [line for line in lines if line.startswith("remote:") and len(line) > len("remote: ")]
    first = next((line for line in named if "error" in line.lower() or "denied" in line.lower()), None)
    told = (first or (named[0] if named else last_words(said))).removeprefix("remote:").strip()
    return log_line(told.rstrip("."), 200)
