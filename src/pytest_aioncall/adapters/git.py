"""What git knows: the commit, whether the tree is dirty, a file at another commit, who owns what."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path


def _git(root: Path, *arguments: str, given: str | None = None) -> str | None:
    """Return what git prints, `given` its input; None where there is no git, no repository or no answer."""
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, arguments never through a shell
            ["git", *arguments],  # noqa: S607 - the user's own git
            cwd=root,
            capture_output=True,
            check=False,
            timeout=30,
            input=None if given is None else given.encode("utf-8", "surrogateescape"),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def commit_of(root: Path, ref: str = "HEAD") -> str | None:
    """Return the full commit id of `ref`."""
    text = _git(root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    return text.strip() if text else None


def commit_of_branch(root: Path, name: str, *, below: str) -> str | None:
    """Return the commit id of the branch `name` in a folder of refs, as `refs/remotes/origin`.

    The whole name has to be a ref's: `HEAD`, `main~1` and `../heads/main` are none there.
    """
    text = _git(root, "show-ref", "--verify", "--hash", "--", f"{below}/{name}")
    return text.strip() if text and text.strip() else None


def top_of(root: Path) -> Path | None:
    """Return the top folder of the working tree; None where there is none."""
    text = _git(root, "rev-parse", "--show-toplevel")
    return Path(text.strip()) if text and text.strip() else None


def last_commit_at(root: Path) -> datetime | None:
    """Return when the newest commit of HEAD was made; None where there is none."""
    text = (_git(root, "log", "-1", "--format=%cI") or "").strip()
    return datetime.fromisoformat(text) if text else None


def remote_url(root: Path, name: str = "origin") -> str | None:
    """Return where a remote is; None where there is none of that name."""
    return (_git(root, "config", "--get", f"remote.{name}.url") or "").strip() or None


def remotes(root: Path) -> list[str]:
    """Return the names of the remotes."""
    return (_git(root, "remote") or "").split()


def branches(root: Path) -> list[str]:
    """Return the branches that are here, those of remotes with their names: `main`, `origin/main`."""
    told = _git(root, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes")
    return (told or "").split()


def default_branch(root: Path, remote: str = "origin") -> str | None:
    """Return the default branch of a remote, as far as a clone was told; None where it was not."""
    text = _git(root, "symbolic-ref", "--quiet", "--short", f"refs/remotes/{remote}/HEAD")
    return (text or "").strip().removeprefix(f"{remote}/") or None


def is_ignored(root: Path, path: str) -> bool:
    """Tell whether git leaves a path alone."""
    return _git(root, "check-ignore", "--quiet", "--", path) is not None


def is_tracked(root: Path, path: Path) -> bool:
    """Tell whether git keeps a file: it is in the index, committed or about to be."""
    return bool((_git(root, "ls-files", "--", str(path)) or "").strip())


def is_dirty(root: Path) -> bool:
    """Tell whether tracked files differ from the commit."""
    return bool(
        (_git(root, "--no-optional-locks", "status", "--porcelain", "--untracked-files=no") or "").strip()
    )


def changed_since(root: Path, commit: str, paths: Iterable[Path]) -> list[Path] | None:
    """Return which of `paths` differ on disk from `commit`, or are not in it; None where git cannot tell."""
    wanted = {str(path): path for path in paths}
    if not wanted:
        return []
    tracked = _git(root, "ls-files", "-z", "--full-name", "--", *wanted)
    differing = _git(root, "--no-optional-locks", "diff", "-z", "--name-only", commit, "--", *wanted)
    top = _git(root, "rev-parse", "--show-toplevel")
    if tracked is None or differing is None or top is None:
        return None
    folder = Path(top.strip())
    known = {folder / name for name in tracked.split("\0") if name}
    moved = {folder / name for name in differing.split("\0") if name}
    return [path for path in wanted.values() if path.resolve() in moved or path.resolve() not in known]


def first_version(root: Path, path: Path) -> tuple[str, str, str] | None:
    """Return (commit, day, text) of a file as it first came into the history; None where git knows none."""
    said = _git(root, "log", "--diff-filter=A", "--follow", "--format=%H %cs", "--", str(path))
    lines = (said or "").split("\n")
    commit, _, day = next((line for line in reversed(lines) if line.strip()), "").partition(" ")
    text = file_at(root, commit, path) if commit else None
    return None if text is None else (commit, day, text)


def commits_between(
    root: Path, old: str, new: str, *, paths: Iterable[str] = (), most: int = 20
) -> list[tuple[str, str]] | None:
    """Return (commit, subject) of what `new` has and `old` has not, newest first; None where git cannot tell.

    paths  files or folders below `root`: only commits that touch one of them. None means all.
    """
    wanted = [f":(literal){path}" for path in paths]
    said = _git(
        root, "log", f"--max-count={most}", "--format=%H %s", "--no-show-signature",
        "--end-of-options", f"{old}..{new}", "--", *wanted,
    )  # fmt: skip
    if said is None:
        return None
    lines = [line.partition(" ") for line in said.split("\n") if line]
    return [(commit, subject) for commit, _, subject in lines]


def merge_base(root: Path, ref: str) -> str | None:
    """Return the commit where the current branch left `ref`."""
    text = _git(root, "merge-base", "HEAD", ref)
    return text.strip() if text else None


def file_at(root: Path, ref: str, path: Path) -> str | None:
    """Return the text of a file as it was at `ref`, or None where it was not there.

    Links are followed as they were at `ref`; those of today's tree do not say which file is meant.
    """
    top = top_of(root)
    name = _name_below(top, path) if top is not None else None
    if name is None or "\n" in name:
        return None
    said = _git(root, "cat-file", "--batch", "--follow-symlinks", given=f"{ref}:{name}\n")
    header, _, text = (said or "").partition("\n")
    words = header.split(" ")
    # What is missing, a loop, or a link to the outside has a header of its own. A newline ends the text.
    return text[:-1] if len(words) == 3 and words[1] == "blob" and words[2].isdigit() else None


def _name_below(top: Path, path: Path) -> str | None:
    """Return the name of a path from the top folder as it is written: only what leads there is resolved."""
    start = top.resolve()
    written = Path(os.path.abspath(path))  # noqa: PTH100 - links stay
    for folder in reversed(written.parents):
        inside = folder.resolve()
        if inside.is_relative_to(start):
            return (inside.relative_to(start) / written.relative_to(folder)).as_posix()
    return None


def user_of(root: Path) -> str | None:
    """Return who works here: `name <email>` of git's configuration."""
    name = (_git(root, "config", "user.name") or "").strip()
    email = (_git(root, "config", "user.email") or "").strip()
    if name and email:
        return f"{name} <{email}>"
    return name or email or None


