"""Where a branch is shared, and with what rights: as the user's repository says it. Nothing is stored."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ...errors import UsageError
from ..text import log_line
from .runner import Git, last_words

NAME: Final = "aioncall"
"""What the remote is called in our own repository."""

# Settings of the user's repository that decide how a remote is reached: checkout's token, proxies, ssh.
_OF_TRANSPORT: Final = (
    "http.",
    "credential.",
    "ssh.",
    "protocol.",
    "core.sshcommand",
    "core.gitproxy",
    "core.askpass",
)
_SCP_LIKE = re.compile(r"[^/\\]{2,}:")
# Runs on the other side of a push to the user's own repository: no hook of theirs, no cleaning up.
_OWN_RECEIVER: Final = "git -c core.hooksPath=/dev/null -c receive.autogc=false receive-pack"


@dataclass(frozen=True, slots=True)
class Remote:
    """Where the branch is shared.

    shown   what people call it: `origin`, or `this repository` where there is no remote
    config  what git has to be told to reach it; may hold a token
    hidden  texts of it that no message may show
    is_own  there is no remote: the branch lives in the user's repository alone
    """

    shown: str
    config: tuple[tuple[str, str], ...] = field(repr=False)
    hidden: tuple[str, ...] = field(default=(), repr=False)
    is_own: bool = False
    object_format: str = "sha1"


def find_remote(repository: Path, *, environ: Mapping[str, str], token: str, server_url: str) -> Remote:
    """Ask the user's repository for its remote: `origin`, else the branch's own, else the only one.

    token, server_url  what GitHub Actions gave the job. The token is used where the remote is of that server
                       and checkout left none (`persist-credentials: false`)
    Raises UsageError outside of a repository, and where several remotes leave the choice open.
    """
    git = Git(("-C", str(repository)), environ=environ)
    common = git.ask("rev-parse", "--git-common-dir")
    if common.code:
        why = last_words(common.complaint)
        raise UsageError(
            f"{repository}: a history on a branch needs a git repository ({why}); "
            "name a folder instead: --history DIR"
        )
    object_format = git.ask("rev-parse", "--show-object-format").text
    if object_format not in ("sha1", "sha256"):
        object_format = "sha1"
    name = _chosen(git)
    if name is None:
        own = str((repository / common.text).resolve())
        config = ((f"remote.{NAME}.url", own), (f"remote.{NAME}.receivepack", _OWN_RECEIVER))
        return Remote("this repository", config, is_own=True, object_format=object_format)
    top = git.ask("rev-parse", "--show-toplevel")
    folder = Path(top.text) if top.code == 0 and top.text else repository
    url = _address(git.must("remote", "get-url", name).text.split("\n")[0], folder)
    push_url = _address(git.must("remote", "get-url", "--push", name).text.split("\n")[0], folder)
    transport = _transport(git)
    if token and not _is_authorized(git, transport, url=push_url, server_url=server_url):
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode("ascii")
        transport.append((f"http.{server_url.rstrip('/')}/.extraheader", f"AUTHORIZATION: basic {basic}"))
    headers = [value for key, value in transport if key.endswith(".extraheader")]
    return Remote(
        log_line(name, 60),
        ((f"remote.{NAME}.url", url), (f"remote.{NAME}.pushurl", push_url), *transport),
        hidden=(token, *headers, *(header.rpartition(" ")[2] for header in headers)),
        object_format=object_format,
    )


def _chosen(git: Git) -> str | None:
    """Return the name of the remote; None where there is none."""
    names = git.ask("remote").text.split()
    if not names or "origin" in names:
        return "origin" if names else None
    if len(names) == 1:
        return names[0]
    branch = git.ask("symbolic-ref", "--quiet", "--short", "HEAD").text
    mine = git.ask("config", f"branch.{branch}.remote").text if branch else ""
    if mine in names:
        return mine
    shown = ", ".join(log_line(one, 40) for one in names)
    raise UsageError(
        f"several remotes and none is called origin ({shown}), so it is open where the history belongs; "
        "set the remote of this branch: git branch --set-upstream-to REMOTE/BRANCH"
    )


def _address(url: str, folder: Path) -> str:
    """Return an address that does not depend on the folder it is used in."""
    if "://" in url or _SCP_LIKE.match(url) or Path(url).is_absolute():
        return url
    return str((folder / url).resolve())


def _transport(git: Git) -> list[tuple[str, str]]:
    """Return the repository's own settings of transport, those of included files with them.

    Checkout keeps its token in such a file, included for the user's repository alone: ours would not see it.
    """
    listed = git.ask("config", "--list", "--includes", "--show-scope", "-z")
    words = listed.out.decode("utf-8", "surrogateescape").split("\0") if listed.code == 0 else []
    found = []
    for scope, setting in zip(words[::2], words[1::2], strict=False):
        key, newline, value = setting.partition("\n")
        if scope in ("local", "worktree") and key.lower().startswith(_OF_TRANSPORT):
            found.append((key, value if newline else "true"))
    return found


def _is_authorized(git: Git, transport: list[tuple[str, str]], *, url: str, server_url: str) -> bool:
    """Tell whether a token of the job has no place here: another server, or rights that are there already.

    A second authorization header is refused by the server.
    """
    server = server_url.rstrip("/") + "/"
    if not url.startswith(server):
        return True
    if any(key.lower().endswith(".extraheader") and value for key, value in transport):
        return True
    return bool(git.ask("config", "--get-urlmatch", "http.extraheader", url).text)
