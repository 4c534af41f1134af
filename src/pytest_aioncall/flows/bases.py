"""The commit that a change is compared with: where the working tree left a ref."""

from __future__ import annotations

import shlex
from pathlib import Path

from ..adapters import git
from ..adapters.text import did_you_mean
from ..errors import UsageError


def how_to_fetch(root: Path, ref: str) -> str:
    """Say how a branch that is not here comes here; where its remote has no such name, what is near."""
    remote, _, branch = ref.partition("/")
    if branch and remote in {"origin", *git.remotes(root)}:
        return f"fetch it first: git fetch {remote} {shlex.quote(branch)}"
    near = did_you_mean(ref, git.branches(root))
    meant = f"did you mean {near!r}? Else " if near else ""
    return f"{meant}fetch it first: git fetch origin {shlex.quote(ref)}"


def base_of(root: Path, ref: str, *, option: str = "--against") -> str:
    """Return the commit where the working tree left `ref`. Raises UsageError that says what to do."""
    if git.commit_of(root) is None:
        raise UsageError(
            f"{root}: git finds no repository with a commit here; {option} compares with one (a folder of "
            "another user needs: git config --global --add safe.directory PATH)"
        )
    if not ref or ref.endswith("/"):
        raise UsageError(
            f"{option} {ref!r} names no branch; a run that is no pull request has no base: name a commit, "
            "for example HEAD~1"
        )
    tip = None if ref.startswith("-") else git.commit_of(root, ref)
    if tip is None:
        raise UsageError(
            f"{option} {ref}: no such commit here; {how_to_fetch(root, ref)} "
            "(in GitHub Actions: actions/checkout with fetch-depth: 0)"
        )
    base = git.merge_base(root, tip)
    if base is None:
        raise UsageError(
            f"no merge base with {ref!r}: fetch the full history (actions/checkout with fetch-depth: 0; "
            "by hand: git fetch --unshallow), or name another ref"
        )
    return base