def code_owner(root: Path, path: str) -> str | None:
    """Return the first owner that CODEOWNERS names for `path` (from `root`, with slashes).

    The last matching line wins, also where it names nobody. Source: the syntax that GitHub documents for
    CODEOWNERS, which is gitignore's without `!` and `[ ]`.
    """
    for name in (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"):
        file = root / name
        if not file.is_file():
            continue
        owner = None
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            words = line.split("#", 1)[0].split()
            if words and _matches(words[0], path):
                owner = words[1] if len(words) > 1 else None
        return owner
    return None


# Left by every run; whoever commits such a file means it.
_BYTE_CODE = re.compile(r"(?:^|/)__pycache__/[^/]+\.py[co]$")
_WILD = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _matches(pattern: str, path: str) -> bool:
    """Tell whether a gitignore-like pattern covers a path: the file itself or a folder above it."""
    folder = pattern.endswith("/")
    anchored = "/" in pattern.rstrip("/")
    parts = re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?)", pattern.strip("/"))
    middle = "".join(_WILD.get(part, re.escape(part)) for part in parts)
    # `docs/*` covers the files of docs, not those of folders in it; a name or a folder covers all below.
    below = "/.*" if folder else "" if anchored and pattern.endswith("/*") else "(?:/.*)?"
    return re.fullmatch(f"{'' if anchored else '(?:.*/)?'}{middle}{below}", path) is not None


def commits_of(root: Path, ref: str, *, most: int = 20_000) -> frozenset[str] | None:
    """Return the ids of the newest commits of a ref's history; None where git cannot tell."""
    said = _git(root, "rev-list", f"--max-count={most}", ref, "--")
    return None if said is None else frozenset(said.split())


def committed_since(root: Path, commit: str, folder: Path) -> bool | None:
    """Tell whether git keeps something of a folder that is not as it was at `commit`; None: it cannot tell.

    A submodule that the folder lies in counts; files that are not kept do not.
    """
    top = top_of(root)
    place = folder.resolve()
    if top is None or not place.is_relative_to(top.resolve()):
        return None if top is None else False
    names = _git(
        top, "--no-optional-locks", "diff", "-z", "--name-only", "--no-renames", "--ignore-submodules=none",
        commit,
    )  # fmt: skip
    if names is None:
        return None
    differing = [top.resolve() / name for name in names.split("\0") if name]
    return any(path.is_relative_to(place) or place.is_relative_to(path) for path in differing)


def files_differing(root: Path, commit: str) -> list[str] | None:
    """Return the names (from the top folder) of all files that differ on disk from `commit`.

    Committed, staged, unstaged, deleted and untracked ones, submodules as well; ignored files are not told,
    nor is the byte code that Python leaves beside its modules. None where git cannot tell.
    """
    top = top_of(root)
    if top is None:
        return None
    # What .gitmodules says of a submodule is the change's own word: `ignore = all` would hide it.
    differing = _git(
        top, "--no-optional-locks", "diff", "-z", "--name-only", "--no-renames", "--ignore-submodules=none",
        commit,
    )  # fmt: skip
    untracked = _git(top, "ls-files", "-z", "--others", "--exclude-standard")
    if differing is None or untracked is None:
        return None
    made = {name for name in untracked.split("\0") if name and not _BYTE_CODE.search(name)}
    return sorted(made | {name for name in differing.split("\0") if name})
